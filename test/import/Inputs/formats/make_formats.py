#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes one small model in every format, with the packages that users have.

    python3 make_formats.py        # writes beside itself; MADE_WITH says the versions

The model is random: N(0, 1.2/sqrt(fan_in)), stored as bfloat16, two layers, four query heads, two KV heads, a tied head.
  hf/         config.json, model.safetensors (by safetensors)
  bin/        pytorch_model.bin (by torch.save)
  legacy.bin  the same by torch.save in its form from before 1.6
  meta/       params.json, consolidated.00.pth and .01.pth: two shards as Meta's llama/model.py cuts them
  bf16.gguf   by gguf.GGUFWriter; q and k permuted as llama.cpp's convert_hf_to_gguf.py does
  q8_0.gguf   the same, matrices by gguf.quants.quantize
  q8_0.safetensors   what gguf.quants.dequantize makes of those, as float16
"""
import json
import os

import gguf
import numpy
import safetensors
import safetensors.torch
import torch

HIDDEN, FFN, LAYERS, HEADS, KV, HEAD, VOCABULARY = 32, 64, 2, 4, 2, 8, 40
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_size": HIDDEN, "intermediate_size": FFN,
    "num_hidden_layers": LAYERS, "num_attention_heads": HEADS, "num_key_value_heads": KV, "vocab_size": VOCABULARY,
    "max_position_embeddings": 128, "rms_norm_eps": 1e-5, "rope_theta": 500000.0, "hidden_act": "silu",
    "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                     "original_max_position_embeddings": 8192},
    "tie_word_embeddings": True, "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "bfloat16",
}
# multiple_of and ffn_dim_multiplier give FFN: int(0.7 * (2 * 4 * 32 // 3)) = 59, up to a multiple of 32.
PARAMS = {"dim": HIDDEN, "n_layers": LAYERS, "n_heads": HEADS, "n_kv_heads": KV, "vocab_size": -1, "multiple_of": 32,
          "ffn_dim_multiplier": 0.7, "norm_eps": 1e-5, "rope_theta": 500000.0, "use_scaled_rope": True}


def make_model():
    torch.manual_seed(5)
    model = {}

    def matrix(name, rows, columns):
        model[name] = (torch.randn(rows, columns) * 1.2 / columns ** 0.5).to(torch.bfloat16)

    def gamma(name):
        model[name] = (1 + 0.2 * torch.randn(HIDDEN)).to(torch.bfloat16)

    matrix("model.embed_tokens.weight", VOCABULARY, HIDDEN)
    for i in range(LAYERS):
        layer = f"model.layers.{i}."
        gamma(layer + "input_layernorm.weight")
        matrix(layer + "self_attn.q_proj.weight", HEADS * HEAD, HIDDEN)
        matrix(layer + "self_attn.k_proj.weight", KV * HEAD, HIDDEN)
        matrix(layer + "self_attn.v_proj.weight", KV * HEAD, HIDDEN)
        matrix(layer + "self_attn.o_proj.weight", HIDDEN, HEADS * HEAD)
        gamma(layer + "post_attention_layernorm.weight")
        matrix(layer + "mlp.gate_proj.weight", FFN, HIDDEN)
        matrix(layer + "mlp.up_proj.weight", FFN, HIDDEN)
        matrix(layer + "mlp.down_proj.weight", HIDDEN, FFN)
    gamma("model.norm.weight")
    return model


def interleave(weight, heads):
    """Hugging Face's half-split rows to neighbouring pairs, the inverse of the permute() of
    transformers' convert_llama_weights_to_hf.py; llama.cpp's LlamaModel.permute is the same."""
    return weight.reshape(heads, 2, weight.shape[0] // heads // 2, *weight.shape[1:]).swapaxes(1, 2).reshape(weight.shape)


META = {"model.embed_tokens.weight": ("tok_embeddings.weight", 0), "model.norm.weight": ("norm.weight", None),
        "lm_head.weight": ("output.weight", 0)}
META_LAYER = {"input_layernorm": ("attention_norm", None), "self_attn.q_proj": ("attention.wq", 0),
              "self_attn.k_proj": ("attention.wk", 0), "self_attn.v_proj": ("attention.wv", 0),
              "self_attn.o_proj": ("attention.wo", 1), "post_attention_layernorm": ("ffn_norm", None),
              "mlp.gate_proj": ("feed_forward.w1", 0), "mlp.up_proj": ("feed_forward.w3", 0),
              "mlp.down_proj": ("feed_forward.w2", 1)}


def write_meta(model, shards):
    os.makedirs("meta", exist_ok=True)
    with open("meta/params.json", "w") as file:
        json.dump(PARAMS, file)
    parts = [{} for _ in range(shards)]
    for name, tensor in {**model, "lm_head.weight": model["model.embed_tokens.weight"]}.items():
        if name in META:
            meta, axis = META[name]
        else:
            _, _, layer, rest = name.split(".", 3)
            meta, axis = META_LAYER[rest.removesuffix(".weight")]
            meta = f"layers.{layer}.{meta}.weight"
        if "q_proj" in name:
            tensor = interleave(tensor, HEADS)
        if "k_proj" in name:
            tensor = interleave(tensor, KV)
        for part, piece in zip(parts, [tensor] * shards if axis is None else tensor.chunk(shards, axis)):
            part[meta] = piece.clone()
    for part in parts:
        part["rope.freqs"] = (PARAMS["rope_theta"] ** -(torch.arange(0, HEAD, 2) / HEAD)).to(torch.bfloat16)
    for i, part in enumerate(parts):
        torch.save(part, f"meta/consolidated.{i:02d}.pth")


def llama3_factors():
    """As llama.cpp's LlamaModel.generate_extra_tensors."""
    scaling = CONFIG["rope_scaling"]
    factor, low, high = scaling["factor"], scaling["low_freq_factor"], scaling["high_freq_factor"]
    old = scaling["original_max_position_embeddings"]
    factors = []
    for frequency in 1 / CONFIG["rope_theta"] ** (numpy.arange(0, HEAD, 2, dtype=numpy.float32) / HEAD):
        wavelength = 2 * numpy.pi / frequency
        if wavelength < old / high:
            factors.append(1)
        elif wavelength > old / low:
            factors.append(factor)
        else:
            smooth = (old / wavelength - low) / (high - low)
            factors.append(1 / ((1 - smooth) / factor + smooth))
    return numpy.array(factors, dtype=numpy.float32)


