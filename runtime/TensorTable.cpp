// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads the packing table defensively.
#include "runtime/TensorTable.h"

#include "runtime/PackedLayout.h"

#include <cstring>

using namespace llrt;

/// A stream's own numbers, its sources being inside the table.
static std::string findFault(const LlamacStream &stream,
                             View<LlamacStreamSource> sources) {
  constexpr uint64_t most = 1ull << 31;
  if (stream.rows == 0 || stream.rows > most || stream.k == 0 ||
      stream.k > most)
    return "has no possible size";
  if (stream.offset % 1024 != 0)
    return "has an offset that is no multiple of 1024";
  for (const LlamacStreamSource &source : sources)
    if (source.rows == 0 || source.rows > most)
      return "has a source of no possible size";
  const bool ropePairs = stream.order == LLAMAC_ROPE_PAIRS ||
                         stream.order == LLAMAC_ROPE_PAIRS_VECTOR;
  const bool gateUp =
      stream.order == LLAMAC_GATE_UP || stream.order == LLAMAC_GATE_UP_VECTOR;
  uint32_t wanted = ropePairs                       ? 3
                    : gateUp                        ? 2
                    : stream.order == LLAMAC_VECTOR ? 1
                                                    : stream.source_count;
  if (stream.order > LLAMAC_GATE_UP_VECTOR || stream.source_count != wanted ||
      stream.source_count == 0)
    return "has an order that does not fit its sources";
  if (gateUp && sources[0].rows != sources[1].rows)
    return "has gate and up of different sizes";
  if (ropePairs) {
    if (stream.head_dim == 0 || stream.head_dim % 2 != 0)
      return "has no head_dim";
    for (const LlamacStreamSource &source : sources)
      if (source.rows % stream.head_dim != 0)
        return "has a source of no whole heads";
  }
  return "";
}

Result<TensorTable> TensorTable::read(View<uint8_t> bytes, uint32_t dtype,
                                      uint64_t weightsBytes,
                                      const std::string &where) {
  auto damaged = [&](const std::string &what) {
    return Error(where + ": " + what + "; compile the model again");
  };
  LlamacTensorsHeader header;
  if (bytes.size() < sizeof header)
    return damaged("found " + std::to_string(bytes.size()) +
                   " bytes, expected a table of tensors");
  std::memcpy(&header, bytes.data(), sizeof header);
  if (header.magic != LLAMAC_TENSORS_MAGIC)
    return damaged("is no table of tensors");
  auto fits = [&](uint64_t offset, uint64_t count, uint64_t size) {
    return offset % 8 == 0 && offset <= bytes.size() &&
           count <= (bytes.size() - offset) / size;
  };
  if (!fits(header.streams_offset, header.stream_count, sizeof(LlamacStream)) ||
      !fits(header.sources_offset, header.source_count,
            sizeof(LlamacStreamSource)) ||
      !fits(header.strings_offset, header.strings_bytes, 1) ||
      (header.strings_bytes != 0 &&
       bytes[header.strings_offset + header.strings_bytes - 1] != 0))
    return damaged("an array lies outside of it");

  TensorTable table;
  table.storage = dtype;
  table.bytes = weightsBytes;
  const uint8_t *data = bytes.data();
  table.allStreams = {
      reinterpret_cast<const LlamacStream *>(data + header.streams_offset),
      header.stream_count};
  table.allSources = {reinterpret_cast<const LlamacStreamSource *>(
                          data + header.sources_offset),
                      header.source_count};
  table.strings = reinterpret_cast<const char *>(data + header.strings_offset);
  for (const LlamacStreamSource &source : table.allSources)
    if (source.name_offset >= header.strings_bytes)
      return damaged("a tensor has no name");
  uint64_t end = 0;
  for (uint32_t i = 0; i < header.stream_count; ++i) {
    const LlamacStream &stream = table.allStreams[i];
    auto fault = [&](const std::string &what) {
      return damaged("stream " + std::to_string(i) + " " + what);
    };
    if (stream.first_source > header.source_count ||
        stream.source_count > header.source_count - stream.first_source)
      return fault("has sources outside of the table");
    if (std::string what = findFault(stream, table.sources(stream));
        !what.empty())
      return fault(what);
    if (stream.offset < end)
      return fault("overlaps the one before");
    if (stream.offset > weightsBytes ||
        packedBytes(stream, dtype) > weightsBytes - stream.offset)
      return fault("ends past the weights");
    end = stream.offset + packedBytes(stream, dtype);
  }
  return table;
}
