// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packs tensors into the tiles that the kernels read. Plain C++: the packing
// plan comes from the module's tile.stream ops (PlanReader), which describe the
// orders; the bytes come from the mapped checkpoint.
// runtime/PackedLayout.h says where each element goes.
#ifndef LLAMAC_COMPILER_EMIT_WEIGHTPACKER_H
#define LLAMAC_COMPILER_EMIT_WEIGHTPACKER_H

#include "compiler/import/Checkpoint.h"
#include "runtime/PackedLayout.h"

#include <functional>

namespace mlir::llama {

/// One packed matrix or vector: a tile.stream without MLIR.
struct PackedStream {
  enum Order {
    Rows = LLAMAC_ROWS,
    RopePairs = LLAMAC_ROPE_PAIRS,
    GateUp = LLAMAC_GATE_UP,
    Vector = LLAMAC_VECTOR,
    RopePairsVector = LLAMAC_ROPE_PAIRS_VECTOR,
    GateUpVector = LLAMAC_GATE_UP_VECTOR
  };
  std::string name;
  Order order = Rows;
  std::vector<std::string> sources; // tensor names
  int64_t rows = 0;                 // before the padding to 64
  int64_t k = 0;                    // elements of a row, before the padding
  DType element = DType::BF16;
  uint64_t offset = 0; // in the weight buffer, a multiple of 1024
  int64_t headDim = 0; // of RopePairs and RopePairsVector

  bool isVector() const { return llrt::isVector(order); }
  int64_t getTileK() const { return 128 / getBytes(element); }
  int64_t getKTiles() const { return (k + getTileK() - 1) / getTileK(); }
  int64_t getRowTiles() const { return (rows + 63) / 64; }
  uint64_t getPackedBytes() const {
    return isVector() ? uint64_t(getKTiles()) * 128
                      : uint64_t(getRowTiles()) * getKTiles() * 8192;
  }
};

/// Takes the packed bytes in order.
using ByteSink = std::function<llrt::Error(const void *data, size_t size)>;

/// "f32 -> bf16: 12 tensors", one line for each pair of types that differ.
std::vector<std::string>
describeConversions(const Checkpoint &checkpoint,
                    const std::vector<PackedStream> &streams);

/// Sends `totalBytes` bytes to `sink`: every stream at its offset, zeros
/// between. The bytes do not depend on `threads`; the memory does: the larger
/// of 4 MiB and one row tile (64 rows) for each, and for two more; mapped pages
/// are let go of as soon as they are packed. `sink` is called by the calling
/// thread while others pack what follows. A finite value that overflows
/// `element` is an error; a tensor with NaN or infinite values is a warning.
llrt::Error packWeights(const Checkpoint &checkpoint,
                        std::vector<PackedStream> streams, uint64_t totalBytes,
                        unsigned threads, const ByteSink &sink,
                        std::vector<std::string> &warnings);

} // namespace mlir::llama

#endif
