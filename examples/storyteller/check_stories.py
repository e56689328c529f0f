#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Checks the example model with Hugging Face transformers, and writes its golden file.

    check_stories.py > check_stories.txt

Computed in float32 from the bf16 weights: the held-out loss; 200 greedy tokens
after "Once upon a time", end-of-text not stopping (greedy.json); and 20 stories
sampled at temperature 0.8, of whose words 95% have to occur in the training
text and each of which has to end. Exit status 1 if one of them fails.

Needs torch, transformers and sentencepiece.
"""
import json
import os
import re
import sys

import sentencepiece
import torch
import transformers

from make_stories import stories
from train import HELD_OUT_COUNT, HELD_OUT_SEED, TRAIN_COUNT, TRAIN_SEED, held_out_loss

HERE = os.path.dirname(os.path.abspath(__file__))
PROMPT = "Once upon a time"
GREEDY = 200
SAMPLES, TEMPERATURE, SEED = 20, 0.8, 11


def words(text):
    return re.findall(r"[A-Za-z'-]+", text)


def main():
    torch.set_num_threads(1)
    folder = os.path.join(HERE, "model")
    tokenizer = sentencepiece.SentencePieceProcessor(os.path.join(folder, "tokenizer.model"))
    model = transformers.LlamaForCausalLM.from_pretrained(folder, dtype=torch.float32, attn_implementation="eager")
    versions = dict(python=sys.version.split()[0], torch=torch.__version__, transformers=transformers.__version__,
                    sentencepiece=sentencepiece.__version__)
    print("versions:", versions)
    failed = []

    training = stories(TRAIN_SEED, TRAIN_COUNT)
    seen = set(training)
    held_out = [text for text in stories(HELD_OUT_SEED, HELD_OUT_COUNT) if text not in seen]
    loss, count = held_out_loss(model, [[1] + tokenizer.encode(text) + [2] for text in held_out])
    print(f"held-out loss: {loss:.4f} nats a token over {count} tokens of {len(held_out)} stories")
    if loss > 1.6:
        failed.append("the held-out loss is over 1.6")

    prompt = [1] + tokenizer.encode(PROMPT)
    ids = list(prompt)
    margins = []
    with torch.no_grad():
        for _ in range(GREEDY):
            logits = model(torch.tensor([ids])).logits[0, -1].double()
            first, second = logits.topk(2).values.tolist()
            margins.append((first - second) / logits.square().mean().sqrt().item())
            ids.append(int(logits.argmax()))
    output = ids[len(prompt):]
    text = tokenizer.decode(output)
    with open(os.path.join(HERE, "greedy.json"), "w") as file:
        record = dict(prompt=PROMPT, prompt_ids=prompt, output_ids=output, text=tokenizer.decode(ids)[len(PROMPT):],
                      made_by=versions)
        file.write(json.dumps(record) + "\n")
    print(f"greedy: {GREEDY} tokens, smallest top-two margin {min(margins):.4f} of the logits' rms")
    print(PROMPT + record["text"])

    known = {word for story in training for word in words(story)}
    torch.manual_seed(SEED)
    total = unknown = 0
    for sample in range(SAMPLES):
        generated = model.generate(torch.tensor([prompt]), do_sample=True, temperature=TEMPERATURE, top_k=0, top_p=1.0,
                                   max_new_tokens=480, pad_token_id=2, eos_token_id=2)[0].tolist()
        ends = generated[-1] == 2
        story = tokenizer.decode(generated)
        strange = [word for word in words(story) if word not in known]
        total += len(words(story))
        unknown += len(strange)
        print(f"\nsample {sample}: {len(generated)} tokens, {'ends' if ends else 'DOES NOT END'}, not in the training text: "
              f"{strange or 'none'}\n{story}")
        if not ends:
            failed.append(f"sample {sample} does not end")
    share = 100.0 * (total - unknown) / total
    print(f"\n{share:.2f}% of {total} words occur in the training text")
    if share < 95:
        failed.append("fewer than 95% of the words are known")
    print("passed" if not failed else "FAILED: " + "; ".join(failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
