#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# One model in every format gives the same packed weights byte for byte; --rope-factor; which format wins, said with -v.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

# convert NAME OPTIONS...: `model` in another format.
convert() { local out=$1; shift; /usr/bin/python3 "$LLAMAC_SOURCE_DIR/test/import/Inputs/convert-model.py" model "$out" "$@"; }
# pack MODEL OPTIONS...: its weights in packed.weights.
pack() { local model=$1; shift; rm -f packed packed.weights; expect 0 llamac "$model" --gpu emulator --max-seq-len 64 --split-weights -o packed "$@"; }
# equal MODEL, differs MODEL: against those of the safetensors.
equal() { pack "$@" -q; cmp packed.weights expected || fail "$1 packs other weights than model"; }
differs() { pack "$1" -q; ! cmp -s packed.weights expected || fail "$1 packs the same weights, which a fault should have changed"; }

# Files that PyTorch's and gguf's own code wrote: grouped queries, a tied head.
formats=$LLAMAC_SOURCE_DIR/test/import/Inputs/formats
pack "$formats/hf" -q; mv packed.weights expected
equal "$formats/bin"
equal "$formats/bf16.gguf"
equal "$formats/meta" --rope-factor 8
# Q8_0: what gguf's own code decodes it to, as float16.
mkdir decoded
cp "$formats/hf/config.json" decoded; cp "$formats/q8_0.safetensors" decoded/model.safetensors
pack decoded -q; mv packed.weights expected
pack "$formats/q8_0.gguf"; says "q8_0 -> f16: 15 tensors"
cmp packed.weights expected || fail "q8_0.gguf packs other weights than gguf's own code decodes"

# As many KV heads as heads, a head of its own; by our own writers.
make model --set num_key_value_heads=4
pack model -q; mv packed.weights expected
convert shards --to bin --shards 2; equal shards
convert meta --to meta --shards 2
convert model.gguf --to gguf; equal model.gguf
# A converter that left the pairs as they are is seen.
convert wrong --to meta --keep-pairs; differs wrong
convert wrong.gguf --to gguf --keep-pairs; differs wrong.gguf

# Biases lie as the rows do that they belong to.
mv expected plain.expected; mv model plain; make-test-model bias-gqa model
pack model -q; mv packed.weights expected
convert biased --to bin; equal biased
convert biased.gguf --to gguf; equal biased.gguf
convert wrong.gguf --to gguf --keep-pairs; differs wrong.gguf
rm -r model; mv plain model; mv plain.expected expected

# Several in one folder.
cp model/model.safetensors shards
expect 0 llamac shards --emit=llama -o text -v
says "shards/model.safetensors: is read; shards/pytorch_model.bin.index.json beside it is not"
cp meta/* model
expect 0 llamac model --emit=llama -o text -v
says "model/model.safetensors: is read; model/consolidated.00.pth beside it is not"
rm model/model.safetensors
equal model # Meta's

# Scaled rope says its factor on the command line.
sed -i 's/^{/{"use_scaled_rope": true, /' meta/params.json
refused 1 meta --gpu emulator --max-seq-len 64
says 'meta/params.json: "use_scaled_rope" is true'; says "--rope-factor (8 for Llama 3.1 and 3.3, 32 for Llama 3.2)"
expect 0 llamac meta --gpu emulator --max-seq-len 64 --no-weights --emit=llama --rope-factor 32 -o - -q
tells 'factor = 3.200000e+01'
refused 1 model.gguf --rope-factor 8; says "--rope-factor is for Meta's params.json"
refused 2 meta --rope-factor 0.5; says "--rope-factor"
mkdir empty; cp model.gguf empty
refused 1 empty; says "holds GGUF files; name one of them, as in empty/model.gguf"
