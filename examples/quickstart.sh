#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Installs what is missing, builds llamac, compiles the example model into one executable and lets it tell a story.
#   ./examples/quickstart.sh [PROMPT]
set -euo pipefail
cd "$(dirname "$(readlink -f "$0")")/.."
case ${1:-} in -h|--help) sed -n '3,4s/^# //p' "$0"; exit 0 ;; esac
prompt=${1:-Once upon a time}

. cmake/bootstrap.sh
install_packages
configure release
build release llamac llama-runtime

say "compiling examples/storyteller/model into build/storyteller"
build/release/bin/llamac examples/storyteller/model -o build/storyteller
ls -sh build/storyteller

say "running: build/storyteller \"$prompt\""
echo
build/storyteller "$prompt" --echo --temperature 0
echo
say "done: build/storyteller is one file that needs nothing else, and tells another story every time without --temperature 0. Try: build/storyteller --help"
