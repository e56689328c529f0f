// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The parts of a tokenizer.json around its model: normalizer, pre-tokenizer,
// decoder, post-processor. Each is one that is known, or refused by name.
#ifndef LLAMAC_COMPILER_IMPORT_TOKENIZERPIPELINE_H
#define LLAMAC_COMPILER_IMPORT_TOKENIZERPIPELINE_H

#include "compiler/import/BpeModel.h"
#include "compiler/import/Json.h"

namespace mlir::llama {

/// True if the pre-tokenizer maps bytes to characters, as Llama 3's does.
bool hasByteLevel(const Json &file);

/// Fills kind, split, prefix and flags of `model` from normalizer,
/// pre_tokenizer and decoder. `name` opens messages.
llrt::Error readPipeline(const Json &file, const std::string &name,
                         BpeModel &model);

/// What the post-processor puts before a text: the text of a token, or nothing.
/// Something after the text is left out with a warning.
llrt::Result<std::optional<std::string>>
readTextStart(const Json &file, const std::string &name,
              std::vector<std::string> &warnings);

} // namespace mlir::llama

#endif
