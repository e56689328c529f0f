#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""measure.py FOLDER COMMAND...: runs it with the folder's files out of the page cache; prints seconds and peak KiB.

The peak is the largest resident set, mapped pages counted.
"""
import os
import resource
import subprocess
import sys
import time

os.sync()
for name in os.listdir(sys.argv[1]):
    file = os.open(os.path.join(sys.argv[1], name), os.O_RDONLY)
    os.posix_fadvise(file, 0, 0, os.POSIX_FADV_DONTNEED)
    os.close(file)
start = time.monotonic()
subprocess.run(sys.argv[2:], check=True)
print(f"{time.monotonic() - start:.2f} {resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}")
