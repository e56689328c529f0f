// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Random weights straight into the packed layout, on the host.
#ifndef LLAMAC_RUNTIME_RANDOMFILLER_H
#define LLAMAC_RUNTIME_RANDOMFILLER_H

#include "runtime/RandomWeights.h"
#include "runtime/TensorTable.h"

namespace llrt {

class RandomFiller {
public:
  /// What the table views must outlive the filler.
  RandomFiller(const TensorTable &table, uint64_t seed);

  /// Bytes [offset, offset + bytes) of the packed weights, by the calling
  /// thread; both are multiples of 128, or end with the weights.
  void fill(uint64_t offset, uint64_t bytes, uint8_t *out) const;
  /// All of them, by several threads.
  void fillAll(uint8_t *out, unsigned threads) const;

  const TensorTable &table() const { return packing; }
  /// Of source `index` of the whole table.
  const RandomTensor &tensor(size_t index) const { return tensors[index]; }

private:
  void fillLine(const LlamacStream &stream, uint64_t place,
                uint8_t *line) const;
  void fillVectorOfPairs(const LlamacStream &stream, uint64_t first,
                         uint8_t *line) const;

  TensorTable packing;
  std::vector<RandomTensor> tensors; ///< of every source
  std::vector<int64_t> rows;         ///< likewise
};

} // namespace llrt

#endif
