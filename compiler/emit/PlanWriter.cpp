// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// From the tiled module to the packing plan and the launch plan. Test:
// test/emit/PlanWriterTest.cpp.
#include "compiler/emit/PlanWriter.h"

#include "dialects/llama/Llama.h"
#include "dialects/tile/TileDialect.h"
#include "mlir/Dialect/Arith/IR/Arith.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/Matchers.h"
#include "runtime/SamplingRanges.h"

namespace mlir::llama {
namespace {

DType getDType(Type type) {
  return type.isBF16() ? DType::BF16 : type.isF16() ? DType::F16 : DType::F32;
}

/// The launches of one module, kernel names already in the plan.
class LaunchReader {
public:
  LaunchReader(LaunchPlan &plan) : plan(plan) {
    for (size_t i = 0; i < plan.kernels.size(); ++i)
      kernels[plan.getKernelName(i)] = i;
  }

  LogicalResult read(func::FuncOp function, LlamacFunction index) {
    LlamacRange &range = plan.header.functions[index];
    range.first = plan.launches.size();
    for (Operation &op : function.getBody().front()) {
      if (auto launch = dyn_cast<gpu::LaunchFuncOp>(op)) {
        if (failed(readLaunch(launch)))
          return failure();
      } else if (!isa<tile::PlaceOp, tile::ExtentOp, arith::ConstantOp,
                      func::ReturnOp>(op)) {
        return op.emitOpError("cannot be part of a launch plan");
      }
    }
    range.count = plan.launches.size() - range.first;
    return success();
  }

private:
  LogicalResult readLaunch(gpu::LaunchFuncOp op) {
    LlamacLaunch launch = {};
    auto kernel = kernels.find(op.getKernelName());
    if (kernel == kernels.end())
      return op.emitOpError("names no kernel of the gpu.module");
    launch.kernel = kernel->second;
    launch.first_argument = plan.arguments.size();
    launch.argument_count = op.getKernelOperands().size();
    launch.cooperative = op->hasAttr("tile.cooperative");
    auto layer = op->getAttrOfType<IntegerAttr>("tile.layer");
    launch.layer = layer ? int32_t(layer.getInt()) : -1;
    launch.programmatic = op->hasAttr("tile.programmatic");
    gpu::KernelDim3 grid = op.getGridSizeOperandValues();
    gpu::KernelDim3 block = op.getBlockSizeOperandValues();
    Value gridSizes[] = {grid.x, grid.y, grid.z};
    Value blockSizes[] = {block.x, block.y, block.z};
    for (int i = 0; i < 3; ++i) {
      if (failed(readExtent(op, gridSizes[i], launch.grid[i])))
        return failure();
      APInt threads;
      if (!matchPattern(blockSizes[i], m_ConstantInt(&threads)))
        return op.emitOpError("has a block size that is no constant");
      launch.block[i] = threads.getZExtValue();
    }
    if (Value shared = op.getDynamicSharedMemorySize()) {
      APInt bytes;
      if (!matchPattern(shared, m_ConstantInt(&bytes)))
        return op.emitOpError("has a shared memory size that is no constant");
      launch.dynamic_shared_bytes = bytes.getZExtValue();
    }
    for (Value operand : op.getKernelOperands())
      if (failed(readArgument(op, operand)))
        return failure();
    plan.launches.push_back(launch);
    return success();
  }

  LogicalResult readExtent(Operation *op, Value value, LlamacExpression &into) {
    APInt constant;
    if (matchPattern(value, m_ConstantInt(&constant))) {
      into = {LLAMAC_VARIABLE_ONE, uint32_t(constant.getZExtValue()), 1, 0};
      return success();
    }
    auto extent = value.getDefiningOp<tile::ExtentOp>();
    if (!extent)
      return op->emitOpError("has a grid size that is no tile.extent");
    uint32_t variable = LLAMAC_VARIABLE_ONE;
    if (Value source = extent.getVariable())
      if (failed(readVariable(op, source, variable)))
        return failure();
    into = {variable, uint32_t(extent.getMultiplier()),
            uint32_t(extent.getDivisor()), 0};
    return success();
  }

  /// Block argument 4 + j is variable 1 + j; arguments before are buffers.
  LogicalResult readVariable(Operation *op, Value value, uint32_t &variable) {
    auto argument = dyn_cast<BlockArgument>(value);
    if (!argument || argument.getArgNumber() < LLAMAC_BUFFER_COUNT ||
        argument.getArgNumber() - 3 >= LLAMAC_VARIABLE_COUNT)
      return op->emitOpError("reads a value that is no run-time scalar");
    variable = argument.getArgNumber() - 3;
    return success();
  }

