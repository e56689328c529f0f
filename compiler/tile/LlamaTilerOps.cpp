// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// In: one fused op. Out: its streams, its kernel and its launch. Test:
// test/tile/tile-llama.mlir.
#include "compiler/tile/LlamaTiler.h"

using namespace mlir;
using namespace mlir::tile;

using Host = HostFunction;

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

/// Rows of a block. Many tokens: as many as the registers allow, for what a
/// block reads is used by all its rows. Few: the most that leave every
/// multiprocessor a block, or of which a block reads 64 KB, two microseconds.
static int64_t chooseRowsPerBlock(const ProductShape &shape,
                                  int64_t multiprocessors) {
  if (shape.tokensPerBlock == 32)
    return shape.storage.isF32() ? 32 : 64;
  for (int64_t size : {64, 32})
    if (shape.rows >= size * multiprocessors ||
        size * shape.kTiles() * StreamOp::tileRowBytes <= 64 * 1024)
      return size;
  return 16;
}

/// Warps of a block. A step costs a warp the same half microsecond whatever it
/// multiplies (it waits for its stage), so a block of few rows takes more
/// warps: together they read 32 KB a step, of f32 half of that, whose threads
/// need more registers than sixteen warps leave them. Each has four steps at
/// least. Many tokens' blocks have enough to multiply.
static int64_t chooseWarps(const ProductShape &shape) {
  if (shape.tokensPerBlock == 32)
    return 4;
  int64_t warps = std::max<int64_t>(4, (shape.storage.isF32() ? 128 : 256) /
                                           shape.rowsPerBlock);
  while (warps > 4 && 4 * warps > shape.kTiles())
    warps /= 2;
  return warps;
}

/// Bytes on their way to each warp, two stages at least. Where kernels start
/// early 32 KB to a block: the next kernel's blocks, which fit beside, ask for
/// theirs at the same time. Elsewhere 64 KB where a multiprocessor can hold two
/// such blocks, else 32 KB.
static int64_t chooseBytesInFlight(ProductShape shape,
                                   const llrt::GpuRow &gpu) {
  int64_t least = 2 * shape.stageBytes();
  int64_t little = std::max(32 * 1024 / shape.warps, least);
  if (gpu.has(llrt::GpuProgrammaticLaunch) && shape.tokensPerBlock < 32)
    return little;
  shape.bytesInFlight = std::max(64 * 1024 / shape.warps, least);
  int64_t block = shape.sharedBytes() + llrt::GpuRow::reservedSharedBytes;
  return 2 * block <= gpu.sharedBytesPerMultiprocessor ? shape.bytesInFlight
                                                       : little;
}

/// No more than the GPU holds at once by their shared memory (more would wait
/// for room, and then for their first tiles), and so many that all have the
/// same to do. Of many tokens' blocks there are enough that others work
/// meanwhile.
static int64_t chooseBlocks(const ProductShape &shape, int64_t asked,
                            const llrt::GpuRow &gpu) {
  if (asked || shape.tokensPerBlock == 32)
    return asked;
  int64_t held =
      int64_t(gpu.multiprocessors) *
      llrt::occupancyOf(gpu, shape.threads(), 0, shape.sharedBytes()).blocks;
  int64_t rounds =
      llvm::divideCeil(shape.rowBlocks(), std::max<int64_t>(held, 1));
  return llvm::divideCeil(shape.rowBlocks(), rounds);
}

ProductShape LlamaTiler::startShape(Epilogue epilogue, StreamOp stream) const {
  ProductShape shape;
  shape.epilogue = epilogue;
  shape.storage = model.getStorage();
  shape.rows = stream.getRows();
  shape.k = stream.getK();
  shape.tokensPerBlock = epilogue == Epilogue::Logits ? 8 : tokensPerBlock;
  shape.rowsPerBlock = chooseRowsPerBlock(shape, gpu.multiprocessors);
  shape.warps = chooseWarps(shape);
  // Persistent ones take more shared memory.
  shape.blocksLimit = blocks || shape.tokensPerBlock < 32 ? 1 : 0;
  shape.bytesInFlight = chooseBytesInFlight(shape, gpu);
  shape.blocksLimit = chooseBlocks(shape, blocks, gpu);
  shape.weightsTensors = locate(stream);
  return shape;
}

