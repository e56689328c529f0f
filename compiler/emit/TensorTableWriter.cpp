// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Lays out the packing table. Its reader is runtime/TensorTable.
#include "compiler/emit/TensorTableWriter.h"

#define XXH_INLINE_ALL
#include <algorithm>
#include <cstring>
#include <xxhash.h>

namespace mlir::llama {

std::vector<uint8_t> makeTensorTable(const Config &config,
                                     std::vector<PackedStream> streams) {
  std::map<std::string, std::vector<int64_t>> shapes;
  for (const ExpectedTensor &tensor : getExpectedTensors(config))
    shapes[tensor.name] = tensor.shape;
  std::sort(streams.begin(), streams.end(),
            [](const PackedStream &a, const PackedStream &b) {
              return a.offset < b.offset;
            });
  std::vector<LlamacStream> entries;
  std::vector<LlamacStreamSource> sources;
  std::string strings;
  for (const PackedStream &stream : streams) {
    LlamacStream entry = {};
    entry.offset = stream.offset;
    entry.rows = stream.rows;
    entry.k = stream.k;
    entry.order = stream.order;
    entry.head_dim = static_cast<uint32_t>(stream.headDim);
    entry.first_source = static_cast<uint32_t>(sources.size());
    entry.source_count = static_cast<uint32_t>(stream.sources.size());
    entries.push_back(entry);
    for (const std::string &name : stream.sources) {
      const int64_t rows =
          stream.order == PackedStream::Vector ? 1 : shapes.at(name)[0];
      sources.push_back({static_cast<uint64_t>(rows),
                         static_cast<uint32_t>(strings.size()), 0});
      strings.append(name.c_str(), name.size() + 1);
    }
  }
  LlamacTensorsHeader header = {};
  header.magic = LLAMAC_TENSORS_MAGIC;
  header.streams_offset = sizeof header;
  header.sources_offset =
      header.streams_offset + entries.size() * sizeof(LlamacStream);
  header.strings_offset =
      header.sources_offset + sources.size() * sizeof(LlamacStreamSource);
  header.stream_count = static_cast<uint32_t>(entries.size());
  header.source_count = static_cast<uint32_t>(sources.size());
  header.strings_bytes = static_cast<uint32_t>(strings.size());
  std::vector<uint8_t> bytes(header.strings_offset + strings.size());
  std::memcpy(bytes.data(), &header, sizeof header);
  std::memcpy(bytes.data() + header.streams_offset, entries.data(),
              entries.size() * sizeof(LlamacStream));
  std::memcpy(bytes.data() + header.sources_offset, sources.data(),
              sources.size() * sizeof(LlamacStreamSource));
  std::memcpy(bytes.data() + header.strings_offset, strings.data(),
              strings.size());
  return bytes;
}

uint64_t getWeightsId(const std::vector<uint8_t> &table, uint32_t dtype) {
  return XXH3_64bits_withSeed(table.data(), table.size(), dtype);
}

} // namespace mlir::llama
