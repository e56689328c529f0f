// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A warp's access cut into runs: neighbouring lanes that touch one line.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_ACCESSRUNS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_ACCESSRUNS_H

#include "runtime/device/emulator/check/Shadow.h"

namespace llrt::emu {

/// Lanes from..to-1 (those in `lanes`) touch `bytes` of the line at `start`.
struct Run {
  uint64_t start; ///< host address of the line
  uint64_t bytes;
  uint32_t lanes;
  uint8_t shift; ///< as in Access
  int8_t first;
};

/// Calls f(Run) for the lanes of `mask`, which access `size` bytes (a power of
/// two) at `address`, aligned to it. A run has lanes in a row that either
/// follow each other in memory or share one address.
template <class F>
inline void eachRun(const uint64_t *address, uint32_t mask, uint32_t size,
                    F f) {
  uint8_t shift = static_cast<uint8_t>(__builtin_ctz(size));
  while (mask) {
    unsigned lane = static_cast<unsigned>(__builtin_ctz(mask));
    mask &= mask - 1;
    Run run;
    run.start = Region::lineStart(address[lane]);
    unsigned at = static_cast<unsigned>(address[lane] - run.start);
    run.bytes = byteMask(at, size);
    run.lanes = 1u << lane;
    run.shift = shift;
    run.first = static_cast<int8_t>(static_cast<int>(lane) -
                                    static_cast<int>(at >> shift));
    unsigned previous = lane;
    bool same = false;
    while (mask) {
      unsigned next = static_cast<unsigned>(__builtin_ctz(mask));
      bool first = previous == lane;
      if (address[next] == address[lane] && (first || same)) {
        same = true;
      } else if (!same && next == previous + 1 &&
                 address[next] == address[previous] + size &&
                 address[next] - run.start < lineBytes) {
        run.bytes |=
            byteMask(static_cast<unsigned>(address[next] - run.start), size);
      } else {
        break;
      }
      run.lanes |= 1u << next;
      previous = next;
      mask &= mask - 1;
    }
    if (same)
      run.shift = Access::anyLane;
    f(run);
  }
}

} // namespace llrt::emu

#endif
