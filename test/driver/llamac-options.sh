#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# llamac's command line.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

make model
make bare --config-only

# The command line is wrong: 2, and nothing is written.
refused 2;                          says "MODEL is required"
refused 2 model other;              says "other"
refused 2 model --no-such-option;   says "--no-such-option"
refused 2 model --dtype fp8;        says "--dtype"
refused 2 model --emit fatbin;       says "--emit"
for value in 0 -1 9223372036854775808 64x "" 1e3; do
  refused 2 model --max-seq-len "$value";  says "expected a whole number from 1 to 16777216"
  refused 2 model --max-batch "$value";    says "expected a whole number from 1 to 1024"
done
for option in --blocks; do
  refused 2 model $option;          says "$option"
done
refused 2 model --gpu gtx;          says "gtx is no row of the GPU table"; says "h200"; says "emulator"
refused 1 model --max-seq-len 129
says 'the config'"'"'s "max_position_embeddings" is 128; a longer context needs --allow-long'

# Help and version go to stdout.
expect 0 llamac --help;             tells "--max-seq-len"; tells "--emit"; [ ! -s stderr ] || fail "$(cat stderr)"
expect 0 llamac --version;          tells "llamac $LLAMAC_VERSION"
expect 0 llamac --gpu help;         tells "h200"; tells "emulator"
expect 0 llamac --gpu=help;         tells "h200"

# What was chosen is printed; -q says nothing at all.
expect 0 llamac model -o exe
says "--gpu h200 --dtype bf16 --max-seq-len 128 --max-batch 8"
says "model: no tokenizer.json and no tokenizer.model; the executable will take only --ids"
says "wrote exe"
[ ! -s stdout ] || fail "$(cat stdout)"
expect 0 llamac -q model -o exe;    [ ! -s stderr ] || fail "$(cat stderr)"
expect 0 llamac -v model -o exe --max-seq-len 256 --allow-long --max-batch 3 --gpu emulator --time-phases
says "--gpu emulator --dtype bf16 --max-seq-len 256 --max-batch 3"
says "launches: "; says "bytes: "
for phase in open llama fused tiled nvvm ptx cubin exe; do says "llamac: $phase "; done

# Storage types; a conversion is named.
expect 0 llamac model -o exe --dtype f32; says "converting bf16 -> f32: 21 tensors"
expect 0 ./exe --info
tells "bf16 -> f32: 21 tensors"
make wide --dtype F32
expect 0 llamac wide --emit=llama -o text; says "--dtype f32"
expect 0 llamac wide -o exe --dtype f16; says "converting f32 -> f16: 21 tensors"

# Values that are not finite are compiled with a warning.
make odd --dtype F32 --fill model.layers.0.mlp.up_proj.weight=nan --fill lm_head.weight=inf
expect 0 llamac odd -o exe
says 'warning: odd/model.safetensors: tensor "model.layers.0.mlp.up_proj.weight" holds 1 values that are NaN or infinite'
says 'tensor "lm_head.weight" holds 1 values'

# Shapes only.
expect 0 llamac model --no-weights -o exe; says "without weights"
expect 0 llamac bare --no-weights -o exe
expect 0 llamac bare/config.json;   says "wrote ./config"
[ -x config ] || fail "no ./config"
expect 1 ./config --ids 1 -n 1

# Where the weights do not fit the GPU, the config's maximum stands and a warning says so.
expect 0 llamac "$LLAMAC_SOURCE_DIR/test/models/configs/llama-3.1-8b.json" --gpu emulator -o exe
says "warning: --max-seq-len 131072 --max-batch 8 does not fit the 14.90 GiB of emulator"
