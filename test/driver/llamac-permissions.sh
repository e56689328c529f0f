#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What another user may not read or write. Root may do everything, so this runs as nobody.
# REQUIRES: root
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

place=$(mktemp -d -p /tmp)
trap 'rm -rf "$place"' EXIT
chmod 755 "$place"
# With the pieces of CUDA that were fetched, where it looks for them.
mkdir "$place/bin"
cp "$(command -v llamac)" "$LLAMAC_BINARY_DIR/bin/llama-runtime" "$place/bin"
[ ! -d "$LLAMAC_BINARY_DIR/libexec" ] || cp -rL "$LLAMAC_BINARY_DIR/libexec" "$place"
make "$place/model"
make "$place/locked"
chmod 000 "$place/locked/config.json"
mkdir "$place/closed" "$place/hidden"
chmod 700 "$place/hidden"
nobody() { setpriv --reuid=65534 --regid=65534 --clear-groups "$place/bin/llamac" "$@"; }

expect 1 nobody "$place/model" -o "$place/closed/exe"
says "closed/exe: cannot be written: Permission denied"
[ -z "$(ls -A "$place/closed")" ] || fail "left $(ls -A "$place/closed")"
chmod 777 "$place/closed"
expect 1 nobody "$place/locked" -o "$place/closed/exe"
says "locked/config.json: cannot be opened: Permission denied"
expect 1 nobody "$place/hidden/model" -o "$place/closed/exe"
says "hidden/model: cannot be opened: Permission denied"
[ -z "$(ls -A "$place/closed")" ] || fail "left $(ls -A "$place/closed")"
expect 0 nobody "$place/model" -o "$place/closed/exe"
