// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The passes of the phase fuse, and llama-to-linalg, by which they are tested.
#ifndef LLAMAC_COMPILER_FUSE_PASSES_TD
#define LLAMAC_COMPILER_FUSE_PASSES_TD

include "mlir/Pass/PassBase.td"

def PoolKvHeadsPass : Pass<"llama-pool-kv-heads", "::mlir::ModuleOp"> {
  let summary = "Groups of KV heads become one each, the mean of their projections";
  let description = [{
    Turns multi-head into grouped-query attention, as Ainslie et al. 2023 do
    before they train on: the key and value projections (biases too) of the heads
    `g * heads .. g * heads + heads - 1` are averaged, and these heads' queries
    share what comes out. A model in which the heads of each group are equal
    stays the same model. Caches, the layer functions and `llama.model` get
    `kv-heads` KV heads.

    A weight that has a `value` is averaged here. Any other gets the attribute
    `pool`, and its rows are averaged when the checkpoint's are read: in float64,
    rounded to float32, and then once to the storage type.

    **Rounding changes:** the mean of stored values is rounded to the storage type.

    The example has 4 heads, 4 KV heads and head_dim 2, and `kv-heads` is 2. Its
    weight `@k : tensor<8x8xbf16>` becomes
    `@k : tensor<4x8xbf16> pool <heads = 2, head_dim = 2>`.

    Before:

    ```mlir
    %wk = llama.get_weight @k : tensor<8x8xbf16>
    %k = llama.linear %n, %wk : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %kc1, %vc1 = llama.kv_append %kc, %vc, %k, %v at %p
       : tensor<1x16x4x2xbf16>, tensor<1x2x8xf32>, tensor<1xi32>
    ```

    After:

    ```mlir
    %wk = llama.get_weight @k : tensor<4x8xbf16>
    %k = llama.linear %n, %wk : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
    %kc1, %vc1 = llama.kv_append %kc, %vc, %k, %v at %p
       : tensor<1x16x2x2xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
    ```
  }];
  let options = [Option<"kvHeads", "kv-heads", "int64_t", "1",
                        "KV heads afterwards; divides those before">];
  let dependentDialects = ["::mlir::llama::LlamaDialect"];
}

def FuseQkvPass : Pass<"llama-fuse-qkv"> {
  let summary = "Three linears of one input become one op over stacked rows";
  let description = [{
    Which of the three is query, key or value is read off their use: value goes
    to `llama.kv_append`, key goes there too, turned or not, and query is the
    third linear of the input. Biases are stacked like the rows; all three have
    one, or none. Rounding does not change.

    Before:

    ```mlir
    %q = llama.linear %n, %wq : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %k = llama.linear %n, %wk : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
    %v = llama.linear %n, %wv : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
    ```

    After:

    ```mlir
    %q, %k, %v = llama.fused_qkv %n, %wq, %wk, %wv
       : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
      -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
    ```
  }];
  let dependentDialects = ["::mlir::llama::LlamaDialect"];
}

def FuseSwiGLUPass : Pass<"llama-fuse-swiglu"> {
  let summary = "gate, up, silu and mul become one op over the rows of both weights";
  let description = [{
    Gate and up have a bias each, or none. Rounding does not change.

    Before:

    ```mlir
    %g = llama.linear %n, %wg : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
    %u = llama.linear %n, %wu : (tensor<1x2x8xf32>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
    %s = llama.silu %g : tensor<1x2x12xf32>
    %m = llama.mul %s, %u : tensor<1x2x12xf32>
    ```

    After:

    ```mlir
    %m = llama.fused_gate_up %n, %wg, %wu
       : (tensor<1x2x8xf32>, tensor<12x8xbf16>, tensor<12x8xbf16>) -> tensor<1x2x12xf32>
    ```
  }];
  let dependentDialects = ["::mlir::llama::LlamaDialect"];
}

def FuseRmsNormLinearPass : Pass<"llama-fuse-rms-norm-linear"> {
  let summary = "A norm enters the one product that uses it";
  let description = [{
    The dot product comes first, the scale of the row after it, and a bias, which
    is not scaled, last. The user is a `linear`, `fused_linear`, `fused_qkv`,
    `fused_gate_up` or `lm_head`.

    **Rounding changes:** the unfused form rounds `gamma * x * scale` to the
    weight's type, the fused form rounds `gamma * x`. Gamma multiplies the
    activation and not the weight, because bf16(gamma * W) would round again.

    Before:

    ```mlir
    %n = llama.rms_norm %x, %gamma eps 1.0e-05 : tensor<1x2x8xf32>, tensor<8xbf16>
    %y = llama.linear %n, %w : (tensor<1x2x8xf32>, tensor<4x8xbf16>) -> tensor<1x2x4xf32>
    ```

    After:

    ```mlir
    %y = llama.fused_linear %x, %w gamma %gamma eps 1.0e-05
       : (tensor<1x2x8xf32>, tensor<4x8xbf16>, tensor<8xbf16>) -> tensor<1x2x4xf32>
    ```
  }];
  let dependentDialects = ["::mlir::llama::LlamaDialect"];
}

