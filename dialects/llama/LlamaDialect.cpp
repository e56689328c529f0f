// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Registers the llama dialect's ops and attributes.
#include "dialects/llama/Llama.h"

#include "mlir/IR/Builders.h"
#include "mlir/IR/DialectImplementation.h"
#include "llvm/ADT/TypeSwitch.h"

using namespace mlir;
using namespace mlir::llama;

#include "dialects/llama/LlamaDialect.cpp.inc"
#include "dialects/llama/LlamaEnums.cpp.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/llama/LlamaAttributes.cpp.inc"

#define GET_OP_CLASSES
#include "dialects/llama/LlamaOps.cpp.inc"

void LlamaDialect::initialize() {
  addAttributes<
#define GET_ATTRDEF_LIST
#include "dialects/llama/LlamaAttributes.cpp.inc"
      >();
  addOperations<
#define GET_OP_LIST
#include "dialects/llama/LlamaOps.cpp.inc"
      >();
}
