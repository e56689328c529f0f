// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The zip format (PKWARE's APPNOTE.TXT, sections 4.3 and 4.5.3), read from its
// directory at the end:
//
//   local header, data, ...   for each file
//   directory                 for each file: name, size, place of the header
//   [zip64 end and locator]   where a number needs more than 32 bits
//   end                       where the directory is
//
// Sizes are taken from the directory alone: the local ones may be zero, with
// the numbers after the data instead.
#include "compiler/import/ZipArchive.h"
#include "compiler/import/LittleEndian.h"

#include <algorithm>
#include <cstring>
#include <vector>

namespace mlir::llama {
namespace {

constexpr uint32_t localSignature = 0x04034b50, directorySignature = 0x02014b50,
                   endSignature = 0x06054b50, end64Signature = 0x06064b50,
                   locator64Signature = 0x07064b50;
constexpr uint64_t localBytes = 30, directoryBytes = 46, endBytes = 22,
                   end64Bytes = 56, locator64Bytes = 20;
constexpr uint32_t in64 = 0xffffffff; // the number is in the zip64 field

class Reader {
public:
  Reader(const uint8_t *bytes, uint64_t size, const std::string &name)
      : bytes(bytes), size(size), name(name) {}

  llrt::Error read(std::map<std::string, ZipEntry> &entries) {
    if (llrt::Error error = findDirectory())
      return error;
    uint64_t at = directory;
    for (uint64_t i = 0; i < count; ++i)
      if (llrt::Error error = readEntry(at, entries))
        return error;
    if (at != directoryEnd)
      return fail("its directory is longer than its " + std::to_string(count) +
                  " entries");
    return checkOverlaps(entries);
  }

private:
  llrt::Error fail(const std::string &text) const {
    return llrt::Error(name + ": " + text);
  }
  llrt::Error cut() const {
    return fail("the directory of the zip archive is wrong or missing; is the "
                "file cut?");
  }
  uint64_t get(uint64_t at, unsigned count) const {
    return readLittle(bytes + at, count);
  }

  llrt::Error findDirectory() {
    // The end record, before a comment of at most 65535 bytes.
    if (size < endBytes)
      return cut();
    uint64_t lowest = size - endBytes > 0xffff ? size - endBytes - 0xffff : 0;
    uint64_t end = size - endBytes;
    while (get(end, 4) != endSignature ||
           get(end + 20, 2) != size - end - endBytes)
      if (end-- == lowest)
        return cut();
    uint64_t disks = get(end + 4, 2) | get(end + 6, 2);
    uint64_t bytesOfIt = get(end + 12, 4);
    directoryEnd = end;
    count = get(end + 10, 2);
    directory = get(end + 16, 4);
    if (end >= locator64Bytes + end64Bytes &&
        get(end - locator64Bytes, 4) == locator64Signature) {
      uint64_t end64 = get(end - locator64Bytes + 8, 8);
      if (end64 > end - locator64Bytes - end64Bytes ||
          get(end64, 4) != end64Signature)
        return cut();
      disks = get(end64 + 16, 4) | get(end64 + 20, 4);
      count = get(end64 + 32, 8);
      bytesOfIt = get(end64 + 40, 8);
      directory = get(end64 + 48, 8);
      directoryEnd = end64;
    }
    if (disks != 0)
      return fail("is one part of a zip archive that has several");
    if (directory > directoryEnd || bytesOfIt != directoryEnd - directory ||
        count > bytesOfIt / directoryBytes)
      return cut();
    return llrt::Error::success();
  }

