#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Every model of test/models/families.json, without weights: it imports, fuses and becomes PTX that assembles, with the
# byte table that its authors' number of parameters asks for. With --long each becomes an executable.
# RUN: bash %s %t
# UNSUPPORTED: quick
. "$(dirname "$0")/Inputs/llamac.sh"
options=()
[ "$LLAMAC_TEST_MODE" != long ] || options=(--long)
/usr/bin/python3 "$LLAMAC_SOURCE_DIR/test/driver/Inputs/check-families.py" "$LLAMAC_SOURCE_DIR" "${options[@]}"
