// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Checks every number of a launch plan before anything uses it.
#include "runtime/Executable.h"

#include "runtime/GpuTable.h"
#include "runtime/PositionScheme.h"
#include "runtime/SamplingRanges.h"

#include <algorithm>
#include <cinttypes>
#include <cstdio>
#include <cstring>
#include <limits>
#include <xxhash.h>

using namespace llrt;

namespace {

const char *const again =
    "; compile the model again with this version of llamac";

class Checker {
public:
  Checker(View<uint8_t> bytes, const std::string &where)
      : bytes(bytes), where(where) {}

  Error check() {
    if (Error error = identity())
      return error;
    if (Error error = model())
      return error;
    if (Error error = arrays())
      return error;
    return launches();
  }

private:
  Error fault(const std::string &field, const std::string &found,
              const std::string &expected) {
    return Error(where + ": " + field + ": found " + found + ", expected " +
                 expected + again);
  }
  Error fault(const std::string &field, uint64_t found,
              const std::string &expected) {
    return fault(field, std::to_string(found), expected);
  }

  Error identity();
  Error model();
  Error arrays();
  Error gpu();
  Error launches();
  Error array(const char *field, uint64_t offset, uint64_t count,
              uint64_t elementBytes);
  Error range(const char *field, uint64_t value, uint64_t low, uint64_t high) {
    if (value >= low && value <= high)
      return Error::success();
    return fault(field, value,
                 std::to_string(low) + " to " + std::to_string(high));
  }
  Error control(const char *field, uint64_t offset, uint64_t count) {
    if (offset % 4 == 0 && offset <= plan.workspace_bytes &&
        count <= (plan.workspace_bytes - offset) / 4)
      return Error::success();
    return fault(field, offset,
                 std::to_string(count) +
                     " aligned words inside a workspace of " +
                     std::to_string(plan.workspace_bytes) + " bytes");
  }
  Error expression(const std::string &field, const LlamacExpression &value) {
    if (value.variable < LLAMAC_VARIABLE_COUNT && value.divisor != 0)
      return Error::success();
    return fault(field,
                 "variable " + std::to_string(value.variable) + " / " +
                     std::to_string(value.divisor),
                 "a variable below " + std::to_string(LLAMAC_VARIABLE_COUNT) +
                     " and a divisor above 0");
  }
  uint64_t bufferBytes(uint32_t buffer) const {
    switch (buffer) {
    case LLAMAC_BUFFER_WEIGHTS:
      return plan.weights_bytes;
    case LLAMAC_BUFFER_WORKSPACE:
      return plan.workspace_bytes;
    case LLAMAC_BUFFER_KV_POOL:
      return plan.page_bytes;
    default:
      return rotationTableBytes(plan, plan.max_seq_len);
    }
  }

  View<uint8_t> bytes;
  const std::string &where;
  LlamacPlanHeader plan;
};

std::string hex(uint64_t value) {
  char text[24];
  std::snprintf(text, sizeof text, "0x%016" PRIx64, value);
  return text;
}

} // namespace

Error Checker::identity() {
  if (bytes.size() < sizeof plan)
    return fault("size", bytes.size(),
                 "at least " + std::to_string(sizeof plan) + " bytes");
  std::memcpy(&plan, bytes.data(), sizeof plan);
  if (plan.magic != LLAMAC_PLAN_MAGIC)
    return fault("magic", hex(plan.magic), hex(LLAMAC_PLAN_MAGIC));
  if (plan.version != LLAMAC_FORMAT_VERSION)
    return fault("format version", plan.version,
                 std::to_string(LLAMAC_FORMAT_VERSION));
  if (plan.header_bytes != sizeof plan)
    return fault("header_bytes", plan.header_bytes,
                 std::to_string(sizeof plan));
  if (plan.plan_bytes != bytes.size())
    return fault("plan_bytes", plan.plan_bytes,
                 std::to_string(bytes.size()) + ", the section's size");
  // The hash is taken with its own field 0.
  LlamacPlanHeader zeroed = plan;
  zeroed.plan_hash = 0;
  XXH3_state_t *state = XXH3_createState();
  XXH3_64bits_reset(state);
  XXH3_64bits_update(state, &zeroed, sizeof zeroed);
  XXH3_64bits_update(state, bytes.data() + sizeof plan,
                     bytes.size() - sizeof plan);
  uint64_t hash = XXH3_64bits_digest(state);
  XXH3_freeState(state);
  if (hash != plan.plan_hash)
    return fault("XXH3 hash", hex(hash),
                 hex(plan.plan_hash) + " (the section was altered)");
  return Error::success();
}

