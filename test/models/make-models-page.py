#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make-models-page.py [--check]: writes docs/models.md from the lists of what is tested.

Families come from families.json, features from coverage.json and the golden files in test/golden, formats, tokenizers and
chat templates from coverage.json, what is refused from test/import/scope-cases.json. A test that is named has to be there
and to hold the words that its entry says; every golden model has to show some feature. With --check nothing is
written: the page on disk has to be what would be."""
import glob
import json
import os
import re
import sys

here = os.path.dirname(os.path.abspath(__file__))
root = os.path.dirname(os.path.dirname(here))
problems = []


def read(path):
    with open(f"{root}/{path}") as file:
        return file.read()


def link(test):
    """`test` is PATH or PATH:WORDS, the words being in that file."""
    path, _, words = test.partition(":")
    if not os.path.isfile(f"{root}/{path}"):
        problems.append(f"coverage.json names {path}, which is not there")
    elif words and words not in read(path):
        problems.append(f"coverage.json says that {path} holds '{words}', which it does not")
    return f"[{os.path.basename(path)}](../{path})"


def links(entry):
    if not entry["tests"]:
        problems.append(f"coverage.json: '{entry['name']}' has no test")
    return ", ".join(dict.fromkeys(link(test) for test in entry["tests"]))


def table(head, rows):
    return [f"| {' | '.join(head)} |", "|" + "---|" * len(head)] + [f"| {' | '.join(row)} |" for row in rows] + [""]


families = json.loads(read("test/models/families.json"))
coverage = json.loads(read("test/models/coverage.json"))
cases = json.loads(read("test/import/scope-cases.json"))["cases"]
goldens = {os.path.basename(path)[:-5]: json.load(open(path)) for path in glob.glob(f"{root}/test/golden/*.json")}
goldens = {name: record for name, record in goldens.items() if os.path.exists(f"{root}/test/golden/{name}.npy")}

lines = ["<!-- Made by test/models/make-models-page.py from the lists of what is tested. Do not edit. -->",
         "# Models, formats, tokenizers and templates", "",
         "What is compiled, and by which test that is known. [scope.md](scope.md) says it in words, with what is refused.", "",
         "## Families", "",
         "Each of these sizes imports, fuses and becomes PTX that assembles, with a byte table that is held to the number of "
         "parameters that its authors state: `test/driver/llamac-families.sh`. Their trained weights are in no test.", ""]
rows = []
for entry in families:
    config = json.loads(read(f"test/models/configs/{entry['config']}.json"))
    heads = config["num_attention_heads"]
    scaling = config.get("rope_scaling") or {}
    rows.append([entry["family"], entry["model"], f"{entry['parameters']:,}",
                 f"{config['num_hidden_layers']} x {config['hidden_size']}",
                 f"{heads} on {config.get('num_key_value_heads') or heads}", f"{config['max_position_embeddings']:,}",
                 scaling.get("rope_type") or scaling.get("type") or "", "compiles, by its shapes",
                 f"[config](../test/models/configs/{entry['config']}.json)"])
lines += table(["family", "size", "parameters", "layers x hidden", "heads", "positions", "scaling", "state", ""], rows)

lines += ["## What a model may have", "",
          f"{len(goldens)} small random models cross these. For each there are logits of another implementation (Hugging "
          "Face transformers, or a script in PyTorch where it has no such model): the reference is equal to them "
          "([GoldenTest.cpp](../test/numerics/GoldenTest.cpp)), and the compiled model keeps the contract of "
          "[numerics.md](numerics.md) against the reference in bf16, f16 and f32 "
          "([ContractTest.cpp](../test/numerics/ContractTest.cpp)).", ""]
shown = set()
rows = []
for feature in coverage["features"]:
    for name in feature["models"]:
        if name not in goldens:
            problems.append(f"coverage.json: '{feature['name']}' is shown by {name}, which has no golden file")
    shown |= set(feature["models"])
    rows.append([feature["name"], ", ".join(feature["models"])])
for name in sorted(set(goldens) - shown):
    problems.append(f"coverage.json: no feature is shown by the golden model {name}")
lines += table(["feature", "state: tested on"], rows)

for key, title, text in (("formats", "Formats", "A model is read from:"),
                         ("tokenizers", "Tokenizers", "Text becomes ids by:"),
                         ("templates", "Chat templates", "`--chat` and `--messages` write dialogs as:"),
                         ("transformations", "On the way", "A model can be changed while it is compiled:")):
    lines += [f"## {title}", "", text, ""]
    lines += table(["", "as", "state: tested by"], [[entry["name"], entry["state"], links(entry)] for entry in coverage[key]])

lines += ["## Refused by name", "",
          f"{len(cases)} cases in [scope-cases.json](../test/import/scope-cases.json): "
          + ", ".join(dict.fromkeys(case["row"] for case in cases)) + ".", ""]
page = "\n".join(lines)
if "--check" in sys.argv:
    if not problems and read("docs/models.md") != page:
        problems.append("docs/models.md is not what its lists say: run test/models/make-models-page.py")
elif not problems:
    with open(f"{root}/docs/models.md", "w") as file:
        file.write(page)
if problems:
    sys.exit("\n".join(problems))
print(f"{len(families)} sizes, {len(goldens)} golden models, {len(cases)} refusals")