/// Left alone, the assembler saves registers for more blocks than shared memory
/// has room for, by a few spills; told of all that have room, by many. So it is
/// told of 256 threads at most, which leaves each all 255 registers.
void LlamaTiler::launch(HostFunction &function, Location loc,
                        gpu::GPUFuncOp kernel, const HostFunction::Shape &shape,
                        ValueRange arguments) {
  llrt::Occupancy occupancy =
      llrt::occupancyOf(gpu, shape.threads, 0, shape.sharedBytes);
  if (occupancy.limit == llrt::Occupancy::SharedMemory && occupancy.blocks)
    kernel->setAttr(NVVM::NVVMDialect::getMinctasmAttrName(),
                    attributes.getI32IntegerAttr(std::clamp<int64_t>(
                        256 / shape.threads, 1, occupancy.blocks)));
  gpu::LaunchFuncOp op = function.launch(loc, kernel, shape, arguments,
                                         &function == &*head ? -1 : layer);
  // Every kernel of ours waits (tile.await_previous) before it touches what
  // another one of its step does; the step's first starts when all is over that
  // came before.
  bool isFirst = &function == &*host && layer < 0;
  if (gpu.has(llrt::GpuProgrammaticLaunch) && !isFirst)
    op->setAttr("tile.programmatic", attributes.getUnitAttr());
}

void LlamaTiler::launchProduct(Location loc, ProductShape shape, StringRef role,
                               Host::Variable rows, ArrayRef<Value> arguments,
                               StreamOp bias) {
  HostFunction &function = rows == Host::HeadRows ? *head : *host;
  SmallVector<Value> all(arguments);
  if (bias) {
    shape.hasBias = true;
    shape.biasTensor = locate(bias);
    all.insert(all.end() - 1,
               function.place(loc, Host::Weights, bias.getOffset()));
  }
  std::string name = (role + "_" + Twine(shape.tokensPerBlock)).str();
  launch(function, loc, kernels.getProduct(shape, name),
         {{function.extent(loc, rows, shape.tokensPerBlock),
           function.extent(loc, shape.gridRows()), function.extent(loc, 1)},
          shape.threads(),
          shape.sharedBytes()},
         all);
}

LogicalResult LlamaTiler::tileQkv(llama::FusedQkvOp op) {
  ++layer;
  if (!op.getKeyCache())
    return op.emitOpError("has no cache; its kernel writes to one");
  llama::RopeAttr rope = op.getRopeAttr();
  if (rope != model.getRope())
    return op.emitOpError("has another rope than the model");
  FailureOr<StreamOp> gamma =
      getGamma(op, op.getGamma(), nameInLayer("input_norm"));
  FailureOr<StringRef> query = getWeight(op, op.getQueryWeight()),
                       key = getWeight(op, op.getKeyWeight()),
                       value = getWeight(op, op.getValueWeight());
  if (failed(gamma) || failed(query) || failed(key) || failed(value) ||
      failed(expect(op, op.getInput(), Known::Residual)))
    return failure();
  int64_t rows = (attention.heads + 2 * attention.kvHeads) * attention.headDim;
  StreamOp stream =
      streams.get(op.getLoc(), nameInLayer("qkv"), RowOrder::RopePairs,
                  {*query, *key, *value}, llvm::alignTo(rows, 16),
                  model.getHiddenSize(), attention.headDim);
  FailureOr<StreamOp> bias = getBias(
      op, {op.getQueryBias(), op.getKeyBias(), op.getValueBias()},
      nameInLayer("qkv_bias"), RowOrder::RopePairsVector, stream.getRows());
  if (failed(bias))
    return failure();

  ProductShape shape = startShape(Epilogue::Rope, stream);
  shape.inputStride = workspace.xStride;
  shape.normTensor = locate(*gamma);
  shape.eps = op.getEpsAttr().getValue().convertToFloat();
  shape.heads = {attention.heads,
                 attention.kvHeads,
                 attention.headDim,
                 attention.layers,
                 workspace.maxPages,
                 !rope              ? Rotation::None
                 : rope.isDynamic() ? Rotation::ByToken
                                    : Rotation::ByPosition};
  Location loc = op.getLoc();
  SmallVector<Value> arguments = {
      host->place(loc, Host::Workspace, workspace.x),
      host->place(loc, Host::Weights, gamma->getOffset()),
      host->place(loc, Host::Weights, stream.getOffset())};
  if (rope)
    arguments.push_back(host->place(loc, Host::Rope, 0));
  arguments.append(
      {host->place(loc, Host::Workspace, workspace.query),
       host->place(loc, Host::KvPool, layer * attention.layerBytes()),
       host->place(loc, Host::Workspace, workspace.positions),
       host->place(loc, Host::Workspace, workspace.slots),
       host->place(loc, Host::Workspace, workspace.blockTable),
       host->get(Host::Tokens)});
  launchProduct(loc, shape, "qkv", Host::Tokens, arguments, *bias);
  known[op.getQuery()].kind = Known::Query;
  return success();
}