  LogicalResult readArgument(Operation *op, Value value) {
    LlamacArgument argument = {};
    argument.expression.divisor = 1;
    APInt constant;
    if (isa_and_nonnull<tile::PlaceOp>(value.getDefiningOp()) ||
        (isa<BlockArgument>(value) && !value.getType().isInteger())) {
      auto place = value.getDefiningOp<tile::PlaceOp>();
      auto buffer = dyn_cast<BlockArgument>(place ? place.getBuffer() : value);
      if (!buffer || buffer.getArgNumber() >= LLAMAC_BUFFER_COUNT)
        return op->emitOpError("is given an address in no known buffer");
      argument.kind = LLAMAC_ARGUMENT_POINTER;
      argument.buffer = buffer.getArgNumber();
      argument.value = place ? place.getOffset() : 0;
    } else if (matchPattern(value, m_ConstantInt(&constant))) {
      if (!value.getType().isInteger(32))
        return op->emitOpError("is given a constant that is no i32");
      argument.kind = LLAMAC_ARGUMENT_I32;
      argument.value = uint32_t(constant.getZExtValue());
    } else {
      argument.kind = LLAMAC_ARGUMENT_I32;
      argument.expression.multiplier = 1;
      if (failed(readVariable(op, value, argument.expression.variable)))
        return failure();
    }
    plan.arguments.push_back(argument);
    return success();
  }

