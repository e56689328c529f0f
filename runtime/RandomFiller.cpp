// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Line by line of 128 bytes, as the tiles have them.
#include "runtime/RandomFiller.h"

#include "runtime/PackedLayout.h"

#include <algorithm>
#include <atomic>
#include <cstring>
#include <thread>

using namespace llrt;

RandomFiller::RandomFiller(const TensorTable &table, uint64_t seed)
    : packing(table) {
  size_t count = 0;
  for (const LlamacStream &stream : packing.streams())
    count = std::max<size_t>(count, stream.first_source + stream.source_count);
  tensors.resize(count);
  rows.resize(count);
  for (const LlamacStream &stream : packing.streams()) {
    size_t index = stream.first_source;
    for (const LlamacStreamSource &source : packing.sources(stream)) {
      const char *name = packing.name(source);
      tensors[index] = isVector(stream.order)
                           ? RandomTensor::vector(seed, name)
                           : RandomTensor::matrix(seed, name, stream.k);
      rows[index++] = static_cast<int64_t>(source.rows);
    }
  }
}

/// The 128 bytes from element `first` of a vector of pairs on.
void RandomFiller::fillVectorOfPairs(const LlamacStream &stream, uint64_t first,
                                     uint8_t *line) const {
  const uint32_t dtype = packing.dtype(), size = elementBytes(dtype);
  std::memset(line, 0, tileRowBytes);
  for (uint64_t i = 0; i < tileElements(dtype) && first + i < stream.k; ++i) {
    SourceRow from =
        getSourceRow(stream.order, stream.head_dim, &rows[stream.first_source],
                     stream.source_count, static_cast<int64_t>(first + i));
    if (from.source < 0)
      continue;
    const RandomTensor &tensor =
        tensors[stream.first_source + static_cast<size_t>(from.source)];
    uint32_t bits =
        roundToStorage(tensor.value(static_cast<uint64_t>(from.row)), dtype);
    std::memcpy(line + i * size, &bits, size);
  }
}

/// The 128 bytes at `place` of a stream: elements of one row.
void RandomFiller::fillLine(const LlamacStream &stream, uint64_t place,
                            uint8_t *line) const {
  const uint32_t dtype = packing.dtype();
  const uint64_t elements = tileElements(dtype);
  uint64_t row = 0, first = place / tileRowBytes * elements, swizzle = 0;
  if (isVectorOfPairs(stream.order))
    return fillVectorOfPairs(stream, first, line);
  if (!isVector(stream.order)) {
    uint64_t tile = place / tileBytes, along = tilesAlongK(stream, dtype);
    swizzle = place % tileBytes / tileRowBytes % 8;
    row = tile / along * tileRows + place % tileBytes / tileRowBytes;
    first = tile % along * elements;
  }
  SourceRow from;
  if (row < stream.rows)
    from =
        getSourceRow(stream.order, stream.head_dim, &rows[stream.first_source],
                     stream.source_count, static_cast<int64_t>(row));
  if (from.source < 0) {
    std::memset(line, 0, tileRowBytes);
    return;
  }
  const RandomTensor &tensor =
      tensors[stream.first_source + static_cast<size_t>(from.source)];
  const uint64_t index = static_cast<uint64_t>(from.row) * stream.k + first;
  const uint64_t count = std::min(elements, stream.k - first);
  const uint32_t size = elementBytes(dtype), perChunk = 16 / size;
  for (uint64_t i = 0; i < elements; ++i) {
    uint32_t bits =
        i < count ? roundToStorage(tensor.value(index + i), dtype) : 0;
    uint64_t chunk = i / perChunk ^ swizzle;
    std::memcpy(line + chunk * 16 + i % perChunk * size, &bits, size);
  }
}

void RandomFiller::fill(uint64_t offset, uint64_t bytes, uint8_t *out) const {
  View<LlamacStream> streams = packing.streams();
  const LlamacStream *stream = std::upper_bound(
      streams.begin(), streams.end(), offset,
      [](uint64_t at, const LlamacStream &one) { return at < one.offset; });
  if (stream != streams.begin())
    --stream;
  for (uint64_t end = offset + bytes; offset < end;
       offset += tileRowBytes, out += tileRowBytes) {
    while (stream != streams.end() && stream + 1 != streams.end() &&
           offset >= stream[1].offset)
      ++stream;
    if (stream == streams.end() || offset < stream->offset ||
        offset - stream->offset >= packedBytes(*stream, packing.dtype()))
      std::memset(out, 0, std::min<uint64_t>(tileRowBytes, end - offset));
    else
      fillLine(*stream, offset - stream->offset, out);
  }
}

void RandomFiller::fillAll(uint8_t *out, unsigned threads) const {
  constexpr uint64_t part = 1 << 20;
  std::atomic<uint64_t> next{0};
  auto work = [&] {
    for (uint64_t at; (at = next.fetch_add(part)) < packing.weightsBytes();)
      fill(at, std::min(part, packing.weightsBytes() - at), out + at);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
}
