#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes corpus/gguf: a model of one layer by gguf's own code (0.19), whole and with one thing wrong.

A name says what is wrong; `good`, `bytes` (a byte-level vocabulary) and `q8_0` are to be read.
"""
import os
import struct

import gguf
import numpy

os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "gguf"))
HIDDEN, FFN, HEADS, KV, VOCABULARY = 32, 32, 4, 2, 12
SHAPES = {"token_embd.weight": (VOCABULARY, HIDDEN), "blk.0.attn_norm.weight": (HIDDEN,),
          "blk.0.attn_q.weight": (32, HIDDEN), "blk.0.attn_k.weight": (16, HIDDEN), "blk.0.attn_v.weight": (16, HIDDEN),
          "blk.0.attn_output.weight": (HIDDEN, 32), "blk.0.ffn_norm.weight": (HIDDEN,),
          "blk.0.ffn_gate.weight": (FFN, HIDDEN), "blk.0.ffn_up.weight": (FFN, HIDDEN),
          "blk.0.ffn_down.weight": (HIDDEN, FFN), "output_norm.weight": (HIDDEN,)}


def byte_texts():
    """GPT-2's bytes_to_unicode: printable bytes are themselves, the others follow from 256 on."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    extra = iter(range(256, 512))
    return [chr(b if b in printable else next(extra)) for b in range(256)]


def write(name, architecture="llama", kind=gguf.GGMLQuantizationType.Q8_0, keys=(), drop=(), extra=(), words=False,
          vocabulary=VOCABULARY, reshape=None, alignment=None):
    writer = gguf.GGUFWriter(name, architecture)
    if alignment:
        writer.add_custom_alignment(alignment)
    numbers = {"context_length": 64, "embedding_length": HIDDEN, "block_count": 1, "feed_forward_length": FFN,
               "attention.head_count": HEADS, "attention.head_count_kv": KV, "rope.dimension_count": 8}
    for key, value in numbers.items():
        if key not in drop:
            writer.add_uint32("llama." + key, value)
    writer.add_float32("llama.attention.layer_norm_rms_epsilon", 1e-5)
    writer.add_float32("llama.rope.freq_base", 10000.0)
    for key, value in keys:
        add = {str: writer.add_string, float: writer.add_float32, bool: writer.add_bool, list: writer.add_array}
        add.get(type(value), writer.add_uint32)(key, value)
    if words:
        tokens = byte_texts() + ["ab", "\u0120a", "\u0120ab", "<|begin_of_text|>", "<|eot_id|>"]
        writer.add_tokenizer_model("gpt2")
        writer.add_tokenizer_pre("llama-bpe")
        writer.add_token_list(tokens)
        writer.add_token_types([1] * (len(tokens) - 2) + [3, 3])
        writer.add_token_merges(["a b", "\u0120 a", "\u0120a b"])
        writer.add_bos_token_id(len(tokens) - 2)
        writer.add_eot_token_id(len(tokens) - 1)
    else:
        writer.add_tokenizer_model("llama")
        writer.add_token_list(["<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab"])
        writer.add_token_scores([0.0, 0.0, 0.0, -3.0, -4.0, -5.0, -1.0, -2.0])
        writer.add_token_types([2, 3, 3, 1, 1, 1, 1, 1])
        writer.add_bos_token_id(1)
        writer.add_eos_token_id(2)
    shapes = {**SHAPES, "token_embd.weight": (vocabulary, HIDDEN), **(reshape or {}), **dict(extra)}
    for i, (tensor, shape) in enumerate(shapes.items()):
        if tensor in drop:
            continue
        values = (numpy.arange(numpy.prod(shape), dtype=numpy.float32) % (13 + i) / 8 - 0.5).reshape(shape)
        if len(shape) == 1:
            writer.add_tensor(tensor, values)
        else:
            writer.add_tensor(tensor, gguf.quants.quantize(values, kind), raw_dtype=kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()


write("good")
write("bytes", words=True, vocabulary=264)
write("q4_0", kind=gguf.GGMLQuantizationType.Q4_0)
write("gemma", architecture="gemma")
write("experts", keys=[("llama.expert_count", 8)])
write("unknown-key", keys=[("llama.attention.scale", 0.5)])
write("partial-rope", drop=["rope.dimension_count"], keys=[("llama.rope.dimension_count", 4)])
write("linear", keys=[("llama.rope.scaling.type", "linear"), ("llama.rope.scaling.factor", 4.0)])
write("yarn", keys=[("llama.rope.scaling.type", "yarn"), ("llama.rope.scaling.factor", 4.0),
                    ("llama.rope.scaling.original_context_length", 16), ("llama.rope.scaling.yarn_beta_fast", 24.0)])
write("longrope", keys=[("llama.rope.scaling.type", "longrope"), ("llama.rope.scaling.factor", 4.0)])
write("kv-by-layer", drop=["attention.head_count_kv"], keys=[("llama.attention.head_count_kv", [2])])
write("split", keys=[("split.count", 3)])
write("missing-tensor", drop=["blk.0.ffn_up.weight"])
write("unknown-tensor", extra=[("blk.0.attn_sinks.weight", (4,))])
write("bad-shape", reshape={"blk.0.attn_k.weight": (32, HIDDEN)})
write("no-context", drop=["context_length"])
write("vocab-size", keys=[("llama.vocab_size", 13)])
write("tokens", vocabulary=6)
write("rope-factors", extra=[("rope_freqs.weight", (4,))])
write("aligned", alignment=64)
good = open("good", "rb").read()


def put(name, data):
    open(name, "wb").write(data)


put("cut", good[:-40])
put("version-1", good[:4] + struct.pack("<I", 1) + good[8:])
put("big-endian", good[:4] + struct.pack(">I", 3) + good[8:])
put("many-tensors", good[:8] + struct.pack("<Q", 1 << 60) + good[16:])
put("many-keys", good[:16] + struct.pack("<Q", 1 << 60) + good[24:])
put("long-key", good[:24] + struct.pack("<Q", 1 << 62) + good[32:])
tokens = good.index(b"tokenizer.ggml.tokens") + 21
put("many-texts", good[:tokens + 8] + struct.pack("<Q", 1 << 61) + good[tokens + 16:])
put("list-of-lists", good[:tokens + 4] + struct.pack("<I", 9) + good[tokens + 8:])
name = good.index(b"blk.0.attn_k.weight") + 19
put("overlap", good[:name + 24] + struct.pack("<Q", 0) + good[name + 32:])
put("far-tensor", good[:name + 24] + struct.pack("<Q", (1 << 64) - 32) + good[name + 32:])
put("large-size", good[:name + 4] + struct.pack("<QQ", 1 << 62, 1 << 62) + good[name + 20:])
