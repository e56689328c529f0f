#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Fuzzes the PTX reader under the address and undefined-behaviour sanitizers: run.sh [SECONDS, else 300].
# Needs libclang-rt-22-dev. New inputs stay in build/fuzz/corpus; one that fails is build/fuzz/crash-*.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/../.."
cmake --preset fuzz >/dev/null
cmake --build --preset fuzz --target ptx-fuzzer
mkdir -p build/fuzz/corpus
exec build/fuzz/bin/ptx-fuzzer -max_total_time="${1:-300}" -max_len=16384 -timeout=20 -rss_limit_mb=4096 \
  -dict=test/fuzz/ptx.dict -artifact_prefix=build/fuzz/ build/fuzz/corpus test/fuzz/corpus
