// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// atom and red. Lanes act one after the other, each with a real atomic
// operation, because blocks run on several host threads.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/Atomic.h"
#include "runtime/device/emulator/CopyAddress.h"
#include "runtime/device/emulator/FloatHandlers.h"

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
    if constexpr (std::is_same_v<T, Half> || std::is_same_v<T, Brain>) {
      if (Kind == Atomic::Min)
        return fromFloat<T>(
            floating::Min<false>::apply<float>(toFloat(old), toFloat(b)));
      if (Kind == Atomic::Max)
        return fromFloat<T>(
            floating::Max<false>::apply<float>(toFloat(old), toFloat(b)));
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

/// add.f32 on global memory takes and gives subnormal numbers as zeros.
struct AddFlushed {
  static float apply(float old, float b, float) {
    return flushed(canonical(flushed(old) + flushed(b)));
  }
};

/// Two 16-bit floats that are updated as one word.
template <Atomic Kind, class T> struct OnPair {
  static uint32_t apply(uint32_t old, uint32_t b, uint32_t) {
    using One = Update<Kind, T>;
    uint16_t low = One::apply(T{static_cast<uint16_t>(old)},
                              T{static_cast<uint16_t>(b)}, T{})
                       .bits;
    uint16_t high = One::apply(T{static_cast<uint16_t>(old >> 16)},
                               T{static_cast<uint16_t>(b >> 16)}, T{})
                        .bits;
    return static_cast<uint32_t>(high) << 16 | low;
  }
};

using Scalar = AtomicOperation::Scalar;

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

using Operation = AtomicOperation;
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
  constexpr bool onFloats = adds || Kind == Atomic::Min || Kind == Atomic::Max;
  constexpr bool onBits = Kind == Atomic::And || Kind == Atomic::Or ||
                          Kind == Atomic::Xor || Kind == Atomic::Exchange ||
                          Kind == Atomic::CompareAndSwap;
  constexpr bool counts =
      Kind == Atomic::Increment || Kind == Atomic::Decrement;
  switch (type) {
  case Type::U32:
    return operationOf<Update<Kind, uint32_t>, uint32_t>();
  case Type::B32:
    return onBits ? operationOf<Update<Kind, uint32_t>, uint32_t>()
                  : Operation();
  case Type::U64:
    return counts ? Operation()
                  : operationOf<Update<Kind, uint64_t>, uint64_t>();
  case Type::B64:
    return onBits ? operationOf<Update<Kind, uint64_t>, uint64_t>()
                  : Operation();
  case Type::S32:
    return counts ? Operation() : operationOf<Update<Kind, int32_t>, int32_t>();
  case Type::S64:
    return counts ? Operation() : operationOf<Update<Kind, int64_t>, int64_t>();
  case Type::B16:
    return Kind == Atomic::CompareAndSwap || Kind == Atomic::Exchange
               ? operationOf<Update<Kind, uint16_t>, uint16_t>()
               : Operation();
  case Type::F32:
    return adds ? operationOf<Update<Atomic::Add, float>, float>()
                : Operation();
  case Type::F64:
    return adds ? operationOf<Update<Atomic::Add, double>, double>()
                : Operation();
  case Type::F16:
    return onFloats ? operationOf<Update<Kind, Half>, Half>() : Operation();
  case Type::BF16:
    return onFloats ? operationOf<Update<Kind, Brain>, Brain>() : Operation();
  case Type::F16x2:
    return onFloats ? operationOf<OnPair<Kind, Half>, uint32_t>() : Operation();
  case Type::BF16x2:
    return onFloats ? operationOf<OnPair<Kind, Brain>, uint32_t>()
                    : Operation();
  default:
    return {};
  }
}

} // namespace

AtomicOperation llrt::emu::findAtomic(std::string_view operation, Type type) {
  return operation == "add"    ? ofType<Atomic::Add>(type)
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
}

