// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as config.json, generation_config.json,
// tokenizer_config.json and added_tokens.json are values in their ranges, or an
// error that names the file.
#include "compiler/import/TokenizerSettings.h"
#include "test/fuzz/Refusal.h"

using namespace mlir::llama;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string_view text(reinterpret_cast<const char *>(data), size);
  std::vector<std::string> warnings;
  auto config = parseConfig(text, "fuzz.json", warnings);
  if (!config)
    requireNamed(config.error().message(), "fuzz.json");
  else if (config->heads % config->kvHeads != 0 || config->headDim % 2 != 0 ||
           getParameterCount(*config) <= 0)
    std::abort();
  auto generation = parseGenerationConfig(text, "fuzz.json");
  if (!generation)
    requireNamed(generation.error().message(), "fuzz.json");
  auto settings = parseTokenizerSettings(text, "fuzz.json", warnings);
  if (!settings)
    requireNamed(settings.error().message(), "fuzz.json");
  auto added = parseAddedTokens(text, "fuzz.json");
  if (!added)
    requireNamed(added.error().message(), "fuzz.json");
  return 0;
}
