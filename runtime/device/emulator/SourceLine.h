// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What a line of PTX was made from, by its .loc and .file lines. Found in the
// text when it is asked for: the parser steps over them.
#ifndef LLAMAC_RUNTIME_DEVICE_EMULATOR_SOURCELINE_H
#define LLAMAC_RUNTIME_DEVICE_EMULATOR_SOURCELINE_H

#include <cstdint>
#include <string>
#include <string_view>

namespace llrt::emu {

/// "FILE:LINE" of the last .loc at or above `line` (from 1) in its function;
/// "FILE" where that has line 0, "" where there is none. In a kernel of llamac
/// the file is a tensor's name and the line one of `--emit=tiled`.
std::string findSource(std::string_view ptx, uint32_t line);

} // namespace llrt::emu

#endif
