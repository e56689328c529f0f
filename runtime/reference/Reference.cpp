// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The whole model in plain float64: the oracle of the numeric tests.
#include "runtime/reference/Reference.h"

#include "runtime/reference/StreamedProduct.h"

#include <algorithm>
#include <cmath>
#include <cstring>

namespace llrt::reference {

namespace {
constexpr int64_t pageTokens = 64;

/// Outputs of product() that are computed together stay in the first cache.
constexpr int64_t tokenBlock = 16;

/// In [-1/2, 1/2), of a counter or of any other 64 bits.
double uniform(uint64_t bits) {
  uint64_t z = (bits + 1) * 0x9e3779b97f4a7c15ull;
  z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
  z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
  return static_cast<double>((z ^ (z >> 31)) >> 11) * 0x1p-53 - 0.5;
}

/// A matrix with nothing in common with the embedding, of the same deviation.
double unrelated(uint64_t index, double deviation) {
  return uniform(index) * std::sqrt(12.0) * deviation;
}

Error wrongTensor(const std::string &name, const std::string &what) {
  return Error("reference: tensor '" + name + "' " + what);
}
} // namespace

const std::vector<int64_t> *
TensorsInMemory::shape(const std::string &name) const {
  auto found = tensors.find(name);
  return found == tensors.end() ? nullptr : &found->second.shape;
}

void TensorsInMemory::read(const std::string &name, int64_t first,
                           int64_t count, Rounding rounding,
                           double *values) const {
  std::copy_n(tensors.at(name).values.begin() + first, count, values);
  roundAll(rounding, values, static_cast<size_t>(count));
}

const char *name(Mutant mutant) {
  static const char *const names[] = {"none",
                                      "rope-off",
                                      "rope-theta-wrong",
                                      "rope-pairs-adjacent",
                                      "head-modulo",
                                      "mask-sees-next",
                                      "mask-misses-self",
                                      "eps-times-ten",
                                      "gamma-skipped",
                                      "gate-up-swapped",
                                      "last-page-dropped",
                                      "position-per-page",
                                      "position-per-chunk",
                                      "scale-missing",
                                      "head-untied",
                                      "llama3-ignored",
                                      "llama3-no-smoothing",
                                      "linear-ignored",
                                      "bias-dropped",
                                      "dynamic-ignored",
                                      "dynamic-by-position",
                                      "yarn-ignored",
                                      "yarn-factor-dropped",
                                      "alibi-ignored",
                                      "alibi-power-slopes",
                                      "window-ignored",
                                      "window-one-more",
                                      "window-one-less"};
  static_assert(sizeof(names) / sizeof(*names) ==
                    static_cast<size_t>(Mutant::Count),
                "one name per mutant");
  return names[static_cast<size_t>(mutant)];
}

Result<Model> Model::create(const Config &config, const Tensors &tensors,
                            Rounding rounding, Mutant mutant, uint64_t jitter) {
  return create(config, TensorsInMemory(tensors), rounding, mutant, jitter,
                /*threads=*/0);
}

Result<Model> Model::stream(const Config &config, const TensorSource &source,
                            Rounding rounding, unsigned threads) {
  return create(config, source, rounding, Mutant::None, /*jitter=*/0,
                std::max(threads, 1u));
}

/// `threads` 0: everything is loaded.
Result<Model> Model::create(const Config &config, const TensorSource &source,
                            Rounding rounding, Mutant mutant, uint64_t jitter,
                            unsigned threads) {
  Model model;
  model.streamed = threads ? &source : nullptr;
  model.threads = threads;
  model.settings = config;
  model.rounding = rounding;
  model.mutant = mutant;
  model.jitter = jitter;
  if (mutant == Mutant::EpsTimesTen)
    model.settings.rmsNormEps *= 10;
  if (mutant == Mutant::RopeThetaWrong)
    model.settings.ropeTheta *= 1.5;
  if (Error error = model.load(source))
    return error;
  return model;
}

double Model::frequency(int64_t pair, int64_t length) const {
  double base = settings.ropeTheta;
  if (settings.ropeScaling == RopeScaling::Dynamic &&
      mutant != Mutant::DynamicIgnored && length > settings.maxPositions) {
    // NTK-aware: the base at which the longest wave fits the length.
    const double dim = static_cast<double>(settings.headDim);
    const double ratio = static_cast<double>(length) /
                         static_cast<double>(settings.maxPositions);
    base *= std::pow(settings.ropeFactor * ratio - (settings.ropeFactor - 1.0),
                     dim / (dim - 2.0));
  }
  const double plain =
      1.0 / std::pow(base, 2.0 * static_cast<double>(pair) /
                               static_cast<double>(settings.headDim));
  if (settings.ropeScaling == RopeScaling::Yarn)
    return mutant == Mutant::YarnIgnored ? plain : yarnFrequency(pair, plain);
  const double stretched = plain / settings.ropeFactor;
  if (settings.ropeScaling == RopeScaling::Linear)
    return mutant == Mutant::LinearIgnored ? plain : stretched;
  if (settings.ropeScaling != RopeScaling::Llama3 ||
      mutant == Mutant::Llama3Ignored)
    return plain;
  // The Llama 3.1 model card's rule, in its own terms.
  const double wavelength = 2.0 * std::acos(-1.0) / plain;
  const double longest =
      settings.ropeOriginalPositions / settings.ropeLowFrequencyFactor;
  const double shortest =
      settings.ropeOriginalPositions / settings.ropeHighFrequencyFactor;
  if (wavelength < shortest)
    return plain;
  if (wavelength > longest || mutant == Mutant::Llama3NoSmoothing)
    return stretched;
  const double smooth =
      (settings.ropeOriginalPositions / wavelength -
       settings.ropeLowFrequencyFactor) /
      (settings.ropeHighFrequencyFactor - settings.ropeLowFrequencyFactor);
  return (1.0 - smooth) * stretched + smooth * plain;
}

/// YaRN, section 3.2: pairs that turn often keep their frequency, those that
/// never finish a turn are interpolated, with a ramp over the pairs between.
/// The ends of the ramp are found on the scale of whole pairs, as the authors'
/// code and transformers do.
double Model::yarnFrequency(int64_t pair, double plain) const {
  const double pi = std::acos(-1.0);
  const double pairs = static_cast<double>(settings.headDim) / 2.0;
  auto pairWithTurns = [&](double turns) {
    const double wavelength = settings.ropeOriginalPositions / turns;
    return pairs * std::log(wavelength / (2.0 * pi)) /
           std::log(settings.ropeTheta);
  };
  double begin = pairWithTurns(settings.ropeBetaFast),
         end = pairWithTurns(settings.ropeBetaSlow);
  if (settings.ropeTruncate) {
    begin = std::floor(begin);
    end = std::ceil(end);
  }
  begin = std::max(begin, 0.0);
  end = std::min(end, static_cast<double>(settings.headDim - 1));
  if (begin == end)
    end += 0.001;
  double interpolated = (static_cast<double>(pair) - begin) / (end - begin);
  interpolated = std::min(std::max(interpolated, 0.0), 1.0);
  return plain * (1.0 - interpolated) +
         plain / settings.ropeFactor * interpolated;
}

double Model::slope(int64_t head) const {
  // Press et al. give the first n heads 2^(-8/n), 2^(-16/n), ...; the heads
  // past a power of two get every other slope of twice as many.
  auto geometric = [](int64_t index, int64_t count) {
    return std::pow(2.0, -8.0 * static_cast<double>(index + 1) /
                             static_cast<double>(count));
  };
  int64_t power = 1;
  while (2 * power <= settings.heads)
    power *= 2;
  if (mutant == Mutant::AlibiPowerSlopes)
    return geometric(head, settings.heads);
  return head < power ? geometric(head, power)
                      : geometric(2 * (head - power), 2 * power);
}

Error Model::load(const TensorSource &source) {
  auto check = [&](const std::string &name, const std::vector<int64_t> &shape) {
    const std::vector<int64_t> *found = source.shape(name);
    if (!found)
      return wrongTensor(name, "is missing");
    if (*found != shape)
      return wrongTensor(name, "has another shape than the configuration says");
    return Error::success();
  };
  auto read = [&](const std::string &name, const std::vector<int64_t> &shape,
                  Vector &values) {
    if (Error error = check(name, shape))
      return error;
    int64_t count = 1;
    for (int64_t size : shape)
      count *= size;
    values.resize(static_cast<size_t>(count));
    source.read(name, 0, count, rounding, values.data());
    return Error::success();
  };
  auto readMatrix = [&](const std::string &name, int64_t out, int64_t in,
                        Matrix &matrix) {
    matrix.in = in;
    matrix.out = out;
    matrix.name = name;
    if (streamed)
      return check(name, {out, in});
    Vector rows;
    if (Error error = read(name, {out, in}, rows))
      return error;
    matrix.values.resize(rows.size());
    for (int64_t o = 0; o < out; ++o)
      for (int64_t i = 0; i < in; ++i)
        matrix.values[i * out + o] = rows[o * in + i];
    return Error::success();
  };
  auto readGamma = [&](const std::string &name, Vector &gamma) {
    if (Error error = read(name, {settings.hiddenSize}, gamma))
      return error;
    if (mutant == Mutant::GammaSkipped)
      std::fill(gamma.begin(), gamma.end(), 1.0);
    return Error::success();
  };

  const int64_t hidden = settings.hiddenSize, ffn = settings.intermediateSize;
  const int64_t queries = settings.heads * settings.headDim,
                keys = settings.kvHeads * settings.headDim;
  const bool dropsBias = mutant == Mutant::BiasDropped;
  const bool attentionBias = settings.attentionBias && !dropsBias,
             mlpBias = settings.mlpBias && !dropsBias;
  const char *embeddingName = "model.embed_tokens.weight";
  if (Error error = check(embeddingName, {settings.vocabSize, hidden}))
    return error;
  if (!streamed)
    if (Error error =
            read(embeddingName, {settings.vocabSize, hidden}, embedding))
      return error;
  layers.resize(settings.layers);
  for (int64_t l = 0; l < settings.layers; ++l) {
    std::string prefix = "model.layers." + std::to_string(l) + ".";
    Layer &layer = layers[l];
    if (Error error =
            readGamma(prefix + "input_layernorm.weight", layer.attentionNorm))
      return error;
    if (Error error = readGamma(prefix + "post_attention_layernorm.weight",
                                layer.ffnNorm))
      return error;
    struct {
      const char *name;
      int64_t out, in;
      Matrix &matrix;
      bool bias;
    } const wanted[] = {
        {"self_attn.q_proj", queries, hidden, layer.query, attentionBias},
        {"self_attn.k_proj", keys, hidden, layer.key, attentionBias},
        {"self_attn.v_proj", keys, hidden, layer.value, attentionBias},
        {"self_attn.o_proj", hidden, queries, layer.output, attentionBias},
        {"mlp.gate_proj", ffn, hidden, layer.gate, mlpBias},
        {"mlp.up_proj", ffn, hidden, layer.up, mlpBias},
        {"mlp.down_proj", hidden, ffn, layer.down, mlpBias}};
    for (const auto &matrix : wanted) {
      if (Error error = readMatrix(prefix + matrix.name + ".weight", matrix.out,
                                   matrix.in, matrix.matrix))
        return error;
      if (matrix.bias)
        if (Error error = read(prefix + matrix.name + ".bias", {matrix.out},
                               matrix.matrix.bias))
          return error;
    }
  }
  if (Error error = readGamma("model.norm.weight", finalNorm))
    return error;
  const char *headName = settings.tiedHead ? embeddingName : "lm_head.weight";
  if (Error error = readMatrix(headName, settings.vocabSize, hidden, lmHead))
    return error;
  if (settings.tiedHead && mutant == Mutant::HeadUntied) {
    double squares = 0.0;
    for (double value : lmHead.values)
      squares += value * value;
    double deviation =
        std::sqrt(squares / static_cast<double>(lmHead.values.size()));
    for (size_t i = 0; i < lmHead.values.size(); ++i)
      lmHead.values[i] = unrelated(i, deviation);
  }
  return Error::success();
}

double Model::operand(double value) const {
  if (jitter != 0) {
    uint64_t bits;
    std::memcpy(&bits, &value, sizeof(bits));
    value *= 1.0 + 0x1p-21 * uniform(bits + (jitter << 56));
  }
  return roundTo(rounding, value);
}

Sequence Model::sequence() const {
  Sequence sequence;
  sequence.layers.resize(settings.layers);
  return sequence;
}

Model::Vector Model::product(const Matrix &matrix, const Vector &x,
                             int64_t count) const {
  if (streamed)
    return streamedProduct(matrix.in, matrix.out, x, count, threads,
                           [&](int64_t first, int64_t rows, double *values) {
                             streamed->read(matrix.name, first * matrix.in,
                                            rows * matrix.in, rounding, values);
                           });
  Vector y(count * matrix.out, 0.0);
  for (int64_t block = 0; block < count; block += tokenBlock) {
    int64_t blockEnd = std::min(count, block + tokenBlock);
    for (int64_t i = 0; i < matrix.in; ++i) {
      const double *row = &matrix.values[i * matrix.out];
      for (int64_t t = block; t < blockEnd; ++t) {
        const double factor = x[t * matrix.in + i];
        double *out = &y[t * matrix.out];
        for (int64_t o = 0; o < matrix.out; ++o)
          out[o] += factor * row[o];
      }
    }
  }
  return y;
}

void Model::addBias(const Matrix &matrix, Vector &y, int64_t count) {
  if (!matrix.bias.empty())
    for (int64_t t = 0; t < count; ++t)
      for (int64_t o = 0; o < matrix.out; ++o)
        y[t * matrix.out + o] += matrix.bias[o];
}

std::vector<Model::Vector>
Model::normProducts(const Vector &x, int64_t count, const Vector &gamma,
                    const std::vector<const Matrix *> &matrices) const {
  const int64_t hidden = settings.hiddenSize;
  Vector scaled(x.size()), factor(count);
  for (int64_t t = 0; t < count; ++t) {
    const double *in = &x[t * hidden];
    double *out = &scaled[t * hidden];
    double squares = 0.0;
    for (int64_t i = 0; i < hidden; ++i) {
      squares += in[i] * in[i];
      out[i] = gamma[i] * in[i];
    }
    const double scale = operandScale(rounding, out, hidden);
    for (int64_t i = 0; i < hidden; ++i)
      out[i] = operand(out[i] * scale);
    factor[t] =
        1.0 /
        std::sqrt(squares / static_cast<double>(hidden) + settings.rmsNormEps) /
        scale;
  }
  std::vector<Vector> results;
  for (const Matrix *matrix : matrices) {
    Vector y = product(*matrix, scaled, count);
    for (int64_t t = 0; t < count; ++t)
      for (int64_t o = 0; o < matrix->out; ++o)
        y[t * matrix->out + o] *= factor[t];
    addBias(*matrix, y, count);
    results.push_back(std::move(y));
  }
  return results;
}

void Model::rotate(Vector &x, int64_t count, int64_t heads,
                   int64_t firstPosition, int64_t length) const {
  if (mutant == Mutant::RopeOff || settings.alibi)
    return;
  const double amplitude =
      mutant == Mutant::YarnFactorDropped ? 1.0 : settings.ropeAttentionFactor;
  const int64_t dim = settings.headDim, half = dim / 2;
  const bool adjacent = mutant == Mutant::RopePairsAdjacent;
  Vector frequencies(half);
  for (int64_t t = 0; t < count; ++t) {
    int64_t position = firstPosition + t;
    if (mutant == Mutant::PositionPerPage)
      position %= pageTokens;
    if (mutant == Mutant::PositionPerChunk)
      position = t;
    if (t == 0 || mutant == Mutant::DynamicByPosition)
      for (int64_t j = 0; j < half; ++j)
        frequencies[j] = frequency(
            j, mutant == Mutant::DynamicByPosition ? position + 1 : length);
    for (int64_t j = 0; j < half; ++j) {
      const double angle = static_cast<double>(position) * frequencies[j];
      const double cosine = std::cos(angle) * amplitude,
                   sine = std::sin(angle) * amplitude;
      for (int64_t h = 0; h < heads; ++h) {
        double *head = &x[(t * heads + h) * dim];
        double &first = head[adjacent ? 2 * j : j],
               &second = head[adjacent ? 2 * j + 1 : j + half];
        const double a = first, b = second;
        first = a * cosine - b * sine;
        second = b * cosine + a * sine;
      }
    }
  }
}

Model::Vector Model::attend(const Vector &query, int64_t count,
                            const Sequence::Layer &cache, int64_t firstPosition,
                            double &entropy) const {
  const int64_t dim = settings.headDim, heads = settings.heads,
                kvHeads = settings.kvHeads;
  const int64_t stored =
      static_cast<int64_t>(cache.keys.size()) / (kvHeads * dim);
  const double scale = mutant == Mutant::ScaleMissing
                           ? 1.0
                           : 1.0 / std::sqrt(static_cast<double>(dim));
  Vector out(query.size(), 0.0), scores(stored);
  for (int64_t t = 0; t < count; ++t) {
    int64_t end = firstPosition + t + 1;
    if (mutant == Mutant::MaskSeesNext)
      end = std::min(end + 1, stored);
    if (mutant == Mutant::MaskMissesSelf)
      end = std::max<int64_t>(end - 1, 1);
    if (mutant == Mutant::LastPageDropped && end > pageTokens)
      end = (end - 1) / pageTokens * pageTokens;
    const int64_t position = firstPosition + t;
    const int64_t window =
        settings.window + (mutant == Mutant::WindowOneMore   ? 1
                           : mutant == Mutant::WindowOneLess ? -1
                                                             : 0);
    const bool limited =
        settings.window != 0 && mutant != Mutant::WindowIgnored;
    const int64_t begin =
        limited ? std::max<int64_t>(position - window + 1, 0) : 0;
    for (int64_t h = 0; h < heads; ++h) {
      const int64_t kvHead =
          mutant == Mutant::HeadModulo ? h % kvHeads : h / (heads / kvHeads);
      const double *q = &query[(t * heads + h) * dim];
      const double bias =
          settings.alibi && mutant != Mutant::AlibiIgnored ? slope(h) : 0.0;
      double largest = -INFINITY;
      for (int64_t s = begin; s < end; ++s) {
        const double *key = &cache.keys[(s * kvHeads + kvHead) * dim];
        double dot = 0.0;
        for (int64_t d = 0; d < dim; ++d)
          dot += q[d] * key[d];
        scores[s] = dot * scale + bias * static_cast<double>(s - position);
        largest = std::max(largest, scores[s]);
      }
      double sum = 0.0, weighted = 0.0;
      double *o = &out[(t * heads + h) * dim];
      for (int64_t s = begin; s < end; ++s) {
        const double p = std::exp(scores[s] - largest);
        sum += p; // of the unrounded numerators
        weighted += p * (scores[s] - largest);
        const double numerator = operand(p);
        const double *value = &cache.values[(s * kvHeads + kvHead) * dim];
        for (int64_t d = 0; d < dim; ++d)
          o[d] += numerator * value[d];
      }
      for (int64_t d = 0; d < dim; ++d)
        o[d] /= sum;
      if (t + 1 == count && end - begin > 1)
        entropy += (std::log(sum) - weighted / sum) /
                   std::log(static_cast<double>(end - begin));
    }
  }
  for (double &value : out)
    value = operand(value);
  return out;
}

std::vector<std::vector<double>> Model::run(Sequence &sequence,
                                            const std::vector<int32_t> &ids,
                                            Rows rows, int64_t length) const {
  const int64_t count = static_cast<int64_t>(ids.size());
  Vector x = embed(ids);
  for (int64_t l = 0; l < settings.layers; ++l)
    runLayer(l, sequence, x, length);
  advance(sequence, count);
  const int64_t wanted =
      rows == Rows::All ? count : std::min<int64_t>(count, 1);
  return head(Vector(x.end() - wanted * settings.hiddenSize, x.end()));
}

Model::Vector Model::embed(const std::vector<int32_t> &ids) const {
  const int64_t hidden = settings.hiddenSize,
                count = static_cast<int64_t>(ids.size());
  Vector x(count * hidden);
  for (int64_t t = 0; t < count; ++t)
    if (streamed)
      streamed->read("model.embed_tokens.weight", ids[t] * hidden, hidden,
                     rounding, &x[t * hidden]);
    else
      std::copy_n(&embedding[ids[t] * hidden], hidden, &x[t * hidden]);
  return x;
}

void Model::runLayer(int64_t index, Sequence &sequence, Vector &x,
                     int64_t length) const {
  const int64_t first = sequence.tokens,
                count = static_cast<int64_t>(x.size()) / settings.hiddenSize;
  length = std::max(length, first + count);
  const Layer &layer = layers[index];
  Sequence::Layer &cache = sequence.layers[index];

  std::vector<Vector> qkv = normProducts(
      x, count, layer.attentionNorm, {&layer.query, &layer.key, &layer.value});
  rotate(qkv[0], count, settings.heads, first, length);
  rotate(qkv[1], count, settings.kvHeads, first, length);
  for (Vector &part : qkv)
    for (double &value : part)
      value = operand(value);
  cache.keys.insert(cache.keys.end(), qkv[1].begin(), qkv[1].end());
  cache.values.insert(cache.values.end(), qkv[2].begin(), qkv[2].end());

  Vector attention =
      product(layer.output,
              attend(qkv[0], count, cache, first, sequence.entropySum), count);
  addBias(layer.output, attention, count);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] += attention[i];

