// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as a Jinja text have a normal form that does
// not depend on the white space around them, and as tokenizer_config.json a
// template or an error that names the file.
#include "compiler/import/ChatTemplateText.h"
#include "test/fuzz/Refusal.h"

using namespace mlir::llama;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  std::string text(reinterpret_cast<const char *>(data), size);
  std::string form = normaliseChatTemplate(text);
  // Comments, and white space that a `-` takes away, are not in it.
  if (!form.empty() &&
      (normaliseChatTemplate("{#- a -#}\n " + text).size() > form.size() ||
       normaliseChatTemplate(text + "{#- b #}").size() > form.size()))
    std::abort();
  if (form.empty() && recogniseChatTemplate(text) != LLAMAC_CHAT_UNKNOWN)
    std::abort();
  auto parsed = parseChatTemplate(text, "fuzz.json");
  if (!parsed)
    requireNamed(parsed.error().message(), "fuzz.json");
  return 0;
}
