// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The names: of transformers' LlamaForCausalLM, of Meta's llama/model.py and of
// the GGUF specification ("Standardized tensor names").
#include "compiler/import/TensorNames.h"

namespace mlir::llama {
namespace {

const TensorNaming namings[] = {
    {"model.embed_tokens.weight", "tok_embeddings.weight", "token_embd.weight",
     ShardJoin::Embedding, false},
    {"model.layers.{}.input_layernorm.weight",
     "layers.{}.attention_norm.weight", "blk.{}.attn_norm.weight",
     ShardJoin::Equal, false},
    {"model.layers.{}.self_attn.q_proj.weight", "layers.{}.attention.wq.weight",
     "blk.{}.attn_q.weight", ShardJoin::Rows, true},
    {"model.layers.{}.self_attn.k_proj.weight", "layers.{}.attention.wk.weight",
     "blk.{}.attn_k.weight", ShardJoin::Rows, true},
    {"model.layers.{}.self_attn.v_proj.weight", "layers.{}.attention.wv.weight",
     "blk.{}.attn_v.weight", ShardJoin::Rows, false},
    {"model.layers.{}.self_attn.o_proj.weight", "layers.{}.attention.wo.weight",
     "blk.{}.attn_output.weight", ShardJoin::Columns, false},
    {"model.layers.{}.post_attention_layernorm.weight",
     "layers.{}.ffn_norm.weight", "blk.{}.ffn_norm.weight", ShardJoin::Equal,
     false},
    {"model.layers.{}.mlp.gate_proj.weight", "layers.{}.feed_forward.w1.weight",
     "blk.{}.ffn_gate.weight", ShardJoin::Rows, false},
    {"model.layers.{}.mlp.up_proj.weight", "layers.{}.feed_forward.w3.weight",
     "blk.{}.ffn_up.weight", ShardJoin::Rows, false},
    {"model.layers.{}.mlp.down_proj.weight", "layers.{}.feed_forward.w2.weight",
     "blk.{}.ffn_down.weight", ShardJoin::Columns, false},
    {"model.norm.weight", "norm.weight", "output_norm.weight", ShardJoin::Equal,
     false},
    {"lm_head.weight", "output.weight", "output.weight", ShardJoin::Rows,
     false},
};

/// Takes the layer out of a name: "model.layers.3.x" -> "model.layers.{}.x".
std::string takeLayer(const std::string &name, std::string &layer) {
  const std::string prefix = "model.layers.";
  if (name.compare(0, prefix.size(), prefix) != 0)
    return name;
  size_t end = name.find('.', prefix.size());
  if (end == std::string::npos)
    return name;
  layer = name.substr(prefix.size(), end - prefix.size());
  return prefix + "{}" + name.substr(end);
}

std::string fillIn(std::string name, const std::string &layer) {
  size_t at = name.find("{}");
  return at == std::string::npos ? name : name.replace(at, 2, layer);
}

} // namespace

std::optional<NamedTensor> nameTensor(const std::string &huggingFace) {
  std::string layer, name = takeLayer(huggingFace, layer);
  // A bias is named, cut and ordered as the rows that it is added to.
  const std::string weight = ".weight", bias = ".bias";
  size_t end = name.rfind('.');
  bool isBias = end != std::string::npos && name.substr(end) == bias;
  if (isBias)
    name.replace(end, bias.size(), weight);
  for (const TensorNaming &naming : namings) {
    if (name != naming.huggingFace)
      continue;
    NamedTensor named{&naming, fillIn(naming.meta, layer),
                      fillIn(naming.gguf, layer)};
    if (isBias)
      for (std::string *one : {&named.meta, &named.gguf})
        one->replace(one->size() - weight.size(), weight.size(), bias);
    return named;
  }
  return std::nullopt;
}

} // namespace mlir::llama
