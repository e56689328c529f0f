// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Reads a Hugging Face Llama folder for the reference. It shares nothing with
// compiler/import: a second opinion on what the files say. For well-formed test
// models only; it does not defend itself as the compiler's loader does.
#ifndef LLAMAC_TEST_MODELS_HUGGINGFACEFOLDER_H
#define LLAMAC_TEST_MODELS_HUGGINGFACEFOLDER_H

#include "runtime/reference/Reference.h"

namespace llrt::test {

struct HuggingFaceFolder {
  reference::Config config;
  reference::Tensors tensors;
};

/// A config.json alone.
Result<reference::Config> readConfigFile(const std::string &path);
Result<HuggingFaceFolder> readFolder(const std::string &folder);

/// A float32 matrix in a .npy file (version 1, C order).
struct NpyMatrix {
  int64_t rows = 0, columns = 0;
  std::vector<float> values;
};
Result<NpyMatrix> readNpy(const std::string &path);

} // namespace llrt::test

#endif
