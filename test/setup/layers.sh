#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The arrows between the folders point one way: driver -> compiler -> dialects -> MLIR, and of the compiler only
# import, emit and the pipeline that calls them know the formats of runtime/, which knows nothing of LLVM. The GPU table
# alone is everyone's.
# RUN: bash %s %t
set -euo pipefail
cd "$LLAMAC_SOURCE_DIR"
status=0
# forbid FOLDER... -- PREFIX...: no file below the folders includes what starts with one of the prefixes.
forbid() {
  local folders=()
  while [ "$1" != -- ]; do folders+=("$1"); shift; done
  shift
  local prefixes; prefixes=$(IFS='|'; echo "$*")
  if grep -rnE --include='*.h' --include='*.cpp' --include='*.td' "^(#include|include) [\"<]($prefixes)" "${folders[@]}" |
      grep -v '"runtime/GpuTable.h"$'; then
    echo "FAILED: nothing in ${folders[*]} may include $*" >&2
    status=1
  fi
}
forbid runtime -- llvm/ llvm-c/ mlir/ compiler/ dialects/ driver/
forbid dialects -- compiler/ runtime/ driver/
forbid compiler -- driver/
forbid compiler/fuse compiler/tile compiler/lower -- runtime/ compiler/import/ compiler/emit/ compiler/pipeline/
forbid compiler/import compiler/emit -- compiler/pipeline/
exit $status
