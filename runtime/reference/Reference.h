// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole model in plain float64: the oracle of the numeric tests.
//
// Written from the papers (RMSNorm, RoFormer in Hugging Face's half-split
// order, grouped-query attention, SwiGLU) and from nothing else in this
// project, so that an error cannot be on both sides. It is held to golden
// logits by Hugging Face transformers, and the compiled models are held to it.
//
// The rounding twin is the same code with `rounding` set: it rounds every
// product operand and every KV entry at the points listed in docs/numerics.md
// and nothing else. A mutant is the same code with one fault built in: the
// tests show that the numerics contract catches each.
#ifndef LLAMAC_RUNTIME_REFERENCE_REFERENCE_H
#define LLAMAC_RUNTIME_REFERENCE_REFERENCE_H

#include "runtime/Result.h"
#include "runtime/reference/Rounding.h"
#include "runtime/reference/TensorSource.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace llrt::reference {

/// How the angles of the rotation are stretched to a longer context.
enum class RopeScaling { None, Linear, Llama3, Dynamic, Yarn };

/// The numbers of config.json that the mathematics needs.
struct Config {
  int64_t hiddenSize = 0;
  int64_t intermediateSize = 0;
  int64_t layers = 0;
  int64_t heads = 0;
  int64_t kvHeads = 0;
  int64_t headDim = 0;
  int64_t vocabSize = 0;
  int64_t maxPositions = 0;
  double ropeTheta = 10000.0;
  RopeScaling ropeScaling = RopeScaling::None;
  double ropeFactor = 1.0; ///< of every scaling
  double ropeLowFrequencyFactor = 1.0, ropeHighFrequencyFactor = 4.0;
  /// Of Llama3, as the two above, and of Yarn; Dynamic has maxPositions.
  double ropeOriginalPositions = 0.0;
  double ropeBetaFast = 32.0, ropeBetaSlow = 1.0; ///< of Yarn, as below
  double ropeAttentionFactor = 1.0;               ///< on cosine and sine
  bool ropeTruncate = true;
  bool alibi = false; ///< linear biases and no rotation
  int64_t window = 0; ///< tokens that a token sees, itself included; 0: all
  double rmsNormEps = 1e-6;
  bool tiedHead = false;
  bool attentionBias = false; ///< of the four projections of attention
  bool mlpBias = false;       ///< of gate, up and down
};

/// A tensor as in the checkpoint, row major: [out][in] for a matrix. F32, F16
/// and BF16 values are all floats.
struct Tensor {
  std::vector<int64_t> shape;
  std::vector<float> values;
};
/// By Hugging Face name: "model.layers.0.self_attn.q_proj.weight".
using Tensors = std::map<std::string, Tensor>;

/// `tensors` must outlive it.
class TensorsInMemory : public TensorSource {
public:
  explicit TensorsInMemory(const Tensors &tensors) : tensors(tensors) {}
  const std::vector<int64_t> *shape(const std::string &name) const override;
  void read(const std::string &name, int64_t first, int64_t count,
            Rounding rounding, double *values) const override;

private:
  const Tensors &tensors;
};

/// One fault each. Names say what the faulty model does.
enum class Mutant {
  None,
  RopeOff,
  RopeThetaWrong,    ///< theta x 1.5
  RopePairsAdjacent, ///< rotates (2j, 2j+1) instead of (j, j + D/2)
  HeadModulo,        ///< query head h reads KV head h mod K, not h div (H/K)
  MaskSeesNext,   ///< a token attends to the one after it, where a chunk has it
  MaskMissesSelf, ///< a token does not attend to itself
  EpsTimesTen,    ///< rms_norm_eps x 10
  GammaSkipped,   ///< norms without their weights
  GateUpSwapped,  ///< silu(up) * gate
  LastPageDropped,   ///< the KV page of 64 tokens that is being filled is not
                     ///< read
  PositionPerPage,   ///< positions start again at every page of 64
  PositionPerChunk,  ///< positions start again at every call of run()
  ScaleMissing,      ///< scores without 1/sqrt(head_dim)
  HeadUntied,        ///< a tied head that has a matrix of its own
  Llama3Ignored,     ///< llama3 scaling is not done
  Llama3NoSmoothing, ///< llama3 scaling without the part between the two
                     ///< factors
  LinearIgnored,     ///< linear scaling is not done
  BiasDropped,       ///< projections without their biases
  DynamicIgnored,    ///< dynamic scaling is not done
  DynamicByPosition, ///< its base follows the token's position, not the length
                     ///< of the sequence
  YarnIgnored,       ///< yarn scaling is not done
  YarnFactorDropped, ///< yarn without the factor on cosine and sine
  AlibiIgnored,      ///< no biases
  AlibiPowerSlopes,  ///< slopes 2^(-8 (h + 1) / heads) for every count of heads
  WindowIgnored,     ///< a token sees all before it
  WindowOneMore,     ///< a token sees one more than the window
  WindowOneLess,     ///< a token sees one fewer than the window
  Count
};
const char *name(Mutant mutant);