  /// One entry of the directory, at `at`, which moves past it.
  llrt::Error readEntry(uint64_t &at,
                        std::map<std::string, ZipEntry> &entries) {
    if (directoryEnd - at < directoryBytes || get(at, 4) != directorySignature)
      return cut();
    uint64_t nameBytes = get(at + 28, 2), extraBytes = get(at + 30, 2),
             commentBytes = get(at + 32, 2);
    if (nameBytes + extraBytes + commentBytes >
        directoryEnd - at - directoryBytes)
      return cut();
    std::string file(
        reinterpret_cast<const char *>(bytes) + at + directoryBytes, nameBytes);
    std::string quoted = "\"" + file + "\"";
    uint64_t flags = get(at + 8, 2), method = get(at + 10, 2);
    uint64_t packed = get(at + 20, 4), plain = get(at + 24, 4);
    uint64_t header = get(at + 42, 4);
    if (flags & 1)
      return fail("the entry " + quoted + " is encrypted");
    if (method != 0)
      return fail("the entry " + quoted + " is compressed (method " +
                  std::to_string(method) +
                  "), which torch.save never does; pack the archive again "
                  "without compression (`zip -0`)");
    if (llrt::Error error = readExtra(at + directoryBytes + nameBytes,
                                      extraBytes, plain, packed, header))
      return error;
    if (plain != packed)
      return fail("the entry " + quoted + " has two sizes, " +
                  std::to_string(plain) + " and " + std::to_string(packed));
    if (header > directory || directory - header < localBytes ||
        get(header, 4) != localSignature)
      return fail("the entry " + quoted +
                  " has no header where the directory "
                  "says; is the file cut?");
    uint64_t localName = get(header + 26, 2), localExtra = get(header + 28, 2);
    uint64_t data = header + localBytes + localName + localExtra;
    if (data > directory || directory - data < plain)
      return fail("the entry " + quoted + " of " + std::to_string(plain) +
                  " bytes ends past the archive's data");
    if (localName != nameBytes ||
        std::memcmp(bytes + header + localBytes, file.data(), nameBytes) != 0)
      return fail("the entry " + quoted + " has another name in its header");
    if (!entries.emplace(file, ZipEntry{data, plain}).second)
      return fail("has two entries of the name " + quoted);
    at += directoryBytes + nameBytes + extraBytes + commentBytes;
    return llrt::Error::success();
  }

  /// The zip64 field (id 1): the numbers that did not fit, in this order.
  llrt::Error readExtra(uint64_t at, uint64_t left, uint64_t &plain,
                        uint64_t &packed, uint64_t &header) const {
    while (left >= 4) {
      uint64_t id = get(at, 2), length = get(at + 2, 2);
      at += 4, left -= 4;
      if (length > left)
        return cut();
      if (id == 1) {
        uint64_t from = at, end = at + length;
        for (uint64_t *number : {&plain, &packed, &header}) {
          if (*number != in64)
            continue;
          if (end - from < 8)
            return cut();
          *number = get(from, 8);
          from += 8;
        }
        return llrt::Error::success();
      }
      at += length, left -= length;
    }
    return llrt::Error::success();
  }

  llrt::Error
  checkOverlaps(const std::map<std::string, ZipEntry> &entries) const {
    std::vector<std::pair<ZipEntry, const std::string *>> inOrder;
    for (auto &[file, entry] : entries)
      inOrder.push_back({entry, &file});
    std::sort(inOrder.begin(), inOrder.end(), [](auto &a, auto &b) {
      return std::tie(a.first.offset, a.first.size) <
             std::tie(b.first.offset, b.first.size);
    });
    for (size_t i = 1; i < inOrder.size(); ++i)
      if (inOrder[i].first.offset - inOrder[i - 1].first.offset <
          inOrder[i - 1].first.size)
        return fail("the entries \"" + *inOrder[i - 1].second + "\" and \"" +
                    *inOrder[i].second + "\" overlap");
    return llrt::Error::success();
  }

  const uint8_t *bytes;
  uint64_t size;
  const std::string &name;
  uint64_t directory = 0, directoryEnd = 0, count = 0;
};

} // namespace

llrt::Result<std::map<std::string, ZipEntry>>
parseZip(const uint8_t *bytes, uint64_t size, const std::string &name) {
  std::map<std::string, ZipEntry> entries;
  if (llrt::Error error = Reader(bytes, size, name).read(entries))
    return error;
  return entries;
}

} // namespace mlir::llama
