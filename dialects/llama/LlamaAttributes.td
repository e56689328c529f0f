// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
// Attributes of the llama dialect: the model's sizes and the position scheme.
#ifndef LLAMAC_DIALECTS_LLAMA_LLAMAATTRIBUTES_TD
#define LLAMAC_DIALECTS_LLAMA_LLAMAATTRIBUTES_TD

include "LlamaDialect.td"
include "mlir/IR/AttrTypeBase.td"
include "mlir/IR/EnumAttr.td"

class Llama_Attr<string name, string attrMnemonic> : AttrDef<Llama_Dialect, name> {
  let mnemonic = attrMnemonic;
  let genVerifyDecl = 1;
}

def Llama_RopeScalingKind : I32EnumAttr<"RopeScalingKind", "how rotary positions are stretched", [
  I32EnumAttrCase<"Linear", 0, "linear">,
  I32EnumAttrCase<"Llama3", 1, "llama3">
]> {
  let cppNamespace = "::mlir::llama";
  let genSpecializedAttr = 0;
}

def Llama_RopeScalingAttr : Llama_Attr<"RopeScaling", "rope_scaling"> {
  let summary = "Rotary positions stretched to a longer context";
  let description = [{
    `linear` divides every frequency by `factor`. `llama3` divides those whose
    wavelength is over `original / low_freq_factor`, leaves those under
    `original / high_freq_factor`, and goes from one to the other between them,
    linearly in `original / wavelength`.

    Example:

    ```mlir
    #llama.rope_scaling<linear, factor = 4.0 : f64>
    #llama.rope_scaling<llama3, factor = 8.0 : f64, low_freq_factor = 1.0 : f64,
                        high_freq_factor = 4.0 : f64, original = 8192>
    ```

    **Constraints:**
    - (C1) `factor` is finite and at least 1.
    - (C2) `low_freq_factor`, `high_freq_factor` and `original` are there for
      `llama3`, and for it alone.
    - (C3) `low_freq_factor` is finite and positive, and below
      `high_freq_factor`.
    - (C4) `original` is not negative.
  }];
  let parameters = (ins
    EnumParameter<Llama_RopeScalingKind>:$kind,
    "::mlir::FloatAttr":$factor,
    OptionalParameter<"::mlir::FloatAttr">:$low_freq_factor,
    OptionalParameter<"::mlir::FloatAttr">:$high_freq_factor,
    DefaultValuedParameter<"int64_t", "0">:$original
  );
  let assemblyFormat = [{
    `<` $kind `,` struct($factor, $low_freq_factor, $high_freq_factor, $original) `>`
  }];
  let extraClassDeclaration = [{
    /// `frequency` stretched; both are angles of a pair at position 1.
    double stretch(double frequency) const;
  }];
}

def Llama_RopeAttr : Llama_Attr<"Rope", "rope"> {
  let summary = "Rotary positions";
  let description = [{
    Pair `j` of a head of `D` elements is turned by the angle
    `position * theta^(-2j/D)`, that frequency stretched where there is a
    `scaling`; the pair is the elements `j` and `j + D/2`, as Hugging Face lays
    out the weights.

    Example:

    ```mlir
    #llama.rope<theta = 1.000000e+04 : f64>
    #llama.rope<theta = 1.000000e+04 : f64, scaling = <linear, factor = 4.0 : f64>>
    ```

    **Constraints:**
    - (C1) `theta` is finite and positive.
  }];
  let parameters = (ins
    "::mlir::FloatAttr":$theta,
    OptionalParameter<"::mlir::llama::RopeScalingAttr">:$scaling
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    double getThetaAsDouble() const { return getTheta().getValueAsDouble(); }
    /// The angle of pair `pair` at position 1, in float64.
    double getInverseFrequency(int64_t pair, int64_t headDim) const;
  }];
}

def Llama_PoolAttr : Llama_Attr<"Pool", "pool"> {
  let summary = "How a weight is made of a larger tensor: the mean over groups of heads";
  let description = [{
    Row `g * head_dim + d` of the weight is the mean of the rows
    `(g * heads + j) * head_dim + d` of the tensor that has its name, for `j` from
    0 to `heads - 1`; of a vector likewise its elements.

    Example:

    ```mlir
    #llama.pool<heads = 4, head_dim = 16>
    ```

    **Constraints:**
    - (C1) `heads` and `head_dim` are positive.
  }];
  let parameters = (ins "int64_t":$heads, "int64_t":$head_dim);
  let assemblyFormat = "`<` struct(params) `>`";
}

def Llama_ModelAttr : Llama_Attr<"Model", "model"> {
  let summary = "The sizes of the model, on the module as `llama.model`";
  let description = [{
    Everything about the model that no tensor type says. `pieces` is the number
    of ids that the tokenizer knows: ids from there on are never chosen; without
    a tokenizer it is `vocab_size`. `storage` is the type of weights and of
    cache entries.

    Example:

    ```mlir
    module attributes {llama.model = #llama.model<
        hidden_size = 64, intermediate_size = 172, layers = 2, heads = 4,
        kv_heads = 2, head_dim = 16, vocab_size = 512, pieces = 512,
        max_seq_len = 128, max_batch = 8, rope = <theta = 1.0e+04 : f64>,
        rms_norm_eps = 1.0e-05 : f64, tied = true, storage = bf16>} {
    }
    ```

    **Constraints:**
    - (C1) every size is positive.
    - (C2) `heads` is a multiple of `kv_heads`.
    - (C3) `head_dim` is even.
    - (C4) `pieces` is at most `vocab_size`.
    - (C5) `rms_norm_eps` is finite and positive.
    - (C6) `storage` is `bf16`, `f16` or `f32`.
  }];
  let parameters = (ins
    "int64_t":$hidden_size,
    "int64_t":$intermediate_size,
    "int64_t":$layers,
    "int64_t":$heads,
    "int64_t":$kv_heads,
    "int64_t":$head_dim,
    "int64_t":$vocab_size,
    "int64_t":$pieces,
    "int64_t":$max_seq_len,
    "int64_t":$max_batch,
    "::mlir::llama::RopeAttr":$rope,
    "::mlir::FloatAttr":$rms_norm_eps,
    "bool":$tied,
    "::mlir::Type":$storage
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    /// The name under which a module holds it.
    static constexpr llvm::StringLiteral attrName = "llama.model";
    /// The model of `module`; null where it has none.
    static ModelAttr of(::mlir::Operation *module) {
      return module->getAttrOfType<ModelAttr>(attrName);
    }
  }];
}

#endif // LLAMAC_DIALECTS_LLAMA_LLAMAATTRIBUTES_TD