Error Checker::model() {
  constexpr uint64_t most = std::numeric_limits<int32_t>::max();
  constexpr uint64_t memory = 1ull << 48;
  struct {
    const char *field;
    uint64_t value, low, high;
  } const ranges[] = {
      {"dtype", plan.dtype, 0, LLAMAC_F32},
      {"vocab_size", plan.vocab_size, 1, most},
      {"piece_count", plan.piece_count, 1, plan.vocab_size},
      {"hidden_size", plan.hidden_size, 1, most},
      {"layers", plan.layers, 1, most},
      {"heads", plan.heads, 1, most},
      {"kv_heads", plan.kv_heads, 1, plan.heads},
      {"head_dim", plan.head_dim, 2, 65536},
      {"max_seq_len", plan.max_seq_len, 1, most},
      {"max_batch", plan.max_batch, 1, 1u << 20},
      {"max_chunk", plan.max_chunk, 1, plan.max_seq_len},
      {"head_rows_max", plan.head_rows_max, 1, most},
      {"residual_stride", plan.residual_stride, plan.hidden_size, most},
      {"weights_place", plan.weights_place, 0, LLAMAC_WEIGHTS_BESIDE},
      {"chat_template", plan.chat_template, 0, LLAMAC_CHAT_COUNT - 1},
      {"add_bos", plan.add_bos, 0, plan.bos_id >= 0 ? 1u : 0u},
      {"weights_bytes", plan.weights_bytes, 1, memory},
      {"workspace_bytes", plan.workspace_bytes, 1, memory},
      {"page_bytes", plan.page_bytes, 1, memory},
      {"positions.scheme", plan.positions.scheme, 0, LLAMAC_ALIBI},
      {"positions.scaling", plan.positions.scaling, 0,
       plan.positions.scheme == LLAMAC_ROTARY ? LLAMAC_YARN : 0u},
      {"positions.original", plan.positions.original,
       plan.positions.scaling == LLAMAC_DYNAMIC ? 1u : 0u, most},
      {"positions.window", plan.positions.window, 0, most},
  };
  for (const auto &entry : ranges)
    if (Error error = range(entry.field, entry.value, entry.low, entry.high))
      return error;
  struct {
    const char *field;
    double value, low, high;
  } const numbers[] = {
      {"temperature", plan.sampling.temperature, 0, temperatureMax},
      {"top_p", plan.sampling.top_p, 0, 1},
      {"min_p", plan.sampling.min_p, 0, 1},
      {"repeat_penalty", plan.sampling.repeat_penalty, repeatPenaltyMin,
       repeatPenaltyMax},
      {"presence_penalty", plan.sampling.presence_penalty, 0, penaltyMax},
      {"frequency_penalty", plan.sampling.frequency_penalty, 0, penaltyMax},
  };
  for (const auto &entry : numbers)
    if (!(entry.value >= entry.low && entry.value <= entry.high))
      return fault(
          std::string("sampling.") + entry.field, std::to_string(entry.value),
          std::to_string(entry.low) + " to " + std::to_string(entry.high));
  if (!(plan.positions.factor >= 1 && plan.positions.factor <= 1e9))
    return fault("positions.factor", std::to_string(plan.positions.factor),
                 "1 to 1e9");
  if (!(plan.positions.attention_factor > 0 &&
        plan.positions.attention_factor <= 1e9))
    return fault("positions.attention_factor",
                 std::to_string(plan.positions.attention_factor),
                 "above 0 and up to 1e9");
  if (plan.bos_id < -1 || plan.bos_id >= static_cast<int64_t>(plan.vocab_size))
    return fault("bos_id", std::to_string(plan.bos_id),
                 "-1 or an id below " + std::to_string(plan.vocab_size));
  if (plan.weights.size != plan.weights_bytes)
    return fault("weights.size", plan.weights.size,
                 std::to_string(plan.weights_bytes) + " (weights_bytes)");

  uint64_t rows = std::max(plan.max_chunk, plan.max_batch);
  uint64_t tablePages =
      (static_cast<uint64_t>(plan.max_seq_len) + LLAMAC_PAGE_TOKENS - 1) /
      LLAMAC_PAGE_TOKENS;
  struct {
    const char *field;
    uint64_t offset, words;
  } const controls[] = {
      {"tokens_offset", plan.tokens_offset, rows},
      {"positions_offset", plan.positions_offset, rows},
      {"slots_offset", plan.slots_offset, rows},
      {"block_table_offset", plan.block_table_offset,
       plan.max_batch * tablePages},
      {"next_token_offset", plan.next_token_offset, plan.head_rows_max},
      {"logits_offset", plan.logits_offset,
       static_cast<uint64_t>(plan.head_rows_max) * plan.vocab_size},
      {"residual_offset", plan.residual_offset, rows * plan.residual_stride},
  };
  for (const auto &entry : controls)
    if (Error error = control(entry.field, entry.offset, entry.words))
      return error;
  return Error::success();
}

