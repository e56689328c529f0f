# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""check-scope.py SOURCE WORK: every row of docs/scope.md's tables of what a config does not get has a case in
scope-cases.json, every case a row, and llamac refuses each case by what it says, with nothing on stdout."""
import json
import os
import re
import subprocess
import sys

source, work = sys.argv[1:]
cases = json.load(open(f"{source}/test/import/scope-cases.json"))["cases"]
text = open(f"{source}/docs/scope.md").read()
rows = []
for table in re.findall(r"^\| of the model \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.M):
    rows += [line.split("|")[1].strip() for line in table.splitlines()]
problems = []
covered = {case["row"] for case in cases}
for row in rows:
    if row not in covered:
        problems.append(f"docs/scope.md has the row '{row}', which no case tests")
for row in covered:
    if rows.count(row) != 1:
        problems.append(f"the cases test '{row}', which is {rows.count(row)} rows of docs/scope.md")

plain = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 64, "intermediate_size": 128,
         "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2, "vocab_size": 256,
         "max_position_embeddings": 128, "rms_norm_eps": 1e-05, "hidden_act": "silu", "bos_token_id": 1,
         "eos_token_id": 2}
os.makedirs(work, exist_ok=True)


def compile(number, config, adapter=None):
    folder = f"{work}/{number}"
    os.makedirs(folder, exist_ok=True)
    path = f"{folder}/config.json"
    if config is not None:
        json.dump(config, open(path, "w"))
    if adapter is not None:
        json.dump(adapter, open(f"{folder}/adapter_config.json", "w"))
        path = folder
    return subprocess.run(["llamac", path, "--emit=llama"], stdin=subprocess.DEVNULL, capture_output=True, text=True)


done = compile("plain", plain)
if done.returncode != 0 or "llama.attention" not in done.stdout:
    problems.append(f"the config without a change does not compile: {done.stderr}")
for number, case in enumerate(cases):
    # An adapter's folder has no config of its own; one that has is no less an adapter.
    for config in [None, plain] if "adapter" in case else [dict(plain, **case["set"])]:
        done = compile(f"{number}-{config is not None}", config, case.get("adapter"))
        says = case["says"] in done.stderr and case.get("and", "") in done.stderr
        if done.returncode != 1 or done.stdout or not says or done.stderr.count("error:") != 1:
            problems.append(f"{case}: status {done.returncode}, {len(done.stdout)} bytes on stdout, {done.stderr!r}")
print(f"{len(rows)} rows, {len(cases)} cases")
if problems or not rows:
    sys.exit("\n".join(problems) or "docs/scope.md has no table")
