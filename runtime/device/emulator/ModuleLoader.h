// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// PTX text into kernels that can be launched.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_MODULELOADER_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_MODULELOADER_H

#include "runtime/device/emulator/Program.h"

namespace llrt::emu {

struct LoadedModule {
  std::string name;
  std::vector<std::unique_ptr<Program>> kernels;
};

/// Parses, allocates the module's variables and decodes every kernel, so that
/// an instruction that is not known is found here; `observer` instruments them.
/// Messages begin "NAME:LINE: ".
Result<LoadedModule> loadModule(std::string_view text, std::string_view name,
                                Memory &memory, Observer *observer = nullptr);

} // namespace llrt::emu

#endif
