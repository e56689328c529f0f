// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The draws of a permuted schedule (`--emulator-schedule SEED`).
//
// The chip promises nothing about the order of warps and blocks, nor about when
// an asynchronous copy happens between its issue and the wait for it. A
// schedule draws one of the legal orders; the same seed draws the same one,
// whatever the host: such a launch runs on one host thread.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_SCHEDULE_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_SCHEDULE_H

#include <cstdint>

namespace llrt::emu {

class Schedule {
public:
  /// `launch`: its number on the device, so that equal launches differ.
  Schedule(uint64_t seed, uint64_t launch)
      : state(seed * 0x9e3779b97f4a7c15u + launch * 0xd1342543de82ef95u + 1) {}

  /// SplitMix64.
  uint64_t next() {
    uint64_t z = state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
  }
  /// 0 .. count-1.
  uint32_t below(uint32_t count) {
    return static_cast<uint32_t>((next() >> 32) * count >> 32);
  }
  bool oneIn(uint32_t count) { return below(count) == 0; }
  /// 1 .. 2^bits, small ones as likely as large ones.
  int32_t length(uint32_t bits) {
    uint32_t most = 1u << below(bits + 1);
    return static_cast<int32_t>(most - below((most + 1) / 2));
  }

private:
  uint64_t state;
};

/// A permutation of 0 .. count-1 that takes no memory: four Feistel rounds over
/// the next power of four, walked until the value is inside.
class Permutation {
public:
  Permutation(uint64_t count, Schedule &schedule) : count(count) {
    while (count > uint64_t(1) << 2 * half)
      ++half;
    for (uint64_t &key : keys)
      key = schedule.next();
  }
  uint64_t operator()(uint64_t at) const {
    do
      at = round(at);
    while (at >= count);
    return at;
  }

private:
  uint64_t count;
  unsigned half = 1; ///< bits
  uint64_t keys[4];

  uint64_t round(uint64_t at) const {
    uint64_t low = at & ((uint64_t(1) << half) - 1), high = at >> half;
    for (uint64_t key : keys) {
      uint64_t mixed = (low ^ key) * 0xbf58476d1ce4e5b9u;
      uint64_t next = high ^ (mixed >> (64 - half));
      high = low;
      low = next;
    }
    return high << half | low;
  }
};

} // namespace llrt::emu

#endif
