#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The PTX of odd sizes: the same bytes twice, no call of anything, assembles without spills.
# RUN: bash %s %t
. "$(dirname "$0")/../driver/Inputs/llamac.sh"

# config HIDDEN FFN HEADS KV_HEADS HEAD_DIM VOCABULARY
config() {
  cat >config.json <<END
{"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu",
 "hidden_size": $1, "intermediate_size": $2, "num_hidden_layers": 2,
 "num_attention_heads": $3, "num_key_value_heads": $4, "head_dim": $5, "vocab_size": $6,
 "max_position_embeddings": 200, "rms_norm_eps": 1e-5, "rope_theta": 10000.0,
 "tie_word_embeddings": true, "torch_dtype": "bfloat16"}
END
}

check() { # MAX_BATCH DTYPE...
  local batch=$1
  for dtype in "${@:2}"; do
    expect 0 llamac -q config.json --dtype $dtype --max-batch "$batch" --emit=ptx -o one.ptx
    grep -q '^\.version 8\.0$' one.ptx || fail "another PTX version than 8.0"
    ! grep -nE '__nv_|\bcall\b|\.local|\.func' one.ptx || fail "the kernels call or spill"
    [ -n "$LLAMAC_PTXAS" ] || continue
    "$LLAMAC_PTXAS" -arch=sm_90a -v one.ptx -o /dev/null 2>log || fail "$(cat log)"
    ! grep -E '[1-9][0-9]* bytes (stack frame|spill)' log || fail "$dtype spills: $(cat log)"
  done
}

config 172 86 2 1 48 32003
check 20 f16 f32 bf16
expect 0 llamac -q config.json --dtype bf16 --max-batch 20 --emit=ptx -o two.ptx
cmp one.ptx two.ptx
config 512 1024 8 1 256 1000
types="bf16 f32"
[ "$LLAMAC_TEST_MODE" != long ] || types="bf16 f16 f32"
# shellcheck disable=SC2086
check 32 $types
[ -n "$LLAMAC_PTXAS" ] || echo "ptxas is not there: nothing was assembled"
