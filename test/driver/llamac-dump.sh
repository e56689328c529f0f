#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --dump-dir: a file for each phase and for each pass that changed something; llama-opt makes each from the one before by
# that pass alone; what was there is left alone, save older dumps.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

make model
expect 0 llamac -q model -o exe --dump-dir dumps
stages="1-llama.mlir 2-fused.mlir 3-tiled.mlir 4-nvvm.mlir 5-ptx.ptx 5-ptx.kernels.ptx"
[ -z "$LLAMAC_PTXAS" ] || stages="$stages 6-cubin.cubin 6-cubin.kernels.cubin"
for stage in $stages; do [ -s dumps/$stage ] || fail "no $stage in $(ls dumps)"; done

# Each pass by itself. A pass of kernels stands inside gpu.module.
passes=0
before=dumps/1-llama.mlir
for folder in 2-fused 3-tiled 4-nvvm; do
  for after in $(find dumps/$folder -name '*.mlir' | sort -t/ -k3n); do
    pass=$(basename "$after" .mlir); pass=${pass#*-}
    pipeline="builtin.module($pass)"
    case $pass in lower-tile-to-nvvm|convert-scf-to-cf|convert-gpu-to-nvvm|convert-arith-to-llvm|convert-nvvm-to-llvm|cse)
      pipeline="builtin.module(gpu.module($pass))" ;;
    esac
    expect 0 llama-opt "$before" --pass-pipeline="$pipeline"
    cmp stdout "$after" || fail "llama-opt $before $pass is not $after"
    ! cmp -s "$before" "$after" || fail "$after changes nothing"
    before=$after
    passes=$((passes + 1))
  done
  cmp "$before" dumps/$folder.mlir || fail "$folder.mlir is not what its last pass left"
  before=dumps/$folder.mlir
done
[ $passes -ge 12 ] || fail "only $passes passes: $(find dumps)"
# The project's own passes are all among them or change nothing; each has its flag in llama-opt.
expect 0 llama-opt --help
for pass in $(sed -nE 's/^def .* Pass<"([^"]+)".*/\1/p' "$LLAMAC_SOURCE_DIR"/compiler/*/Passes.td); do
  tells "--$pass "
  case $pass in
    llama-check-fused|lower-check-gpu|tile-line-numbers|lower-debug-scopes|llama-to-linalg) ;; # no change, or no part of llamac
    llama-pool-kv-heads) ;; # with --pool-kv-heads alone
    *) ls dumps/*/*-"$pass".mlir >/dev/null || fail "$pass left nothing" ;;
  esac
done

# An earlier stage leaves no dump of a later one; other files stay.
touch dumps/notes.txt dumps/2-fused/notes.txt dumps/9-other.mlir.txt
mkdir dumps/3-other
expect 0 llamac -q model --emit=fused --dump-dir dumps
cmp stdout dumps/2-fused.mlir
[ "$(cd dumps && find . -type f | sort | tr '\n' ' ')" = "./1-llama.mlir ./2-fused.mlir ./2-fused/1-llama-fuse-qkv.mlir ./2-fused/2-llama-fuse-swiglu.mlir ./2-fused/3-llama-fuse-rms-norm-linear.mlir ./2-fused/4-llama-fuse-rope.mlir ./2-fused/5-llama-fuse-residual.mlir ./2-fused/notes.txt ./9-other.mlir.txt ./notes.txt " ] || fail "$(find dumps)"
[ -d dumps/3-other ] || fail "dumps/3-other is gone"

# Where it cannot be, nothing is compiled.
rm -f exe
expect 1 llamac -q model -o exe --dump-dir no/such/folder
says "--dump-dir no/such/folder: cannot be made: No such file or directory"
expect 1 llamac -q model -o exe --dump-dir model/config.json
says "--dump-dir model/config.json: is no folder"
expect 2 llamac -q model -o exe --dump-dir ""
says "--dump-dir: found \`\`, expected a folder"
[ ! -e exe ] || fail "an executable was made"
