#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --gpu: the table, and the row of the GPU that is there, as a fake libcuda.so.1 pretends.
# RUN: bash %s %t
# UNSUPPORTED: cuda-driver
. "$(dirname "$0")/Inputs/llamac.sh"

expect 0 llamac --gpu help
for row in emulator h200 h100-sxm h100-pcie a100-80g a100-40g rtx4090 rtx3090 l4 rtx5090; do
  grep -qE "^$row +sm_[0-9]+a? +[0-9]+ +[0-9]+ GB " stdout || fail "no row $row: $(cat stdout)"
done
make model
expect 2 llamac model --gpu abacus -o out
says "abacus is no row of the GPU table"; says "rtx4090"

expect 1 llamac model --gpu native -o out
says "--gpu native: no NVIDIA driver"; says "--gpu help"

# native NAME CAPABILITY MULTIPROCESSORS MEBIBYTES STATUS: to PTX on stdout. (NVRTC would ask the fake driver things, too.)
export LD_LIBRARY_PATH=$LLAMAC_BINARY_DIR/fake-cuda
native() {
  FAKE_CUDA_NAME=$1 FAKE_CUDA_SM=$2 FAKE_CUDA_MULTIPROCESSORS=$3 FAKE_CUDA_MEMORY=$(($4 << 20)) \
    expect "$5" llamac model --gpu native --emit=ptx
}
native "NVIDIA A100-SXM4-40GB" 80 108 40960 0
says "--gpu native: NVIDIA A100-SXM4-40GB is compiled for as a100-40g"; says "--gpu a100-40g"
tells ".target sm_80"
native "NVIDIA GeForce RTX 3090" 86 82 24576 0;  tells ".target sm_86"
native "NVIDIA GeForce RTX 5090" 120 170 32607 0; tells ".target sm_120"
native "Tesla V100" 70 80 32768 1
says "compute capability 7.0"; says "no row of that compute capability"
native "NVIDIA GeForce RTX 4060" 89 24 8188 1
says "the rows of that compute capability are larger"
FAKE_CUDA_VERSION=12080 expect 1 llamac model --gpu native -o out
says "install driver 580 or later"
FAKE_CUDA_COUNT=0 expect 1 llamac model --gpu native -o out
says "finds no GPU"
