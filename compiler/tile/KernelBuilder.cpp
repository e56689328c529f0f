// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops behind KernelBuilder's short names.
#include "compiler/tile/KernelBuilder.h"

using namespace mlir;
using namespace mlir::tile;

gpu::GPUFuncOp KernelBuilder::startKernel(StringRef name,
                                          ArrayRef<Parameter> parameters,
                                          int64_t threads) {
  SmallVector<Type> types;
  for (Parameter parameter : parameters)
    types.push_back(parameter == Parameter::Scalar ? i32() : globalPointer());
  auto kernel =
      gpu::GPUFuncOp::create(*this, getLoc(), name, getFunctionType(types, {}));
  kernel->setAttr(gpu::GPUDialect::getKernelFuncAttrName(), getUnitAttr());
  kernel.setKnownBlockSizeAttr(
      getDenseI32ArrayAttr({static_cast<int32_t>(threads), 1, 1}));
  for (auto [index, parameter] : llvm::enumerate(parameters)) {
    if (parameter != Parameter::Weights)
      continue;
    kernel.setArgAttr(index, LLVM::LLVMDialect::getNoAliasAttrName(),
                      getUnitAttr());
    kernel.setArgAttr(index, LLVM::LLVMDialect::getReadonlyAttrName(),
                      getUnitAttr());
  }
  setInsertionPointToStart(&kernel.getBody().front());
  StartNextOp::create(*this);
  return kernel;
}

void KernelBuilder::finishKernel(gpu::GPUFuncOp kernel) {
  gpu::ReturnOp::create(*this, ValueRange());
  setInsertionPointAfter(kernel);
}

//===----------------------------------------------------------------------===//
// Constants and positions
//===----------------------------------------------------------------------===//

Value KernelBuilder::constant(int64_t value) {
  return arith::ConstantIntOp::create(*this, i32(), value);
}
Value KernelBuilder::constant64(int64_t value) {
  return arith::ConstantIntOp::create(*this, i64(), value);
}
Value KernelBuilder::constantF32(float value) {
  return arith::ConstantOp::create(*this, getF32FloatAttr(value));
}
Value KernelBuilder::constantBool(bool value) {
  return arith::ConstantOp::create(*this, getBoolAttr(value));
}
Value KernelBuilder::zeros(int64_t count) {
  return arith::ConstantOp::create(*this, getZeroAttr(vector(count, f32())));
}

Value KernelBuilder::thread() {
  return NVVM::ThreadIdXOp::create(*this, i32());
}
Value KernelBuilder::lane() { return bitAnd(thread(), 31); }
Value KernelBuilder::warp() { return shr(thread(), 5); }
Value KernelBuilder::block(gpu::Dimension dimension) {
  switch (dimension) {
  case gpu::Dimension::x:
    return NVVM::BlockIdXOp::create(*this, i32());
  case gpu::Dimension::y:
    return NVVM::BlockIdYOp::create(*this, i32());
  case gpu::Dimension::z:
    return NVVM::BlockIdZOp::create(*this, i32());
  }
  llvm_unreachable("three dimensions");
}
Value KernelBuilder::gridSize(gpu::Dimension dimension) {
  switch (dimension) {
  case gpu::Dimension::x:
    return NVVM::GridDimXOp::create(*this, i32());
  case gpu::Dimension::y:
    return NVVM::GridDimYOp::create(*this, i32());
  case gpu::Dimension::z:
    return NVVM::GridDimZOp::create(*this, i32());
  }
  llvm_unreachable("three dimensions");
}

//===----------------------------------------------------------------------===//
// Integers
//===----------------------------------------------------------------------===//

static Value sized(KernelBuilder &k, int64_t value, Value like) {
  return arith::ConstantIntOp::create(k, like.getType(), value);
}

#define LLAMAC_INTEGER(NAME, OP)                                               \
  Value KernelBuilder::NAME(Value a, Value b) {                                \
    return arith::OP::create(*this, a, b);                                     \
  }
#define LLAMAC_INTEGER_CONSTANT(NAME, OP)                                      \
  Value KernelBuilder::NAME(Value a, int64_t b) {                              \
    return arith::OP::create(*this, a, sized(*this, b, a));                    \
  }
LLAMAC_INTEGER(add, AddIOp)
LLAMAC_INTEGER_CONSTANT(add, AddIOp)
LLAMAC_INTEGER(sub, SubIOp)
LLAMAC_INTEGER_CONSTANT(sub, SubIOp)
LLAMAC_INTEGER(mul, MulIOp)
LLAMAC_INTEGER_CONSTANT(mul, MulIOp)
LLAMAC_INTEGER_CONSTANT(udiv, DivUIOp)
LLAMAC_INTEGER_CONSTANT(urem, RemUIOp)
LLAMAC_INTEGER(bitAnd, AndIOp)
LLAMAC_INTEGER_CONSTANT(bitAnd, AndIOp)
LLAMAC_INTEGER(bitOr, OrIOp)
LLAMAC_INTEGER(bitXor, XOrIOp)
LLAMAC_INTEGER_CONSTANT(bitXor, XOrIOp)
LLAMAC_INTEGER_CONSTANT(shl, ShLIOp)
LLAMAC_INTEGER_CONSTANT(shr, ShRUIOp)
LLAMAC_INTEGER(umin, MinUIOp)
LLAMAC_INTEGER(umax, MaxUIOp)
LLAMAC_INTEGER(both, AndIOp)
LLAMAC_INTEGER(addf, AddFOp)
LLAMAC_INTEGER(subf, SubFOp)
LLAMAC_INTEGER(mulf, MulFOp)
#undef LLAMAC_INTEGER
#undef LLAMAC_INTEGER_CONSTANT

