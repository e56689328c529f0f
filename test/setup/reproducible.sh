#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Two builds in two folders, of two copies of the model under two names, at two times, with two umasks, on one core and on all, are
# equal byte for byte.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
cp -r "$model" "$work/storyteller"
(cd "$work" && umask 022 && llamac -q storyteller -o one)
mkdir -p "$work/another/deep folder"
cp -r "$work/storyteller" "$work/another/deep folder/teller"
find "$work/another" -type f -exec touch -d '2001-02-03 04:05:06' {} +
sleep 1.1
(cd "$work/another/deep folder" && umask 077 && TZ=Asia/Tokyo taskset -c 0 llamac -q teller -o "$work/another/two")
cmp "$work/one" "$work/another/two"
# umask decides who may run it, and nothing else.
[ "$(stat -c %a "$work/one")" = 755 ] || fail "mode $(stat -c %a "$work/one") with umask 022"
[ "$(stat -c %a "$work/another/two")" = 700 ] || fail "mode $(stat -c %a "$work/another/two") with umask 077"
