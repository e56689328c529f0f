// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Compiles a checkpoint through llama-to-linalg in memory and calls it.
#include "test/fuse/LinalgModel.h"

#include "compiler/fuse/Passes.h"
#include "compiler/import/ImportLlama.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/ExecutionEngine/OptUtils.h"
#include "mlir/InitAllDialects.h"
#include "mlir/InitAllPasses.h"
#include "mlir/Pass/PassManager.h"
#include "mlir/Pass/PassRegistry.h"
#include "mlir/Target/LLVMIR/Dialect/Builtin/BuiltinToLLVMIRTranslation.h"
#include "mlir/Target/LLVMIR/Dialect/LLVMIR/LLVMToLLVMIRTranslation.h"
#include "llvm/Support/TargetSelect.h"

#include <cstring>
#include <numeric>

namespace mlir::llama::test {
namespace {

// The pipeline of lit.local.cfg, and the buffers freed that a step leaves.
constexpr const char *toLLVM =
    "llama-to-linalg,"
    "one-shot-bufferize{bufferize-function-boundaries "
    "function-boundary-type-conversion=identity-layout-map},"
    "buffer-deallocation-pipeline,convert-bufferization-to-memref,convert-"
    "linalg-to-loops,"
    "convert-scf-to-cf,expand-strided-metadata,lower-affine,arith-expand{"
    "include-bf16},"
    "convert-math-to-llvm,convert-math-to-libm,convert-arith-to-llvm,finalize-"
    "memref-to-llvm,"
    "convert-func-to-llvm,convert-cf-to-llvm,reconcile-unrealized-casts";

std::vector<float> getAsF32(const Tensor &tensor) {
  std::vector<float> values(tensor.size / getBytes(tensor.dtype));
  for (size_t i = 0; i < values.size(); ++i) {
    if (tensor.dtype == DType::F32) {
      std::memcpy(&values[i], tensor.bytes + 4 * i, 4);
      continue;
    }
    uint16_t bits;
    std::memcpy(&bits, tensor.bytes + 2 * i, 2);
    APFloat value(tensor.dtype == DType::BF16 ? APFloat::BFloat()
                                              : APFloat::IEEEhalf(),
                  APInt(16, bits));
    bool losesInfo;
    value.convert(APFloat::IEEEsingle(), APFloat::rmNearestTiesToEven,
                  &losesInfo);
    values[i] = value.convertToFloat();
  }
  return values;
}
} // namespace

int64_t Buffer::count() const {
  return std::accumulate(shape.begin(), shape.end(), int64_t(1),
                         std::multiplies<>());
}

Buffer Buffer::allocate(std::vector<int64_t> shape) {
  Buffer buffer{std::move(shape), nullptr};
  buffer.bytes.reset(std::calloc(buffer.count(), 4), std::free);
  return buffer;
}

std::unique_ptr<LinalgModel>
LinalgModel::create(const std::string &folder, bool fused, int64_t positions) {
  auto checkpoint = openHuggingFace(folder, /*needWeights=*/true);
  if (!checkpoint) {
    llvm::errs() << checkpoint.error().message() << "\n";
    return nullptr;
  }
  std::unique_ptr<LinalgModel> model(new LinalgModel);
  model->checkpoint = std::move(*checkpoint);
  model->positions = positions;
  if (!model->compile(fused))
    return nullptr;
  return model;
}

bool LinalgModel::compile(bool fused) {
  static bool registered = (registerAllPasses(), registerFusePasses(), true);
  (void)registered;
  llvm::InitializeNativeTarget();
  llvm::InitializeNativeTargetAsmPrinter();
  DialectRegistry registry;
  registerAllDialects(registry);
  registerBuiltinDialectTranslation(registry);
  registerLLVMDialectTranslation(registry);
  context.appendDialectRegistry(registry);
  context.disableMultithreading();

  ImportOptions options;
  options.dtype = DType::F32;
  options.maxSeqLen = positions;
  options.maxBatch = 1;
  OwningOpRef<ModuleOp> module = importLlama(context, checkpoint, options);
  for (auto function : module->getOps<func::FuncOp>())
    if (function.isPublic())
      function->setAttr("llvm.emit_c_interface", UnitAttr::get(&context));

  PassManager pm(&context);
  if (fused)
    buildFusePipeline(pm);
  if (failed(parsePassPipeline(toLLVM, pm)) || failed(pm.run(*module)))
    return false;

  ExecutionEngineOptions engineOptions;
  auto optimize = makeOptimizingTransformer(/*optLevel=*/2, /*sizeLevel=*/0,
                                            /*targetMachine=*/nullptr);
  engineOptions.transformer = optimize;
  auto created = ExecutionEngine::create(*module, engineOptions);
  if (!created) {
    llvm::errs() << toString(created.takeError()) << "\n";
    return false;
  }
  engine = std::move(*created);
  std::vector<std::string> names;
  for (const ExpectedTensor &tensor : getExpectedTensors(checkpoint.config)) {
    names.push_back(tensor.name);
    weights.push_back(getAsF32(checkpoint.tensors.at(tensor.name)));
  }
  engine->registerSymbols([&](llvm::orc::MangleAndInterner interner) {
    llvm::orc::SymbolMap symbols;
    for (size_t i = 0; i < names.size(); ++i)
      symbols[interner(names[i])] = {
          llvm::orc::ExecutorAddr::fromPtr(weights[i].data()),
          llvm::JITSymbolFlags::Exported};
    return symbols;
  });
  return true;
}

/// A memref is passed as its two pointers, offset, sizes and strides; results
/// come as one struct of all of them.
void LinalgModel::call(const std::string &name,
                       const std::vector<Buffer> &arguments,
                       std::vector<Buffer> &results) {
  std::vector<std::vector<int64_t>> descriptors;
  for (const Buffer &buffer : arguments) {
    auto address = reinterpret_cast<int64_t>(buffer.bytes.get());
    std::vector<int64_t> words = {address, address, 0};
    words.insert(words.end(), buffer.shape.begin(), buffer.shape.end());
    for (size_t dim = 0; dim < buffer.shape.size(); ++dim)
      words.push_back(std::accumulate(buffer.shape.begin() + dim + 1,
                                      buffer.shape.end(), int64_t(1),
                                      std::multiplies<>()));
    descriptors.push_back(std::move(words));
  }
  size_t resultWords = 0;
  for (const Buffer &result : results)
    resultWords += 3 + 2 * result.shape.size();
  std::vector<int64_t> returned(resultWords);

  std::vector<void *> pointers = {returned.data()};
  for (std::vector<int64_t> &words : descriptors)
    pointers.push_back(words.data());
  SmallVector<void *> packed;
  for (void *&pointer : pointers)
    packed.push_back(&pointer);
  if (auto error = engine->invokePacked("_mlir_ciface_" + name, packed))
    llvm::report_fatal_error(std::move(error));

  const int64_t *words = returned.data();
  for (Buffer &result : results) {
    // The caller owns what is returned; the values start at the second pointer.
    result.bytes.reset(reinterpret_cast<void *>(words[0]), std::free);
    result.bytes =
        std::shared_ptr<void>(result.bytes, reinterpret_cast<void *>(words[1]));
    words += 3 + 2 * result.shape.size();
  }
}

/// The last argument where the rotation follows the length.
void LinalgModel::addLengths(int64_t length, std::vector<Buffer> &arguments) {
  if (checkpoint.config.ropeScaling.kind != RopeScaling::Dynamic)
    return;
  arguments.push_back(Buffer::allocate({1}));
  *arguments.back().data<int32_t>() = int32_t(length);
}

std::vector<float> LinalgModel::prefill(const std::vector<int32_t> &ids) {
  int64_t chunk = getMaxChunk(positions), vocab = getVocabSize();
  Buffer tokens = Buffer::allocate({1, chunk}), first = Buffer::allocate({1});
  std::memcpy(tokens.bytes.get(), ids.data(), ids.size() * sizeof(int32_t));
  std::vector<Buffer> arguments = {tokens, first},
                      results = {{{1, chunk, vocab}, nullptr}};
  for (int64_t i = 0; i < 2 * checkpoint.config.layers; ++i) {
    arguments.push_back(Buffer::allocate(
        {1, positions, checkpoint.config.kvHeads, checkpoint.config.headDim}));
    results.push_back({arguments.back().shape, nullptr});
  }
  addLengths(ids.size(), arguments);
  call("prefill", arguments, results);
  caches.assign(results.begin() + 1, results.end());
  next = ids.size();
  const float *logits = results[0].data<float>();
  return std::vector<float>(logits, logits + ids.size() * vocab);
}

int32_t LinalgModel::decode(int32_t id) {
  Buffer token = Buffer::allocate({1, 1}), position = Buffer::allocate({1});
  *token.data<int32_t>() = id;
  *position.data<int32_t>() = next++;
  std::vector<Buffer> arguments = {token, position};
  std::vector<Buffer> results = {{{1}, nullptr},
                                 {{1, 1, getVocabSize()}, nullptr}};
  for (const Buffer &cache : caches) {
    arguments.push_back(cache);
    results.push_back({cache.shape, nullptr});
  }
  addLengths(next, arguments);
  call("decode", arguments, results);
  caches.assign(results.begin() + 2, results.end());
  return *results[0].data<int32_t>();
}

} // namespace mlir::llama::test