LogicalResult LlamaTiler::tileLinear(llama::FusedLinearOp op) {
  if (op.getGamma() || !op.getResidual())
    return op.emitOpError("needs a residual and no norm: its kernel is that of "
                          "the out and down projections");
  bool isDown = known.lookup(op.getInput()).kind == Known::Ffn;
  FailureOr<StringRef> weight = getWeight(op, op.getWeight());
  if (failed(weight) ||
      failed(
          expect(op, op.getInput(), isDown ? Known::Ffn : Known::Attention)) ||
      failed(expect(op, op.getResidual(), Known::Residual)))
    return failure();
  StringRef role = isDown ? "down" : "out_projection";
  ArrayRef<int64_t> sizes = op.getWeight().getType().getShape();
  StreamOp stream = streams.get(op.getLoc(), nameInLayer(role), RowOrder::Rows,
                                {*weight}, sizes[0], sizes[1]);
  FailureOr<StreamOp> bias =
      getBias(op, op.getBias(), nameInLayer((role + "_bias").str()),
              RowOrder::Vector, sizes[0]);
  if (failed(bias))
    return failure();
  ProductShape shape = startShape(Epilogue::Residual, stream);
  shape.inputStride = isDown ? workspace.ffnStride : workspace.attentionStride;
  shape.outputStride = workspace.xStride;
  shape.outputs = sizes[0];
  Location loc = op.getLoc();
  launchProduct(loc, shape, role, Host::Tokens,
                {host->place(loc, Host::Workspace,
                             isDown ? workspace.ffn : workspace.attention),
                 host->place(loc, Host::Weights, stream.getOffset()),
                 host->place(loc, Host::Workspace, workspace.x),
                 host->get(Host::Tokens)},
                *bias);
  known[op.getResult()] = {Known::Residual, {}, ++version};
  return success();
}

LogicalResult LlamaTiler::tileGateUp(llama::FusedGateUpOp op) {
  FailureOr<StreamOp> gamma =
      getGamma(op, op.getGamma(), nameInLayer("post_attention_norm"));
  FailureOr<StringRef> gate = getWeight(op, op.getGateWeight()),
                       up = getWeight(op, op.getUpWeight());
  if (failed(gamma) || failed(gate) || failed(up) ||
      failed(expect(op, op.getInput(), Known::Residual)))
    return failure();
  int64_t width = model.getIntermediateSize();
  StreamOp stream = streams.get(
      op.getLoc(), nameInLayer("gate_up"), RowOrder::GateUp, {*gate, *up},
      llvm::alignTo(2 * width, 16), model.getHiddenSize());
  FailureOr<StreamOp> bias = getBias(op, {op.getGateBias(), op.getUpBias()},
                                     nameInLayer("gate_up_bias"),
                                     RowOrder::GateUpVector, stream.getRows());
  if (failed(bias))
    return failure();
  ProductShape shape = startShape(Epilogue::GateUp, stream);
  shape.inputStride = workspace.xStride;
  shape.outputStride = workspace.ffnStride;
  shape.outputs = width;
  shape.normTensor = locate(*gamma);
  shape.eps = op.getEpsAttr().getValue().convertToFloat();
  Location loc = op.getLoc();
  launchProduct(loc, shape, "gate_up", Host::Tokens,
                {host->place(loc, Host::Workspace, workspace.x),
                 host->place(loc, Host::Weights, gamma->getOffset()),
                 host->place(loc, Host::Weights, stream.getOffset()),
                 host->place(loc, Host::Workspace, workspace.ffn),
                 host->get(Host::Tokens)},
                *bias);
  known[op.getResult()].kind = Known::Ffn;
  return success();
}

LogicalResult LlamaTiler::tileHead(llama::LmHeadOp op) {
  FailureOr<StreamOp> gamma = getGamma(op, op.getGamma(), "final_norm");
  FailureOr<StringRef> weight = getWeight(op, op.getWeight());
  if (failed(gamma) || failed(weight) ||
      failed(expect(op, op.getInput(), Known::Residual)))
    return failure();
  StreamOp stream =
      streams.get(op.getLoc(), "lm_head", RowOrder::Rows, {*weight},
                  model.getVocabSize(), model.getHiddenSize());
  known[op.getResult()].kind = Known::Logits;
  if (headHasLogits) {
    if (stream != headStream || *gamma != headGamma)
      return op.emitOpError("differs from the head of @prefill");
    return success();
  }
  headHasLogits = true;
  headStream = stream;
  headGamma = *gamma;
  ProductShape shape = startShape(Epilogue::Logits, stream);
  shape.inputStride = workspace.xStride;
  shape.outputStride = shape.outputs = model.getVocabSize();
  shape.normTensor = locate(*gamma);
  shape.eps = op.getEpsAttr().getValue().convertToFloat();
  Location loc = op.getLoc();
  launchProduct(loc, shape, "head", Host::HeadRows,
                {head->place(loc, Host::Workspace, workspace.x),
                 head->place(loc, Host::Weights, gamma->getOffset()),
                 head->place(loc, Host::Weights, stream.getOffset()),
                 head->place(loc, Host::Workspace, workspace.logits),
                 head->get(Host::HeadStart), head->get(Host::HeadRows)});
  return success();
}

