// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Exchanges within a warp: shfl vote match redux activemask elect.
#include "runtime/device/emulator/Control.h"
#include "runtime/device/emulator/Decoding.h"
#include "runtime/device/emulator/Lanes.h"

using namespace llrt::emu;

namespace {

enum class Shuffle : uint8_t { Up, Down, Butterfly, Index };

/// The lanes named by the member mask in `slot`, once all of them are here.
bool membersCame(const Inst *inst, Warp &warp, uint32_t mask, unsigned slot) {
  uint32_t members = warp.in<uint32_t>(inst->op[slot])[__builtin_ctz(mask)];
  return converged(inst, warp, mask, members);
}

/// op[0]: d, op[1]: a, op[2]: b, op[3]: c, op[4]: members, op[5]: p (aux bit
/// 0).
template <Shuffle Mode>
const Inst *runShuffle(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!membersCame(inst, warp, mask, 4))
    return nullptr;
  uint32_t a[32], r[32], from[32], valid = 0;
  std::memcpy(a, warp.in<uint32_t>(inst->op[1]), sizeof a);
  const uint32_t *b = warp.in<uint32_t>(inst->op[2]);
  const uint32_t *c = warp.in<uint32_t>(inst->op[3]);
  for (uint32_t i = 0; i < 32; ++i) {
    uint32_t by = b[i] & 31, clamp = c[i] & 31, segment = c[i] >> 8 & 31;
    uint32_t last = (i & segment) | (clamp & ~segment), first = i & segment;
    uint32_t j = Mode == Shuffle::Up          ? i - by
                 : Mode == Shuffle::Down      ? i + by
                 : Mode == Shuffle::Butterfly ? i ^ by
                                              : first | (by & ~segment);
    bool inside = Mode == Shuffle::Up
                      ? static_cast<int32_t>(j) >= static_cast<int32_t>(last)
                      : j <= last;
    from[i] = (inside ? j : i) & 31;
    valid |= static_cast<uint32_t>(inside) << i;
  }
  for (uint32_t i = 0; i < 32; ++i)
    r[i] = a[from[i]];
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  if (inst->aux & 1)
    putPredicate(warp, inst->op[5], valid, mask);
  return inst + 1;
}

void decodeShuffle(Decoding &d) {
  d.take("sync");
  Handler handler = d.take("up")     ? runShuffle<Shuffle::Up>
                    : d.take("down") ? runShuffle<Shuffle::Down>
                    : d.take("bfly") ? runShuffle<Shuffle::Butterfly>
                    : d.take("idx")  ? runShuffle<Shuffle::Index>
                                     : Handler(nullptr);
  if (d.takeType() != Type::B32)
    d.unsupported();
  d.expectOperands(5, 5);
  d.mayStop();
  d.emit(handler);
  const Operand &to = d.operand(0);
  bool two = to.kind == Operand::Pair;
  d.def(0, two ? to.elements[0] : to, 32);
  for (unsigned i = 1; i <= 4; ++i)
    d.use(i, d.operand(i), Type::B32);
  if (two) {
    d.inst().aux = 1;
    d.defPredicate(5, to.elements[1]);
  }
}

enum class Vote : uint8_t { All, Any, Uniform, Ballot };

/// op[0]: result, op[1]: predicate (aux bit 0: negated), op[2]: members.
template <Vote Mode>
const Inst *runVote(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!membersCame(inst, warp, mask, 2))
    return nullptr;
  uint32_t value =
      (warp.predicates[inst->op[1]] ^ (inst->aux & 1 ? ~0u : 0)) & mask;
  if (Mode == Vote::Ballot) {
    uint32_t r[32];
    for (uint32_t &lane : r)
      lane = value;
    put(warp.out<uint32_t>(inst->op[0]), r, mask);
    return inst + 1;
  }
  bool result = Mode == Vote::All   ? value == mask
                : Mode == Vote::Any ? value != 0
                                    : value == mask || value == 0;
  putPredicate(warp, inst->op[0], result ? ~0u : 0, mask);
  return inst + 1;
}

void decodeVote(Decoding &d) {
  d.take("sync");
  bool ballot = d.take("ballot");
  Handler handler = ballot          ? runVote<Vote::Ballot>
                    : d.take("all") ? runVote<Vote::All>
                    : d.take("any") ? runVote<Vote::Any>
                    : d.take("uni") ? runVote<Vote::Uniform>
                                    : Handler(nullptr);
  if (d.takeType() != (ballot ? Type::B32 : Type::Pred))
    d.unsupported();
  d.expectOperands(3, 3);
  d.mayStop();
  d.emit(handler);
  ballot ? d.def(0, d.operand(0), 32) : d.defPredicate(0, d.operand(0));
  d.inst().aux = d.operand(1).negated;
  d.usePredicate(1, d.operand(1));
  d.use(2, d.operand(2), Type::B32);
}

/// op[0]: d, op[1]: a, op[2]: members, op[3]: p (aux bit 0).
template <class S, bool All>
const Inst *runMatch(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!membersCame(inst, warp, mask, 2))
    return nullptr;
  const S *a = warp.in<S>(inst->op[1]);
  uint32_t r[32] = {}, holds = 0;
  for (unsigned i = 0; i < 32; ++i) {
    if (!(mask >> i & 1))
      continue;
    uint32_t same = 0;
    for (unsigned j = 0; j < 32; ++j)
      same |= static_cast<uint32_t>((mask >> j & 1) && a[j] == a[i]) << j;
    r[i] = All ? (same == mask ? mask : 0) : same;
    holds |= static_cast<uint32_t>(same == mask) << i;
  }
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  if (inst->aux & 1)
    putPredicate(warp, inst->op[3], holds, mask);
  return inst + 1;
}

