#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Public models by their sizes, without weights: under 20 s, under 8 MB, no kernel spills, the same bytes again. All of
# them by their byte tables: llamac-families.sh.
# RUN: bash %s %t
# UNSUPPORTED: quick
. "$(dirname "$0")/Inputs/llamac.sh"

# no_spills: the last compile warned of none.
no_spills() { ! grep spills stderr || fail "\`$command\`: $(grep spills stderr)"; }

for name in llama-3.1-8b llama-2-70b mistral-7b-v0.1; do
  config=$LLAMAC_SOURCE_DIR/test/models/configs/$name.json
  mkdir -p "$name"
  start=$(date +%s%N)
  expect 0 llamac "$config" --no-weights -o "$name/exe"
  took=$((($(date +%s%N) - start) / 1000000))
  no_spills
  [ $took -lt 20000 ] || fail "$name took $took ms"
  bytes=$(stat -c %s "$name/exe")
  [ "$bytes" -lt 8000000 ] || fail "$name has $bytes bytes"
  echo "$name: $took ms, $bytes bytes"
  # One of them, or each with --long: elsewhere, and from a copy; as other types.
  [ $name = llama-3.1-8b ] || [ "$LLAMAC_TEST_MODE" = long ] || continue
  mkdir -p "$name/other"
  cp "$config" "$name/other"
  (cd "$name/other" && umask 077 && llamac -q $name.json --no-weights -o again)
  cmp "$name/exe" "$name/other/again" || fail "$name: other bytes"
  [ -n "$LLAMAC_PTXAS" ] || continue
  for dtype in f16 f32; do
    expect 0 llamac "$config" --dtype $dtype --emit=cubin -o "$name/$dtype.cubin"
    no_spills
  done
done
[ -n "$LLAMAC_PTXAS" ] || echo "ptxas is not there: nothing was assembled"
