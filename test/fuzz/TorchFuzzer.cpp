// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as a file of torch.save's, as its pickle alone
// and as Meta's params.json are values that lie inside them, or an error that
// names the file.
#include "compiler/import/MetaParams.h"
#include "compiler/import/Pickle.h"
#include "compiler/import/TorchFile.h"
#include "test/fuzz/Refusal.h"
#include "test/fuzz/TensorsInside.h"

using namespace mlir::llama;

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  auto tensors = parseTorchFile(data, size, "fuzz.bin");
  if (!tensors)
    requireNamed(tensors.error().message(), "fuzz.bin");
  else
    requireInside(*tensors, data, size);
  std::string_view text(reinterpret_cast<const char *>(data), size);
  auto pickle = parsePickle(text, "fuzz.pkl");
  if (!pickle)
    requireNamed(pickle.error().message(), "fuzz.pkl");
  else if (pickle->size > size)
    std::abort();
  auto params = parseMetaParams(text, "fuzz.json");
  if (!params)
    requireNamed(params.error().message(), "fuzz.json");
  else {
    std::vector<std::string> warnings;
    auto config = makeMetaConfig(*params, 256, false, params->ropeFactor,
                                 "fuzz.json", warnings);
    if (!config)
      requireNamed(config.error().message(), "fuzz.json");
  }
  return 0;
}
