#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --json, --stop, --echo, --force-ids, --dump-logits, --prompts.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"
field() { /usr/bin/python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())[sys.argv[1]])' "$1"; }

toy 0 "Once upon a time" -n 30 --json
[ "$(field finish_reason <out)" = length ] || [ "$(field finish_reason <out)" = eos ] || fail "$(cat out)"
toy 0 "Once upon a time" -n 2 --json
[ "$(field finish_reason <out)" = length ] || fail "$(cat out)"
[ "$(tr -cd '{' <out | wc -c)" = 1 ] || fail "one object a line"

# The toy model's text for this prompt has "read" in it, across two tokens or not.
toy 0 "Once upon a time" -n 30 --json
text=$(field text <out)
stop=$(/usr/bin/python3 -c 'import sys; t=sys.argv[1]; print(next(t[i:i+3] for i in range(3,len(t)-3) if t[i:i+3].isascii() and t[i:i+3].isprintable()))' "$text")
toy 0 "Once upon a time" -n 30 --json --stop "not in it" --stop "$stop"
[ "$(field finish_reason <out)" = stop ] || fail "$(cat out)"
[ "$(field text <out)" = "${text%%"$stop"*}" ] || fail "text before the stop string: $(cat out)"
toy 0 "Once upon a time" -n 30 --stop "$stop"
[ "$(cat out)" = "${text%%"$stop"*}" ] || fail "streamed text before the stop string: $(cat out)"

# Forced ids are the output, end-of-text does not stop, and logits have a row for each.
toy 0 --ids "1 50 60" --force-ids "2 7 2 9" --json --dump-logits forced.npy
[ "$(field output_ids <out)" = "[2, 7, 2, 9]" ] || fail "$(cat out)"
[ "$(field finish_reason <out)" = length ] || fail "$(cat out)"
toy 0 --ids "1 50 60" --force-ids "2 7 2 9" --echo --dump-logits echo.npy
toy 0 --ids "1 50 60 2" --force-ids "7 2 9" --dump-logits later.npy
/usr/bin/python3 - <<'PYTHON'
import struct
def load(name):
    data = open(name, "rb").read()
    assert data[:8] == b"\x93NUMPY\x01\x00"
    length = struct.unpack("<H", data[8:10])[0]
    shape = eval(data[10:10 + length])["shape"]
    body = data[10 + length:]
    assert len(body) == 4 * shape[0] * shape[1], shape
    return shape, body
forced, echo, later = load("forced.npy"), load("echo.npy"), load("later.npy")
assert forced[0] == (4, 500) and echo[0] == (6, 500) and later[0] == (3, 500), (forced[0], echo[0], later[0])
row = 4 * 500
assert echo[1][2 * row:] == forced[1], "the last prompt position is the first token's row"
assert forced[1][row:] == later[1], "what is forced is fed"
PYTHON

# A batch: more lines than slots, in input order, each line as it is alone.
printf 'Once upon\nThe cat and the dog\n\nShe liked to read stories about animals\na\nb\nc d e\n' >prompts.txt
toy 0 --prompts prompts.txt -n 20 --seed 40 --max-batch 3 --dump-logits batch.npy
cp out together
[ "$(wc -l <together)" = 7 ] || fail "seven lines: $(cat together)"
index=0
while IFS= read -r line; do
  toy 0 -p "$line" -n 20 --json --seed $((40 + index)) --dump-logits alone.npy
  sed -n "$((index + 1))p" together >one
  same out one "line $index of the batch"
  same alone.npy batch.$index.npy "the logits of line $index"
  index=$((index + 1))
done <prompts.txt
toy 0 --prompts prompts.txt -n 20 --seed 40
same out together "another batch size"
printf '{"prompt": "Once upon"}\n\n{"prompt_ids": [1, 50]}\n' >prompts.jsonl
toy 0 --prompts prompts.jsonl -n 20 --seed 40
head -n 1 out >got; head -n 1 together >one
same got one "JSON lines"
[ "$(wc -l <out)" = 2 ] || fail "two objects"

# One line that cannot be done does not disturb the others.
printf '{"prompt_ids": [1, 50]}\n{"prompt_ids": [1, 500]}\n{"prompt_ids": [1, 50]}\n' >mixed.jsonl
toy 1 --prompts mixed.jsonl -n 4
says "prompt 1: token id 500 is out of range"
[ "$(sed -n 1p out | sed "s/,\"seed.*//")" = "$(sed -n 3p out | sed "s/,\"seed.*//")" ] || fail "neighbours differ"
sed -n 2p out | grep -q '"error":"token id 500' || fail "$(cat out)"
