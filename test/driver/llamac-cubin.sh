#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Cubins: --emit=cubin, their sections, what --info shows of them, and a ptxas that fails or tells of spills.
# REQUIRES: ptxas
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

make model
expect 0 llamac model --no-weights -o exe --dump-dir dumps
expect 0 llamac -q model --emit=cubin -o out.cubin
cmp out.cubin dumps/6-cubin.cubin
objcopy=/usr/lib/llvm-22/bin/llvm-objcopy
$objcopy --dump-section .llamac.cubin=held --dump-section .llamac.kernels.cubin=held.kernels exe /dev/null
cmp held out.cubin
cmp held.kernels out.cubin.kernels.cubin
# 190 is NVIDIA's machine; what ptxas makes of the same PTX has the same bytes.
[ "$(od -An -tu2 -j18 -N2 out.cubin | tr -d ' ')" = 190 ] || fail "no cubin"
"$LLAMAC_PTXAS" -arch=sm_90a -v dumps/5-ptx.ptx -o by-hand.cubin 2>log
cmp by-hand.cubin out.cubin
expect 0 llamac -q model --emit=cubin -o -
cmp stdout out.cubin
expect 0 llamac -q model --emit=cubin
[ -s model.cubin ] && [ -s model.cubin.kernels.cubin ] || fail "no default name: $(ls)"

# The table: registers as ptxas says, occupancy by the rules of NVIDIA's calculator.
expect 0 ./exe --info
registers=$(grep -A3 "function 'qkv_8'" log | sed -n 's/.*Used \([0-9]*\) registers.*/\1/p')
grep -qE "^  qkv_8 +128 +$registers +0 +0 \+ [0-9]+ +[0-9]+, shared memory" stdout ||
  fail "ptxas gives qkv_8 $registers registers, --info: $(grep qkv_8 stdout)"
tells "cubin of "
grep -qE "name sample +registers [0-9]+ +spill_bytes 0 +static_shared_bytes [0-9]+" stdout || fail "no sampler: $(cat stdout)"

# A ptxas of one's own, where none is installed with llamac.
[ ! -e "$LLAMAC_BINARY_DIR/libexec/llamac/ptxas" ] || exit 0
mkdir -p home/bin
export CUDA_HOME=$PWD/home
cat >home/bin/ptxas <<END
#!/bin/sh
echo "ptxas fatal   : abacus" >&2
exit 1
END
chmod +x home/bin/ptxas
rm -f exe
expect 1 llamac model --no-weights -o exe
says "home/bin/ptxas: failed with status 1"; says "ptxas fatal   : abacus"
says "ptxas -arch=sm_90a -v kernels.ptx -o kernels.cubin"
says "llamac model --gpu h200 --dtype bf16"; says "--no-weights --emit=ptx -o kernels.ptx"
[ ! -e exe ] || fail "left an output"
cat >home/bin/ptxas <<END
#!/bin/sh
"$LLAMAC_PTXAS" "\$@" 2>log
sed 's/ 0 bytes spill stores/ 20 bytes spill stores/' log >&2
END
expect 0 llamac model --no-weights -o exe
says "warning: the kernel embed spills 20 bytes a thread on sm_90a"
expect 0 ./exe --info
grep -qE "^  embed +128 +[0-9]+ +20 " stdout || fail "no spills in --info: $(grep embed stdout)"
