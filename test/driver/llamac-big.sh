#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# An 8 GB checkpoint in shards: llamac stays under 2 GB of resident memory, mapped pages counted, and packs at a third
# of the speed of `cp` or more; what the reference takes for --selftest comes on top and is printed. It needs 28 GB of
# disk for a while and some minutes.
# REQUIRES: long
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"
inputs=$LLAMAC_SOURCE_DIR/test/driver/Inputs
trap 'cd /; rm -rf "$work"' EXIT
free=$(df --output=avail -B1 . | tail -n 1)
[ "$free" -gt 28000000000 ] || fail "28 GB of disk are needed, $free bytes are free"

/usr/bin/python3 "$inputs/make-big-model.py" model 8
bytes=$(du -bc model/*.safetensors | tail -n 1 | cut -f 1)
read -r copy _ < <(/usr/bin/python3 "$inputs/measure.py" model cp -r --sparse=never model copied)
rm -r copied
read -r took peak < <(/usr/bin/python3 "$inputs/measure.py" model llamac model -q --no-selftest -o exe)
echo "$bytes bytes: cp $copy s, llamac $took s ($(echo "scale=2; $copy / $took" | bc) of its speed), peak $((peak / 1024)) MiB"
[ "$(stat -c %s exe)" -gt "$bytes" ] || fail "the executable has $(stat -c %s exe) bytes"
[ "$peak" -lt 2000000 ] || fail "llamac took $peak KiB of memory"
[ "$(echo "$took < 3 * $copy" | bc)" = 1 ] || fail "llamac took $took s, cp $copy s"
read -r took peak < <(/usr/bin/python3 "$inputs/measure.py" model llamac model -q -o exe)
echo "with the values for --selftest: $took s, peak $((peak / 1024)) MiB"
[ "$peak" -lt 2000000 ] || fail "llamac took $peak KiB of memory with the values for --selftest"
