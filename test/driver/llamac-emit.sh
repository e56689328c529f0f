#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --emit=: every stage as text, to stdout or a file; the dumps hold the same.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

make model
mkdir dumps
expect 0 llamac model -o exe --dump-dir dumps
for stage in 1-llama.mlir 2-fused.mlir 3-tiled.mlir 4-nvvm.mlir 5-ptx.ptx; do
  noun=${stage#?-}; noun=${noun%.*}
  expect 0 llamac -q model --emit=$noun
  cmp stdout dumps/$stage || fail "--emit=$noun differs from its dump"
  expect 0 llamac -q model --emit $noun -o text
  [ ! -s stdout ] || fail "--emit=$noun -o wrote to stdout"
  cmp text dumps/$stage
done
grep -q '\.visible \.entry embed' dumps/5-ptx.ptx
# The kernels of runtime/kernels go beside OUT; they are what the executable holds.
grep -q '\.visible \.entry sample' text.kernels.ptx
/usr/lib/llvm-22/bin/llvm-objcopy --dump-section .llamac.kernels.ptx=held exe /dev/null
head -c -1 held | cmp - text.kernels.ptx
expect 0 llamac -q model --emit=ptx -o /dev/null
[ ! -e /dev/null.kernels.ptx ] || fail "wrote beside a device"
expect 0 llamac -q model --emit=llama -o /dev/null
[ -c /dev/null ] || fail "/dev/null was replaced"
expect 1 llamac -q model --emit=llama -o no/such/folder/text
says "no/such/folder/text: cannot be written: No such file or directory"

# llama-opt takes what llamac gives, and goes on from there.
llama-opt dumps/1-llama.mlir --fuse >fused
cmp fused dumps/2-fused.mlir
llama-opt fused --tile >tiled
cmp tiled dumps/3-tiled.mlir
llama-opt tiled --lower >nvvm
cmp nvvm dumps/4-nvvm.mlir
