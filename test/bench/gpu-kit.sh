#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# bench/gpu-kit: the small kit is built and every part of it run on the emulator; faults are said and leave the rest alone.
# RUN: bash %s %t
# UNSUPPORTED: quick
. "$(dirname "$0")/../driver/Inputs/llamac.sh"
results() { cat kit/results/$1.jsonl; }
has() { grep -qF -- "$2" "kit/results/$1.jsonl" || fail "results of $1 lack $2: $(results "$1")"; }

expect 0 bash "$LLAMAC_SOURCE_DIR/bench/gpu-kit/build.sh" --small --no-build "$PWD/built"
[ "$(stat -c %s built.tar.xz)" -lt 40000000 ] || fail "the archive is too large"
# It runs from the archive, at another place, without the tree.
mkdir moved
tar -C moved -xf built.tar.xz
mv "moved/built" kit
rm -rf built

expect 0 env KIT_PYTHON=/usr/bin/python3 ./kit/run.sh --device emulator --quick all
! grep -h '"error"' kit/results/*.jsonl || fail "a part has an error"
has machine '"device":"emulator'
has correctness '"check":"resources of a kernel","ok":true'
for model in dim8 gqa-tied tiny; do
  grep -q "\"model\":\"$model\".*\"holds\":true" kit/results/correctness.jsonl || fail "$model: $(results correctness)"
done
has correctness '"left_out":"logits of Llama-3.2-1B'
grep -q '"test":"tg8 x8".*"warp_instructions":[1-9]' kit/results/bench.jsonl || fail "no counts: $(results bench)"
! grep -hE '"(avg_ts|samples_ns|bytes_per_second|nanoseconds_per_exchange)"' kit/results/*.jsonl || fail "a time of the emulator"
for probe in stream exchange reduce clusters launch; do
  grep -q "\"probe\":\"$probe\".*\"right\":true" kit/results/probes.jsonl || fail "$probe: $(results probes)"
done
! grep -F '"right":false' kit/results/probes.jsonl || fail "a probe is wrong"
/usr/bin/python3 - <<'END'
import json
results = json.load(open("kit/results/results.json"))
assert sorted(results) == ["bench", "correctness", "machine", "peers", "probes"], sorted(results)
assert all(row["part"] == part for part, rows in results.items() for row in rows)
# What the emulator counted holds the bytes that are said to be needed at least.
for row in results["bench"]:
    if row.get("test") in ("tg8", "tg8 x8"):
        read = row["global_bytes_read"] / (8 * row["batch"])
        assert row["bytes_per_token"] <= read < 3 * row["bytes_per_token"], row
page = open("kit/results/results.md").read()
assert all(f"## {part}" in page for part in ["bench", "correctness", "peers", "probes"])
END

# A part that fails says so; the results of the others stay.
cp kit/results/probes.jsonl before
printf 'no executable' >kit/models/dim8.bf16
expect 1 ./kit/run.sh --device emulator --quick correctness
has correctness '"model":"dim8","dtype":"bf16"'
grep -q '"model":"dim8","dtype":"bf16".*"error"' kit/results/correctness.jsonl || fail "the broken model has no error"
grep -q '"model":"gqa-tied".*"holds":true' kit/results/correctness.jsonl || fail "the model after the broken one was not run"
cmp before kit/results/probes.jsonl
grep -q '"probe":"stream"' <(tr -d ' ' <kit/results/results.json) || fail "results.json lost the probes"
# A part that takes too long is stopped, and a row that is cut short is not believed.
KIT_SECONDS=0 expect 1 ./kit/run.sh --device emulator --quick probes
has probes 'no time was left'
echo '{"part":"peers","half' >>kit/results/peers.jsonl
expect 1 ./kit/bin/gpu-kit report kit/results
grep -q 'is no object' kit/results/results.json || fail "half a row is not reported"
# Without a driver nothing is done on a GPU.
if [ -z "$(ldconfig -p | grep libcuda.so.1 || true)" ]; then
  expect 1 ./kit/run.sh --quick probes
  has probes 'no NVIDIA driver'
fi
expect 2 ./kit/run.sh
expect 2 ./kit/run.sh --device tpu probes
expect 2 ./kit/run.sh everything
# A folder that is no kit is left alone.
mkdir mine
touch mine/file
expect 1 bash "$LLAMAC_SOURCE_DIR/bench/gpu-kit/build.sh" --small --no-build "$PWD/mine"
says "is there and is no kit"
[ -e mine/file ] || fail "a file of somebody is gone"
