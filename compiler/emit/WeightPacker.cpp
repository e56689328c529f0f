// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing, row tile by row tile. Test: test/emit/WeightPackerTest.cpp.
#include "compiler/emit/WeightPacker.h"

#include "compiler/import/TensorValues.h"

#include <algorithm>
#include <atomic>
#include <set>
#include <thread>

namespace mlir::llama {
namespace {

/// Row tiles are packed this many bytes at a time, or one for each thread.
constexpr uint64_t batchBytes = 4 << 20;

/// Runs body(0..count-1) on up to `threads` threads.
template <typename Body>
void parallelFor(int64_t count, unsigned threads, const Body &body) {
  std::atomic<int64_t> next{0};
  auto work = [&] {
    for (int64_t i; (i = next++) < count;)
      body(i);
  };
  std::vector<std::thread> others;
  for (unsigned i = 1; i < threads && int64_t(i) < count; ++i)
    others.emplace_back(work);
  work();
  for (std::thread &thread : others)
    thread.join();
}

class StreamPacker {
public:
  StreamPacker(const PackedStream &stream, std::vector<const Tensor *> sources)
      : stream(stream), sources(std::move(sources)) {
    for (const Tensor *tensor : this->sources)
      sourceRows.push_back(tensor->shape.size() == 2 ? tensor->shape[0] : 1);
  }

  /// The 64 rows of row tile `rowTile`: kTiles * 8192 bytes.
  void packRowTile(int64_t rowTile, uint8_t *out) const {
    std::memset(out, 0, stream.getKTiles() * 8192);
    for (int64_t r = 0; r < 64; ++r) {
      int64_t row = rowTile * 64 + r;
      if (row < stream.rows)
        packRow(llrt::getSourceRow(stream.order, stream.headDim,
                                   sourceRows.data(), sourceRows.size(), row),
                r, out);
    }
  }

  void packVector(uint8_t *out) const {
    std::memset(out, 0, stream.getPackedBytes());
    convertValues(*sources[0], 0, stream.k, stream.element, out);
  }

private:
  void packRow(llrt::SourceRow from, int64_t r, uint8_t *out) const {
    if (from.source < 0)
      return;
    const Tensor &tensor = *sources[from.source];
    int64_t tileK = stream.getTileK();
    for (int64_t tile = 0; tile < stream.getKTiles(); ++tile) {
      uint8_t line[128] = {};
      int64_t begin = tile * tileK;
      convertValues(tensor, from.row * stream.k + begin,
                    std::min(tileK, stream.k - begin), stream.element, line);
      uint8_t *row = out + tile * 8192 + r * 128;
      for (int chunk = 0; chunk < 8; ++chunk)
        std::memcpy(row + 16 * (chunk ^ (r % 8)), line + 16 * chunk, 16);
    }
  }

