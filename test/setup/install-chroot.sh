#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# An installed and moved llamac compiles in a root that holds only it, the libraries that it loads and the model:
# no gcc, no libc6-dev, no /proc.
# REQUIRES: root
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
root=$work/root
mkdir -p "$root/opt" "$root/tmp"
cmake --install "$LLAMAC_BINARY_DIR" --prefix "$work/first" >"$work/install.log"
mv "$work/first" "$root/opt/llamac"
put_libraries "$root/opt/llamac/bin/llamac" "$root"
cp -r "$model" "$root/storyteller"
chroot "$root" /opt/llamac/bin/llamac -q /storyteller -o /teller
llamac -q "$model" -o "$work/expected"
cmp "$work/expected" "$root/teller"
rm -rf "$root" # half a gigabyte of libraries
