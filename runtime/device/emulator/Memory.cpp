// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Device memory: the table of allocations.
#include "runtime/device/emulator/Memory.h"

#include <cstdio>
#include <sys/mman.h>
#include <unistd.h>

using namespace llrt;
using namespace llrt::emu;

/// What is mapped for an allocation: behind it lies room that belongs to none,
/// so that running past an end does not lead into a neighbour.
static uint64_t mappedBytes(uint64_t bytes) {
  constexpr uint64_t gap = 64 << 10;
  return ((bytes + 4095) & ~uint64_t(4095)) + gap;
}

Memory::~Memory() {
  for (auto &[begin, allocation] : allocations)
    if (allocation.owned)
      munmap(reinterpret_cast<void *>(begin),
             mappedBytes(allocation.end - begin));
}

uint64_t Memory::freeBytes() const {
  uint64_t host = static_cast<uint64_t>(sysconf(_SC_AVPHYS_PAGES)) *
                  static_cast<uint64_t>(sysconf(_SC_PAGESIZE));
  if (!limit)
    return host;
  return limit > used ? limit - used : 0;
}

Result<uint64_t> Memory::allocate(uint64_t bytes, std::string_view name) {
  if (bytes == 0)
    return Error("emulator: allocation of 0 bytes for '" + std::string(name) +
                 "'");
  if (bytes > uint64_t(1) << 46 || (limit && bytes > freeBytes()))
    return Error("emulator: out of memory: '" + std::string(name) + "' needs " +
                 std::to_string(bytes) + " bytes, " +
                 std::to_string(freeBytes()) + " are free");
  // Pages come zeroed and are only taken when touched; mmap aligns to 4096.
  void *at = mmap(nullptr, mappedBytes(bytes), PROT_READ | PROT_WRITE,
                  MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
  if (at == MAP_FAILED)
    return Error("emulator: out of memory: '" + std::string(name) + "' needs " +
                 std::to_string(bytes) + " bytes");
  Allocation allocation;
  allocation.begin = reinterpret_cast<uint64_t>(at);
  allocation.end = allocation.begin + bytes;
  allocation.owned = true;
  allocation.name = std::string(name);
  used += bytes;
  uint64_t begin = allocation.begin;
  allocations.emplace(begin, std::move(allocation));
  return begin;
}

Result<uint64_t> Memory::adopt(const void *host, uint64_t bytes,
                               std::string_view name) {
  if (bytes == 0)
    return Error("emulator: allocation of 0 bytes for '" + std::string(name) +
                 "'");
  Allocation allocation;
  allocation.begin = reinterpret_cast<uint64_t>(host);
  allocation.end = allocation.begin + bytes;
  allocation.writable = false;
  allocation.name = std::string(name);
  auto after = allocations.lower_bound(allocation.begin);
  bool overlaps = after != allocations.end() && after->first < allocation.end;
  if (after != allocations.begin() &&
      std::prev(after)->second.end > allocation.begin)
    overlaps = true;
  if (overlaps)
    return Error("emulator: '" + allocation.name +
                 "' overlaps memory that is already on the device");
  uint64_t begin = allocation.begin;
  allocations.emplace(begin, std::move(allocation));
  return begin;
}

Error Memory::release(uint64_t address) {
  auto found = allocations.find(address);
  if (found == allocations.end())
    return Error(
        "emulator: release of an address that allocate() did not give");
  if (found->second.owned) {
    used -= found->second.end - found->second.begin;
    munmap(reinterpret_cast<void *>(address),
           mappedBytes(found->second.end - found->second.begin));
  }
  allocations.erase(found);
  ++releases;
  return Error::success();
}

const Allocation *Memory::find(uint64_t address) const {
  auto after = allocations.upper_bound(address);
  if (after == allocations.begin())
    return nullptr;
  const Allocation &allocation = std::prev(after)->second;
  return address < allocation.end ? &allocation : nullptr;
}

std::string Memory::describe(uint64_t address) const {
  char number[32];
  std::snprintf(number, sizeof number, "0x%llx",
                static_cast<unsigned long long>(address));
  if (address < 4096)
    return std::string(number) + ", near null";
  if (const Allocation *inside = find(address))
    return std::string(number) + ", byte " +
           std::to_string(address - inside->begin) + " of '" + inside->name +
           "' (" + std::to_string(inside->end - inside->begin) + " bytes)";
  auto after = allocations.upper_bound(address);
  uint64_t before = ~uint64_t(0), ahead = ~uint64_t(0);
  if (after != allocations.begin())
    before = address - std::prev(after)->second.end;
  if (after != allocations.end())
    ahead = after->first - address;
  if (before <= ahead && before < uint64_t(1) << 32)
    return std::string(number) + ", " + std::to_string(before) +
           " bytes past the end of '" + std::prev(after)->second.name + "'";
  if (ahead < uint64_t(1) << 32)
    return std::string(number) + ", " + std::to_string(ahead) +
           " bytes before '" + after->second.name + "'";
  return std::string(number) + ", far from every allocation";
}

Error Memory::check(uint64_t address, uint64_t bytes, bool write,
                    const char *what) const {
  const Allocation *allocation = find(address);
  if (!allocation)
    return Error(std::string("emulator: ") + what + " at " + describe(address));
  if (bytes > allocation->end - address)
    return Error(std::string("emulator: ") + what + " of " +
                 std::to_string(bytes) + " bytes at " + describe(address) +
                 " runs past its end");
  if (write && !allocation->writable)
    return Error(std::string("emulator: ") + what + " into the constant '" +
                 allocation->name + "'");
  return Error::success();
}
