// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A GGUF file as a Checkpoint: its metadata are the config, its vocabulary the
// tokenizer.
#ifndef LLAMAC_COMPILER_IMPORT_GGUF_H
#define LLAMAC_COMPILER_IMPORT_GGUF_H

#include "compiler/import/GgufFile.h"

namespace mlir::llama {

/// Opens `path`, a .gguf file.
llrt::Result<Checkpoint> openGguf(const std::string &path,
                                  const OpenOptions &options);

/// The parts, apart for tests. `name` opens messages.

/// Every key of the model ("llama.*") is used, known to change nothing, or
/// refused.
llrt::Result<Config> makeGgufConfig(const GgufFile &file,
                                    const std::string &name,
                                    std::vector<std::string> &warnings);

/// Rope's frequencies are divided by these (rope_freqs.weight): the scaling of
/// Llama 3.1 by which llama.cpp's converter made them.
llrt::Result<RopeScaling> findLlama3Scaling(const std::vector<float> &factors,
                                            double theta,
                                            const std::string &name);

/// None where the file has no vocabulary.
llrt::Result<std::optional<Tokenizer>>
makeGgufTokenizer(const GgufFile &file, const std::string &name);

} // namespace mlir::llama

#endif