  std::vector<Vector> gateUp =
      normProducts(x, count, layer.ffnNorm, {&layer.gate, &layer.up});
  if (mutant == Mutant::GateUpSwapped)
    std::swap(gateUp[0], gateUp[1]);
  Vector &gate = gateUp[0];
  for (size_t i = 0; i < gate.size(); ++i)
    gate[i] = operand(gate[i] / (1.0 + std::exp(-gate[i])) * gateUp[1][i]);
  Vector ffn = product(layer.down, gate, count);
  addBias(layer.down, ffn, count);
  for (size_t i = 0; i < x.size(); ++i)
    x[i] += ffn[i];
}

void Model::advance(Sequence &sequence, int64_t count) const {
  sequence.tokens += count;
  sequence.entropy = sequence.entropySum /
                     static_cast<double>(settings.layers * settings.heads);
  sequence.entropySum = 0.0;
}

std::vector<Model::Vector> Model::head(const Vector &x) const {
  const int64_t rows = static_cast<int64_t>(x.size()) / settings.hiddenSize;
  Vector logits = normProducts(x, rows, finalNorm, {&lmHead})[0];
  std::vector<Vector> result;
  for (int64_t r = 0; r < rows; ++r)
    result.emplace_back(logits.begin() + r * settings.vocabSize,
                        logits.begin() + (r + 1) * settings.vocabSize);
  return result;
}

} // namespace llrt::reference
