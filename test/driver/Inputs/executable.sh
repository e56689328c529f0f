# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sourced by executable-*.sh with their work folder as $1: makes it anew, and in it
# `toy`, an executable of the toy model of test/runtime that needs no compiler.
set -euo pipefail
work=$1
rm -rf "$work"
mkdir -p "$work"
cd "$work"
bin=$LLAMAC_BINARY_DIR/bin
"$bin/make-toy" "$bin/llama-runtime" toy

fail() { echo "FAILED: $*" >&2; exit 1; }

# run STATUS COMMAND...: stdout in `out`, stderr in `err`; fails on another status.
run() {
  local expected=$1 status=0
  shift
  "$@" >out 2>err </dev/null || status=$?
  [ "$status" = "$expected" ] || fail "status $status, expected $expected: $*: $(cat out err)"
}
# toy STATUS ARGUMENTS...: the same for the toy on the emulator.
toy() { local expected=$1; shift; run "$expected" ./toy --device emulator "$@"; }
says() { grep -qF -- "$1" err || fail "stderr lacks '$1': $(cat err)"; }
prints() { printf "$1" | cmp - out || fail "stdout is not '$1': $(cat out)"; }
same() { cmp "$1" "$2" || fail "$3"; }
