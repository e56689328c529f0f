#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# docs/ptx-run.md: every command that it shows says what it shows.
# RUN: bash %s %t
set -euo pipefail
rm -rf "$1"
cp -r "$LLAMAC_SOURCE_DIR/examples/ptx-run" "$1"
cd "$1"
awk '/^```sh$/ { inside = 1; next } /^```$/ { inside = 0 } inside' "$LLAMAC_SOURCE_DIR/docs/ptx-run.md" >shown
[ "$(grep -c '^\$ ' shown)" = 6 ] || { echo "FAILED: the page shows $(grep -c '^\$ ' shown) commands"; exit 1; }
sed -n 's/^\$ //p' shown >commands
while read -r line; do
  echo "\$ $line"
  bash -c "$line" 2>&1 </dev/null || true
done <commands >said
diff shown said || { echo "FAILED: the page shows (<) what is not said (>)"; exit 1; }
