#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Shell completion of llamac, ptx-run and executables: bash's own completes what --completion bash defines; zsh's is held to its form.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"

# completes PROGRAM WORD...: what bash offers for the last word, one a line, in `out`.
completes() {
  local program=$1
  run 0 bash --noprofile --norc -c '
    source ./script
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
    '"$(grep -oE '^_[A-Za-z0-9_]+_completion' script | head -1)"'
    printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
  command="$*"
}
offers() { grep -qxF -- "$1" out || fail "\`$command\` is not completed by $1 but by: $(cat out)"; }
offers_no() { ! grep -qxF -- "$1" out || fail "\`$command\` is completed by $1"; }

mkdir folder; touch file.txt "file two.txt"
for program in llamac ptx-run toy; do
  [ $program = toy ] && path=./toy || path=$program
  run 0 $path --completion bash; cp out script
  grep -q "complete .* '$program'" script || fail "nothing is defined for $program"
  completes $program --;        offers --manual; offers --help; offers --completion; offers_no -v
  completes $program -;         offers -v; offers --version
  completes $program --vers;    offers --version; offers_no --manual
  completes $program fi;        offers file.txt; offers "file two.txt"
  completes $program --completion z;  offers zsh; offers_no bash
  completes $program --completion = b; offers bash
  completes $program --completion =;   offers bash; offers zsh
  # Every option of --help, and no other, is completed by name.
  run 0 $path --help
  grep -oE '^  -[^ ]+(, --[a-z-]+)?' out | grep -oE -- '--?[A-Za-z-]+' | sort -u >listed
  completes $program -; sort -u out >offered
  cmp listed offered || fail "$program: $(diff listed offered)"
  run 0 $path --completion zsh; cp out script
  head -1 script | grep -qx "#compdef $program" || fail "zsh: $(head -1 script)"
  for name in $(cat listed); do grep -qE -- "\)$name[=+]?\[" script || fail "zsh has no $name"; done
  ! type -P zsh >/dev/null || zsh -n script
  run 2 $path --completion fish;  says 'found `fish`, expected bash or zsh'
done
completes_of() { run 0 "$1" --completion bash; cp out script; shift; completes "$@"; }
completes_of llamac llamac --gpu "";   offers rtx4090; offers native; offers_no row
completes_of llamac llamac --gpu h;    offers h200; offers help
completes_of llamac llamac --max-batch ""; offers ""
completes_of llamac llamac --dtype ""; offers auto; offers f32
completes_of llamac llamac --emit = t; offers tiled; offers_no fused
completes_of llamac llamac --dump-dir fo; offers folder
completes_of llamac llamac --dump-dir fi; offers_no file.txt
completes_of ./toy toy --device c;     offers cuda
completes_of ./toy toy --prompts fi;   offers file.txt
# A program's name may be any that a file has.
cp toy "a b'c"
run 0 "./a b'c" --completion bash; bash -n out