//===----------------------------------------------------------------------===//
// The others
//===----------------------------------------------------------------------===//

LogicalResult LlamaTiler::tileEmbed(llama::EmbedOp op) {
  FailureOr<StringRef> weight = getWeight(op, op.getTable());
  if (failed(weight))
    return failure();
  StreamOp stream =
      streams.get(op.getLoc(), "embedding", RowOrder::Rows, {*weight},
                  model.getVocabSize(), model.getHiddenSize());
  gpu::GPUFuncOp kernel = kernels.get(
      "embed", locate(stream), [&](OpBuilder &builder, StringRef name) {
        return buildEmbedding(builder, model.getStorage(),
                              model.getHiddenSize(), workspace.xStride, name);
      });
  Location loc = op.getLoc();
  launch(*host, loc, kernel,
         {{host->extent(loc, Host::Tokens, 1), host->extent(loc, 1),
           host->extent(loc, 1)},
          128,
          0},
         {host->place(loc, Host::Workspace, workspace.tokens),
          host->place(loc, Host::Weights, stream.getOffset()),
          host->place(loc, Host::Workspace, workspace.x)});
  known[op.getResult()] = {Known::Residual, {}, version};
  return success();
}

LogicalResult LlamaTiler::tileAttention(llama::AttentionOp op) {
  if (failed(expect(op, op.getQuery(), Known::Query)))
    return failure();
  if (op.getAlibiAttr() != model.getAlibi() ||
      int64_t(op.getWindow().value_or(0)) != model.getWindow())
    return op.emitOpError("has another alibi or window than the model");
  Location loc = op.getLoc();
  auto add = [&](StringRef name, const AttentionLaunch &shape, auto build,
                 ValueRange arguments) {
    gpu::GPUFuncOp kernel =
        kernels.get(name, locate("model.layers.*.self_attn"),
                    [&](OpBuilder &builder, StringRef name) {
                      return build(builder, attention, name);
                    });
    launch(*host, loc, kernel,
           {{host->extent(loc, shape.grid[0]), host->extent(loc, shape.grid[1]),
             host->extent(loc, shape.grid[2])},
            shape.threads,
            shape.dynamicSharedBytes},
           arguments);
  };
  Value query = host->place(loc, Host::Workspace, workspace.query);
  Value cache = host->place(loc, Host::KvPool, layer * attention.layerBytes());
  Value positions = host->place(loc, Host::Workspace, workspace.positions);
  Value slots = host->place(loc, Host::Workspace, workspace.slots);
  Value table = host->place(loc, Host::Workspace, workspace.blockTable);
  Value output = host->place(loc, Host::Workspace, workspace.attention);
  if (isDecode) {
    Value partials = host->place(loc, Host::Workspace, workspace.partials);
    add("attention_split", getAttentionSplitLaunch(attention),
        buildAttentionSplit,
        {query, cache, positions, slots, table, partials, output});
    if (attention.maxSplits() > 1)
      add("attention_merge", getAttentionMergeLaunch(attention),
          buildAttentionMerge, {partials, positions, output});
  } else {
    add("attention_prefill", getAttentionPrefillLaunch(attention),
        buildAttentionPrefill,
        {query, cache, positions, slots, table, output,
         host->get(Host::Tokens)});
  }
  known[op.getResult()].kind = Known::Attention;
  return success();
}

LogicalResult LlamaTiler::tileSample(llama::SampleOp op) {
  if (failed(expect(op, op.getLogits(), Known::Logits)))
    return failure();
  if (headHasSample)
    return op.emitOpError("is the second; there is one greedy choice");
  headHasSample = true;
  gpu::GPUFuncOp kernel = kernels.get(
      "argmax", locate("sample"), [&](OpBuilder &builder, StringRef name) {
        return buildGreedy(builder, model.getVocabSize(), op.getPieces(), name);
      });
  Location loc = op.getLoc();
  launch(
      *head, loc, kernel,
      {{head->extent(loc, Host::HeadRows, 1),
        head->extent(loc, greedyBlocks(op.getPieces())), head->extent(loc, 1)},
       greedyThreads,
       greedySharedBytes},
      {head->place(loc, Host::Workspace, workspace.logits),
       head->place(loc, Host::Workspace, workspace.nextToken),
       head->place(loc, Host::Workspace, workspace.greedy)});
  return success();
}
