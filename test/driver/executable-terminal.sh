#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# On a terminal and without a prompt the executable says how it is used, and does not wait for input.
# REQUIRES: terminal
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"

status=0
script -qec "./toy" /dev/null </dev/null >tty 2>&1 || status=$?
[ "$status" = 2 ] || fail "status $status: $(cat tty)"
grep -q "no prompt" tty || fail "usage: $(cat tty)"
