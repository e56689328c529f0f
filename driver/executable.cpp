// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The executable that llamac copies and gives its sections.
#include "runtime/Run.h"

int main(int argumentCount, char **arguments) {
  return llrt::runExecutable(argumentCount, arguments);
}