  LaunchPlan &plan;
  llvm::StringMap<uint32_t> kernels;
};

/// The i64 entries of a dictionary on the module.
LogicalResult readNumbers(
    ModuleOp module, StringRef name,
    ArrayRef<std::pair<StringRef, llvm::function_ref<void(uint64_t)>>> fields) {
  auto dictionary = module->getAttrOfType<DictionaryAttr>(name);
  if (!dictionary)
    return module.emitError() << "has no attribute " << name;
  for (auto &[key, set] : fields) {
    auto value = dictionary.getAs<IntegerAttr>(key);
    if (!value)
      return module.emitError()
             << "the attribute " << name << " has no " << key;
    set(value.getValue().getZExtValue());
  }
  return success();
}

void readModel(ModelAttr model, LlamacPlanHeader &header) {
  DType dtype = getDType(model.getStorage());
  header.dtype = dtype == DType::BF16  ? LLAMAC_BF16
                 : dtype == DType::F16 ? LLAMAC_F16
                                       : LLAMAC_F32;
  header.vocab_size = model.getVocabSize();
  header.piece_count = model.getPieces();
  header.hidden_size = model.getHiddenSize();
  header.layers = model.getLayers();
  header.heads = model.getHeads();
  header.kv_heads = model.getKvHeads();
  header.head_dim = model.getHeadDim();
  header.max_seq_len = model.getMaxSeqLen();
  header.max_batch = model.getMaxBatch();
}

/// The scheme; `invFreq` gets the frequencies, none without rotation.
void readPositions(ModelAttr model, LlamacPositions &positions,
                   std::vector<double> &invFreq) {
  positions.factor = positions.attention_factor = 1;
  positions.window = model.getWindow();
  RopeAttr rope = model.getRope();
  if (!rope) {
    positions.scheme = LLAMAC_ALIBI;
    return;
  }
  positions.scheme = LLAMAC_ROTARY;
  positions.theta = rope.getThetaAsDouble();
  positions.attention_factor = rope.getAttentionFactor();
  for (int64_t j = 0; j < model.getHeadDim() / 2; ++j)
    invFreq.push_back(rope.getInverseFrequency(j, model.getHeadDim()));
  RopeScalingAttr scaling = rope.getScaling();
  if (!scaling)
    return;
  switch (scaling.getKind()) {
  case RopeScalingKind::Linear:
    positions.scaling = LLAMAC_LINEAR;
    break;
  case RopeScalingKind::Llama3:
    positions.scaling = LLAMAC_LLAMA3;
    break;
  case RopeScalingKind::Dynamic:
    positions.scaling = LLAMAC_DYNAMIC;
    break;
  case RopeScalingKind::Yarn:
    positions.scaling = LLAMAC_YARN;
    break;
  }
  positions.factor = scaling.getFactor().getValueAsDouble();
  positions.original = scaling.getOriginal();
}

void readSpecialIds(const Checkpoint &checkpoint, LaunchPlan &plan) {
  const GenerationConfig &generation = checkpoint.generation;
  const Config &config = checkpoint.config;
  // The tokenizer's own BOS is what opens a text; the configs' where there is
  // no tokenizer.
  std::optional<int64_t> bos =
      generation.bosGiven ? generation.bosId : config.bosId;
  if (checkpoint.tokenizer && checkpoint.tokenizer->bosId)
    bos = checkpoint.tokenizer->bosId;
  plan.header.bos_id = bos ? int32_t(*bos) : -1;
  plan.header.add_bos =
      bos && (!checkpoint.tokenizer || checkpoint.tokenizer->addBos);
  for (int64_t id : generation.eosGiven ? generation.eosIds : config.eosIds)
    plan.eosIds.push_back(int32_t(id));
}

LlamacSampling readSampling(const GenerationConfig &generation) {
  LlamacSampling sampling = {};
  sampling.temperature =
      generation.doSample
          ? generation.temperature.value_or(llrt::defaultTemperature)
          : 0;
  sampling.top_p = generation.topP.value_or(llrt::defaultTopP);
  sampling.min_p = generation.minP.value_or(0);
  sampling.repeat_penalty = generation.repetitionPenalty.value_or(1);
  sampling.presence_penalty = generation.presencePenalty.value_or(0);
  sampling.frequency_penalty = generation.frequencyPenalty.value_or(0);
  sampling.top_k = uint32_t(generation.topK.value_or(0));
  return sampling;
}

} // namespace

std::vector<PackedStream> getPackingPlan(ModuleOp tiled) {
  std::vector<PackedStream> streams;
  for (tile::StreamOp op : tiled.getOps<tile::StreamOp>()) {
    PackedStream stream;
    stream.name = op.getSymName().str();
    switch (op.getOrder()) {
    case tile::RowOrder::Rows:
      stream.order = PackedStream::Rows;
      break;
    case tile::RowOrder::RopePairs:
      stream.order = PackedStream::RopePairs;
      break;
    case tile::RowOrder::GateUp:
      stream.order = PackedStream::GateUp;
      break;
    case tile::RowOrder::Vector:
      stream.order = PackedStream::Vector;
      break;
    case tile::RowOrder::RopePairsVector:
      stream.order = PackedStream::RopePairsVector;
      break;
    case tile::RowOrder::GateUpVector:
      stream.order = PackedStream::GateUpVector;
      break;
    }
    for (auto source : op.getSources().getAsRange<FlatSymbolRefAttr>())
      stream.sources.push_back(source.getValue().str());
    stream.rows = op.getRows();
    stream.k = op.getK();
    stream.element = getDType(op.getElement());
    stream.offset = op.getOffset();
    stream.headDim = op.getHeadDim().value_or(0);
    streams.push_back(std::move(stream));
  }
  return streams;
}

std::vector<PooledTensor> getPooledTensors(ModuleOp tiled) {
  std::vector<PooledTensor> pooled;
  for (WeightOp weight : tiled.getOps<WeightOp>())
    if (PoolAttr pool = weight.getPoolAttr())
      pooled.push_back({weight.getSymName().str(), pool.getHeads(),
                        pool.getHeadDim()});
  return pooled;
}

LogicalResult buildLaunchPlan(ModuleOp tiled, const Checkpoint &checkpoint,
                              const llrt::GpuRow &gpu, LaunchPlan &plan) {
  LlamacPlanHeader &header = plan.header;
  ModelAttr model = ModelAttr::of(tiled);
  if (!model)
    return tiled.emitError("has no attribute llama.model");
  readModel(model, header);
  readSpecialIds(checkpoint, plan);
  header.sampling = readSampling(checkpoint.generation);
  readPositions(model, header.positions, plan.invFreq);
  header.sm_version = gpu.smVersion;
  header.gpu_name_offset = plan.addString(gpu.name);

  auto to = [](auto &field) {
    return [&field](uint64_t value) { field = value; };
  };
  auto workspace = to(header.workspace_bytes),
       tokens = to(header.tokens_offset),
       positions = to(header.positions_offset), slots = to(header.slots_offset),
       table = to(header.block_table_offset),
       next = to(header.next_token_offset), logits = to(header.logits_offset),
       residual = to(header.residual_offset),
       stride = to(header.residual_stride), weights = to(header.weights_bytes),
       page = to(header.page_bytes);
  auto chunk = to(header.max_chunk), rows = to(header.head_rows_max);
  if (failed(readNumbers(tiled, "tile.workspace",
                         {{"bytes", workspace},
                          {"tokens", tokens},
                          {"positions", positions},
                          {"slots", slots},
                          {"block_table", table},
                          {"next_token", next},
                          {"logits", logits},
                          {"residual", residual},
                          {"residual_stride", stride}})) ||
      failed(readNumbers(tiled, "tile.limits",
                         {{"weights_bytes", weights},
                          {"page_bytes", page},
                          {"max_chunk", chunk},
                          {"head_rows_max", rows}})))
    return failure();
  header.weights.size = header.weights_bytes;

  for (gpu::GPUModuleOp kernels : tiled.getOps<gpu::GPUModuleOp>())
    for (gpu::GPUFuncOp kernel : kernels.getOps<gpu::GPUFuncOp>())
      if (kernel.isKernel())
        plan.addKernel(kernel.getName().str());
  LaunchReader reader(plan);
  for (auto [name, index] : {std::pair<StringRef, LlamacFunction>{
                                 "prefill", LLAMAC_FUNCTION_PREFILL},
                             {"decode", LLAMAC_FUNCTION_DECODE},
                             {"head", LLAMAC_FUNCTION_HEAD}}) {
    auto function = tiled.lookupSymbol<func::FuncOp>(name);
    if (!function || function.isExternal())
      return tiled.emitError() << "has no host function @" << name;
    if (failed(reader.read(function, index)))
      return failure();
  }
  return success();
}

} // namespace mlir::llama
