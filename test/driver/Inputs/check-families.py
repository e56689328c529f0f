# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-families.py SOURCE [--long]: compiles every model of test/models/families.json without weights.

The expected bytes come from the number of parameters that the model's authors state, and from the sizes in its config by
the closed formula for a Llama's padding and KV cache, not from anything that llamac computes."""
import json
import os
import re
import subprocess
import sys

source, everything = sys.argv[1], "--long" in sys.argv
ptxas = os.environ.get("LLAMAC_PTXAS")
usable = 141e9  # of an H200, less what llamac keeps free: between this and 5% less both answers are right
problems = []
assembled = set()  # sizes whose kernels were: those of two models of one family are the same


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, **options)
    if done.returncode != 0:
        sys.exit(f"{' '.join(command)} ended with {done.returncode}: {done.stderr}")
    return done


def padding(config, head_dim):
    """Elements that packing adds: rows of the vocabulary and of the products up to 64."""
    up = lambda size, to: -size % to
    hidden, layers, ffn = config["hidden_size"], config["num_hidden_layers"], config["intermediate_size"]
    kv_heads = config.get("num_key_value_heads") or config["num_attention_heads"]
    vocabulary = up(config["vocab_size"], 64) * (1 if config.get("tie_word_embeddings") else 2)
    qkv = up((config["num_attention_heads"] + 2 * kv_heads) * head_dim, 64)
    assert not up(hidden, 512) and not up(ffn, 64), "rows of such a size are padded along k too"
    return (vocabulary + layers * (qkv + up(2 * ffn, 64))) * hidden


print(f"{'model':16} {'parameters':>14} {'weights':>12} {'KV, a token':>12}  at 8 sequences of the default length")
entries = json.load(open(f"{source}/test/models/families.json"))
listed = {entry["config"] for entry in entries}
there = {name[:-5] for name in os.listdir(f"{source}/test/models/configs") if name.endswith(".json")}
if listed != there:
    problems.append(f"families.json and configs/ differ in {sorted(listed ^ there)}")
for entry in entries:
    name, path = entry["config"], f"{source}/test/models/configs/{entry['config']}.json"
    config = json.load(open(path))
    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    kv_heads = config.get("num_key_value_heads") or heads
    # The statement is a number of billions, to its digits.
    stated = float(entry["stated"][:-1])
    digits = 10.0 ** -len(entry["stated"][:-1].partition(".")[2])
    if abs(entry["parameters"] / 1e9 - stated) > digits:
        problems.append(f"{name}: {entry['parameters']} parameters are not the stated {entry['stated']}")
    as_exe = everything or entry.get("exe")
    if as_exe:
        done = run("llamac", path, "-v", "-o", "exe")
        if os.path.getsize("exe") > 8_000_000:
            problems.append(f"{name}: an executable of {os.path.getsize('exe')} bytes")
    else:
        done = run("llamac", path, "-v", "--emit=ptx", "-o", "-")
        open("one.ptx", "w").write(done.stdout)
        if ".target sm_90a" not in done.stdout or done.stdout.count(".entry") < 12:
            problems.append(f"{name}: no PTX of twelve kernels for sm_90a")
        sizes = (config["hidden_size"], config["intermediate_size"], heads, kv_heads, head_dim, config.get("sliding_window"))
        if ptxas and (everything or sizes not in assembled):
            assembled.add(sizes)
            log = run(ptxas, "-arch=sm_90a", "-v", "one.ptx", "-o", "/dev/null").stderr
            if re.search(r"[1-9]\d* bytes spill", log):
                problems.append(f"{name}: spills: {log}")
    if "spills" in done.stderr:
        problems.append(f"{name}: {done.stderr}")
    found = re.search(r"bytes: (\d+) of weights, \d+ of workspace, (\d+) a KV page of 64 tokens", done.stderr)
    memory = re.search(r"device memory at these maxima: (.*)", done.stderr)
    if not found or not memory:
        sys.exit(f"{name}: no byte table in: {done.stderr}")
    weights, page = int(found[1]), int(found[2])
    expected = 2 * (entry["parameters"] + padding(config, head_dim))
    if weights != expected:
        problems.append(f"{name}: {weights} bytes of weights, expected {expected}")
    if page != 2 * 64 * 2 * config["num_hidden_layers"] * kv_heads * head_dim:
        problems.append(f"{name}: {page} bytes a KV page")
    warned = "does not fit the" in done.stderr
    if weights > usable and not warned or weights < usable / 2 and warned:
        problems.append(f"{name}: {'warns' if warned else 'does not warn'} of memory: {done.stderr}")
    print(f"{name:16} {entry['parameters']:14} {weights / 2**30:8.2f} GiB {page / 64 / 1024:8.1f} KiB  {memory[1]}")
if problems:
    sys.exit("\n".join(problems))
