#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The numerics contract through the executable itself: --force-ids with the reference's own tokens, --dump-logits,
# with and without --echo, and the same bits twice.
# RUN: bash %s %t
# UNSUPPORTED: quick
set -euo pipefail
t=$1
rm -rf "$t" && mkdir -p "$t"
cd "$t"
compare() { /usr/bin/python3 "$LLAMAC_SOURCE_DIR/test/numerics/compare_npy.py" "$@"; }

prompt="1 17 300 45 99 260"
steps=12
make-test-model mqa-dim48 model
forced=$(run-reference model --ids "$prompt" -n $steps --dump-logits reference.npy)
for dtype in f32 bf16 f16; do
  llamac model -q --dtype $dtype -o run 2>/dev/null
  ./run --device emulator --ids "$prompt" --force-ids "$forced" -n $steps --dump-logits $dtype.npy >$dtype.json
  ./run --device emulator --ids "$prompt" --force-ids "$forced" -n $steps --dump-logits again.npy --echo >/dev/null
done
# 3 E of each build.
compare f32.npy reference.npy 1e-4
compare bf16.npy reference.npy 0.045
compare f16.npy reference.npy 0.006
compare again.npy reference.npy 0.006   # f16 with --echo: a row per prompt position too
compare f16.npy again.npy 0
