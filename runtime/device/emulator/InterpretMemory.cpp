// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ld, st, prefetch, and parameters.
#include "runtime/device/emulator/Access.h"
#include "runtime/device/emulator/CopyAddress.h"
#include "runtime/device/emulator/Scheduler.h"

using namespace llrt::emu;

namespace {

template <class T> LLRT_INLINE T loadOne(uint64_t at) {
  T value;
  std::memcpy(&value, reinterpret_cast<const void *>(at), sizeof value);
  return value;
}

/// All 32 lanes' N elements from addresses that do not follow each other:
/// whole lanes into vectors, which are then transposed.
template <class T, unsigned N>
LLRT_INLINE void loadLanes(const uint64_t *at, Lane<T> (*r)[32]) {
  if constexpr (sizeof(T) == 4 && N == 4) {
    auto pair = [&](unsigned i) { // lane i below lane i+4
      auto low = reinterpret_cast<const float *>(at[i]);
      auto high = reinterpret_cast<const float *>(at[i + 4]);
      return _mm256_insertf128_ps(_mm256_castps128_ps256(_mm_loadu_ps(low)),
                                  _mm_loadu_ps(high), 1);
    };
    for (unsigned i = 0; i < 32; i += 8) {
      __m256 a = pair(i), b = pair(i + 1), c = pair(i + 2), d = pair(i + 3);
      __m256 ab = _mm256_unpacklo_ps(a, b), abHigh = _mm256_unpackhi_ps(a, b);
      __m256 cd = _mm256_unpacklo_ps(c, d), cdHigh = _mm256_unpackhi_ps(c, d);
      auto to = [&](unsigned k) { return reinterpret_cast<float *>(r[k] + i); };
      _mm256_storeu_ps(to(0), _mm256_shuffle_ps(ab, cd, 0x44));
      _mm256_storeu_ps(to(1), _mm256_shuffle_ps(ab, cd, 0xee));
      _mm256_storeu_ps(to(2), _mm256_shuffle_ps(abHigh, cdHigh, 0x44));
      _mm256_storeu_ps(to(3), _mm256_shuffle_ps(abHigh, cdHigh, 0xee));
    }
  } else if constexpr (sizeof(T) == 4 && N == 2) {
    auto pair = [&](unsigned i) {
      __m128 low = _mm_castsi128_ps(
          _mm_loadl_epi64(reinterpret_cast<const __m128i *>(at[i])));
      return _mm_loadh_pi(low, reinterpret_cast<const __m64 *>(at[i + 1]));
    };
    for (unsigned i = 0; i < 32; i += 4) {
      __m128 a = pair(i), b = pair(i + 2);
      _mm_storeu_ps(reinterpret_cast<float *>(r[0] + i),
                    _mm_shuffle_ps(a, b, 0x88));
      _mm_storeu_ps(reinterpret_cast<float *>(r[1] + i),
                    _mm_shuffle_ps(a, b, 0xdd));
    }
  } else {
    for (unsigned i = 0; i < 32; ++i)
      for (unsigned k = 0; k < N; ++k)
        r[k][i] = static_cast<Lane<T>>(loadOne<T>(at[i] + k * sizeof(T)));
  }
}

/// Memory's element T, N of them a lane, in lanes of the register's own width.
template <class T, unsigned N>
const Inst *runLoad(const Inst *inst, Warp &warp, uint32_t mask) {
  using S = Lane<T>;
  Addresses address;
  reinterpret_cast<Resolver>(inst->helper)(inst, warp, mask, AccessKind::Load,
                                           sizeof(T) * N, address);
  S r[N][32];
  if (address.contiguous && N == 1) {
    T from[32 * N];
    std::memcpy(from, reinterpret_cast<const void *>(address.at[0]),
                sizeof from);
    for (unsigned i = 0; i < 32; ++i)
      for (unsigned k = 0; k < N; ++k)
        r[k][i] = static_cast<S>(from[i * N + k]);
  } else if (mask == ~0u) {
    loadLanes<T, N>(address.at, r);
  } else {
    for (unsigned i = 0; i < 32; ++i)
      for (unsigned k = 0; k < N; ++k)
        r[k][i] =
            mask >> i & 1
                ? static_cast<S>(loadOne<T>(address.at[i] + k * sizeof(T)))
                : S(0);
  }
  for (unsigned k = 0; k < N; ++k)
    put(warp.out<S>(inst->op[1 + k]), r[k], mask);
  return inst + 1;
}

template <class T, unsigned N>
const Inst *runStore(const Inst *inst, Warp &warp, uint32_t mask) {
  using S = Lane<T>;
  Addresses address;
  reinterpret_cast<Resolver>(inst->helper)(inst, warp, mask, AccessKind::Store,
                                           sizeof(T) * N, address);
  const S *from[N];
  for (unsigned k = 0; k < N; ++k)
    from[k] = warp.in<S>(inst->op[1 + k]);
  if (address.contiguous) {
    T to[32 * N];
    for (unsigned i = 0; i < 32; ++i)
      for (unsigned k = 0; k < N; ++k)
        to[i * N + k] = static_cast<T>(from[k][i]);
    std::memcpy(reinterpret_cast<void *>(address.at[0]), to, sizeof to);
  } else {
    for (unsigned i = 0; i < 32; ++i)
      if (mask >> i & 1)
        for (unsigned k = 0; k < N; ++k) {
          T value = static_cast<T>(from[k][i]);
          std::memcpy(reinterpret_cast<void *>(address.at[i] + k * sizeof(T)),
                      &value, sizeof value);
        }
  }
  // Local memory is nobody else's.
  warp.block->effects += ~inst->op[7] >> 11 & 1;
  return inst + 1;
}

/// What an access is, in one word of the Inst (op[7]).
struct Shape {
  Space space;
  bool wideAddress;
  Type type;
  bool wideRegister;
  unsigned vector;

