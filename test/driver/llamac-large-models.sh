#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Public models by their sizes, without weights: under 20 s, under 8 MB, and the PTX assembles without spills.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

for name in llama-3.2-1b llama-3.2-3b llama-3.1-8b llama-3.1-70b llama-2-7b llama-2-70b; do
  config=$LLAMAC_SOURCE_DIR/test/models/configs/$name.json
  mkdir -p "$name"
  start=$(date +%s%N)
  expect 0 llamac "$config" -o "$name/exe"
  took=$((($(date +%s%N) - start) / 1000000))
  [ $took -lt 20000 ] || fail "$name took $took ms"
  bytes=$(stat -c %s "$name/exe")
  [ "$bytes" -lt 8000000 ] || fail "$name has $bytes bytes"
  echo "$name: $took ms, $bytes bytes"
  for dtype in bf16 f16 f32; do
    expect 0 llamac "$config" --dtype $dtype --emit=ptx -o "$name/$dtype.ptx"
    [ -n "$LLAMAC_PTXAS" ] || continue
    "$LLAMAC_PTXAS" -arch=sm_90a -v "$name/$dtype.ptx" -o /dev/null 2>log || fail "$(cat log)"
    grep -E '[1-9][0-9]* bytes spill' log && fail "$name $dtype spills: $(grep -B1 -E '[1-9][0-9]* bytes spill' log)" || true
  done
done
[ -n "$LLAMAC_PTXAS" ] || echo "ptxas is not there: nothing was assembled"
