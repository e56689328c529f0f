// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Speed of the emulator, each figure beside a plain C++ loop that does the same
// arithmetic in the same run, so that figures of different machines compare.
//   emulator-bench [host threads]       (default: 1)
//   emulator-bench --plain-model N      tokens/s of a plain C++ loop over the N
//                                       bf16 weights of a model, a
//                                       multiplication and an addition each
#include "runtime/device/Device.h"

#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <functional>
#include <vector>

using namespace llrt;

namespace {

constexpr uint32_t blocks = 8, threads = 128;
constexpr uint64_t warps = blocks * threads / 32;

double secondsOf(const std::function<void()> &work) {
  double best = 1e9;
  for (int round = 0; round < 3; ++round) {
    auto start = std::chrono::steady_clock::now();
    work();
    best = std::min(best, std::chrono::duration<double>(
                              std::chrono::steady_clock::now() - start)
                              .count());
  }
  return best;
}

/// A kernel whose loop runs `body` n times; %f1-%f8, %r5-%r9 and %rd1 (16 bytes
/// a thread) are its own.
std::string kernelOf(const std::string &body) {
  return ".version 8.6\n.target sm_90a\n.address_size 64\n.visible .entry "
         "k(.param .u64 p, .param .u32 n) {\n"
         ".reg .pred %p<4>; .reg .b32 %r<32>; .reg .f32 %f<16>; .reg .b64 "
         "%rd<8>; .shared .align 16 .b8 s[4096];\n"
         "ld.param.u64 %rd1, [p]; ld.param.u32 %r1, [n]; mov.u32 %r2, %tid.x; "
         "mov.u32 %r4, %ctaid.x; mov.u32 %r3, 0;\n"
         "mad.lo.u32 %r4, %r4, 128, %r2; mul.wide.u32 %rd2, %r4, 16; add.u64 "
         "%rd1, %rd1, %rd2; mov.u32 %r20, s; shl.b32 %r21, %r2, 4; add.u32 "
         "%r20, %r20, %r21;\n"
         "mov.f32 %f1, 0f3F000000; mov.f32 %f2, 0f3F000000; mov.f32 %f3, "
         "0f3F000000; mov.f32 %f4, 0f3F000000; mov.u32 %r5, %r2; mov.u32 %r6, "
         "0; mov.u32 %r7, 0; mov.u32 %r8, 0; mov.u32 %r9, 0;\n"
         "LOOP:\n" +
         body +
         "\nadd.u32 %r3, %r3, 1; setp.lt.u32 %p1, %r3, %r1; @%p1 bra LOOP;\n"
         "cvt.rn.f32.u32 %f5, %r5; add.f32 %f1, %f1, %f2; add.f32 %f1, %f1, "
         "%f3; add.f32 %f1, %f1, %f4; add.f32 %f1, %f1, %f5; st.global.f32 "
         "[%rd1], %f1;\nret;\n}\n";
}

struct Case {
  const char *name;
  std::string body;
  unsigned
      instructions; ///< counted a turn; 1 for the tensor core: the mma alone
  uint32_t turns;
  std::function<float(uint32_t)> plain; ///< the same for all threads in C++
};

volatile float sink;

float plainArithmetic(uint32_t turns) {
  float total = 0;
  for (uint32_t thread = 0; thread < blocks * threads; ++thread) {
    float a = 0.5f, b = 0.5f, c = 0.5f;
    uint32_t i = thread;
    for (uint32_t turn = 0; turn < turns; ++turn) {
      a = std::fma(a, b, c);
      b = b * c;
      i = ((i + turn) ^ thread) - ((i << 3) & 255);
      c = b + 0.5f;
    }
    total += a + static_cast<float>(i);
  }
  return total;
}

float plainMemory(uint32_t turns) {
  static float memory[blocks * threads * 4];
  float total = 0;
  for (uint32_t turn = 0; turn < turns; ++turn)
    for (uint32_t thread = 0; thread < blocks * threads; ++thread) {
      volatile float *at = memory + thread * 4;
      at[1] = at[0] + 1.0f;
      total += at[1];
    }
  return total;
}

float plainProduct(uint32_t turns) {
  float a[16][16], b[16][8], d[16][8] = {};
  for (int i = 0; i < 16; ++i)
    for (int k = 0; k < 16; ++k)
      a[i][k] = b[k][i % 8] = 0.01f * static_cast<float>(i + k);
  for (uint64_t turn = 0; turn < turns * warps; ++turn) {
    for (int i = 0; i < 16; ++i)
      for (int k = 0; k < 16; ++k)
        for (int j = 0; j < 8; ++j)
          d[i][j] += a[i][k] * b[k][j];
    a[turn % 16][0] += d[0][0] * 1e-30f;
  }
  return d[3][3];
}

/// What a decoder does with its matrices, one token: rows of 1024 weights
/// times a vector.
float plainModel(const std::vector<uint16_t> &weights) {
  static float x[1024];
  for (unsigned i = 0; i < 1024; ++i)
    x[i] = 0.01f * static_cast<float>(i % 7);
  float total = 0;
  for (size_t row = 0; row + 1024 <= weights.size(); row += 1024) {
    float sum = 0;
    for (unsigned i = 0; i < 1024; ++i) {
      uint32_t bits = static_cast<uint32_t>(weights[row + i]) << 16;
      float weight;
      std::memcpy(&weight, &bits, 4);
      sum += weight * x[i];
    }
    total += sum;
  }
  return total;
}

int measurePlainModel(uint64_t count) {
  if (count < 1024 || count > 10'000'000'000u) {
    std::fprintf(stderr, "--plain-model: expected 1024 to 10^10 weights\n");
    return 2;
  }
  std::vector<uint16_t> weights(count, 0x3c23);
  double seconds = secondsOf([&] { sink = plainModel(weights); });
  std::printf("%.1f\n", 1 / seconds);
  return 0;
}

} // namespace

