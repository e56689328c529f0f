// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds the passport.
#include "compiler/emit/Passport.h"

#include "runtime/ChatTemplateName.h"
#include "runtime/PositionScheme.h"

#include <cstdio>
#include <nlohmann/json.hpp>

namespace mlir::llama {

/// Adds what the assembler says of a kernel.
static void describe(nlohmann::ordered_json &kernel,
                     const KernelResources &resources) {
  kernel["registers"] = resources.registers;
  kernel["spill_bytes"] = resources.spillBytes;
  kernel["static_shared_bytes"] = resources.staticSharedBytes;
}

std::string makePassport(const Checkpoint &checkpoint, const LaunchPlan &plan,
                         const PassportFacts &facts) {
  using Json = nlohmann::ordered_json;
  const Config &config = checkpoint.config;
  const LlamacPlanHeader &header = plan.header;
  Json passport;
  passport["llamac"] = facts.version;
  Json &model = passport["model"] = Json::object();
  if (!config.name.empty())
    model["name"] = config.name;
  model.update({{"architecture", config.architecture},
                {"parameters", getParameterCount(config)},
                {"hidden_size", config.hiddenSize},
                {"intermediate_size", config.intermediateSize},
                {"layers", config.layers},
                {"heads", config.heads},
                {"kv_heads", config.kvHeads},
                {"pooled_from_kv_heads", facts.pooledFrom},
                {"head_dim", config.headDim},
                {"vocab_size", config.vocabSize},
                {"pieces", header.piece_count},
                {"rms_norm_eps", config.rmsNormEps},
                {"tie_word_embeddings", config.tiedEmbeddings}});
  if (!facts.pooledFrom)
    model.erase("pooled_from_kv_heads");
  if (config.alibi)
    model["position_embedding_type"] = "alibi";
  else
    model["rope_theta"] = config.ropeTheta;
  if (config.slidingWindow)
    model["sliding_window"] = config.slidingWindow;
  const RopeScaling &scaling = config.ropeScaling;
  if (scaling.kind == RopeScaling::Linear)
    model["rope_scaling"] = {{"rope_type", "linear"},
                             {"factor", scaling.factor}};
  if (scaling.kind == RopeScaling::Llama3)
    model["rope_scaling"] = {
        {"rope_type", "llama3"},
        {"factor", scaling.factor},
        {"low_freq_factor", scaling.lowFreqFactor},
        {"high_freq_factor", scaling.highFreqFactor},
        {"original_max_position_embeddings", scaling.originalMaxPositions}};
  if (scaling.kind == RopeScaling::Dynamic)
    model["rope_scaling"] = {
        {"rope_type", "dynamic"},
        {"factor", scaling.factor},
        {"max_position_embeddings", scaling.originalMaxPositions}};
  if (scaling.kind == RopeScaling::Yarn)
    model["rope_scaling"] = {
        {"rope_type", "yarn"},
        {"factor", scaling.factor},
        {"original_max_position_embeddings", scaling.originalMaxPositions},
        {"beta_fast", scaling.betaFast},
        {"beta_slow", scaling.betaSlow},
        {"attention_factor", scaling.attentionFactor},
        {"truncate", scaling.truncate}};
  passport["sources"] = Json::array();
  for (const SourceFile &source : checkpoint.sources) {
    char hash[17];
    std::snprintf(hash, sizeof hash, "%016llx",
                  static_cast<unsigned long long>(source.xxh3));
    passport["sources"].push_back(
        {{"name", source.name}, {"bytes", source.size}, {"xxh3", hash}});
  }
  passport["gpu"] = {{"row", facts.gpu->name},
                     {"chip", facts.gpu->chip},
                     {"multiprocessors", facts.gpu->multiprocessors}};
  if (facts.blocks)
    passport["gpu"]["blocks"] = facts.blocks;
  passport["storage"] = getName(header.dtype == LLAMAC_BF16  ? DType::BF16
                                : header.dtype == LLAMAC_F16 ? DType::F16
                                                             : DType::F32);
  passport["conversions"] = facts.conversions;
  if (!facts.chatTemplateSource.empty())
    passport["chat_template"] = {
        {"name", llrt::chatTemplateName(
                     static_cast<LlamacChatTemplate>(header.chat_template))},
        {"source", facts.chatTemplateSource}};
  passport["passes"] = facts.passes;
  passport["max_seq_len"] = header.max_seq_len;
  passport["max_batch"] = header.max_batch;
  uint64_t pages = (uint64_t(header.max_seq_len) + LLAMAC_PAGE_TOKENS - 1) /
                   LLAMAC_PAGE_TOKENS;
  static const char *const places[] = {"none", "inside", "beside"};
  passport["bytes"] = {
      {"weights", header.weights_bytes},
      {"weights_place", places[facts.place]},
      {"workspace", header.workspace_bytes},
      {"kv_page", header.page_bytes},
      {"kv_pool_at_maxima", pages * header.max_batch * header.page_bytes},
      {"rope_table", llrt::rotationTableBytes(header, header.max_seq_len)}};
  std::vector<uint64_t> launches(plan.kernels.size());
  for (const LlamacLaunch &launch : plan.launches)
    ++launches[launch.kernel];
  passport["kernels"] = Json::array();
  for (size_t i = 0; i < plan.kernels.size(); ++i) {
    Json kernel = {{"name", plan.getKernelName(i)}, {"launches", launches[i]}};
    for (const KernelResources &resources : facts.resources)
      if (resources.name == plan.getKernelName(i))
        describe(kernel, resources);
    passport["kernels"].push_back(kernel);
  }
  passport["runtime_kernels"] = Json::array();
  for (const KernelResources &resources : facts.runtimeKernels) {
    Json kernel = {{"name", resources.name}};
    describe(kernel, resources);
    passport["runtime_kernels"].push_back(kernel);
  }
  return passport.dump(2, ' ', false, Json::error_handler_t::replace) + "\n";
}

} // namespace mlir::llama
