// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// atom and red. Lanes act one after the other, each with a real atomic
// operation, because blocks run on several host threads.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/FloatValue.h"

using namespace llrt::emu;

namespace {

enum class Atomic : uint8_t {
  Add,
  Min,
  Max,
  And,
  Or,
  Xor,
  Exchange,
  CompareAndSwap,
  Increment,
  Decrement
};

template <Atomic Kind, class T> struct Update {
  static T apply(T old, T b, T c) {
    switch (Kind) {
    case Atomic::Add:
      if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Brain>)
        return fromFloat<T>(toFloat(old) + toFloat(b));
      else if constexpr (std::is_same_v<T, float>)
        return canonical(old + b);
      else if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(old) +
                              static_cast<std::make_unsigned_t<T>>(b));
      else
        return old + b;
    default:
      break;
    }
    if constexpr (std::is_integral_v<T>) {
      switch (Kind) {
      case Atomic::Min:
        return b < old ? b : old;
      case Atomic::Max:
        return b > old ? b : old;
      case Atomic::And:
        return old & b;
      case Atomic::Or:
        return old | b;
      case Atomic::Xor:
        return old ^ b;
      case Atomic::Exchange:
        return b;
      case Atomic::CompareAndSwap:
        return old == b ? c : old;
      case Atomic::Increment:
        return old >= b ? 0 : old + 1;
      case Atomic::Decrement:
        return old == 0 || old > b ? b : old - 1;
      default:
        break;
      }
    }
    return old;
  }
};

/// Two 16-bit floats that are added as one word.
template <class T> struct AddPair {
  static uint32_t apply(uint32_t old, uint32_t b, uint32_t) {
    using One = Update<Atomic::Add, T>;
    uint16_t low = One::apply(T{static_cast<uint16_t>(old)},
                              T{static_cast<uint16_t>(b)}, T{})
                       .bits;
    uint16_t high = One::apply(T{static_cast<uint16_t>(old >> 16)},
                               T{static_cast<uint16_t>(b >> 16)}, T{})
                        .bits;
    return static_cast<uint32_t>(high) << 16 | low;
  }
};

