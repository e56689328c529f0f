// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The llama dialect in C++: include this to build or to match its ops.
//
// What each op means is said in LlamaOps.td and LlamaFusedOps.td; `ninja
// mlir-doc` makes docs/LlamaDialect.md of them.
#ifndef LLAMAC_DIALECTS_LLAMA_LLAMA_H
#define LLAMAC_DIALECTS_LLAMA_LLAMA_H

#include "mlir/Bytecode/BytecodeOpInterface.h"
#include "mlir/IR/BuiltinAttributes.h"
#include "mlir/IR/BuiltinTypes.h"
#include "mlir/IR/Dialect.h"
#include "mlir/IR/OpDefinition.h"
#include "mlir/IR/OpImplementation.h"
#include "mlir/IR/SymbolTable.h"
#include "mlir/Interfaces/InferTypeOpInterface.h"
#include "mlir/Interfaces/SideEffectInterfaces.h"

#include "dialects/llama/LlamaDialect.h.inc"
#include "dialects/llama/LlamaEnums.h.inc"

#define GET_ATTRDEF_CLASSES
#include "dialects/llama/LlamaAttributes.h.inc"

#define GET_OP_CLASSES
#include "dialects/llama/LlamaOps.h.inc"

#endif // LLAMAC_DIALECTS_LLAMA_LLAMA_H