Error Checker::array(const char *field, uint64_t offset, uint64_t count,
                     uint64_t elementBytes) {
  if (offset % 8 == 0 && offset <= bytes.size() &&
      count <= (bytes.size() - offset) / elementBytes)
    return Error::success();
  return fault(field, offset,
               "an offset, multiple of 8, with room for " +
                   std::to_string(count) + " x " +
                   std::to_string(elementBytes) + " bytes in a section of " +
                   std::to_string(bytes.size()));
}

Error Checker::arrays() {
  if (Error error = array("kernels_offset", plan.kernels_offset,
                          plan.kernel_count, sizeof(LlamacKernel)))
    return error;
  if (Error error = array("launches_offset", plan.launches_offset,
                          plan.launch_count, sizeof(LlamacLaunch)))
    return error;
  if (Error error = array("arguments_offset", plan.arguments_offset,
                          plan.argument_count, sizeof(LlamacArgument)))
    return error;
  if (Error error =
          array("eos_offset", plan.eos_offset, plan.eos_count, sizeof(int32_t)))
    return error;
  if (Error error = array("inv_freq_offset", plan.inv_freq_offset,
                          plan.inv_freq_count, sizeof(double)))
    return error;
  if (Error error =
          array("strings_offset", plan.strings_offset, plan.strings_bytes, 1))
    return error;
  uint32_t pairs =
      plan.positions.scheme == LLAMAC_ROTARY ? plan.head_dim / 2 : 0;
  if (plan.inv_freq_count != pairs)
    return fault("inv_freq_count", plan.inv_freq_count,
                 std::to_string(pairs) +
                     (pairs ? " (head_dim / 2)" : " (no rotation)"));
  if (plan.strings_bytes &&
      bytes[plan.strings_offset + plan.strings_bytes - 1] != 0)
    return fault("strings", "no NUL at the end", "NUL-terminated names");
  if (Error error = gpu())
    return error;
  auto *eos = reinterpret_cast<const int32_t *>(bytes.data() + plan.eos_offset);
  for (uint32_t i = 0; i < plan.eos_count; ++i)
    if (eos[i] < 0 || eos[i] >= static_cast<int64_t>(plan.vocab_size))
      return fault("eos id " + std::to_string(i), std::to_string(eos[i]),
                   "0 to " + std::to_string(plan.vocab_size - 1));
  auto *kernels = reinterpret_cast<const LlamacKernel *>(bytes.data() +
                                                         plan.kernels_offset);
  for (uint32_t i = 0; i < plan.kernel_count; ++i)
    if (kernels[i].name_offset >= plan.strings_bytes)
      return fault("name of kernel " + std::to_string(i),
                   kernels[i].name_offset,
                   "an offset below " + std::to_string(plan.strings_bytes));
  for (const LlamacRange &entry : plan.functions)
    if (entry.first > plan.launch_count || entry.count == 0 ||
        entry.count > plan.launch_count - entry.first)
      return fault(
          "launches of function " + std::to_string(&entry - plan.functions),
          std::to_string(entry.first) + " + " + std::to_string(entry.count),
          "at least one inside the " + std::to_string(plan.launch_count) +
              " of the plan");
  return Error::success();
}

