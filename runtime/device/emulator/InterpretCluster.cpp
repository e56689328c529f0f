// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Addresses in a cluster's shared memory: mapa and getctarank.
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"

using namespace llrt::emu;

namespace {

/// The 32-bit shared::cluster address of one lane's operand.
template <class A>
uint32_t clusterAddress(const Inst *inst, Warp &warp, int lane, bool generic) {
  uint64_t address = warp.in<A>(inst->op[1])[lane];
  if (generic) {
    address -= sharedWindow;
    if (address >= windowBytes)
      fault(inst, lane, "the generic address is not in shared memory");
  }
  if (address >> 32)
    fault(inst, lane, "the address is not in shared memory");
  return static_cast<uint32_t>(address);
}

/// op[0]: d, op[1]: a, op[2]: rank; aux bit 0: generic addresses.
template <class A>
const Inst *runMapa(const Inst *inst, Warp &warp, uint32_t mask) {
  A r[32] = {};
  size_t blocks = warp.block->cluster->blocks.size();
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint32_t rank = warp.in<uint32_t>(inst->op[2])[lane];
    if (rank >= blocks)
      fault(inst, lane,
            "rank " + std::to_string(rank) + " in a cluster of " +
                std::to_string(blocks) + " blocks");
    uint32_t at = clusterAddress<A>(inst, warp, lane, inst->aux);
    r[lane] = static_cast<A>((at & clusterOffsetMask) |
                             (rank + 1) << clusterRankShift) +
              static_cast<A>(inst->aux ? sharedWindow : 0);
  }
  put(warp.out<A>(inst->op[0]), r, mask);
  return inst + 1;
}

template <class A>
const Inst *runRankOf(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t r[32] = {};
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint32_t rank =
        clusterAddress<A>(inst, warp, lane, inst->aux) >> clusterRankShift;
    r[lane] = rank ? rank - 1 : warp.block->rank;
  }
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

template <bool Mapa> void decodeClusterAddress(Decoding &d) {
  bool generic = !d.take("shared::cluster");
  Type type = d.takeType();
  if ((type != Type::U32 && type != Type::U64) ||
      (generic && type != Type::U64))
    d.unsupported();
  d.expectOperands(2u + Mapa, 2u + Mapa);
  bool wide = type == Type::U64;
  if (Mapa)
    d.emit(wide ? runMapa<uint64_t> : runMapa<uint32_t>);
  else
    d.emit(wide ? runRankOf<uint64_t> : runRankOf<uint32_t>);
  d.inst().aux = generic;
  d.def(0, d.operand(0), Mapa ? bitsOf(type) : 32);
  d.use(1, d.operand(1), type);
  if (Mapa)
    d.use(2, d.operand(2), Type::U32);
}

} // namespace

void llrt::emu::addClusterInstructions(InstructionTable &table) {
  table["mapa"] = decodeClusterAddress<true>;
  table["getctarank"] = decodeClusterAddress<false>;
}
