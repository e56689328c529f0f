// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The ops of a model as the paper writes it. The fused ones: LlamaFusedOps.td.
#ifndef LLAMAC_DIALECTS_LLAMA_LLAMAOPS_TD
#define LLAMAC_DIALECTS_LLAMA_LLAMAOPS_TD

include "LlamaAttributes.td"
include "LlamaDialect.td"
include "mlir/IR/BuiltinAttributeInterfaces.td"
include "mlir/IR/SymbolInterfaces.td"
include "mlir/Interfaces/InferTypeOpInterface.td"
include "mlir/Interfaces/SideEffectInterfaces.td"

class Llama_Op<string mnemonic, list<Trait> traits = []>
    : Op<Llama_Dialect, mnemonic, traits>;

//===----------------------------------------------------------------------===//
// Weights
//===----------------------------------------------------------------------===//

def Llama_WeightOp : Llama_Op<"weight", [Symbol]> {
  let summary = "A tensor of the checkpoint";
  let description = [{
    Declares a tensor under the name that the checkpoint gives it, in the
    storage type. Its bytes stay in the checkpoint's file; a test may give them
    as `value` instead. With `pool` the checkpoint's tensor is larger, and the
    weight is a mean of its rows.

    Example:

    ```mlir
    llama.weight @"model.norm.weight" : tensor<64xbf16>
    llama.weight @gamma : tensor<2xf32> = dense<[1.0, 2.0]> : tensor<2xf32>
    llama.weight @keys : tensor<32x64xbf16> pool <heads = 2, head_dim = 16>
    ```

    **Constraints:**
    - (C1) `value`, where given, has the type `type`.
    - (C2) `pool` goes without a `value`.
    - (C3) `pool`'s `head_dim` divides the rows.
  }];
  let arguments = (ins SymbolNameAttr:$sym_name,
                       TypeAttrOf<Llama_Weight>:$type,
                       OptionalAttr<ElementsAttr>:$value,
                       OptionalAttr<Llama_PoolAttr>:$pool);
  let assemblyFormat = [{
    $sym_name `:` $type (`pool` $pool^)? (`=` $value^)? attr-dict
  }];
  let hasVerifier = 1;
}

def Llama_GetWeightOp : Llama_Op<"get_weight", [
    Pure, DeclareOpInterfaceMethods<SymbolUserOpInterface>]> {
  let summary = "The value of a weight";
  let description = [{
    Example:

    ```mlir
    %gamma = llama.get_weight @"model.norm.weight" : tensor<64xbf16>
    ```

    **Constraints:**
    - (C1) `name` is a `llama.weight` of the module.
    - (C2) the result has its type.
  }];
  let arguments = (ins FlatSymbolRefAttr:$name);
  let results = (outs Llama_Weight:$result);
  let assemblyFormat = "$name `:` type($result) attr-dict";
}

//===----------------------------------------------------------------------===//
// The two ends: token to row, row to token
//===----------------------------------------------------------------------===//

def Llama_EmbedOp : Llama_Op<"embed", [Pure]> {
  let summary = "Rows of the embedding table";
  let description = [{
    `result[b, t, :] = f32(table[tokens[b, t], :])`. Exact. Ids outside the
    table are refused before they get here.

    Example:

    ```mlir
    %x = llama.embed %tokens, %table
       : (tensor<1x8xi32>, tensor<512x64xbf16>) -> tensor<1x8x64xf32>
    ```

    **Constraints:**
    - (C1) the result is [batch, tokens, columns of `table`].
  }];
  let arguments = (ins Llama_Tokens:$tokens, Llama_Matrix:$table);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat =
      "$tokens `,` $table attr-dict `:` functional-type(operands, results)";
  let hasVerifier = 1;
}

