# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sourced by the tests of this folder with their work folder as $1, which it makes anew.
set -euo pipefail
work=$1
rm -rf "$work"
mkdir -p "$work"
model=$LLAMAC_SOURCE_DIR/examples/storyteller/model

fail() { echo "FAILED: $*" >&2; exit 1; }

# The first words that EXE tells; a short run, on the emulator so that it is the same everywhere.
story() { "$@" "Once upon a time" -n 6 --temperature 0 --device emulator; }

# The files that the dynamic linker loads for a program, with the linker itself.
libraries() { ldd "$1" | grep -oE '/[^ ]+' | sort -u; }

# put_libraries PROGRAM ROOT: what PROGRAM loads, at the same paths below ROOT.
put_libraries() {
  local file
  for file in $(libraries "$1"); do
    mkdir -p "$2$(dirname "$file")"
    cp -L "$file" "$2$file"
  done
}
