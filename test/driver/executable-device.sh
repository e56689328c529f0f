#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --device: with no driver, and with a fake libcuda.so.1 that pretends to be old, of
# another architecture, without a GPU, or right. No hardware is run here.
# RUN: bash %s %t
# UNSUPPORTED: cuda-driver
. "$(dirname "$0")/Inputs/executable.sh"
toy 0 "Once upon a time" -n 6
cp out expected

run 0 ./toy "Once upon a time" -n 6
says "no NVIDIA driver"
says "running on the emulator"
same out expected "auto without a driver"
run 1 ./toy --device cuda x
says "no NVIDIA driver"

export LD_LIBRARY_PATH=$LLAMAC_BINARY_DIR/fake-cuda
run 0 ./toy "Once upon a time" -n 6 -v
says "device: Fake H200 (sm_90, driver 13.0)"
same out expected "auto with a GPU"
run 0 ./toy --device cuda:0 "Once upon a time" -n 6
same out expected "cuda:0"
run 1 ./toy --device cuda:2 x;                        says "there is no such GPU; the driver finds 1"
export FAKE_CUDA_VERSION=12080
run 1 ./toy x;                                        says "install driver 580 or later"
says "--device emulator"
run 0 ./toy --device emulator "Once upon a time" -n 6
same out expected "the emulator beside an old driver"
unset FAKE_CUDA_VERSION
FAKE_CUDA_SM=86 run 1 ./toy x
says "compiled for emulator (sm_90a), but GPU 0 is Fake H200 (sm_86"
says "--device emulator"
FAKE_CUDA_COUNT=0 run 0 ./toy "Once upon a time" -n 6
says "finds no GPU: running on the emulator"
FAKE_CUDA_INIT=999 run 1 ./toy x;                     says "cuInit"
