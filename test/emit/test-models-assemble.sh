#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The PTX of test models and of the example assembles without spills and without a stack, for the default options; with
# --long that of all of them in every dtype. ContractTest asks the same of every executable that it makes.
# REQUIRES: ptxas
# UNSUPPORTED: quick
# RUN: bash %s %t
. "$(dirname "$0")/../driver/Inputs/llamac.sh"

# assemble FOLDER DTYPE...
assemble() {
  local dtype
  for dtype in "${@:2}"; do
    expect 0 llamac -q "$1" --dtype $dtype --emit=ptx -o $dtype.ptx
    "$LLAMAC_PTXAS" -arch=sm_90a -v $dtype.ptx -o /dev/null 2>$dtype.log || fail "$1 $dtype: $(cat $dtype.log)"
    grep -q 'bytes spill' $dtype.log || fail "$1 $dtype: the assembler speaks of no spills"
    ! grep -E '[1-9][0-9]* bytes (stack frame|spill)' $dtype.log || fail "$1 $dtype spills: $(cat $dtype.log)"
  done
}

models=$({ make-test-model 2>&1 || true; } | sed -n 's|^  ||p') # its usage lists them
[ "$(wc -w <<<"$models")" -ge 8 ] || fail "make-test-model names these models alone: $models"
[ "$LLAMAC_TEST_MODE" = long ] || models=hidden172
for model in $models; do
  expect 0 make-test-model "$model" "$model"
  assemble "$model" bf16 f16 f32
done
assemble "$storyteller" bf16 f16 f32
