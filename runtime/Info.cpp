// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Renders the passport and the plan as aligned text.
#include "runtime/Info.h"

#include "runtime/ChatTemplateName.h"
#include "runtime/PositionScheme.h"

#include <cstdio>
#include <map>
#include <nlohmann/json.hpp>

using namespace llrt;
using nlohmann::ordered_json;

static std::string plainText(const ordered_json &value) {
  return value.is_string() ? value.get<std::string>()
                           : value.dump(-1, ' ', false,
                                        ordered_json::error_handler_t::replace);
}

/// No structure inside: it fits on a line.
static bool isFlat(const ordered_json &value) {
  for (const ordered_json &element : value)
    if (value.is_structured() && element.is_structured())
      return false;
  return true;
}

/// "1 2 3" or "name config.json  bytes 609".
static std::string flatText(const ordered_json &value) {
  std::string text;
  if (value.is_object())
    for (const auto &[key, element] : value.items())
      text += (text.empty() ? "" : "  ") + key + " " + plainText(element);
  else if (value.is_array())
    for (const ordered_json &element : value)
      text += (text.empty() ? "" : " ") + plainText(element);
  else
    text = plainText(value);
  return text;
}

/// An object as "key  value" lines, deeper objects indented below their key.
static void render(const ordered_json &value, size_t indent, std::string &out) {
  const std::string margin(indent, ' ');
  if (!value.is_structured()) {
    out += margin + plainText(value) + "\n";
    return;
  }
  if (value.is_array()) {
    for (const ordered_json &element : value) {
      if (isFlat(element)) {
        out += margin + flatText(element) + "\n";
        continue;
      }
      out += margin + "-\n";
      render(element, indent + 2, out);
    }
    return;
  }
  auto onOneLine = [](const ordered_json &element) {
    return !element.is_object() && isFlat(element);
  };
  size_t width = 0;
  for (const auto &[key, element] : value.items())
    if (onOneLine(element))
      width = std::max(width, key.size());
  for (const auto &[key, element] : value.items()) {
    if (onOneLine(element)) {
      out += margin + key + std::string(width - key.size() + 2, ' ') +
             flatText(element) + "\n";
      continue;
    }
    out += margin + key + "\n";
    render(element, indent + 2, out);
  }
}

static ordered_json planFacts(const Executable &executable) {
  static const char *const dtypes[] = {"bf16", "f16", "f32"};
  const LlamacPlanHeader &plan = executable.plan();
  ordered_json facts;
  facts["format version"] = plan.version;
  const GpuRow &gpu = executable.gpu();
  facts["GPU"] = std::string(gpu.name) + ": " + gpu.chip + ", " +
                 std::to_string(gpu.multiprocessors) + " multiprocessors";
  facts["images"] = executable.cubin().empty()
                        ? "PTX, which the driver assembles at start"
                        : "cubin of " +
                              readableBytes(executable.cubin().size()) +
                              ", and PTX";
  facts["storage type"] = dtypes[plan.dtype];
  facts["vocabulary"] = std::to_string(plan.vocab_size) + " ids, " +
                        std::to_string(plan.piece_count) + " with a piece";
  facts["hidden size"] = plan.hidden_size;
  facts["layers"] = plan.layers;
  facts["heads"] = std::to_string(plan.heads) + " for queries, " +
                   std::to_string(plan.kv_heads) + " for keys, of " +
                   std::to_string(plan.head_dim);
  facts["positions"] = describePositions(plan);
  facts["context"] = std::to_string(plan.max_seq_len) +
                     " tokens at most, prefill in chunks of " +
                     std::to_string(plan.max_chunk);
  facts["batch"] = std::to_string(plan.max_batch) + " sequences at most";
  facts["begin of text"] =
      plan.bos_id < 0
          ? "none"
          : std::to_string(plan.bos_id) + (plan.add_bos ? ", added" : "");
  std::string eos;
  for (int32_t id : executable.eosIds())
    eos += (eos.empty() ? "" : " ") + std::to_string(id);
  facts["end of text"] = eos.empty() ? "none" : eos;
  facts["tokenizer"] = executable.hasTokenizer()
                           ? readableBytes(plan.tokenizer.size) + ", inside"
                           : "none: --ids only";
  facts["chat template"] =
      chatTemplateName(static_cast<LlamacChatTemplate>(plan.chat_template));
  static const char *const places[] = {
      "none: --random-weights or --weights gives some", "inside",
      "in a file of their own"};
  facts["weights"] = places[plan.weights_place];
  return facts;
}

