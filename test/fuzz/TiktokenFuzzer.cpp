// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as a tiktoken file. All 256 bytes have to have a
// token, so a file with them and the bytes after it is read, too; and any bytes
// are a text.
#include "test/fuzz/TokenizerFuzzing.h"

using namespace mlir::llama;

/// Lines of the 256 bytes in order.
static std::string makeBytes() {
  const char *digits = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                       "0123456789+/";
  std::string lines;
  for (unsigned byte = 0; byte < 256; ++byte)
    lines += std::string(1, digits[byte >> 2]) + digits[byte << 4 & 0x3F] +
             "== " + std::to_string(byte) + "\n";
  return lines;
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const std::string bytes = makeBytes();
  std::string_view file(reinterpret_cast<const char *>(data), size);
  (void)isTiktoken(file);
  useTokenizer(parseTiktoken(file, "fuzz.model", Llama3Names::Llama3),
               "fuzz.model", file);
  std::string longer = bytes + std::string(file);
  useTokenizer(parseTiktoken(longer, "fuzz.model", Llama3Names::Llama31),
               "fuzz.model", file);
  useTokenizer(parseTiktoken(bytes, "fuzz.model", Llama3Names::Llama31),
               "fuzz.model", file);
  return 0;
}
