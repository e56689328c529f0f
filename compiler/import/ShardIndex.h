// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Weights in several safetensors files: the index, and that it is true.
#ifndef LLAMAC_COMPILER_IMPORT_SHARDINDEX_H
#define LLAMAC_COMPILER_IMPORT_SHARDINDEX_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

/// Tensor -> name of its shard, a path that stays inside the folder.
using ShardIndex = std::map<std::string, std::string>;
using Tensors = std::map<std::string, Tensor>;

/// Reads the index; `name` opens messages.
llrt::Result<ShardIndex> parseShardIndex(std::string_view text,
                                         const std::string &name);

/// The index against what each shard holds: a tensor in two shards, one that
/// its shard lacks and one that the index lacks are errors.
llrt::Error checkShards(const ShardIndex &index, const std::string &name,
                        const std::map<std::string, Tensors> &shards);

} // namespace mlir::llama

#endif
