#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --pool-kv-heads: the packed weights are byte for byte those of a checkpoint that was pooled outside of llamac.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"
pool() { /usr/bin/python3 "$LLAMAC_SOURCE_DIR/test/driver/Inputs/pool-heads.py" "$@"; }

# equal POOLED OPTIONS...: `llamac OPTIONS` packs what the checkpoint POOLED packs.
equal() {
  local pooled=$1 dtype; shift
  dtype=${*: -1} # the last of them
  expect 0 llamac "$pooled" --dtype "$dtype" --split-weights -q -o by-hand
  expect 0 llamac "$@" --split-weights -q -o by-llamac
  cmp by-hand.weights by-llamac.weights || fail "$*: other bytes than $pooled has"
}

make-test-model bias-mha mha # 4 heads, biases, stored BF16
pool mean mha mha-2 2
equal mha-2 mha --pool-kv-heads 2 --dtype bf16
mv by-llamac.weights two.weights
# A model that has groups already, stored F32 and with sizes that are no multiple of 64.
make-test-model bias-gqa gqa # 6 heads on 2
pool mean gqa gqa-1 1
equal gqa-1 gqa --pool-kv-heads 1 --dtype f32
# Equal heads, three to one, pool to what they were: the same weights and the same logits.
pool repeat gqa gqa-6 6
equal gqa gqa-6 --pool-kv-heads 2 --dtype f16
run() { expect 0 "$1" --device emulator --ids "1 2 3 4 5" -n 4 --temperature 0 --dump-logits "$2"; }
run ./by-hand by-hand.npy; run ./by-llamac by-llamac.npy
cmp by-hand.npy by-llamac.npy
# As many as there are: nothing is pooled.
expect 0 llamac mha --emit=fused -o plain.mlir
expect 0 llamac mha --pool-kv-heads 4 --emit=fused -o same.mlir
cmp plain.mlir same.mlir

# The passport has both numbers and the pass; shapes alone are pooled too.
expect 0 llamac mha --pool-kv-heads 2 --no-weights -o shapes
expect 0 ./shapes --info
grep -qE '^ *kv_heads +2$' stdout && grep -qE '^ *pooled_from_kv_heads +4$' stdout || fail "$(cat stdout)"
grep -q 'passes  *llama-pool-kv-heads llama-fuse-qkv' stdout || fail "$(grep passes stdout)"
expect 0 ./shapes --device emulator --weights two.weights --ids "1 2" -n 2 --temperature 0
expect 0 ./shapes --device emulator --random-weights 3 --ids "1 2" -n 2 --temperature 0
expect 0 llamac mha --pool-kv-heads 2 --emit=fused
tells 'llama.weight @model.layers.1.self_attn.v_proj.bias : tensor<64xbf16> pool <heads = 2, head_dim = 32>'

refused 1 mha --pool-kv-heads 3
says "--pool-kv-heads 3: mha has 4 heads, each with a key and a value of its own, which do not form that many groups of one size; it takes one of 1, 2, 4"
refused 1 gqa --pool-kv-heads 3
says "--pool-kv-heads 3: gqa has 2 KV heads, which do not form that many groups of one size; it takes one of 1, 2"
refused 1 mha --pool-kv-heads 8; says "it takes one of 1, 2, 4"
refused 2 mha --pool-kv-heads 0; says "--pool-kv-heads: found \`0\`, expected a whole number from 1"
refused 2 mha --pool-kv-heads two; says "--pool-kv-heads"