def Llama_LmHeadOp : Llama_Op<"lm_head", [Pure]> {
  let summary = "Logits over the vocabulary";
  let description = [{
    `linear(input, weight)`; with `gamma`, `linear(rms_norm(input, gamma),
    weight)` in which the scale is applied to the product (see
    `llama.fused_linear`). The part `gamma` is made by
    `llama-fuse-rms-norm-linear`.

    Example:

    ```mlir
    %l = llama.lm_head %n, %w
       : (tensor<1x8x64xf32>, tensor<512x64xbf16>) -> tensor<1x8x512xf32>
    %m = llama.lm_head %x, %w gamma %g eps 1.0e-05
       : (tensor<1x8x64xf32>, tensor<512x64xbf16>, tensor<64xbf16>)
      -> tensor<1x8x512xf32>
    ```

    **Constraints:**
    - (C1) `input` has as many features as `weight` has columns.
    - (C2) the result is [batch, tokens, rows of `weight`].
    - (C3) `gamma` has as many elements as `input` has features.
    - (C4) `gamma` and `eps` come together.
  }];
  let arguments = (ins Llama_Activations:$input, Llama_Matrix:$weight,
                       Optional<Llama_Vector>:$gamma,
                       OptionalAttr<F32Attr>:$eps);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat = [{
    $input `,` $weight (`gamma` $gamma^)? (`eps` $eps^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

def Llama_SampleOp : Llama_Op<"sample", [Pure]> {
  let summary = "The next token of each sequence";
  let description = [{
    Greedy: the id with the highest logit in the row of the last token; among
    equals the lowest id; only ids below `pieces`.

    Example:

    ```mlir
    %next = llama.sample %logits pieces 500 : (tensor<8x1x512xf32>) -> tensor<8xi32>
    ```

    **Constraints:**
    - (C1) the result has one element per sequence.
    - (C2) `pieces` is at least 1 and at most the number of logits.
  }];
  let arguments = (ins Llama_Activations:$logits, I64Attr:$pieces);
  let results = (outs Llama_PerSequence:$result);
  let assemblyFormat = [{
    $logits `pieces` $pieces attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Norm and product
//===----------------------------------------------------------------------===//

def Llama_RmsNormOp : Llama_Op<"rms_norm", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Root-mean-square norm over the features";
  let description = [{
    `result = gamma * input * rsqrt(mean(input^2) + eps)`, in f32.

    Example:

    ```mlir
    %n = llama.rms_norm %x, %gamma eps 1.0e-05 : tensor<1x8x64xf32>, tensor<64xbf16>
    ```

    **Constraints:**
    - (C1) `gamma` has as many elements as `input` has features.
  }];
  let arguments = (ins Llama_Activations:$input, Llama_Vector:$gamma, F32Attr:$eps);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat = [{
    $input `,` $gamma `eps` $eps attr-dict `:` type($input) `,` type($gamma)
  }];
  let hasVerifier = 1;
}

def Llama_LinearOp : Llama_Op<"linear", [Pure]> {
  let summary = "Product with a weight matrix";
  let description = [{
    `result[b, t, o] = sum over i of round(input[b, t, i]) * weight[o, i]`, where
    `round` is to the weight's element type, to nearest even, and the sum is f32;
    with `bias`, `+ bias[o]`, in f32.

    Example:

    ```mlir
    %q = llama.linear %n, %w
       : (tensor<1x8x64xf32>, tensor<64x64xbf16>) -> tensor<1x8x64xf32>
    %k = llama.linear %n, %w bias %b
       : (tensor<1x8x64xf32>, tensor<64x64xbf16>, tensor<64xbf16>) -> tensor<1x8x64xf32>
    ```

    **Constraints:**
    - (C1) `input` has as many features as `weight` has columns.
    - (C2) the result is [batch, tokens, rows of `weight`].
    - (C3) `bias` has one element per row of `weight`, of its element type.
  }];
  let arguments = (ins Llama_Activations:$input, Llama_Matrix:$weight,
                       Optional<Llama_Vector>:$bias);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat = [{
    $input `,` $weight (`bias` $bias^)?
    attr-dict `:` functional-type(operands, results)
  }];
  let hasVerifier = 1;
}

//===----------------------------------------------------------------------===//
// Attention
//===----------------------------------------------------------------------===//

def Llama_RopeOp : Llama_Op<"rope", [Pure, AllTypesMatch<["input", "result"]>]> {
  let summary = "Rotary positions";
  let description = [{
    The features are heads of `head_dim` elements. In each head the pair
    `(x[j], x[j + head_dim/2])` of token `t` of sequence `b` is turned by
    `(positions[b] + t) * inverse_frequency(j)`; `rope` says which frequencies.
    Those of the scaling `dynamic` are the ones of a sequence of `lengths[b]`
    tokens: all that will be in the cache once the prompt, of which these tokens
    may be a chunk, is.

    Example:

    ```mlir
    %r = llama.rope %q at %positions
         {head_dim = 16 : i64, rope = #llama.rope<theta = 1.0e+04 : f64>}
       : tensor<1x8x64xf32>, tensor<1xi32>
    ```

    **Constraints:**
    - (C1) the features are a whole number of heads.
    - (C2) `head_dim` is positive and even.
    - (C3) `positions` has one element per sequence.
    - (C4) `lengths` is there exactly for the scaling `dynamic`, with one element
      per sequence.
  }];
  let arguments = (ins Llama_Activations:$input, Llama_PerSequence:$positions,
                       Optional<Llama_PerSequence>:$lengths,
                       I64Attr:$head_dim, Llama_RopeAttr:$rope);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat = [{
    $input `at` $positions (`of` $lengths^)? attr-dict
    `:` type($input) `,` type($positions) (`,` type($lengths)^)?
  }];
  let hasVerifier = 1;
}

def Llama_KvAppendOp : Llama_Op<"kv_append", [
    Pure, AllTypesMatch<["key_cache", "value_cache", "new_key_cache", "new_value_cache"]>,
    AllTypesMatch<["key", "value"]>]> {
  let summary = "Keys and values enter the cache";
  let description = [{
    The caches with row `positions[b] + t` of sequence `b` replaced by token `t`
    of `key` and `value`, rounded to the cache's element type. Rows past the end
    of the cache are dropped: they belong to the padding of a last chunk.

    Example:

    ```mlir
    %kc2, %vc2 = llama.kv_append %kc, %vc, %k, %v at %positions
       : tensor<1x128x2x16xbf16>, tensor<1x8x32xf32>, tensor<1xi32>
    ```

    **Constraints:**
    - (C1) `key` has the cache's batch, and kv_heads * head_dim features.
    - (C2) `positions` has one element per sequence.
  }];
  let arguments = (ins Llama_Cache:$key_cache, Llama_Cache:$value_cache,
                       Llama_Activations:$key, Llama_Activations:$value,
                       Llama_PerSequence:$positions);
  let results = (outs Llama_Cache:$new_key_cache, Llama_Cache:$new_value_cache);
  let assemblyFormat = [{
    $key_cache `,` $value_cache `,` $key `,` $value `at` $positions attr-dict
    `:` type($key_cache) `,` type($key) `,` type($positions)
  }];
  let hasVerifier = 1;
}

def Llama_AttentionOp : Llama_Op<"attention", [
    Pure, AllTypesMatch<["query", "result"]>,
    AllTypesMatch<["key_cache", "value_cache"]>]> {
  let summary = "Causal attention of the query heads over the cache";
  let description = [{
    The features of `query` are heads of head_dim elements, head_dim and
    kv_heads being those of the caches; query head `h` attends to KV head
    `h div (heads / kv_heads)`, so MHA, GQA and MQA are one op. Token `t` of
    sequence `b` sees the rows `0 .. positions[b] + t` of the caches; with a
    `window` only the last `window` of these:

        s[j]   = round(query) . key[j] / sqrt(head_dim) [+ slope(h) * (j - positions[b] - t)]
        result = sum over j of round(exp(s[j] - max s)) * value[j] / sum over j of exp(s[j] - max s)

    where `round` is to the cache's element type and everything else is f32, and
    the part in brackets is that of `alibi`.

    Example:

    ```mlir
    %a = llama.attention %q, %kc, %vc at %positions
       : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
    %b = llama.attention %q, %kc, %vc at %positions {window = 32 : i64}
       : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
    %c = llama.attention %q, %kc, %vc at %positions
         {alibi = #llama.alibi<max_bias = 8.0 : f64>}
       : tensor<1x8x64xf32>, tensor<1x128x2x16xbf16>, tensor<1xi32>
    ```

    **Constraints:**
    - (C1) the features of `query` are a whole number of heads, which is a
      multiple of kv_heads.
    - (C2) `query` and the caches have the same batch.
    - (C3) `positions` has one element per sequence.
    - (C4) `window` is positive.
  }];
  let arguments = (ins Llama_Activations:$query, Llama_Cache:$key_cache,
                       Llama_Cache:$value_cache, Llama_PerSequence:$positions,
                       OptionalAttr<Llama_AlibiAttr>:$alibi,
                       OptionalAttr<I64Attr>:$window);
  let results = (outs Llama_Activations:$result);
  let assemblyFormat = [{
    $query `,` $key_cache `,` $value_cache `at` $positions attr-dict
    `:` type($query) `,` type($key_cache) `,` type($positions)
  }];
  let hasVerifier = 1;
  let extraClassDeclaration = [{
    int64_t getKvHeads() { return getKeyCache().getType().getDimSize(2); }
    int64_t getHeadDim() { return getKeyCache().getType().getDimSize(3); }
    int64_t getHeads() { return getQuery().getType().getDimSize(2) / getHeadDim(); }
  }];
}

//===----------------------------------------------------------------------===//
// Element by element
//===----------------------------------------------------------------------===//

class Llama_ElementwiseOp<string mnemonic, list<Trait> traits = []>
    : Llama_Op<mnemonic, !listconcat(traits, [Pure, SameOperandsAndResultType])> {
  let results = (outs Llama_Activations:$result);
}

def Llama_SiluOp : Llama_ElementwiseOp<"silu"> {
  let summary = "x / (1 + exp(-x))";
  let description = [{
    Example:

    ```mlir
    %s = llama.silu %gate : tensor<1x8x172xf32>
    ```
  }];
  let arguments = (ins Llama_Activations:$input);
  let assemblyFormat = "$input attr-dict `:` type($input)";
}

class Llama_BinaryOp<string mnemonic>
    : Llama_ElementwiseOp<mnemonic, [Commutative]> {
  let arguments = (ins Llama_Activations:$lhs, Llama_Activations:$rhs);
  let assemblyFormat = "$lhs `,` $rhs attr-dict `:` type($lhs)";
}

def Llama_MulOp : Llama_BinaryOp<"mul"> {
  let summary = "Product, element by element";
  let description = [{
    Example:

    ```mlir
    %m = llama.mul %s, %up : tensor<1x8x172xf32>
    ```
  }];
}

def Llama_AddOp : Llama_BinaryOp<"add"> {
  let summary = "Sum, element by element";
  let description = [{
    Example:

    ```mlir
    %x1 = llama.add %x, %o : tensor<1x8x64xf32>
    ```
  }];
}

#endif // LLAMAC_DIALECTS_LLAMA_LLAMAOPS_TD
