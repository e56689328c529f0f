// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The safetensors format, read defensively.
//
//   bytes 0..7     N, little endian
//   bytes 8..8+N   JSON: {"name": {"dtype", "shape", "data_offsets": [b, e]},
//                  ..., "__metadata__": {string: string}}
//   the rest       the tensors, back to back, without holes
#include "compiler/import/Checkpoint.h"
#include "compiler/import/Json.h"

#include <algorithm>
#include <cstring>

namespace mlir::llama {
namespace {

/// As the reference implementation: a longer header is an attack.
constexpr uint64_t maxHeaderBytes = 100'000'000;

struct Entry {
  std::string name;
  uint64_t begin, end;
  Tensor tensor;
};

bool readUnsigned(const Json &value, uint64_t &into) {
  if (!value.is_number_unsigned())
    return false;
  into = value.get<uint64_t>();
  return true;
}

llrt::Error parseEntry(const std::string &name, const Json &value,
                       uint64_t dataBytes, Entry &entry) {
  auto fail = [&](const std::string &text) {
    return llrt::Error("tensor \"" + name + "\": " + text);
  };
  if (!value.is_object())
    return fail("its entry is " + describeJson(value) + ", expected an object");
  for (auto &[key, unused] : value.items())
    if (key != "dtype" && key != "shape" && key != "data_offsets")
      return fail("its entry has the unknown key \"" + key + "\"");
  for (const char *key : {"dtype", "shape", "data_offsets"})
    if (!value.contains(key))
      return fail(std::string("its entry has no \"") + key + "\"");

  const Json &dtype = value["dtype"];
  if (dtype == "BF16")
    entry.tensor.dtype = DType::BF16;
  else if (dtype == "F16")
    entry.tensor.dtype = DType::F16;
  else if (dtype == "F32")
    entry.tensor.dtype = DType::F32;
  else
    return fail("its dtype is " + describeJson(dtype) +
                ", expected F32, F16 or BF16");

  const Json &shape = value["shape"];
  if (!shape.is_array() || shape.size() > 8)
    return fail("its shape is " + describeJson(shape) +
                ", expected a list of up to 8 sizes");
  uint64_t bytes = getBytes(entry.tensor.dtype);
  for (const Json &size : shape) {
    uint64_t extent;
    if (!readUnsigned(size, extent) || extent > uint64_t(INT64_MAX))
      return fail("its shape holds " + describeJson(size) +
                  ", expected a size");
    if (__builtin_mul_overflow(bytes, extent, &bytes))
      return fail("its shape " + shape.dump() + " overflows");
    entry.tensor.shape.push_back(static_cast<int64_t>(extent));
  }

  const Json &offsets = value["data_offsets"];
  if (!offsets.is_array() || offsets.size() != 2 ||
      !readUnsigned(offsets[0], entry.begin) ||
      !readUnsigned(offsets[1], entry.end) || entry.begin > entry.end)
    return fail("its data_offsets are " + describeJson(offsets) +
                ", expected [begin, end]");
  if (entry.end > dataBytes)
    return fail("its data_offsets end at " + std::to_string(entry.end) +
                ", but the file has only " + std::to_string(dataBytes) +
                " bytes of data; is the file cut?");
  if (entry.end - entry.begin != bytes)
    return fail("its data_offsets span " +
                std::to_string(entry.end - entry.begin) + " bytes, but shape " +
                shape.dump() + " and dtype need " + std::to_string(bytes));
  entry.tensor.size = bytes;
  return llrt::Error::success();
}

} // namespace

llrt::Result<std::map<std::string, Tensor>>
parseSafetensors(const uint8_t *bytes, uint64_t size, const std::string &name) {
  if (size < 8)
    return llrt::Error(name + ": has " + std::to_string(size) +
                       " bytes, too few for a safetensors header; is it cut?");
  uint64_t headerBytes = 0;
  for (int i = 7; i >= 0; --i)
    headerBytes = headerBytes << 8 | bytes[i];
  if (headerBytes > maxHeaderBytes)
    return llrt::Error(name + ": says that its header has " +
                       std::to_string(headerBytes) + " bytes, more than the " +
                       std::to_string(maxHeaderBytes) +
                       " that the format allows; it is no safetensors file");
  if (headerBytes > size - 8)
    return llrt::Error(name + ": says that its header has " +
                       std::to_string(headerBytes) + " bytes, but only " +
                       std::to_string(size - 8) + " follow; is it cut?");
  llrt::Result<Json> header =
      parseJsonObject({reinterpret_cast<const char *>(bytes) + 8, headerBytes},
                      name + ": header", /*maxDepth=*/3);
  if (!header)
    return header.error();

  uint64_t dataBytes = size - 8 - headerBytes;
  std::vector<Entry> entries;
  for (auto &[tensorName, value] : header->items()) {
    if (tensorName == "__metadata__") {
      bool strings = value.is_object();
      for (auto &[key, text] : value.items())
        strings &= text.is_string();
      if (!strings)
        return llrt::Error(name + ": \"__metadata__\" is " +
                           describeJson(value) +
                           ", expected an object of strings");
      continue;
    }
    Entry entry;
    entry.name = tensorName;
    if (llrt::Error error = parseEntry(tensorName, value, dataBytes, entry))
      return llrt::Error(name + ": " + error.message());
    entry.tensor.bytes = bytes + 8 + headerBytes + entry.begin;
    entries.push_back(std::move(entry));
  }

  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  uint64_t end = 0;
  std::string previous;
  for (const Entry &entry : entries) {
    if (entry.begin < end)
      return llrt::Error(name + ": the tensors \"" + previous + "\" and \"" +
                         entry.name + "\" overlap at byte " +
                         std::to_string(entry.begin) + " of the data");
    if (entry.begin > end)
      return llrt::Error(name + ": bytes " + std::to_string(end) + " to " +
                         std::to_string(entry.begin) +
                         " of the data, before tensor \"" + entry.name +
                         "\", belong to no tensor");
    end = entry.end;
    previous = entry.name;
  }
  if (end != dataBytes)
    return llrt::Error(name + ": the last " + std::to_string(dataBytes - end) +
                       " bytes belong to no tensor");
  std::map<std::string, Tensor> tensors;
  for (Entry &entry : entries)
    tensors.emplace(std::move(entry.name), std::move(entry.tensor));
  return tensors;
}

} // namespace mlir::llama
