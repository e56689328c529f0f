// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What the fuzz targets of tokenizers do with one that was read: load what the
// executable would carry, encode with it and decode.
#ifndef LLAMAC_TEST_FUZZ_TOKENIZERFUZZING_H
#define LLAMAC_TEST_FUZZ_TOKENIZERFUZZING_H

#include "compiler/import/TokenizerSettings.h"
#include "runtime/Tokenizer.h"
#include "runtime/Utf8.h"
#include "test/fuzz/Refusal.h"

/// `text`: what is encoded, any bytes. Aborts where the tokenizer does not load,
/// gives an id that is none, or decodes to what is not UTF-8 or not the stream's.
inline void useTokenizer(const llrt::Result<mlir::llama::Tokenizer> &read,
                         const std::string &name, std::string_view text) {
  if (!read) {
    requireNamed(read.error().message(), name);
    return;
  }
  auto loaded = llrt::Tokenizer::load(read->bytes, -1, false);
  if (!loaded || (*loaded)->pieceCount() != read->pieces)
    std::abort();
  const llrt::Tokenizer &tokenizer = **loaded;
  for (auto special :
       {llrt::SpecialTokens::Parsed, llrt::SpecialTokens::Plain}) {
    auto ids = tokenizer.encode(text, special);
    if (!ids)
      continue; // no tokens
    for (int32_t id : *ids)
      if (id < 0 || id >= read->pieces)
        std::abort();
    std::string said = tokenizer.decode(*ids);
    if (llrt::replaceInvalidUtf8(said) != said)
      std::abort();
    llrt::TextStream stream(tokenizer, {});
    std::string streamed;
    for (int32_t id : *ids)
      streamed += stream.append(id);
    if (streamed + stream.finish() != said)
      std::abort();
  }
}

#endif
