// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device memory: addresses are host addresses inside registered allocations.
//
// Every access of a kernel is checked against them, so a wild address is a
// message and never a signal. The table does not change while a kernel runs;
// workers keep the last interval each instruction hit (Machine.h).
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_MEMORY_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_MEMORY_H

#include "runtime/Result.h"

#include <cstdint>
#include <map>
#include <string>
#include <string_view>

namespace llrt::emu {

/// Generic addresses of a block's shared memory, of a thread's local memory and
/// of a kernel's parameters lie in windows above all host addresses.
constexpr uint64_t sharedWindow = uint64_t(1) << 56;
constexpr uint64_t localWindow = uint64_t(2) << 56;
constexpr uint64_t parameterWindow = uint64_t(3) << 56;
/// Functions have addresses too: this plus 16 for each one before.
constexpr uint64_t functionWindow = uint64_t(4) << 56;
constexpr uint64_t windowBytes = uint64_t(1) << 32;
/// A shared::cluster address names a block in its upper byte: its rank plus 1,
/// as mapa gives it, or 0 for the block itself.
constexpr unsigned clusterRankShift = 24;
constexpr uint32_t clusterOffsetMask = (1u << clusterRankShift) - 1;
/// Shared memory starts here, as on the chip, so that 0 is no valid address.
constexpr uint32_t sharedStart = 1024;

struct Allocation {
  uint64_t begin = 0, end = 0;
  bool writable = true;
  bool owned = false;
  std::string name;
};

class Memory {
public:
  /// `limit` 0: only what the host gives.
  explicit Memory(uint64_t limit) : limit(limit) {}
  ~Memory();
  Memory(const Memory &) = delete;
  Memory &operator=(const Memory &) = delete;

  Result<uint64_t> allocate(uint64_t bytes, std::string_view name);
  Result<uint64_t> adopt(const void *host, uint64_t bytes,
                         std::string_view name);
  Error release(uint64_t address);
  uint64_t freeBytes() const;
  /// Changes whenever an allocation goes.
  uint64_t releaseCount() const { return releases; }

  /// The allocation that holds `address`, or null.
  const Allocation *find(uint64_t address) const;
  /// "12 bytes past the end of 'kv_pool'", for messages.
  std::string describe(uint64_t address) const;
  /// Success if [address, address+bytes) lies in one allocation.
  Error check(uint64_t address, uint64_t bytes, bool write,
              const char *what) const;

private:
  uint64_t limit;
  uint64_t used = 0;
  uint64_t releases = 0;
  std::map<uint64_t, Allocation> allocations; ///< by begin
};

} // namespace llrt::emu

#endif
