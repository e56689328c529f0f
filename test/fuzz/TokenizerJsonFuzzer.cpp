// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as a tokenizer.json, alone and with a
// tokenizer_config.json that makes transformers build it anew.
#include "test/fuzz/TokenizerFuzzing.h"

using namespace mlir::llama;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view file(reinterpret_cast<const char *>(data), size);
  TokenizerSettings plain, rebuilt;
  rebuilt.tokenizerClass = "LlamaTokenizer";
  rebuilt.special.push_back({"<s>", std::nullopt, LLAMAC_ADDED_SPECIAL});
  for (const TokenizerSettings &settings : {plain, rebuilt}) {
    std::vector<std::string> warnings;
    useTokenizer(
        parseTokenizerJson(file, "fuzz.json", settings, 1 << 16, warnings),
        "fuzz.json", file.substr(0, 256));
  }
  return 0;
}
