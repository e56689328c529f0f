// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// What an executable made by llamac does from its first argument to its exit.
#ifndef LLAMAC_RUNTIME_RUN_H
#define LLAMAC_RUNTIME_RUN_H

namespace llrt {

/// The exit status: 0 done, 1 the work failed, 2 the command line is wrong.
int runExecutable(int argumentCount, char **arguments);

} // namespace llrt

#endif
