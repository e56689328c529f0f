// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A tokenizer.model, by the sentencepiece library.
#ifndef LLAMAC_RUNTIME_TOKENIZER_SENTENCEPIECETOKENIZER_H
#define LLAMAC_RUNTIME_TOKENIZER_SENTENCEPIECETOKENIZER_H

#include "runtime/Tokenizer.h"

namespace llrt {

/// `model`: the bytes of a tokenizer.model. Its special tokens are the control
/// pieces and the unknown one.
Result<std::unique_ptr<Tokenizer>> loadSentencePiece(std::string_view model);

} // namespace llrt

#endif
