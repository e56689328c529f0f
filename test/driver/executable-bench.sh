#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# EXE --bench: counts on the emulator, times by the events of a GPU (a fake one, whose events are always 1.5 ms apart).
# RUN: bash %s %t
# UNSUPPORTED: cuda-driver
. "$(dirname "$0")/Inputs/executable.sh"

toy 0 --bench -p 8,0,64 -n 4 -b 1,3 -r 2
says "it tells no time of a GPU"
grep -q 't/s' out && fail "the emulator gives a rate: $(cat out)"
[ "$(cut -d'|' -f6 out | tr -d ' \n')" = "test---:pp8pp64tg4tg4x3" ] || fail "other tests: $(cat out)"
[ "$(wc -l <out)" = 6 ] || fail "not six lines: $(cat out)"
cp out first
toy 0 --bench -p 8,0,64 -n 4 -b 1,3 -r 2
same out first "counts differ from run to run"
toy 0 --bench -p 8 -n 0 --json
grep -q '"test":"pp8".*"warp_instructions":[1-9]' out || fail "no counts: $(cat out)"
grep -qE '"(avg|samples|stddev)_' out && fail "the emulator gives times: $(cat out)"

toy 2 --bench -p 0 -n 0;      says "every length is 0"
toy 2 --bench -p 257;         says "compiled for 256"
toy 2 --bench -p 65 -c 64;    says "--ctx-size is 64"
toy 2 --bench -n 1 -b 5;      says "compiled for 4"
toy 2 --bench -p 1,x;         says "found \`1,x\`"
toy 2 --bench hello;          says "does not take PROMPT"
toy 2 -r 1 hello;             says "belongs to --bench"
run 0 ./toy --help
for option in --bench --repetitions --batches; do grep -q -- "$option" out || fail "--help lacks $option"; done

export LD_LIBRARY_PATH=$LLAMAC_BINARY_DIR/fake-cuda
run 0 ./toy --device cuda --bench -p 30 -n 6 -b 2 -r 4
grep -q '| CUDA | pp30 | 20000.00 ± 0.00 |' out || fail "not 30 tokens in 1.5 ms: $(cat out)"
grep -q '| CUDA | tg6 x2 | 8000.00 ± 0.00 |' out || fail "not 12 tokens in 1.5 ms: $(cat out)"
says "no share of the read bandwidth"
grep -q 'of stream' out && fail "a share of nothing: $(cat out)"
run 0 ./toy --device cuda --bench -p 30 -n 0 -r 3 --json
grep -q '"device":"Fake H200 (sm_90, driver 13.0)".*"samples_ns":\[1500000.0,1500000.0,1500000.0\]' out || fail "$(cat out)"
