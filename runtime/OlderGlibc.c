// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the static libstdc++ of gcc 12 takes from glibc 2.36, so that an
// executable runs with 2.35: arc4random, which std::random_device reads.
#include <stdint.h>
#include <stdlib.h>
#include <sys/random.h>

__attribute__((visibility("hidden"))) uint32_t arc4random(void) {
  uint32_t bits;
  if (getrandom(&bits, sizeof bits, 0) != (ssize_t)sizeof bits)
    abort();
  return bits;
}
