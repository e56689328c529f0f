#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the golden logits of the small random models with Hugging Face transformers.

    make_golden.py PATH/TO/make-test-model [NAME...]

Writes NAME.json (ids fed, positions kept, column stride, versions) and NAME.npy
(float32 logits [positions, ceil(vocab / stride)]) beside itself. transformers
runs in float64 with eager attention; its norms, rope table and softmax are
float32 inside, so the files are good to about 1e-6.

Needs torch, transformers and numpy; the tests need only what it wrote.
"""
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
import torch
import transformers

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ("mha-separate", "gqa-tied", "mqa-dim48", "dim8", "dim128",
         "hidden172", "vocab32003", "small-residual", "one-head",
         "llama3-gqa", "llama3-mha", "linear-mha", "linear-gqa",
         "bias-mha", "bias-gqa", "mlp-bias-mqa")
# Every position near the start, the edges of KV pages, and some in the seventh page.
POSITIONS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 63, 64, 65, 90, 127, 128, 129, 199, 200, 255, 256, 320, 383, 384, 399, 430]


def golden(tool, name, scratch):
    folder = os.path.join(scratch, name)
    subprocess.run([tool, name, folder], check=True)
    model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    config = model.config
    longest = min(config.max_position_embeddings, POSITIONS[-1] + 1)
    positions = [p for p in POSITIONS if p < longest]
    ids = [(i * i * 7919 + i * 104729 + 17) % config.vocab_size for i in range(positions[-1] + 1)]
    with torch.no_grad():
        logits = model(torch.tensor([ids])).logits[0].to(torch.float64).numpy()
    stride = 1 + (config.vocab_size - 1) // 1024
    rows = np.ascontiguousarray(logits[positions][:, ::stride].astype(np.float32))
    np.save(os.path.join(HERE, name + ".npy"), rows)
    record = dict(model=name, ids=ids, positions=positions, stride=stride,
                  made_by=dict(python=sys.version.split()[0], torch=torch.__version__,
                               transformers=transformers.__version__, numpy=np.__version__))
    with open(os.path.join(HERE, name + ".json"), "w") as file:
        file.write(json.dumps(record) + "\n")
    print(name, rows.shape, "rms", float(np.sqrt((rows.astype(np.float64) ** 2).mean())))


def main():
    if len(sys.argv) < 2:
        sys.exit(__doc__)
    torch.set_num_threads(1)
    with tempfile.TemporaryDirectory() as scratch:
        for name in sys.argv[2:] or NAMES:
            golden(sys.argv[1], name, scratch)


if __name__ == "__main__":
    main()
