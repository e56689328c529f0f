// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Packing, row tile by row tile. Test: test/emit/WeightPackerTest.cpp.
#include "compiler/emit/WeightPacker.h"

#include "compiler/emit/RunInOrder.h"
#include "compiler/import/TensorValues.h"

#include <algorithm>
#include <set>

namespace mlir::llama {
namespace {

/// A unit of work: whole row tiles of one stream, together about this many
/// bytes, or one row tile where that has more.
constexpr uint64_t unitBytes = 4 << 20;

/// What packing one unit met.
struct Findings {
  std::vector<ValueScan> scans; // of each source
};

class StreamPacker {
public:
  StreamPacker(const PackedStream &stream, std::vector<const Tensor *> sources)
      : stream(stream), sources(std::move(sources)) {
    for (const Tensor *tensor : this->sources)
      sourceRows.push_back(
          stream.order == PackedStream::Vector ? 1 : tensor->shape[0]);
    tileBytes = stream.isVector() ? stream.getPackedBytes()
                                  : uint64_t(stream.getKTiles()) * 8192;
    tiles = stream.isVector() ? 1 : stream.getRowTiles();
    tilesOfUnit = std::max<int64_t>(1, int64_t(unitBytes / tileBytes));
  }

  int64_t getUnits() const { return (tiles + tilesOfUnit - 1) / tilesOfUnit; }
  uint64_t getUnitBytes(int64_t unit) const {
    return std::min(tilesOfUnit, tiles - unit * tilesOfUnit) * tileBytes;
  }

  /// Packs unit `unit`, and lets go of the mapped pages that it read.
  void pack(int64_t unit, uint8_t *out, Findings &findings) const {
    findings.scans.assign(sources.size(), ValueScan());
    std::vector<RowRange> ranges = getRanges(unit);
    Scratch scratch;
    if (stream.isVector()) {
      packVector(out, scratch, findings);
    } else {
      int64_t first = unit * tilesOfUnit;
      int64_t count = std::min(tilesOfUnit, tiles - first);
      for (int64_t i = 0; i < count; ++i)
        for (int64_t r = 0; r < 64; ++r)
          packRow((first + i) * 64 + r, out + i * tileBytes, scratch, findings);
    }
    for (size_t i = 0; i < sources.size(); ++i)
      if (ranges[i].begin < ranges[i].end)
        forgetRows(*sources[i], ranges[i].begin, ranges[i].end);
  }

  /// Asks for the pages of `unit` before it is its turn.
  void readAhead(int64_t unit) const {
    std::vector<RowRange> ranges = getRanges(unit);
    for (size_t i = 0; i < sources.size(); ++i)
      if (ranges[i].begin < ranges[i].end)
        wantRows(*sources[i], ranges[i].begin, ranges[i].end);
  }

  const PackedStream &stream;
  const std::vector<const Tensor *> sources;

private:
  struct RowRange {
    int64_t begin = INT64_MAX, end = 0;
  };

  struct Scratch {
    std::vector<uint8_t> made, converted; // one row each
  };

  llrt::SourceRow getSource(int64_t row) const {
    if (row >= stream.rows)
      return {};
    return llrt::getSourceRow(stream.order, stream.headDim, sourceRows.data(),
                              sourceRows.size(), row);
  }

  /// The rows of each source that a unit reads, and those between them.
  std::vector<RowRange> getRanges(int64_t unit) const {
    std::vector<RowRange> ranges(sources.size());
    if (stream.isVector()) {
      ranges.assign(sources.size(), {0, 1});
      return ranges;
    }
    int64_t first = unit * tilesOfUnit;
    int64_t last = std::min(first + tilesOfUnit, tiles);
    for (int64_t row = first * 64; row < last * 64; ++row) {
      llrt::SourceRow from = getSource(row);
      if (from.source < 0)
        continue;
      RowRange &range = ranges[from.source];
      range.begin = std::min(range.begin, from.row);
      range.end = std::max(range.end, from.row + 1);
    }
    return ranges;
  }

