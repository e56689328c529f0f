#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Models that cannot be compiled: each message, and that nothing is left.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

# bad MESSAGE OPTIONS...: a model made so is refused so.
bad() { local message=$1; shift; make model "$@"; refused 1 model; says "$message"; }

# The folder.
refused 1 no-such-folder;   says "no-such-folder: cannot be opened: No such file or directory"
mkdir empty
refused 1 empty;            says "empty/config.json: cannot be opened"; says "a model folder has a config.json"
echo x >file
refused 1 file;             says "file: is a file; expected a Hugging Face folder"
make model --config-only
refused 1 model;            says "model.safetensors: there is no such file"

# config.json.
make model; echo '{"hidden_size": ' >model/config.json
refused 1 model;            says "model/config.json: is not JSON"
make model; echo '[]' >model/config.json
refused 1 model;            says "expected a JSON object"
bad 'the key "hidden_size" is missing' --unset hidden_size
bad '"hidden_size" is the string "64", expected a whole number' --set 'hidden_size="64"' --config-only
bad '"num_hidden_layers" is the number -2, expected a whole number from 1' --set num_hidden_layers=-2 --config-only
bad '"vocab_size" is the number 9223372036854775807, expected' --set vocab_size=9223372036854775807 --config-only
bad '"vocab_size" is the number' --set vocab_size=1e300 --config-only
bad 'the architecture is "MixtralForCausalLM"; llamac compiles "LlamaForCausalLM"' \
  --set 'architectures=["MixtralForCausalLM"]'
bad 'asks for rope scaling "longrope", which is not built yet' --set 'rope_scaling={"rope_type":"longrope","factor":2}'
bad 'config.json: "rope_scaling": the key "low_freq_factor" is missing' \
  --set 'rope_scaling={"rope_type":"llama3","factor":8}'
bad '"factor" is the number 0, expected a number from 1' --set 'rope_scaling={"type":"linear","factor":0}'
bad 'has the unknown rope type "spiral"' --set 'rope_scaling={"type":"spiral"}'
bad '"rope_theta" is 10000.0 but "rope_parameters" says 5000.0' \
  --set 'rope_parameters={"rope_type":"default","rope_theta":5000.0}'
bad '"num_attention_heads" is 4, which "num_key_value_heads" (3) does not divide' --set num_key_value_heads=3
bad 'tensor "model.layers.0.self_attn.q_proj.bias" of shape [64] is missing' --set attention_bias=true
bad 'tensor "model.layers.0.mlp.up_proj.bias" of shape [4] is not part of the model that config.json describes; "attention_bias" and "mlp_bias" say which biases it has' \
  --extra model.layers.0.mlp.up_proj.bias
bad 'the key "logits_scaling" (the number 8) is not known to llamac' --set logits_scaling=8
make model; echo '{"eos_token_id": 999}' >model/generation_config.json
refused 1 model;            says 'generation_config.json: "eos_token_id" holds 999'

# Tensors.
bad 'tensor "model.norm.weight" of shape [64] is missing' --drop model.norm.weight
bad 'tensor "model.norm.bias" of shape [4] is not part of the model' --extra model.norm.bias
bad 'tensor "model.norm.weight" has shape [32], but the config asks for [64]' --reshape 'model.norm.weight=[32]'
bad 'tensor "model.norm.weight": its dtype is the string "I64", expected F32, F16 or BF16' \
  --retype model.norm.weight=I64
bad "the config's rope_theta gives" --inv-freq 500000
bad '"lm_head.weight" differs from "model.embed_tokens.weight"' --set tie_word_embeddings=true \
  --reshape 'lm_head.weight=[128,64]' --fill lm_head.weight=7
make model --dtype F32 --fill model.layers.0.mlp.up_proj.weight=70000
refused 1 model --dtype f16
says 'tensor "model.layers.0.mlp.up_proj.weight": 1 of its values overflow f16'

# safetensors, cut at every tenth and lying about its header.
make model
size=$(stat -c %s model/model.safetensors)
cp model/model.safetensors whole
for tenth in 0 1 2 3 4 5 6 7 8 9; do
  head -c $((size * tenth / 10)) whole >model/model.safetensors
  refused 1 model;          says "cut?"
done
{ printf '\0\0\0\0\0\0\0\200'; tail -c +9 whole; } >model/model.safetensors
refused 1 model;            says "says that its header has 9223372036854775808 bytes"

# Shards.
bad "model-00002-of-00003.safetensors, which has no such tensor" --shards 3 \
  --index model.other=model-00002-of-00003.safetensors
make model --shards 2; rm model/model-00002-of-00002.safetensors
refused 1 model;            says "model/model-00002-of-00002.safetensors: there is no such file, but model/model.safetensors.index.json"

# tokenizer.model.
make model --set vocab_size=2048
head -c 20000 "$storyteller/tokenizer.model" >model/tokenizer.model
refused 1 model;            says "model/tokenizer.model: is cut or no SentencePiece model"
make model --set vocab_size=2000
cp "$storyteller/tokenizer.model" model
refused 1 model;            says 'has 2048 pieces, more than the config'
