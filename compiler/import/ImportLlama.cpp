// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Builds the llama IR of a checkpoint. Test: test/import/import-llama.test.
#include "compiler/import/ImportLlama.h"

#include "dialects/llama/Llama.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/Builders.h"

#include <algorithm>

namespace mlir::llama {
namespace {

/// Of the slopes of BLOOM and Press et al.
constexpr double alibiMaxBias = 8;

class Importer {
public:
  Importer(MLIRContext &context, const Checkpoint &checkpoint,
           const ImportOptions &options)
      : context(context), config(checkpoint.config), options(options),
        layerTensors(getLayerTensors(checkpoint.config)), builder(&context),
        f32(builder.getF32Type()), i32(builder.getI32Type()) {
    storage = options.dtype == DType::BF16  ? Type(builder.getBF16Type())
              : options.dtype == DType::F16 ? Type(builder.getF16Type())
                                            : Type(f32);
    if (config.alibi)
      alibi = AlibiAttr::get(&context, builder.getF64FloatAttr(alibiMaxBias));
    else
      rope = RopeAttr::get(&context, builder.getF64FloatAttr(config.ropeTheta),
                           getScaling());
    eps = builder.getF32FloatAttr(static_cast<float>(config.rmsNormEps));
    pieces = getPieceCount(checkpoint);
  }

  OwningOpRef<ModuleOp> build() {
    OwningOpRef<ModuleOp> module = ModuleOp::create(at("model"));
    (*module)->setAttr(ModelAttr::attrName, getModelAttr());
    builder.setInsertionPointToEnd(module->getBody());
    for (const ExpectedTensor &tensor : getExpectedTensors(config))
      WeightOp::create(builder, at(tensor.name), tensor.name,
                       RankedTensorType::get(tensor.shape, storage),
                       ElementsAttr(), PoolAttr());
    buildFunction("prefill", 1, getMaxChunk(options.maxSeqLen));
    buildFunction("decode", options.maxBatch, 1);
    return module;
  }

private:
  Location at(StringRef part) {
    return FileLineColLoc::get(&context, part, 1, 1);
  }
  /// Whether the functions take the sequences' lengths, as their last argument.
  bool hasLengths() const { return rope && rope.isDynamic(); }
  Type activations(int64_t features) {
    return RankedTensorType::get({batch, tokens, features}, f32);
  }

  RopeScalingAttr getScaling() {
    const RopeScaling &scaling = config.ropeScaling;
    if (scaling.kind == RopeScaling::None)
      return {};
    // Zeros stand for what the kind does not have.
    auto number = [&](double value) {
      return value == 0 ? FloatAttr() : builder.getF64FloatAttr(value);
    };
    static constexpr RopeScalingKind kinds[] = {
        RopeScalingKind::Linear, RopeScalingKind::Llama3,
        RopeScalingKind::Dynamic, RopeScalingKind::Yarn};
    return RopeScalingAttr::get(
        &context, kinds[scaling.kind - RopeScaling::Linear],
        number(scaling.factor), number(scaling.lowFreqFactor),
        number(scaling.highFreqFactor), scaling.originalMaxPositions,
        number(scaling.betaFast), number(scaling.betaSlow),
        number(scaling.attentionFactor), scaling.truncate);
  }

  ModelAttr getModelAttr() {
    return ModelAttr::get(
        &context, config.hiddenSize, config.intermediateSize, config.layers,
        config.heads, config.kvHeads, config.headDim, config.vocabSize, pieces,
        options.maxSeqLen, options.maxBatch, rope, alibi, config.slidingWindow,
        builder.getF64FloatAttr(config.rmsNormEps), config.tiedEmbeddings,
        storage);
  }

  Value getWeight(const std::string &name, ArrayRef<int64_t> shape) {
    return GetWeightOp::create(builder, at(name),
                               RankedTensorType::get(shape, storage),
                               SymbolRefAttr::get(&context, name));
  }

