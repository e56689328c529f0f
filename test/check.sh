#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs what is missing, builds everything and runs every test; the last line counts them.
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."

usage() {
  cat <<'END'
usage: test/check.sh [--quick|--long] [--no-install]
  --quick       without the tests that take long: under a minute once everything is built
  --long        with those that take minutes each
  --no-install  do not look for missing packages
It works in build/. Nothing outside it is changed but by apt-get.
END
}
mode=full install=1
while [ $# -gt 0 ]; do
  case $1 in
    --quick|--long) mode=${1#--} ;;
    --no-install) install=0 ;;
    -h|--help) usage; exit 0 ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done

. cmake/bootstrap.sh
[ $install = 0 ] || install_packages
configure runtime-only
build runtime-only all
configure release
build release all llamac-test-depends

rm -rf build/*/test-results
# run_ctest PRESET LABEL-OPTIONS...: the GoogleTests; what failed is read from their result files.
run_ctest() {
  local preset=$1; shift
  say "GoogleTests of build/$preset"
  mkdir -p "build/$preset/test-results"
  LLAMAC_TEST_MODE=$mode ctest --test-dir "build/$preset" -j "$(nproc)" --output-on-failure --no-tests=ignore \
    --output-junit "$PWD/build/$preset/test-results/ctest.xml" "$@" >"build/$preset/ctest.log" 2>&1 || true
}
labels=(); [ $mode = quick ] && labels=(-LE long)
run_ctest runtime-only "${labels[@]}"
run_ctest release -L compiler "${labels[@]}"

say "lit tests"
/usr/lib/llvm-22/bin/lit -q --param "mode=$mode" -j "$(nproc)" \
  --xunit-xml-output build/release/test-results/lit.xml build/release/test >build/release/lit.log 2>&1 || true

say "results"
exec /usr/bin/python3 test/summary.py build/runtime-only/test-results build/release/test-results
