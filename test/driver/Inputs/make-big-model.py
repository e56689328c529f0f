#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""make-big-model.py FOLDER GIGABYTES: a sharded bf16 checkpoint with data in every page.

Values are finite and below 2. It is for speed and memory, not for sense.
"""
import json
import math
import os
import struct
import sys

folder, gigabytes = sys.argv[1], float(sys.argv[2])
config = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": 4096, "intermediate_size": 11008,
    "num_attention_heads": 32, "num_key_value_heads": 8, "vocab_size": 32000, "max_position_embeddings": 2048,
    "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu", "tie_word_embeddings": False,
    "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16"}
hidden, ffn, keys = 4096, 11008, 8 * 128
layer = {"input_layernorm": [hidden], "self_attn.q_proj": [hidden, hidden], "self_attn.k_proj": [keys, hidden],
         "self_attn.v_proj": [keys, hidden], "self_attn.o_proj": [hidden, hidden],
         "post_attention_layernorm": [hidden], "mlp.gate_proj": [ffn, hidden], "mlp.up_proj": [ffn, hidden],
         "mlp.down_proj": [hidden, ffn]}
layer_bytes = 2 * sum(math.prod(shape) for shape in layer.values())
ends = {"model.embed_tokens.weight": [32000, hidden], "model.norm.weight": [hidden], "lm_head.weight": [32000, hidden]}
end_bytes = 2 * sum(math.prod(shape) for shape in ends.values())
config["num_hidden_layers"] = layers = math.ceil((gigabytes * 1e9 - end_bytes) / layer_bytes)

tensors = dict(ends)
for i in range(layers):
    tensors.update({f"model.layers.{i}.{name}.weight": shape for name, shape in layer.items()})

os.makedirs(folder)
with open(os.path.join(folder, "config.json"), "w") as file:
    json.dump(config, file)
# Random bytes, the top bit of each exponent cleared.
block = bytearray(os.urandom((16 << 20) + 8192))
block[1::2] = block[1::2].translate(bytes(b & 0xBF for b in range(256)))
block = bytes(block)
names, shards, weight_map, turn = sorted(tensors), math.ceil(gigabytes / 2), {}, 0
for shard in range(shards):
    part = names[len(names) * shard // shards:len(names) * (shard + 1) // shards]
    file_name = f"model-{shard + 1:05d}-of-{shards:05d}.safetensors"
    header, end = {}, 0
    for name in part:
        size = 2 * math.prod(tensors[name])
        header[name] = {"dtype": "BF16", "shape": tensors[name], "data_offsets": [end, end + size]}
        weight_map[name] = file_name
        end += size
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(os.path.join(folder, file_name), "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text)
        while end:
            # Another part of the block each time: no two pieces are equal.
            turn += 1
            start = turn * 34 % 8192
            count = min(end, 16 << 20)
            file.write(block[start:start + count])
            end -= count
with open(os.path.join(folder, "model.safetensors.index.json"), "w") as file:
    json.dump({"metadata": {}, "weight_map": weight_map}, file)
