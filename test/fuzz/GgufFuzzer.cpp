// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as GGUF are tensors that lie inside them, a
// config in its ranges and a tokenizer, or an error that names the file.
#include "compiler/import/Gguf.h"
#include "compiler/import/TensorValues.h"
#include "test/fuzz/Refusal.h"

using namespace mlir::llama;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const std::string name = "fuzz.gguf";
  auto file = parseGguf(data, size, name, /*isMapped=*/false);
  if (!file) {
    requireNamed(file.error().message(), name);
    return 0;
  }
  for (auto &[unused, tensor] : file->tensors) {
    // The sanitizer sees a read outside.
    std::vector<uint8_t> scratch;
    int64_t rows = getRowCount(tensor);
    for (int64_t row : {int64_t(0), rows - 1})
      if (getRowBytes(tensor) < 1 << 20)
        convertValues(getRow(tensor, row, scratch), tensor.dtype,
                      uint64_t(tensor.shape.back()), tensor.dtype,
                      std::vector<uint8_t>(getRowBytes(tensor)).data());
  }
  std::vector<std::string> warnings;
  auto config = makeGgufConfig(*file, name, warnings);
  if (!config)
    requireNamed(config.error().message(), name);
  auto tokenizer = makeGgufTokenizer(*file, name);
  if (!tokenizer)
    requireNamed(tokenizer.error().message(), name);
  return 0;
}
