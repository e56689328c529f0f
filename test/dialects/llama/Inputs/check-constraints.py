# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-constraints.py SOURCE: holds the llama dialect to its own rules.

Every op and attribute has an example; its constraints are numbered (C1), (C2)..
without a gap; each number is cited in the verifiers' sources and has a negative
test in OP-verification.mlir."""
import pathlib
import re
import sys

source = pathlib.Path(sys.argv[1])
dialect = source / "dialects/llama"
tests = source / "test/dialects/llama"
verifiers = "".join(path.read_text() for path in dialect.glob("*.cpp"))
# The test file of what has none of its own name.
shared = {"get_weight": "weight", "#rope": "rope", "#rope_scaling": "rope", "#model": "model", "#alibi": "attention", "#pool": "weight",
          "silu": "elementwise", "mul": "elementwise", "add": "elementwise"}
# How a verification test that covers two things names its cases.
prefix = {"weight": "weight ", "#pool": "#llama.pool ", "get_weight": "get_weight ", "#rope": "#llama.rope ", "#rope_scaling": "#llama.rope_scaling ",
          "#alibi": "#llama.alibi "}
problems, count = [], 0

for path in sorted(dialect.glob("*.td")):
    for definition in re.split(r"^def ", path.read_text(), flags=re.M)[1:]:
        head = definition.split("{", 1)[0]
        op = re.search(r'Llama_(?:Op|ElementwiseOp|BinaryOp)<"(\w+)"', head)
        attribute = re.search(r'Llama_Attr<"\w+", "(\w+)">', head)
        if not op and not attribute:
            continue
        name = op.group(1) if op else "#" + attribute.group(1)
        file = shared.get(name, name.replace("_", "-"))
        if "Example:" not in definition:
            problems.append(f"{name}: no example")
        if not (tests / f"{file}-parse-print.mlir").exists():
            problems.append(f"{name}: no {file}-parse-print.mlir")
        numbers = [int(n) for n in re.findall(r"^\s*- \(C(\d+)\)", definition, re.M)]
        if numbers != list(range(1, len(numbers) + 1)):
            problems.append(f"{name}: constraints are numbered {numbers}")
        verification = tests / f"{file}-verification.mlir"
        text = verification.read_text() if verification.exists() else ""
        for number in numbers:
            count += 1
            if f"// {prefix.get(name, '')}(C{number})" not in text:
                problems.append(f"{name}: no negative test of (C{number})")
            if not re.search(rf"//.*\(C{number}\)", verifiers):
                problems.append(f"{name}: (C{number}) is cited by no verifier")

print(f"{count} constraints")
if count == 0 or problems:
    sys.exit("\n".join(problems) or "no constraint was found")
