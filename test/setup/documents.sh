#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What the README and the pages that it leads to say: every link and every file named in compiler/README.md exists, and
# the commands that they show work.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
cd "$LLAMAC_SOURCE_DIR"
for page in README.md compiler/README.md test/README.md docs/*.md examples/*/README.md; do
  for link in $(grep -oE '\]\([^)#:]+\)' "$page" | tr -d '])('); do
    [ -e "$(dirname "$page")/$link" ] || fail "$page: no $link"
  done
done
for name in $(grep -oE '`[A-Za-z/-]+\.(h|cpp|td|mlir)`' compiler/README.md | tr -d '`'); do
  [ -e "$name" ] || [ -e "compiler/$name" ] || [ -n "$(find compiler -path "*/$name")" ] || fail "compiler/README.md: no $name"
done

# README: by hand.
cd "$work"
llamac -q "$model" -o llama
./llama "Once upon a time" --device emulator --temperature 0 >told
[ "$(wc -w <told)" -gt 50 ] || fail "a short story: $(cat told)"
llamac -q "$model" --emit=fused | grep llama.fused_qkv >/dev/null || fail "--emit=fused shows no llama.fused_qkv"

# compiler/README.md: a pass alone, and a model on its way through.
llamac -q "$model" --emit=llama -o m.mlir
llama-opt m.mlir --llama-fuse-swiglu | grep llama.fused_gate_up >/dev/null || fail "the pass alone did nothing"
llamac -q "$model" --dump-dir phases -o storyteller
[ "$(find phases -type f | wc -l)" -ge 4 ] || fail "phases/ holds $(ls phases)"

# docs/looking-inside.md: each llama-opt line that says what it is.
sed -nE 's/^    (llama-opt .*[^ ]) +# is (.*)$/\1 | cmp - \2/p' "$LLAMAC_SOURCE_DIR/docs/looking-inside.md" >lines
[ "$(wc -l <lines)" = 3 ] || fail "docs/looking-inside.md shows other commands: $(cat lines)"
while read -r line; do bash -o pipefail -c "$line" || fail "docs/looking-inside.md: $line"; done <lines
