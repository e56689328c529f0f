#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Builds the kit: all that a GPU machine needs to check and to measure llamac, in one folder and one archive. No GPU, and
# nothing of LLVM, CUDA or Python (but for the peers) is needed where it runs.
set -euo pipefail
here=$(cd "$(dirname "$(readlink -f "$0")")" && pwd)
root=${here%/bench/gpu-kit}

usage() {
  cat <<'END'
usage: bench/gpu-kit/build.sh [--small] [--no-build] [OUT]
  --small     two test models, one small shape: for a test of the kit itself
  --no-build  take the programs of the build folder as they are
OUT is the folder (build/gpu-kit), made anew; OUT.tar.xz is the archive. $LLAMAC_BINARY_DIR is the build folder
(build/release).
END
}
small=0 make=1 out=
while [ $# -gt 0 ]; do
  case $1 in
    --small) small=1 ;;
    --no-build) make=0 ;;
    -h|--help) usage; exit 0 ;;
    -*) usage >&2; exit 2 ;;
    *) [ -z "$out" ] || { usage >&2; exit 2; }; out=$1 ;;
  esac
  shift
done
build=${LLAMAC_BINARY_DIR:-$root/build/release}
out=${out:-$root/build/gpu-kit}
limit=40000000 # bytes of the archive

[ $make = 0 ] || ninja -C "$build" llamac llama-runtime gpu-kit compile-cuda make-test-model
if [ -e "$out" ] && [ ! -e "$out/COMMIT" ] && [ -n "$(ls -A "$out")" ]; then
  echo "error: $out is there and is no kit; name another folder or remove it" >&2
  exit 1
fi
rm -rf "$out" "$out.tar.xz"
mkdir -p "$out"/{bin,exe,models,kernels,shapes}
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

# Programs, scripts, shapes.
cp "$build/bin/gpu-kit" "$out/bin/"
cp "$here"/{run.sh,peers.py,METHOD.md} "$out/"
commit=$(git -C "$root" rev-parse HEAD 2>/dev/null || echo unknown)
[ -z "$(git -C "$root" status --porcelain --untracked-files=no 2>/dev/null)" ] || commit=$commit-changed
echo "$commit" >"$out/COMMIT"

# Kernels of the probes, as PTX and cubin.
probes=$here/probes
"$build/bin/compile-cuda" sm_90a "$out/kernels/probes" \
  "$probes"/{common.cuh,stream.cu,exchange.cu,reduce.cu,launch.cu} >"$scratch/log"
"$build/bin/compile-cuda" sm_90a "$out/kernels/conformance" "$probes"/{common.cuh,conformance.cu} >>"$scratch/log"
# The CUDA programs of the emulator's tests.
programs=$root/test/programs/kernels
mkdir -p "$out/kernels/programs"
for program in "$programs"/*.cu; do
  "$build/bin/compile-cuda" sm_90a "$out/kernels/programs/$(basename "$program" .cu)" \
    "$programs/ptx.cuh" "$program" >>"$scratch/log"
done
if grep -E '[1-9][0-9]* bytes spill' "$scratch/log"; then
  echo "error: a kernel spills" >&2
  exit 1
fi

# Whole executables, without weights.
shapes=(tiny)
[ $small = 1 ] || shapes+=(llama-3.2-1b llama-3.2-3b llama-3.1-8b llama-2-7b)
for shape in "${shapes[@]}"; do
  config=$root/test/models/configs/$shape.json
  [ -e "$config" ] || config=$here/shapes/$shape.json
  cp "$config" "$out/shapes/$shape.json"
  length=4096
  [ "$shape" != tiny ] || length=512
  "$build/bin/llamac" "$config" -q --gpu h200 --max-seq-len $length --max-batch 8 -o "$out/exe/$shape"
done

# The test models with weights. gpu-kit opens them as files: they need not carry the runtime, so llamac is given an ELF
# file with nothing in it in the runtime's place.
mkdir -p "$scratch/bin"
cp "$build/bin/llamac" "$scratch/bin/"
[ ! -e "$build/libexec" ] || ln -s "$build/libexec" "$scratch/libexec"
zeros() { head -c "$1" /dev/zero; }
{
  printf '\x7fELF\2\1\1'; zeros 9 # 64 bits, little endian
  printf '\2\0\x3e\0\1\0\0\0'; zeros 16 # executable, x86-64, no entry, no segments
  printf '\x50\0\0\0\0\0\0\0'; zeros 4 # sections at 80
  printf '\x40\0\x38\0\0\0\x40\0\2\0\1\0' # two of them, the second has the names
  printf '\0.shstrtab\0'; zeros 5
  zeros 64
  printf '\1\0\0\0\3\0\0\0'; zeros 16
  printf '\x40\0\0\0\0\0\0\0\x0b\0\0\0\0\0\0\0'; zeros 8
  printf '\1\0\0\0\0\0\0\0'; zeros 8
} >"$scratch/bin/llama-runtime"
models=$("$build/bin/make-test-model" 2>&1 | sed -n 's/^  //p') || true
[ $small = 0 ] || models="dim8 gqa-tied"
for model in $models; do
  told=$("$build/bin/make-test-model" "$model" "$scratch/$model")
  read -ra options <<<"$told"
  for dtype in bf16 f16 f32; do
    # All in bf16; the other types, which random weights make large, where the shapes differ most.
    case $model-$dtype in
      *-bf16|gqa-tied-*|hidden172-*|mqa-dim48-*|llama3-mha-f16|dim8-f32) ;;
      *) continue ;;
    esac
    [ $small = 0 ] || [ $dtype != f16 ] || continue
    "$scratch/bin/llamac" "$scratch/$model" -q --gpu h200 --dtype $dtype --max-batch 4 "${options[@]}" \
      -o "$out/models/$model.$dtype"
  done
  rm -rf "${scratch:?}/$model"
done

# A whole executable of the trained model: text, and the tokens that transformers chose.
if [ $small = 0 ]; then
  "$build/bin/llamac" "$root/examples/storyteller/model" -q --gpu h200 -o "$out/exe/storyteller"
  cp "$root/examples/storyteller/greedy.json" "$out/"
fi

# The small one is packed quickly, the real one tightly.
packing=--lzma2=preset=6,dict=64MiB
[ $small = 0 ] || packing=-0
tar -C "$(dirname "$out")" --sort=name --owner=0 --group=0 --mtime=@0 -cf - "$(basename "$out")" |
  xz -T1 $packing >"$out.tar.xz"
bytes=$(stat -c %s "$out.tar.xz")
echo "$out: $(du -sb "$out" | cut -f1) bytes; $out.tar.xz: $bytes bytes"
if [ "$bytes" -gt $limit ]; then
  echo "error: the archive is larger than $limit bytes" >&2
  exit 1
fi
