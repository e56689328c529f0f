#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every row of the GPU table: the kernels of Llama 3.2 1B and Llama 3.1 8B assemble for it without spills, at the PTX
# version that the table names, and so do those of runtime/kernels. Each chip here, with the larger model on all of them;
# each row with both in rows-assemble-long.sh.
# REQUIRES: ptxas
# UNSUPPORTED: quick
# RUN: bash %s %t
. "$(dirname "$0")/../driver/Inputs/llamac.sh"

llamac --gpu help >table
rows=$(awk 'NR > 1 {print $1}' table)
[ "$(wc -w <<<"$rows")" = 10 ] || fail "the table has these rows: $rows"
[ "${2:-}" = all ] || rows="h200 a100-40g rtx4090 rtx3090 rtx5090"
for row in $rows; do
  names="llama-3.2-1b llama-3.1-8b"
  [ "${2:-}" = all ] || [ $row = h200 ] || [ $row = rtx4090 ] || names=llama-3.1-8b
  for name in $names; do
    expect 0 llamac "$LLAMAC_SOURCE_DIR/test/models/configs/$name.json" --gpu $row --emit=cubin -o one.cubin --dump-dir dump
    ! grep spills stderr || fail "$row: $(cat stderr)"
    chip=$(awk -v row=$row '$1 == row {print $2}' table)
    grep -q "^\.target $chip\b" dump/5-ptx.ptx || fail "$row: $(grep -m1 '^\.target' dump/5-ptx.ptx)"
    for image in one.cubin one.cubin.kernels.cubin; do
      [ "$(head -c 4 $image | tail -c 3)" = ELF ] || fail "$row: $image is no cubin"
    done
  done
done
