// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Arguments as text, buffers as files.
#include "runtime/PtxArgument.h"
#include "runtime/MappedFile.h"

#include <cerrno>
#include <cstdio>
#include <cstring>

using namespace llrt;

static constexpr uint64_t mostBytes = uint64_t(1) << 36;

static bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

uint64_t llrt::elementAt(const ElementType &type,
                         const std::vector<uint8_t> &bytes, uint64_t i) {
  uint64_t bits = 0;
  std::memcpy(&bits, bytes.data() + i * type.bytes, type.bytes);
  return bits;
}

/// The data of a .npy file; `path` for messages.
static Result<std::string_view> npyData(std::string_view file,
                                        const ElementType &type,
                                        const std::string &path) {
  auto bad = [&](const std::string &why) { return Error(path + ": " + why); };
  if (file.size() < 12 || file.substr(0, 6) != std::string_view("\x93NUMPY", 6))
    return bad("is no .npy file");
  bool wide = file[6] > 1;
  uint64_t length = static_cast<uint8_t>(file[8]) |
                    static_cast<uint64_t>(static_cast<uint8_t>(file[9])) << 8;
  if (wide)
    length |= static_cast<uint64_t>(static_cast<uint8_t>(file[10])) << 16 |
              static_cast<uint64_t>(static_cast<uint8_t>(file[11])) << 24;
  size_t start = wide ? 12 : 10;
  if (length > file.size() - start)
    return bad("is cut: its header has " + std::to_string(length) + " bytes");
  std::string_view header = file.substr(start, length);
  size_t key = header.find("'descr'");
  size_t open = header.find('\'', key == header.npos ? key : key + 7);
  size_t close = open == header.npos ? open : header.find('\'', open + 1);
  if (close == header.npos)
    return bad("has no plain 'descr'");
  std::string_view found = header.substr(open + 1, close - open - 1);
  // The signs of whole numbers do not matter, nor does what bf16 is called.
  bool fits = found == type.npy;
  if (type.kind != ElementType::Float && found.size() == 3)
    fits = (found[1] == 'u' || found[1] == 'i') && found[2] == type.npy[2];
  if (type.exponentBits == 8 && type.bytes == 2)
    fits = found == "<u2" || found == "|V2" || found == "<V2";
  if (!fits)
    return bad("found elements of type " + std::string(found) + ", expected " +
               type.npy + " for " + type.name);
  if (header.find("'fortran_order': True") != header.npos)
    return bad("is in column order, expected rows (numpy.ascontiguousarray)");
  return file.substr(start + length);
}

static Result<std::vector<uint8_t>> readContent(const std::string &path,
                                                const ElementType &type) {
  Result<std::unique_ptr<const MappedFile>> file = MappedFile::open(path);
  if (!file)
    return file.error();
  std::string_view data = (*file)->text();
  if (endsWith(path, ".npy")) {
    Result<std::string_view> inside = npyData(data, type, path);
    if (!inside)
      return inside.error();
    data = *inside;
  }
  if (data.size() % type.bytes)
    return Error(path + ": found " + std::to_string(data.size()) +
                 " bytes, expected a multiple of " +
                 std::to_string(type.bytes) + " for " + type.name);
  return std::vector<uint8_t>(data.begin(), data.end());
}

Result<std::vector<uint8_t>>
PtxArgument::makeContent(const std::string &content) const {
  if (content.rfind("@", 0) == 0) {
    Result<std::vector<uint8_t>> read = readContent(content.substr(1), *type);
    if (read && count && read->size() != size())
      return Error(content.substr(1) + ": found " +
                   std::to_string(read->size() / type->bytes) +
                   " elements, expected " + std::to_string(count));
    return read;
  }
  std::vector<uint8_t> made(size());
  auto fill = [&](auto bitsOf) {
    for (uint64_t i = 0; i < count; ++i) {
      uint64_t bits = bitsOf(i);
      std::memcpy(made.data() + i * type->bytes, &bits, type->bytes);
    }
  };
  if (content == "zero")
    return made;
  if (content == "iota") {
    fill([&](uint64_t i) {
      return type->kind == ElementType::Float
                 ? type->bitsOf(static_cast<double>(i))
                 : i;
    });
    return made;
  }
  if (content.rfind("random:", 0) == 0) {
    Result<uint64_t> seed = ElementType::find("u64")->parse(content.substr(7));
    if (!seed)
      return Error("random: " + seed.error().message());
    uint64_t state = *seed;
    fill([&](uint64_t) { // SplitMix64
      uint64_t z = state += 0x9e3779b97f4a7c15u;
      z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
      z = (z ^ z >> 27) * 0x94d049bb133111ebu;
      z ^= z >> 31;
      return type->kind == ElementType::Float
                 ? type->bitsOf(static_cast<double>(z >> 11) * 0x1p-52 - 1)
                 : z;
    });
    return made;
  }
  Result<uint64_t> value = type->parse(content);
  if (!value)
    return Error(value.error().message() +
                 ", iota, random:SEED, zero or @FILE");
  fill([&](uint64_t) { return *value; });
  return made;
}

