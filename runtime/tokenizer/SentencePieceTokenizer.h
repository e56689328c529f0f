// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tokenizer.model, by the sentencepiece library.
#ifndef LLAMAC_RUNTIME_TOKENIZER_SENTENCEPIECETOKENIZER_H
#define LLAMAC_RUNTIME_TOKENIZER_SENTENCEPIECETOKENIZER_H

#include "runtime/Tokenizer.h"
#include "runtime/tokenizer/TokenizerSection.h"

namespace llrt {

/// `model`: the bytes of a tokenizer.model. Its special tokens are the control
/// pieces and the unknown one.
Result<std::unique_ptr<Tokenizer>> loadSentencePiece(std::string_view model);

/// A model with tokens beside it, or with a dummy prefix for the text at the
/// start alone.
Result<std::unique_ptr<Tokenizer>>
loadSentencePiece(const TokenizerSection &section);

} // namespace llrt

#endif
