#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes Inputs/stories.txt and Inputs/perplexity.json: the example model's perplexity of stories that it was not trained on.

    make_perplexity.py

By the strided recipe of https://huggingface.co/docs/transformers/perplexity, with transformers' own loss: windows of the
text's ids (BOS once, in front of all), labels of -100 for what an earlier window had, and the mean loss of a window
weighted by the tokens that it scored. "recipe" in the file is the page's own weight, the labelled tokens less one, which
differs where windows overlap: there the first labelled token is scored, too. float64, eager attention.

Needs torch, transformers and sentencepiece; the test needs only what it wrote.
"""
import json
import math
import os
import sys

import sentencepiece
import torch
import transformers

HERE = os.path.dirname(os.path.abspath(__file__))
STORYTELLER = os.path.join(HERE, "..", "..", "examples", "storyteller")
sys.path.insert(0, STORYTELLER)
from make_stories import stories  # noqa: E402

SEED, COUNT = 20261126, 5
CASES = [(512, 512), (512, 256), (128, 64), (96, 96)]  # window, stride


def perplexity(model, ids, window, stride):
    total = by_recipe = 0.0
    scored = labelled_less_one = windows = before = 0
    for begin in range(0, len(ids), stride):
        end = min(begin + window, len(ids))
        fresh = end - before
        inputs = torch.tensor([ids[begin:end]])
        labels = inputs.clone()
        labels[:, :-fresh] = -100
        count = min(fresh, end - begin - 1)  # labels that have something before them
        if count:
            with torch.no_grad():
                loss = model(inputs, labels=labels).loss.item()
            total += loss * count
            by_recipe += loss * (fresh - 1)
        scored += count
        labelled_less_one += fresh - 1
        windows += 1
        before = end
        if end == len(ids):
            break
    return dict(window=window, stride=stride, windows=windows, scored=scored, nll=total / scored,
                perplexity=math.exp(total / scored), recipe=math.exp(by_recipe / labelled_less_one))


def main():
    torch.set_num_threads(1)
    folder = os.path.join(STORYTELLER, "model")
    tokenizer = sentencepiece.SentencePieceProcessor(os.path.join(folder, "tokenizer.model"))
    model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float64, attn_implementation="eager")
    text = "\n\n".join(stories(SEED, COUNT)) + "\n"
    with open(os.path.join(HERE, "Inputs", "stories.txt"), "w", encoding="utf-8") as file:
        file.write(text)
    ids = [1] + tokenizer.encode(text)
    golden = dict(
        versions=dict(python=sys.version.split()[0], torch=torch.__version__, transformers=transformers.__version__,
                      sentencepiece=sentencepiece.__version__),
        tokens=len(ids), cases=[perplexity(model, ids, *case) for case in CASES])
    with open(os.path.join(HERE, "Inputs", "perplexity.json"), "w", encoding="utf-8") as file:
        json.dump(golden, file, indent=1)
        file.write("\n")
    for case in golden["cases"]:
        print(case)


if __name__ == "__main__":
    main()
