#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Both programs list every option that they are to have and that is built; what is not built yet, and what does not
# exist, is refused with status 2 and stands on no page.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"

# lists PROGRAM OPTION...: --help has each, as a term of its list.
lists() {
  local program=$1 option; shift
  run 0 "$program" --help
  for option in "$@"; do
    grep -qE -- "^  (-[a-z], )?$option( |$)" out || fail "$program --help does not list $option"
  done
}
# refuses PROGRAM ARGUMENT OPTION...
refuses() {
  local program=$1 argument=$2 option; shift 2
  for option in "$@"; do
    run 0 "$program" --help
    ! grep -qE -- "^  (-[a-z], )?$option( |$)" out || fail "$program --help lists $option"
    run 2 "$program" $argument "$option"
    grep -qE -- "unknown option $option(;|$)" err || fail "$program $option: $(cat err)"
    [ ! -s out ] || fail "$program $option wrote to stdout"
  done
}

lists llamac MODEL -o --gpu --dtype --max-seq-len --max-batch --blocks --chat-template --allow-long --rope-factor --pool-kv-heads --split-weights --no-weights --no-selftest --emit \
  --dump-dir --verbose --quiet --time-phases --version --help --manual --completion
refuses llamac model --chat --system --opt-level --weights --random-weights --device -x

lists ./toy PROMPT --prompt --file --chat --messages --system --max-tokens --temperature --top-p --top-k --min-p --repeat-penalty \
  --presence-penalty --frequency-penalty --seed --stop --ids --prompts --no-special --json --logprobs --echo --device --ctx-size \
  --max-batch --bench --repetitions --info --dump-logits --force-ids --weights --random-weights --selftest \
  --perplexity --perplexity-stride --verbose --version --help --manual --completion
for short in -p -f -n -c -r -v -h; do
  run 0 ./toy --help
  grep -qE "^  $short, " out || fail "./toy --help does not list $short"
done
refuses ./toy text --gpu --emit --threads -x

# A wrong option wins over --help; --help goes to stdout, and ends well when nobody reads it.
run 2 ./toy --help --frobnicate; says "unknown option --frobnicate"
run 2 llamac --help --frobnicate; says "unknown option --frobnicate"
for program in llamac ./toy; do
  run 0 $program -h; cp out short
  run 0 $program --help; cmp out short
  awk 'length > 79 { print FILENAME ": " $0; exit 1 }' out || fail "a line of $program --help is over 79 columns"
  for page in --help --manual "--completion bash" "--completion zsh"; do
    # A closed pipe ends quietly: with 0, or llamac by SIGPIPE as compilers do.
    rm -f status; { $program $page 2>err || echo $? >status; } | true
    [ ! -e status ] || [ $program-$(cat status) = llamac-141 ] || fail "$program $page into a closed pipe: $(cat status)"
    [ ! -s err ] || fail "$program $page into a closed pipe: $(cat err)"
  done
done
