#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Measures the emulator: compiles the example model and generates 100 tokens with it, three times.
# usage: bench/emulator-speed.sh [BUILD_FOLDER]     (default: build/release)
set -euo pipefail
root=$(cd "$(dirname "$(readlink -f "$0")")/.." && pwd)
build=$(readlink -f "${1:-$root/build/release}")
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
"$build/bin/llamac" "$root/examples/storyteller/model" -q -o "$scratch/storyteller"
echo "$(nproc) cores: $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
for run in 1 2 3; do
  "$scratch/storyteller" --device emulator -v -n 100 --temperature 0 "Once upon a time" 2>&1 >/dev/null | grep 'tokens/s'
done
