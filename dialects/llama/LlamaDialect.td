// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// The llama dialect and the types that its ops share.
#ifndef LLAMAC_DIALECTS_LLAMA_LLAMADIALECT_TD
#define LLAMAC_DIALECTS_LLAMA_LLAMADIALECT_TD

include "mlir/IR/CommonTypeConstraints.td"
include "mlir/IR/DialectBase.td"
include "mlir/IR/OpBase.td"

def Llama_Dialect : Dialect {
  let name = "llama";
  let cppNamespace = "::mlir::llama";
  let summary = "What a Llama model is, as the paper writes it";
  let description = [{
    Ops of a decoder-only transformer (RMSNorm, rotary positions, grouped-query
    attention, SwiGLU) on static tensors. Nothing here says how a product is
    computed, where a weight lies, or what a GPU is.

    - **Activations** are `tensor<batch x tokens x features x f32>`.
    - **Weights** have the *storage type*: `bf16`, `f16` or `f32`. A matrix is
      `tensor<out x in>`, as the checkpoint stores it.
    - **Caches** are `tensor<batch x positions x kv_heads x head_dim>` in the
      storage type; `llama.kv_append` takes one and returns the next.
    - **Positions** are `tensor<batch x i32>`: the position of token 0 of each
      sequence. Token `t` has position `positions[b] + t`. Where the angles of the
      rotation depend on them there are **lengths** of the same type: how long
      each sequence is with the whole of its prompt.

    A module holds one `llama.weight` symbol per tensor of the checkpoint, under
    the checkpoint's name, and the functions `@prefill` (tokens of one sequence)
    and `@decode` (one token of each sequence). Each calls its layer function
    once per layer, with the weights of that layer as operands. The attribute
    `llama.model` (`#llama.model`) on the module holds the sizes.

    Ops whose names begin with `fused_` are made by the phase `fuse` alone and
    are gone after `tile`.
  }];
  let dependentDialects = [];
  let useDefaultAttributePrinterParser = 1;
  let hasOperationAttrVerify = 1;
}

//===----------------------------------------------------------------------===//
// Types that the ops share
//===----------------------------------------------------------------------===//

class Llama_Tensor<list<Type> elements, int rank, string summary>
    : RankedTensorOf<elements, [HasStaticShapePred, HasAnyRankOfPred<[rank]>],
                     summary>;

def Llama_StorageType : AnyTypeOf<[BF16, F16, F32], "storage type">;

def Llama_Activations
    : Llama_Tensor<[F32], 3, "activations: static [batch, tokens, features] tensor">;
def Llama_Matrix
    : Llama_Tensor<[BF16, F16, F32], 2, "weight matrix: static [out, in] tensor">;
def Llama_Vector
    : Llama_Tensor<[BF16, F16, F32], 1, "weight vector: static [features] tensor">;
def Llama_Weight : AnyTypeOf<[Llama_Matrix, Llama_Vector]>;
def Llama_Cache
    : Llama_Tensor<[BF16, F16, F32], 4,
                   "cache: static [batch, positions, kv_heads, head_dim] tensor">;
def Llama_Tokens : Llama_Tensor<[I32], 2, "tokens: static [batch, tokens] tensor">;
def Llama_PerSequence : Llama_Tensor<[I32], 1, "static [batch] tensor">;
def Llama_ActivationsOrCache : AnyTypeOf<[Llama_Activations, Llama_Cache]>;

#endif // LLAMAC_DIALECTS_LLAMA_LLAMADIALECT_TD