Value KernelBuilder::compare(arith::CmpIPredicate predicate, Value a, Value b) {
  return arith::CmpIOp::create(*this, predicate, a, b);
}
Value KernelBuilder::ult(Value a, Value b) {
  return compare(arith::CmpIPredicate::ult, a, b);
}
Value KernelBuilder::ult(Value a, int64_t b) {
  return ult(a, sized(*this, b, a));
}
Value KernelBuilder::equal(Value a, Value b) {
  return compare(arith::CmpIPredicate::eq, a, b);
}
Value KernelBuilder::equal(Value a, int64_t b) {
  return equal(a, sized(*this, b, a));
}
Value KernelBuilder::select(Value condition, Value a, Value b) {
  return arith::SelectOp::create(*this, condition, a, b);
}
Value KernelBuilder::widen(Value a) {
  return arith::ExtUIOp::create(*this, i64(), a);
}
Value KernelBuilder::narrow(Value a) {
  return arith::TruncIOp::create(*this, i32(), a);
}

//===----------------------------------------------------------------------===//
// f32
//===----------------------------------------------------------------------===//

Value KernelBuilder::maxf(Value a, Value b) {
  return LLVM::MaxNumOp::create(*this, a, b);
}
Value KernelBuilder::absf(Value a) {
  // llvm.intr.fabs would become a call of libdevice.
  return bits(bitAnd(bits(a, i32()), 0x7fffffff), f32());
}
Value KernelBuilder::fma(Value a, Value b, Value c) {
  return LLVM::FMAOp::create(*this, a, b, c);
}
Value KernelBuilder::approximate(StringRef intrinsic, Value operand) {
  return LLVM::CallIntrinsicOp::create(*this, operand.getType(),
                                       getStringAttr(intrinsic), operand)
      .getResult(0);
}
Value KernelBuilder::exp2(Value a) {
  return approximate("llvm.nvvm.ex2.approx.ftz", a);
}
Value KernelBuilder::log2(Value a) {
  return approximate("llvm.nvvm.lg2.approx.ftz.f", a);
}
Value KernelBuilder::rsqrt(Value a) {
  return approximate("llvm.nvvm.rsqrt.approx.f", a);
}
Value KernelBuilder::reciprocal(Value a) {
  return NVVM::RcpApproxFtzF32Op::create(*this, f32(), a);
}
Value KernelBuilder::divide(Value a, Value b) {
  return arith::DivFOp::create(*this, a, b);
}
Value KernelBuilder::toF32(Value integer) {
  return arith::SIToFPOp::create(*this, f32(), integer);
}
Value KernelBuilder::bits(Value value, Type type) {
  return LLVM::BitcastOp::create(*this, type, value);
}
Value KernelBuilder::compareF(arith::CmpFPredicate predicate, Value a,
                              Value b) {
  return arith::CmpFOp::create(*this, predicate, a, b);
}

//===----------------------------------------------------------------------===//
// Vectors and the storage type
//===----------------------------------------------------------------------===//

Value KernelBuilder::element(Value vector, int64_t index) {
  return LLVM::ExtractElementOp::create(*this, vector, constant(index));
}
Value KernelBuilder::insert(Value vector, Value value, int64_t index) {
  return LLVM::InsertElementOp::create(*this, vector, value, constant(index));
}
Value KernelBuilder::pack(ArrayRef<Value> elements) {
  Value result = LLVM::PoisonOp::create(
      *this, vector(elements.size(), elements.front().getType()));
  for (auto [index, value] : llvm::enumerate(elements))
    result = insert(result, value, index);
  return result;
}

Value KernelBuilder::roundPair(Value low, Value high, Type storage) {
  StringRef name =
      storage.isBF16() ? "llvm.nvvm.ff2bf16x2.rn" : "llvm.nvvm.ff2f16x2.rn";
  Value pair =
      LLVM::CallIntrinsicOp::create(*this, vector(2, storage),
                                    getStringAttr(name), ValueRange{high, low})
          .getResult(0);
  return bits(pair, i32());
}

std::pair<Value, Value> KernelBuilder::widenPair(Value packed, Type storage) {
  if (storage.isBF16())
    return {bits(shl(packed, 16), f32()),
            bits(bitAnd(packed, int64_t(0xffff0000)), f32())};
  Value halves = bits(packed, vector(2, storage));
  return {widenElement(element(halves, 0)), widenElement(element(halves, 1))};
}

