#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --perplexity of the example model on stories that it was not trained on, against transformers in float64
# (make_perplexity.py): within 0.1% in f32 and 1% in bf16, for windows that overlap and for some that do not.
# RUN: bash %s %t
. "$(dirname "$0")/../driver/Inputs/llamac.sh"
inputs="$LLAMAC_SOURCE_DIR/test/numerics/Inputs"
device=${LLAMAC_TEST_DEVICE:-emulator}

# holds DTYPE TOLERANCE CASE...: cases by their number in the golden file.
holds() {
  local dtype=$1 tolerance=$2 case; shift 2
  expect 0 llamac "$storyteller" -q --no-selftest --dtype "$dtype" -o "$dtype"
  for case in "$@"; do
    read -r window stride < <(/usr/bin/python3 -c "
import json, sys
case = json.load(open(sys.argv[1]))['cases'][int(sys.argv[2])]
print(case['window'], case['stride'])" "$inputs/perplexity.json" "$case")
    expect 0 "./$dtype" --perplexity "$inputs/stories.txt" --json -c "$window" --perplexity-stride "$stride" --device "$device"
    /usr/bin/python3 - "$inputs/perplexity.json" "$case" "$tolerance" <<'END' || fail "$command: $(cat stdout)"
import json, math, sys
golden = json.load(open(sys.argv[1]))
case, tolerance = golden["cases"][int(sys.argv[2])], float(sys.argv[3])
found = json.load(open("stdout"))
for key in ("window", "stride", "windows", "scored"):
    assert found[key] == case[key], (key, found[key], case[key])
assert found["tokens"] == golden["tokens"]
assert abs(found["perplexity"] / case["perplexity"] - 1) < tolerance, (found, case)
assert abs(found["perplexity"] / case["recipe"] - 1) < tolerance, (found, case)
assert abs(math.exp(found["nll"]) / found["perplexity"] - 1) < 1e-9
# 1006 losses of a text are not told apart to better than this, nor worse.
assert 0.02 < found["error"] / found["perplexity"] < 0.2, found
END
  done
}
if [ "$LLAMAC_TEST_MODE" = long ]; then
  holds f32 0.001 0 1 2 3
  holds bf16 0.01 0 1 2 3
else # each type has windows that overlap and windows that do not
  holds f32 0.001 0 2
  holds bf16 0.01 1 3
fi

# The defaults are the compiled maximum, 512 here, and the recipe's stride; text and standard input give the same.
expect 0 ./bf16 --perplexity "$inputs/stories.txt" --device "$device"; cp stdout all
tells "1005 of 1007 tokens scored, window 512, stride 512"
./bf16 --perplexity - --device "$device" <"$inputs/stories.txt" >piped
cmp all piped
expect 0 ./bf16 --perplexity "$inputs/stories.txt" --device "$device" -v -c 400; says "window 1 of 3: perplexity"
tells "window 400, stride 400"

# A last window of one token has nothing before it. BOS and one token are the least.
printf 'Once' >once
expect 0 ./bf16 --perplexity once --json --device "$device"; tells '"tokens":2,"scored":1,'
: >empty
expect 1 ./bf16 --perplexity empty --device "$device"; says "--perplexity empty: found 1 tokens, expected 2 or more"
expect 1 ./bf16 --perplexity missing --device "$device"; says "missing: cannot be"
expect 2 ./bf16 --perplexity once --perplexity-stride 65 -c 64; says "found 65, expected at most the window, 64"
expect 2 ./bf16 --perplexity once -c 1; says "a window of one token"
expect 2 ./bf16 --perplexity once -c 513; says "--ctx-size: found 513"
