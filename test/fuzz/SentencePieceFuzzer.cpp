// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as a sentencepiece tokenizer.model, alone and
// with tokens beside it.
#include "test/fuzz/TokenizerFuzzing.h"

using namespace mlir::llama;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view file(reinterpret_cast<const char *>(data), size);
  TokenizerSettings plain, beside;
  beside.tokenizerClass = "LlamaTokenizer";
  beside.special.push_back({"<pad>", std::nullopt, LLAMAC_ADDED_SPECIAL});
  for (const TokenizerSettings &settings : {plain, beside}) {
    std::vector<std::string> warnings;
    useTokenizer(
        parseSentencePiece(file, "fuzz.model", settings, 1 << 20, warnings),
        "fuzz.model", "a <s>b</s><pad> \xF0\x9F\x98\x80 1\xFF c");
  }
  return 0;
}
