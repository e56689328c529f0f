// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The GGUF format, read defensively (ggml's docs/gguf.md):
//
//   "GGUF", version, number of tensors, number of metadata pairs
//   metadata   for each: key, type, value
//   tensors    for each: name, number of sizes, sizes (columns first), type,
//              place in the data
//   padding to general.alignment, then the data
//
// Numbers are little endian; a text is its length in 8 bytes and its bytes.
#include "compiler/import/GgufFile.h"
#include "compiler/import/GgufTypes.h"
#include "compiler/import/LittleEndian.h"

#include <algorithm>
#include <charconv>
#include <cstring>

namespace mlir::llama {
namespace {

/// Bytes of an element of each GgufValue::Type; 0: no number.
constexpr unsigned valueBytes[] = {1, 1, 2, 2, 4, 4, 4, 1, 0, 0, 8, 8, 8};

class Reader {
public:
  Reader(const uint8_t *bytes, uint64_t size, const std::string &name,
         bool isMapped)
      : bytes(bytes), size(size), name(name), isMapped(isMapped) {}

  llrt::Error read(GgufFile &file);

private:
  struct Entry {
    std::string name;
    uint64_t begin, end; // in the data
  };

  llrt::Error fail(const std::string &text) const {
    return llrt::Error(name + ": " + text);
  }
  llrt::Error cut() const {
    return fail("ends within its header; is the file cut?");
  }
  bool take(uint64_t count, const uint8_t *&part) {
    if (count > size - at)
      return false;
    part = bytes + at;
    at += count;
    return true;
  }
  bool number(unsigned count, uint64_t &value) {
    const uint8_t *part;
    if (!take(count, part))
      return false;
    value = readLittle(part, count);
    return true;
  }
  bool text(std::string_view &value) {
    uint64_t length;
    const uint8_t *part;
    if (!number(8, length) || !take(length, part))
      return false;
    value = {reinterpret_cast<const char *>(part), size_t(length)};
    return true;
  }

  llrt::Error readValue(const std::string &key, GgufValue &value);
  llrt::Error readTensor(Tensor &tensor, Entry &entry);
  llrt::Error placeTensors(GgufFile &file, std::vector<Entry> entries,
                           uint64_t alignment);

