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

# Without NVRTC no executable, and the message says what brings it.
pieces=$root/opt/llamac/libexec/llamac
rm -f "$pieces"/libnvrtc* "$pieces"/ptxas
if chroot "$root" /opt/llamac/bin/llamac -q /storyteller -o /teller 2>"$work/message"; then fail "compiled without NVRTC"; fi
for part in libnvrtc.so.13 /opt/llamac/libexec/llamac nvidia-cuda-nvrtc CUDA_HOME; do
  grep -q -- "$part" "$work/message" || fail "the message lacks $part: $(cat "$work/message")"
done
[ ! -e "$root/teller" ] || fail "left an output"
# PTX of the model itself needs none.
chroot "$root" /opt/llamac/bin/llamac -q /storyteller --emit=ptx >"$work/ptx"
grep -q "entry embed" "$work/ptx" || fail "no PTX"

cp -L "$LLAMAC_NVRTC" "$(dirname "$LLAMAC_NVRTC")"/libnvrtc-builtins.so.13.? "$pieces"
put_libraries "$LLAMAC_NVRTC" "$root"
# Without ptxas, and without nvJitLink, PTX only, and a warning that names the package.
chroot "$root" /opt/llamac/bin/llamac /storyteller -o /teller 2>"$work/message"
for part in "warning: ptxas" nvidia-cuda-nvcc "PTX only"; do
  grep -q -- "$part" "$work/message" || fail "no warning of $part: $(cat "$work/message")"
done
# Into a file: grep -q closes a pipe at its first match, and what writes to it then fails.
llvm-readelf -S -W "$root/teller" >"$work/sections"
! grep '\.llamac\.cubin' "$work/sections" || fail "a cubin without ptxas"
grep -q '\.llamac\.ptx' "$work/sections" || fail "no PTX"
if chroot "$root" /opt/llamac/bin/llamac -q /storyteller --emit=cubin -o /cubin 2>"$work/message"; then fail "a cubin of nothing"; fi
grep -q nvidia-cuda-nvcc "$work/message" || fail "$(cat "$work/message")"

if [ -n "$LLAMAC_PTXAS" ]; then
  cp -L "$LLAMAC_PTXAS" "$pieces"
  put_libraries "$LLAMAC_PTXAS" "$root"
  chroot "$root" /opt/llamac/bin/llamac -q /storyteller -o /teller
  llamac -q "$model" -o "$work/expected"
  cmp "$work/expected" "$root/teller"
  [ -z "$(ls -A "$root/tmp")" ] || fail "left $(ls -A "$root/tmp")"
fi
rm -rf "$root" # half a gigabyte of libraries
