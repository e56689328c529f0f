#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The installed libllamac_emulator: a C program of another project builds against it, by find_package and plainly, and
# finds a race with it. The library needs nothing but the C library and exports nothing but its header.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
outside=$(cd "$(dirname "$0")/Inputs/outside" && pwd)
cmake --install "$LLAMAC_BINARY_DIR" --prefix "$work/first" --component emulator >"$work/install.log"
mv "$work/first" "$work/prefix"

# Plainly, as strict C.
cc=$(type -P clang-22 || type -P clang || type -P cc)
"$cc" -std=c11 -Wall -Wextra -Werror -pedantic -I"$work/prefix/include" "$outside/outside.c" \
  -L"$work/prefix/lib" -Wl,-rpath,"$work/prefix/lib" -lllamac_emulator -o "$work/plain"
"$work/plain" >"$work/race" || fail "the plain program"
grep -q 'sum.ptx:.*ld.shared.u32 %r5, \[s\].*race' "$work/race" || fail "the race: $(cat "$work/race")"

# By its package, and the header in C++.
cmake -G Ninja -S "$outside" -B "$work/build" -DCMAKE_PREFIX_PATH="$work/prefix" -DCMAKE_C_COMPILER="$cc" >"$work/configure.log"
cmake --build "$work/build" >"$work/build.log"
"$work/build/outside" >/dev/null || fail "the program by find_package"
echo '#include <llamac/emulator.h>' >"$work/header.cpp"
"$cc" -std=c++17 -Wall -Wextra -Werror -pedantic -I"$work/prefix/include" -fsyntax-only "$work/header.cpp"

library=$(readlink -f "$work/prefix/lib/libllamac_emulator.so")
if ldd "$library" | grep -vE 'linux-vdso|libc\.|libm\.|libdl\.|libpthread\.|ld-linux'; then fail "it needs more"; fi
nm -D --defined-only "$library" | awk '{print $3}' | grep -v '^llamac_emulator_' >"$work/strangers" || true
[ ! -s "$work/strangers" ] || fail "it exports $(head -3 "$work/strangers")"