  const uint8_t *bytes;
  uint64_t size;
  const std::string &name;
  bool isMapped;
  uint64_t at = 0;
};

llrt::Error Reader::readValue(const std::string &key, GgufValue &value) {
  uint64_t type;
  if (!number(4, type))
    return cut();
  auto known = [](uint64_t code) { return code <= GgufValue::F64; };
  if (!known(type))
    return fail("the value of \"" + key + "\" has the unknown type " +
                std::to_string(type));
  value.type = GgufValue::Type(type);
  if (value.isArray()) {
    if (!number(4, type) || !number(8, value.count))
      return cut();
    if (!known(type) || type == GgufValue::Array)
      return fail("\"" + key + "\" is a list of lists or of the unknown type " +
                  std::to_string(type) + ", which no Llama needs");
    value.elements = GgufValue::Type(type);
  }
  if (value.getElementType() == GgufValue::Text) {
    if (value.count > (size - at) / 8)
      return cut();
    value.texts.resize(value.count);
    for (std::string_view &one : value.texts)
      if (!text(one))
        return cut();
    return llrt::Error::success();
  }
  unsigned each = valueBytes[value.getElementType()];
  if (value.count > (size - at) / each ||
      !take(value.count * each, value.bytes))
    return cut();
  return llrt::Error::success();
}

llrt::Error Reader::readTensor(Tensor &tensor, Entry &entry) {
  std::string_view tensorName;
  uint64_t sizes, type;
  if (!text(tensorName) || !number(4, sizes))
    return cut();
  entry.name = tensorName;
  auto bad = [&](const std::string &what) {
    return fail("tensor \"" + entry.name + "\": " + what);
  };
  if (sizes == 0 || sizes > 4)
    return bad("has " + std::to_string(sizes) + " sizes, expected 1 to 4");
  uint64_t elements = 1;
  for (uint64_t i = 0; i < sizes; ++i) {
    uint64_t extent;
    if (!number(8, extent))
      return cut();
    if (extent == 0 || extent > uint64_t(INT64_MAX) ||
        __builtin_mul_overflow(elements, extent, &elements) ||
        elements > uint64_t(INT64_MAX) / 8)
      return bad("its sizes are zero or overflow");
    tensor.shape.insert(tensor.shape.begin(), int64_t(extent));
  }
  if (!number(4, type) || !number(8, entry.begin))
    return cut();
  const GgufType *stored = findGgufType(type);
  if (!stored)
    return bad("is stored as " + getGgufTypeName(type) +
               ", expected F32, F16, BF16 or Q8_0; convert the model again "
               "with --outtype bf16, f16 or q8_0, or take its Hugging Face "
               "folder");
  uint64_t columns = uint64_t(tensor.shape.back());
  if (columns % stored->blockElements != 0)
    return bad("its rows of " + std::to_string(columns) +
               " elements are no whole blocks of " + stored->name);
  uint64_t bytesOfIt = elements / stored->blockElements * stored->blockBytes;
  if (__builtin_add_overflow(entry.begin, bytesOfIt, &entry.end))
    return bad("ends past the file; is it cut?");
  tensor.dtype = stored->dtype;
  tensor.size = elements * getBytes(tensor.dtype);
  if (stored->isQuantized)
    tensor.storedAs = "q8_0";
  return llrt::Error::success();
}

/// The data is what follows the header at a multiple of the alignment; tensors
/// do not overlap.
llrt::Error Reader::placeTensors(GgufFile &file, std::vector<Entry> entries,
                                 uint64_t alignment) {
  uint64_t padding = (alignment - at % alignment) % alignment;
  uint64_t data = padding > size - at ? size : at + padding;
  std::sort(entries.begin(), entries.end(), [](const Entry &a, const Entry &b) {
    return std::tie(a.begin, a.end) < std::tie(b.begin, b.end);
  });
  const Entry *previous = nullptr;
  for (const Entry &entry : entries) {
    auto bad = [&](const std::string &what) {
      return fail("tensor \"" + entry.name + "\": " + what);
    };
    if (entry.end > size - data)
      return bad("ends at byte " + std::to_string(entry.end) +
                 " of the data, but the file has only " +
                 std::to_string(size - data) + "; is it cut?");
    if (entry.begin % alignment != 0)
      return bad("begins at byte " + std::to_string(entry.begin) +
                 " of the data, expected a multiple of " +
                 std::to_string(alignment));
    if (previous && entry.begin < previous->end)
      return bad("overlaps \"" + previous->name + "\"");
    Tensor &tensor = file.tensors.at(entry.name);
    const uint8_t *place = bytes + data + entry.begin;
    if (tensor.storedAs) {
      tensor.rows = decodeQ8_0(place, uint64_t(tensor.shape.back()), isMapped);
    } else {
      tensor.bytes = place;
      tensor.isMapped = isMapped;
    }
    previous = &entry;
  }
  return llrt::Error::success();
}

llrt::Error Reader::read(GgufFile &file) {
  const uint8_t *magic;
  uint64_t version, tensorCount, valueCount;
  if (!take(4, magic) || std::memcmp(magic, "GGUF", 4) != 0)
    return fail("is no GGUF file: it does not begin with \"GGUF\"");
  if (!number(4, version))
    return cut();
  if (version != 0 && version % 65536 == 0)
    return fail("is a big-endian GGUF file; llamac reads little-endian ones");
  if (version != 2 && version != 3)
    return fail("is GGUF of version " + std::to_string(version) +
                "; llamac reads 2 and 3: convert the model again");
  // The shortest entries: an empty text and what follows it.
  if (!number(8, tensorCount) || !number(8, valueCount) ||
      tensorCount > (size - at) / 32 || valueCount > (size - at) / 13)
    return cut();
  for (uint64_t i = 0; i < valueCount; ++i) {
    std::string_view key;
    if (!text(key))
      return cut();
    GgufValue value;
    if (llrt::Error error = readValue(std::string(key), value))
      return error;
    if (!file.metadata.emplace(key, std::move(value)).second)
      return fail("the key \"" + std::string(key) + "\" occurs twice");
  }
  uint64_t alignment = 32;
  auto stated = file.metadata.find("general.alignment");
  if (stated != file.metadata.end()) {
    const GgufValue &value = stated->second;
    int64_t found =
        value.isArray() || !value.isInteger() ? 0 : value.getInteger();
    if (found < 8 || found > 1 << 20 || (found & (found - 1)) != 0)
      return fail("\"general.alignment\" is no power of two from 8 to 2^20");
    alignment = uint64_t(found);
  }
  std::vector<Entry> entries;
  for (uint64_t i = 0; i < tensorCount; ++i) {
    Tensor tensor;
    Entry entry;
    if (llrt::Error error = readTensor(tensor, entry))
      return error;
    if (!file.tensors.emplace(entry.name, std::move(tensor)).second)
      return fail("the tensor \"" + entry.name + "\" occurs twice");
    entries.push_back(std::move(entry));
  }
  return placeTensors(file, std::move(entries), alignment);
}

} // namespace

int64_t GgufValue::getInteger(uint64_t index) const {
  Type of = getElementType();
  unsigned each = valueBytes[of];
  uint64_t value = readLittle(bytes + index * each, each);
  if (of == I8 || of == I16 || of == I32 || of == I64) {
    unsigned unused = 64 - 8 * each;
    return int64_t(value << unused) >> unused;
  }
  return int64_t(std::min(value, uint64_t(INT64_MAX)));
}

double GgufValue::getReal(uint64_t index) const {
  if (isInteger())
    return double(getInteger(index));
  double value = 0;
  if (getElementType() == F64) {
    std::memcpy(&value, bytes + 8 * index, 8);
    return value;
  }
  float single;
  std::memcpy(&single, bytes + 4 * index, 4);
  char digits[64];
  auto [end, error] = std::to_chars(digits, digits + sizeof digits, single);
  if (error == std::errc())
    std::from_chars(digits, end, value);
  return value;
}

llrt::Result<GgufFile> parseGguf(const uint8_t *bytes, uint64_t size,
                                 const std::string &name, bool isMapped) {
  GgufFile file;
  if (llrt::Error error = Reader(bytes, size, name, isMapped).read(file))
    return error;
  return file;
}

} // namespace mlir::llama
