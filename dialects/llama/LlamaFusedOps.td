// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The fused ops: made by compiler/fuse alone, gone after compiler/tile.
#ifndef LLAMAC_DIALECTS_LLAMA_LLAMAFUSEDOPS_TD
#define LLAMAC_DIALECTS_LLAMA_LLAMAFUSEDOPS_TD

include "LlamaOps.td"

def Llama_FusedLinearOp : Llama_Op<"fused_linear", [Pure, AttrSizedOperandSegments]> {
  let summary = "A product with its norm before it and its residual behind it";
  let description = [{
    `linear(input, weight)` with three optional parts.

    - `gamma`, `eps`: the input is normed. The product comes first and the scale
      of the row after it: `linear(gamma * input, weight) * rsqrt(mean(input^2) + eps)`.
      So `gamma * input` is what gets rounded. In f16 it is multiplied by a power
      of two that brings the row's largest magnitude into [1, 2), which is undone
      exactly afterwards: otherwise large residuals overflow.
    - `bias`: is added to the product, behind the norm's scale, in f32.
    - `residual`: is added to the result, in f32.

    **Life:** made by `llama-fuse-residual` and `llama-fuse-rms-norm-linear`;
    gone after `tile`.

    Example:

    ```mlir
    %x1 = llama.fused_linear %a, %w residual %x
       : (tensor<1x8x64xf32>, tensor<64x64xbf16>, tensor<1x8x64xf32>) -> tensor<1x8x64xf32>
    ```

    **Constraints:**
    - (C1) `input` has as many features as `weight` has columns.
    - (C2) the result is [batch, tokens, rows of `weight`].
    - (C3) `gamma` has as many elements as `input` has features.
    - (C4) `gamma` and `eps` come together.
    - (C5) `residual` has the result's type.
    - (C6) `bias` has one element per row of `weight`, of its element type.
  }];
  let arguments = (ins Llama_Activations:$input, Llama_Matrix:$weight,
                       Optional<Llama_Vector>:$gamma,
                       Optional<Llama_Vector>:$bias,
                       Optional<Llama_Activations>:$residual,
                       OptionalAttr<F32Attr>:$eps);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat = [{
    $input `,` $weight (`gamma` $gamma^)? (`eps` $eps^)? (`bias` $bias^)?
    (`residual` $residual^)? attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Llama_FusedQkvOp : Llama_Op<"fused_qkv", [Pure, AttrSizedOperandSegments]> {
  let summary = "The three products of attention, up to the cache";
  let description = [{
    One product of `input` with the stacked rows of the three weights, with
    three optional parts.

    - `gamma`, `eps`: the input is normed, as in `llama.fused_linear`.
    - `bias`: the biases of query, key and value are added, in f32: behind the
      norm's scale and before the rotation.
    - `cache`, `at`: key and value enter the caches, as `llama.kv_append` says.
      With `rope` query and key are turned before, as `llama.rope` says (`of`
      being its lengths). The results are then the query and the two new caches;
      without this part they are the three products.

    **Life:** made by `llama-fuse-qkv`; gets its parts from
    `llama-fuse-rms-norm-linear` and `llama-fuse-rope`; gone after `tile`.

    Example:

    ```mlir
    %q, %kc2, %vc2 = llama.fused_qkv %x, %wq, %wk, %wv gamma %g eps 1.0e-05
        cache %kc, %vc at %positions {rope = #llama.rope<theta = 1.0e+04 : f64>}
       : (tensor<1x8x64xf32>, tensor<64x64xbf16>, tensor<32x64xbf16>, tensor<32x64xbf16>,
          tensor<64xbf16>, tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>, tensor<1xi32>)
      -> (tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1x128x2x16xbf16>)
    ```

    **Constraints:**
    - (C1) `input` has as many features as each weight has columns.
    - (C2) the weights have one element type.
    - (C3) `gamma` has as many elements as `input` has features.
    - (C4) `gamma` and `eps` come together.
    - (C5) the caches and `positions` come together, and `rope` with them alone.
    - (C6) `query` is [batch, tokens, rows of `query_weight`].
    - (C7) without caches `key` and `value` are [batch, tokens, rows of their
      weight]; with caches they have the caches' types.
    - (C8) the caches have `input`'s batch, and `key_weight` and `value_weight`
      have kv_heads * head_dim rows.
    - (C9) the rows of `query_weight` are a whole number of heads, which is a
      multiple of kv_heads; head_dim is even.
    - (C10) `positions` has one element per sequence.
    - (C11) the three biases come together; each has one element per row of its
      weight, of the weights' element type.
    - (C12) `lengths` is there exactly where `rope` has the scaling `dynamic`, with
      one element per sequence.
  }];
  let arguments = (ins Llama_Activations:$input, Llama_Matrix:$query_weight,
                       Llama_Matrix:$key_weight, Llama_Matrix:$value_weight,
                       Optional<Llama_Vector>:$gamma,
                       Optional<Llama_Vector>:$query_bias,
                       Optional<Llama_Vector>:$key_bias,
                       Optional<Llama_Vector>:$value_bias,
                       Optional<Llama_Cache>:$key_cache,
                       Optional<Llama_Cache>:$value_cache,
                       Optional<Llama_PerSequence>:$positions,
                       Optional<Llama_PerSequence>:$lengths,
                       OptionalAttr<F32Attr>:$eps,
                       OptionalAttr<Llama_RopeAttr>:$rope);
  let results = (outs Llama_Activations:$query, Llama_ActivationsOrCache:$key,
                      Llama_ActivationsOrCache:$value);
  let assemblyFormat = [{
    $input `,` $query_weight `,` $key_weight `,` $value_weight
    (`gamma` $gamma^)? (`eps` $eps^)?
    (`bias` $query_bias^ `,` $key_bias `,` $value_bias)?
    (`cache` $key_cache^ `,` $value_cache)? (`at` $positions^)? (`of` $lengths^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Llama_FusedGateUpOp : Llama_Op<"fused_gate_up", [
    Pure, AttrSizedOperandSegments,
    AllTypesMatch<["gate_weight", "up_weight"]>]> {
  let summary = "silu(gate) * up";
  let description = [{
    `silu(linear(input, gate_weight)) * linear(input, up_weight)`: one product
    over the rows of both weights. With `gamma` and `eps` the input is normed, as
    in `llama.fused_linear`. With `bias` each product has its bias.

    **Life:** made by `llama-fuse-swiglu`; gets its norm from
    `llama-fuse-rms-norm-linear`; gone after `tile`.

    Example:

    ```mlir
    %m = llama.fused_gate_up %x, %wg, %wu gamma %g eps 1.0e-05
       : (tensor<1x8x64xf32>, tensor<172x64xbf16>, tensor<172x64xbf16>, tensor<64xbf16>)
      -> tensor<1x8x172xf32>
    ```

    **Constraints:**
    - (C1) `input` has as many features as each weight has columns.
    - (C2) the result is [batch, tokens, rows of either weight].
    - (C3) `gamma` has as many elements as `input` has features.
    - (C4) `gamma` and `eps` come together.
    - (C5) the two biases come together; each has one element per row of its
      weight, of its element type.
  }];
  let arguments = (ins Llama_Activations:$input, Llama_Matrix:$gate_weight,
                       Llama_Matrix:$up_weight, Optional<Llama_Vector>:$gamma,
                       Optional<Llama_Vector>:$gate_bias,
                       Optional<Llama_Vector>:$up_bias,
                       OptionalAttr<F32Attr>:$eps);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat = [{
    $input `,` $gate_weight `,` $up_weight (`gamma` $gamma^)? (`eps` $eps^)?
    (`bias` $gate_bias^ `,` $up_bias)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

#endif // LLAMAC_DIALECTS_LLAMA_LLAMAFUSEDOPS_TD