/// F(old, b, c) on a word of sizeof(T) bytes: one lane. Sets `changed` and
/// returns the old value's bits.
using Scalar = uint64_t (*)(uint64_t at, uint64_t b, uint64_t c, bool &changed);
template <class F, class T>
uint64_t update(uint64_t at, uint64_t b, uint64_t c, bool &changed) {
  using Word = std::conditional_t<sizeof(T) == 2, uint16_t, Lane<T>>;
  auto *word = reinterpret_cast<Word *>(at);
  Word old = __atomic_load_n(word, __ATOMIC_RELAXED), next;
  do {
    next = static_cast<Word>(
        toLane<T>(F::apply(fromLane<T>(static_cast<Lane<T>>(old)),
                           fromLane<T>(b), fromLane<T>(c))));
  } while (!__atomic_compare_exchange_n(word, &old, next, false,
                                        __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  changed |= next != old;
  return old;
}

struct Operation {
  Scalar one = nullptr;
  unsigned bytes = 0;
};
template <class F, class T> Operation operationOf() {
  return {update<F, T>, sizeof(T)};
}

/// op[0]: address, op[1]: b, op[2]: c, op[3]: d (with Result); op[6], op[7]:
/// the Scalar; op[5]: bytes.
template <Space SP, class A, class S, bool Result>
const Inst *runAtomic(const Inst *inst, Warp &warp, uint32_t mask) {
  Addresses address;
  resolve<SP, A>(inst, warp, mask, AccessKind::Atomic, inst->op[5], address);
  Scalar one =
      reinterpret_cast<Scalar>(uint64_t(inst->op[7]) << 32 | inst->op[6]);
  const S *b = warp.in<S>(inst->op[1]);
  const S *c = warp.in<S>(inst->op[2]);
  S r[32] = {};
  bool changed = false;
  for (unsigned i = 0; i < 32; ++i)
    if (mask >> i & 1)
      r[i] = static_cast<S>(one(address.at[i], b[i], c[i], changed));
  if (Result)
    put(warp.out<S>(inst->op[3]), r, mask);
  // A compare-and-swap that fails, again and again, is a poll.
  if (changed)
    warp.block->effects += 1;
  int first = __builtin_ctz(mask);
  uint64_t hash = 0;
  for (unsigned i = 0; i < 32; ++i)
    hash += mask >> i & 1 ? pollHash(address.at[i], r[i]) : 0;
  notePoll(inst, warp, address.at[first], r[first], hash);
  return inst + 1;
}

template <Space SP, class A, bool Result> Handler handlerOf(bool wide) {
  return wide ? runAtomic<SP, A, uint64_t, Result>
              : runAtomic<SP, A, uint32_t, Result>;
}
template <bool Result>
Handler handlerOf(Space space, bool wideAddress, bool wide) {
  if (space != Space::Shared)
    return handlerOf<Space::Generic, uint64_t, Result>(wide);
  return wideAddress ? handlerOf<Space::Shared, uint64_t, Result>(wide)
                     : handlerOf<Space::Shared, uint32_t, Result>(wide);
}

template <Atomic Kind> Operation ofType(Type type) {
  constexpr bool adds = Kind == Atomic::Add;
  switch (type) {
  case Type::U32:
  case Type::B32:
    return operationOf<Update<Kind, uint32_t>, uint32_t>();
  case Type::U64:
  case Type::B64:
    return operationOf<Update<Kind, uint64_t>, uint64_t>();
  case Type::S32:
    return operationOf<Update<Kind, int32_t>, int32_t>();
  case Type::S64:
    return operationOf<Update<Kind, int64_t>, int64_t>();
  case Type::B16:
    return Kind == Atomic::CompareAndSwap
               ? operationOf<Update<Kind, uint16_t>, uint16_t>()
               : Operation();
  case Type::F32:
    return adds ? operationOf<Update<Atomic::Add, float>, float>()
                : Operation();
  case Type::F64:
    return adds ? operationOf<Update<Atomic::Add, double>, double>()
                : Operation();
  case Type::F16:
    return adds ? operationOf<Update<Atomic::Add, Half>, Half>() : Operation();
  case Type::BF16:
    return adds ? operationOf<Update<Atomic::Add, Brain>, Brain>()
                : Operation();
  case Type::F16x2:
    return adds ? operationOf<AddPair<Half>, uint32_t>() : Operation();
  case Type::BF16x2:
    return adds ? operationOf<AddPair<Brain>, uint32_t>() : Operation();
  default:
    return {};
  }
}

template <bool Result> void decodeAtomic(Decoding &d) {
  d.takeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  Space space = d.takeSpace();
  std::string_view operation = d.takeOneOf(
      {"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  d.take("noftz");
  d.take("L2::cache_hint");
  Type type = d.takeType();
  size_t first = Result ? 1 : 0;
  bool swaps = operation == "cas";
  d.expectOperands(first + 2 + swaps, first + 2 + swaps);
  const Operand &memory = d.operand(first);
  bool wideAddress = !(memory.kind == Operand::Memory &&
                       memory.elements[0].kind == Operand::Register &&
                       d.registerBits(memory.elements[0]) == 32);
  Operation found = operation == "add"    ? ofType<Atomic::Add>(type)
                    : operation == "min"  ? ofType<Atomic::Min>(type)
                    : operation == "max"  ? ofType<Atomic::Max>(type)
                    : operation == "and"  ? ofType<Atomic::And>(type)
                    : operation == "or"   ? ofType<Atomic::Or>(type)
                    : operation == "xor"  ? ofType<Atomic::Xor>(type)
                    : operation == "exch" ? ofType<Atomic::Exchange>(type)
                    : operation == "cas"  ? ofType<Atomic::CompareAndSwap>(type)
                    : operation == "inc"  ? ofType<Atomic::Increment>(type)
                    : operation == "dec"  ? ofType<Atomic::Decrement>(type)
                                          : Operation();
  d.emit(found.one ? handlerOf<Result>(space, wideAddress, found.bytes == 8)
                   : nullptr);
  d.inst().op[5] = found.bytes;
  d.inst().op[6] = static_cast<uint32_t>(reinterpret_cast<uint64_t>(found.one));
  d.inst().op[7] =
      static_cast<uint32_t>(reinterpret_cast<uint64_t>(found.one) >> 32);
  d.address(0, memory, space);
  if (space != Space::Shared)
    d.cachedInterval();
  d.use(1, d.operand(first + 1), type);
  if (swaps)
    d.use(2, d.operand(first + 2), type);
  else
    d.constantLanes(2, 0, 64);
  if (Result)
    d.def(3, d.operand(0), bitsOf(type));
}

} // namespace

void llrt::emu::addAtomicInstructions(InstructionTable &table) {
  table["atom"] = decodeAtomic<true>;
  table["red"] = decodeAtomic<false>;
}
