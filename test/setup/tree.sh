#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every source file names its licence, none is longer than 600 lines, and each test that lit finds runs something.
# RUN: bash %s %t
set -euo pipefail
cd "$LLAMAC_SOURCE_DIR"
status=0
complain() { echo "FAILED: $*" >&2; status=1; }
folders=(cmake compiler dialects driver examples runtime test)
while read -r file; do
  head -n 3 "$file" | grep -q 'SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception' || complain "$file: no licence line"
  lines=$(wc -l <"$file")
  [ "$lines" -le 600 ] || complain "$file: $lines lines, at most 600"
done < <(find "${folders[@]}" -name __pycache__ -prune -o -type f \
  \( -name '*.cpp' -o -name '*.c' -o -name '*.h' -o -name '*.td' -o -name '*.py' -o -name '*.sh' -o -name '*.cmake' -o -name CMakeLists.txt \) -print)
while read -r file; do
  grep -q 'RUN[:]' "$file" || complain "$file: lit finds it but it runs nothing"
done < <(find test \( -name Inputs -o -name models -o -name golden -o -name fuzz \) -prune -o -type f \
  \( -name '*.mlir' -o -name '*.test' -o -name '*.sh' \) ! -path test/check.sh -print)
exit $status