Error Checker::gpu() {
  if (plan.gpu_name_offset >= plan.strings_bytes)
    return fault("gpu_name_offset", plan.gpu_name_offset,
                 "an offset below " + std::to_string(plan.strings_bytes));
  auto *name = reinterpret_cast<const char *>(
      bytes.data() + plan.strings_offset + plan.gpu_name_offset);
  const GpuRow *row = findGpuRow(name);
  if (!row)
    return fault("GPU", std::string("`") + name + "`",
                 "a row of the GPU table");
  if (plan.sm_version == row->smVersion)
    return Error::success();
  return fault("sm_version", plan.sm_version,
               std::to_string(row->smVersion) + " (" + row->name + ")");
}

Error Checker::launches() {
  auto *launches = reinterpret_cast<const LlamacLaunch *>(bytes.data() +
                                                          plan.launches_offset);
  for (uint32_t i = 0; i < plan.launch_count; ++i) {
    const LlamacLaunch &launch = launches[i];
    std::string field = "launch " + std::to_string(i);
    if (launch.kernel >= plan.kernel_count)
      return fault(field + " kernel", launch.kernel,
                   "below " + std::to_string(plan.kernel_count));
    if (launch.first_argument > plan.argument_count ||
        launch.argument_count > plan.argument_count - launch.first_argument)
      return fault(field + " arguments",
                   std::to_string(launch.first_argument) + " + " +
                       std::to_string(launch.argument_count),
                   "a range inside " + std::to_string(plan.argument_count));
    if (launch.layer < -1 || launch.layer >= static_cast<int64_t>(plan.layers))
      return fault(field + " layer", std::to_string(launch.layer),
                   "-1 or a layer below " + std::to_string(plan.layers));
    if (launch.cooperative > 1)
      return fault(field + " cooperative", launch.cooperative, "0 or 1");
    if (launch.programmatic > 1)
      return fault(field + " programmatic", launch.programmatic, "0 or 1");
    uint64_t threads = 1;
    for (uint32_t size : launch.block) {
      if (size == 0 || size > 1024)
        return fault(field + " block", size, "1 to 1024 threads");
      threads *= size;
    }
    if (threads > 1024)
      return fault(field + " block", threads, "at most 1024 threads");
    for (const LlamacExpression &dimension : launch.grid)
      if (Error error = expression(field + " grid", dimension))
        return error;
  }
  auto *arguments = reinterpret_cast<const LlamacArgument *>(
      bytes.data() + plan.arguments_offset);
  for (uint32_t i = 0; i < plan.argument_count; ++i) {
    const LlamacArgument &argument = arguments[i];
    std::string field = "argument " + std::to_string(i);
    if (argument.kind == LLAMAC_ARGUMENT_I32) {
      if (Error error = expression(field, argument.expression))
        return error;
      continue;
    }
    if (argument.kind != LLAMAC_ARGUMENT_POINTER)
      return fault(field + " kind", argument.kind, "0 (pointer) or 1 (i32)");
    if (argument.buffer >= LLAMAC_BUFFER_COUNT)
      return fault(field + " buffer", argument.buffer,
                   "below " + std::to_string(LLAMAC_BUFFER_COUNT));
    if (argument.value >= bufferBytes(argument.buffer))
      return fault(field + " offset", argument.value,
                   "below " + std::to_string(bufferBytes(argument.buffer)));
  }
  return Error::success();
}

Error llrt::checkPlan(View<uint8_t> bytes, const std::string &where) {
  return Checker(bytes, where).check();
}