  const PackedStream &stream;
  std::vector<const Tensor *> sources;
  std::vector<int64_t> sourceRows;
};

/// Warns of values that are not finite; fails on those that overflow.
llrt::Error checkValues(const std::string &name, const Tensor &tensor,
                        DType element, unsigned threads,
                        std::vector<std::string> &warnings) {
  int64_t count = tensor.size / getBytes(tensor.dtype);
  constexpr int64_t part = 1 << 20;
  std::atomic<uint64_t> notFinite{0}, overflowing{0};
  parallelFor((count + part - 1) / part, threads, [&](int64_t i) {
    Tensor slice = tensor;
    slice.bytes += i * part * getBytes(tensor.dtype);
    slice.size = std::min(part, count - i * part) * getBytes(tensor.dtype);
    ValueScan scan = scanValues(slice, element);
    notFinite += scan.notFinite;
    overflowing += scan.overflowing;
  });
  if (overflowing)
    return llrt::Error("tensor \"" + name +
                       "\": " + std::to_string(overflowing) +
                       " of its values overflow " + getName(element) +
                       "; choose another storage type with --dtype");
  if (notFinite)
    warnings.push_back("tensor \"" + name + "\" holds " +
                       std::to_string(notFinite) +
                       " values that are NaN or infinite");
  return llrt::Error::success();
}

llrt::Error checkStream(const PackedStream &stream,
                        const std::vector<const Tensor *> &sources,
                        uint64_t position, uint64_t totalBytes) {
  auto fail = [&](const char *text) {
    return llrt::Error("packing plan: stream @" + stream.name + " " + text);
  };
  if (stream.offset < position)
    return fail("overlaps the one before");
  if (stream.offset > totalBytes ||
      stream.getPackedBytes() > totalBytes - stream.offset)
    return fail("ends past the weight buffer");
  for (const Tensor *tensor : sources)
    if (tensor->shape.back() != stream.k)
      return fail("has a source with another k");
  return llrt::Error::success();
}

} // namespace

std::vector<std::string>
describeConversions(const Checkpoint &checkpoint,
                    const std::vector<PackedStream> &streams) {
  std::set<std::string> seen;
  std::map<std::pair<DType, DType>, int> counts;
  for (const PackedStream &stream : streams)
    for (const std::string &name : stream.sources) {
      DType from = checkpoint.tensors.at(name).dtype;
      if (from != stream.element && seen.insert(name).second)
        ++counts[{from, stream.element}];
    }
  std::vector<std::string> lines;
  for (auto &[types, count] : counts)
    lines.push_back(std::string(getName(types.first)) + " -> " +
                    getName(types.second) + ": " + std::to_string(count) +
                    (count == 1 ? " tensor" : " tensors"));
  return lines;
}

llrt::Error packWeights(const Checkpoint &checkpoint,
                        std::vector<PackedStream> streams, uint64_t totalBytes,
                        unsigned threads, const ByteSink &sink,
                        std::vector<std::string> &warnings) {
  std::sort(streams.begin(), streams.end(),
            [](const PackedStream &a, const PackedStream &b) {
              return a.offset < b.offset;
            });
  static const uint8_t zeros[4096] = {};
  uint64_t position = 0;
  auto padTo = [&](uint64_t offset) {
    while (position < offset) {
      uint64_t count = std::min<uint64_t>(offset - position, sizeof zeros);
      if (llrt::Error error = sink(zeros, count))
        return error;
      position += count;
    }
    return llrt::Error::success();
  };
  std::set<std::string> checked;
  std::vector<uint8_t> buffer;
  threads = std::max(threads, 1u);
  for (const PackedStream &stream : streams) {
    std::vector<const Tensor *> sources;
    for (const std::string &name : stream.sources) {
      const Tensor &tensor = checkpoint.tensors.at(name);
      sources.push_back(&tensor);
      if (!checked.insert(name).second)
        continue;
      if (llrt::Error error =
              checkValues(name, tensor, stream.element, threads, warnings))
        return error;
    }
    if (llrt::Error error = checkStream(stream, sources, position, totalBytes))
      return error;
    if (llrt::Error error = padTo(stream.offset))
      return error;
    StreamPacker packer(stream, std::move(sources));
    bool isVector = stream.order == PackedStream::Vector;
    uint64_t unit = isVector ? stream.getPackedBytes()
                             : uint64_t(stream.getKTiles()) * 8192;
    int64_t units = isVector ? 1 : stream.getRowTiles();
    int64_t batch = std::max<int64_t>(threads, int64_t(batchBytes / unit));
    buffer.resize(unit * std::min(batch, units));
    for (int64_t first = 0; first < units; first += batch) {
      int64_t count = std::min(batch, units - first);
      parallelFor(count, threads, [&](int64_t i) {
        uint8_t *out = buffer.data() + i * unit;
        isVector ? packer.packVector(out) : packer.packRowTile(first + i, out);
      });
      if (llrt::Error error = sink(buffer.data(), count * unit))
        return error;
      position += count * unit;
    }
  }
  return padTo(totalBytes);
}

} // namespace mlir::llama
