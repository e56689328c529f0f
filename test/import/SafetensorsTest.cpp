// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The safetensors reader against whole, cut and lying files.
#include "compiler/import/Checkpoint.h"

#include <gtest/gtest.h>

using namespace mlir::llama;

namespace {

/// Length, header, `dataBytes` bytes.
std::string makeFile(const std::string &header, size_t dataBytes) {
  std::string file;
  uint64_t size = header.size();
  for (int i = 0; i < 8; ++i)
    file.push_back(static_cast<char>(size >> 8 * i));
  return file + header + std::string(dataBytes, '\x01');
}

llrt::Result<std::map<std::string, Tensor>> parse(const std::string &file) {
  // A copy of exactly that size, so that a sanitizer sees reads past it.
  std::vector<uint8_t> bytes(file.begin(), file.end());
  return parseSafetensors(bytes.data(), bytes.size(), "m.safetensors");
}

std::string messageFor(const std::string &header, size_t dataBytes) {
  auto result = parse(makeFile(header, dataBytes));
  return result ? "" : result.error().message();
}

std::string entry(const std::string &name, const std::string &dtype,
                  const std::string &shape, const std::string &offsets) {
  return "\"" + name + "\":{\"dtype\":" + dtype + ",\"shape\":" + shape +
         ",\"data_offsets\":" + offsets + "}";
}

const std::string good = "{\"__metadata__\":{\"format\":\"pt\"}," +
                         entry("b", "\"F32\"", "[3]", "[8,20]") + "," +
                         entry("a", "\"BF16\"", "[2,2]", "[0,8]") + "}   ";

#define EXPECT_SAYS(message, part)                                             \
  EXPECT_NE((message).find(part), std::string::npos) << message

TEST(SafetensorsTest, ReadsTensors) {
  std::string file = makeFile(good, 20);
  auto result = parseSafetensors(reinterpret_cast<const uint8_t *>(file.data()),
                                 file.size(), "m.safetensors");
  ASSERT_TRUE(result) << result.error().message();
  ASSERT_EQ(result->size(), 2u);
  const Tensor &a = result->at("a"), &b = result->at("b");
  EXPECT_EQ(a.dtype, DType::BF16);
  EXPECT_EQ(a.shape, (std::vector<int64_t>{2, 2}));
  EXPECT_EQ(a.size, 8u);
  EXPECT_EQ(b.dtype, DType::F32);
  EXPECT_EQ(b.bytes - a.bytes, 8);
}

TEST(SafetensorsTest, CutAtEveryByteOfTheHeader) {
  std::string file = makeFile(good, 20);
  for (size_t size = 0; size < 8 + good.size(); ++size) {
    auto result = parse(file.substr(0, size));
    ASSERT_FALSE(result) << size;
    EXPECT_SAYS(result.error().message(), "m.safetensors: ");
  }
  EXPECT_SAYS(parse("1234567").error().message(),
              "has 7 bytes, too few for a safetensors header");
  EXPECT_SAYS(parse(file.substr(0, 20)).error().message(), "is it cut?");
}

TEST(SafetensorsTest, CutInTheData) {
  std::string file = makeFile(good, 20);
  for (size_t size = 8 + good.size(); size < file.size(); ++size)
    EXPECT_SAYS(parse(file.substr(0, size)).error().message(),
                "is the file cut?");
}

TEST(SafetensorsTest, HeaderLengthLies) {
  for (uint64_t length : {uint64_t(1) << 63, ~uint64_t(0), uint64_t(1) << 32}) {
    std::string file = makeFile(good, 20);
    for (int i = 0; i < 8; ++i)
      file[i] = static_cast<char>(length >> 8 * i);
    EXPECT_SAYS(parse(file).error().message(),
                "says that its header has " + std::to_string(length));
  }
}

TEST(SafetensorsTest, HeaderIsNoObject) {
  EXPECT_SAYS(messageFor("[]", 0), "expected a JSON object");
  EXPECT_SAYS(messageFor("", 0), "is not JSON");
  EXPECT_SAYS(messageFor("{\"a\":1}", 0), "expected an object");
  EXPECT_SAYS(messageFor("{\"a\":[[[[1]]]]}", 0), "nested deeper than 3");
  EXPECT_SAYS(messageFor("{\"__metadata__\":{\"x\":1}}", 0),
              "expected an object of strings");
}

TEST(SafetensorsTest, EntriesAreChecked) {
  auto one = [](const std::string &text) {
    return messageFor("{" + text + "}", 8);
  };
  EXPECT_EQ(one(entry("a", "\"F32\"", "[2]", "[0,8]")), "");
  EXPECT_SAYS(one("\"a\":{\"dtype\":\"F32\",\"shape\":[2]}"),
              "tensor \"a\": its entry has no \"data_offsets\"");
  EXPECT_SAYS(one(entry("a", "\"I64\"", "[1]", "[0,8]")),
              "its dtype is the string \"I64\", expected F32, F16 or BF16");
  EXPECT_SAYS(one(entry("a", "7", "[1]", "[0,8]")), "its dtype is the number");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[-2]", "[0,8]")), "expected a size");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[2.0]", "[0,8]")), "expected a size");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "2", "[0,8]")), "its shape is");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[1,1,1,1,1,1,1,1,2]", "[0,8]")),
              "up to 8 sizes");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[4294967296,4294967296]", "[0,8]")),
              "overflows");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[3]", "[0,8]")),
              "span 8 bytes, but shape [3] and dtype need 12");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[2]", "[0,8,9]")), "[begin, end]");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[2]", "[8,0]")), "[begin, end]");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[2]", "[-8,0]")), "[begin, end]");
  EXPECT_SAYS(one(entry("a", "\"F32\"", "[2]", "[4,12]")),
              "end at 12, but the file has only 8 bytes of data");
  EXPECT_SAYS(
      one(entry("a", "\"F32\"", "[2]", "[0,8]").replace(5, 7, "\"spam\"")),
      "unknown key \"spam\"");
}

TEST(SafetensorsTest, NoHolesNoOverlaps) {
  auto two = [](const char *first, const char *second, size_t bytes) {
    return messageFor("{" + entry("a", "\"F32\"", "[2]", first) + "," +
                          entry("b", "\"F32\"", "[2]", second) + "}",
                      bytes);
  };
  EXPECT_EQ(two("[0,8]", "[8,16]", 16), "");
  EXPECT_SAYS(two("[0,8]", "[4,12]", 12),
              "the tensors \"a\" and \"b\" overlap at byte 4");
  EXPECT_SAYS(two("[0,8]", "[0,8]", 8), "overlap");
  EXPECT_SAYS(two("[0,8]", "[12,20]", 20),
              "bytes 8 to 12 of the data, before tensor \"b\", belong to no "
              "tensor");
  EXPECT_SAYS(two("[0,8]", "[8,16]", 24),
              "the last 8 bytes belong to no tensor");
}

TEST(SafetensorsTest, DuplicateNames) {
  std::string a = entry("a", "\"F32\"", "[2]", "[0,8]");
  EXPECT_SAYS(messageFor("{" + a + "," + a + "}", 8),
              "the key \"a\" occurs twice");
}

} // namespace
