#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The kernels of the project's own models under full checking and eight schedules: no report, equal bits. Two models in
# general; with `check.sh --long` all of them, in every storage type and for GPUs with and without bulk copies.
# RUN: bash %s %t
set -euo pipefail
t=$1
rm -rf "$t" && mkdir -p "$t"
cd "$t"
fail() { echo "FAILED: $*"; exit 1; }

models=(gqa-tied hidden172) dtypes=(bf16) gpus=(h200)
if [ "${LLAMAC_TEST_MODE:-full}" = long ]; then
  mapfile -t models < <(make-test-model 2>&1 | sed -n 's/^  \([a-z0-9-]*\)$/\1/p')
  [ "${#models[@]}" -ge 12 ] || fail "make-test-model lists ${models[*]}"
  dtypes=(bf16 f16 f32) gpus=(h200 a100-80g rtx5090)
fi

# A prompt past the end of a KV page, two sequences of a batch, then tokens one by one.
{
  echo "{\"prompt_ids\": [$(seq -s, 3 72)]}"
  echo '{"prompt_ids": [1, 17, 30, 45, 29]}'
} >prompts.jsonl
logits() { # logits NAME OPTION...: the bits of all rows, in NAME.0.npy and NAME.1.npy
  local name=$1; shift
  ./run --device emulator --prompts prompts.jsonl -n 4 --temperature 0 --seed 1 --max-batch 2 --dump-logits "$name.npy" "$@" \
    >"$name.jsonl" 2>"$name.err" || fail "$what, $*: $(cat "$name.err")"
}

runs=0
for model in "${models[@]}"; do
  make-test-model "$model" folder >/dev/null
  for dtype in "${dtypes[@]}"; do
    for gpu in "${gpus[@]}"; do
      what="$model in $dtype for $gpu"
      # Some are tested past max_position_embeddings.
      llamac folder -q --dtype "$dtype" --gpu "$gpu" --max-batch 2 --allow-long --max-seq-len 128 -o run 2>/dev/null || fail "$what: does not compile"
      logits plain --emulator-check off
      for seed in 1 2 3 4 5 6 7 8; do
        logits seed --emulator-check on --emulator-schedule "$seed"
        for i in 0 1; do
          cmp "plain.$i.npy" "seed.$i.npy" || fail "$what: seed $seed has other bits for prompt $i"
        done
        cmp plain.jsonl seed.jsonl || fail "$what: seed $seed has other tokens"
        runs=$((runs + 1))
      done
    done
  done
  rm -rf folder
done
echo "$runs runs had equal bits and no report"
