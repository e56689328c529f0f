// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops of the tile dialect.
#ifndef LLAMAC_DIALECTS_TILE_TILEOPS_TD
#define LLAMAC_DIALECTS_TILE_TILEOPS_TD

include "dialects/tile/TileDialect.td"
include "mlir/Dialect/LLVMIR/LLVMTypes.td"
include "mlir/IR/BuiltinAttributes.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Tile_Op<string mnemonic, list<Trait> traits = []>
    : Op<Tile_Dialect, mnemonic, traits>;

def Tile_GlobalPointer : LLVM_PointerInAddressSpace<1>;
class Tile_Vector<int n> : Type<FixedVectorOfLengthAndType<[n], [F32]>.predicate,
    "vector of " # n # " f32", "::mlir::VectorType">,
    BuildableType<"::mlir::VectorType::get({" # n # "}, $_builder.getF32Type())">;
def Tile_Fragment : Tile_Vector<4>;
def Tile_RowPair : Tile_Vector<2>;

//===----------------------------------------------------------------------===//
// Module level: the packing plan
//===----------------------------------------------------------------------===//

def Tile_StreamOp : Tile_Op<"stream", [Symbol]> {
  let summary = "a packed weight matrix: what it holds and where it lies";
  let description = [{
    The matrix of `rows` x `k` elements that the products of one op read, in
    the weight buffer from byte `offset`. It is cut into tiles of 64 rows x 128
    bytes of k (64 elements of 16 bits or 32 of f32), 8 KB each, in the order
    [row tile][k tile]; rows and k are padded with zeros to whole tiles. `rows`
    counts packed rows before the padding to 64.

    Order of the rows:
    - `rows`: the sources one after the other, as stored.
    - `rope_pairs`: three sources, the projections of query, key and value.
      Rows come in groups of 16 that hold 8 pairs: pair 8*g + r has its first
      element in row 16*g + r and its second in row 16*g + r + 8. Pair
      h*(D/2) + j is, for the query heads and then the key heads, elements j
      and j + D/2 of head h; for the value heads after them, 2*j and 2*j + 1.
      D is `head_dim`.
    - `gate_up`: two sources, gate and up. Groups of 16 as above; pair i is row
      i of gate and row i of up.
    - `vector`: one source of rank 1, `k` elements as stored, zeros up to a
      whole tile of k. No tiles.
    - `rope_pairs_vector`, `gate_up_vector`: the biases of such rows, sources of
      rank 1: `k` elements, element i being that of row i. No tiles.

    ```mlir
    tile.stream @layer0.qkv rope_pairs(@q_proj, @k_proj, @v_proj)
      rows 512 k 256 of bf16 at 0 head_dim 64
    ```

    Constraints: (C1) element is bf16, f16 or f32. (C2) offset is a multiple of
    1024 and rows and k are positive. (C3) the number of sources is three for
    rope pairs, two for gate and up, one for `vector`. (C4) rope pairs have an
    even head_dim, the others have none. (C5) rows of pairs are a multiple
    of 16, and so are the elements of a vector of pairs; a vector has one row.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
      Tile_RowOrder:$order,
      TypedArrayAttrBase<FlatSymbolRefAttr, "names of weights">:$sources,
      I64Attr:$rows, I64Attr:$k, TypeAttr:$element, I64Attr:$offset,
      OptionalAttr<I64Attr>:$head_dim);
  let assemblyFormat = [{
    $sym_name $order `(` custom<Sources>($sources) `)` `rows` $rows `k` $k
    `of` $element `at` $offset (`head_dim` $head_dim^)? attr-dict
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    static constexpr int64_t tileRows = 64;
    static constexpr int64_t tileRowBytes = 128;
    static constexpr int64_t tileBytes = tileRows * tileRowBytes;
    int64_t getElementBytes() { return getElement().getIntOrFloatBitWidth() / 8; }
    bool isVector() {
      return getOrder() != RowOrder::Rows && getOrder() != RowOrder::RopePairs &&
             getOrder() != RowOrder::GateUp;
    }
    /// Elements of k in a tile.
    int64_t getTileK() { return tileRowBytes / getElementBytes(); }
    int64_t getRowTiles() { return (getRows() + tileRows - 1) / tileRows; }
    int64_t getKTiles() { return (getK() + getTileK() - 1) / getTileK(); }
    /// Bytes in the weight buffer, without the padding up to the next stream.
    int64_t getPackedBytes() {
      return isVector() ? getKTiles() * tileRowBytes
                        : getRowTiles() * getKTiles() * tileBytes;
    }
  }];
}

//===----------------------------------------------------------------------===//
// Host functions: what a launch is given
//===----------------------------------------------------------------------===//

def Tile_PlaceOp : Tile_Op<"place", [Pure, AllTypesMatch<["buffer", "address"]>]> {
  let summary = "an address in a device buffer, known at build time";
  let description = [{
    ```mlir
    %w = tile.place %weights[1048576]
    ```
    Constraints: (C1) the offset is not negative.
  }];
  let arguments = (ins Tile_GlobalPointer:$buffer, I64Attr:$offset);
  let results = (outs Tile_GlobalPointer:$address);
  let assemblyFormat = "$buffer `[` $offset `]` attr-dict `:` qualified(type($buffer))";
  let hasVerifier = 1;
}

def Tile_ExtentOp : Tile_Op<"extent", [Pure]> {
  let summary = "a grid size: ceil(variable * multiplier / divisor)";
  let description = [{
    Without a variable the variable is 1. Where it is 0 the grid is empty, and
    the launch is not made.
    ```mlir
    %y = tile.extent %tokens * 1 per 32
    %x = tile.extent * 4 per 1
    ```
    Constraints: (C1) multiplier and divisor are positive and fit 32 bits.
  }];
  let arguments = (ins Optional<I32>:$variable, I64Attr:$multiplier, I64Attr:$divisor);
  let results = (outs Index:$extent);
  let assemblyFormat = "($variable^)? `*` $multiplier `per` $divisor attr-dict";
  let hasVerifier = 1;
}

def Tile_StartNextOp : Tile_Op<"start_next"> {
  let summary = "let the next kernel's blocks start";
  let description = [{
    Where the GPU starts kernels early, the blocks of the next one come when all
    blocks of this one have been here, as far as there is room for them, and run
    up to their tile.await_previous. Elsewhere nothing is left to do. At the
    start of every kernel: so weights of several kernels are on their way at
    once, and the memory has no pause between two of them.
    ```mlir
    tile.start_next
    ```
  }];
  let assemblyFormat = "attr-dict";
}

def Tile_AwaitPreviousOp : Tile_Op<"await_previous"> {
  let summary = "wait for the kernels launched before this one";
  let description = [{
    Behind it a kernel sees what the kernels before it in the stream have
    written and may write what they read. Before it, where the GPU starts
    kernels early, all kernels since the step's first may still work; that one
    started when all of earlier steps had ended. So besides weights and its own
    shared memory a kernel may read, and only read, what none of its step
    writes, by ring copies or by loads past the multiprocessor's own cache.
    Elsewhere it was started after the others' end, and nothing is left to do.
    On every path of every kernel; a second time it changes nothing.
    ```mlir
    tile.await_previous
    ```
  }];
  let assemblyFormat = "attr-dict";
}

//===----------------------------------------------------------------------===//
// Shared memory
//===----------------------------------------------------------------------===//

def Tile_SharedLoadOp : Tile_Op<"shared_load", [MemoryEffects<[MemRead]>]> {
  let summary = "a load from shared memory, aligned to its size";
  let description = [{
    ```mlir
    %v = tile.shared_load %offset : vector<4xf32>
    ```
  }];
  let arguments = (ins I32:$offset);
  let results = (outs LLVM_Type:$value);
  let assemblyFormat = "$offset attr-dict `:` type($value)";
}

def Tile_SharedStoreOp : Tile_Op<"shared_store", [MemoryEffects<[MemWrite]>]> {
  let summary = "a store to shared memory, aligned to its size";
  let description = [{
    ```mlir
    tile.shared_store %v, %offset : f32
    ```
  }];
  let arguments = (ins LLVM_Type:$value, I32:$offset);
  let assemblyFormat = "$value `,` $offset attr-dict `:` type($value)";
}

//===----------------------------------------------------------------------===//
// Rings
//===----------------------------------------------------------------------===//

// The steps of a ring, in the order of a loop that reads step after step:
//
//   fill 0 .. stages-1; synchronise; for each step s: wait s; read the stage;
//   release; fill s + stages
//
// A fill may also come later, but before the wait that follows. What copies
// (one thread that orders a bulk copy, or every thread its share) is left to
// the lowering, by what the GPU has; so each of these ops is for all threads of
// the ring's scope, converged.

def Tile_RingOp : Tile_Op<"ring"> {
  let summary = "a ring of stages: data at one offset, barriers at another";
  let description = [{
    Creates the ring. Its stages lie from `data`, and stages * 8 bytes from
    `barriers` are its own. The threads of the scope must synchronise before
    the first wait.
    ```mlir
    %ring = tile.ring %data, %barriers : !tile.ring<4 x 8192 among warp>
    ```
  }];
  let arguments = (ins I32:$data, I32:$barriers);
  let results = (outs Tile_RingType:$ring);
  let assemblyFormat = "$data `,` $barriers attr-dict `:` qualified(type($ring))";
}

def Tile_RingFillOp : Tile_Op<"ring_fill"> {
  let summary = "start to fill the stage of a step from global memory";
  let description = [{
    For every step in order, also for those that are not `wanted`, which copy
    nothing; for steps past the first round only after `tile.ring_release` of
    the step that used the stage before. `source` must be good only where the
    step is wanted. `bytes` are copied to the start of the stage; the default
    is the whole stage.
    ```mlir
    tile.ring_fill %ring[%step], %source if %wanted : !tile.ring<4 x 8192 among warp>, !llvm.ptr<1>
    ```
    Constraints: (C1) bytes are a positive multiple of 16 and at most a stage.
  }];
  let arguments = (ins Tile_RingType:$ring, I32:$step, Tile_GlobalPointer:$source, I1:$wanted,
      OptionalAttr<I64Attr>:$bytes);
  let assemblyFormat = [{
    $ring `[` $step `]` `,` $source `if` $wanted (`bytes` $bytes^)? attr-dict
    `:` qualified(type($ring)) `,` qualified(type($source))
  }];
  let hasVerifier = 1;
}

def Tile_RingWaitOp : Tile_Op<"ring_wait"> {
  let summary = "wait until a step's stage is full; gives its offset";
  let description = [{
    For every wanted step in order, when the next stages - 1 steps have had
    their `tile.ring_fill`.
    ```mlir
    %stage = tile.ring_wait %ring[%step] : !tile.ring<4 x 8192 among warp>
    ```
  }];
  let arguments = (ins Tile_RingType:$ring, I32:$step);
  let results = (outs I32:$stage);
  let assemblyFormat = "$ring `[` $step `]` attr-dict `:` qualified(type($ring))";
}

def Tile_RingReleaseOp : Tile_Op<"ring_release"> {
  let summary = "wait until all threads that share the ring have read a stage";
  let description = [{
    Afterwards the stage may be filled again.
    ```mlir
    tile.ring_release %ring : !tile.ring<4 x 8192 among warp>
    ```
  }];
  let arguments = (ins Tile_RingType:$ring);
  let assemblyFormat = "$ring attr-dict `:` qualified(type($ring))";
}

//===----------------------------------------------------------------------===//
// Products
//===----------------------------------------------------------------------===//

def Tile_LoadMatricesOp : Tile_Op<"load_matrices", [MemoryEffects<[MemRead]>]> {
  let summary = "8 x 8 matrices of 16-bit elements from shared memory";
  let description = [{
    By a whole warp. Lane 8*m + r gives the offset of row r of matrix m, which
    is 16 bytes. Result register m of lane l has elements 2*(l%4) and
    2*(l%4) + 1 of row l/4 of matrix m; with `transposed`, elements 2*(l%4) and
    2*(l%4) + 1 of column l/4.
    ```mlir
    %a = tile.load_matrices %offset : vector<4xi32>
    ```
  }];
  let arguments = (ins I32:$offset, UnitAttr:$transposed);
  let results = (outs FixedVectorOfLengthAndType<[2, 4], [I32]>:$registers);
  let assemblyFormat = "$offset (`transposed` $transposed^)? attr-dict `:` type($registers)";
}

def Tile_ProductOp : Tile_Op<"product", [Pure, AllTypesMatch<["accumulator", "result"]>]> {
  let summary = "one 16 x 8 tile product, accumulated in f32";
  let description = [{
    accumulator + a x b, by a whole warp.

    16-bit elements: 16 x 16 times 16 x 8. `a` is four registers (rows 0-7 and
    8-15 of k 0-7, then of k 8-15), `b` two (k 0-7, k 8-15; column l/4): each
    as `tile.load_matrices` gives it.

    f32: 16 x 4 times 4 x 8. `a` is k 0-3 of rows l/4 and l/4 + 8, `b` is k 0-3
    of columns 2*(l%4) and 2*(l%4) + 1; the sum runs over ascending k, each
    step one fused multiply-add.
    ```mlir
    %d = tile.product %a, %b, %c of bf16 : vector<4xi32>, vector<2xi32>
    %f = tile.product %x, %y, %c of f32 : vector<8xf32>, vector<8xf32>
    ```
    Constraints: (C1) element is bf16 or f16 with registers of i32, or f32 with
    eight f32 in each operand.
  }];
  let arguments = (ins AnyVectorOfNonZeroRank:$a, AnyVectorOfNonZeroRank:$b,
      Tile_Fragment:$accumulator, TypeAttr:$element);
  let results = (outs Tile_Fragment:$result);
  let assemblyFormat = "$a `,` $b `,` $accumulator `of` $element attr-dict `:` type($a) `,` type($b)";
  let hasVerifier = 1;
}

def Tile_SoftmaxUpdateOp : Tile_Op<"softmax_update", [Pure]> {
  let summary = "the online-softmax step over one row of score fragments";
  let description = [{
    `scores` are fragments side by side: 16 rows x 8*n columns, already scaled
    to base 2, minus infinity where masked. `maximum` and `sum` hold this
    lane's two rows (l/4 and l/4 + 8). Gives

    - maximum' = max(maximum, largest score of the row), the same in all four
      lanes of a row;
    - scale = exp2(maximum - maximum'), by which older sums shrink;
    - probabilities = exp2(score - maximum');
    - sum' = sum * scale + this lane's probabilities, in ascending column order
      of the lane. It stays a share of the lane: a row's sum is that of its
      four lanes.

    While a row has seen no score but minus infinity, its maximum stays minus
    infinity, its scale is 1 and its probabilities are 0.
    ```mlir
    %p:2, %scale, %m1, %l1 = tile.softmax_update %s0, %s1 max %m0 sum %l0
    ```
    Constraints: (C1) as many probabilities as scores.
  }];
  let arguments = (ins Variadic<Tile_Fragment>:$scores, Tile_RowPair:$maximum, Tile_RowPair:$sum);
  let results = (outs Variadic<Tile_Fragment>:$probabilities, Tile_RowPair:$scale,
      Tile_RowPair:$newMaximum, Tile_RowPair:$newSum);
  let assemblyFormat = [{
    $scores `max` $maximum `sum` $sum attr-dict `:` type($scores) `->` type($probabilities)
  }];
  let hasVerifier = 1;
}

#endif
