/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* A program outside of llamac that runs PTX by libllamac_emulator: sums, under eight schedules with checking; then a
   race, which is reported; then things that fail. */
#include <llamac/emulator.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Each block adds its threads' numbers in shared memory, then to the total. */
static const char ptx[] =
    ".version 8.0\n.target sm_80\n.address_size 64\n"
    ".visible .entry sum(.param .u64 in, .param .u64 total) {\n"
    ".reg .pred %p<2>; .reg .b32 %r<8>; .reg .b64 %rd<4>;\n"
    ".shared .align 4 .b8 s[4];\n"
    "ld.param.u64 %rd1, [in]; ld.param.u64 %rd2, [total];\n"
    "mov.u32 %r1, %tid.x; mov.u32 %r2, %ctaid.x; mad.lo.u32 %r3, %r2, 64, %r1;\n"
    "mul.wide.u32 %rd3, %r3, 4; add.u64 %rd1, %rd1, %rd3;\n"
    "setp.ne.u32 %p1, %r1, 0;\n"
    "@!%p1 st.shared.u32 [s], 0;\n"
    "bar.sync 0;\n"
    "ld.global.u32 %r4, [%rd1];\n"
    "red.shared.add.u32 [s], %r4;\n"
    "bar.sync 0;\n" /* the second line of this: BARRIER */
    "@%p1 bra DONE;\n"
    "ld.shared.u32 %r5, [s];\n"
    "red.global.add.u32 [%rd2], %r5;\n"
    "DONE: ret;\n}\n";

static void expect(int holds, const char *what) {
  if (holds)
    return;
  fprintf(stderr, "FAILED: %s; the last error: %s\n", what, llamac_emulator_last_error());
  exit(1);
}

/* 0 + 1 + ... + 255 of the device's words; the error, if there is one, is the caller's to ask for. */
static int run(const char *text, const llamac_emulator_options *options, uint32_t *total, int profile) {
  llamac_emulator *gpu = llamac_emulator_create(options);
  expect(gpu != NULL, "create");
  llamac_module *module = llamac_emulator_load(gpu, text, strlen(text), "sum.ptx");
  expect(module != NULL, "load");
  expect(strcmp(llamac_emulator_kernel_name(gpu, module, 0), "sum") == 0, "kernel_name");
  expect(llamac_emulator_kernel_name(gpu, module, 1) == NULL, "one kernel");
  llamac_kernel *kernel = llamac_emulator_find_kernel(gpu, module, "sum");
  expect(kernel != NULL, "find_kernel");
  uint32_t words[256];
  for (uint32_t i = 0; i < 256; ++i)
    words[i] = i;
  uint64_t in = llamac_emulator_allocate(gpu, sizeof words, "in"), out = llamac_emulator_allocate(gpu, 4, "total");
  expect(in && out, "allocate");
  expect(llamac_emulator_write(gpu, in, words, sizeof words) == 0, "write");
  expect(llamac_emulator_fill(gpu, out, 0, 4) == 0, "fill");
  llamac_launch launch = {{4, 1, 1}, {64, 1, 1}, {1, 1, 1}, 0, 0};
  const void *arguments[] = {&in, &out};
  int status = llamac_emulator_launch(gpu, kernel, &launch, arguments, 2);
  expect(llamac_emulator_warp_instructions(gpu) > 0, "warp_instructions");
  expect(llamac_emulator_read(gpu, total, out, 4) == 0, "read");
  if (profile) {
    char *json = llamac_emulator_profile(gpu, 1);
    expect(json && strstr(json, "\"global_bytes_read\": 1040"), json);
    llamac_emulator_free(json);
  }
  expect(llamac_emulator_release(gpu, in) == 0, "release");
  expect(status != 0 || llamac_emulator_release(gpu, in) == -1, "release twice");
  llamac_emulator_destroy(gpu);
  return status;
}

int main(void) {
  expect(llamac_emulator_api_version() == LLAMAC_EMULATOR_API_VERSION, "version");
  uint32_t total = 0;
  expect(run(ptx, NULL, &total, 0) == 0 && total == 255 * 128, "by default");
  llamac_emulator_options options;
  llamac_emulator_options_init(&options);
  options.check = options.has_schedule = options.profile = 1;
  for (options.schedule = 1; options.schedule <= 8; ++options.schedule)
    expect(run(ptx, &options, &total, 1) == 0 && total == 255 * 128, "under a schedule");

  /* Without the second barrier one thread reads what others still add to. */
  char wrong[sizeof ptx];
  strcpy(wrong, ptx);
  char *barrier = strstr(strstr(wrong, "bar.sync 0;") + 1, "bar.sync 0;");
  memset(barrier, ' ', strlen("bar.sync 0;"));
  options.has_schedule = options.profile = 0;
  expect(run(wrong, &options, &total, 0) == -1, "a race");
  printf("%s\n", llamac_emulator_last_error());

  options.gpu = "abacus";
  expect(llamac_emulator_create(&options) == NULL, "no such GPU");
  expect(strstr(llamac_emulator_last_error(), "abacus") != NULL, "the message names it");
  options.gpu = "h200";
  options.size = 4;
  expect(llamac_emulator_create(&options) == NULL, "other options");
  llamac_emulator *gpu = llamac_emulator_create(NULL);
  expect(llamac_emulator_load(gpu, "garbled", 7, "bad.ptx") == NULL, "garbled PTX");
  expect(strstr(llamac_emulator_last_error(), "bad.ptx:1") != NULL, "the message has the line");
  llamac_emulator_destroy(gpu);
  llamac_emulator_destroy(NULL);
  return 0;
}
