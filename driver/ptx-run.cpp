// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ptx-run FILE.ptx --kernel K --arg ...: any PTX kernel on the emulator.
#include "runtime/PtxRun.h"

int main(int argumentCount, char **arguments) {
  return llrt::runPtx(argumentCount, arguments);
}
