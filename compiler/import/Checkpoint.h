// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// All that a model file format has to provide: config, tensors by their
// Hugging Face name, generation config, tokenizer. No MLIR here.
//
// A loader for another format fills the same struct and calls checkTensors; the
// rest of the compiler does not know where a checkpoint came from.
#ifndef LLAMAC_COMPILER_IMPORT_CHECKPOINT_H
#define LLAMAC_COMPILER_IMPORT_CHECKPOINT_H

#include "runtime/MappedFile.h"
#include "runtime/Result.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <thread>
#include <vector>

namespace mlir::llama {

enum class DType { BF16, F16, F32 };
/// "bf16", "f16", "f32".
const char *getName(DType dtype);
inline unsigned getBytes(DType dtype) { return dtype == DType::F32 ? 4 : 2; }

/// Rotary positions stretched to a longer context, as config.json says it.
struct RopeScaling {
  enum Kind { None, Linear, Llama3, Dynamic, Yarn } kind = None;
  double factor = 1;                            // at least 1
  double lowFreqFactor = 0, highFreqFactor = 0; // Llama3: 0 < low < high
  int64_t originalMaxPositions = 0;             // all but Linear: positive
  double betaFast = 0, betaSlow = 0;            // Yarn: 0 < slow <= fast
  double attentionFactor = 0; // Yarn: on cosine and sine, positive
  bool truncate = true;       // Yarn: whole pairs bound the ramp
  bool operator==(const RopeScaling &other) const {
    return kind == other.kind && factor == other.factor &&
           lowFreqFactor == other.lowFreqFactor &&
           highFreqFactor == other.highFreqFactor &&
           originalMaxPositions == other.originalMaxPositions &&
           betaFast == other.betaFast && betaSlow == other.betaSlow &&
           attentionFactor == other.attentionFactor &&
           truncate == other.truncate;
  }
};

/// A model's shape and constants, checked: every count is positive and small
/// enough that no product of two of them overflows 63 bits, heads divide.
struct Config {
  std::string name; // last part of "_name_or_path"; often empty
  std::string architecture = "LlamaForCausalLM"; // or MistralForCausalLM
  int64_t hiddenSize = 0;
  int64_t intermediateSize = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0; // heads % kvHeads == 0
  int64_t headDim = 0; // even, at most 256
  int64_t vocabSize = 0;
  int64_t maxPositionEmbeddings = 0;
  double rmsNormEps = 0;
  double ropeTheta = 0;
  RopeScaling ropeScaling;
  bool alibi = false; // linear biases in the place of the rotation
  int64_t slidingWindow =
      0; // tokens that a token sees, itself included; 0: all
  bool tiedEmbeddings = false;
  bool attentionBias = false; // of q, k, v and o
  bool mlpBias = false;       // of gate, up and down
  std::optional<DType> dtype; // what the config says; the tensors decide
  std::optional<int64_t> bosId;
  std::vector<int64_t> eosIds;
};

/// generation_config.json, as far as it decides which tokens are chosen. An
/// absent member leaves the value of Config, or the project's default.
struct GenerationConfig {
  /// false: greedy, whatever the temperature says.
  bool doSample = true;
  std::optional<double> temperature, topP, minP, repetitionPenalty,
      presencePenalty, frequencyPenalty;
  std::optional<int64_t> topK; // 0: off
  bool bosGiven = false, eosGiven = false;
  std::optional<int64_t> bosId;
  std::vector<int64_t> eosIds;
};

/// Makes the rows of a tensor that no file holds as the model wants it: joined
/// from parts, in another order, decoded. A row is made when it is read, so
/// that no tensor is ever in memory whole. Threads may read at once.
class RowSource {
public:
  virtual ~RowSource() = default;
  /// Writes row `row`, in the tensor's dtype and little endian, to `out`.
  virtual void read(int64_t row, uint8_t *out) const = 0;
  /// Asks for, or lets go of, the mapped pages behind rows [begin, end).
  virtual void want(int64_t begin, int64_t end) const {}
  virtual void forget(int64_t begin, int64_t end) const {}
};

/// One tensor: row major, little endian. A row is what the last dimension
/// spans. TensorValues.h reads it, whichever of `bytes` and `rows` has it.
struct Tensor {
  DType dtype = DType::F32;
  std::vector<int64_t> shape;
  const uint8_t *bytes = nullptr; // null: `rows` makes them
  uint64_t size = 0;              // product of shape times getBytes(dtype)
  bool isMapped = false; // bytes lie in a mapped file, not in other memory
  std::shared_ptr<const RowSource> rows = nullptr;
  /// The name of the file's type where `rows` decodes it to f32, exactly: for
  /// chooseDType it counts as f16.
  const char *storedAs = nullptr;
};

/// What the executable carries as its tokenizer: the bytes of a SentencePiece
/// model file, or a section that buildTokenizer (BpeModel.h) made.
struct Tokenizer {
  std::string_view bytes;
  std::shared_ptr<const std::string> storage; // of bytes, if they are in no file
  int64_t pieces = 0;
  bool addBos = true;
  std::optional<int64_t> bosId; // the model's own
  std::vector<int64_t> eosIds;  // likewise, for formats that say no others
};

/// A chat template as Jinja text, and the file or key that it came from.
struct ChatTemplateText {
  std::string text;
  std::string source; // as sources name files, for the passport
};

/// A file that was read, for the passport.
struct SourceFile {
  std::string name; // inside the folder, no path: outputs name no place
  uint64_t size = 0;
  uint64_t xxh3 = 0; // filled by SourceHashing
};

struct Checkpoint {
  std::string name;        // of the folder: the default output, never inside it
  std::string path;        // for messages
  std::string weightsPath; // likewise: the file of weights or the index
  Config config;
  GenerationConfig generation;
  bool hasWeights = false; // false: only shapes (a bare config.json)
  std::map<std::string, Tensor> tensors;
  std::optional<Tokenizer> tokenizer;
  std::optional<ChatTemplateText> chatTemplate;
  std::vector<std::string> warnings;
  std::vector<std::string> notes; // for -v
  std::vector<SourceFile> sources;
  std::vector<std::shared_ptr<const llrt::MappedFile>> files; // same order
};

/// What the model needs, in the order of use: name -> shape.
struct ExpectedTensor {
  std::string name;
  std::vector<int64_t> shape;
};
std::vector<ExpectedTensor> getExpectedTensors(const Config &config);

/// Those of one layer, in the same order, without "model.layers.N.": a bias
/// follows its matrix.
std::vector<ExpectedTensor> getLayerTensors(const Config &config);

/// Weights, a tied head counted once.
int64_t getParameterCount(const Config &config);

/// Total accounting: every expected tensor is there with its shape; every other
/// one is known to be redundant and holds what it must, or is refused by name.
llrt::Error checkTensors(const Checkpoint &checkpoint);

/// The type that most bytes of the matrices have (quantised ones count as f16);
/// without weights the config's own, else bf16.
DType chooseDType(const Checkpoint &checkpoint);

/// Ids at or past this are never generated.
int64_t getPieceCount(const Checkpoint &checkpoint);

/// The hashes of all files that were read, taken by a thread of its own: large
/// ones are slow.
class SourceHashing {
public:
  explicit SourceHashing(Checkpoint &checkpoint);
  /// Gives up unless wait() was reached.
  ~SourceHashing();
  /// Fills SourceFile::xxh3.
  void wait();

private:
  Checkpoint &checkpoint;
  std::atomic<bool> stopped{false};
  std::thread thread;
};

struct OpenOptions {
  /// false: weights are only looked at where the config depends on them.
  bool needWeights = true;
  /// The factor of Meta's scaled rope, which params.json does not say.
  std::optional<double> ropeFactor;
};
/// Opens any model: a Hugging Face folder, a bare config.json, or Meta's folder.
llrt::Result<Checkpoint> openCheckpoint(const std::string &path,
                                        const OpenOptions &options);

/// Opens Meta's folder: params.json and consolidated.NN.pth.
llrt::Result<Checkpoint> openMeta(const std::string &folder,
                                  const OpenOptions &options);

/// Opens a Hugging Face folder, or a bare config.json (shapes only). With
/// `needWeights` false files of weights are neither needed nor opened.
llrt::Result<Checkpoint> openHuggingFace(const std::string &path,
                                         bool needWeights);

/// The parts of openHuggingFace, apart for tests. `name` opens messages.
llrt::Result<Config> parseConfig(std::string_view text, const std::string &name,
                                 std::vector<std::string> &warnings);
llrt::Result<GenerationConfig> parseGenerationConfig(std::string_view text,
                                                     const std::string &name);
llrt::Result<std::map<std::string, Tensor>>
parseSafetensors(const uint8_t *bytes, uint64_t size, const std::string &name);
llrt::Result<Tokenizer> parseTokenizerModel(std::string_view bytes,
                                            const std::string &name);

} // namespace mlir::llama

#endif
