# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Usage: check-pass-docs.py SOURCE BUILD/docs. Each pass of compiler/*/Passes.td has
#   - a heading in the generated page of its phase, and a summary;
#   - Before: and After: with MLIR, or the sentence that it changes nothing or no op;
#   - a file PHASE/<Name>.cpp that names a test, and test/PHASE/<name>.mlir that runs its flag;
#   - in that test, every op that Before and After speak of; in `fuse` the statements of Before themselves.
import pathlib
import re
import sys

source, docs = map(pathlib.Path, sys.argv[1:])
faults = []


def normal(text):
    return re.sub(r"\s+", " ", text)


def statements(block):
    """The lines of MLIR, those that go on joined to the one before."""
    lines = []
    for line in block.splitlines():
        deeper = len(line) - len(line.lstrip()) > 2 and lines
        if deeper:
            lines[-1] += " " + line.strip()
        elif line.strip():
            lines.append(line.strip())
    return [normal(line) for line in lines]


def operations(block):
    """The ops of the project and of gpu; others may be lowered further in a test."""
    return set(re.findall(r"(?<![\w.!#@\"])(?:llama|tile)\.[a-z_]+\b(?!\")", re.sub(r"[#!][\w.]+", "", block)))


def file_name(flag):
    return flag.split("-", 1)[1]


count = 0
for table in sorted(source.glob("compiler/*/Passes.td")):
    phase = table.parent.name
    page = (docs / f"{phase.capitalize()}Passes.md").read_text()
    for found in re.finditer(r'^def (\w+)Pass : Pass<"([\w-]+)"(.*?)^}', table.read_text(), re.M | re.S):
        name, flag, body = found.groups()
        count += 1

        def fault(text):
            faults.append(f"{table.relative_to(source)}: {flag}: {text}")

        if f"### `-{flag}`" not in page:
            fault("no heading in the generated page")
        if not re.search(r'let summary = "[^"]{20,}', body):
            fault("no summary")
        # "llama-fuse-qkv" is FuseQkv and fuse-qkv, "tile-llama" TileLlama and tile-llama, "lower-x" x.
        names = {flag, flag.removeprefix("llama-"), flag.removeprefix("lower-")}
        tests = [path for n in names if (path := source / "test" / phase / f"{n}.mlir").exists()]
        if not tests:
            fault(f"no test/{phase}/{sorted(names)[0]}.mlir")
            continue
        test = tests[0].read_text()
        if flag not in str(re.findall(r"RUN:.*", test)):
            fault(f"{tests[0].name} does not run it")
        plain = {n.replace("-", "") for n in names}
        codes = [p for p in table.parent.glob("*.cpp") if p.stem.lower() in plain]
        if not codes:
            fault(f"no {name}.cpp")
        elif not re.search(r"[Tt]ests?:[\s/]+test/", codes[0].read_text()[:1500]):
            fault(f"{codes[0].name} names no test")

        before = re.search(r"Before:\n\n\s*```mlir\n(.*?)```", body, re.S)
        after = re.search(r"After[^\n]*:\n\n\s*```mlir\n(.*?)```", body, re.S)
        if not before and not after:
            if not re.search(r"Changes\s+(nothing|no\s+op)", body):
                fault("neither Before: and After: nor `Changes nothing`")
            continue
        if not before or not after:
            fault("only one of Before: and After:")
            continue
        for op in operations(before[1]) | operations(after[1]):
            if op not in test:
                fault(f"{tests[0].name} has no {op}")
        if phase == "fuse":
            for statement in statements(before[1]):
                if statement not in normal(test):
                    fault(f"{tests[0].name} does not have: {statement}")

for dialect in ("Llama", "Tile"):
    page = (docs / f"{dialect}Dialect.md").read_text()
    for table in (source / "dialects" / dialect.lower()).glob("*.td"):
        for op in re.findall(r'^def \w+ : \w+_Op<"([a-z_]+)"', table.read_text(), re.M):
            if f"### `{dialect.lower()}.{op}`" not in page:
                faults.append(f"{dialect}Dialect.md: no {op}")
print("\n".join(faults))
sys.exit(bool(faults) or count < 10)
