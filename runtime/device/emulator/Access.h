// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From a memory operand to 32 host addresses, checked.
//
// The check is one vector loop: `t = address - begin` has to lie in
// [0, bytes - size] for every active lane, which holds when neither t nor
// (bytes - size - t) is negative. For global memory [begin, bytes) is the
// allocation this instruction hit last (Worker::intervals); only when that
// fails are the allocations searched.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_ACCESS_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_ACCESS_H

#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"

namespace llrt::emu {

/// Host addresses of the active lanes; those of the others are unspecified.
struct Addresses {
  uint64_t at[32];
  /// Lane i accesses the bytes right behind lane i-1's; all 32 active.
  bool contiguous;
};

enum class AccessKind : uint8_t { Load, Store, Atomic };

/// Host address of [address, address+bytes) in the shared memory of the block
/// that a 32-bit shared::cluster address names; `owner`: that block. `what`
/// ("shared load") begins the fault's message.
char *sharedAt(const Inst *inst, Warp &warp, int lane, uint64_t address,
               uint64_t bytes, const char *what, Block *&owner);

/// The slow path: every lane by itself, or the fault.
void resolveEach(const Inst *inst, Warp &warp, uint32_t mask, Space space,
                 AccessKind kind, uint32_t size, const uint64_t *address,
                 Addresses &out);

/// Inst: base in op[0] (4- or 8-byte lanes: `A`), offset in imm.
template <Space SP, class A>
LLRT_INLINE void resolve(const Inst *inst, Warp &warp, uint32_t mask,
                         AccessKind kind, uint32_t size, Addresses &out);

/// resolve() for a space and an address width that only the Inst knows
/// (Inst::helper), so that ld and st need no instance for each.
using Resolver = void (*)(const Inst *, Warp &, uint32_t mask, AccessKind,
                          uint32_t size, Addresses &);
Resolver resolverOf(Space space, bool wideAddress);

template <Space SP, class A>
LLRT_INLINE void resolve(const Inst *inst, Warp &warp, uint32_t mask,
                         AccessKind kind, uint32_t size, Addresses &out) {
  const A *base = warp.in<A>(inst->op[0]);
  uint64_t address[32];
  if constexpr (sizeof(A) == 4) {
    // 32-bit addresses wrap.
    for (unsigned i = 0; i < 32; ++i)
      address[i] =
          static_cast<uint32_t>(base[i] + static_cast<uint32_t>(inst->imm));
  } else {
    for (unsigned i = 0; i < 32; ++i)
      address[i] = base[i] + static_cast<uint64_t>(inst->imm);
  }
  uint64_t begin = 0, bytes = 0, host = 0, stride = 0;
  if constexpr (SP == Space::Shared) {
    begin = sharedStart;
    bytes = warp.sharedBytes;
    host = reinterpret_cast<uint64_t>(warp.shared);
  } else if constexpr (SP == Space::Local) {
    begin = 0;
    bytes = warp.localBytes;
    host = reinterpret_cast<uint64_t>(warp.local);
    stride = warp.localBytes;
  } else {
    const Interval &interval = warp.worker->intervals[inst->aux];
    begin = interval.begin;
    bytes = interval.bytes;
    host = begin;
  }
  uint64_t limit = bytes - size;
  uint64_t first = address[0];
  uint64_t bad = 0, low = 0, apart = 0;
  if (__builtin_expect(mask == ~0u, 1)) {
    for (unsigned i = 0; i < 32; ++i) {
      uint64_t t = address[i] - begin;
      bad |= t | (limit - t);
      low |= address[i];
      apart |= (address[i] - first) ^ (static_cast<uint64_t>(i) * size);
      out.at[i] = t + host + stride * i;
    }
    out.contiguous = apart == 0 && SP != Space::Local;
  } else {
    for (unsigned i = 0; i < 32; ++i) {
      uint64_t t = address[i] - begin;
      uint64_t active = 0 - static_cast<uint64_t>(mask >> i & 1);
      bad |= (t | (limit - t)) & active;
      low |= address[i] & active;
      out.at[i] = t + host + stride * i;
    }
    out.contiguous = false;
  }
  bad |= limit; // an interval smaller than the access
  if (__builtin_expect(static_cast<int64_t>(bad) < 0 || (low & (size - 1)), 0))
    resolveEach(inst, warp, mask, SP, kind, size, address, out);
}

} // namespace llrt::emu

#endif
