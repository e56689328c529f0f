// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// TileLineNumbersPass: where the tiled module's text has each op of a kernel.
// Before and after: Passes.td. Test: test/tile/tile-line-numbers.mlir.
#include "compiler/tile/Passes.h"

#include "mlir/Dialect/GPU/IR/GPUDialect.h"
#include "mlir/IR/AsmState.h"
#include "llvm/Support/raw_ostream.h"

namespace mlir::tile {
#define GEN_PASS_DEF_TILELINENUMBERSPASS
#include "compiler/tile/Passes.h.inc"
} // namespace mlir::tile

using namespace mlir;

namespace {
struct TileLineNumbersPass
    : tile::impl::TileLineNumbersPassBase<TileLineNumbersPass> {
  void runOnOperation() override {
    AsmState::LocationMap places;
    OpPrintingFlags flags; // those of --emit=tiled
    AsmState state(getOperation(), flags, &places);
    llvm::raw_null_ostream nowhere;
    getOperation().print(nowhere, state);
    for (auto kernels : getOperation().getOps<gpu::GPUModuleOp>())
      kernels.walk([&](Operation *op) {
        auto file = op->getLoc()->findInstanceOf<FileLineColLoc>();
        auto place = places.find(op);
        // Columns are told from 0.
        if (file && place != places.end())
          op->setLoc(FileLineColLoc::get(file.getFilename(),
                                         place->second.first,
                                         place->second.second + 1));
      });
  }
};
} // namespace
