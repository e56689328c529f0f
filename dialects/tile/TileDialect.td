// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The tile dialect: what a specialised kernel is made of.
#ifndef LLAMAC_DIALECTS_TILE_TILEDIALECT_TD
#define LLAMAC_DIALECTS_TILE_TILEDIALECT_TD

include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"
include "mlir/IR/OpBase.td"

def Tile_Dialect : Dialect {
  let name = "tile";
  let cppNamespace = "::mlir::tile";
  let summary = "weight streams, rings of stages, tile products";
  let description = [{
    Everything of a kernel that `gpu`, `scf` and `arith` cannot say.

    Three kinds of op. *Streams* (`tile.stream`) stand at module level: each
    says which weights are packed where, in which order of rows. *Places*
    (`tile.place`, `tile.extent`) stand in the host functions and say what a
    launch is given. The rest stands in a `gpu.func` and names the steps of one
    warp.

    A tile is 64 rows of 128 bytes. Its 16-byte chunk c of row r lies at chunk
    c ^ (r % 8), so that eight rows of one column touch all banks of shared
    memory. Shared memory is one array per block, addressed by 32-bit byte
    offsets from its start.

    A fragment is what one warp holds of a 16 x 8 product, four f32 a lane:
    lane l has rows l/4 (elements 0, 1) and l/4 + 8 (elements 2, 3) of the
    columns 2*(l%4) and 2*(l%4) + 1. Operands of 16-bit types are i32
    registers of two elements, the lower one first.
  }];
  let useDefaultTypePrinterParser = 1;
  let dependentDialects = ["::mlir::LLVM::LLVMDialect"];
}

def Tile_RowOrder : I32EnumAttr<"RowOrder", "the order of a stream's rows", [
  I32EnumAttrCase<"Rows", 0, "rows">,
  I32EnumAttrCase<"RopePairs", 1, "rope_pairs">,
  I32EnumAttrCase<"GateUp", 2, "gate_up">,
  I32EnumAttrCase<"Vector", 3, "vector">,
  I32EnumAttrCase<"RopePairsVector", 4, "rope_pairs_vector">,
  I32EnumAttrCase<"GateUpVector", 5, "gate_up_vector">
]> {
  let cppNamespace = "::mlir::tile";
}

def Tile_Scope : I32EnumAttr<"Scope", "the threads that share a ring", [
  I32EnumAttrCase<"Warp", 0, "warp">,
  I32EnumAttrCase<"Block", 1, "block">
]> {
  let cppNamespace = "::mlir::tile";
}

def Tile_RingType : TypeDef<Tile_Dialect, "Ring"> {
  let mnemonic = "ring";
  let summary = "a ring of shared-memory stages";
  let description = [{
    `!tile.ring<4 x 8192 among warp>`: four stages of 8192 bytes, shared by the
    lanes of a warp (or all threads of a `block`). Step s uses stage s mod 4.
    The value holds where the stages and their barriers lie.

    Constraints: (C1) stages is a power of two, at most 64. (C2) stage bytes
    are a positive multiple of 16.
  }];
  let parameters = (ins "int64_t":$stages, "int64_t":$stageBytes, EnumParameter<Tile_Scope>:$scope);
  let assemblyFormat = "`<` $stages `x` $stageBytes `among` $scope `>`";
  let genVerifyDecl = 1;
}

#endif
