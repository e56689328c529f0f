#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The executable goes on working after strip, mv, through a symlink, from another folder, from PATH and without the
# right to read itself by name in the current folder.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
llamac -q "$model" -o "$work/teller"
story "$work/teller" >"$work/expected"
[ "$(wc -w <"$work/expected")" -ge 3 ] || fail "hardly a word: $(cat "$work/expected")"
check() { local what=$1; shift; story "$@" >"$work/got" || fail "$what"; cmp "$work/expected" "$work/got" || fail "$what"; }

strip -o "$work/stripped" "$work/teller"
check "after strip" "$work/stripped"
cp "$work/teller" "$work/in-place"
strip "$work/in-place"
check "after strip in place" "$work/in-place"

mkdir "$work/elsewhere"
mv "$work/teller" "$work/elsewhere/a name with spaces"
check "after mv" "$work/elsewhere/a name with spaces"

ln -s "../elsewhere/a name with spaces" "$work/elsewhere/link"
ln -s "elsewhere/link" "$work/link"
check "through two symlinks" "$work/link"
cd /
check "from another folder" "$work/link"
cd "$work/elsewhere"
check "by a relative path" ./link
PATH=$work/elsewhere:$PATH check "from PATH" "a name with spaces"
