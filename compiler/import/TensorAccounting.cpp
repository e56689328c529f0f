// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Which tensors a Llama has, and whether a checkpoint has exactly these.
#include "compiler/import/TensorNames.h"
#include "compiler/import/TensorValues.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <set>

namespace mlir::llama {
namespace {

/// Old checkpoints store rope's inverse frequencies; they must be those of the
/// config's rope_theta (those that stored them scaled positions, not
/// frequencies). Stored in 16 bits they have that type's error.
llrt::Error checkInverseFrequencies(const std::string &name,
                                    const Tensor &tensor,
                                    const Config &config) {
  std::vector<int64_t> shape = {config.headDim / 2};
  if (tensor.shape != shape)
    return llrt::Error("tensor \"" + name + "\" has shape " +
                       describeShape(tensor.shape) + ", expected " +
                       describeShape(shape));
  double limit = tensor.dtype == DType::F32 ? 1e-3 : 4e-3;
  for (int64_t i = 0; i < shape[0]; ++i) {
    double expected =
        std::pow(config.ropeTheta, -2.0 * double(i) / double(config.headDim));
    double found = loadValue(tensor, uint64_t(i));
    // Subnormal in f16: the spacing is absolute there.
    double spacing = tensor.dtype == DType::F16 ? 0x1p-24 : 0;
    if (!(std::fabs(found - expected) <= limit * expected + spacing))
      return llrt::Error("tensor \"" + name + "\" holds " +
                         std::to_string(found) + " at " + std::to_string(i) +
                         ", but the config's rope_theta gives " +
                         std::to_string(expected) +
                         "; rope_theta is wrong or the checkpoint is scaled");
  }
  return llrt::Error::success();
}

/// A head stored beside tied embeddings is redundant only if it is equal.
llrt::Error checkTiedHead(const Tensor &head, const Tensor &embedding) {
  if (haveEqualValues(head, embedding))
    return llrt::Error::success();
  return llrt::Error(
      "tensor \"lm_head.weight\" differs from \"model.embed_tokens.weight\", "
      "but the config says \"tie_word_embeddings\": true; correct the config "
      "or remove the tensor");
}

bool endsWith(const std::string &text, const std::string &end) {
  return text.size() >= end.size() &&
         text.compare(text.size() - end.size(), end.size(), end) == 0;
}

} // namespace

std::string describeShape(const std::vector<int64_t> &shape) {
  std::string text = "[";
  for (size_t i = 0; i < shape.size(); ++i)
    text += (i ? ", " : "") + std::to_string(shape[i]);
  return text + "]";
}

bool haveEqualValues(const Tensor &a, const Tensor &b) {
  if (a.shape != b.shape)
    return false;
  if (a.bytes && a.bytes == b.bytes && a.dtype == b.dtype)
    return true; // stored once
  const int64_t count = getRowCount(a), part = 256;
  std::vector<uint8_t> scratch, otherScratch;
  bool equal = true;
  for (int64_t begin = 0; begin < count && equal; begin += part) {
    const int64_t end = std::min(begin + part, count);
    for (int64_t row = begin; row < end && equal; ++row) {
      const uint8_t *mine = getRow(a, row, scratch);
      const uint8_t *other = getRow(b, row, otherScratch);
      if (a.dtype == b.dtype)
        equal = std::memcmp(mine, other, getRowBytes(a)) == 0;
      else
        for (int64_t i = 0; i < a.shape.back() && equal; ++i)
          equal = loadValue(mine, a.dtype, i) == loadValue(other, b.dtype, i);
    }
    forgetRows(a, begin, end);
    forgetRows(b, begin, end);
  }
  return equal;
}

std::vector<ExpectedTensor> getLayerTensors(const Config &config) {
  int64_t hidden = config.hiddenSize, ffn = config.intermediateSize;
  int64_t queries = config.heads * config.headDim;
  int64_t keys = config.kvHeads * config.headDim;
  std::vector<ExpectedTensor> tensors;
  auto linear = [&](const std::string &name, int64_t out, int64_t in,
                    bool bias) {
    tensors.push_back({name + ".weight", {out, in}});
    if (bias)
      tensors.push_back({name + ".bias", {out}});
  };
  tensors.push_back({"input_layernorm.weight", {hidden}});
  linear("self_attn.q_proj", queries, hidden, config.attentionBias);
  linear("self_attn.k_proj", keys, hidden, config.attentionBias);
  linear("self_attn.v_proj", keys, hidden, config.attentionBias);
  linear("self_attn.o_proj", hidden, queries, config.attentionBias);
  tensors.push_back({"post_attention_layernorm.weight", {hidden}});
  linear("mlp.gate_proj", ffn, hidden, config.mlpBias);
  linear("mlp.up_proj", ffn, hidden, config.mlpBias);
  linear("mlp.down_proj", hidden, ffn, config.mlpBias);
  return tensors;
}

std::vector<ExpectedTensor> getExpectedTensors(const Config &config) {
  int64_t hidden = config.hiddenSize;
  std::vector<ExpectedTensor> tensors;
  tensors.push_back({"model.embed_tokens.weight", {config.vocabSize, hidden}});
  std::vector<ExpectedTensor> ofLayer = getLayerTensors(config);
  for (int64_t i = 0; i < config.layers; ++i)
    for (const ExpectedTensor &tensor : ofLayer)
      tensors.push_back(
          {"model.layers." + std::to_string(i) + "." + tensor.name,
           tensor.shape});
  tensors.push_back({"model.norm.weight", {hidden}});
  if (!config.tiedEmbeddings)
    tensors.push_back({"lm_head.weight", {config.vocabSize, hidden}});
  return tensors;
}

int64_t getParameterCount(const Config &config) {
  int64_t total = 0;
  for (const ExpectedTensor &tensor : getExpectedTensors(config)) {
    int64_t count = 1;
    for (int64_t size : tensor.shape)
      count *= size;
    total += count;
  }
  return total;
}

llrt::Error checkTensors(const Checkpoint &checkpoint) {
  const Config &config = checkpoint.config;
  std::set<std::string> expectedNames;
  for (const ExpectedTensor &expected : getExpectedTensors(config)) {
    auto it = checkpoint.tensors.find(expected.name);
    if (it == checkpoint.tensors.end())
      return llrt::Error("tensor \"" + expected.name + "\" of shape " +
                         describeShape(expected.shape) + " is missing" +
                         (expected.name == "lm_head.weight"
                              ? "; if the model shares its embedding with the "
                                "head, config.json "
                                "must say \"tie_word_embeddings\": true"
                              : ""));
    if (it->second.shape != expected.shape)
      return llrt::Error("tensor \"" + expected.name + "\" has shape " +
                         describeShape(it->second.shape) +
                         ", but the config "
                         "asks for " +
                         describeShape(expected.shape));
    expectedNames.insert(expected.name);
  }
  for (auto &[name, tensor] : checkpoint.tensors) {
    if (expectedNames.count(name))
      continue;
    if (endsWith(name, "rotary_emb.inv_freq")) {
      if (llrt::Error error = checkInverseFrequencies(name, tensor, config))
        return error;
    } else if (name == "lm_head.weight" && config.tiedEmbeddings) {
      if (llrt::Error error = checkTiedHead(
              tensor, checkpoint.tensors.at("model.embed_tokens.weight")))
        return error;
    } else {
      return llrt::Error(
          "tensor \"" + name + "\" of shape " + describeShape(tensor.shape) +
          " is not part of the model that config.json describes" +
          (endsWith(name, "_proj.bias")
               ? "; \"attention_bias\" and \"mlp_bias\" say which biases it "
                 "has"
               : ""));
    }
  }
  return llrt::Error::success();
}

DType chooseDType(const Checkpoint &checkpoint) {
  if (!checkpoint.hasWeights)
    return checkpoint.config.dtype.value_or(DType::BF16);
  // Matrices only; a tied head that is stored again counts once.
  uint64_t bytes[3] = {0, 0, 0};
  for (const ExpectedTensor &expected : getExpectedTensors(checkpoint.config))
    if (expected.shape.size() == 2) {
      const Tensor &tensor = checkpoint.tensors.at(expected.name);
      DType dtype = tensor.storedAs ? DType::F16 : tensor.dtype;
      bytes[static_cast<int>(dtype)] += tensor.size;
    }
  DType best = DType::BF16;
  for (DType dtype : {DType::F16, DType::F32})
    if (bytes[static_cast<int>(dtype)] > bytes[static_cast<int>(best)])
      best = dtype;
  return best;
}

int64_t getPieceCount(const Checkpoint &checkpoint) {
  return checkpoint.tokenizer ? checkpoint.tokenizer->pieces
                              : checkpoint.config.vocabSize;
}

const char *getName(DType dtype) {
  return dtype == DType::BF16 ? "bf16" : dtype == DType::F16 ? "f16" : "f32";
}

} // namespace mlir::llama