void decodeMatch(Decoding &d) {
  d.take("sync");
  bool all = d.take("all");
  if (!all && !d.take("any"))
    d.unsupported();
  Type type = d.takeType();
  d.expectOperands(3, 3);
  d.mayStop();
  if (type != Type::B32 && type != Type::B64)
    d.unsupported();
  d.emit(type == Type::B32
             ? (all ? runMatch<uint32_t, true> : runMatch<uint32_t, false>)
             : (all ? runMatch<uint64_t, true> : runMatch<uint64_t, false>));
  const Operand &to = d.operand(0);
  bool two = to.kind == Operand::Pair;
  d.def(0, two ? to.elements[0] : to, 32);
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), Type::B32);
  if (two) {
    d.inst().aux = 1;
    d.defPredicate(3, to.elements[1]);
  }
}

struct Sum {
  template <class T> static T apply(T a, T b) { return a + b; }
};
struct Least {
  template <class T> static T apply(T a, T b) { return a < b ? a : b; }
};
struct Greatest {
  template <class T> static T apply(T a, T b) { return a > b ? a : b; }
};
struct And {
  template <class T> static T apply(T a, T b) { return a & b; }
};
struct Or {
  template <class T> static T apply(T a, T b) { return a | b; }
};
struct Xor {
  template <class T> static T apply(T a, T b) { return a ^ b; }
};

template <class F, class T>
const Inst *runRedux(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!membersCame(inst, warp, mask, 2))
    return nullptr;
  const uint32_t *a = warp.in<uint32_t>(inst->op[1]);
  unsigned first = static_cast<unsigned>(__builtin_ctz(mask));
  uint32_t result = a[first];
  for (unsigned i = first + 1; i < 32; ++i)
    if (mask >> i & 1)
      result = static_cast<uint32_t>(
          F::template apply<T>(static_cast<T>(result), static_cast<T>(a[i])));
  uint32_t r[32];
  for (uint32_t &lane : r)
    lane = result;
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

void decodeRedux(Decoding &d) {
  d.take("sync");
  std::string_view operation =
      d.takeOneOf({"add", "min", "max", "and", "or", "xor"});
  Type type = d.takeType();
  bool isSignedType = type == Type::S32, isUnsigned = type == Type::U32,
       isBits = type == Type::B32;
  Handler handler = nullptr;
  if (operation == "add" && (isSignedType || isUnsigned))
    handler = runRedux<Sum, uint32_t>;
  else if (operation == "min")
    handler = isSignedType ? runRedux<Least, int32_t>
              : isUnsigned ? runRedux<Least, uint32_t>
                           : nullptr;
  else if (operation == "max")
    handler = isSignedType ? runRedux<Greatest, int32_t>
              : isUnsigned ? runRedux<Greatest, uint32_t>
                           : nullptr;
  else if (operation == "and" && isBits)
    handler = runRedux<And, uint32_t>;
  else if (operation == "or" && isBits)
    handler = runRedux<Or, uint32_t>;
  else if (operation == "xor" && isBits)
    handler = runRedux<Xor, uint32_t>;
  d.expectOperands(3, 3);
  d.mayStop();
  d.emit(handler);
  d.def(0, d.operand(0), 32);
  d.use(1, d.operand(1), type);
  d.use(2, d.operand(2), Type::B32);
}

const Inst *runActiveMask(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t r[32];
  for (uint32_t &lane : r)
    lane = mask;
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  return inst + 1;
}

void decodeActiveMask(Decoding &d) {
  if (d.takeType() != Type::B32)
    d.unsupported();
  d.expectOperands(1, 1);
  d.emit(runActiveMask);
  d.def(0, d.operand(0), 32);
}

/// The lowest lane leads.
const Inst *runElect(const Inst *inst, Warp &warp, uint32_t mask) {
  if (!membersCame(inst, warp, mask, 2))
    return nullptr;
  uint32_t leader = static_cast<uint32_t>(__builtin_ctz(mask));
  uint32_t r[32];
  for (uint32_t &lane : r)
    lane = leader;
  put(warp.out<uint32_t>(inst->op[0]), r, mask);
  putPredicate(warp, inst->op[1], 1u << leader, mask);
  return inst + 1;
}

void decodeElect(Decoding &d) {
  d.take("sync");
  d.expectOperands(2, 2);
  if (d.operand(0).kind != Operand::Pair)
    d.fail("elect gives a register and a predicate");
  d.mayStop();
  d.emit(runElect);
  d.def(0, d.operand(0).elements[0], 32);
  d.defPredicate(1, d.operand(0).elements[1]);
  d.use(2, d.operand(1), Type::B32);
}

} // namespace

void llrt::emu::addWarpInstructions(InstructionTable &table) {
  table["shfl"] = decodeShuffle;
  table["vote"] = decodeVote;
  table["match"] = decodeMatch;
  table["redux"] = decodeRedux;
  table["activemask"] = decodeActiveMask;
  table["elect"] = decodeElect;
}
