#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Fuzzes one reader of untrusted files under the address and undefined-behaviour sanitizers: run.sh TARGET [SECONDS, else
# 300]. The targets are the folders of test/fuzz/corpus. Needs libclang-rt-22-dev. New inputs stay in
# build/fuzz/corpus/TARGET; one that fails is build/fuzz/TARGET-crash-*.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
targets=$(cd test/fuzz/corpus && ls -d -- */ | tr -d / | xargs)
target=${1:-}
[ -n "$target" ] && [ -d "test/fuzz/corpus/$target" ] || {
  printf 'usage: test/fuzz/run.sh TARGET [SECONDS]\nTARGET is one of: %s\n' "$targets" >&2
  exit 2
}
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target "$target-fuzzer"
mkdir -p "build/fuzz/corpus/$target"
options=(-max_total_time="${2:-300}" -max_len=16384 -timeout=20 -rss_limit_mb=4096)
[ ! -f "test/fuzz/corpus/$target.dict" ] || options+=(-dict="test/fuzz/corpus/$target.dict")
exec "build/fuzz/bin/$target-fuzzer" "${options[@]}" -artifact_prefix="build/fuzz/$target-" \
  "build/fuzz/corpus/$target" "test/fuzz/corpus/$target"