static std::string byteTable(const Executable &executable,
                             const EngineOptions &options) {
  EngineMemory memory = Engine::memoryNeeded(executable.plan(), options);
  struct {
    std::string name;
    uint64_t bytes;
  } const rows[] = {
      {"weights", memory.weights},
      {"workspace", memory.workspace},
      {"KV pool (" + std::to_string(memory.pages) + " pages)", memory.kvPool},
      {"rope table", memory.rope},
      {"sampler", memory.sampler},
      {"together", memory.weights + memory.workspace + memory.kvPool +
                       memory.rope + memory.sampler}};
  std::string text;
  for (const auto &row : rows) {
    char line[96];
    std::snprintf(line, sizeof line, "  %-24s %16llu  %s\n", row.name.c_str(),
                  static_cast<unsigned long long>(row.bytes),
                  readableBytes(row.bytes).c_str());
    text += line;
  }
  return text;
}

/// What the assembler said of the kernel `name`, from the passport; null where
/// there was none.
static const ordered_json *resourcesOf(const ordered_json &kernels,
                                       const char *name) {
  if (kernels.is_array())
    for (const ordered_json &kernel : kernels)
      if (kernel.is_object() && kernel.value("name", "") == name &&
          kernel.contains("registers"))
        return &kernel;
  return nullptr;
}

static uint32_t numberIn(const ordered_json &kernel, const char *key) {
  auto found = kernel.find(key);
  return found != kernel.end() && found->is_number_unsigned()
             ? found->get<uint32_t>()
             : 0;
}

/// Registers and spilled bytes are those of a thread. "blocks/SM" is how many
/// blocks a multiprocessor of the row holds at once, and what limits them.
static std::string kernelTable(const Executable &executable,
                               const ordered_json &kernels) {
  struct Use {
    size_t launches[LLAMAC_FUNCTION_COUNT] = {};
    uint32_t threads = 0, shared = 0;
  };
  std::vector<Use> uses(executable.kernels().size());
  for (int function = 0; function < LLAMAC_FUNCTION_COUNT; ++function)
    for (const LlamacLaunch &launch :
         executable.launches(static_cast<LlamacFunction>(function))) {
      Use &use = uses[launch.kernel];
      ++use.launches[function];
      use.threads = launch.block[0] * launch.block[1] * launch.block[2];
      use.shared = std::max(use.shared, launch.dynamic_shared_bytes);
    }
  char line[200];
  std::snprintf(line, sizeof line,
                "  %-24s %7s %9s %6s %15s %-18s %8s %6s %4s\n", "kernel",
                "threads", "registers", "spills", "shared", "  blocks/SM",
                "prefill", "decode", "head");
  std::string text = line;
  for (uint32_t i = 0; i < uses.size(); ++i) {
    const Use &use = uses[i];
    const char *name = executable.kernelName(i);
    std::string registers = "-", spills = "-", blocks = "-", fixed = "?";
    if (const ordered_json *found = resourcesOf(kernels, name)) {
      uint32_t count = numberIn(*found, "registers"),
               shared = numberIn(*found, "static_shared_bytes");
      Occupancy occupancy = occupancyOf(executable.gpu(), use.threads, count,
                                        shared + use.shared);
      registers = std::to_string(count);
      spills = std::to_string(numberIn(*found, "spill_bytes"));
      fixed = std::to_string(shared);
      blocks = std::to_string(occupancy.blocks) + ", " + occupancy.limitName();
    }
    std::snprintf(
        line, sizeof line, "  %-24s %7u %9s %6s %15s   %-16s %8zu %6zu %4zu\n",
        name, use.threads, registers.c_str(), spills.c_str(),
        (fixed + " + " + std::to_string(use.shared)).c_str(), blocks.c_str(),
        use.launches[0], use.launches[1], use.launches[2]);
    text += line;
  }
  return text;
}

std::string llrt::describe(const Executable &executable,
                           const EngineOptions &options) {
  std::string text;
  ordered_json passport = ordered_json::parse(executable.passport(), nullptr,
                                              /*allow_exceptions=*/false);
  // Its kernels are in the table below.
  ordered_json kernels;
  if (passport.is_object() && passport.contains("kernels")) {
    kernels = passport["kernels"];
    passport.erase("kernels");
  }
  if (!passport.is_discarded()) {
    text += "passport\n";
    render(passport, 2, text);
  }
  text += "plan\n";
  render(planFacts(executable), 2, text);
  text += "device memory (bytes)\n" + byteTable(executable, options);
  text += "kernels (shared memory: static + dynamic bytes; blocks a "
          "multiprocessor holds, and what limits them; launches at most)\n" +
          kernelTable(executable, kernels);
  return text;
}
