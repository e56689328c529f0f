// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// KernelBuilder: an OpBuilder that writes the arithmetic of kernels shortly.
//
// Values are i32 unless a name says otherwise: byte offsets into a buffer are
// i32 where they stay below 2 GB and i64 where they may not. Every function
// emits ops of arith, scf, LLVM, NVVM or tile that compiler/lower takes
// straight to one or two instructions; nothing here calls libdevice.
#ifndef LLAMAC_COMPILER_TILE_KERNELBUILDER_H
#define LLAMAC_COMPILER_TILE_KERNELBUILDER_H

#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/Dialect/LLVMIR/NVVMDialect.h"
#include "mlir/Dialect/SCF/IR/SCF.h"
#include "mlir/IR/ImplicitLocOpBuilder.h"

#include <optional>

namespace mlir::tile {

/// A parameter of a kernel. Pointers are !llvm.ptr<1>.
enum class Parameter {
  Pointer, ///< read and written
  Weights, ///< read-only for the whole run: noalias, readonly
  Scalar   ///< i32
};

class KernelBuilder : public ImplicitLocOpBuilder {
public:
  KernelBuilder(Location loc, OpBuilder &builder)
      : ImplicitLocOpBuilder(loc, builder) {}

  // Types.
  Type i32() { return getI32Type(); }
  Type i64() { return getI64Type(); }
  Type f32() { return getF32Type(); }
  VectorType vector(int64_t count, Type type) {
    return VectorType::get(count, type);
  }
  Type globalPointer() { return LLVM::LLVMPointerType::get(getContext(), 1); }

  /// An empty kernel of `threads` threads a block at the insertion point, which
  /// lets the next one start (tile.start_next). The
  /// insertion point moves into its body; finishKernel() ends it and moves on.
  gpu::GPUFuncOp startKernel(StringRef name, ArrayRef<Parameter> parameters,
                             int64_t threads);
  void finishKernel(gpu::GPUFuncOp kernel);

  // Constants.
  Value constant(int64_t value);   ///< i32
  Value constant64(int64_t value); ///< i64
  Value constantF32(float value);
  Value constantBool(bool value);
  Value zeros(int64_t count); ///< vector<count x f32> of 0

  // Where this thread is; i32.
  Value thread();
  Value lane();
  Value warp();
  Value block(gpu::Dimension dimension = gpu::Dimension::x);
  Value gridSize(gpu::Dimension dimension = gpu::Dimension::x);

  // Integers. The second operand may be a constant.
  Value add(Value a, Value b);
  Value add(Value a, int64_t b);
  Value sub(Value a, Value b);
  Value sub(Value a, int64_t b);
  Value mul(Value a, Value b);
  Value mul(Value a, int64_t b);
  Value udiv(Value a, int64_t b); ///< unsigned
  Value urem(Value a, int64_t b);
  Value bitAnd(Value a, int64_t b);
  Value bitAnd(Value a, Value b);
  Value bitOr(Value a, Value b);
  Value bitXor(Value a, Value b);
  Value bitXor(Value a, int64_t b);
  Value shl(Value a, int64_t b);
  Value shr(Value a, int64_t b); ///< logical
  Value umin(Value a, Value b);
  Value umax(Value a, Value b);
  Value compare(arith::CmpIPredicate predicate, Value a, Value b);
  Value ult(Value a, Value b);
  Value ult(Value a, int64_t b);
  Value equal(Value a, Value b);
  Value equal(Value a, int64_t b);
  Value both(Value a, Value b); ///< i1 and
  Value select(Value condition, Value a, Value b);
  Value widen(Value a);  ///< i32 -> i64, zero-extended
  Value narrow(Value a); ///< i64 -> i32

  // f32, or vectors of it where both sides are.
  Value addf(Value a, Value b);
  Value subf(Value a, Value b);
  Value mulf(Value a, Value b);
  Value maxf(Value a, Value b);
  Value absf(Value a);                  ///< of one f32
  Value fma(Value a, Value b, Value c); ///< a*b + c, rounded once
  Value exp2(Value a);                  ///< ex2.approx.ftz
  Value log2(Value a);                  ///< lg2.approx.ftz
  Value rsqrt(Value a);                 ///< rsqrt.approx
  Value reciprocal(Value a);            ///< rcp.approx.ftz
  Value divide(Value a, Value b);       ///< a / b, div.rn
  Value toF32(Value integer);           ///< i32 -> f32
  Value bits(Value value, Type type);   ///< reinterpretation
  Value compareF(arith::CmpFPredicate predicate, Value a, Value b);

  // Vectors of constant positions.
  Value element(Value vector, int64_t index);
  Value insert(Value vector, Value value, int64_t index);
  Value pack(ArrayRef<Value> elements); ///< as one vector

  // The storage type: bf16 or f16.
  /// Two f32 rounded to nearest even in one i32, `low` in the lower half.
  Value roundPair(Value low, Value high, Type storage);
  /// The two f32 of such an i32.
  std::pair<Value, Value> widenPair(Value packed, Type storage);
  /// One f32 rounded to `storage`; f32 itself comes back unchanged.
  Value round(Value value, Type storage);
  /// One element of `storage` as f32.
  Value widenElement(Value value);

  // Global memory. `offset` counts bytes, i32 (unsigned) or i64.
  Value address(Value pointer, Value offset);
  Value address(Value pointer, int64_t offset);
  /// Aligned to the size of `type`, at most 16 bytes: one instruction.
  Value load(Type type, Value pointer);
  /// Past the multiprocessor's own cache, which may hold what was there before
  /// other kernels wrote, until this one has waited for the one before.
  Value loadEarly(Type type, Value pointer);
  void store(Value value, Value pointer);

  // Shared memory, by byte offset; as load and store.
  Value loadShared(Type type, Value offset);
  void storeShared(Value value, Value offset);

  // Exchange between lanes and threads.
  Value shuffleXor(Value value, int64_t laneMask); ///< f32 or i32
  Value shuffleFrom(Value value, Value sourceLane);
  void syncWarp();
  void syncBlock();

  // Structure.
  /// for (i32 i = from; i < to; i += step) carrying values.
  SmallVector<Value>
  loop(Value from, Value to, int64_t step, ValueRange carried,
       llvm::function_ref<SmallVector<Value>(Value index, ValueRange carried)>
           body);
  void loop(Value from, Value to, int64_t step,
            llvm::function_ref<void(Value index)> body);
  void when(Value condition, llvm::function_ref<void()> body);
  SmallVector<Value> choose(Value condition, TypeRange types,
                            llvm::function_ref<SmallVector<Value>()> whenTrue,
                            llvm::function_ref<SmallVector<Value>()> whenFalse);

private:
  Value approximate(StringRef intrinsic, Value operand);
};

/// While it lives, what `builder` makes is at `location`, if there is one.
class LocationScope {
public:
  LocationScope(KernelBuilder &builder, std::optional<Location> location)
      : builder(builder), before(builder.getLoc()) {
    builder.setLoc(location.value_or(before));
  }
  ~LocationScope() { builder.setLoc(before); }
  LocationScope(const LocationScope &) = delete;
  LocationScope &operator=(const LocationScope &) = delete;

private:
  KernelBuilder &builder;
  Location before;
};

} // namespace mlir::tile

#endif