def write_gguf(model, path, quantize):
    writer = gguf.GGUFWriter(path, "llama")
    writer.add_name("Small")
    writer.add_vocab_size(VOCABULARY)
    writer.add_context_length(CONFIG["max_position_embeddings"])
    writer.add_embedding_length(HIDDEN)
    writer.add_block_count(LAYERS)
    writer.add_feed_forward_length(FFN)
    writer.add_head_count(HEADS)
    writer.add_head_count_kv(KV)
    writer.add_rope_freq_base(CONFIG["rope_theta"])
    writer.add_rope_dimension_count(HEAD)
    writer.add_layer_norm_rms_eps(CONFIG["rms_norm_eps"])
    writer.add_file_type(gguf.LlamaFileType.MOSTLY_Q8_0 if quantize else gguf.LlamaFileType.MOSTLY_BF16)
    # Two kinds of vocabulary: bytes, then words.
    if quantize:
        tokens = ["<unk>", "<s>", "</s>", "\u2581", "a", "b", "\u2581a", "ab", "\u2581ab"]
        writer.add_tokenizer_model("llama")
        writer.add_tokenizer_pre("default")
        writer.add_token_list(tokens)
        writer.add_token_scores([0.0, 0.0, 0.0, -3.0, -4.0, -5.0, -1.0, -2.0, -0.5])
        writer.add_token_types([gguf.TokenType.UNKNOWN, gguf.TokenType.CONTROL, gguf.TokenType.CONTROL]
                               + [gguf.TokenType.NORMAL] * (len(tokens) - 3))
        writer.add_add_bos_token(True)
    writer.add_bos_token_id(1)
    writer.add_eos_token_id(2)
    names = gguf.get_tensor_name_map(gguf.MODEL_ARCH.LLAMA, LAYERS)
    writer.add_tensor("rope_freqs.weight", llama3_factors())
    decoded = {}
    for name, tensor in model.items():
        short = names.get_name(name, try_suffixes=(".weight",))
        if "q_proj" in name:
            tensor = interleave(tensor, HEADS)
        if "k_proj" in name:
            tensor = interleave(tensor, KV)
        values = tensor.float().numpy()
        if values.ndim == 1:
            writer.add_tensor(short, values)
            decoded[name] = values
            continue
        kind = gguf.GGMLQuantizationType.Q8_0 if quantize else gguf.GGMLQuantizationType.BF16
        stored = gguf.quants.quantize(values, kind)
        writer.add_tensor(short, stored, raw_dtype=kind)
        decoded[name] = gguf.quants.dequantize(stored, kind)
    writer.write_header_to_file()
    writer.write_kv_data_to_file()
    writer.write_tensors_to_file()
    writer.close()
    return decoded


def main():
    os.chdir(os.path.dirname(os.path.abspath(__file__)))
    model = make_model()
    for folder in ("hf", "bin"):
        os.makedirs(folder, exist_ok=True)
        with open(f"{folder}/config.json", "w") as file:
            json.dump(CONFIG, file, indent=1)
    safetensors.torch.save_file(model, "hf/model.safetensors", {"format": "pt"})
    # A module, so that the pickle has what a module's has: parameters and _metadata, and one storage for both ends.
    root = torch.nn.Module()
    for name, tensor in {**model, "lm_head.weight": None}.items():
        *path, leaf = name.split(".")
        at = root
        for part in path:
            if not hasattr(at, part):
                at.add_module(part, torch.nn.Module())
            at = getattr(at, part)
        tensor = root.model.embed_tokens.weight if tensor is None else torch.nn.Parameter(tensor)
        at.register_parameter(leaf, tensor)
    torch.save(root.state_dict(), "bin/pytorch_model.bin")
    torch.save(dict(root.named_parameters(remove_duplicate=False)), "legacy.bin", _use_new_zipfile_serialization=False)
    write_meta(model, shards=2)
    write_gguf(model, "bf16.gguf", quantize=False)
    decoded = write_gguf(model, "q8_0.gguf", quantize=True)
    half = {}
    for name, values in decoded.items():
        heads = HEADS if "q_proj" in name else KV if "k_proj" in name else 0
        values = torch.from_numpy(values)
        if heads:  # back to Hugging Face's order: permute() of convert_llama_weights_to_hf.py
            rows, columns = values.shape
            values = values.view(heads, rows // heads // 2, 2, columns).transpose(1, 2).reshape(rows, columns)
        half[name] = values.to(torch.float16).contiguous() if values.ndim == 2 else values.contiguous()
    safetensors.torch.save_file(half, "q8_0.safetensors", {"format": "pt"})
    with open("MADE_WITH", "w") as file:
        version = getattr(gguf, "__version__", None) or __import__("importlib.metadata").metadata.version("gguf")
        file.write(f"torch {torch.__version__}\nsafetensors {safetensors.__version__}\ngguf {version}\n"
                   f"numpy {numpy.__version__}\n")


main()
