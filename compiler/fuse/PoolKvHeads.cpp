// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// llama-pool-kv-heads: the key and value projections of each group of heads
// become their mean, so that the group shares one KV head (Ainslie et al. 2023,
// GQA: Training Generalized Multi-Query Transformer Models).
//
// Four KV heads of 2 to two:
//   llama.weight @k : tensor<8x8xbf16>
//   %k = llama.linear %n, %wk : (.., tensor<8x8xbf16>) -> tensor<1x2x8xf32>
// become
//   llama.weight @k : tensor<4x8xbf16> pool <heads = 2, head_dim = 2>
//   %k = llama.linear %n, %wk : (.., tensor<4x8xbf16>) -> tensor<1x2x4xf32>
// and every cache has two KV heads for four. The mean itself is taken where the
// tensor's rows are read: compiler/emit/PooledTensors.h.
//
// Tests: test/fuse/pool-kv-heads.mlir, test/fuse/pool-kv-heads-execute.mlir
#include "compiler/fuse/Passes.h"
#include "dialects/llama/Llama.h"

#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "mlir/IR/BuiltinOps.h"
#include "mlir/IR/SymbolTable.h"
#include "llvm/ADT/SetVector.h"

namespace mlir::llama {
#define GEN_PASS_DEF_POOLKVHEADSPASS
#include "compiler/fuse/Passes.h.inc"

namespace {
using Tensor = RankedTensorType;

Tensor withDim(Type type, unsigned dim, int64_t size) {
  auto tensor = cast<Tensor>(type);
  SmallVector<int64_t> shape(tensor.getShape());
  shape[dim] = size;
  return Tensor::get(shape, tensor.getElementType());
}

/// The mean over groups of `heads` heads of `headDim` rows, taken in float64
/// and rounded to float32 and then to the element type.
DenseElementsAttr averageHeads(DenseElementsAttr value, Tensor type,
                               int64_t heads, int64_t headDim) {
  SmallVector<APFloat> in(value.getValues<APFloat>()), out;
  int64_t columns = type.getRank() == 2 ? type.getDimSize(1) : 1;
  const llvm::fltSemantics &semantics =
      cast<FloatType>(type.getElementType()).getFloatSemantics();
  bool losesInfo;
  for (int64_t row = 0; row < type.getDimSize(0); ++row)
    for (int64_t column = 0; column < columns; ++column) {
      double sum = 0;
      for (int64_t j = 0; j < heads; ++j) {
        int64_t from = (row / headDim * heads + j) * headDim + row % headDim;
        APFloat element = in[from * columns + column];
        element.convert(APFloat::IEEEdouble(), APFloat::rmNearestTiesToEven,
                        &losesInfo);
        sum += element.convertToDouble();
      }
      APFloat mean(float(sum / double(heads)));
      mean.convert(semantics, APFloat::rmNearestTiesToEven, &losesInfo);
      out.push_back(mean);
    }
  return DenseElementsAttr::get(type, out);
}

class Pooling {
public:
  Pooling(ModuleOp module, ModelAttr model, int64_t kvHeads)
      : module(module), model(model), kvHeads(kvHeads),
        group(model.getKvHeads() / kvHeads) {}

  LogicalResult run() {
    if (failed(findProjections()))
      return failure();
    for (WeightOp weight : weights)
      poolWeight(weight);
    for (Value value : parameters)
      value.setType(pooledWeight(value.getType()));
    for (Value value : products)
      value.setType(withDim(value.getType(), 2, kvHeads * model.getHeadDim()));
    for (auto function : module.getOps<func::FuncOp>())
      poolCaches(function);
    module->setAttr(ModelAttr::attrName, getPooledModel());
    return success();
  }

private:
  /// From each kv_append to the products of key and value, their parameters
  /// and, through the calls, the weights.
  LogicalResult findProjections() {
    WalkResult result = module.walk([&](KvAppendOp append) {
      for (Value value : {append.getKey(), append.getValue()}) {
        if (auto rope = value.getDefiningOp<RopeOp>()) {
          products.insert(value);
          value = rope.getInput();
        }
        auto product = value.getDefiningOp<LinearOp>();
        if (!product) {
          append.emitOpError("gets a key or a value that is no llama.linear: "
                             "heads are pooled before the fusions");
          return WalkResult::interrupt();
        }
        products.insert(value);
        if (failed(follow(product, product.getWeight())) ||
            (product.getBias() && failed(follow(product, product.getBias()))))
          return WalkResult::interrupt();
      }
      return WalkResult::advance();
    });
    if (result.wasInterrupted())
      return failure();
    if (products.empty())
      return module.emitError("has no llama.kv_append, so no heads to pool; "
                              "heads are pooled before the fusions");
    return success();
  }

