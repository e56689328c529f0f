#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a tiny Hugging Face Llama folder, whole or with one thing wrong.

Standard library only. Values come from a counter, so the folder is the same
everywhere. Options are applied in the order config, tensors, file.
"""
import argparse
import json
import math
import os
import struct

CONFIG = {
    "architectures": ["LlamaForCausalLM"],
    "model_type": "llama",
    "hidden_size": 64,
    "intermediate_size": 96,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "vocab_size": 128,
    "max_position_embeddings": 128,
    "rms_norm_eps": 1e-5,
    "rope_theta": 10000.0,
    "hidden_act": "silu",
    "tie_word_embeddings": False,
    "bos_token_id": 1,
    "eos_token_id": 2,
}


def shapes(config):
    """Name -> shape, in the order of the model."""
    hidden, ffn = config["hidden_size"], config["intermediate_size"]
    head = config.get("head_dim") or hidden // config["num_attention_heads"]
    q, kv = config["num_attention_heads"] * head, config["num_key_value_heads"] * head
    yield "model.embed_tokens.weight", [config["vocab_size"], hidden]
    for i in range(config["num_hidden_layers"]):
        layer = f"model.layers.{i}."
        yield layer + "input_layernorm.weight", [hidden]
        yield layer + "self_attn.q_proj.weight", [q, hidden]
        yield layer + "self_attn.k_proj.weight", [kv, hidden]
        yield layer + "self_attn.v_proj.weight", [kv, hidden]
        yield layer + "self_attn.o_proj.weight", [hidden, q]
        yield layer + "post_attention_layernorm.weight", [hidden]
        yield layer + "mlp.gate_proj.weight", [ffn, hidden]
        yield layer + "mlp.up_proj.weight", [ffn, hidden]
        yield layer + "mlp.down_proj.weight", [hidden, ffn]
    yield "model.norm.weight", [hidden]
    if not config["tie_word_embeddings"]:
        yield "lm_head.weight", [config["vocab_size"], hidden]


def pack(values, dtype):
    if dtype == "F32":
        return struct.pack(f"<{len(values)}f", *values)
    if dtype == "F16":
        return struct.pack(f"<{len(values)}e", *values)
    bits = struct.unpack(f"<{len(values)}I", struct.pack(f"<{len(values)}f", *values))
    return struct.pack(f"<{len(values)}H", *(
        b >> 16 if b & 0x7f800000 == 0x7f800000 else b + 0x7fff + (b >> 16 & 1) >> 16 for b in bits))


def make_values(shape, seed):
    count = math.prod(shape)
    if len(shape) == 1:
        return [1 + ((i * 7 + seed) % 16 - 8) / 64 for i in range(count)]
    return [((i * 2654435761 + seed * 40503) >> 7) % 255 / 1024 - 0.125 for i in range(count)]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--set", action="append", default=[], metavar="KEY=JSON")
    parser.add_argument("--unset", action="append", default=[], metavar="KEY")
    parser.add_argument("--dtype", default="BF16")
    parser.add_argument("--drop", action="append", default=[], metavar="TENSOR")
    parser.add_argument("--extra", action="append", default=[], metavar="TENSOR")
    parser.add_argument("--reshape", action="append", default=[], metavar="TENSOR=JSON")
    parser.add_argument("--retype", action="append", default=[], metavar="TENSOR=DTYPE")
    parser.add_argument("--fill", action="append", default=[], metavar="TENSOR=VALUE")
    parser.add_argument("--inv-freq", type=float, metavar="THETA")
    parser.add_argument("--inv-freq-dtype", default="F32")
    parser.add_argument("--copy-head", action="store_true")
    parser.add_argument("--config-only", action="store_true")
    parser.add_argument("--shards", type=int, metavar="N", help="in N files with an index")
    parser.add_argument("--index", action="append", default=[], metavar="TENSOR=FILE", help="a false entry of the index")
    parser.add_argument("--unindexed", action="append", default=[], metavar="TENSOR", help="not in the index")
    parser.add_argument("--again", metavar="TENSOR", help="in the last shard too")
    parser.add_argument("--sparse", action="store_true", help="all zeros, and no disk used")
    options = parser.parse_args()

    config = dict(CONFIG)
    for text in options.set:
        key, value = text.split("=", 1)
        config[key] = json.loads(value)
    built = dict(config)
    for key in options.unset:
        config.pop(key, None)
    os.makedirs(options.folder, exist_ok=True)
    with open(os.path.join(options.folder, "config.json"), "w") as file:
        json.dump(config, file, indent=1)
    if options.config_only:
        return

    tensors = {}
    for seed, (name, shape) in enumerate(shapes(built)):
        tensors[name] = [options.dtype, shape,
                         None if options.sparse else make_values(shape, seed)]
    if options.copy_head:
        tensors["lm_head.weight"] = list(tensors["model.embed_tokens.weight"])
    if options.inv_freq:
        head = built.get("head_dim") or built["hidden_size"] // built["num_attention_heads"]
        values = [options.inv_freq ** (-2 * i / head) for i in range(head // 2)]
        for i in range(built["num_hidden_layers"]):
            tensors[f"model.layers.{i}.self_attn.rotary_emb.inv_freq"] = [
                options.inv_freq_dtype, [head // 2], values]
    for name in options.drop:
        del tensors[name]
    for name in options.extra:
        tensors[name] = [options.dtype, [4], [0.0] * 4]
    for text in options.reshape:
        name, value = text.split("=", 1)
        shape = json.loads(value)
        tensors[name] = [options.dtype, shape, make_values(shape, 0)]
    for text in options.fill:
        name, value = text.split("=", 1)
        tensors[name][2][3] = float(value)

    retyped = dict(text.split("=", 1) for text in options.retype)
    if not options.shards:
        write(os.path.join(options.folder, "model.safetensors"), tensors, retyped, options.sparse)
        return
    names, weight_map = list(tensors), {}
    for shard in range(options.shards):
        name = f"model-{shard + 1:05d}-of-{options.shards:05d}.safetensors"
        part = names[len(names) * shard // options.shards:len(names) * (shard + 1) // options.shards]
        weight_map.update({tensor: name for tensor in part})
        if options.again and shard + 1 == options.shards:
            part.append(options.again)
        write(os.path.join(options.folder, name), {tensor: tensors[tensor] for tensor in part}, retyped, options.sparse)
    for tensor in options.unindexed:
        del weight_map[tensor]
    weight_map.update(text.split("=", 1) for text in options.index)
    with open(os.path.join(options.folder, "model.safetensors.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": 0}, "weight_map": weight_map}, file)


def write(path, tensors, retyped, sparse):
    header, data, end = {"__metadata__": {"format": "pt"}}, b"", 0
    for name, (dtype, shape, values) in tensors.items():
        packed = b"" if sparse else pack(values, dtype)
        size = math.prod(shape) * (4 if dtype == "F32" else 2) if sparse else len(packed)
        header[name] = {"dtype": retyped.get(name, dtype), "shape": shape,
                        "data_offsets": [end, end + size]}
        data += packed
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + data)
        file.truncate(8 + len(text) + end)


main()
