// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lane loops: 32 lanes into a local array, then one masked store. Compilers
// turn these into straight vector code; nothing here dispatches per lane.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_LANES_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_LANES_H

#include "runtime/device/emulator/Machine.h"

#include <immintrin.h>
#include <type_traits>

#define LLRT_INLINE inline __attribute__((always_inline))

namespace llrt::emu {

/// What a value of type T takes in a register's lane.
template <class T>
using Lane = std::conditional_t<sizeof(T) == 8, uint64_t, uint32_t>;

template <class T, class S> LLRT_INLINE T fromLane(S lane) {
  static_assert(sizeof(T) <= sizeof(S), "a lane holds the value");
  if constexpr (std::is_integral_v<T>) {
    return static_cast<T>(lane);
  } else {
    T value;
    std::memcpy(&value, &lane, sizeof value);
    return value;
  }
}

template <class T> LLRT_INLINE Lane<T> toLane(T value) {
  if constexpr (std::is_integral_v<T>) {
    return static_cast<Lane<T>>(value);
  } else {
    Lane<T> lane;
    std::memcpy(&lane, &value, sizeof lane);
    return lane;
  }
}

template <class S> LLRT_INLINE void put(S *to, const S *lanes, uint32_t mask) {
  if (__builtin_expect(mask == ~0u, 1)) {
    std::memcpy(to, lanes, 32 * sizeof(S));
    return;
  }
  for (unsigned i = 0; i < 32; ++i)
    to[i] = mask >> i & 1 ? lanes[i] : to[i];
}

/// Bit i of the result: lane i is not 0. Lanes are all-ones or 0.
LLRT_INLINE uint32_t maskOf(const uint32_t *lanes) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < 4; ++i) {
    __m256 part =
        _mm256_loadu_ps(reinterpret_cast<const float *>(lanes) + i * 8);
    mask |= static_cast<uint32_t>(_mm256_movemask_ps(part)) << (i * 8);
  }
  return mask;
}
LLRT_INLINE uint32_t maskOf(const uint64_t *lanes) {
  uint32_t mask = 0;
  for (unsigned i = 0; i < 8; ++i) {
    __m256d part =
        _mm256_loadu_pd(reinterpret_cast<const double *>(lanes) + i * 4);
    mask |= static_cast<uint32_t>(_mm256_movemask_pd(part)) << (i * 4);
  }
  return mask;
}

LLRT_INLINE void putPredicate(Warp &warp, uint32_t index, uint32_t value,
                              uint32_t mask) {
  uint32_t &predicate = warp.predicates[index];
  predicate = (predicate & ~mask) | (value & mask);
}

/// op[0] = F(op[1]). R: the type of the result.
template <class F, class R, class A>
const Inst *unary(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<A> *a = warp.in<Lane<A>>(inst->op[1]);
  Lane<R> r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = toLane<R>(F::apply(fromLane<A>(a[i])));
  put(warp.out<Lane<R>>(inst->op[0]), r, mask);
  return inst + 1;
}

/// op[0] = F(op[1], op[2]).
template <class F, class R, class A, class B>
const Inst *binary(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<A> *a = warp.in<Lane<A>>(inst->op[1]);
  const Lane<B> *b = warp.in<Lane<B>>(inst->op[2]);
  Lane<R> r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = toLane<R>(F::apply(fromLane<A>(a[i]), fromLane<B>(b[i])));
  put(warp.out<Lane<R>>(inst->op[0]), r, mask);
  return inst + 1;
}

/// op[0] = F(op[1], op[2], op[3]).
template <class F, class R, class A, class B, class C>
const Inst *ternary(const Inst *inst, Warp &warp, uint32_t mask) {
  const Lane<A> *a = warp.in<Lane<A>>(inst->op[1]);
  const Lane<B> *b = warp.in<Lane<B>>(inst->op[2]);
  const Lane<C> *c = warp.in<Lane<C>>(inst->op[3]);
  Lane<R> r[32];
  for (unsigned i = 0; i < 32; ++i)
    r[i] = toLane<R>(
        F::apply(fromLane<A>(a[i]), fromLane<B>(b[i]), fromLane<C>(c[i])));
  put(warp.out<Lane<R>>(inst->op[0]), r, mask);
  return inst + 1;
}

} // namespace llrt::emu

#endif
