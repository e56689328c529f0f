#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Shows the example model on its way through llamac, one short file for each phase and each pass.

    examples/every-phase/make.py --update      # writes the files, README.md and the excerpts in docs/one-fusion.md anew
    examples/every-phase/make.py               # compares; says which are stale, with status 1

The files are what `llamac examples/storyteller/model --dump-dir DIR` writes, shortened: of four layers one, of all kernels
the one that reads the embedding, of @prefill and @decode the second. `// ...` stands for what is left out.
"""
import argparse
import difflib
import json
import pathlib
import re
import subprocess
import sys
import tempfile

ROOT = pathlib.Path(__file__).resolve().parents[2]

# What changed, one line for each file, in order.
PHASES = {
    "1-llama.mlir": "`import`: the checkpoint as the paper writes it; weights by name, one function for all layers.",
    "2-fused.mlir": "`fuse`: five ops a layer.",
    "3-tiled.mlir": "`tile`: weights become streams with a place, ops become kernels, functions become lists of launches.",
    "4-nvvm.mlir": "`lower`: only llvm and nvvm inside the gpu.module; the host functions stay as they were.",
    "5-ptx.ptx": "`emit`: PTX; each .loc names a tensor and a line of 3-tiled.mlir as --emit=tiled prints it.",
}
PASSES = {
    "llama-fuse-qkv": "three linears of one input are one `llama.fused_qkv`.",
    "llama-fuse-swiglu": "gate, up, silu and mul are one `llama.fused_gate_up`.",
    "llama-fuse-rms-norm-linear": "each `llama.rms_norm` is an operand, `gamma`, of the op behind it.",
    "llama-fuse-rope": "`llama.rope` and `llama.kv_append` are in the epilogue of `llama.fused_qkv`.",
    "llama-fuse-residual": "each `llama.add` is the `residual` of the product before it.",
    "tile-llama": "all that `tile` does but the line numbers, which are no text.",
    "lower-tile-to-nvvm": "tile ops become llvm and nvvm ops; shared memory is one external array.",
    "convert-scf-to-cf": "loops become blocks and branches.",
    "convert-gpu-to-nvvm": "gpu.func becomes llvm.func; its block size an attribute.",
    "convert-cf-to-llvm": "branches become llvm.br.",
    "convert-arith-to-llvm": "arith becomes llvm.",
    "convert-nvvm-to-llvm": "nvvm ops without an intrinsic of LLVM become inline PTX.",
    "reconcile-unrealized-casts": "casts that cancel out go.",
    "cse": "equal constants are one.",
    "canonicalize": "dead and constant ops go.",
}
KERNEL = "embed"  # the shortest


def pick(lines, keep):
    """The lines of these numbers, `// ...` where some were left out."""
    picked, before = [], -1
    for number in [*sorted(keep), len(lines)]:
        left = [line for line in lines[before + 1:number] if line.strip()]
        if left:
            picked.append(" " * min(4, len(left[0]) - len(left[0].lstrip(" "))) + "// ...")
        picked += lines[number:number + 1]
        before = number
    return picked


def blocks(lines, opening):
    """(first, last) of the ops whose first line matches and whose `}` stands at the same depth."""
    close = None
    for number, line in enumerate(lines):
        if close is None and line.endswith("{") and re.match(opening, line):
            first, close = number, re.match(" *", line)[0] + "}"
        elif close is not None and line.startswith(close):
            yield first, number
            close = None


def shorten_mlir(text, whole):
    """`whole`: a phase's file; else, of a pass, only the function or the kernel that it changes."""
    lines = text.splitlines()
    keep = set()
    for first, last in blocks(lines, r"  func\.func private @decode_layer\("):
        keep.update(range(first, last + 1))
    for first, last in blocks(lines, r" +(gpu\.func|llvm\.func) @%s\(" % KERNEL):
        keep.update(range(first, last + 1))
    if whole:
        keep.update(n for n, line in enumerate(lines) if re.match(r"(module|}|    llvm\.mlir\.global)", line))
        for first, last in blocks(lines, r"  gpu\.module"):
            keep.update((first, last))
        for n, line in enumerate(lines):
            if re.match(r"  (llama\.weight|tile\.stream) ", line) and not re.search(r"layers\.[1-9]", line):
                keep.add(n)
        for first, last in blocks(lines, r"  func\.func @decode\("):
            # The first layer, and what comes behind the last.
            calls = [n for n in range(first, last) if "@decode_layer" in lines[n]]
            if calls:
                keep.update([*range(first, calls[0] + 1), *range(calls[-1] + 1, last + 1)])
            else:
                launches = [n for n in range(first, last) if "gpu.launch_func" in lines[n]]
                second = [n for n in launches if "@qkv" in lines[n]][1]
                keep.update([*range(first, max(n for n in launches if n < second) + 1), last - 1, last])
    return [line for line in pick(lines, keep) if whole or line.strip() != "// ..."]


