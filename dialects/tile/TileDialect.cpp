// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registration and verifiers of the tile dialect. The numbers are those of the
// constraints in TileOps.td and TileDialect.td.
#include "dialects/tile/TileDialect.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"
#include "llvm/Support/MathExtras.h"

using namespace mlir;
using namespace mlir::tile;

#include "dialects/tile/TileDialect.cpp.inc"
#include "dialects/tile/TileEnums.cpp.inc"
#define GET_TYPEDEF_CLASSES
#include "dialects/tile/TileTypes.cpp.inc"

void TileDialect::initialize() {
  addTypes<
#define GET_TYPEDEF_LIST
#include "dialects/tile/TileTypes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/tile/TileOps.cpp.inc"
      >();
}

LogicalResult RingType::verify(function_ref<InFlightDiagnostic()> emitError,
                               int64_t stages, int64_t stageBytes, Scope) {
  if (stages < 1 || stages > 64 || !llvm::isPowerOf2_64(stages)) // (C1)
    return emitError() << "has " << stages
                       << " stages; needs a power of two, at most 64";
  if (stageBytes < 16 || stageBytes % 16) // (C2)
    return emitError() << "has stages of " << stageBytes
                       << " bytes; needs a positive multiple of 16";
  return success();
}

static bool isElement(Type type) {
  return type.isBF16() || type.isF16() || type.isF32();
}

static ParseResult parseSources(OpAsmParser &parser, ArrayAttr &sources) {
  SmallVector<Attribute> names;
  auto parseOne = [&]() -> ParseResult {
    StringAttr name;
    if (parser.parseSymbolName(name))
      return failure();
    names.push_back(FlatSymbolRefAttr::get(name));
    return success();
  };
  if (parser.parseCommaSeparatedList(parseOne))
    return failure();
  sources = parser.getBuilder().getArrayAttr(names);
  return success();
}

static void printSources(OpAsmPrinter &printer, StreamOp, ArrayAttr sources) {
  llvm::interleaveComma(sources.getAsRange<FlatSymbolRefAttr>(), printer,
                        [&](FlatSymbolRefAttr name) {
                          printer.printSymbolName(name.getValue());
                        });
}

LogicalResult StreamOp::verify() {
  if (!isElement(getElement())) // (C1)
    return emitOpError("holds ") << getElement() << "; needs bf16, f16 or f32";
  int64_t offset = getOffset(), rows = getRows(), k = getK();
  if (offset < 0 || offset % 1024 || rows < 1 || k < 1) // (C2)
    return emitOpError("needs an offset that is a multiple of 1024, and "
                       "positive rows and k");
  int64_t count = getSources().size();
  RowOrder order = getOrder();
  bool pairs =
      order == RowOrder::RopePairs || order == RowOrder::RopePairsVector;
  bool gateUp = order == RowOrder::GateUp || order == RowOrder::GateUpVector;
  if ((pairs && count != 3) || (gateUp && count != 2) ||
      (order == RowOrder::Vector && count != 1) || count == 0) // (C3)
    return emitOpError("has ") << count << " sources, which does not fit "
                               << stringifyRowOrder(order);
  if (pairs != getHeadDim().has_value() ||
      (pairs && (*getHeadDim() < 2 || *getHeadDim() % 2))) // (C4)
    return emitOpError("needs an even head_dim exactly for rope pairs");
  if (isVector() ? rows != 1 : (pairs || gateUp) && rows % 16) // (C5)
    return emitOpError("has ")
           << rows << " rows, which does not fit " << stringifyRowOrder(order);
  if (isVector() && (pairs || gateUp) && k % 16) // (C5)
    return emitOpError("has ") << k << " elements, which does not fit "
                               << stringifyRowOrder(order);
  return success();
}

LogicalResult PlaceOp::verify() {
  int64_t offset = getOffset();
  if (offset < 0) // (C1)
    return emitOpError("has the negative offset ") << offset;
  return success();
}

LogicalResult ExtentOp::verify() {
  auto legal = [](int64_t value) { return value > 0 && value <= UINT32_MAX; };
  if (!legal(getMultiplier()) || !legal(getDivisor())) // (C1)
    return emitOpError("needs a positive 32-bit multiplier and divisor");
  return success();
}

LogicalResult RingFillOp::verify() {
  int64_t limit = getRing().getType().getStageBytes();
  int64_t bytes = getBytes().value_or(limit);
  if (bytes < 16 || bytes % 16 || bytes > limit) // (C1)
    return emitOpError("copies ") << bytes << " bytes into a stage of " << limit
                                  << "; needs a positive multiple of 16";
  return success();
}

LogicalResult ProductOp::verify() {
  Builder builder(getContext());
  Type i32 = builder.getI32Type(), f32 = builder.getF32Type();
  bool narrow = getElement().isBF16() || getElement().isF16();
  Type a = narrow ? VectorType::get(4, i32) : VectorType::get(8, f32);
  Type b = narrow ? VectorType::get(2, i32) : VectorType::get(8, f32);
  if (!isElement(getElement()) || getA().getType() != a ||
      getB().getType() != b) // (C1)
    return emitOpError("of ") << getElement() << " needs operands " << a
                              << " and " << b << " of bf16, f16 or f32";
  return success();
}

LogicalResult SoftmaxUpdateOp::verify() {
  if (getScores().size() != getProbabilities().size()) // (C1)
    return emitOpError("has ") << getScores().size() << " scores but "
                               << getProbabilities().size() << " probabilities";
  return success();
}

#define GET_OP_CLASSES
#include "dialects/tile/TileOps.cpp.inc"
