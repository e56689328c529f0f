// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// --random-weights on a GPU: one stream of packed weights a launch, one 16-byte
// chunk a thread. Its twin on the host is runtime/RandomFiller.cpp.
#include "RandomArithmetic.h"

namespace random_fill {

typedef unsigned u32;
typedef unsigned long long u64;

enum Order : u32 {
  rowsInOrder,
  ropePairs,
  gateUp,
  oneVector,
  ropePairsVector,
  gateUpVector
};

/// One number for each source: selected, for an array that is indexed would lie
/// in local memory.
struct OfSources {
  u64 first, second, third;
  __device__ u64 operator[](u32 source) const {
    return source == 0 ? first : source == 1 ? second : third;
  }
};

/// The row of a source that packed row `row` holds; false: zeros.
__device__ bool findSource(const OfSources &rows, u32 count, u32 order,
                           u32 headDim, u64 row, u32 &source, u64 &inSource) {
  if (order == rowsInOrder || order == oneVector) {
    for (source = 0; source < count; ++source) {
      if (row < rows[source]) {
        inSource = row;
        return true;
      }
      row -= rows[source];
    }
    return false;
  }
  // A group of 16 rows holds 8 pairs: firsts, then seconds.
  u64 pair = row / 16 * 8 + row % 8;
  bool second = row % 16 >= 8;
  if (order == gateUp || order == gateUpVector) {
    source = second;
    inSource = pair;
    return pair < rows[0];
  }
  u32 half = headDim / 2;
  for (source = 0; source < count; ++source) {
    u64 pairs = rows[source] / 2;
    if (pair < pairs) {
      u64 head = pair / half, j = pair % half;
      u64 element = source < 2 ? j + (second ? half : 0) : 2 * j + second;
      inSource = head * headDim + element;
      return true;
    }
    pair -= pairs;
  }
  return false;
}

} // namespace random_fill

/// Fills `chunks` chunks of 16 bytes from `out` on: a whole stream of `rows`
/// rows of `k` elements. A stream has up to three sources.
extern "C" __global__ void __launch_bounds__(256)
    fill_random(unsigned char *out, unsigned long long chunks,
                unsigned long long rows, unsigned long long k, unsigned order,
                unsigned head_dim, unsigned dtype, unsigned source_count,
                unsigned long long rows0, unsigned long long rows1,
                unsigned long long rows2, unsigned long long key0,
                unsigned long long key1, unsigned long long key2,
                long long mean, long long scale) {
  using namespace random_fill;
  u64 chunk = u64(blockIdx.x) * blockDim.x + threadIdx.x;
  if (chunk >= chunks)
    return;
  const u32 size = dtype == 2 ? 4 : 2, perChunk = 16 / size,
            perLine = 128 / size;
  u64 line = chunk / 8, row = 0, first = line * perLine;
  u32 inLine = chunk % 8;
  if (order < oneVector) {
    u64 tile = line / 64, along = (k + perLine - 1) / perLine;
    row = tile / along * 64 + line % 64;
    first = tile % along * perLine;
    inLine ^= row % 8; // the swizzle
  }
  first += inLine * perChunk;
  const OfSources sourceRows = {rows0, rows1, rows2}, keys = {key0, key1, key2};
  u32 source = 0;
  u64 inSource = 0;
  bool covered = row < rows && findSource(sourceRows, source_count, order,
                                          head_dim, row, source, inSource);
  auto word = [&](u32 index) {
    u32 bits = 0;
    for (u32 part = 0; part < 4 / size; ++part) {
      u64 at = first + index * (4 / size) + part;
      if (at >= k)
        break;
      u64 index = inSource * k + at;
      if (order > oneVector) { // each element has a source of its own
        covered = findSource(sourceRows, source_count, order, head_dim, at,
                             source, inSource);
        index = inSource;
      }
      if (!covered)
        continue;
      long long value =
          mean + llrt::randomNormal(keys[source], index) * scale;
      bits |= llrt::randomBits(value, dtype) << (16 * part);
    }
    return bits;
  };
  *reinterpret_cast<uint4 *>(out + chunk * 16) =
      make_uint4(word(0), word(1), word(2), word(3));
}
