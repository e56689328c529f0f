#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The emulator's options in an executable: checks and schedules change no bit, --profile says what the kernels did.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"

ids=(--ids "1 5 7 9" -n 4 --temperature 0 --seed 1 --json)
toy 0 "${ids[@]}" --dump-logits plain.npy; cp out plain
for seed in 0 7 18446744073709551615; do
  toy 0 "${ids[@]}" --emulator-check on --emulator-schedule $seed --dump-logits seed.npy
  same plain out "seed $seed: other tokens"
  same plain.npy seed.npy "seed $seed: other bits"
done
toy 0 "${ids[@]}" --emulator-check off; same plain out "--emulator-check off"

toy 0 "${ids[@]}" --profile; same plain out "--profile"
says 'warp instr'; says 'barriers'; says total
cp err table
toy 0 "${ids[@]}" --profile-json profile.json; same table err "--profile-json implies --profile"
"$(type -P python3)" - <<'END' || fail "profile.json: $(cat profile.json)"
import json
profile = json.load(open("profile.json"))
kernels = {kernel["kernel"]: kernel for kernel in profile["kernels"]}
assert len(kernels) == len(profile["kernels"]) > 0
for kernel in kernels.values():
    assert kernel["launches"] > 0 and kernel["warp_instructions"] > 0
    assert kernel["warp_instructions"] == sum(kernel["warp_instructions_by_class"].values())
    assert kernel["warp_instructions"] <= kernel["lane_instructions"] <= 32 * kernel["warp_instructions"]
    assert kernel["least_sectors"] <= kernel["sectors"]
    assert kernel["distinct_global_bytes"] <= kernel["global_bytes_read"] + kernel["global_bytes_written"]
END
toy 1 "${ids[@]}" --profile-json /none/profile.json; says '/none/profile.json: the profile cannot be written'

# They are the emulator's alone, and their values are checked.
for option in --profile "--profile-json f" "--emulator-check on" "--emulator-schedule 3"; do
  run 2 ./toy --device cuda "${ids[@]}" $option; says "${option%% *}: belongs to the emulator"
done
toy 2 "${ids[@]}" --emulator-schedule x; says '--emulator-schedule: found `x`, expected a whole number'
toy 2 "${ids[@]}" --emulator-schedule -1; says '--emulator-schedule'
toy 2 "${ids[@]}" --emulator-check yes; says '--emulator-check: found `yes`, expected on or off'
toy 2 "${ids[@]}" --profile-json ""; says '--profile-json'