def FuseRopePass : Pass<"llama-fuse-rope"> {
  let summary = "Rotation and cache write enter the product of query, key and value";
  let description = [{
    Biases are added before the rotation. Rounding does not change: `kv_append`
    rounds in either form. Where neither query nor key is turned (ALiBi), the
    cache write enters alone.

    Before:

    ```mlir
    %q, %k, %v = llama.fused_qkv %x, %wq, %wk, %wv
       : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>)
      -> (tensor<1x2x8xf32>, tensor<1x2x4xf32>, tensor<1x2x4xf32>)
    %qr = llama.rope %q at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
       : tensor<1x2x8xf32>, tensor<1xi32>
    %kr = llama.rope %k at %p {head_dim = 4 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
       : tensor<1x2x4xf32>, tensor<1xi32>
    %kc1, %vc1 = llama.kv_append %kc, %vc, %kr, %v at %p
       : tensor<1x16x1x4xbf16>, tensor<1x2x4xf32>, tensor<1xi32>
    ```

    After:

    ```mlir
    %qr, %kc1, %vc1 = llama.fused_qkv %x, %wq, %wk, %wv cache %kc, %vc at %p
        {rope = #llama.rope<theta = 1.0e+04 : f64>}
       : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<4x8xbf16>, tensor<4x8xbf16>,
          tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>, tensor<1xi32>)
      -> (tensor<1x2x8xf32>, tensor<1x16x1x4xbf16>, tensor<1x16x1x4xbf16>)
    ```
  }];
  let dependentDialects = ["::mlir::llama::LlamaDialect"];
}

def FuseResidualPass : Pass<"llama-fuse-residual"> {
  let summary = "A residual enters the product that is added to it";
  let description = [{
    Rounding does not change.

    Before:

    ```mlir
    %o = llama.linear %a, %w : (tensor<1x2x8xf32>, tensor<8x8xbf16>) -> tensor<1x2x8xf32>
    %y = llama.add %x, %o : tensor<1x2x8xf32>
    ```

    After:

    ```mlir
    %y = llama.fused_linear %a, %w residual %x
       : (tensor<1x2x8xf32>, tensor<8x8xbf16>, tensor<1x2x8xf32>) -> tensor<1x2x8xf32>
    ```
  }];
  let dependentDialects = ["::mlir::llama::LlamaDialect"];
}

def CheckFusedPass : Pass<"llama-check-fused"> {
  let summary = "What holds after fuse: only fused ops are left";
  let description = [{
    Changes nothing. An error for each op that a fusion should have taken:
    `rms_norm linear rope kv_append silu mul add`, and a `fused_qkv` that does
    not reach the cache. What may be left is `weight get_weight embed attention
    lm_head sample` and the fused ops.
  }];
}

def LlamaToLinalgPass : Pass<"llama-to-linalg", "::mlir::ModuleOp"> {
  let summary = "llama ops, fused ones included, become linalg on tensors";
  let description = [{
    The executor of the value tests: what comes out runs in mlir-runner. It is
    written for plainness, not for speed, and is no part of the compiler's
    pipeline. Products, sums and rounding are those of the ops' descriptions.

    A `llama.weight` becomes a `memref.global` of its name: with its `value`, or
    external, to be given by whoever runs the module.

    Before:

    ```mlir
    %y = llama.add %x, %o : tensor<1x2x8xf32>
    ```

    After:

    ```mlir
    %e = tensor.empty() : tensor<1x2x8xf32>
    %y = linalg.generic {indexing_maps = [#id], iterator_types = ["parallel", "parallel", "parallel"]}
        outs(%e : tensor<1x2x8xf32>) {
      ^bb0(%out: f32):
        %b = linalg.index 0 : index
        %t = linalg.index 1 : index
        %i = linalg.index 2 : index
        %l = tensor.extract %x[%b, %t, %i] : tensor<1x2x8xf32>
        %r = tensor.extract %o[%b, %t, %i] : tensor<1x2x8xf32>
        %s = arith.addf %l, %r : f32
        linalg.yield %s : f32
    } -> tensor<1x2x8xf32>
    ```
  }];
  let dependentDialects = [
    "::mlir::arith::ArithDialect", "::mlir::bufferization::BufferizationDialect",
    "::mlir::linalg::LinalgDialect", "::mlir::math::MathDialect",
    "::mlir::memref::MemRefDialect", "::mlir::tensor::TensorDialect"];
}

#endif // LLAMAC_COMPILER_FUSE_PASSES_TD
