// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as a safetensors file are tensors that lie
// inside them, or an error that names the file. As a shard index, too.
#include "compiler/import/ShardIndex.h"
#include "test/fuzz/Refusal.h"
#include "test/fuzz/TensorsInside.h"

using namespace mlir::llama;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto tensors = parseSafetensors(data, size, "fuzz.safetensors");
  if (!tensors)
    requireNamed(tensors.error().message(), "fuzz.safetensors");
  else
    requireInside(*tensors, data, size);
  std::string_view text(reinterpret_cast<const char *>(data), size);
  auto index = parseShardIndex(text, "fuzz.index.json");
  if (!index)
    requireNamed(index.error().message(), "fuzz.index.json");
  return 0;
}
