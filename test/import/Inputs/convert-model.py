#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes a Hugging Face folder (config.json, model.safetensors) in another format, by the standard library alone.

    convert-model.py FOLDER OUT --to bin|legacy|meta|gguf [--shards N] [--keep-pairs] [--type F32|F16|BF16]

--keep-pairs leaves the rows of q and k in Hugging Face's order, as a converter with a fault would. --type is of gguf's
matrices: F32, or the model's own (the default); vectors are F32.
"""
import argparse
import io
import json
import math
import os
import pickle
import struct
import sys
import types
import zipfile

META = {"input_layernorm": ("attention_norm", None), "self_attn.q_proj": ("attention.wq", 0),
        "self_attn.k_proj": ("attention.wk", 0), "self_attn.v_proj": ("attention.wv", 0),
        "self_attn.o_proj": ("attention.wo", 1), "post_attention_layernorm": ("ffn_norm", None),
        "mlp.gate_proj": ("feed_forward.w1", 0), "mlp.up_proj": ("feed_forward.w3", 0),
        "mlp.down_proj": ("feed_forward.w2", 1)}
GGUF = {"input_layernorm": "attn_norm", "self_attn.q_proj": "attn_q", "self_attn.k_proj": "attn_k",
        "self_attn.v_proj": "attn_v", "self_attn.o_proj": "attn_output", "post_attention_layernorm": "ffn_norm",
        "mlp.gate_proj": "ffn_gate", "mlp.up_proj": "ffn_up", "mlp.down_proj": "ffn_down"}
GGUF_TYPES = {"F32": 0, "F16": 1, "BF16": 30}


class Tensor:
    """dtype, shape, and rows: the bytes of each."""

    def __init__(self, dtype, shape, rows):
        self.dtype, self.shape, self.rows = dtype, shape, rows

    def data(self):
        return b"".join(self.rows)


def read(folder):
    with open(os.path.join(folder, "config.json")) as file:
        config = json.load(file)
    with open(os.path.join(folder, "model.safetensors"), "rb") as file:
        raw = file.read()
    size = struct.unpack_from("<Q", raw)[0]
    tensors = {}
    for name, entry in json.loads(raw[8:8 + size]).items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + offset for offset in entry["data_offsets"])
        row = (end - begin) // math.prod(entry["shape"][:-1])
        tensors[name] = Tensor(entry["dtype"], entry["shape"], [raw[at:at + row] for at in range(begin, end, row)])
    return config, tensors


def pair(tensor, heads):
    """Rows (j, j + half) of each head become neighbours."""
    size = len(tensor.rows) // heads
    return Tensor(tensor.dtype, tensor.shape, [tensor.rows[h * size + half * (size // 2) + j]
                                               for h in range(heads) for j in range(size // 2) for half in (0, 1)])


def with_pairs(config, tensors, keep):
    kv = config.get("num_key_value_heads") or config["num_attention_heads"]
    heads = {"q_proj": config["num_attention_heads"], "k_proj": kv}
    for name, tensor in tensors.items():
        count = heads.get(name.split(".")[-2], 0)
        if count and name.endswith(".bias"):  # in the order of the rows
            data, size = tensor.data(), len(tensor.data()) // tensor.shape[0]
            tensor = Tensor(tensor.dtype, tensor.shape, [data[i:i + size] for i in range(0, len(data), size)])
        yield name, pair(tensor, count) if count and not keep else tensor


def cut(tensor, axis, shards, index):
    if axis is None:
        return tensor
    shape = list(tensor.shape)
    shape[axis] //= shards
    if axis == 0:
        return Tensor(tensor.dtype, shape, tensor.rows[index * shape[0]:(index + 1) * shape[0]])
    size = len(tensor.rows[0]) // shards
    return Tensor(tensor.dtype, shape, [row[index * size:(index + 1) * size] for row in tensor.rows])


# What pickle writes as a name has to be there by that name.
def stand_in(module, name):
    def made(*arguments):
        raise TypeError
    made.__module__, made.__qualname__, made.__name__ = module, name, name
    sys.modules.setdefault(module, types.ModuleType(module))
    setattr(sys.modules[module], name, made)
    return made


STORAGES = {dtype: stand_in("torch", name) for dtype, name in
            [("BF16", "BFloat16Storage"), ("F16", "HalfStorage"), ("F32", "FloatStorage")]}
REBUILD = stand_in("torch._utils", "_rebuild_tensor_v2")


class Reference:
    """One tensor as the pickle holds it: by the key of its storage."""

    def __init__(self, key, tensor):
        self.key, self.tensor = key, tensor

    def __reduce__(self):
        shape = tuple(self.tensor.shape)
        strides = tuple(math.prod(shape[i + 1:]) for i in range(len(shape)))
        return REBUILD, (Storage(self), 0, shape, strides, False, {})


class Storage:
    def __init__(self, reference):
        self.reference = reference


class Pickler(pickle.Pickler):
    legacy = False

    def persistent_id(self, value):
        if not isinstance(value, Storage):
            return None
        tensor = value.reference.tensor
        numbers = ("storage", STORAGES[tensor.dtype], value.reference.key, "cpu", math.prod(tensor.shape))
        return numbers + (None,) if self.legacy else numbers


def dump(value, legacy=False):
    file = io.BytesIO()
    pickler = Pickler(file, 2)
    pickler.legacy = legacy
    pickler.dump(value)
    return file.getvalue()


def write_torch(path, tensors):
    references = {name: Reference(str(i), tensor) for i, (name, tensor) in enumerate(tensors.items())}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("archive/data.pkl", dump(references))
        file.writestr("archive/byteorder", "little")
        for reference in references.values():
            file.writestr(f"archive/data/{reference.key}", reference.tensor.data())
        file.writestr("archive/version", "3\n")


def write_legacy(path, tensors):
    references = {name: Reference(str(1000 + i), tensor) for i, (name, tensor) in enumerate(tensors.items())}
    with open(path, "wb") as file:
        file.write(b"\x80\x02\x8a\x0al\xfc\x9cF\xf9 j\xa8P\x19.")
        file.write(dump(1001) + dump({"protocol_version": 1001, "little_endian": True}))
        file.write(dump(references, legacy=True) + dump([reference.key for reference in references.values()]))
        for reference in references.values():
            file.write(struct.pack("<Q", math.prod(reference.tensor.shape)) + reference.tensor.data())


def write_bin(config, tensors, out, shards):
    with open(os.path.join(out, "config.json"), "w") as file:
        json.dump(config, file)
    if shards == 1:
        return write_torch(os.path.join(out, "pytorch_model.bin"), tensors)
    weight_map, names = {}, list(tensors)
    for i in range(shards):
        shard = f"pytorch_model-{i + 1:05d}-of-{shards:05d}.bin"
        part = names[len(names) * i // shards:len(names) * (i + 1) // shards]
        weight_map.update({name: shard for name in part})
        write_torch(os.path.join(out, shard), {name: tensors[name] for name in part})
    with open(os.path.join(out, "pytorch_model.bin.index.json"), "w") as file:
        json.dump({"metadata": {"total_size": 0}, "weight_map": weight_map}, file)


def write_meta(config, tensors, out, options):
    params = {"dim": config["hidden_size"], "n_layers": config["num_hidden_layers"],
              "n_heads": config["num_attention_heads"], "norm_eps": config["rms_norm_eps"], "vocab_size": -1,
              "multiple_of": config["intermediate_size"], "ffn_dim_multiplier": 0.01,
              "rope_theta": config.get("rope_theta", 10000.0)}
    if config.get("num_key_value_heads"):
        params["n_kv_heads"] = config["num_key_value_heads"]
    with open(os.path.join(out, "params.json"), "w") as file:
        json.dump(params, file)
    for index in range(options.shards):
        part = {}
        for name, tensor in with_pairs(config, tensors, options.keep_pairs):
            if name.startswith("model.layers."):
                _, _, layer, rest = name.split(".", 3)
                meta, axis = META[rest.removesuffix(".weight")]
                meta = f"layers.{layer}.{meta}.weight"
            else:
                meta, axis = {"model.embed_tokens.weight": ("tok_embeddings.weight", options.embedding_axis),
                              "model.norm.weight": ("norm.weight", None),
                              "lm_head.weight": ("output.weight", 0)}[name]
            part[meta] = cut(tensor, axis, options.shards, index)
        write_torch(os.path.join(out, f"consolidated.{index:02d}.pth"), part)


def widen(tensor):
    """The same values as F32."""
    data = tensor.data()
    if tensor.dtype == "BF16":
        wide = b"".join(b"\0\0" + data[i:i + 2] for i in range(0, len(data), 2))
    elif tensor.dtype == "F16":
        wide = struct.pack(f"<{len(data) // 2}f", *struct.unpack(f"<{len(data) // 2}e", data))
    else:
        wide = data
    return Tensor("F32", tensor.shape, [wide])


def write_gguf(config, tensors, path, options):
    def text(value):
        return struct.pack("<Q", len(value.encode())) + value.encode()

    heads = config["num_attention_heads"]
    head_dim = config.get("head_dim") or config["hidden_size"] // heads
    values = [("general.architecture", 8, text("llama"))]
    for key, number in {"context_length": config["max_position_embeddings"], "embedding_length": config["hidden_size"],
                        "block_count": config["num_hidden_layers"], "feed_forward_length": config["intermediate_size"],
                        "attention.head_count": heads, "attention.key_length": head_dim,
                        "attention.value_length": head_dim, "rope.dimension_count": head_dim,
                        "attention.head_count_kv": config.get("num_key_value_heads") or heads}.items():
        values.append(("llama." + key, 4, struct.pack("<I", number)))
    values.append(("llama.attention.layer_norm_rms_epsilon", 6, struct.pack("<f", config["rms_norm_eps"])))
    values.append(("llama.rope.freq_base", 6, struct.pack("<f", config.get("rope_theta", 10000.0))))
    values.append(("tokenizer.ggml.eos_token_id", 4, struct.pack("<I", config["eos_token_id"])))
    header, data = b"", b""
    for key, kind, value in values:
        header += text(key) + struct.pack("<I", kind) + value
    for name, tensor in with_pairs(config, tensors, options.keep_pairs):
        if name.startswith("model.layers."):
            _, _, layer, rest = name.split(".", 3)
            part, kind = rest.rsplit(".", 1)
            name = f"blk.{layer}.{GGUF[part]}.{kind}"
        else:
            name = {"model.embed_tokens.weight": "token_embd.weight", "model.norm.weight": "output_norm.weight",
                    "lm_head.weight": "output.weight"}[name]
        if len(tensor.shape) == 1 or options.type == "F32":
            tensor = widen(tensor)
        data += b"\0" * (-len(data) % 32)
        header += text(name) + struct.pack("<I", len(tensor.shape))
        header += struct.pack(f"<{len(tensor.shape)}Q", *reversed(tensor.shape))
        header += struct.pack("<IQ", GGUF_TYPES[tensor.dtype], len(data))
        data += tensor.data()
    start = b"GGUF" + struct.pack("<IQQ", 3, len(tensors), len(values)) + header
    with open(path, "wb") as file:
        file.write(start + b"\0" * (-len(start) % 32) + data)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("out")
    parser.add_argument("--to", required=True, choices=["bin", "legacy", "meta", "gguf"])
    parser.add_argument("--shards", type=int, default=1)
    parser.add_argument("--embedding-axis", type=int, default=1, help="of Meta's shards: 1 in Llama 1 and 2, 0 in Llama 3")
    parser.add_argument("--keep-pairs", action="store_true")
    parser.add_argument("--type", choices=["F32"])
    options = parser.parse_args()
    config, tensors = read(options.folder)
    if options.to == "gguf":
        return write_gguf(config, tensors, options.out, options)
    os.makedirs(options.out, exist_ok=True)
    if options.to == "bin":
        write_bin(config, tensors, options.out, options.shards)
    elif options.to == "legacy":
        with open(os.path.join(options.out, "config.json"), "w") as file:
            json.dump(config, file)
        write_legacy(os.path.join(options.out, "pytorch_model.bin"), tensors)
    else:
        write_meta(config, tensors, options.out, options)


main()
