#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# examples/every-phase and the excerpts of docs/one-fusion.md are what llamac makes today; its script tells stale files,
# missing ones and ones too many, and --update mends them.
# RUN: bash %s %t
. "$(dirname "$0")/../driver/Inputs/llamac.sh"
make="$LLAMAC_SOURCE_DIR/examples/every-phase/make.py"
llamac=$LLAMAC_BINARY_DIR/bin/llamac

cp -r "$LLAMAC_SOURCE_DIR/examples/every-phase" folder
cp "$LLAMAC_SOURCE_DIR/docs/one-fusion.md" page.md
check() { expect "$1" /usr/bin/python3 "$make" --llamac "$llamac" --folder folder --page page.md "${@:2}"; }
sed -i 's/llama.rms_norm/llama.norm/' folder/1-llama.mlir
rm folder/2-fused/2-llama-fuse-swiglu.mlir
touch folder/6-other.mlir
sed -i 's/tile.ring_fill/tile.ring_pour/' page.md
check 1; tells "stale: folder/1-llama.mlir"; tells "stale: folder/2-fused/2-llama-fuse-swiglu.mlir"
tells "stale: folder/6-other.mlir"; tells "stale: page.md"; says "make.py --update writes them anew"
[ "$(grep -c '^stale' stdout)" = 4 ] || fail "in the tree there are stale files; examples/every-phase/make.py --update: $(cat stdout)"
check 0 --update
diff -r "$LLAMAC_SOURCE_DIR/examples/every-phase" folder
cmp page.md "$LLAMAC_SOURCE_DIR/docs/one-fusion.md"

# Each file is short, and says in its first line what changed.
for file in $(find folder -name '*.mlir' -o -name '*.ptx'); do
  [ "$(wc -l <"$file")" -le 250 ] || fail "$file is too long"
  head -1 "$file" | grep -qE '^// `.+: .+\.$' || fail "$file: $(head -1 "$file")"
done
