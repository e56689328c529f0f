#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# An installed llamac, its prefix moved, compiles with no compiler, no linker and no headers in reach; what it makes is
# what the build's llamac makes.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
cmake --install "$LLAMAC_BINARY_DIR" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$work/prefix"
llamac -q "$model" -o "$work/expected"

# Nothing in PATH and no environment.
env -i "$work/prefix/bin/llamac" -q "$model" -o "$work/empty-path"
cmp "$work/expected" "$work/empty-path"

# Through a symlink, as a user's ~/bin would hold it.
ln -s "$work/prefix/bin/llamac" "$work/llamac"
"$work/llamac" -q "$model" -o "$work/linked"
cmp "$work/expected" "$work/linked"

# Without its runtime it says what is missing and where it looked.
mv "$work/prefix/libexec" "$work/gone"
if "$work/prefix/bin/llamac" -q "$model" -o "$work/none" 2>"$work/message"; then fail "compiled without a runtime"; fi
grep -q libexec/llamac/llama-runtime "$work/message" || fail "the message: $(cat "$work/message")"
[ ! -e "$work/none" ] || fail "left an output"
