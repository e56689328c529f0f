#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""compare_npy.py A.npy B.npy BOUND: the relative L2 error of A's rows against B's last rows; standard library only.

BOUND is 3 E of the numerics contract. Exit status 1 if B has fewer rows, a row's error is over BOUND, or its argmax
differs where B's two highest values are more than 8 E rms apart.
"""
import array
import re
import sys


def read(path):
    with open(path, "rb") as file:
        data = file.read()
    size = int.from_bytes(data[8:10], "little")
    header = data[10:10 + size].decode()
    rows, columns = map(int, re.search(r"\((\d+), (\d+)\)", header).groups())
    assert "'<f4'" in header, header
    values = array.array("f")
    values.frombytes(data[10 + size:])
    assert len(values) == rows * columns, (len(values), rows, columns)
    return [values[r * columns:(r + 1) * columns] for r in range(rows)]


def main():
    mine, theirs = read(sys.argv[1]), read(sys.argv[2])
    bound = float(sys.argv[3])
    if len(theirs) < len(mine):
        sys.exit(f"{len(mine)} rows against {len(theirs)}")
    worst = 0.0
    for number, (a, b) in enumerate(zip(mine, theirs[-len(mine):])):
        error = (sum((x - y) ** 2 for x, y in zip(a, b)) / sum(y * y for y in b)) ** 0.5
        worst = max(worst, error)
        if not error <= bound:
            sys.exit(f"row {number}: relative error {error}, at most {bound}")
        rms = (sum(y * y for y in b) / len(b)) ** 0.5
        first, second = sorted(b)[-1:-3:-1]
        if first - second > 8 * bound / 3 * rms and a.index(max(a)) != b.index(max(b)):
            sys.exit(f"row {number}: argmax {a.index(max(a))}, not {b.index(max(b))}")
    print(f"{len(mine)} rows, worst relative error {worst:.3g}")


if __name__ == "__main__":
    main()
