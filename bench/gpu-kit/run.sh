#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Runs the parts of the kit on this machine. Each part writes its rows to results/, and after each one results.json and
# results.md are made from all rows that are there.
set -uo pipefail
kit=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)

usage() {
  cat <<'END'
usage: ./run.sh [--device cuda|cuda:N|emulator] [--quick] [--results DIR] PART...
  correctness  what the device promises; the test models and a large shape against the reference
  bench        EXE --bench of the four shapes on random weights
  peers        PyTorch with transformers on two of them, where it is installed
  probes       streams, exchanges, reductions, clusters, launches
  all          these four
  --device     or $KIT_DEVICE (cuda); on the emulator what needs a GPU is left out, and said
  --quick      a little of each part: does the kit itself work?
  --results    or $KIT_RESULTS (results/ of the kit)
A part ends after $KIT_SECONDS (470) whatever it has. Exit status: 1 if a part failed.
END
}
device=${KIT_DEVICE:-cuda} results=${KIT_RESULTS:-$kit/results} seconds=${KIT_SECONDS:-470}
quick= parts=()
while [ $# -gt 0 ]; do
  case $1 in
    --device) device=${2:-}; shift ;;
    --results) results=${2:-}; shift ;;
    --quick) quick=--quick ;;
    -h|--help) usage; exit 0 ;;
    correctness|bench|peers|probes) parts+=("$1") ;;
    all) parts+=(correctness bench probes peers) ;;
    *) usage >&2; exit 2 ;;
  esac
  shift
done
[ ${#parts[@]} -gt 0 ] && [ -n "$results" ] || { usage >&2; exit 2; }
case $device in cuda|cuda:[0-9]|emulator) ;; *) usage >&2; exit 2 ;; esac
mkdir -p "$results" || exit 1
results=$(cd "$results" && pwd)
export kit device

say() { printf '== %s\n' "$*" >&2; }
escape() { tr -d '\000-\037' <<<"$1" | sed 's/[\\"]/\\&/g'; }
# row KEY TEXT: a row of our own.
row() { printf '{"part":"%s","%s":"%s"}\n' "$part" "$1" "$(escape "$2")" >>"$rows"; }
leave_out() { say "left out: $1"; row left_out "$1"; }

# step WHAT COMMAND...: its stdout is rows; it may take what is left of the part's time. A failure is a row, and the part
# goes on.
step() {
  local what=$1 status=0 left=$((seconds - SECONDS + started))
  shift
  if [ $left -le 0 ]; then
    row error "$what: no time was left"
    failed=1
    return
  fi
  say "$what"
  timeout -k 5 $left "$@" >"$rows.step" 2> >(tee -a "$log" >&2) || status=$?
  # Whole lines alone: a program that was stopped may have left half of one.
  grep '}$' "$rows.step" >>"$rows"
  rm -f "$rows.step"
  [ $status = 0 ] && return
  failed=1
  case $status in
    124|137) row error "$what: stopped after $left seconds" ;;
    *) row error "$what: ended with status $status: $(tail -n 1 "$log")" ;;
  esac
}
# kit_step WHAT PART ARGUMENTS...: a part of the program gpu-kit.
kit_step() {
  local what=$1 name=$2
  shift 2
  step "$what" "$kit/bin/gpu-kit" "$name" --device "$device" $quick --kernels "$kit/kernels" "$@"
}

correctness() {
  kit_step "conformance" conformance
  kit_step "CUDA programs" programs
  kit_step "tensor cores" products
  kit_step "test models" models "$kit/models"
  [ ! -e "$kit/exe/storyteller" ] || step "a story" bash -c "$(declare -f story); story"
  kit_step "a small shape on random weights" shape "$kit/exe/tiny" "$kit/shapes/tiny.json"
  if [ "$device" = emulator ] || [ -n "$quick" ]; then
    leave_out "logits of Llama-3.2-1B on random weights: the float64 reference takes minutes of a processor, for a GPU to be compared with"
  else
    kit_step "Llama-3.2-1B on random weights" shape "$kit/exe/llama-3.2-1b" "$kit/shapes/llama-3.2-1b.json"
  fi
}

# The trained model's own words beside the tokens that transformers chose, up to the end of the text. A rounding that falls the
# other way at a close choice tells another story from there on: the contract allows that, so it is recorded, not judged.
story() {
  list() { sed -n "s/.*\"$1\": *\[\([^]]*\)\].*/\1/p" | tr -d ' ' | tr , '\n'; }
  local want got equal=0 count
  want=$(tr -d '\n' <"$kit/greedy.json" | list output_ids)
  got=$("$kit/exe/storyteller" --device "$device" --ids "$(tr -d '\n' <"$kit/greedy.json" | list prompt_ids | tr '\n' ' ')" \
    --temperature 0 --json | list output_ids)
  count=$(wc -w <<<"$got")
  while read -r a b && [ "$a" = "$b" ]; do equal=$((equal + 1)); done < <(paste -d' ' <(echo "$got") <(echo "$want" | head -n "$count"))
  printf '{"part":"correctness","model":"storyteller","tokens":%d,"as_transformers":%d}\n' "$count" "$equal"
  [ "$equal" -gt 0 ] || { echo "the story begins with another token than transformers chose" >&2; return 1; }
}

bench() {
  local shapes="llama-3.2-1b llama-3.2-3b llama-3.1-8b llama-2-7b" options="-p 512,2048 -n 128 -b 1,8 -r 5" shape
  if [ "$device" = emulator ] || [ -n "$quick" ]; then
    leave_out "the four large shapes: a small one shows that the command works"
    shapes=tiny options="-p 16,70 -n 8 -b 1,8 -r 2"
  fi
  for shape in $shapes; do
    step "$shape" "$kit/exe/$shape" --device "$device" --random-weights 1 --bench $options --json
  done
}

peers() {
  local python options=(--device cuda "$kit/shapes/llama-3.2-1b.json" "$kit/shapes/llama-3.1-8b.json")
  python=$(command -v "${KIT_PYTHON:-python3}") || { leave_out "there is no python3"; return; }
  if [ "$device" = emulator ] || [ -n "$quick" ]; then
    leave_out "the large shapes: a small one on the processor shows that the script works"
    options=(--device cpu -p 16 -n 4 -b 1,2 -r 1 --eager-only "$kit/shapes/tiny.json")
  fi
  step "PyTorch" "$python" "$kit/peers.py" --seconds $((seconds - 30)) "${options[@]}"
}

probes() { kit_step "probes" probes; }

status=0
for part in machine "${parts[@]}"; do
  rows=$results/$part.jsonl log=$results/$part.log failed=0 started=$SECONDS
  : >"$rows"
  : >"$log"
  if [ "$part" = machine ]; then
    kit_step "machine" machine "commit=$(cat "$kit/COMMIT")" "date=$(date -u +%Y-%m-%dT%H:%MZ)" \
      "kernel_driver=$(head -n 1 /proc/driver/nvidia/version 2>/dev/null | tr -s ' ')"
  else
    "$part"
  fi
  [ $failed = 0 ] || status=1
  "$kit/bin/gpu-kit" report "$results" 2>/dev/null || status=1
  say "$part: $([ $failed = 0 ] && echo done || echo FAILED) in $((SECONDS - started)) s"
done
say "results: $results/results.json and results.md"
exit $status
