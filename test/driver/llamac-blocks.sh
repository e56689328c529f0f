#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --blocks: how many blocks share the rows of a product changes the launches and no bit of what they compute.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

for blocks in 1 3 65535; do
  expect 0 llamac -q "$storyteller" --gpu emulator --blocks $blocks -o story$blocks
  expect 0 ./story$blocks --device emulator -n 5 --force-ids "5 6 7 8" --dump-logits $blocks.npy "Once upon a time"
done
expect 0 llamac -q "$storyteller" --gpu emulator -o story
expect 0 ./story --device emulator -n 5 --force-ids "5 6 7 8" --dump-logits default.npy "Once upon a time"
for blocks in 1 3 65535; do
  cmp $blocks.npy default.npy || fail "--blocks $blocks gives other logits"
done

# A product's biases go round with its rows.
make-test-model bias-gqa biases
for blocks in "" "--blocks 1"; do
  expect 0 llamac -q biases $blocks -o biased
  expect 0 ./biased --device emulator --ids "1 5 7 9" -n 4 --temperature 0 --dump-logits "logits$blocks.npy"
done
cmp logits.npy "logits--blocks 1.npy"

# The passport says what was asked for.
expect 0 ./story3 --info; grep -qE "^ +blocks +3$" stdout || fail "--info says no blocks"
expect 0 ./story --info;  ! grep -qE "^ +blocks +" stdout || fail "--info says blocks"

# The grid is what was asked for, in every product of decode and prefill.
expect 0 llamac -q "$storyteller" --gpu emulator --blocks 3 --emit=tiled -o tiled
rows=$(grep -c 'tile.extent \* 3 per 1' tiled)
[ "$rows" -ge 8 ] || fail "only $rows products have 3 blocks"

expect 2 llamac "$storyteller" --blocks 0;     says "--blocks"
expect 2 llamac "$storyteller" --blocks 70000; says "--blocks"
expect 2 llamac "$storyteller" --blocks x;     says "--blocks"
