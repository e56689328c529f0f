#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --chat, --messages, --system and dialogs in --prompts: what is asked of the model, what is printed, and what is kept
# in the KV cache from turn to turn. The ids of whole dialogs are held to transformers' in test/chat.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"
"$bin/make-toy" "$bin/llama-runtime" toy llama2

# field NAME FILE: its values, one a line.
field() {
  /usr/bin/python3 -c 'import json, sys
for line in open(sys.argv[2]): print(json.dumps(json.loads(line)[sys.argv[1]]))' "$1" "$2"
}
# chat STATUS ARGUMENTS...: a conversation from the file `turns`.
chat() {
  local expected=$1 status=0; shift
  ./toy --device emulator --chat "$@" <turns >out 2>err || status=$?
  [ "$status" = "$expected" ] || fail "status $status, expected $expected: --chat $*: $(cat out err)"
}

# One line a turn, and no marker on either stream; blank lines are no turns; a last line needs no newline.
printf 'Tell me a story.\n\n  \t\nAnd then?\r\nWhy?' >turns
chat 0 -n 6
[ "$(wc -l <out)" = 3 ] || fail "three turns gave: $(cat out)"
[ ! -s err ] || fail "stderr should be silent: $(cat err)"
cp out text
chat 0 -n 6 --json --seed 7
field text out | /usr/bin/python3 -c 'import json, sys
for line in sys.stdin: print(json.loads(line))' >lines
same lines text "--json has another text"
[ "$(field seed out | tr '\n' ' ')" = "7 8 9 " ] || fail "seeds: $(field seed out)"
cp out turns.json

# Of each turn only what is new is fed: all before it but the last token of the answer, which is never stored, is kept.
/usr/bin/python3 - turns.json <<'PYTHON' || fail "the KV cache of a conversation: $(cat turns.json)"
import json, sys
before, kept = [], 0
for line in open(sys.argv[1]):
    turn = json.loads(line)
    ids, output = turn["prompt_ids"], turn["output_ids"]
    assert turn["cached_tokens"] == kept, turn
    assert ids[:len(before)] == before, turn
    assert not before or ids[len(before):len(before) + 2] == [2, 1], turn  # </s><s>, once
    ended = turn["finish_reason"] == "eos"
    kept = len(ids) + len(output) - 1
    before = ids + (output[:-1] if ended else output)
assert kept > 40
PYTHON
# What a turn says is what a run with all of its ids says.
while read -r line; do
  echo "$line" >line.json
  toy 0 --ids "$(field prompt_ids line.json | tr -d '[],')" -n 6 --json
  [ "$(field output_ids out)" = "$(field output_ids line.json)" ] || fail "a turn differs from a run with its ids: $line"
done <turns.json

# The first turn is the dialog of one message; with --system of two.
printf 'Tell me a story.\n' >turns
echo '[{"role": "user", "content": "Tell me a story."}]' >dialog.json
chat 0 -n 3 --json --seed 1; field prompt_ids out >expected
toy 0 --messages dialog.json -n 3 --json --seed 1; field prompt_ids out >actual
same actual expected "--messages"
chat 0 -n 3 --json --seed 1 --system " Be  kind. "; field prompt_ids out >expected
toy 0 --messages dialog.json --system " Be  kind. " -n 3 --json; field prompt_ids out >actual
same actual expected "--messages with --system"
echo '{"messages": [{"role": "system", "content": " Be  kind. "}, {"role": "user", "content": "Tell me a story."}]}' >both.json
toy 0 --messages both.json -n 3 --json; field prompt_ids out >actual
same actual expected "a system in the dialog"
./toy --device emulator --messages - -n 3 --json <both.json >out; field prompt_ids out >actual
same actual expected "--messages -"
tr -d '\n' <both.json >batch.jsonl; printf '\n{"prompt": "Once"}\n' >>batch.jsonl
toy 0 --prompts batch.jsonl -n 3; head -1 out >first; field prompt_ids first >actual
same actual expected "a dialog in --prompts"
toy 2 --messages both.json --system x; says "--system: both.json has a system's message, too"
toy 2 --prompts batch.jsonl --system x; says "--system: batch.jsonl:1 has a system's message, too"
printf '{"prompt": "Once"}\n' >batch.jsonl
toy 2 --prompts batch.jsonl --system x; says "--system: batch.jsonl holds a prompt that is no dialog"

# Without --json it is text and one newline.
toy 0 --messages dialog.json -n 3
[ "$(tail -c 1 out | od -An -c | tr -d ' ')" = '\n' ] || fail "--messages: no newline at the end"

# Names of special tokens in a message are text.
printf 'a</s><s>b\n' >turns
chat 0 -n 1 --json
[ "$(field prompt_ids out | tr -d '[] ' | tr ',' '\n' | grep -cx '[12]')" = 1 ] || fail "special ids of a message: $(cat out)"

# No more input is the end; so is none at all.
: >turns; chat 0; [ ! -s out ] || fail "no turn gave: $(cat out)"
chat 0 --json; [ ! -s out ] || fail "no turn gave: $(cat out)"

# A turn that has no room is told, and leaves the conversation as it was: a shorter one goes on.
{ echo "Tell me a story."; head -c 900 /dev/zero | tr '\0' 'x'; echo; echo "Go on."; } >turns
chat 1 -n 4 --json
says "no room for this turn: with it the conversation has"
says "but the context holds 256; start a new one, or compile with a larger --max-seq-len"
[ "$(grep -c '"error"' out)" = 1 ] || fail "a turn without room: $(cat out)"
[ "$(wc -l <out)" = 3 ] || fail "the conversation went on to: $(cat out)"
tail -1 out | grep -q '"finish_reason"' || fail "the last turn: $(cat out)"
# An answer that fills the context is cut.
"$bin/make-toy" "$bin/llama-runtime" toy llama2 no-eos
printf 'Tell me a story.\nGo on.\nGo on.\nGo on.\n' >turns
chat 1 -c 64
says "the context of 64 tokens is full: this answer was cut"
says "or raise --ctx-size (up to 256)"

# A model without a template, or with one that is not known, takes no dialogs; text prompts go on as ever.
for kind in "" unknown; do
  "$bin/make-toy" "$bin/llama-runtime" toy $kind
  chat 2; [ ! -s out ] || fail "$(cat out)"
  says "${kind:+none that llamac knows}"; says "--chat-template NAME"
  toy 2 --messages dialog.json; says "takes no dialogs"
  printf '{"messages": [{"role": "user", "content": "x"}]}\n' >batch.jsonl
  toy 2 --prompts batch.jsonl; says "takes no dialogs"
  toy 0 "Once" -n 1
done
"$bin/make-toy" "$bin/llama-runtime" toy llama3
chat 2; says "the chat template llama3 writes the token <|start_header_id|>, which this model's tokenizer does not have"
"$bin/make-toy" "$bin/llama-runtime" toy llama2 no-tokenizer
chat 2; says "no tokenizer"

# Files that are no dialogs.
"$bin/make-toy" "$bin/llama-runtime" toy tinyllama
echo '[{"role": "user", "content": "x"}, {"role": "assistant", "content": "y"}]' >bad.json
toy 1 --messages bad.json; says "bad.json: message 1: found role assistant at the end, expected user"
toy 1 --messages missing.json; says "missing.json: cannot be read: No such file or directory"
toy 0 --messages dialog.json -n 1
toy 0 --info; grep -q "chat template  *tinyllama" out || fail "--info: $(cat out)"