  /// The elements of one source as they are, or of several in the order of
  /// rows in pairs.
  void packVector(uint8_t *out, Scratch &scratch, Findings &findings) const {
    const uint64_t size = getBytes(stream.element);
    std::vector<std::vector<uint8_t>> converted;
    for (size_t i = 0; i < sources.size(); ++i) {
      const Tensor &tensor = *sources[i];
      const uint64_t count = uint64_t(tensor.shape.back());
      const uint8_t *values = getRow(tensor, 0, scratch.made);
      findings.scans[i] =
          scanValues(values, tensor.dtype, count, stream.element);
      converted.emplace_back(count * size);
      convertValues(values, tensor.dtype, count, stream.element,
                    converted.back().data());
    }
    std::memset(out, 0, tileBytes);
    if (!llrt::isVectorOfPairs(stream.order)) {
      std::memcpy(out, converted[0].data(), converted[0].size());
      return;
    }
    for (int64_t i = 0; i < stream.k; ++i)
      if (llrt::SourceRow from =
              llrt::getSourceRow(stream.order, stream.headDim,
                                 sourceRows.data(), sourceRows.size(), i);
          from.source >= 0)
        std::memcpy(out + i * size,
                    converted[from.source].data() + from.row * size, size);
  }

  /// Row `row` of the stream into its tiles, which start at `out`.
  void packRow(int64_t row, uint8_t *out, Scratch &scratch,
               Findings &findings) const {
    const int64_t tileCount = stream.getKTiles(), swizzle = row % 8;
    out += row % 64 * 128;
    llrt::SourceRow from = getSource(row);
    if (from.source < 0) {
      for (int64_t tile = 0; tile < tileCount; ++tile)
        std::memset(out + tile * 8192, 0, 128);
      return;
    }
    const Tensor &tensor = *sources[from.source];
    const uint8_t *values = getRow(tensor, from.row, scratch.made);
    ValueScan scan = scanValues(values, tensor.dtype, stream.k, stream.element);
    findings.scans[from.source].notFinite += scan.notFinite;
    findings.scans[from.source].overflowing += scan.overflowing;
    const uint64_t bytes = uint64_t(stream.k) * getBytes(stream.element);
    if (tensor.dtype != stream.element) {
      scratch.converted.resize(bytes);
      convertValues(values, tensor.dtype, stream.k, stream.element,
                    scratch.converted.data());
      values = scratch.converted.data();
    }
    int64_t whole = int64_t(bytes / 128);
    for (int64_t tile = 0; tile < whole; ++tile)
      for (int64_t chunk = 0; chunk < 8; ++chunk)
        std::memcpy(out + tile * 8192 + 16 * (chunk ^ swizzle),
                    values + tile * 128 + 16 * chunk, 16);
    if (whole == tileCount)
      return;
    uint8_t line[128] = {};
    std::memcpy(line, values + whole * 128, bytes - whole * 128);
    for (int64_t chunk = 0; chunk < 8; ++chunk)
      std::memcpy(out + whole * 8192 + 16 * (chunk ^ swizzle),
                  line + 16 * chunk, 16);
  }

  std::vector<int64_t> sourceRows;
  uint64_t tileBytes;
  int64_t tiles, tilesOfUnit;
};

/// All streams as one row of units.
class AllUnits {
public:
  AllUnits(const Checkpoint &checkpoint,
           const std::vector<PackedStream> &streams) {
    for (const PackedStream &stream : streams) {
      std::vector<const Tensor *> sources;
      for (const std::string &name : stream.sources)
        sources.push_back(&checkpoint.tensors.at(name));
      packers.push_back(
          std::make_unique<StreamPacker>(stream, std::move(sources)));
      firsts.push_back(count);
      count += packers.back()->getUnits();
    }
  }

  struct Place {
    const StreamPacker *packer;
    int64_t unit; // of that stream
  };
  Place find(int64_t unit) const {
    size_t index = std::upper_bound(firsts.begin(), firsts.end(), unit) -
                   firsts.begin() - 1;
    return {packers[index].get(), unit - firsts[index]};
  }