  uint32_t word() const {
    return static_cast<uint32_t>(wideRegister) << 9 |
           static_cast<uint32_t>(isSigned(type)) << 10 |
           static_cast<uint32_t>(space == Space::Local) << 11 |
           bitsOf(type) / 8 << 12 | vector << 16;
  }
};

/// Accesses that widen with the sign, or between registers and memory of
/// different widths: one lane at a time.
template <bool Store>
const Inst *runEach(const Inst *inst, Warp &warp, uint32_t mask) {
  uint32_t word = inst->op[7];
  bool wideRegister = word >> 9 & 1, extends = word >> 10 & 1;
  unsigned size = word >> 12 & 15, vector = word >> 16;
  Addresses at;
  AccessKind kind = Store ? AccessKind::Store : AccessKind::Load;
  reinterpret_cast<Resolver>(inst->helper)(inst, warp, mask, kind,
                                           size * vector, at);
  for (unsigned i = 0; i < 32; ++i) {
    if (!(mask >> i & 1))
      continue;
    for (unsigned k = 0; k < vector; ++k) {
      char *bytes = reinterpret_cast<char *>(at.at[i]) + k * size;
      uint32_t operand = inst->op[1 + k];
      if (Store) {
        uint64_t value = wideRegister ? warp.in<uint64_t>(operand)[i]
                                      : warp.in<uint32_t>(operand)[i];
        std::memcpy(bytes, &value, size);
        continue;
      }
      uint64_t value = 0;
      std::memcpy(&value, bytes, size);
      if (extends && size < 8 && value >> (size * 8 - 1) & 1)
        value |= ~uint64_t(0) << size * 8;
      if (wideRegister)
        warp.out<uint64_t>(operand)[i] = value;
      else
        warp.out<uint32_t>(operand)[i] = static_cast<uint32_t>(value);
    }
  }
  if (Store)
    warp.block->effects += 1;
  return inst + 1;
}

/// Accesses that other threads order themselves by: one host access per lane.
template <class A, class T, class S>
const Inst *runStrongLoad(const Inst *inst, Warp &warp, uint32_t mask) {
  Addresses address;
  resolve<Space::Generic, A>(inst, warp, mask, AccessKind::Load, sizeof(T),
                             address);
  S r[32];
  uint64_t hash = 0;
  for (unsigned i = 0; i < 32; ++i) {
    r[i] = 0;
    if (!(mask >> i & 1))
      continue;
    r[i] = static_cast<S>(__atomic_load_n(
        reinterpret_cast<const T *>(address.at[i]), __ATOMIC_ACQUIRE));
    hash += pollHash(address.at[i], r[i]);
  }
  put(warp.out<S>(inst->op[1]), r, mask);
  int first = __builtin_ctz(mask);
  notePoll(inst, warp, address.at[first], r[first], hash);
  return inst + 1;
}
template <class A, class T, class S>
const Inst *runStrongStore(const Inst *inst, Warp &warp, uint32_t mask) {
  Addresses address;
  resolve<Space::Generic, A>(inst, warp, mask, AccessKind::Store, sizeof(T),
                             address);
  const S *from = warp.in<S>(inst->op[1]);
  for (unsigned i = 0; i < 32; ++i)
    if (mask >> i & 1)
      __atomic_store_n(reinterpret_cast<T *>(address.at[i]),
                       static_cast<T>(from[i]), __ATOMIC_RELEASE);
  warp.block->effects += 1;
  return inst + 1;
}

/// A kernel parameter at a constant offset: the same for every lane.
template <class T, class S>
const Inst *runLoadParameter(const Inst *inst, Warp &warp, uint32_t mask) {
  const std::vector<char> &parameters = warp.worker->launch->parameters;
  S value =
      static_cast<S>(loadOne<T>(reinterpret_cast<uint64_t>(parameters.data()) +
                                static_cast<uint64_t>(inst->imm)));
  S r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = value;
  put(warp.out<S>(inst->op[1]), r, mask);
  return inst + 1;
}

template <bool Store, class T> Handler ofVector(unsigned vector) {
  if constexpr (sizeof(T) * 4 <= 16) {
    if (vector == 4)
      return Store ? runStore<T, 4> : runLoad<T, 4>;
  }
  if (vector == 2)
    return Store ? runStore<T, 2> : runLoad<T, 2>;
  return vector == 1 ? (Store ? runStore<T, 1> : runLoad<T, 1>) : nullptr;
}

template <bool Store> Handler handlerOf(const Shape &shape) {
  bool extends = !Store && isSigned(shape.type) && bitsOf(shape.type) < 32;
  bool natural = shape.wideRegister == (bitsOf(shape.type) == 64) && !extends;
  if (bitsOf(shape.type) * shape.vector > 128)
    return nullptr;
  if (!natural)
    return runEach<Store>;
  switch (bitsOf(shape.type)) {
  case 8:
    return ofVector<Store, uint8_t>(shape.vector);
  case 16:
    return ofVector<Store, uint16_t>(shape.vector);
  case 32:
    return ofVector<Store, uint32_t>(shape.vector);
  default:
    return ofVector<Store, uint64_t>(shape.vector);
  }
}

template <bool Store> Handler strongHandler(const Shape &shape) {
  if (!shape.wideAddress || shape.vector != 1)
    return nullptr;
  switch (bitsOf(shape.type)) {
  case 8:
    return Store ? runStrongStore<uint64_t, uint8_t, uint32_t>
                 : runStrongLoad<uint64_t, uint8_t, uint32_t>;
  case 16:
    return Store ? runStrongStore<uint64_t, uint16_t, uint32_t>
                 : runStrongLoad<uint64_t, uint16_t, uint32_t>;
  case 32:
    return Store ? runStrongStore<uint64_t, uint32_t, uint32_t>
                 : runStrongLoad<uint64_t, uint32_t, uint32_t>;
  default:
    return Store ? runStrongStore<uint64_t, uint64_t, uint64_t>
                 : runStrongLoad<uint64_t, uint64_t, uint64_t>;
  }
}

Handler parameterHandler(Type type, bool wide) {
  bool extends = isSigned(type);
  switch (bitsOf(type)) {
  case 8:
    return wide ? (extends ? runLoadParameter<int8_t, uint64_t>
                           : runLoadParameter<uint8_t, uint64_t>)
                : (extends ? runLoadParameter<int8_t, uint32_t>
                           : runLoadParameter<uint8_t, uint32_t>);
  case 16:
    return wide ? (extends ? runLoadParameter<int16_t, uint64_t>
                           : runLoadParameter<uint16_t, uint64_t>)
                : (extends ? runLoadParameter<int16_t, uint32_t>
                           : runLoadParameter<uint16_t, uint32_t>);
  case 32:
    return wide ? (extends ? runLoadParameter<int32_t, uint64_t>
                           : runLoadParameter<uint32_t, uint64_t>)
                : runLoadParameter<uint32_t, uint32_t>;
  default:
    return runLoadParameter<uint64_t, uint64_t>;
  }
}

/// Vectors become one Inst an element.
void decodeParameter(Decoding &d, const Shape &shape) {
  const Operand &to = d.operand(0), &base = d.operand(1).elements[0];
  int64_t at = d.variableOffset(base) + d.operand(1).offset;
  uint32_t size = bitsOf(shape.type) / 8;
  if (at < 0 ||
      static_cast<uint64_t>(at) + size * shape.vector > d.parameterBytes() ||
      static_cast<uint64_t>(at) % (size * shape.vector))
    d.fail("outside the kernel's parameters, or misaligned");
  for (unsigned k = 0; k < shape.vector; ++k) {
    const Operand &each = shape.vector > 1 ? to.elements[k] : to;
    if (each.kind == Operand::Sink)
      continue;
    d.emit(parameterHandler(shape.type, shape.wideRegister));
    d.inst().imm = at + k * size;
    d.def(1, each, bitsOf(shape.type), true);
  }
}

/// Cache and eviction hints change no value.
void takeCacheHints(Decoding &d) {
  d.takeOneOf({"ca", "cg", "cs", "lu", "cv", "wb", "wt"});
  d.take("nc");
  for (std::string_view level :
       {"L1::evict_normal", "L1::evict_unchanged", "L1::evict_first",
        "L1::evict_last", "L1::no_allocate", "L2::evict_normal",
        "L2::evict_first", "L2::evict_last", "L2::64B", "L2::128B", "L2::256B"})
    d.take(level);
  d.take("L2::cache_hint");
}

/// An access of 32 bytes needs an address that is a multiple of 32.
const Inst *runAligned32(const Inst *inst, Warp &warp, uint32_t mask) {
  const uint64_t *base = warp.in<uint64_t>(inst->op[0]);
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint64_t at = base[lane] + static_cast<uint64_t>(inst->imm);
    if (at % 32)
      fault(inst, lane,
            "misaligned access of 32 bytes at an address that is " +
                std::to_string(at % 32) + " past a multiple of 32");
  }
  return inst + 1;
}

