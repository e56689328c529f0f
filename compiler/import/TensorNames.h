// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the formats call the tensors of a Llama, and how each stores them.
#ifndef LLAMAC_COMPILER_IMPORT_TENSORNAMES_H
#define LLAMAC_COMPILER_IMPORT_TENSORNAMES_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// How Meta's model-parallel shards hold a tensor.
enum class ShardJoin { Rows, Columns, Equal, Embedding };

struct TensorNaming {
  const char *huggingFace, *meta, *gguf; // {} stands for the layer
  ShardJoin join;
  bool isPaired; // stored pair by pair in the other two: separatePairs
};

/// The row for a tensor of the model; its names with the layer filled in.
struct NamedTensor {
  const TensorNaming *naming;
  std::string meta, gguf;
};
/// For a name that getExpectedTensors gives; none where the other formats lack
/// the tensor.
std::optional<NamedTensor> nameTensor(const std::string &huggingFace);

/// "[2, 3]"
std::string describeShape(const std::vector<int64_t> &shape);

/// Whether two tensors hold the same numbers in the same shape.
bool haveEqualValues(const Tensor &a, const Tensor &b);

} // namespace mlir::llama

#endif