  /// @<name>_layer(x, positions, key cache, value cache, weights[, lengths])
  ///   -> (x, key cache, value cache)
  func::FuncOp buildLayer(StringRef name, ArrayRef<Type> weightTypes) {
    SmallVector<Type> inputs = {activations(config.hiddenSize), positionsType,
                                cacheType, cacheType};
    inputs.append(weightTypes.begin(), weightTypes.end());
    if (hasLengths())
      inputs.push_back(positionsType);
    auto function = func::FuncOp::create(
        builder, at("model.layers"), (name + "_layer").str(),
        builder.getFunctionType(inputs, {inputs[0], cacheType, cacheType}));
    function.setPrivate();
    OpBuilder::InsertionGuard guard(builder);
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);
    Value x = body->getArgument(0), positions = body->getArgument(1);
    Value lengths = hasLengths() ? Value(body->getArguments().back()) : Value();
    /// The operand for a tensor of the layer; null where it has none such.
    auto parameter = [&](StringRef name) {
      for (auto [tensor, value] :
           llvm::zip(layerTensors, body->getArguments().drop_front(4)))
        if (tensor.name == name)
          return Value(value);
      return Value();
    };
    auto norm = [&](StringRef part, Value input) -> Value {
      return RmsNormOp::create(builder, at(part), input.getType(), input,
                               parameter((part + ".weight").str()), eps);
    };
    auto linear = [&](StringRef part, Value input) -> Value {
      Value weight = parameter((part + ".weight").str());
      int64_t rows = cast<RankedTensorType>(weight.getType()).getDimSize(0);
      return LinearOp::create(builder, at(part), activations(rows), input,
                              weight, parameter((part + ".bias").str()));
    };

    Value n1 = norm("input_layernorm", x);
    Value q = linear("self_attn.q_proj", n1);
    Value k = linear("self_attn.k_proj", n1);
    Value v = linear("self_attn.v_proj", n1);
    IntegerAttr headDim = builder.getI64IntegerAttr(config.headDim);
    if (rope)
      for (Value *turned : {&q, &k})
        *turned =
            RopeOp::create(builder, at("self_attn.rope"), turned->getType(),
                           *turned, positions, lengths, headDim, rope);
    auto append = KvAppendOp::create(builder, at("self_attn.kv_cache"),
                                     cacheType, cacheType, body->getArgument(2),
                                     body->getArgument(3), k, v, positions);
    IntegerAttr window = config.slidingWindow
                             ? builder.getI64IntegerAttr(config.slidingWindow)
                             : IntegerAttr();
    Value attention = AttentionOp::create(
        builder, at("self_attn"), q.getType(), q, append.getNewKeyCache(),
        append.getNewValueCache(), positions, alibi, window);
    Value o = linear("self_attn.o_proj", attention);
    Value x1 = AddOp::create(builder, at("residual"), x.getType(), x, o);
    Value n2 = norm("post_attention_layernorm", x1);
    Value gate = linear("mlp.gate_proj", n2);
    Value up = linear("mlp.up_proj", n2);
    Value s = SiluOp::create(builder, at("mlp.act_fn"), gate.getType(), gate);
    Value m = MulOp::create(builder, at("mlp.act_fn"), gate.getType(), s, up);
    Value down = linear("mlp.down_proj", m);
    Value x2 = AddOp::create(builder, at("residual"), x.getType(), x1, down);
    func::ReturnOp::create(
        builder, at("model.layers"),
        ValueRange{x2, append.getNewKeyCache(), append.getNewValueCache()});
    return function;
  }