/// Emits the access to `shape.vector` elements of `value` from `first` on.
template <bool Store>
void emitAccess(Decoding &d, const Shape &shape, const Operand &memory,
                const Operand &value, unsigned first, bool strong) {
  bool isVector = value.kind == Operand::Vector;
  auto element = [&](unsigned k) -> const Operand & {
    return isVector ? value.elements[first + k] : value;
  };
  bool global = shape.space != Space::Shared && shape.space != Space::Local;
  // Within a block order is the interpreter's own; a poll still counts.
  if (strong && global && shape.vector == 1)
    d.emit(strongHandler<Store>(shape));
  else
    d.emit(handlerOf<Store>(shape));
  d.inst().op[7] = shape.word();
  d.inst().helper =
      reinterpret_cast<void (*)()>(resolverOf(shape.space, shape.wideAddress));
  d.address(0, memory, shape.space);
  d.inst().imm += first * bitsOf(shape.type) / 8;
  if (global)
    d.cachedInterval();
  unsigned lane = shape.wideRegister ? 64 : 32;
  for (unsigned k = 0; k < shape.vector; ++k) {
    const Operand &each = element(k);
    if (shape.wideRegister && d.isRegister(each) && d.registerBits(each) != 64)
      d.fail("registers of different widths");
    if (Store)
      d.isRegister(each) ? d.use(1 + k, each, shape.type, true)
                         : d.useAtWidth(1 + k, each, shape.type, lane);
    else
      d.defAtWidth(1 + k, each, bitsOf(shape.type), lane);
  }
}

