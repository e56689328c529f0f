# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# How lit runs the tests. Tools are called by their plain names: PATH starts with
# the build's bin/ and LLVM's. A *.sh test has one line `# RUN: bash %s %t` and
# finds what it needs in the environment variables set below.
import ctypes
import os

import lit.formats

config.name = "llamac"
config.test_format = lit.formats.ShTest(execute_external=False)
config.suffixes = [".mlir", ".test", ".sh"]
config.excludes = ["Inputs", "models", "golden", "fuzz", "check.sh"]
config.test_source_root = os.path.join(config.llamac_source_dir, "test")
config.test_exec_root = os.path.join(config.llamac_binary_dir, "test")

path = [os.path.join(config.llamac_binary_dir, "bin"), config.llvm_tools_dir]
config.environment.update(
    PATH=os.pathsep.join(path + [os.environ.get("PATH", "")]),
    LLAMAC_SOURCE_DIR=config.llamac_source_dir,
    LLAMAC_BINARY_DIR=config.llamac_binary_dir,
    LLAMAC_VERSION=config.llamac_version,
    LLAMAC_PTXAS=config.llamac_ptxas,
    LLAMAC_NVRTC=config.llamac_nvrtc,
    LC_ALL="C.UTF-8",
)

# Longer names first: lit replaces text in this order.
config.substitutions += [
    ("%mlir-runner-libs", "%s/libmlir_c_runner_utils.so,%s/libmlir_runner_utils.so" % ((config.llvm_lib_dir,) * 2)),
    ("%source", config.llamac_source_dir),
    ("%build", config.llamac_binary_dir),
    ("%ptxas", config.llamac_ptxas or "ptxas"),
    ("%python", '"/usr/bin/python3"'),
]

# Features, for REQUIRES and UNSUPPORTED. test/summary.py says what a missing one means.
if config.llamac_ptxas:
    config.available_features.add("ptxas")
if os.geteuid() == 0:
    config.available_features.add("root")
mode = lit_config.params.get("mode", "full")  # quick, full or long
config.environment["LLAMAC_TEST_MODE"] = mode
if mode != "full":
    config.available_features.add(mode)
try:
    for end in os.openpty():
        os.close(end)
    config.available_features.add("terminal")
except OSError:
    pass
try:
    ctypes.CDLL("libcuda.so.1")
    config.available_features.add("cuda-driver")
except OSError:
    pass