def shorten_ptx(text):
    lines = text.splitlines()
    entry = next(n for n, line in enumerate(lines) if line.startswith(".visible .entry %s(" % KERNEL))
    end = next(n for n in range(entry, len(lines)) if lines[n] == "}")
    return pick(lines, {n for n, line in enumerate(lines) if n <= end or line.startswith("\t.file")})


def make_files(dumps):
    """name -> text of every file of the folder; the README last."""
    files, table, before = {}, [], None
    for name, changed in PHASES.items():
        stem = name.split(".")[0]
        for path in sorted((dumps / stem).glob("*.mlir"), key=lambda p: int(p.name.split("-")[0])):
            flag = path.stem.split("-", 1)[1]
            excerpt = shorten_mlir(path.read_text(), whole=False)
            if excerpt == before:
                table.append(f"| | `{flag}`: nothing in this excerpt. |")
                continue
            before = excerpt
            said = PASSES[flag]
            files[f"{stem}/{path.name}"] = "\n".join([f"// `{flag}`: {said}", *excerpt]) + "\n"
            table.append(f"| [{stem}/{path.name}]({stem}/{path.name}) | `{flag}`: {said} |")
        text = (dumps / name).read_text()
        excerpt = shorten_ptx(text) if name.endswith(".ptx") else shorten_mlir(text, whole=True)
        files[name] = "\n".join([f"// {changed}", *excerpt]) + "\n"
        table.append(f"| [{name}]({name}) | **{changed}** |")
        before = shorten_mlir(text, whole=False) if name.endswith(".mlir") else None
    intro = __doc__.split("\n\n")
    files["README.md"] = f"""# Every phase of the example model

{intro[-1].strip()}

Read downwards: a phase's passes stand above what it leaves. Made by `make.py`, which a test holds it to; after a change
of the compiler `examples/every-phase/make.py --update` writes it anew. [docs/one-fusion.md](../../docs/one-fusion.md)
follows one of the fusions in words.

| file | what changed |
|---|---|
""" + "\n".join(table) + "\n"
    return files


def take(dumps, wish):
    """The lines that an excerpt of a page asks for."""
    lines = (dumps / wish["file"]).read_text().splitlines()
    if "within" in wish:
        inside = re.compile(wish["within"])
        start = next((n for n, line in enumerate(lines) if inside.search(line)), None)
        if start is None:
            raise SystemExit(f"{wish['file']}: nothing matches {wish['within']}")
        lines = lines[start:]
    first = next((n for n, line in enumerate(lines) if re.search(wish["first"], line)), None)
    if first is None:
        raise SystemExit(f"{wish['file']}: nothing matches {wish['first']}")
    last = first
    if "last" in wish:
        last = next(n for n in range(first, len(lines)) if re.search(wish["last"], lines[n]))
    taken = [line for line in lines[first:last + 1] if not re.search(wish.get("without", r"^\b$"), line)]
    indent = min(re.match(r"\s*", line).end() for line in taken if line.strip())
    return [line[indent:] if len(line) - indent <= 118 else line[indent:indent + 114] + " ..." for line in taken]


def fill_page(text, dumps):
    """Each `<!-- excerpt {...} -->` is followed by a fenced block, which is made anew."""

    def block(found):
        wish = json.loads(found[1])
        kind = "" if wish["file"].endswith(".ptx") else "mlir"
        return f"<!-- excerpt {found[1]} -->\n```{kind}\n" + "\n".join(take(dumps, wish)) + "\n```\n"

    return re.sub(r"<!-- excerpt (\{.*?\}) -->\n```.*?\n```\n", block, text, flags=re.S)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--update", action="store_true", help="write what is stale")
    parser.add_argument("--llamac", default=ROOT / "build/release/bin/llamac", help="default: that of build/release")
    parser.add_argument("--folder", type=pathlib.Path, default=ROOT / "examples/every-phase", help="where the files are")
    parser.add_argument("--page", type=pathlib.Path, default=ROOT / "docs/one-fusion.md", help="the page with excerpts")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        dumps = pathlib.Path(folder) / "dumps"
        subprocess.run([arguments.llamac, "-q", ROOT / "examples/storyteller/model", "--emit=ptx", "-o", "/dev/null",
                        "--dump-dir", dumps], check=True)
        wanted = {arguments.folder / name: text for name, text in make_files(dumps).items()}
        wanted[arguments.page] = fill_page(arguments.page.read_text(), dumps)
    present = {path for path in arguments.folder.rglob("*") if path.is_file() and path.name != "make.py"}
    stale = 0
    for path in sorted(present | set(wanted)):
        new, old = wanted.get(path), path.read_text() if path.exists() else None
        if new == old:
            continue
        stale += 1
        if arguments.update:
            if new is None:
                path.unlink()
            else:
                path.parent.mkdir(exist_ok=True)
                path.write_text(new)
            continue
        print(f"stale: {path}")
        for line in list(difflib.unified_diff((old or "").splitlines(), (new or "").splitlines(), "is", "should be", "", "", 0))[:12]:
            print("  " + line[:200])
    if stale and not arguments.update:
        sys.exit("examples/every-phase/make.py --update writes them anew")


if __name__ == "__main__":
    main()