template <bool Store> void decodeAccess(Decoding &d) {
  if (Store && d.take("async"))
    return decodeStoreAsync(d);
  bool strong =
      !d.takeOneOf({"volatile", "relaxed", "acquire", "release", "mmio"})
           .empty();
  strong |= d.take("relaxed"); // .mmio.relaxed
  d.takeOneOf({"cta", "cluster", "gpu", "sys"});
  d.take("weak");
  takeCacheHints(d);
  Shape shape{};
  shape.space = d.takeSpace();
  shape.vector = d.take("v2") ? 2 : d.take("v4") ? 4 : d.take("v8") ? 8 : 1;
  shape.type = d.takeType();
  if (bitsOf(shape.type) > 64 || bitsOf(shape.type) * shape.vector > 256 ||
      (shape.vector == 8 && bitsOf(shape.type) != 32))
    d.unsupported();
  d.expectOperands(2, 3);
  const Operand &memory = d.operand(Store ? 0 : 1);
  const Operand &value = d.operand(Store ? 1 : 0);
  if (memory.kind != Operand::Memory)
    d.fail("an address in brackets is expected");
  shape.space = d.resolveSpace(shape.space, memory);
  bool isVector = shape.vector > 1;
  if (isVector &&
      (value.kind != Operand::Vector || value.elements.size() != shape.vector))
    d.fail("a vector of " + std::to_string(shape.vector) + " is expected");
  auto element = [&](unsigned k) -> const Operand & {
    return isVector ? value.elements[k] : value;
  };
  for (unsigned k = 0; k < shape.vector; ++k)
    shape.wideRegister |= d.registerBits(element(k)) == 64;
  if (bitsOf(shape.type) == 64)
    shape.wideRegister = true;

  const Operand &base = memory.elements[0];
  bool large = bitsOf(shape.type) * shape.vector > 128;
  if (large && shape.space != Space::Global && shape.space != Space::Generic)
    d.unsupported();
  if (shape.space == Space::Param) {
    if (Store)
      d.fail("a kernel's parameters are read only");
    if (base.kind == Operand::Variable)
      return decodeParameter(d, shape);
    d.fail("parameters are read at constant addresses");
  }
  shape.wideAddress =
      !(base.kind == Operand::Register && d.registerBits(base) == 32);
  if (!large)
    return emitAccess<Store>(d, shape, memory, value, 0, strong);
  // 32 bytes are two accesses of 16 (and a look at the address); a load that
  // replaces its own address does that last.
  d.emit(runAligned32);
  d.address(0, memory, Space::Global);
  unsigned half = shape.vector / 2;
  bool firstLast = false;
  for (unsigned k = 0; k < half && !Store; ++k)
    firstLast |= d.isRegister(base) && d.isRegister(value.elements[k]) &&
                 value.elements[k].reg == base.reg;
  shape.vector = half;
  emitAccess<Store>(d, shape, memory, value, firstLast ? half : 0, strong);
  emitAccess<Store>(d, shape, memory, value, firstLast ? 0 : half, strong);
}

