// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Runs the launch plan of an executable on a device: feeds token ids of several
// sequences, gives back logits rows and the tokens chosen. It knows nothing of
// text. All device memory is taken in create().
//
//   auto executable = Executable::open("llama1b");
//   auto device = createEmulatorDevice();
//   auto engine = Engine::create(**executable, **device);
//   auto s = (*engine)->addSequence();
//   StepOutput out;
//   (*engine)->prefill(*s, {1, 15043}, Rows::Last, out);
//   (*engine)->decode({{*s, out.next[0]}}, out);
//
// A Choice per row says how its token is to be chosen, and which
// log-probabilities are wanted; without one the choice is greedy.
//
// What a sequence's rows hold depends on its own tokens and on the chunk size
// alone, bit for bit; never on the other sequences. With dynamic rope scaling
// the tokens of one prefill() call are rotated for the length after all of
// them, and a decode() token for the length after it; what is stored stays.
#ifndef LLAMAC_RUNTIME_ENGINE_H
#define LLAMAC_RUNTIME_ENGINE_H

#include "runtime/ByteTable.h"
#include "runtime/Executable.h"
#include "runtime/KvCache.h"
#include "runtime/SamplerKernels.h"
#include "runtime/StepEnd.h"
#include "runtime/WeightLoader.h"
#include "runtime/device/Device.h"

#include <array>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <tuple>
#include <vector>

namespace llrt {

/// 0 stands for the compiled maximum everywhere.
struct EngineOptions {
  uint32_t contextSize = 0; ///< tokens per sequence
  uint32_t maxBatch = 0;    ///< sequences at once
  uint32_t chunk = 0;       ///< tokens of one @prefill call
  uint32_t pages = 0;       ///< KV pool; 0: enough for maxBatch full sequences
  /// Null: the executable's own.
  std::shared_ptr<const WeightSource> weights = {};
  UploadProgress progress = {}; ///< of the weights; may be empty
};

/// Of which rows prefill() computes the head.
enum class Rows { None, Last, All };

/// Row r: the logits after token r of what was fed, and the choice from them.
struct StepOutput {
  std::vector<int32_t> next; ///< [rows]
  std::vector<float> logits; ///< [rows][vocab_size]; empty unless asked for
  std::vector<LogProbabilityRow>
      logProbabilities; ///< [rows]; empty unless a row asked for them
  /// decode(): [rows] why that sequence was left out of the step (no page, or
  /// its context is full), its next -1 and its logits 0; "" for the others.
  std::vector<std::string> refused;
};

struct DecodeInput {
  KvCache::Sequence sequence;
  int32_t token;
  Choice choice = {};
};

/// Sees the residual stream of one chunk, [rows][hidden_size], after the
/// embedding (layer -1) and after each layer; what it leaves there goes on.
using ResidualHandler =
    std::function<Error(int32_t layer, std::vector<float> &residual)>;

/// Bytes of device memory by what they are for.
struct EngineMemory {
  uint64_t weights = 0, workspace = 0, kvPool = 0, rope = 0, sampler = 0;
  uint32_t pages = 0;
};

/// Seconds that the parts of Engine::create took.
struct StartTimes {
  double weights = 0; ///< read, checked and brought to the device
  double buffers = 0; ///< workspace, KV pool and rope table taken and filled
  double kernels = 0; ///< modules loaded
};

class Engine {
public:
  /// `executable` and `device` must outlive the engine.
  static Result<std::unique_ptr<Engine>>
  create(const Executable &executable, Device &device,
         const EngineOptions &options = {});
  ~Engine();

  Result<KvCache::Sequence> addSequence() { return cache.add(); }
  Result<KvCache::Sequence> forkSequence(KvCache::Sequence parent) {
    return cache.fork(parent);
  }
  void freeSequence(KvCache::Sequence sequence) { cache.free(sequence); }
  /// The last `tokens` tokens of `sequence` were not wanted: see follow().
  void forget(KvCache::Sequence sequence, uint32_t tokens) {
    cache.shrink(sequence, tokens);
  }
  /// Tokens stored for `sequence`.
  uint32_t length(KvCache::Sequence sequence) const {
    return cache.length(sequence);
  }

  /// Appends `ids` to one sequence through @prefill, a chunk at a time.
  /// All or, where there is no room or an id is out of range, none. `choice` is
  /// for the last row; with Rows::All the others give the log-probabilities
  /// that it asks for, of the ids that follow them.
  Error prefill(KvCache::Sequence sequence, const std::vector<int32_t> &ids,
                Rows rows, StepOutput &out, bool logits = true,
                const Choice &choice = {});
  /// The same with Rows::Last, for who looks at the layers: EngineByLayer.cpp.
  Error prefillByLayer(KvCache::Sequence sequence,
                       const std::vector<int32_t> &ids,
                       const ResidualHandler &handler, StepOutput &out);
  /// Appends one token to each of several different sequences through @decode.
  /// One that finds no room is refused alone: see StepOutput::refused.
  Error decode(const std::vector<DecodeInput> &inputs, StepOutput &out,
               bool logits = true);

