#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Trains the example model on the stories of make_stories.py and writes a Hugging Face folder.

    train.py --out model [--steps 2400] [--seed 7] [--threads 1]

Needs torch, transformers, sentencepiece and safetensors; versions are in README.md.
"""
import argparse
import io
import json
import math
import os
import time

import numpy as np
import sentencepiece
import torch
from safetensors.torch import save_file
from transformers import LlamaConfig, LlamaForCausalLM

from make_stories import stories

TRAIN_SEED, TRAIN_COUNT = 1, 24000
HELD_OUT_SEED, HELD_OUT_COUNT = 2, 200

CONFIG = dict(
    vocab_size=2048, hidden_size=256, intermediate_size=704, num_hidden_layers=4,
    num_attention_heads=4, num_key_value_heads=2, head_dim=64, max_position_embeddings=512,
    rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=True, hidden_act="silu",
    attention_bias=False, mlp_bias=False, bos_token_id=1, eos_token_id=2)


def train_tokenizer(texts, path):
    """A sentencepiece BPE model with Llama 2's settings: byte fallback, split digits, BOS 1, EOS 2."""
    model = io.BytesIO()
    sentencepiece.SentencePieceTrainer.train(
        sentence_iterator=iter(line for text in texts for line in text.split("\n")), model_writer=model,
        vocab_size=CONFIG["vocab_size"], model_type="bpe", byte_fallback=True, split_digits=True,
        normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=True,
        allow_whitespace_only_pieces=True, character_coverage=0.99995, unk_id=0, bos_id=1, eos_id=2, pad_id=-1,
        num_threads=1, minloglevel=1)
    with open(path, "wb") as file:
        file.write(model.getvalue())
    return sentencepiece.SentencePieceProcessor(model_proto=model.getvalue())


def windows(encoded, length, rng):
    """Windows that begin with a story; the following stories fill the rest."""
    order = rng.permutation(len(encoded))
    stream, begins = [], []
    for index in order:
        begins.append(len(stream))
        stream.extend(encoded[index])
    stream = np.array(stream, dtype=np.int64)
    result, at = [], 0
    for begin in begins:
        if begin >= at and begin + length + 1 <= len(stream):
            result.append(stream[begin:begin + length + 1])
            at = begin + length // 2
    return [result[i] for i in rng.permutation(len(result))]


def held_out_loss(model, encoded):
    """Mean negative log-likelihood in nats of every token after BOS, end-of-text included."""
    total, count = 0.0, 0
    with torch.no_grad():
        for ids in encoded:
            ids = torch.tensor([ids])
            logits = model(ids).logits[0, :-1].float()
            total += torch.nn.functional.cross_entropy(logits, ids[0, 1:], reduction="sum").item()
            count += ids.shape[1] - 1
    return total / count, count


def write_folder(model, out):
    state = {}
    for name, tensor in model.state_dict().items():
        if name == "lm_head.weight" and CONFIG["tie_word_embeddings"]:
            continue
        state[name] = tensor.to(torch.bfloat16).contiguous()
    save_file(state, os.path.join(out, "model.safetensors"), metadata={"format": "pt"})
    config = dict(architectures=["LlamaForCausalLM"], model_type="llama", torch_dtype="bfloat16",
                  rope_scaling=None, use_cache=True, initializer_range=0.02, attention_dropout=0.0, **CONFIG)
    for name, value in (("config.json", config),
                        ("generation_config.json", dict(bos_token_id=1, eos_token_id=2, do_sample=True, temperature=0.8))):
        with open(os.path.join(out, name), "w") as file:
            file.write(json.dumps(value, indent=2, sort_keys=True) + "\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", default="model")
    parser.add_argument("--steps", type=int, default=2400)
    parser.add_argument("--seed", type=int, default=7)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--length", type=int, default=384)
    parser.add_argument("--rate", type=float, default=3e-3)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    torch.manual_seed(args.seed)
    os.makedirs(args.out, exist_ok=True)

    texts = stories(TRAIN_SEED, TRAIN_COUNT)
    held_out = [s for s in stories(HELD_OUT_SEED, HELD_OUT_COUNT) if s not in set(texts)]
    tokenizer = train_tokenizer(texts, os.path.join(args.out, "tokenizer.model"))
    encode = lambda text: [1] + tokenizer.encode(text) + [2]
    encoded = [encode(text) for text in texts]
    lengths = [len(e) for e in encoded]
    print(f"pieces {tokenizer.vocab_size()}  stories {len(texts)}  tokens {sum(lengths)}  longest {max(lengths)}", flush=True)

    with torch.device("cpu"):
        model = LlamaForCausalLM(LlamaConfig(**CONFIG))
    print(f"parameters {sum(p.numel() for p in model.parameters())}", flush=True)
    decay = [p for p in model.parameters() if p.dim() > 1]
    other = [p for p in model.parameters() if p.dim() == 1]
    optimizer = torch.optim.AdamW([dict(params=decay, weight_decay=0.1), dict(params=other, weight_decay=0.0)],
                                  lr=args.rate, betas=(0.9, 0.95))
    rng = np.random.default_rng(args.seed)
    pool, start = [], time.time()
    for step in range(args.steps):
        if len(pool) < args.batch:
            pool += windows(encoded, args.length, rng)
        batch = torch.from_numpy(np.stack([pool.pop() for _ in range(args.batch)]))
        rate = args.rate * min(1.0, (step + 1) / 100) * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * step / args.steps)))
        for group in optimizer.param_groups:
            group["lr"] = rate
        with torch.autocast("cpu", dtype=torch.bfloat16):
            logits = model(batch[:, :-1], use_cache=False).logits
        loss = torch.nn.functional.cross_entropy(logits.float().flatten(0, 1), batch[:, 1:].flatten())
        optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        if step % 50 == 0 or step + 1 == args.steps:
            print(f"step {step}  loss {loss.item():.4f}  {time.time() - start:.0f} s", flush=True)
        if step % 400 == 399 or step + 1 == args.steps:
            write_folder(model, args.out)

    folder = LlamaForCausalLM.from_pretrained(args.out, dtype=torch.float32)
    loss, count = held_out_loss(folder, [encode(s) for s in held_out])
    print(f"held-out loss {loss:.4f} nats a token over {count} tokens of {len(held_out)} stories", flush=True)


if __name__ == "__main__":
    main()
