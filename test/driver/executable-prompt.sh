#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A prompt in each of its forms gives the same text; stdout carries the text and one newline.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"
prompt="Once upon a time"
toy 0 "$prompt" -n 8
cp out expected
[ ! -s err ] || fail "stderr should be silent: $(cat err)"
[ "$(tail -c 1 expected | od -An -c | tr -d ' ')" = '\n' ] || fail "no newline at the end"
toy 0 -p "$prompt" -n 8;      same out expected "-p"
toy 0 --prompt="$prompt" -n8; same out expected "--prompt="
toy 0 -n 8 -- "$prompt";      same out expected "--"
printf '%s' "$prompt" >prompt.txt
toy 0 -f prompt.txt -n 8;     same out expected "-f"
printf '%s\n' "$prompt" >prompt.txt
toy 0 -f prompt.txt -n 8;     same out expected "-f drops one newline"
for form in "" "-" "-f -"; do
  # shellcheck disable=SC2086
  printf '%s\n' "$prompt" | ./toy --device emulator $form -n 8 >out
  same out expected "standard input as '$form'"
done
toy 0 "$prompt" -n 8 --json
ids=$(grep -oE '"prompt_ids":\[[0-9,]+\]' out | grep -oE '[0-9,]+')
toy 0 --ids "$ids" -n 8;       same out expected "--ids"
toy 0 --ids "${ids//,/ }" -n 8; same out expected "--ids with spaces"

# "" is the beginning of text alone, as is empty standard input.
toy 0 "" -n 3 --json --seed 1
grep -q '"prompt_ids":\[1\],' out || fail "an empty prompt: $(cat out)"
cp out expected
toy 0 -n 3 --json --seed 1;             same out expected "empty standard input"
toy 0 -p "" -n 3 --json --seed 1;       same out expected "-p with an empty text"

# Dashes in a prompt.
toy 0 -n 1 --json -- --json
toy 0 -n 1 --json -p -n
toy 2 --jsonx;  says "unknown option --jsonx"

# The names of special tokens are these tokens, BOS once, unless they are asked to be text.
toy 0 -n 1 --json --seed 1 -p "<s>a</s>b"
grep -qE '"prompt_ids":\[1,[0-9,]+,2,[0-9,]+\],' out || fail "special tokens: $(cat out)"
! grep -q '"prompt_ids":\[1,1,' out || fail "BOS twice: $(cat out)"
toy 0 -n 1 --json --seed 1 --no-special -p "<s>a</s>b"
! grep -qE '"prompt_ids":\[1,1,|"prompt_ids":\[[0-9,]*,2,' out || fail "--no-special: $(cat out)"

# Invalid UTF-8 is read with U+FFFD, so both prompts have the same ids.
toy 0 -n 1 --json --seed 1 -p "$(printf 'a\xe4\xbdb\xff')"
cp out expected
toy 0 -n 1 --json --seed 1 -p "$(printf 'a\xef\xbf\xbdb\xef\xbf\xbd')"
same out expected "invalid UTF-8"

# -n 0: nothing but the newline; --echo: the prompt before it.
toy 0 "$prompt" -n 0;          prints '\n'
toy 0 "$prompt" -n 0 --echo;   prints 'Once upon a time\n'
