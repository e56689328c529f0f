#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sampling options, --seed and --logprobs, on the emulator.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"
"$bin/make-toy" "$bin/llama-runtime" drawn sampling
field() { /usr/bin/python3 -c 'import json,sys; print(json.loads(sys.stdin.readline())[sys.argv[1]])' "$1"; }
drawn() { run 0 ./drawn --device emulator "$@"; }

# The plan's defaults draw; a seed decides; without one another is taken each time, and told.
drawn "Once upon a time" -n 12 --seed 5 --json;   cp out first
drawn "Once upon a time" -n 12 --seed 5 --json;   same out first "the same seed"
[ "$(field seed <out)" = 5 ] || fail "no seed: $(cat out)"
drawn "Once upon a time" -n 12 --seed 6 --json
[ "$(field output_ids <out)" != "$(field output_ids <first)" ] || fail "another seed, the same tokens"
drawn "Once upon a time" -n 12 --json;            cp out unknown
drawn "Once upon a time" -n 12 --json
[ "$(field seed <out)" != "$(field seed <unknown)" ] || fail "the same seed twice"
drawn "Once upon a time" -n 12 --json --seed "$(field seed <unknown)"
same out unknown "the seed that was told"
drawn "Once upon a time" -n 2 -v --seed 7
says "temperature 0.6, top-p 0.9"
says "seed: 7"
drawn "Once upon a time" -n 2 -v --seed 7 --temperature 0 --repeat-penalty 1.5
says "greedy, repeat-penalty 1.5"

# Every way to leave one token is the greedy one, which is the toy's own default.
toy 0 "Once upon a time" -n 12; cp out greedy
for options in "--temperature 0" "--top-k 1" "--top-p 0" "--min-p 1" "--temperature 0.00001"; do
  # shellcheck disable=SC2086
  drawn "Once upon a time" -n 12 $options; same out greedy "$options"
done
toy 0 "Once upon a time" -n 12 --seed 9 --top-p 0.5; same out greedy "the plan says greedy"

# Filters that are off change nothing; one that is on does.
drawn "Once upon a time" -n 12 --seed 5 --json --top-k 0 --min-p 0 --repeat-penalty 1 --presence-penalty 0 --frequency-penalty 0
same out first "options that are off"
for options in "--temperature 5" "--top-p 1 --temperature 3" "--top-k 2" "--frequency-penalty 2 --presence-penalty 2 --top-k 2"; do
  # shellcheck disable=SC2086
  drawn "Once upon a time" -n 12 --seed 5 --json $options
  [ "$(field output_ids <out)" != "$(field output_ids <first)" ] || fail "$options changed nothing"
done

# Line i of a batch is that line alone with --seed S+i, penalties and all.
printf 'Once upon\nThe cat and the dog\n\nShe liked to read\na\nb c\n' >prompts.txt
options=(-n 10 --repeat-penalty 1.2 --presence-penalty 0.3 --frequency-penalty 0.2 --top-k 50 --min-p 0.01 --logprobs 3)
drawn --prompts prompts.txt --seed 100 --max-batch 3 "${options[@]}"; cp out together
index=0
while IFS= read -r line; do
  drawn -p "$line" --seed $((100 + index)) "${options[@]}"
  sed -n "$((index + 1))p" together >one
  same out one "line $index of the batch"
  index=$((index + 1))
done <prompts.txt
[ "$index" = 6 ] || fail "$index lines"

# Log-probabilities against the dumped logits; penalties and temperature do not touch them, nor what is dumped.
drawn --ids "1 50 60 50" -n 6 --seed 3 --repeat-penalty 2 --temperature 2 --logprobs 4 --echo --dump-logits rows.npy; cp out echo
drawn --ids "1 50 60 50" --force-ids "7 2 9" --logprobs 0; cp out forced
drawn --ids "1 50 60 50" --force-ids "7 2 9" --dump-logits forced.npy --temperature 0
drawn --ids "1 50 60" -n 0 --logprobs 1 --echo; cp out nothing
# More rows than one @head takes, and than one chunk of the prompt.
drawn --ids "$(seq -s ' ' 3 102)" -n 3 --seed 4 --logprobs 2 --echo --dump-logits long.npy; cp out long
/usr/bin/python3 - <<'PYTHON'
import json, math, struct
def rows(name):
    data = open(name, "rb").read()
    length = struct.unpack("<H", data[8:10])[0]
    shape = eval(data[10:10 + length])["shape"]
    values = struct.unpack("<%df" % (shape[0] * shape[1]), data[10 + length:])
    return [values[i * shape[1]:(i + 1) * shape[1]] for i in range(shape[0])]
def softmax(row):
    top = max(row)
    total = math.log(math.fsum(math.exp(v - top) for v in row))
    return [v - top - total for v in row]
def check(reports, tokens, table, count):
    assert len(reports) == len(tokens) == len(table), (len(reports), len(tokens), len(table))
    for report, token, row in zip(reports, tokens, table):
        row = softmax(row)
        assert report["id"] == token, (report, token)
        assert abs(report["logprob"] - row[token]) < 2e-6, (report, row[token])
        best = sorted(range(len(row)), key=lambda i: (-row[i], i))[:count]
        assert [t["id"] for t in report["top"]] == best, (report, best)
        for t in report["top"]:
            assert abs(t["logprob"] - row[t["id"]]) < 2e-6
echo, table = json.load(open("echo")), rows("rows.npy")
assert echo["logprobs"][0] is None
check(echo["logprobs"][1:], echo["prompt_ids"][1:] + echo["output_ids"], table, 4)
assert len(echo["output_ids"]) == 6 or echo["finish_reason"] == "eos"
long = json.load(open("long"))
check(long["logprobs"][1:], long["prompt_ids"][1:] + long["output_ids"], rows("long.npy"), 2)
forced = json.load(open("forced"))
assert forced["output_ids"] == [7, 2, 9]
check(forced["logprobs"], [7, 2, 9], rows("forced.npy"), 0)
nothing = json.load(open("nothing"))
assert nothing["output_ids"] == [] and len(nothing["logprobs"]) == 3 and nothing["logprobs"][0] is None, nothing

# A greedy choice under a repetition penalty, from the raw rows.
import subprocess
out = subprocess.run(["./drawn", "--device", "emulator", "--ids", "1 50 60", "-n", "8", "--temperature", "0", "--json",
                      "--repeat-penalty", "3", "--frequency-penalty", "0.5", "--dump-logits", "greedy.npy"],
                     capture_output=True, check=True)
answer = json.loads(out.stdout)
seen, counts = {1, 50, 60}, {}
for row, token in zip(rows("greedy.npy"), answer["output_ids"]):
    row = [(v / 3 if v > 0 else v * 3) if i in seen else v for i, v in enumerate(row[:420])]
    row = [v - 0.5 * counts.get(i, 0) for i, v in enumerate(row)]
    best = max(row)
    assert row[token] >= best - 1e-6, (token, row[token], best)
    seen.add(token)
    counts[token] = counts.get(token, 0) + 1
PYTHON
