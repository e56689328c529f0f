#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The executable depends on parts of the C library and on nothing else.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
llamac -q "$model" -o "$work/teller"
for file in $(libraries "$work/teller"); do
  case $(basename "$file") in
    libc.so.6|libm.so.6|ld-linux-x86-64.so.2) ;;
    libdl.so.2|libpthread.so.0|librt.so.1) ;; # empty since glibc 2.34
    *) fail "the executable loads $file" ;;
  esac
done
# No later glibc than the design allows.
newest=$(objdump -T "$work/teller" | grep -oE 'GLIBC_[0-9.]+' | sort -uV | tail -n 1)
[ "$(printf '%s\nGLIBC_2.35\n' "$newest" | sort -V | tail -n 1)" = GLIBC_2.35 ] || fail "the executable asks for $newest"