  std::vector<std::unique_ptr<StreamPacker>> packers;
  int64_t count = 0;

private:
  std::vector<int64_t> firsts;
};

/// Warns of tensors with values that are not finite; fails on the first whose
/// values overflow.
class FindingsReport {
public:
  explicit FindingsReport(std::vector<std::string> &warnings)
      : warnings(warnings) {}

  llrt::Error add(const StreamPacker &packer, const Findings &findings) {
    for (size_t i = 0; i < findings.scans.size(); ++i) {
      const std::string &name = packer.stream.sources[i];
      if (findings.scans[i].overflowing) {
        // The whole tensor's, and not this unit's.
        uint64_t count =
            scanValues(*packer.sources[i], packer.stream.element).overflowing;
        return llrt::Error("tensor \"" + name + "\": " + std::to_string(count) +
                           " of its values overflow " +
                           getName(packer.stream.element) +
                           "; choose another storage type with --dtype");
      }
      if (findings.scans[i].notFinite && !notFinite.count(name))
        order.push_back(name);
      if (findings.scans[i].notFinite)
        notFinite[name] += findings.scans[i].notFinite;
    }
    return llrt::Error::success();
  }

  void finish() {
    for (const std::string &name : order)
      warnings.push_back("tensor \"" + name + "\" holds " +
                         std::to_string(notFinite[name]) +
                         " values that are NaN or infinite");
  }

private:
  std::vector<std::string> &warnings;
  std::map<std::string, uint64_t> notFinite;
  std::vector<std::string> order;
};

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
  int64_t elements = 0;
  for (const Tensor *tensor : sources)
    elements += tensor->shape.back();
  for (const Tensor *tensor : sources)
    if (llrt::isVectorOfPairs(stream.order) ? elements > stream.k
                                            : tensor->shape.back() != stream.k)
      return fail("has a source with another k");
  return llrt::Error::success();
}

} // namespace

std::vector<std::string>
describeConversions(const Checkpoint &checkpoint,
                    const std::vector<PackedStream> &streams) {
  std::set<std::string> seen;
  std::map<std::pair<DType, std::string>, int> counts; // in order of the types
  for (const PackedStream &stream : streams)
    for (const std::string &name : stream.sources) {
      const Tensor &tensor = checkpoint.tensors.at(name);
      std::string from =
          tensor.storedAs ? tensor.storedAs : getName(tensor.dtype);
      if (from != getName(stream.element) && seen.insert(name).second)
        ++counts[{tensor.dtype, from + " -> " + getName(stream.element)}];
    }
  std::vector<std::string> lines;
  for (auto &[types, count] : counts)
    lines.push_back(types.second + ": " + std::to_string(count) +
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
  uint64_t end = 0;
  AllUnits units(checkpoint, streams);
  for (const auto &packer : units.packers) {
    if (llrt::Error error =
            checkStream(packer->stream, packer->sources, end, totalBytes))
      return error;
    end = packer->stream.offset + packer->stream.getPackedBytes();
  }
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
  FindingsReport report(warnings);
  threads = std::max(threads, 1u);
  struct Packed {
    std::vector<uint8_t> bytes;
    Findings findings;
  };
  auto produce = [&](int64_t unit, Packed &packed) {
    if (unit + threads < units.count) {
      AllUnits::Place next = units.find(unit + threads);
      next.packer->readAhead(next.unit);
    }
    AllUnits::Place place = units.find(unit);
    packed.bytes.resize(place.packer->getUnitBytes(place.unit));
    place.packer->pack(place.unit, packed.bytes.data(), packed.findings);
  };
  auto consume = [&](int64_t unit, Packed &packed) {
    AllUnits::Place place = units.find(unit);
    if (llrt::Error error = report.add(*place.packer, packed.findings))
      return error;
    if (place.unit == 0)
      if (llrt::Error error = padTo(place.packer->stream.offset))
        return error;
    position += packed.bytes.size();
    return sink(packed.bytes.data(), packed.bytes.size());
  };
  if (llrt::Error error =
          runInOrder<Packed>(units.count, threads, produce, consume))
    return error;
  report.finish();
  return padTo(totalBytes);
}

} // namespace mlir::llama
