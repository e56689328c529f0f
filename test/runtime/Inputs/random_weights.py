#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Random weights as docs/weights.md defines them, in exact arithmetic.

    random_weights.py SEED NAME COLUMNS|vector bf16|f16|f32 INDEX...

Prints the stored bits of each element in hexadecimal: what RandomWeightsTest
expects was made by it.
"""
import math
import sys
from fractions import Fraction

M, G = (1 << 64) - 1, 0x9E3779B97F4A7C15
# Significant bits, exponent of the smallest normal number, bits of the fraction, exponent bias.
FORMATS = {"bf16": (8, -126, 7, 127), "f16": (11, -14, 10, 15), "f32": (24, -126, 23, 127)}


def mix(z):
    z = ((z ^ z >> 30) * 0xBF58476D1CE4E5B9) & M
    z = ((z ^ z >> 27) * 0x94D049BB133111EB) & M
    return z ^ z >> 31


def value(seed, name, columns, index):
    key = 0xCBF29CE484222325
    for byte in name.encode():
        key = ((key ^ byte) * 0x100000001B3) & M
    key = mix((key + seed * G) & M)
    words = [mix((key + (3 * index + j + 1) * G) & M) for j in range(3)]
    n = sum(word >> 16 * part & 0xFFFF for word in words for part in range(4)) - 6 * 65535
    if columns == "vector":
        mean, deviation = int(name.endswith("norm.weight")), 0.2
    else:
        mean, deviation = 0, 1.2 / math.sqrt(int(columns))
    scale = Fraction(math.floor(Fraction(deviation) * 2**24 + Fraction(1, 2)), 2**24)
    return mean + Fraction(n, 2**16) * scale


def bits(exact, dtype):
    digits, least, fraction, bias = FORMATS[dtype]
    if exact == 0:
        return 0
    size, exponent = abs(exact), least
    while size >= 2 ** (exponent + 1):
        exponent += 1
    while exponent > least and size < Fraction(2) ** exponent:
        exponent -= 1
    # Python rounds to nearest even.
    significand = round(size / Fraction(2) ** (exponent - digits + 1))
    if significand == 2**digits:
        significand, exponent = significand // 2, exponent + 1
    field = exponent + bias if significand >= 2 ** (digits - 1) else 0
    result = field << fraction | significand & (1 << fraction) - 1
    return result | (exact < 0) << (31 if dtype == "f32" else 15)


seed, name, columns, dtype = sys.argv[1:5]
print(" ".join(f"0x{bits(value(int(seed), name, columns, int(i)), dtype):x}" for i in sys.argv[5:]))
