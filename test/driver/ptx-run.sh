#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# ptx-run: arguments, files, results, comparisons, schedules, profiles, and what it says when something is wrong.
# RUN: bash %s %t
set -euo pipefail
inputs=$(cd "$(dirname "$0")/Inputs" && pwd)
rm -rf "$1"; mkdir -p "$1"; cd "$1"

fail() { echo "FAILED: $*"; echo "out:"; cat out; echo "err:"; cat err; exit 1; }
# run STATUS COMMAND...: leaves out and err.
run() {
  local expected=$1 status=0; shift
  command="$*"
  "$@" >out 2>err </dev/null || status=$?
  [ $status = "$expected" ] || fail "\`$command\` ended with $status, not $expected"
}
says() { grep -qF -- "$1" err || fail "\`$command\` does not say \`$1\`"; }
shows() { grep -qxF -- "$1" out || fail "\`$command\` does not print \`$1\`"; }

saxpy=(ptx-run "$inputs/saxpy.ptx" -k saxpy --grid 4 --block 128 --arg u32=500 --arg f32=2 --arg x=f32[500]:iota)
run 0 "${saxpy[@]}" --arg y=f32[500]:1 --print 'y[0:10]' --print 'y[499:500]'
shows 'y f32[500]'; shows '     0: 1 3 5 7 9 11 13 15'; shows '     8: 17 19'; shows '   499: 999'

# Files: what one run saves another one reads; numpy's own is read, too.
run 0 "${saxpy[@]}" --arg y=f32[50x10]:0 --save y=y.npy --save y=y.raw
head -c 6 y.npy | tail -c 5 | grep -q NUMPY || fail "no .npy"
grep -qa "'shape': (50,10,)" y.npy || fail "y.npy has another shape"
[ "$(stat -c %s y.raw)" = 2000 ] || fail "y.raw has $(stat -c %s y.raw) bytes"
run 0 "${saxpy[@]}" --arg y=f32[500]:@y.npy --expect y=@y.raw --max-diff 998
run 1 "${saxpy[@]}" --arg y=f32[]:@y.raw --expect y=@y.npy
says '499 of 500 elements differ, by up to 998 (--max-diff 0); the first is y[1]: found 4, expected 2'
run 2 "${saxpy[@]}" --arg y=f64[500]:@y.npy; says 'y.npy: found elements of type <f4, expected <f8 for f64'
run 2 "${saxpy[@]}" --arg y=f32[400]:@y.npy; says 'y.npy: found 500 elements, expected 400'
head -c 40 y.npy >cut.npy
run 2 "${saxpy[@]}" --arg y=f32[]:@cut.npy; says 'cut.npy: is cut'
run 2 "${saxpy[@]}" --arg y=f32[]:@none.npy; says 'none.npy'

# Types. 2 * 0.5; 1.5 * 1.5 + 1.5 in bf16; -1 + 0x7fffffff; bits.
run 0 ptx-run "$inputs/saxpy.ptx" -k types -b 32 --arg h=f16[32]:0.5 --arg b=bf16[32]:1.5 --arg s=s64[32]:-1 \
  --arg bytes=00000000ffffff7f --print 'h[0:1]' --print 'b[31:32]' --print 's[5:6]'
shows '     0: 1'; shows '    31: 3.75'; shows '     5: 2147483646'
run 0 ptx-run "$inputs/saxpy.ptx" -k types -b 32 --arg h=b16[32]:0x3800 --arg b=bf16[32]:nan --arg s=u64[32]:iota \
  --arg bytes=00000000ffffffff --print 'h[0:1]' --print 'b[0:1]' --print 's[0:2]'
shows '     0: 0x3c00'; shows '     0: nan'; shows '     0: 18446744073709551615 0'
run 0 "${saxpy[@]}" --arg y=f32[500]:random:7 --print y; cp out first
run 0 "${saxpy[@]}" --arg y=f32[500]:random:7 --print y; cmp out first || fail "random:7 is not what it was"

# Schedules.
run 0 "${saxpy[@]}" --arg y=f32[500]:1 --schedules 4
run 1 ptx-run "$inputs/saxpy.ptx" -k order -b 256 --arg out=u32[9]:zero --schedules 8
says 'against none: '; says 'elements differ'
run 0 ptx-run "$inputs/saxpy.ptx" -k order -b 256 --arg out=u32[9]:zero --emulator-schedule 5 --print out; cp out first
run 0 ptx-run "$inputs/saxpy.ptx" -k order -b 256 --arg out=u32[9]:zero --emulator-schedule 5 --print out
cmp out first || fail "seed 5 is not what it was"