  /// decode() in two halves, between which the host is free. Steps end in the
  /// order in which they began; two may be underway. begin() is for when none
  /// is.
  Error begin(const std::vector<DecodeInput> &inputs, bool logits = true);
  Error finish(StepOutput &out);
  uint32_t underway() const { return static_cast<uint32_t>(steps.size()); }
  /// Begins the step after the one that began last before it has ended: the
  /// same sequences, each with the token that is chosen for it there. So the
  /// device need not wait for the host. A sequence whose text turns out to have
  /// ended before has got a token too many: see forget(). False, and nothing
  /// begun, where the host has to act in between: a sequence finds no room, a
  /// choice is made by penalties, log-probabilities or logits are asked for, or
  /// a prompt came after the step.
  Result<bool> follow();

  /// An event behind everything that was given to the device so far.
  Error record(Event *event) { return device.record(event, stream); }

  const LlamacPlanHeader &plan() const { return executable.plan(); }
  View<int32_t> eosIds() const { return executable.eosIds(); }
  uint32_t contextSize() const { return settings.contextSize; }
  uint32_t maxBatch() const { return settings.maxBatch; }
  uint32_t chunk() const { return settings.chunk; }
  EngineMemory memory() const;
  const StartTimes &startTimes() const { return times; }
  const KvCache &kvCache() const { return cache; }
  /// The memory an engine with these settings takes, before there is one.
  static EngineMemory memoryNeeded(const LlamacPlanHeader &plan,
                                   const EngineOptions &options);

private:
  Engine(const Executable &executable, Device &device,
         const EngineOptions &settings);
  using Variables = std::array<uint64_t, LLAMAC_VARIABLE_COUNT>;
  /// A decode step of a kind: all that its launches depend on.
  struct StepKey {
    uint32_t rows, splits;
    bool draws;
    bool operator<(const StepKey &other) const {
      return std::tie(rows, splits, draws) <
             std::tie(other.rows, other.splits, other.draws);
    }
    bool operator==(const StepKey &other) const {
      return !(*this < other) && !(other < *this);
    }
  };
  struct Step {
    std::vector<uint32_t> sequences; ///< of its rows
    std::vector<int32_t> positions;
    std::vector<Choice> choices;
    bool logits = false;
    StepOutput out;
  };
  Error start();
  Error checkMemory(const EngineMemory &need);
  Error fillRope();
  Error writeRotation(View<int32_t> positions, View<uint32_t> lengths);
  Error writeControl(View<int32_t> tokens, View<int32_t> positions,
                     View<int32_t> slots);
  Error writeTable();
  /// What follows from other variables is set here.
  Error run(LlamacFunction function, Variables variables);
  /// Shows the residual stream to `residualHandler`.
  Error showResidual(int32_t layer, uint64_t rows);
  /// `choices` and `sequences`: [rows].
  Error head(uint32_t firstRow, const std::vector<Choice> &choices,
             const std::vector<uint32_t> &sequences, StepOutput &out,
             bool logits);
  // EngineDecode.cpp
  Error give(Step &step);
  Error makeLaunches(const StepKey &key);
  Error record(const StepKey &key);
  static SamplerKernels::Sizes samplerSizes(const LlamacPlanHeader &plan,
                                            const EngineOptions &settings);
  Error growAndCopy(KvCache::Sequence sequence, uint32_t tokens);
  Error checkToken(int32_t token) const;
  Error checkSequence(KvCache::Sequence sequence) const;

  const Executable &executable;
  Device &device;
  EngineOptions settings; ///< resolved: no zeros
  KvCache cache;
  Stream *stream = nullptr;
  std::vector<Kernel *> kernels;
  LoadedWeights weights;
  Module *kernelsModule = nullptr; ///< of runtime/kernels
  std::unique_ptr<SamplerKernels> sampler;
  std::unique_ptr<StepEnd> stepEnd;
  std::deque<Step> steps; ///< underway
  /// The device's control arrays are those after the last of `steps`.
  bool followable = false;
  std::vector<int32_t> sentTable; ///< the block table that the device has
  std::optional<StepKey> lastKey;
  std::map<StepKey, Graph *> graphs;
  StartTimes times;
  const ResidualHandler *residualHandler = nullptr; ///< of prefillByLayer()
  std::vector<float> rotation; ///< what writeRotation() sends
  std::array<DeviceAddress, LLAMAC_BUFFER_COUNT> buffers{};
};

/// ceil(variable * multiplier / divisor)
uint64_t evaluate(const LlamacExpression &expression,
                  const std::array<uint64_t, LLAMAC_VARIABLE_COUNT> &variables);

} // namespace llrt

#endif
