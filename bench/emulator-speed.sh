#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Measures the emulator: kernels, the example model, and a Llama of 15 million parameters with checks off and on; each
# beside a plain C++ loop that does the same arithmetic in the same run.
# usage: bench/emulator-speed.sh [BUILD_FOLDER]     (default: build/release; needs `ninja emulator-bench llamac`)
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
build=$(readlink -f "${1:-$root/build/release}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
echo "$(nproc) cores: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
"$build/bin/emulator-bench" "$(nproc)"

# tokens NAME WEIGHTS COMMAND...: the best decoding rate of three runs, and the plain loop's.
tokens() {
  local name=$1 weights=$2 best; shift 2
  best=$(for run in 1 2 3; do
    "$@" --device emulator --temperature 0 -v 2>&1 >/dev/null | sed -n 's/.*decoding [^(]*(\([0-9.]*\) tokens.*/\1/p'
  done | sort -g | tail -n 1)
  plain=$("$build/bin/emulator-bench" --plain-model "$weights")
  printf '%-44s %8.1f tokens/s  %7.1fx of plain C++\n' "$name" "$best" \
    "$(awk -v plain="$plain" -v best="$best" 'BEGIN { print plain / best }')"
}

"$build/bin/llamac" "$root/examples/storyteller/model" -q -o "$scratch/storyteller"
tokens "example model, checks off" 3477000 "$scratch/storyteller" -n 100 "Once upon a time"

# Six layers of the width of stories15M: 15.2 million parameters, the embedding tied to the head.
cat >"$scratch/config.json" <<'END'
{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 288, "intermediate_size": 768,
 "num_hidden_layers": 6, "num_attention_heads": 6, "num_key_value_heads": 6, "vocab_size": 32000,
 "max_position_embeddings": 256, "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "tie_word_embeddings": true,
 "hidden_act": "silu", "torch_dtype": "bfloat16"}
END
"$build/bin/llamac" "$scratch/config.json" -q -o "$scratch/llama15m"
llama=("$scratch/llama15m" --random-weights 1 --ids "1 2 3 4 5")
tokens "Llama of 15 million, checks off" 15200000 "${llama[@]}" -n 64
tokens "Llama of 15 million, checks on" 15200000 "${llama[@]}" -n 8 --emulator-check on
