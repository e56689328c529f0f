/* SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception */
/* llamac's PTX emulator as a library, for C and everything that calls C.
 *
 *   llamac_emulator_options options;
 *   llamac_emulator_options_init(&options);
 *   options.check = 1;
 *   llamac_emulator *gpu = llamac_emulator_create(&options);
 *   llamac_module *module = llamac_emulator_load(gpu, ptx, strlen(ptx), "add.ptx");
 *   llamac_kernel *kernel = llamac_emulator_find_kernel(gpu, module, "add");
 *   uint64_t out = llamac_emulator_allocate(gpu, 4096, "out");
 *   llamac_launch launch = {.grid = {4, 1, 1}, .block = {256, 1, 1}, .cluster = {1, 1, 1}};
 *   const void *arguments[] = {&out};
 *   if (llamac_emulator_launch(gpu, kernel, &launch, arguments, 1) != 0)
 *     fputs(llamac_emulator_last_error(), stderr);
 *
 * A function that fails returns null, 0 (an address) or -1 (else), and
 * llamac_emulator_last_error() says why. One emulator is used by one thread at
 * a time; different ones may be used at once. */
#ifndef LLAMAC_EMULATOR_H
#define LLAMAC_EMULATOR_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define LLAMAC_EMULATOR_API __attribute__((visibility("default")))
#else
#define LLAMAC_EMULATOR_API
#endif

/* Raised when something below changes its meaning. */
#define LLAMAC_EMULATOR_API_VERSION 1
LLAMAC_EMULATOR_API int llamac_emulator_api_version(void);

typedef struct llamac_emulator llamac_emulator; /* a device with its memory */
typedef struct llamac_module llamac_module;     /* of one emulator, for its life */
typedef struct llamac_kernel llamac_kernel;     /* likewise */

typedef struct llamac_emulator_options {
  size_t size;      /* of this struct; set by llamac_emulator_options_init */
  const char *gpu;  /* a row of the GPU table whose limits hold ("h200") */
  int check;        /* 1: report races, uninitialised memory, ... (0) */
  int has_schedule; /* 1: draw an order of warps, blocks, copies (0) ... */
  uint64_t schedule; /* ... by this seed */
  int profile;       /* 1: count what kernels do (0) */
  unsigned threads;  /* of the host; 0: one a core. With check, schedule or
                        profile it is one (0) */
} llamac_emulator_options;

LLAMAC_EMULATOR_API void
llamac_emulator_options_init(llamac_emulator_options *options);

typedef struct llamac_launch {
  uint32_t grid[3], block[3], cluster[3]; /* cluster {1,1,1}: none */
  uint32_t dynamic_shared_bytes;
  int cooperative; /* 1: refuse a grid that is not resident as a whole */
} llamac_launch;

/* Of this thread's last call that failed; "" before. Valid until the next. */
LLAMAC_EMULATOR_API const char *llamac_emulator_last_error(void);

/* Null options: the defaults. */
LLAMAC_EMULATOR_API llamac_emulator *
llamac_emulator_create(const llamac_emulator_options *options);
/* With its memory, modules and kernels. Null is let pass. */
LLAMAC_EMULATOR_API void llamac_emulator_destroy(llamac_emulator *emulator);

/* PTX as text; `name` appears in messages. */
LLAMAC_EMULATOR_API llamac_module *
llamac_emulator_load(llamac_emulator *emulator, const char *ptx, size_t bytes,
                     const char *name);
LLAMAC_EMULATOR_API llamac_kernel *
llamac_emulator_find_kernel(llamac_emulator *emulator, llamac_module *module,
                            const char *name);
/* The i-th kernel's name, or null behind the last. Valid until the next call. */
LLAMAC_EMULATOR_API const char *
llamac_emulator_kernel_name(llamac_emulator *emulator, llamac_module *module,
                            size_t i);

/* Device memory, uninitialised; `name` appears in reports. */
LLAMAC_EMULATOR_API uint64_t llamac_emulator_allocate(llamac_emulator *emulator,
                                                      uint64_t bytes,
                                                      const char *name);
LLAMAC_EMULATOR_API int llamac_emulator_release(llamac_emulator *emulator,
                                                uint64_t address);
LLAMAC_EMULATOR_API int llamac_emulator_write(llamac_emulator *emulator,
                                              uint64_t to, const void *from,
                                              uint64_t bytes);
LLAMAC_EMULATOR_API int llamac_emulator_read(llamac_emulator *emulator,
                                             void *to, uint64_t from,
                                             uint64_t bytes);
LLAMAC_EMULATOR_API int llamac_emulator_fill(llamac_emulator *emulator,
                                             uint64_t to, uint8_t byte,
                                             uint64_t bytes);

/* arguments[i] points at the i-th parameter's bytes, as for cuLaunchKernel.
 * Returns when the kernel has ended; a fault or a report is an error. */
LLAMAC_EMULATOR_API int
llamac_emulator_launch(llamac_emulator *emulator, llamac_kernel *kernel,
                       const llamac_launch *launch,
                       const void *const *arguments, size_t argument_count);

/* Executed so far. */
LLAMAC_EMULATOR_API uint64_t
llamac_emulator_warp_instructions(const llamac_emulator *emulator);
/* What the kernels did, with options.profile: a table, or JSON. To be freed by
 * llamac_emulator_free. */
LLAMAC_EMULATOR_API char *
llamac_emulator_profile(const llamac_emulator *emulator, int json);
LLAMAC_EMULATOR_API void llamac_emulator_free(char *text);

#ifdef __cplusplus
}
#endif

#endif
