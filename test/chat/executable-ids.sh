#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The whole way from a folder with a tokenizer and a chat template, through llamac, to the ids of dialogs in a file: those
# of transformers' apply_chat_template.
# RUN: bash %s %t
. "$LLAMAC_SOURCE_DIR/test/driver/Inputs/llamac.sh"
here=$LLAMAC_SOURCE_DIR/test/chat vocabularies=$LLAMAC_SOURCE_DIR/test/golden/tokenizers

# check NAME TEMPLATE FILE VOCABULARY-SIZE SETTINGS: the model folder gets test/golden/tokenizers/FILE as tokenizer.json or
# .model, and test/chat/templates/TEMPLATE.jinja.
check() {
  local name=$1 template=$2 file=$3
  make model --set vocab_size="$4" --set max_position_embeddings=1024 --sparse
  cp "$vocabularies/$file" "model/tokenizer.${file##*.}"
  cp "$here/templates/$template.jinja" model/chat_template.jinja
  printf '%s' "$5" >model/tokenizer_config.json
  expect 0 llamac model -o exe --gpu emulator -q
  /usr/bin/python3 -c 'import json, sys
for messages in json.load(open(sys.argv[1]))["dialogs"]: print(json.dumps({"messages": messages}))' \
    "$here/texts.json" >dialogs.jsonl
  expect 0 ./exe --device emulator --prompts dialogs.jsonl -n 0
  /usr/bin/python3 - "$here/$name.json" <<'PYTHON' || fail "$name: other ids than transformers'"
import json, sys
golden = json.load(open(sys.argv[1]))
expected = golden["plain"] + golden["special"]
got = [json.loads(line)["prompt_ids"] for line in open("stdout")]
assert len(got) == len(expected) >= 30, len(got)
for i, (mine, theirs) in enumerate(zip(got, expected)):
    assert mine == theirs, (i, mine, theirs)
PYTHON
}

check llama3.1 llama3.1 llama3.json 1359 \
  '{"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<|begin_of_text|>", "eos_token": "<|eot_id|>"}'
expect 0 ./exe --info
grep -qE "^  chat template +llama3.1\$" stdout || fail "--info: $(grep chat stdout)"
check llama2 llama2 llama2.model 1000 \
  '{"tokenizer_class": "LlamaTokenizer", "legacy": false, "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>"}'
