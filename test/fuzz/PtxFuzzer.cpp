// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// A libFuzzer target: any bytes as PTX are a module or an error that names a
// line. Built with the preset `fuzz`; test/fuzz/run.sh runs it. Without it
// corpus-test-ptx replays the corpus.
#include "runtime/device/Device.h"

#include <cctype>
#include <cstdio>
#include <cstdlib>

using namespace llrt;

static void require(bool holds, const std::string &message) {
  if (holds)
    return;
  std::fprintf(stderr, "a PTX error without its line: %s\n", message.c_str());
  std::abort();
}

extern "C" int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  EmulatedGpu gpu;
  gpu.memoryBytes = 1 << 20; // for the module's variables
  Result<std::unique_ptr<Device>> device =
      createEmulatorDevice(gpu, EmulatorOptions());
  if (!device)
    return 0;
  std::string_view text(reinterpret_cast<const char *>(data), size);
  Result<Module *> module = (*device)->loadModule(text, "fuzz.ptx");
  if (module)
    return 0;
  const std::string message = module.error().message();
  const std::string prefix = "fuzz.ptx:";
  size_t at = prefix.size();
  require(message.compare(0, at, prefix) == 0, message);
  require(at < message.size() && message[at] >= '1' && message[at] <= '9',
          message);
  while (at < message.size() &&
         std::isdigit(static_cast<unsigned char>(message[at])))
    ++at;
  require(message.compare(at, 2, ": ") == 0 && at + 2 < message.size(),
          message);
  return 0;
}