/// Which rows of logits run() computes.
enum class Rows { Last, All };

/// Tokens seen so far and their keys and values; made by Model::sequence().
class Sequence {
public:
  int64_t length() const { return tokens; }
  /// Attention entropy of the newest row over log(length), mean over heads and
  /// layers; 1 is uniform attention.
  double lastRowEntropy() const { return entropy; }

private:
  friend class Model;
  struct Layer {
    std::vector<double> keys, values; ///< [tokens][kvHeads * headDim]
  };
  std::vector<Layer> layers;
  int64_t tokens = 0;
  double entropy = 0.0;
  double entropySum = 0.0; ///< of the layers that the newest rows went through
};

class Model {
public:
  /// Fails, naming the tensor, where one is missing or has the wrong shape.
  /// `jitter` other than 0 moves every rounded activation by up to 2^-22 of
  /// itself before it is rounded, as float32 sums in another order would: a
  /// value near a tie then rounds the other way. Each number gives another
  /// twin.
  static Result<Model> create(const Config &config, const Tensors &tensors,
                              Rounding rounding = Rounding::None,
                              Mutant mutant = Mutant::None,
                              uint64_t jitter = 0);
  /// The same for tensors that do not fit memory: matrices and the embedding
  /// are read from `source`, which must outlive the model, whenever they are
  /// needed, and `threads` work on them.
  static Result<Model> stream(const Config &config, const TensorSource &source,
                              Rounding rounding, unsigned threads);

  Sequence sequence() const;
  /// Appends `ids`; returns logits, one vector [vocabSize] per row asked for.
  /// `length`: of the sequence with the whole prompt of which `ids` are a
  /// chunk; 0: they are all of it.
  std::vector<std::vector<double>> run(Sequence &sequence,
                                       const std::vector<int32_t> &ids,
                                       Rows rows = Rows::All,
                                       int64_t length = 0) const;
  const Config &config() const { return settings; }

  /// What run() does, step by step, for who looks at the residual stream
  /// between the layers, [tokens][hiddenSize]: embed(), runLayer() for every
  /// layer, advance(), head().
  using Vector = std::vector<double>;
  Vector embed(const std::vector<int32_t> &ids) const;
  /// Layer `index` of the tokens in `x`, which come after those of `sequence`;
  /// `length` as in run().
  void runLayer(int64_t index, Sequence &sequence, Vector &x,
                int64_t length = 0) const;
  /// All layers have had `count` tokens.
  void advance(Sequence &sequence, int64_t count) const;
  /// The logits of each row of `x`.
  std::vector<Vector> head(const Vector &x) const;

private:
  struct Matrix {
    int64_t in = 0, out = 0;
    /// [in][out]: transposed, so that the inner loop of a product runs over
    /// outputs. Empty where it is streamed.
    std::vector<double> values;
    std::string name;
    std::vector<double> bias; ///< [out], or empty
  };
  struct Layer {
    Vector attentionNorm, ffnNorm; ///< [hidden]
    Matrix query, key, value, output, gate, up, down;
  };

  Model() = default;
  static Result<Model> create(const Config &config, const TensorSource &source,
                              Rounding rounding, Mutant mutant, uint64_t jitter,
                              unsigned threads);
  /// Everything, or with `streamed` the vectors alone.
  Error load(const TensorSource &source);
  /// An activation that becomes the operand of a product or a KV entry.
  double operand(double value) const;
  /// rows of `x` [count][matrix.in] times the matrix: [count][matrix.out]
  Vector product(const Matrix &matrix, const Vector &x, int64_t count) const;
  /// Adds the matrix's bias, if it has one, to each row of `y`.
  static void addBias(const Matrix &matrix, Vector &y, int64_t count);
  /// RMS norm of each row, then the products with `matrices`. The operand is
  /// gamma * x, rounded; the rsqrt multiplies each result, before the bias.
  std::vector<Vector>
  normProducts(const Vector &x, int64_t count, const Vector &gamma,
               const std::vector<const Matrix *> &matrices) const;
  /// Radians per position of pair `pair` in a sequence of `length` tokens.
  double frequency(int64_t pair, int64_t length) const;
  double yarnFrequency(int64_t pair, double plain) const;
  void rotate(Vector &x, int64_t count, int64_t heads, int64_t firstPosition,
              int64_t length) const;
  /// ALiBi's, of query head `head`.
  double slope(int64_t head) const;
  Vector attend(const Vector &query, int64_t count,
                const Sequence::Layer &cache, int64_t firstPosition,
                double &entropy) const;

  Config settings;
  Rounding rounding = Rounding::None;
  Mutant mutant = Mutant::None;
  uint64_t jitter = 0;
  const TensorSource *streamed = nullptr; ///< null: all is in memory
  unsigned threads = 1;
  Vector embedding; ///< [vocab][hidden]; empty where it is streamed
  std::vector<Layer> layers;
  Vector finalNorm;
  Matrix lmHead;
};

} // namespace llrt::reference

#endif