/// Before a strong load from shared memory (the next Inst): its words.
const Inst *runPoll(const Inst *inst, Warp &warp, uint32_t mask) {
  const Inst *load = inst + 1;
  uint32_t size = load->op[7] >> 12 & 15;
  Addresses address;
  reinterpret_cast<Resolver>(load->helper)(load, warp, mask, AccessKind::Load,
                                           size, address);
  uint64_t hash = 0, first = 0;
  for (uint32_t left = mask; left; left &= left - 1) {
    int lane = __builtin_ctz(left);
    uint64_t value = 0;
    std::memcpy(&value, reinterpret_cast<const void *>(address.at[lane]), size);
    hash += pollHash(address.at[lane], value);
    if (left == mask)
      first = value;
  }
  notePoll(inst, warp, address.at[__builtin_ctz(mask)], first, hash);
  return inst + 1;
}

void decodeLoad(Decoding &d) {
  bool poll = d.statement.opcode.find(".shared") != std::string_view::npos &&
              (d.statement.opcode.find("volatile") != std::string_view::npos ||
               d.statement.opcode.find("acquire") != std::string_view::npos ||
               d.statement.opcode.find("relaxed") != std::string_view::npos);
  if (poll)
    d.emit(runPoll);
  decodeAccess<false>(d);
}

/// Caches that the emulator does not have.
void decodePrefetch(Decoding &d) {
  d.takeOneOf({"global", "local"});
  d.takeOneOf({"L1", "L2", "L2::evict_last", "L2::evict_normal"});
  d.expectOperands(1, 2);
  d.emit(runNothing);
}

} // namespace

void llrt::emu::addMemoryInstructions(InstructionTable &table) {
  table["ld"] = decodeLoad;
  table["ldu"] = decodeLoad;
  table["st"] = decodeAccess<true>;
  table["prefetch"] = decodePrefetch;
  table["prefetchu"] = decodePrefetch;
  table["applypriority"] = decodePrefetch;
}
