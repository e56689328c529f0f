#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The executable runs where there is nothing but itself and the C library: no /proc, no /tmp, no shell.
# REQUIRES: root
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
llamac -q "$model" -o "$work/teller"
story "$work/teller" >"$work/outside"
root=$work/root
mkdir -p "$root"
cp "$work/teller" "$root/teller"
put_libraries "$work/teller" "$root"
story chroot "$root" /teller >"$work/inside"
cmp "$work/outside" "$work/inside"
[ "$(wc -w <"$work/inside")" -ge 3 ] || fail "hardly a word: $(cat "$work/inside")"
