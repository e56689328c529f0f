// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Use of uninitialised memory, by use and not by copy.
//
// A load of bytes that nobody wrote taints the register, byte by byte and lane
// by lane. What becomes of the taint depends on the instruction:
//
//   copies      mov, selp, shfl, prmt, packing, integer conversions of width,
//               and, or, xor, shifts, bit fields: the bytes keep their taint.
//               A known zero byte of an `and` and a known all-ones byte of an
//               `or` stop it, so a masked-out padding is harmless.
//   arithmetic  everything else, comparisons included: the result is tainted as
//               a whole, and marked as computed, with the line that did it.
//               mma is exact to rows and columns.
//   stores      to shared and local memory keep the taint with the bytes; so do
//               stores of copied bytes to global memory.
//
// Reported is what decides something: a branch or guard, an address, an operand
// of an atomic operation, a computed value that is stored to global memory. The
// report stands at the line that first computed with the bytes. Compilers load
// padding, compute on it and select the result away; none of that is reported.
//
// Registers that no uninitialised byte can reach (found when the kernel is
// decoded) cost nothing, and others little while none of a warp's is tainted.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_TAINT_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_CHECK_TAINT_H

#include "runtime/device/emulator/Observer.h"

namespace llrt::emu {

enum class TaintRule : uint8_t {
  None, ///< not watched
  Copy,
  Pack,
  Unpack,
  Select,
  Shuffle,
  Permute,
  And,
  Or,
  Merge, ///< the bytes' union
  ShiftLeft,
  ShiftRight,
  Extract, ///< bfe
  Widen,   ///< cvt between integers
  PredicateCopy,
  PredicateAnd,
  PredicateOr,
  Compute,
  Together, ///< vote, match, redux: of all lanes
  Product,  ///< mma
  Clear,    ///< wgmma, mma of other types: what they give counts as written
  Branch,
  Access
};

/// What a kernel's instructions do with taint.
struct TaintPlan {
  struct Step {
    TaintRule rule = TaintRule::None;
    /// Those that can be tainted.
    std::vector<Note::Register> uses, defs;
  };
  std::vector<Step> steps; ///< by Inst
  uint32_t registerBytes = 0, predicates = 0;
  /// Registers of wgmma: an instruction beside it that touches one.
  std::vector<char> touchesWgmma; ///< by Inst

  explicit TaintPlan(const Program &program);
};

/// The tainted registers of a warp.
class WarpTaint {
public:
  void reset(uint32_t registerBytes, uint32_t predicates);
  bool any() const { return tainted != 0; }

  /// Taint of a register: a bit per byte, a word per lane.
  const uint8_t *bytes(const Note::Register &reg) const {
    return lanes.data() + reg.place / 4;
  }
  bool isTainted(const Note::Register &reg) const {
    return reg.bits == 1 ? predicate[reg.place] != 0 : flag[reg.place / 128];
  }
  uint32_t predicateLanes(uint32_t index) const { return predicate[index]; }
  uint32_t computedLanes(const Note::Register &reg) const {
    return reg.bits == 1 ? predicate[reg.place] : computed[reg.place / 128];
  }
  uint32_t origin(const Note::Register &reg) const {
    return reg.bits == 1 ? predicateOrigin[reg.place]
                         : originLine[reg.place / 128];
  }
  /// Lanes of `mask` whose register is tainted.
  uint32_t taintedLanes(const Note::Register &reg, uint32_t mask) const;

  /// Sets the lanes of `mask`; `isComputed`: of these lanes.
  void set(const Note::Register &reg, const uint8_t *taint, uint32_t mask,
           uint32_t isComputed, uint32_t line);
  void setPredicate(const Note::Register &reg, uint32_t taint, uint32_t mask,
                    uint32_t line);
  void clear(const Note::Register &reg, uint32_t mask);

private:
  std::vector<uint8_t> lanes;     ///< 32 for every 128 bytes of registers
  std::vector<uint32_t> computed; ///< lanes, by 128 bytes of registers
  std::vector<uint32_t> originLine;
  std::vector<char> flag;
  std::vector<uint32_t> predicate, predicateOrigin;
  uint32_t tainted = 0; ///< registers and predicates
};

/// What an Inst does to the taint of its registers; memory is not its business.
void propagate(const TaintPlan::Step &step, const Inst *inst, const Note &note,
               const Warp &warp, uint32_t mask, WarpTaint &taint);

} // namespace llrt::emu

#endif
