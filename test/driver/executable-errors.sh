#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What an executable says when it cannot do what is asked, and its exit status.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"

# The command line is wrong: 2.
toy 2 --self-test x;            says "unknown option --self-test; is --selftest meant?"
toy 1 --selftest;               says "holds no values to test itself with: it was compiled with --no-selftest"
toy 2 two words;                says "quote a prompt of several words"
toy 2 -n -1 x;                  says "expected a whole number from 0"
for value in nan -0.5 inf 101 x; do
  toy 2 --temperature "$value" x; says "--temperature: found \`$value\`, expected a number from 0 to 100"
done
for option in --top-p --min-p; do
  for value in nan -0.1 1.5; do
    toy 2 $option "$value" x;   says "$option: found \`$value\`, expected a number from 0 to 1"
  done
done
toy 2 --top-k -1 x;             says "--top-k: found \`-1\`, expected a whole number from 0"
toy 2 --repeat-penalty 0 x;     says "expected a number from 0.01 to 100"
toy 2 --presence-penalty 3 x;   says "expected a number from 0 to 2"
toy 2 --frequency-penalty -1 x; says "expected a number from 0 to 2"
toy 2 --seed -1 x;              says "expected a whole number from 0 to 18446744073709551615"
toy 2 --logprobs 21 x;          says "expected a whole number from 0 to 20"
toy 2 --stop "" x;              says "--stop: found \`\`, expected at least one character"
toy 2 -c 257 x;                 says "--ctx-size: found 257, expected 1 to 256"
toy 2 --max-batch 5 x;          says "--max-batch: found 5, expected 1 to 4"
toy 2 -c 0 x;                   says "expected a whole number from 1"
toy 2 --ids "1 two";            says 'found `two`'
toy 2 x --ids 1;                says "give one prompt"
run 2 ./toy --device gpu x;     says "expected auto, cuda, cuda:N or emulator"

# The work fails: 1.
toy 1 --ids "1 500";            says "token id 500 is out of range: the vocabulary has ids 0 to 499"
toy 1 --ids "-1";               says "token id -1 is out of range"
toy 1 -c 4 "Once upon a time, there was"; says "but the context holds 4"
toy 1 -f no-such-file;          says "no-such-file: cannot be read: No such file or directory"
toy 1 --prompts no-such-file;   says "no-such-file: cannot be read"
toy 1 "x" -n 1 --dump-logits no/such/folder.npy; says "no/such/folder.npy: cannot be written"
printf '{"promt": "x"}\n' >bad.jsonl
toy 1 --prompts bad.jsonl;      says "bad.jsonl:1: found unknown key promt"
printf '{"prompt": "x"}\n\n{"prompt": \n' >bad.jsonl
toy 1 --prompts bad.jsonl;      says "bad.jsonl:3: found no JSON object"
printf '{"prompt": "x"}\n{"messages": []}\n' >bad.jsonl
toy 1 --prompts bad.jsonl;      says "bad.jsonl:2: found no message of the user"
printf '{"prompt": "x", "prompt_ids": [1]}\n' >bad.jsonl
toy 1 --prompts bad.jsonl;      says "bad.jsonl:1: found 2 keys, expected one of prompt, prompt_ids and messages"

# A prompt that fills the context gives one token; one more does not fit.
ids=$(seq -s ' ' 3 66)
toy 0 -c 64 --ids "$ids" --json
[ "$(grep -oE '"output_ids":\[[0-9]+\]' out | wc -l)" = 1 ] || fail "$(cat out)"
toy 1 -c 63 --ids "$ids"
says "the prompt has 64 tokens, but the context holds 63"

# Variants of the executable.
"$bin/make-toy" "$bin/llama-runtime" shapes no-weights
run 1 ./shapes --device emulator x
says "was compiled with --no-weights and holds shapes only"
says "--random-weights"
run 0 ./shapes --info
grep -q "weights *none: --random-weights or --weights" out || fail "$(cat out)"
"$bin/make-toy" "$bin/llama-runtime" silent no-tokenizer
run 2 ./silent --device emulator x;   says "this executable has no tokenizer: give the prompt as --ids"
run 2 ./silent --device emulator --ids 1 --stop x; says "has no tokenizer"
run 0 ./silent --device emulator --ids "1 50" -n 2
grep -qE '^[0-9]+ [0-9]+$' out || fail "ids as text: $(cat out)"
run 1 "$bin/llama-runtime" x;   says "section .llamac.plan: found none"

# Cut or altered: the section is named, nothing is printed.
size=$(stat -c %s toy) bare=$(stat -c %s "$bin/llama-runtime")
for cut in $((size - 1)) $((size - 5000)) $((bare + 100)); do
  head -c "$cut" toy >cut
  chmod +x cut
  if ./cut --device emulator x >out 2>err </dev/null; then fail "ran cut at $cut"; fi
  [ ! -s out ] || fail "printed: $(cat out)"
done
for word in toy_store '"name":"toy"' LLMCPLAN; do
  at=$(LC_ALL=C grep -obaF "$word" toy | tail -n 1 | cut -d : -f 1)
  cp toy altered
  printf 'X' | dd of=altered bs=1 seek=$((at + 2)) conv=notrunc status=none
  run 1 ./altered --device emulator x
  says "section .llamac."
  says "expected"
done
