// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Where an element of a tensor lies in the packed weights: the one definition,
// for the compiler that packs and for the runtime that fills random weights.
//
// A stream is one packed matrix. Its tiles are 64 rows x 128 bytes of k, 8 KB;
// the 16-byte chunk c of row r lies at chunk c ^ (r % 8). Tiles lie in the
// order [row tile][k tile]. What no source covers is zero. A vector has no
// tiles: its elements lie in order, padded to 128 bytes. The biases of rows that
// lie in pairs are a vector whose element i is that of row i.
#ifndef LLAMAC_RUNTIME_PACKEDLAYOUT_H
#define LLAMAC_RUNTIME_PACKEDLAYOUT_H

#include "runtime/ExecutableFormat.h"

#include <cstddef>
#include <cstdint>

namespace llrt {

constexpr uint64_t tileRows = 64, tileRowBytes = 128, tileBytes = 8192;

inline uint32_t elementBytes(uint32_t dtype) {
  return dtype == LLAMAC_F32 ? 4 : 2;
}

/// Without tiles.
inline bool isVector(uint32_t order) { return order >= LLAMAC_VECTOR; }
/// Whose elements come from several sources, in the order of rows in pairs.
inline bool isVectorOfPairs(uint32_t order) { return order > LLAMAC_VECTOR; }

/// Elements of k in one tile.
inline uint64_t tileElements(uint32_t dtype) {
  return tileRowBytes / elementBytes(dtype);
}

/// Tiles along k; for a vector its pieces of 128 bytes.
inline uint64_t tilesAlongK(const LlamacStream &stream, uint32_t dtype) {
  return (stream.k + tileElements(dtype) - 1) / tileElements(dtype);
}

inline uint64_t packedBytes(const LlamacStream &stream, uint32_t dtype) {
  if (isVector(stream.order))
    return tilesAlongK(stream, dtype) * tileRowBytes;
  return (stream.rows + tileRows - 1) / tileRows * tilesAlongK(stream, dtype) *
         tileBytes;
}

/// The row of a source that a packed row holds; source -1: zeros.
struct SourceRow {
  int source = -1;
  int64_t row = 0;
};

/// `rows`: of each source, `count` of them. Of a vector of pairs `row` is an
/// element, and `rows` are those of the sources.
SourceRow getSourceRow(uint32_t order, int64_t headDim, const int64_t *rows,
                       size_t count, int64_t row);

} // namespace llrt

#endif
