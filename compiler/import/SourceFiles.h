// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The files of a checkpoint as its loaders find and map them.
#ifndef LLAMAC_COMPILER_IMPORT_SOURCEFILES_H
#define LLAMAC_COMPILER_IMPORT_SOURCEFILES_H

#include "compiler/import/Checkpoint.h"

namespace mlir::llama {

bool exists(const std::string &path);

/// The last part of the absolute path of a folder or file, so that `.` has a
/// name too.
std::string getLastName(const std::string &path);

/// Maps `path` and notes it as a source of that name.
llrt::Result<std::shared_ptr<const llrt::MappedFile>>
openSource(Checkpoint &checkpoint, const std::string &path,
           const std::string &name);

/// The tokenizer of a folder, if there is one: tokenizer.json, else
/// tokenizer.model (sentencepiece's, or Meta's tiktoken file), as transformers
/// takes them. Its ids are below the config's "vocab_size".
llrt::Error openTokenizer(Checkpoint &checkpoint, const std::string &folder);

/// The weights of a folder with a config.json: safetensors, else .bin.
llrt::Error openHuggingFaceWeights(Checkpoint &checkpoint,
                                   const std::string &folder);

/// Whether the folder has weights that openHuggingFaceWeights reads.
bool hasHuggingFaceWeights(const std::string &folder);

} // namespace mlir::llama

#endif
