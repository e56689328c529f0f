// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// How GGUF stores tensors.
#ifndef LLAMAC_COMPILER_IMPORT_GGUFTYPES_H
#define LLAMAC_COMPILER_IMPORT_GGUFTYPES_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// One of ggml's types that llamac reads.
struct GgufType {
  uint64_t code; // enum ggml_type
  const char *name;
  DType dtype; // what it is read as
  bool isQuantized;
  unsigned blockElements, blockBytes;
};
/// Null for one that it does not read.
const GgufType *findGgufType(uint64_t code);
/// "Q4_K", or "type 99" for one that is not known at all.
std::string getGgufTypeName(uint64_t code);

/// Rows of Q8_0 as f32: a block is a float16 scale d and 32 int8 q, each
/// element d * q, which f32 holds exactly. Rows are whole blocks.
std::shared_ptr<const RowSource> decodeQ8_0(const uint8_t *bytes,
                                            uint64_t columns, bool isMapped);

} // namespace mlir::llama

#endif