  /// `value`, which `user` alone may use, is a weight or the parameter of a
  /// layer function for one.
  LogicalResult follow(Operation *user, Value value) {
    for (Operation *other : value.getUsers())
      if (other != user && other->getName() != user->getName())
        return other->emitOpError("uses a weight whose heads are pooled");
    if (!parameters.insert(value))
      return success();
    if (auto get = value.getDefiningOp<GetWeightOp>()) {
      weights.insert(module.lookupSymbol<WeightOp>(get.getName()));
      return success();
    }
    auto argument = dyn_cast<BlockArgument>(value);
    auto function =
        argument ? dyn_cast<func::FuncOp>(argument.getOwner()->getParentOp())
                 : func::FuncOp();
    if (!function)
      return user->emitOpError("has a weight that is none of the module's");
    auto uses = SymbolTable::getSymbolUses(function, module);
    for (const SymbolTable::SymbolUse &use : *uses) {
      auto call = dyn_cast<func::CallOp>(use.getUser());
      if (!call)
        return use.getUser()->emitOpError("names a layer otherwise than in a "
                                          "call");
      if (failed(follow(call, call.getOperand(argument.getArgNumber()))))
        return failure();
    }
    return success();
  }

  Tensor pooledWeight(Type type) {
    return withDim(type, 0, kvHeads * model.getHeadDim());
  }

  void poolWeight(WeightOp weight) {
    auto type = pooledWeight(weight.getType());
    weight.setType(type);
    if (auto value = dyn_cast_or_null<DenseElementsAttr>(weight.getValueAttr()))
      weight.setValueAttr(averageHeads(value, type, group, model.getHeadDim()));
    else
      weight.setPoolAttr(
          PoolAttr::get(module.getContext(), group, model.getHeadDim()));
  }

  /// Caches are the only tensors of rank 4.
  void poolCaches(func::FuncOp function) {
    auto pool = [&](Value value) {
      if (auto type = dyn_cast<Tensor>(value.getType());
          type && type.getRank() == 4)
        value.setType(withDim(type, 2, kvHeads));
    };
    for (Block &block : function.getBody())
      llvm::for_each(block.getArguments(), pool);
    function.walk(
        [&](Operation *op) { llvm::for_each(op->getResults(), pool); });
    if (function.isExternal())
      return;
    Operation *end = function.getBody().back().getTerminator();
    function.setFunctionType(FunctionType::get(
        module.getContext(), function.getBody().getArgumentTypes(),
        end->getOperandTypes()));
  }

  ModelAttr getPooledModel() {
    return ModelAttr::get(
        module.getContext(), model.getHiddenSize(), model.getIntermediateSize(),
        model.getLayers(), model.getHeads(), kvHeads, model.getHeadDim(),
        model.getVocabSize(), model.getPieces(), model.getMaxSeqLen(),
        model.getMaxBatch(), model.getRope(), model.getAlibi(),
        model.getWindow(), model.getRmsNormEps(), model.getTied(),
        model.getStorage());
  }

  ModuleOp module;
  ModelAttr model;
  const int64_t kvHeads, group;
  llvm::SetVector<Value> products;   // keys and values, turned ones too
  llvm::SetVector<Value> parameters; // their weights and biases
  llvm::SetVector<WeightOp> weights;
};

struct PoolKvHeadsPass : impl::PoolKvHeadsPassBase<PoolKvHeadsPass> {
  using PoolKvHeadsPassBase::PoolKvHeadsPassBase;

  void runOnOperation() override {
    ModuleOp module = getOperation();
    ModelAttr model = ModelAttr::of(module);
    if (!model) {
      module.emitError("has no attribute ") << ModelAttr::attrName;
      return signalPassFailure();
    }
    if (kvHeads < 1 || model.getKvHeads() % kvHeads != 0) {
      module.emitError("has ")
          << model.getKvHeads() << " KV heads, which do not form "
          << int64_t(kvHeads) << " groups of one size";
      return signalPassFailure();
    }
    if (kvHeads != model.getKvHeads() &&
        failed(Pooling(module, model, kvHeads).run()))
      signalPassFailure();
  }
};
} // namespace
} // namespace mlir::llama
