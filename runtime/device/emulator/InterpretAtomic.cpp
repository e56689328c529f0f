// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// atom and red. Lanes act one after the other, each with a real atomic
// operation, because blocks run on several host threads.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/FloatValue.h"

using namespace llrt::emu;

namespace {

enum class Atomic : uint8_t { Add, Min, Max, And, Or, Xor, Exchange, CompareAndSwap, Increment, Decrement };

template <Atomic Operation, class T> struct Update {
  static T apply(T old, T b, T c) {
    switch (Operation) {
    case Atomic::Add:
      if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Brain>)
        return fromFloat<T>(toFloat(old) + toFloat(b));
      else if constexpr (std::is_same_v<T, float>)
        return canonical(old + b);
      else if constexpr (std::is_integral_v<T>)
        return static_cast<T>(static_cast<std::make_unsigned_t<T>>(old) + static_cast<std::make_unsigned_t<T>>(b));
      else
        return old + b;
    default:
      break;
    }
    if constexpr (std::is_integral_v<T>) {
      switch (Operation) {
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
    uint16_t low = One::apply(T{static_cast<uint16_t>(old)}, T{static_cast<uint16_t>(b)}, T{}).bits;
    uint16_t high = One::apply(T{static_cast<uint16_t>(old >> 16)}, T{static_cast<uint16_t>(b >> 16)}, T{}).bits;
    return static_cast<uint32_t>(high) << 16 | low;
  }
};

/// F(old, b, c) on a word of sizeof(T) bytes; returns the old value's bits.
template <class F, class T> LLRT_INLINE Lane<T> update(uint64_t at, Lane<T> b, Lane<T> c) {
  using Word = std::conditional_t<sizeof(T) == 2, uint16_t, Lane<T>>;
  auto *word = reinterpret_cast<Word *>(at);
  Word old = __atomic_load_n(word, __ATOMIC_RELAXED), next;
  do {
    next = static_cast<Word>(toLane<T>(F::apply(fromLane<T>(static_cast<Lane<T>>(old)), fromLane<T>(b), fromLane<T>(c))));
  } while (!__atomic_compare_exchange_n(word, &old, next, false, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST));
  return old;
}

/// op[0]: address, op[1]: b, op[2]: c, op[3]: d (unless aux of Result is off).
template <class F, class T, Space SP, class A, bool Result>
const Inst *runAtomic(const Inst *inst, Warp &warp, uint32_t mask) {
  Addresses address;
  resolve<SP, A>(inst, warp, mask, AccessKind::Atomic, sizeof(T), address);
  const Lane<T> *b = warp.in<Lane<T>>(inst->op[1]);
  const Lane<T> *c = warp.in<Lane<T>>(inst->op[2]);
  Lane<T> r[32] = {};
  bool changed = false;
  for (unsigned i = 0; i < 32; ++i)
    if (mask >> i & 1) {
      r[i] = update<F, T>(address.at[i], b[i], c[i]);
      changed |= toLane<T>(F::apply(fromLane<T>(r[i]), fromLane<T>(b[i]), fromLane<T>(c[i]))) != r[i];
    }
  if (Result)
    put(warp.out<Lane<T>>(inst->op[3]), r, mask);
  // A compare-and-swap that fails, again and again, is a poll.
  if (changed)
    warp.block->effects += 1;
  countPoll(warp);
  return inst + 1;
}

struct Shape {
  Space space;
  bool wideAddress;
  bool result;
};

template <class F, class T> Handler handlerOf(const Shape &s) {
  if (s.space == Space::Shared && !s.wideAddress)
    return s.result ? runAtomic<F, T, Space::Shared, uint32_t, true> : runAtomic<F, T, Space::Shared, uint32_t, false>;
  if (s.space == Space::Shared)
    return s.result ? runAtomic<F, T, Space::Shared, uint64_t, true> : runAtomic<F, T, Space::Shared, uint64_t, false>;
  return s.result ? runAtomic<F, T, Space::Generic, uint64_t, true> : runAtomic<F, T, Space::Generic, uint64_t, false>;
}

template <Atomic Operation> Handler ofType(Type type, const Shape &s) {
  constexpr bool adds = Operation == Atomic::Add;
  switch (type) {
  case Type::U32:
  case Type::B32:
    return handlerOf<Update<Operation, uint32_t>, uint32_t>(s);
  case Type::U64:
  case Type::B64:
    return handlerOf<Update<Operation, uint64_t>, uint64_t>(s);
  case Type::S32:
    return handlerOf<Update<Operation, int32_t>, int32_t>(s);
  case Type::S64:
    return handlerOf<Update<Operation, int64_t>, int64_t>(s);
  case Type::B16:
    return Operation == Atomic::CompareAndSwap ? handlerOf<Update<Operation, uint16_t>, uint16_t>(s) : nullptr;
  case Type::F32:
    return adds ? handlerOf<Update<Atomic::Add, float>, float>(s) : nullptr;
  case Type::F64:
    return adds ? handlerOf<Update<Atomic::Add, double>, double>(s) : nullptr;
  case Type::F16:
    return adds ? handlerOf<Update<Atomic::Add, Half>, Half>(s) : nullptr;
  case Type::BF16:
    return adds ? handlerOf<Update<Atomic::Add, Brain>, Brain>(s) : nullptr;
  case Type::F16x2:
    return adds ? handlerOf<AddPair<Half>, uint32_t>(s) : nullptr;
  case Type::BF16x2:
    return adds ? handlerOf<AddPair<Brain>, uint32_t>(s) : nullptr;
  default:
    return nullptr;
  }
}

template <bool Result> void decodeAtomic(Decoding &d) {
  d.takeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  Shape shape{d.takeSpace(), true, Result};
  std::string_view operation = d.takeOneOf({"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  d.take("noftz");
  d.take("L2::cache_hint");
  Type type = d.takeType();
  size_t first = Result ? 1 : 0;
  bool swaps = operation == "cas";
  d.expectOperands(first + 2 + swaps, first + 2 + swaps);
  const Operand &memory = d.operand(first);
  shape.wideAddress = !(memory.kind == Operand::Memory && memory.elements[0].kind == Operand::Register &&
                        d.registerBits(memory.elements[0]) == 32);
  Handler handler = operation == "add"    ? ofType<Atomic::Add>(type, shape)
                    : operation == "min"  ? ofType<Atomic::Min>(type, shape)
                    : operation == "max"  ? ofType<Atomic::Max>(type, shape)
                    : operation == "and"  ? ofType<Atomic::And>(type, shape)
                    : operation == "or"   ? ofType<Atomic::Or>(type, shape)
                    : operation == "xor"  ? ofType<Atomic::Xor>(type, shape)
                    : operation == "exch" ? ofType<Atomic::Exchange>(type, shape)
                    : operation == "cas"  ? ofType<Atomic::CompareAndSwap>(type, shape)
                    : operation == "inc"  ? ofType<Atomic::Increment>(type, shape)
                    : operation == "dec"  ? ofType<Atomic::Decrement>(type, shape)
                                          : Handler(nullptr);
  d.emit(handler);
  d.address(0, memory, shape.space);
  if (shape.space != Space::Shared)
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
