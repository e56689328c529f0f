#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The chat template of a checkpoint is found and recognised, or named; one that is not known is told and stops nothing.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"
templates=$LLAMAC_SOURCE_DIR/test/chat/templates
make model

# is NAME SOURCE ARGUMENTS...: what `llamac model ARGUMENTS` says of the template, in its executable.
is() {
  local name=$1 source=$2; shift 2
  expect 0 llamac model -o exe --gpu emulator "$@"
  cp stderr compiled
  expect 0 ./exe --info
  grep -qE "^  chat template +$name\$" stdout || fail "$*: no $name but: $(grep 'chat' stdout)"
  grep -A2 '^  chat_template$' stdout | grep -qE "^    source +$source\$" ||
    fail "$*: not from $source: $(grep -A2 chat_template stdout)"
}
# key FILE: tokenizer_config.json with the template of FILE.
key() {
  /usr/bin/python3 -c 'import json, sys
json.dump({"chat_template": open(sys.argv[1]).read()}, open("model/tokenizer_config.json", "w"))' "$1"
}

key "$templates/tinyllama.jinja";          is tinyllama tokenizer_config.json
! grep -q "chat template" compiled || fail "a known template is warned of: $(cat compiled)"
# chat_template.jinja counts before tokenizer_config.json, as in transformers, and the option before both.
cp "$templates/llama3.1.jinja" model/chat_template.jinja
is llama3.1 chat_template.jinja
# One word of it is another: it is another template.
sed 's/December 2023/March 2023/' "$templates/llama3.1.jinja" >model/chat_template.jinja
is unknown chat_template.jinja
grep -qF "the chat template in chat_template.jinja is none that llamac knows, so the executable takes no dialogs" compiled ||
  fail "an unknown template is not told: $(cat compiled)"
is llama3.1 --chat-template --chat-template llama3.2
! grep -q "is none that" compiled || fail "a named template is warned of: $(cat compiled)"

refused 2 model --chat-template chatml
says "--chat-template: found \`chatml\`, expected llama2, llama3, llama3.1, llama3.2, llama3.3 or tinyllama"
rm model/chat_template.jinja
echo '{"chat_template": 3}' >model/tokenizer_config.json
refused 1 model
says 'model/tokenizer_config.json: "chat_template" is the number 3, expected a string or a list'
