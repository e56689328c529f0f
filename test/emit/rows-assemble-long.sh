#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# As rows-assemble.sh, for all ten rows.
# REQUIRES: ptxas, long
# RUN: bash %s %t
bash "$(dirname "$0")/rows-assemble.sh" "$1" all
