# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare-values.py [--exact] A B: compares what two runs of a value test printed.

The files hold memrefs as mlir-runner prints them. They must have the same
shapes, more than one distinct value, nothing that is not finite, and values
that differ by at most 1e-5 of the largest magnitude of their memref (the
numbers are printed with six digits); with --exact, not at all."""
import math
import re
import sys


def read(path):
    """[(shape, values)] of the memrefs in a file."""
    memrefs = []
    with open(path) as file:
        for text in file.read().split("Unranked Memref")[1:]:
            head, _, body = text.partition("data =")
            shape = re.search(r"sizes = \[([^\]]*)\]", head).group(1)
            memrefs.append((shape, [float(n) for n in re.findall(r"[-+.\w]+", body)]))
    return memrefs


def main():
    bound = 0.0 if sys.argv[1] == "--exact" else 1e-5
    first, second = read(sys.argv[-2]), read(sys.argv[-1])
    if not first or len(first) != len(second):
        sys.exit(f"{len(first)} and {len(second)} memrefs")
    for number, ((shape, a), (other, b)) in enumerate(zip(first, second)):
        if shape != other or len(a) != len(b):
            sys.exit(f"memref {number}: shapes {shape} and {other}")
        if not all(map(math.isfinite, a + b)):
            sys.exit(f"memref {number}: a value is not finite")
        if len(a) > 1 and len(set(a)) < 2:
            sys.exit(f"memref {number}: all values are equal, so nothing is shown")
        largest = max(map(abs, a + b)) or 1.0
        worst = max(abs(x - y) for x, y in zip(a, b)) / largest
        if worst > bound:
            sys.exit(f"memref {number}: values differ by {worst:.3g} of the largest")
        print(f"memref {number}: {len(a)} values, largest difference {worst:.3g}")


main()
