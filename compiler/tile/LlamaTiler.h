// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Follows a fused function op by op and emits its launches.
#ifndef LLAMAC_COMPILER_TILE_LLAMATILER_H
#define LLAMAC_COMPILER_TILE_LLAMATILER_H

#include "compiler/tile/KernelLibrary.h"
#include "compiler/tile/StreamPlan.h"
#include "compiler/tile/TileHostFunctions.h"
#include "compiler/tile/Workspace.h"
#include "mlir/Dialect/Func/IR/FuncOps.h"
#include "runtime/GpuTable.h"

#include <optional>

namespace mlir::tile {

class LlamaTiler {
public:
  /// `blocks`: most blocks of a product side by side over its rows; 0: as many
  /// as the GPU holds at once.
  LlamaTiler(ModuleOp module, llama::ModelAttr model, Workspace workspace,
             const llrt::GpuRow &gpu, int64_t blocks, gpu::GPUModuleOp kernels,
             OpBuilder &streamBuilder);

  /// Emits @prefill, @decode and @head at the insertion point of `builder` and
  /// puts the plan's dictionaries on the module.
  LogicalResult tile(OpBuilder &builder, func::FuncOp prefill,
                     func::FuncOp decode);

private:
  /// What a value of the fused function is in the tiled one.
  struct Known {
    enum Kind {
      Other,
      Weight,
      Residual,
      Query,
      Attention,
      Ffn,
      Logits
    } kind = Other;
    StringRef weight;    ///< Weight: its name
    int64_t version = 0; ///< Residual: it is overwritten by the next
  };

  LogicalResult tileFunction(OpBuilder &builder, StringRef name,
                             func::FuncOp function, int64_t tokensPerBlock);
  LogicalResult visit(func::FuncOp function, SmallVectorImpl<Known> &results);
  LogicalResult visit(Operation &op);
  LogicalResult visitCall(func::CallOp call);

  // One op family each; LlamaTilerOps.cpp.
  LogicalResult tileEmbed(llama::EmbedOp op);
  LogicalResult tileQkv(llama::FusedQkvOp op);
  LogicalResult tileAttention(llama::AttentionOp op);
  LogicalResult tileLinear(llama::FusedLinearOp op);
  LogicalResult tileGateUp(llama::FusedGateUpOp op);
  LogicalResult tileHead(llama::LmHeadOp op);
  LogicalResult tileSample(llama::SampleOp op);

  /// Where a value lies, or an error that it lies elsewhere.
  LogicalResult expect(Operation *op, Value value, Known::Kind kind);
  FailureOr<StringRef> getWeight(Operation *op, Value value);
  /// The stream of a product's biases, in the order of its rows; null where
  /// there are none.
  FailureOr<StreamOp> getBias(Operation *op, ArrayRef<Value> values,
                              StringRef name, RowOrder order, int64_t rows);
  FailureOr<StreamOp> getGamma(Operation *op, Value value, StringRef name);
  std::string nameInLayer(StringRef part) const;

  /// A location whose file is what the kernels of all layers are of:
  /// "model.layers.*.mlp.gate_proj.weight + model.layers.*.mlp.up_proj.weight".
  Location locate(StreamOp stream) const;
  Location locate(StringRef part) const;

  /// A launch in `function`, and in the kernel what it may take for it.
  void launch(HostFunction &function, Location loc, gpu::GPUFuncOp kernel,
              const HostFunction::Shape &shape, ValueRange arguments);
  ProductShape startShape(Epilogue epilogue, StreamOp stream) const;
  /// `bias`, where there is one, becomes the argument before the last.
  void launchProduct(Location loc, ProductShape shape, StringRef role,
                     HostFunction::Variable rows, ArrayRef<Value> arguments,
                     StreamOp bias = {});

  ModuleOp module;
  llama::ModelAttr model;
  Workspace workspace;
  const llrt::GpuRow &gpu;
  int64_t blocks;
  AttentionShape attention;
  KernelLibrary kernels;
  StreamPlan streams;
  Builder attributes;

  // Of the function being tiled.
  std::optional<HostFunction> host;
  bool isDecode = false;
  int64_t tokensPerBlock = 8;
  int64_t layer = -1;  ///< of the last fused_qkv
  int64_t version = 0; ///< of the residual stream
  llvm::DenseMap<Value, Known> known;
  // Of @head; both functions must agree.
  std::optional<HostFunction> head;
  StreamOp headStream, headGamma;
  bool headHasLogits = false, headHasSample = false;
};

} // namespace mlir::tile

#endif