# The profile: 4 blocks of 4 warps, the last of 116 live lanes.
run 0 "${saxpy[@]}" --arg y=f32[500]:1 --profile --profile-json profile.json --gpu a100-80g
says 'estimate for a100-80g'; says 'an ESTIMATE'
python3 - <<'END' || fail "profile.json"
import json
kernel, = json.load(open("profile.json"))["kernels"]
assert kernel["kernel"] == "saxpy" and kernel["launches"] == 1 and kernel["blocks"] == 4 and kernel["threads"] == 512
assert kernel["global_bytes_read"] == 4000 and kernel["global_bytes_written"] == 2000
assert kernel["distinct_global_bytes"] == 4000
assert kernel["warp_instructions"] == 16 * 18, kernel["warp_instructions"]
assert kernel["sectors"] == kernel["least_sectors"] == 3 * 63, kernel
assert kernel["roofline_estimate"]["memory_seconds"] == float("%.6g" % (4000 / 2039e9))
END
run 0 "${saxpy[@]}" --arg y=f32[500]:1 --gpu emulator --profile; ! grep -q ESTIMATE err || fail "the emulator has no roofs"
run 1 "${saxpy[@]}" --arg y=f32[500]:1 --profile-json /none/x.json; says '/none/x.json: the profile cannot be written'

# Kernels and limits.
run 0 ptx-run "$inputs/saxpy.ptx" --list; printf 'saxpy\ntypes\norder\n' | cmp - out || fail "--list"
run 1 ptx-run "$inputs/saxpy.ptx"; says '--kernel: none is named, and the files have 3: saxpy, types, order'
run 1 ptx-run "$inputs/saxpy.ptx" -k sax; says 'found `sax`, expected one of saxpy, types, order'
run 1 "${saxpy[@]}"; says '--arg: found 3, expected one for each of the kernel'"'"'s 4 parameters'
run 1 ptx-run "$inputs/saxpy.ptx" -k order --arg u32=1; says 'has 4 bytes, but the kernel'"'"'s parameter 0 has 8'
run 1 "${saxpy[@]}" --arg y=f32[500] --shared 300000; says '300000 bytes of shared memory; a block has 232448'
run 1 "${saxpy[@]}" --arg y=f32[500] --shared 120000 --gpu rtx4090; says 'a block has 101376'
order=(ptx-run "$inputs/saxpy.ptx" -k order --arg out=u32[9]:zero)
run 1 "${order[@]}" -b 1025; says '1025 threads'
run 1 "${order[@]}" -b 128 -g 3000 --cooperative; says 'cooperative grid of 3000 blocks; 2112 can be resident'
run 1 "${saxpy[@]}" --arg y=f32[400]:1; says "0 bytes past the end of 'y'"
says "saxpy.ptx:"
echo 'garbled' >bad.ptx
run 1 ptx-run bad.ptx; says 'bad.ptx:1'
run 1 ptx-run none.ptx; says 'none.ptx: cannot be opened'
run 0 "${saxpy[@]}" --arg y=f32[500]:1 -v; says 'warp instructions'

# The command line.
for wrong in '--arg u33=5' '--arg u8=256' '--arg s8=-129' '--arg u32=-1' '--arg f32=x' '--arg f32=' '--arg 5' '--arg x=f32[' \
  '--arg x=f32[0]' '--arg x=f32[3x]' '--arg x=f32[4]:iot' '--arg x=f32[4]:random:z' '--arg x=q32[4]' '--arg x=f32[]' \
  '--arg bytes=123' '--arg u32=u32[4]' '--grid 0' '--grid 1,2,3,4' '--block 1,' '--print z' '--expect z=1' '--save z=f' \
  '--max-diff -1' '--gpu h300' '--schedules x' '--emulator-schedule -1' '--emulator-check maybe' '--nonsense'; do
  run 2 ptx-run "$inputs/saxpy.ptx" -k order $wrong
  says "${wrong%% *}"; says '--help lists the options'
done
run 2 "${saxpy[@]}" --arg y=f32[500]:1 --print 'y[10:501]'; says 'TO at most 500'
run 2 "${saxpy[@]}" --arg x=f32[500]:1; says 'the name is taken'
run 2 ptx-run; says 'no file'
run 0 ptx-run --help; grep -q -- '--emulator-schedule SEED' out || fail "--help"
run 0 ptx-run --gpu help; grep -q h100-sxm out || fail "--gpu help"
run 0 ptx-run --version; grep -q '^ptx-run, of llamac' out || fail "--version"
run 0 ptx-run --completion bash; bash -n out
run 0 ptx-run --manual; grep -q '^.TH' out || fail "--manual"
! ldd "$(type -P ptx-run)" | grep -vE 'linux-vdso|libc\.|libm\.|libdl\.|libpthread\.|ld-linux|librt\.' || fail "libraries"