  void buildFunction(StringRef name, int64_t batchSize, int64_t tokenCount) {
    batch = batchSize;
    tokens = tokenCount;
    positionsType = RankedTensorType::get({batch}, i32);
    cacheType = RankedTensorType::get(
        {batch, options.maxSeqLen, config.kvHeads, config.headDim}, storage);
    Type logitsType = activations(config.vocabSize);
    bool isDecode = name == "decode";

    std::vector<ExpectedTensor> tensors = getExpectedTensors(config);
    SmallVector<Type> weightTypes;
    for (const ExpectedTensor &tensor : layerTensors)
      weightTypes.push_back(RankedTensorType::get(tensor.shape, storage));
    func::FuncOp layer = buildLayer(name, weightTypes);

    SmallVector<Type> inputs = {RankedTensorType::get({batch, tokens}, i32),
                                positionsType};
    inputs.append(2 * config.layers, cacheType);
    if (hasLengths())
      inputs.push_back(positionsType);
    SmallVector<Type> results;
    if (isDecode)
      results.push_back(positionsType);
    results.push_back(logitsType);
    results.append(2 * config.layers, cacheType);
    auto function = func::FuncOp::create(
        builder, at("model"), name, builder.getFunctionType(inputs, results));
    OpBuilder::InsertionGuard guard(builder);
    Block *body = function.addEntryBlock();
    builder.setInsertionPointToStart(body);

    Value table = getWeight(tensors[0].name, tensors[0].shape);
    Value x = EmbedOp::create(builder, at(tensors[0].name),
                              activations(config.hiddenSize),
                              body->getArgument(0), table);
    SmallVector<Value> caches;
    for (int64_t i = 0; i < config.layers; ++i) {
      SmallVector<Value> operands = {x, body->getArgument(1),
                                     body->getArgument(2 + 2 * i),
                                     body->getArgument(3 + 2 * i)};
      for (size_t j = 0; j < layerTensors.size(); ++j) {
        const ExpectedTensor &tensor = tensors[1 + layerTensors.size() * i + j];
        operands.push_back(getWeight(tensor.name, tensor.shape));
      }
      if (hasLengths())
        operands.push_back(body->getArguments().back());
      auto call = func::CallOp::create(
          builder, at("model.layers." + std::to_string(i)), layer, operands);
      x = call.getResult(0);
      caches.append({call.getResult(1), call.getResult(2)});
    }
    const ExpectedTensor &norm =
        tensors[1 + layerTensors.size() * config.layers];
    const ExpectedTensor &head =
        config.tiedEmbeddings ? tensors.front() : tensors.back();
    Value n = RmsNormOp::create(builder, at(norm.name), x.getType(), x,
                                getWeight(norm.name, norm.shape), eps);
    Value logits = LmHeadOp::create(builder, at("lm_head.weight"), logitsType,
                                    n, getWeight(head.name, head.shape),
                                    Value(), FloatAttr());
    SmallVector<Value> values;
    if (isDecode)
      values.push_back(SampleOp::create(builder, at("sample"), positionsType,
                                        logits,
                                        builder.getI64IntegerAttr(pieces)));
    values.push_back(logits);
    values.append(caches);
    func::ReturnOp::create(builder, at("model"), values);
  }

  MLIRContext &context;
  const Config &config;
  ImportOptions options;
  // In the order of the layer functions' operands.
  std::vector<ExpectedTensor> layerTensors;
  OpBuilder builder;
  Type f32, i32, storage;
  RopeAttr rope;   // null with alibi
  AlibiAttr alibi; // null with rope
  FloatAttr eps;
  int64_t pieces;
  // Of the function being built.
  int64_t batch = 0, tokens = 0;
  RankedTensorType positionsType, cacheType;
};

} // namespace

int64_t getMaxChunk(int64_t maxSeqLen) {
  return std::min<int64_t>(maxSeqLen, 2048);
}

OwningOpRef<ModuleOp> importLlama(MLIRContext &context,
                                  const Checkpoint &checkpoint,
                                  const ImportOptions &options) {
  context.loadDialect<LlamaDialect, func::FuncDialect>();
  return Importer(context, checkpoint, options).build();
}

} // namespace mlir::llama