/// "64x32" -> {64, 32}; "" -> {}.
static bool parseShape(const std::string &text, PtxArgument &argument) {
  argument.count = text.empty() ? 0 : 1;
  for (size_t at = 0; at < text.size();) {
    size_t end = std::min(text.find('x', at), text.size());
    Result<uint64_t> extent =
        ElementType::find("u64")->parse(text.substr(at, end - at));
    if (!extent || *extent == 0 || *extent > mostBytes ||
        argument.count > mostBytes / *extent || end + 1 == text.size())
      return false;
    argument.shape.push_back(*extent);
    argument.count *= *extent;
    at = end + 1;
  }
  return argument.count * argument.type->bytes <= mostBytes;
}

static Error parseBuffer(const std::string &text, PtxArgument &argument) {
  size_t open = text.find('['), close = text.find(']');
  argument.type = ElementType::find(text.substr(0, open));
  if (!argument.type)
    return Error("found the type `" + text.substr(0, open) + "`, expected " +
                 ElementType::allNames());
  if (close == std::string::npos || close < open ||
      (close + 1 < text.size() && text[close + 1] != ':'))
    return Error("expected NAME=TYPE[COUNT] or NAME=TYPE[COUNT]:CONTENT");
  std::string extent = text.substr(open + 1, close - open - 1);
  std::string content =
      close + 2 <= text.size() ? text.substr(close + 2) : std::string();
  if (!parseShape(extent, argument))
    return Error("found `[" + extent +
                 "]`, expected a number of elements such as [1024] or [64x32], "
                 "64 GB at most");
  bool fromFile = content.rfind("@", 0) == 0;
  if (!argument.count && !fromFile)
    return Error("[] takes its number of elements from @FILE");
  argument.initialised = !content.empty();
  if (content.empty())
    return Error::success();
  Result<std::vector<uint8_t>> made = argument.makeContent(content);
  if (!made)
    return made.error();
  if (!argument.count) {
    argument.count = made->size() / argument.type->bytes;
    argument.shape = {argument.count};
    if (!argument.count)
      return Error(content.substr(1) + ": has no elements");
  }
  argument.bytes = std::move(*made);
  return Error::success();
}

Result<PtxArgument> PtxArgument::parse(const std::string &text) {
  size_t equals = text.find('=');
  auto refused = [&](const std::string &why) {
    return Error("--arg " + text + ": " + why);
  };
  if (equals == std::string::npos || equals == 0)
    return refused(
        "expected TYPE=VALUE, as u32=5, or NAME=TYPE[COUNT]:CONTENT, "
        "as in=f32[1024]:iota");
  std::string left = text.substr(0, equals), right = text.substr(equals + 1);
  PtxArgument argument;
  if (right.find('[') != std::string::npos) {
    if (ElementType::find(left) || left == "bytes")
      return refused("a buffer needs a name that is no type");
    argument.name = left;
    if (Error error = parseBuffer(right, argument))
      return refused(error.message());
    return argument;
  }
  argument.initialised = true;
  argument.count = 1;
  if (left == "bytes") {
    bool good =
        !right.empty() && right.size() % 2 == 0 &&
        right.find_first_not_of("0123456789abcdefABCDEF") == std::string::npos;
    if (!good)
      return refused("expected pairs of hexadecimal digits");
    for (size_t i = 0; i < right.size(); i += 2)
      argument.bytes.push_back(static_cast<uint8_t>(
          std::strtoul(right.substr(i, 2).c_str(), nullptr, 16)));
    return argument;
  }
  argument.type = ElementType::find(left);
  if (!argument.type)
    return refused("found the type `" + left + "`, expected " +
                   ElementType::allNames() + " or bytes");
  Result<uint64_t> bits = argument.type->parse(right);
  if (!bits)
    return refused(bits.error().message());
  argument.bytes.resize(argument.type->bytes);
  std::memcpy(argument.bytes.data(), &*bits, argument.bytes.size());
  return argument;
}

Error llrt::saveBuffer(const PtxArgument &buffer,
                       const std::vector<uint8_t> &bytes,
                       const std::string &path) {
  std::string header;
  if (endsWith(path, ".npy")) {
    std::string dict = "{'descr': '" + std::string(buffer.type->npy) +
                       "', 'fortran_order': False, 'shape': (";
    for (uint64_t extent : buffer.shape)
      dict += std::to_string(extent) + ",";
    dict += "), }";
    dict.append(63 - (10 + dict.size()) % 64, ' ');
    dict += '\n';
    header = std::string("\x93NUMPY\x01\x00", 8);
    header += static_cast<char>(dict.size() & 255);
    header += static_cast<char>(dict.size() >> 8);
    header += dict;
  }
  std::FILE *file = std::fopen(path.c_str(), "wb");
  bool good =
      file &&
      std::fwrite(header.data(), 1, header.size(), file) == header.size() &&
      std::fwrite(bytes.data(), 1, bytes.size(), file) == bytes.size();
  int reason = errno;
  if (file && std::fclose(file) != 0 && good) {
    good = false;
    reason = errno;
  }
  return good ? Error::success()
              : Error(path + ": cannot be written: " + std::strerror(reason));
}