int main(int argc, char **argv) {
  if (argc == 3 && std::strcmp(argv[1], "--plain-model") == 0)
    return measurePlainModel(std::strtoull(argv[2], nullptr, 10));
  unsigned hostThreads =
      argc > 1 ? static_cast<unsigned>(std::atoi(argv[1])) : 1;
  const Case cases[] = {
      {"arithmetic",
       "fma.rn.f32 %f1, %f1, %f2, %f3; mul.f32 %f2, %f2, %f3; add.s32 %r5, "
       "%r5, %r3; xor.b32 %r5, %r5, %r2; shl.b32 %r6, %r5, 3;"
       "and.b32 %r7, %r6, 255; add.f32 %f3, %f2, %f4; sub.s32 %r5, %r5, %r7;",
       11, 60000, plainArithmetic},
      {"global load and store",
       "ld.global.f32 %f2, [%rd1]; add.f32 %f2, %f2, 0f3F800000; st.global.f32 "
       "[%rd1+4], %f2;",
       6, 40000, plainMemory},
      {"mma.m16n8k16 bf16",
       "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, "
       "%f4}, {%r4, %r5, %r6, %r7}, {%r8, %r9}, {%f1, %f2, %f3, %f4};",
       1, 20000, plainProduct},
      {"ldmatrix.x4 and mma",
       "ldmatrix.sync.aligned.m8n8.x4.shared.b16 {%r10, %r11, %r12, %r13}, "
       "[%r20];"
       "mma.sync.aligned.m16n8k16.row.col.f32.bf16.bf16.f32 {%f1, %f2, %f3, "
       "%f4}, {%r10, %r11, %r12, %r13}, {%r8, %r9}, {%f1, %f2, %f3, %f4};",
       5, 20000, plainProduct}};
  EmulatorOptions options;
  options.threads = hostThreads;
  Result<std::unique_ptr<Device>> device = createEmulatorDevice({}, options);
  if (!device) {
    std::fprintf(stderr, "%s\n", device.error().message().c_str());
    return 1;
  }
  std::printf("%u host thread(s)\n%-24s %14s %12s %14s\n", hostThreads,
              "kernel", "M warp instr/s", "emulated s", "of plain C++");
  for (const Case &each : cases) {
    Result<Module *> module =
        (*device)->loadModule(kernelOf(each.body), each.name);
    if (!module) {
      std::fprintf(stderr, "%s\n", module.error().message().c_str());
      return 1;
    }
    Result<Kernel *> kernel = (*device)->findKernel(*module, "k");
    Result<DeviceAddress> memory =
        (*device)->allocate(blocks * threads * 16, "bench");
    if (!kernel || !memory)
      return 1;
    uint64_t at = *memory;
    uint32_t turns = each.turns;
    const void *arguments[] = {&at, &turns};
    LaunchShape shape;
    shape.grid.x = blocks;
    shape.block.x = threads;
    bool failed = false;
    double emulated = secondsOf([&] {
      if (Error error = (*device)->launch(*kernel, shape, arguments, 2)) {
        std::fprintf(stderr, "%s\n", error.message().c_str());
        failed = true;
      }
    });
    if (failed)
      return 1;
    double plain = secondsOf([&] { sink = each.plain(turns); });
    double rate =
        static_cast<double>(warps) * turns * each.instructions / emulated;
    std::printf("%-24s %14.1f %12.3f %13.1fx\n", each.name, rate * 1e-6,
                emulated, emulated / plain);
  }
  return 0;
}
