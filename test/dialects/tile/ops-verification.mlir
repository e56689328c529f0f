// One case per numbered constraint of TileOps.td and TileDialect.td.
// RUN: llama-opt %s -split-input-file -verify-diagnostics

// stream (C1)
// expected-error @+1 {{holds 'i32'; needs bf16, f16 or f32}}
tile.stream @s rows(@w) rows 16 k 16 of i32 at 0

// -----

// stream (C2)
// expected-error @+1 {{needs an offset that is a multiple of 1024}}
tile.stream @s rows(@w) rows 16 k 16 of bf16 at 512

// -----

// stream (C3)
// expected-error @+1 {{has 1 sources, which does not fit gate_up}}
tile.stream @s gate_up(@w) rows 16 k 16 of bf16 at 0

// -----

// stream (C4)
// expected-error @+1 {{needs an even head_dim exactly for rope pairs}}
tile.stream @s rope_pairs(@q, @k, @v) rows 16 k 16 of bf16 at 0 head_dim 3

// -----

// stream (C5)
// expected-error @+1 {{has 20 rows, which does not fit gate_up}}
tile.stream @s gate_up(@g, @u) rows 20 k 16 of bf16 at 0

// -----

// stream (C3)
// expected-error @+1 {{has 2 sources, which does not fit rope_pairs_vector}}
tile.stream @s rope_pairs_vector(@q, @k) rows 1 k 16 of bf16 at 0 head_dim 4

// -----

// stream (C4)
// expected-error @+1 {{needs an even head_dim exactly for rope pairs}}
tile.stream @s gate_up_vector(@g, @u) rows 1 k 16 of bf16 at 0 head_dim 4

// -----

// stream (C5)
// expected-error @+1 {{has 20 elements, which does not fit gate_up_vector}}
tile.stream @s gate_up_vector(@g, @u) rows 1 k 20 of bf16 at 0

// -----

// stream (C5)
// expected-error @+1 {{has 16 rows, which does not fit rope_pairs_vector}}
tile.stream @s rope_pairs_vector(@q, @k, @v) rows 16 k 16 of bf16 at 0 head_dim 4

// -----

// place (C1)
func.func @place(%b: !llvm.ptr<1>) {
  // expected-error @+1 {{has the negative offset -1}}
  %a = tile.place %b[-1] : !llvm.ptr<1>
  return
}

// -----

// extent (C1)
func.func @extent() {
  // expected-error @+1 {{needs a positive 32-bit multiplier and divisor}}
  %a = tile.extent * 1 per 0
  return
}

// -----

// ring type (C1)
// expected-error @+1 {{has 3 stages; needs a power of two, at most 64}}
func.func private @f(!tile.ring<3 x 1024 among warp>)

// -----

// ring type (C2)
// expected-error @+1 {{has stages of 8 bytes; needs a positive multiple of 16}}
func.func private @f(!tile.ring<4 x 8 among warp>)

// -----

// ring_fill (C1)
func.func @fill(%r: !tile.ring<4 x 1024 among warp>, %s: i32, %p: !llvm.ptr<1>, %w: i1) {
  // expected-error @+1 {{copies 2048 bytes into a stage of 1024}}
  tile.ring_fill %r[%s], %p if %w bytes 2048 : !tile.ring<4 x 1024 among warp>, !llvm.ptr<1>
  return
}

// -----

// product (C1)
func.func @product(%a: vector<4xi32>, %c: vector<4xf32>) {
  // expected-error @+1 {{of 'bf16' needs operands 'vector<4xi32>' and 'vector<2xi32>'}}
  %d = tile.product %a, %a, %c of bf16 : vector<4xi32>, vector<4xi32>
  return
}

// -----

// softmax_update (C1)
func.func @softmax(%s: vector<4xf32>, %m: vector<2xf32>) {
  // expected-error @+1 {{has 2 scores but 1 probabilities}}
  %p, %a, %b, %c = tile.softmax_update %s, %s max %m sum %m : vector<4xf32>, vector<4xf32> -> vector<4xf32>
  return
}
