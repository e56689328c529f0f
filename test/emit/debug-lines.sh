#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every line of PTX is traced to a tensor and to a line of --emit=tiled, by .loc and .file; no instruction and no cubin's
# code changes for it, and no path of this machine gets in.
# RUN: bash %s %t
. "$(dirname "$0")/../driver/Inputs/llamac.sh"

expect 0 llamac -q "$storyteller" -o story --dump-dir phases
cd phases
# The files are the checkpoint's tensors, all of them, and the two parts of it that have none.
sed -nE 's/^\t\.file\t[0-9]+ "(.*)"$/\1/p' 5-ptx.ptx | sed 's/ + /\n/g' | sort -u >named
sed -nE 's/^  llama.weight @([^ ]+) .*/\1/p' 1-llama.mlir | sed -E 's/layers\.[0-9]+\./layers.*./' >expected
printf '%s\n' 'model.layers.*.self_attn' sample >>expected
sort -u expected | diff - named || fail "the files are not the tensors"

# Each .loc names a file that is there and a line of its kernel in the tiled module; line 0 is what the compiler made.
/usr/bin/python3 - <<'END'
import re
tiled = open("3-tiled.mlir").read().split("\n")
kernel, kernels = None, {}  # name -> first and last line
for number, line in enumerate(tiled, 1):
    if found := re.match(r" +gpu\.func @(\w+)", line):
        kernel = found[1]
        kernels[kernel] = [number, number]
    elif kernel:
        kernels[kernel][1] = number
        if line == "    }":
            kernel = None
ptx = open("5-ptx.ptx").read()
files = dict(re.findall(r"^\t\.file\t(\d+) \"(.*)\"$", ptx, re.M))
kernel, located, missing, count, locations = None, False, 0, 0, 0
for line in ptx.split("\n"):
    if found := re.match(r"\.visible \.entry (\w+)\(", line):
        kernel, located = found[1], False
    elif found := re.match(r"\t\.loc\t(\d+) (\d+) (\d+)", line):
        file, at, column = found.groups()
        located = True
        assert file in files, line
        if at != "0":
            locations += 1
            first, last = kernels[kernel]
            assert first <= int(at) <= last, (kernel, line)
            text = tiled[int(at) - 1]
            # A kernel's own line has column 0.
            assert column == "0" or re.match(" *", text).end() == int(column) - 1, (line, text)
            # A product belongs to its weights, never to a norm.
            assert "tile.product" not in text or "norm" not in files[file], (line, text)
    elif kernel and re.match(r"\t(@!?%p\d+ )?[a-z][\w.:]+ ?\t", line):
        count += 1
        missing += not located
assert locations > 1000, locations
assert count > 5000 and missing == 0, (count, missing)
norms = sorted(name for name in files.values() if "norm" in name)
assert norms == ["model.layers.*.input_layernorm.weight", "model.layers.*.post_attention_layernorm.weight",
                 "model.norm.weight"], norms
END

# The products of one role are of its weights, and of no other's.
for kernel in gate_up_32 gate_up_8; do
  number=$(awk -v k="$kernel" '$0 ~ "entry " k "\\(" { on = 1 } on && /mma.sync/ { print at; exit } $1 == ".loc" { at = $2 }' 5-ptx.ptx)
  grep -qF "	.file	$number \"model.layers.*.mlp.gate_proj.weight + model.layers.*.mlp.up_proj.weight\"" 5-ptx.ptx ||
    fail "the products of $kernel are of file $number"
done

# Without the lines the machine code is the same.
[ -n "$LLAMAC_PTXAS" ] || { echo "ptxas is not there: machine code was not compared"; exit 0; }
cp 5-ptx.ptx lines.ptx
grep -vE '^	\.(loc|file)	' 5-ptx.ptx >bare.ptx
for name in lines bare; do
  "$LLAMAC_PTXAS" -arch=sm_90a $name.ptx -o $name.cubin
  for section in $(llvm-readelf -S --wide $name.cubin | grep -oE '\.text\.[a-z0-9_]+' | sort -u); do
    llvm-objcopy --dump-section "$section=code" $name.cubin unused
    echo "$section $(sha256sum <code)"
  done >$name.code
done
[ "$(wc -l <bare.code)" -ge 10 ] || fail "$(cat bare.code)"
cmp bare.code lines.code || fail "the lines change the machine code"
