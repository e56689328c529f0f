// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The check for x86-64-v3, built for any x86-64.
//
// It also runs before main: a linker may keep the x86-64-v3 copy of an inline
// function of the C++ library, and then any code could meet an illegal
// instruction before a device is asked for.
#include "runtime/device/emulator/Processor.h"

#include <cstring>
#include <unistd.h>

const char *llrt::emu::missingProcessorFeature() {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("avx2"))
    return "AVX2";
  if (!__builtin_cpu_supports("fma"))
    return "FMA";
  if (!__builtin_cpu_supports("bmi2") || !__builtin_cpu_supports("bmi"))
    return "BMI2";
  return nullptr;
}

__attribute__((constructor(101))) static void checkProcessor() {
  const char *missing = llrt::emu::missingProcessorFeature();
  if (!missing)
    return;
  static const char text[] = "error: this program needs an x86-64-v3 processor "
                             "(Haswell or Zen and later); this one lacks ";
  (void)!write(2, text, sizeof text - 1);
  (void)!write(2, missing, std::strlen(missing));
  (void)!write(2, "\n", 1);
  _exit(1);
}