namespace {

/// f32 sums: op[7], op[6] on shared memory, AddFlushed elsewhere.
template <class A, bool Result>
const Inst *runAddFloat(const Inst *inst, Warp &warp, uint32_t mask) {
  Addresses address;
  resolve<Space::Generic, A>(inst, warp, mask, AccessKind::Atomic, 4, address);
  const uint32_t *b = warp.in<uint32_t>(inst->op[1]);
  const A *base = warp.in<A>(inst->op[0]);
  uint32_t r[32] = {};
  bool changed = false;
  for (unsigned i = 0; i < 32; ++i)
    if (mask >> i & 1) {
      uint64_t at = base[i] + static_cast<uint64_t>(inst->imm);
      r[i] = static_cast<uint32_t>(
          at < sharedWindow
              ? update<AddFlushed, float>(address.at[i], b[i], 0, changed)
              : update<Update<Atomic::Add, float>, float>(address.at[i], b[i],
                                                          0, changed));
    }
  if (Result)
    put(warp.out<uint32_t>(inst->op[3]), r, mask);
  if (changed)
    warp.block->effects += 1;
  return inst + 1;
}

/// op[0]: address; op[5]: bytes of an element; op[6], op[7]: the Scalar; extra:
/// count, then b, then d.
template <bool Result>
const Inst *runAtomicVector(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t count = inst->extra[0], bytes = inst->op[5];
  const uint32_t *operands = inst->extra + 1;
  Addresses address;
  resolve<Space::Generic, uint64_t>(inst, warp, mask, AccessKind::Atomic,
                                    bytes * count, address);
  Scalar one =
      reinterpret_cast<Scalar>(uint64_t(inst->op[7]) << 32 | inst->op[6]);
  bool changed = false;
  for (uint32_t k = 0; k < count; ++k) {
    const uint32_t *b = warp.in<uint32_t>(operands[k]);
    uint32_t r[32] = {};
    for (unsigned i = 0; i < 32; ++i)
      if (mask >> i & 1)
        r[i] = static_cast<uint32_t>(
            one(address.at[i] + k * bytes, b[i], 0, changed));
    if (Result)
      put(warp.out<uint32_t>(operands[count + k]), r, mask);
  }
  if (changed)
    warp.block->effects += 1;
  return inst + 1;
}

void setScalar(Inst &inst, const Operation &found) {
  inst.op[5] = found.bytes;
  inst.op[6] = static_cast<uint32_t>(reinterpret_cast<uint64_t>(found.one));
  inst.op[7] =
      static_cast<uint32_t>(reinterpret_cast<uint64_t>(found.one) >> 32);
}

template <bool Result>
void decodeVector(Decoding &d, std::string_view operation, Space space,
                  unsigned count) {
  d.take("noftz");
  Type type = d.takeType();
  bool half = type == Type::F16 || type == Type::BF16;
  bool pair = type == Type::F16x2 || type == Type::BF16x2;
  Operation found = findAtomic(operation, type);
  if (type == Type::F32)
    found = operation == "add" ? operationOf<AddFlushed, float>() : Operation();
  if ((!half && !pair && type != Type::F32) || (count == 8 && !half) ||
      (space != Space::Global && space != Space::Generic) || !found.one)
    d.unsupported();
  size_t first = Result ? 1 : 0;
  d.expectOperands(first + 2, first + 3);
  d.emit(runAtomicVector<Result>);
  d.extra(1 + 2 * count);
  d.setExtra(0, count);
  setScalar(d.inst(), found);
  d.address(0, d.operand(first), Space::Global);
  d.cachedInterval();
  const Operand &from = d.operand(first + 1);
  if (from.kind != Operand::Vector || from.elements.size() != count)
    d.fail("a vector of " + std::to_string(count) + " is expected");
  for (unsigned k = 0; k < count; ++k)
    d.use(9 + k, from.elements[k], type);
  if (!Result)
    return;
  const Operand &to = d.operand(0);
  if (to.kind != Operand::Vector || to.elements.size() != count)
    d.fail("a vector of " + std::to_string(count) + " is expected");
  for (unsigned k = 0; k < count; ++k)
    d.def(9 + count + k, to.elements[k], bitsOf(type));
}

template <bool Result> void decodeAtomic(Decoding &d) {
  d.takeOneOf({"relaxed", "acquire", "release", "acq_rel"});
  d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  Space space = d.takeSpace();
  std::string_view operation = d.takeOneOf(
      {"add", "min", "max", "and", "or", "xor", "exch", "cas", "inc", "dec"});
  if (!Result && d.take("async"))
    return decodeReduceAsync(d);
  bool hint = d.take("L2::cache_hint");
  unsigned count = d.take("v2") ? 2 : d.take("v4") ? 4 : d.take("v8") ? 8 : 1;
  if (count > 1)
    return decodeVector<Result>(d, operation, space, count);
  bool half = d.take("noftz");
  Type type = d.takeType();
  half |= type == Type::F32 || type == Type::F64;
  // Of 16-bit floats there are only sums outside vectors.
  bool narrow = isFloat(type) && type != Type::F32 && type != Type::F64;
  if ((narrow && operation != "add") || (half && !isFloat(type)))
    d.unsupported();
  size_t first = Result ? 1 : 0;
  bool swaps = operation == "cas";
  if (!Result && (swaps || operation == "exch"))
    d.unsupported();
  d.expectOperands(first + 2 + swaps, first + 2 + swaps + hint);
  Operation found = findAtomic(operation, type);
  const Operand &memory = d.operand(first);
  bool wideAddress = !(memory.kind == Operand::Memory &&
                       memory.elements[0].kind == Operand::Register &&
                       d.registerBits(memory.elements[0]) == 32);
  d.emit(found.one ? handlerOf<Result>(space, wideAddress, found.bytes == 8)
                   : nullptr);
  if (type == Type::F32 && space != Space::Shared)
    d.inst().run = runAddFloat<uint64_t, Result>;
  setScalar(d.inst(), found);
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
