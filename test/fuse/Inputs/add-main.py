# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""add-main.py FILE STORAGE: makes a value test a program.

Writes FILE with the word STORAGE replaced (f32, bf16, f16) and a @main behind it
that calls @test with random arguments and prints its results as f32. Matrices
are N(0, 1.2/sqrt(columns)), vectors 1 +- 0.2, everything else N(0, 1); the same
numbers every time."""
import math
import random
import re
import sys

numbers = random.Random(2)


def dense(shape, draw):
    """A nested list of `shape` as MLIR writes it."""
    if not shape:
        return f"{draw():.6f}"
    return "[" + ", ".join(dense(shape[1:], draw) for _ in range(shape[0])) + "]"


def random_constant(type_):
    shape = [int(size) for size in re.findall(r"(\d+)x", type_)]
    if len(shape) == 1:
        draw = lambda: 1 + numbers.uniform(-0.2, 0.2)
    elif len(shape) == 2:
        draw = lambda: numbers.gauss(0, 1.2 / math.sqrt(shape[1]))
    else:
        draw = lambda: numbers.gauss(0, 1)
    return f"arith.constant dense<{dense(shape, draw)}> : {type_}"


def main():
    text = open(sys.argv[1]).read().replace("STORAGE", sys.argv[2])
    signature = re.search(r"func\.func private @test\((.*?)\)\s*->\s*(.*?)\s*\{", text, re.S)
    arguments = re.findall(r"%\w+:\s*(tensor<[^>]*>)", signature.group(1))
    results = re.findall(r"tensor<[^>]*>", signature.group(2))
    lines = []
    for number, type_ in enumerate(arguments):
        lines.append(f"%a{number} = {random_constant(type_)}")
    names = ", ".join(f"%a{number}" for number in range(len(arguments)))
    lines.append(f"%r:{len(results)} = func.call @test({names}) : "
                 f"({', '.join(arguments)}) -> ({', '.join(results)})")
    for number, type_ in enumerate(results):
        value = f"%r#{number}"
        printed = re.sub(r"x(f32|bf16|f16|i32)>", "xf32>", type_)
        if printed != type_:
            cast = "sitofp" if "i32" in type_ else "extf"
            lines.append(f"%f{number} = arith.{cast} {value} : {type_} to {printed}")
            value = f"%f{number}"
        lines.append(f"%u{number} = tensor.cast {value} : {printed} to tensor<*xf32>")
        lines.append(f"func.call @printMemrefF32(%u{number}) : (tensor<*xf32>) -> ()")
    print(text)
    print("func.func private @printMemrefF32(tensor<*xf32>) attributes {llvm.emit_c_interface}")
    print("func.func @main() {\n  " + "\n  ".join(lines) + "\n  return\n}")


main()
