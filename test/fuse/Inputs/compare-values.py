# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare-values.py [--exact | --bound B] [--equal I J] A B

Compares what two runs of a value test printed. The files hold memrefs as
mlir-runner prints them. They must have the same shapes, more than one distinct
value, nothing that is not finite, and values that differ by at most B (1e-5; the
numbers are printed with six digits) of the largest magnitude of their memref;
with --exact, not at all. With --equal, memrefs I and J of A must agree too."""
import argparse
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


def compare(name, first, second, bound):
    (shape, a), (other, b) = first, second
    if shape != other or len(a) != len(b):
        sys.exit(f"{name}: shapes {shape} and {other}")
    if not all(map(math.isfinite, a + b)):
        sys.exit(f"{name}: a value is not finite")
    if len(a) > 1 and len(set(a)) < 2:
        sys.exit(f"{name}: all values are equal, so nothing is shown")
    largest = max(map(abs, a + b)) or 1.0
    worst = max(abs(x - y) for x, y in zip(a, b)) / largest
    if worst > bound:
        sys.exit(f"{name}: values differ by {worst:.3g} of the largest")
    print(f"{name}: {len(a)} values, largest difference {worst:.3g}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--exact", dest="bound", action="store_const",
                        const=0.0, default=1e-5)
    parser.add_argument("--bound", type=float, default=1e-5)
    parser.add_argument("--equal", type=int, nargs=2)
    parser.add_argument("a")
    parser.add_argument("b")
    args = parser.parse_args()
    first, second = read(args.a), read(args.b)
    if not first or len(first) != len(second):
        sys.exit(f"{len(first)} and {len(second)} memrefs")
    for number, pair in enumerate(zip(first, second)):
        compare(f"memref {number}", *pair, args.bound)
    if args.equal:
        i, j = args.equal
        compare(f"memrefs {i} and {j}", first[i], first[j], args.bound)


main()
