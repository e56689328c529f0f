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
  I32EnumAttrCase<"Llama3", 1, "llama3">,
  I32EnumAttrCase<"Dynamic", 2, "dynamic">,
  I32EnumAttrCase<"Yarn", 3, "yarn">
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

    `dynamic` (NTK) raises the base with the length of the sequence: of a
    sequence of `n > original` tokens it is
    `theta * (factor * n / original - (factor - 1))^(D / (D - 2))`, D being
    head_dim; of a shorter one it is theta. The length is an operand of the ops.

    `yarn` (Peng et al. 2023) divides by `factor` the frequencies that make fewer
    than `beta_slow` turns in `original` positions, leaves those of more than
    `beta_fast`, and goes from one to the other between them, linearly in the
    number of the pair; unless `truncate` is false the two ends are whole
    numbers of pairs. It multiplies cosine and sine by `attention_factor`.

    Example:

    ```mlir
    #llama.rope_scaling<linear, factor = 4.0 : f64>
    #llama.rope_scaling<llama3, factor = 8.0 : f64, low_freq_factor = 1.0 : f64,
                        high_freq_factor = 4.0 : f64, original = 8192>
    #llama.rope_scaling<dynamic, factor = 2.0 : f64, original = 4096>
    #llama.rope_scaling<yarn, factor = 16.0 : f64, original = 4096,
                        beta_fast = 32.0 : f64, beta_slow = 1.0 : f64,
                        attention_factor = 1.277 : f64>
    ```

    **Constraints:**
    - (C1) `factor` is finite and at least 1.
    - (C2) `low_freq_factor` and `high_freq_factor` are there for `llama3` alone,
      `beta_fast`, `beta_slow` and `attention_factor` for `yarn` alone, and
      `original` for all but `linear`; `truncate` is false for `yarn` alone.
    - (C3) `low_freq_factor` is finite and positive, and below
      `high_freq_factor`.
    - (C4) `original` is not negative.
    - (C5) `beta_slow` and `attention_factor` are finite and positive, and
      `beta_fast` is finite and at least `beta_slow`.
  }];
  let parameters = (ins
    EnumParameter<Llama_RopeScalingKind>:$kind,
    "::mlir::FloatAttr":$factor,
    OptionalParameter<"::mlir::FloatAttr">:$low_freq_factor,
    OptionalParameter<"::mlir::FloatAttr">:$high_freq_factor,
    DefaultValuedParameter<"int64_t", "0">:$original,
    OptionalParameter<"::mlir::FloatAttr">:$beta_fast,
    OptionalParameter<"::mlir::FloatAttr">:$beta_slow,
    OptionalParameter<"::mlir::FloatAttr">:$attention_factor,
    DefaultValuedParameter<"bool", "true">:$truncate
  );
  let assemblyFormat = [{
    `<` $kind `,` struct($factor, $low_freq_factor, $high_freq_factor, $original,
                         $beta_fast, $beta_slow, $attention_factor, $truncate) `>`
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
    - (C1) `theta` is finite and positive, and over 1 for `yarn`.
  }];
  let parameters = (ins
    "::mlir::FloatAttr":$theta,
    OptionalParameter<"::mlir::llama::RopeScalingAttr">:$scaling
  );
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    double getThetaAsDouble() const { return getTheta().getValueAsDouble(); }
    /// The angle of pair `pair` at position 1, in float64; of `dynamic` for
    /// sequences of up to `original` tokens.
    double getInverseFrequency(int64_t pair, int64_t headDim) const;
    /// Whether the angles depend on the length of the sequence.
    bool isDynamic() const {
      return getScaling() &&
             getScaling().getKind() == RopeScalingKind::Dynamic;
    }
    /// What cosine and sine are multiplied by.
    double getAttentionFactor() const;
  }];
}

def Llama_AlibiAttr : Llama_Attr<"Alibi", "alibi"> {
  let summary = "Attention with linear biases, in the place of rotary positions";
  let description = [{
    A score of head `h` of `H` gets `slope(h) * (key position - query position)`
    added. For the first `n` heads, `n` being the largest power of two up to `H`,
    `slope(h) = 2^(-max_bias * (h + 1) / n)`; for the others
    `slope(n + i) = 2^(-max_bias * (2 * i + 1) / (2 * n))`, as Press et al. (2022)
    and BLOOM have it, with a `max_bias` of 8.

    Example:

    ```mlir
    #llama.alibi<max_bias = 8.0 : f64>
    ```

    **Constraints:**
    - (C1) `max_bias` is finite and positive.
  }];
  let parameters = (ins "::mlir::FloatAttr":$max_bias);
  let assemblyFormat = "`<` struct(params) `>`";
  let extraClassDeclaration = [{
    /// The slope of head `head`, in float64.
    double getSlope(int64_t head, int64_t heads) const;
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
    cache entries. `rope` or `alibi` is the position scheme; `window`, where given,
    is how many tokens a token sees, itself included.

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
    - (C7) there is one of `rope` and `alibi`.
    - (C8) `window` is not negative; 0 is none.
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
    OptionalParameter<"::mlir::llama::RopeAttr">:$rope,
    OptionalParameter<"::mlir::llama::AlibiAttr">:$alibi,
    DefaultValuedParameter<"int64_t", "0">:$window,
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
