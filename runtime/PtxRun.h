// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// ptx-run: any PTX kernel on the emulator.
#ifndef LLAMAC_RUNTIME_PTXRUN_H
#define LLAMAC_RUNTIME_PTXRUN_H

namespace llrt {

/// The whole program: 0 done, 1 the work failed, 2 the command line is wrong.
int runPtx(int argumentCount, char **arguments);

} // namespace llrt

#endif