Value KernelBuilder::round(Value value, Type storage) {
  if (storage == value.getType())
    return value;
  return arith::TruncFOp::create(*this, storage, value);
}

Value KernelBuilder::widenElement(Value value) {
  if (value.getType().isF32())
    return value;
  if (!value.getType().isBF16())
    return arith::ExtFOp::create(*this, f32(), value);
  Value raw = arith::ExtUIOp::create(*this, i32(), bits(value, getI16Type()));
  return bits(shl(raw, 16), f32());
}

//===----------------------------------------------------------------------===//
// Memory
//===----------------------------------------------------------------------===//

static unsigned alignmentOf(Type type) {
  unsigned bits = 0;
  if (auto vector = dyn_cast<VectorType>(type))
    bits = vector.getNumElements() * vector.getElementTypeBitWidth();
  else
    bits = type.getIntOrFloatBitWidth();
  return std::min(16u, bits / 8);
}

Value KernelBuilder::address(Value pointer, Value offset) {
  if (offset.getType().isInteger(32))
    offset = widen(offset);
  return LLVM::GEPOp::create(*this, pointer.getType(), getI8Type(), pointer,
                             ArrayRef<LLVM::GEPArg>{offset});
}
Value KernelBuilder::address(Value pointer, int64_t offset) {
  return offset == 0 ? pointer : address(pointer, constant64(offset));
}
Value KernelBuilder::load(Type type, Value pointer) {
  return LLVM::LoadOp::create(*this, type, pointer, alignmentOf(type));
}
Value KernelBuilder::loadEarly(Type type, Value pointer) {
  return LLVM::LoadOp::create(
      *this, type, pointer, alignmentOf(type), /*isVolatile=*/false,
      /*isNonTemporal=*/false, /*isInvariant=*/false,
      /*isInvariantGroup=*/false, LLVM::AtomicOrdering::monotonic, "device");
}
void KernelBuilder::store(Value value, Value pointer) {
  LLVM::StoreOp::create(*this, value, pointer, alignmentOf(value.getType()));
}
Value KernelBuilder::loadShared(Type type, Value offset) {
  return SharedLoadOp::create(*this, type, offset);
}
void KernelBuilder::storeShared(Value value, Value offset) {
  SharedStoreOp::create(*this, value, offset);
}

//===----------------------------------------------------------------------===//
// Exchange
//===----------------------------------------------------------------------===//

Value KernelBuilder::shuffleXor(Value value, int64_t laneMask) {
  return NVVM::ShflOp::create(*this, value.getType(), constant(-1), value,
                              constant(laneMask), constant(31),
                              NVVM::ShflKind::bfly, UnitAttr());
}
Value KernelBuilder::shuffleFrom(Value value, Value sourceLane) {
  return NVVM::ShflOp::create(*this, value.getType(), constant(-1), value,
                              sourceLane, constant(31), NVVM::ShflKind::idx,
                              UnitAttr());
}
void KernelBuilder::syncWarp() {
  NVVM::SyncWarpOp::create(*this, constant(-1));
}
void KernelBuilder::syncBlock() { NVVM::Barrier0Op::create(*this); }

//===----------------------------------------------------------------------===//
// Structure
//===----------------------------------------------------------------------===//

SmallVector<Value> KernelBuilder::loop(
    Value from, Value to, int64_t step, ValueRange carried,
    llvm::function_ref<SmallVector<Value>(Value, ValueRange)> body) {
  auto loop = scf::ForOp::create(*this, from, to, constant(step), carried);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(loop.getBody());
  SmallVector<Value> next =
      body(loop.getInductionVar(), loop.getRegionIterArgs());
  if (!carried.empty())
    scf::YieldOp::create(*this, next);
  return SmallVector<Value>(loop.getResults());
}
void KernelBuilder::loop(Value from, Value to, int64_t step,
                         llvm::function_ref<void(Value)> body) {
  loop(from, to, step, {}, [&](Value index, ValueRange) {
    body(index);
    return SmallVector<Value>();
  });
}
void KernelBuilder::when(Value condition, llvm::function_ref<void()> body) {
  auto branch = scf::IfOp::create(*this, condition, /*withElseRegion=*/false);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&branch.getThenRegion().front());
  body();
}
SmallVector<Value>
KernelBuilder::choose(Value condition, TypeRange types,
                      llvm::function_ref<SmallVector<Value>()> whenTrue,
                      llvm::function_ref<SmallVector<Value>()> whenFalse) {
  auto branch =
      scf::IfOp::create(*this, types, condition, /*withElseRegion=*/true);
  OpBuilder::InsertionGuard guard(*this);
  setInsertionPointToStart(&branch.getThenRegion().front());
  scf::YieldOp::create(*this, whenTrue());
  setInsertionPointToStart(&branch.getElseRegion().front());
  scf::YieldOp::create(*this, whenFalse());
  return SmallVector<Value>(branch.getResults());
}
