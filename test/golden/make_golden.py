#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes the golden logits of the small random models with Hugging Face transformers.

    make_golden.py PATH/TO/make-test-model [NAME...]

Writes NAME.json (ids fed, positions kept, column stride, greedy tokens, versions)
and NAME.npy (float32 logits [positions, ceil(vocab / stride)]) beside itself.
transformers runs in float64 with eager attention; its norms, rope table and
softmax are float32 inside, so the files are good to about 1e-6.

All ids are one prompt, but for PROMPTS: there the first so many are, and the rest
follow one by one with the cache, as generate() feeds them. It matters to dynamic
rope scaling alone, whose angles are those of the length so far. The greedy tokens
are generate()'s, after the first GREEDY_PROMPT ids.

ALiBi, which transformers' Llama does not have, is added from outside: the angles
of the rotation are set to 0, and the attention mask gets the biases of
transformers' BLOOM (build_alibi_tensor: slope * key position), less each row's
own, which no softmax sees and float32 needs.

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
from transformers.models.bloom.modeling_bloom import build_alibi_tensor

HERE = os.path.dirname(os.path.abspath(__file__))
NAMES = ("mha-separate", "gqa-tied", "mqa-dim48", "dim8", "dim128",
         "hidden172", "vocab32003", "small-residual", "one-head",
         "llama3-gqa", "llama3-mha", "linear-mha", "linear-gqa",
         "bias-mha", "bias-gqa", "mlp-bias-mqa",
         "dynamic-mha", "dynamic-gqa", "yarn-mha", "yarn-gqa",
         "alibi-mha", "alibi-gqa12", "window-gqa", "window-mha")
# Every position near the start, the edges of KV pages, and some in the seventh page.
POSITIONS = [0, 1, 2, 3, 5, 8, 13, 21, 34, 55, 63, 64, 65, 90, 127, 128, 129, 199, 200, 255, 256, 320, 383, 384, 399, 430]
# Tokens that are fed, where they are more than max_position_embeddings.
LONGEST = {"dynamic-mha": 224, "dynamic-gqa": 200, "yarn-mha": 208, "yarn-gqa": 200}
PROMPTS = {"dynamic-mha": 140, "dynamic-gqa": 40}
GREEDY_PROMPT, GREEDY_TOKENS = 70, 30


class Llama:
    """Logits and greedy choices of a folder's model."""

    def __init__(self, folder):
        self.model = transformers.AutoModelForCausalLM.from_pretrained(
            folder, dtype=torch.float64, attn_implementation="eager")
        self.config = self.model.config

    def logits(self, ids, prompt):
        cache = transformers.DynamicCache(config=self.config)
        rows = [self.model(torch.tensor([ids[:prompt]]), cache=cache, use_cache=True).logits[0]]
        for i in range(prompt, len(ids)):
            rows.append(self.model(torch.tensor([[ids[i]]]), cache=cache, use_cache=True).logits[0])
        return torch.cat(rows)

    def greedy(self, ids, count):
        settings = transformers.GenerationConfig(max_new_tokens=count, do_sample=False, pad_token_id=0)
        self.model.generation_config.eos_token_id = None
        out = self.model.generate(torch.tensor([ids]), attention_mask=torch.ones(1, len(ids), dtype=torch.int64),
                                  generation_config=settings)
        return out[0, len(ids):].tolist()


class AlibiLlama(Llama):
    def __init__(self, folder):
        super().__init__(folder)
        self.model.model.rotary_emb.inv_freq.zero_()

    def logits(self, ids, prompt):
        count, heads = len(ids), self.config.num_attention_heads
        bias = build_alibi_tensor(torch.ones(1, count), heads, torch.float64).reshape(heads, 1, count)
        mask = bias - bias.transpose(1, 2)
        future = torch.ones(count, count, dtype=torch.bool).triu(1)
        mask = mask.masked_fill(future, torch.finfo(torch.float64).min)
        return self.model(torch.tensor([ids]), attention_mask=mask[None], use_cache=False).logits[0]

    def greedy(self, ids, count):
        ids = list(ids)
        for _ in range(count):
            ids.append(int(self.logits(ids, len(ids))[-1].argmax()))
        return ids[-count:]


def golden(tool, name, scratch):
    folder = os.path.join(scratch, name)
    subprocess.run([tool, name, folder], check=True)
    with open(os.path.join(folder, "config.json")) as file:
        is_alibi = json.load(file).get("position_embedding_type") == "alibi"
    # A model each: transformers' dynamic rope keeps the longest length it saw,
    # of whatever sequence.
    make = AlibiLlama if is_alibi else Llama
    model, other = make(folder), make(folder)
    config = model.config
    longest = min(LONGEST.get(name, config.max_position_embeddings), POSITIONS[-1] + 1)
    positions = [p for p in POSITIONS if p < longest]
    ids = [(i * i * 7919 + i * 104729 + 17) % config.vocab_size for i in range(positions[-1] + 1)]
    prompt = PROMPTS.get(name, len(ids))
    with torch.no_grad():
        logits = model.logits(ids, prompt).to(torch.float64).numpy()
        greedy = other.greedy(ids[:GREEDY_PROMPT], GREEDY_TOKENS)
    stride = 1 + (config.vocab_size - 1) // 1024
    rows = np.ascontiguousarray(logits[positions][:, ::stride].astype(np.float32))
    np.save(os.path.join(HERE, name + ".npy"), rows)
    record = dict(model=name, ids=ids, prompt=prompt, positions=positions, stride=stride,
                  greedy_prompt=GREEDY_PROMPT, greedy=greedy,
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
