// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The hash of packed weights, as runtime/ExecutableFormat.h defines it: of
// pieces, so that it does not wait for one thread.
#ifndef LLAMAC_RUNTIME_PIECEHASH_H
#define LLAMAC_RUNTIME_PIECEHASH_H

#include "runtime/View.h"

#include <cstdint>

namespace llrt {

/// Collects the hashes of pieces; several threads may add different ones.
class PieceHash {
public:
  /// For `bytes` bytes in all.
  explicit PieceHash(uint64_t bytes);
  size_t count() const { return pieces.size(); }
  uint64_t offset(size_t piece) const;
  uint64_t size(size_t piece) const;
  /// `data`: the size(piece) bytes of it.
  void add(size_t piece, const void *data);
  /// When all have been added.
  uint64_t result() const;

private:
  uint64_t bytes;
  std::vector<uint64_t> pieces;
};

/// Of bytes that are all there, by several threads.
uint64_t hashPieces(View<uint8_t> bytes, unsigned threads);

} // namespace llrt

#endif
