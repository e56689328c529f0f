#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# --split-weights, --no-weights, and the executable's --weights and --random-weights: what works, and every refusal.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"
make model
make other --set num_hidden_layers=1
make tuned --fill model.norm.weight=9

# run STATUS EXECUTABLE OPTIONS...: a short run on the emulator.
run() { local want=$1 exe=$2; shift 2; expect "$want" "$exe" --device emulator --ids "1 2 3" -n 6 --temperature 0 "$@"; }

expect 0 llamac model -o inside
says "device memory at these maxima: "; says " KV cache + "; says " on h200"
expect 0 llamac model -o split --split-weights
says "wrote split ("; says "and split.weights ("
expect 0 llamac model -o shapes --no-weights -q
run 0 ./inside; cp stdout expected
run 0 ./split; cmp stdout expected

# Beside the real path, whatever the link's folder and name.
mkdir -p links
ln -s ../split links/name
run 0 links/name; cmp stdout expected
run 0 ./split -v; says "weights: $PWD/split.weights"
expect 0 ./split --info; tells "in a file of their own"
# Elsewhere, by its name; shapes take the same file.
mv split.weights moved
run 1 ./split; says "there is no $PWD/split.weights: put it there, or name it with --weights FILE"
expect 0 ./split --info
for exe in split shapes; do run 0 ./$exe --weights moved; cmp stdout expected; done

# A file of another model, storage type or training; cut; altered.
expect 0 llamac other -o other.exe --split-weights -q
expect 0 llamac model -o f32.exe --split-weights --dtype f32 -q
expect 0 llamac tuned -o tuned.exe --split-weights -q
for file in other.exe.weights f32.exe.weights; do
  for exe in split shapes; do
    run 1 ./$exe --weights $file; says "$file: holds the weights of another model or storage type"
  done
done
run 1 ./split --weights tuned.exe.weights
says "tuned.exe.weights: holds other weights than those that $PWD/split was compiled with"
run 0 ./shapes --weights tuned.exe.weights
cmp -s stdout expected && fail "other weights, the same tokens"
size=$(stat -c %s moved)
for cut in 0 4000 4096 $((size - 1)); do
  head -c "$cut" moved >cut
  run 1 ./split --weights cut; says "cut: has $cut bytes"; says "cut"
done
{ cat moved; echo; } >long
run 1 ./split --weights long; says "long: has $((size + 1)) bytes, expected $size"
for at in 20 40 5000 $((size - 1100)); do
  cp moved altered
  printf '\xff' | dd of=altered bs=1 seek="$at" conv=notrunc status=none
  run 1 ./split --weights altered; says "altered"; says "copy"
done
run 1 ./split --weights model/config.json; says "it is no weights file"
cp inside long; run 1 ./split --weights long; says "is no weights file made by llamac --split-weights"
run 1 ./split --weights no-such-file; says "no-such-file: cannot be opened"
run 1 ./split --weights links; says "links: is no regular file"

# Shapes alone.
run 1 ./shapes; says "holds shapes only: give --random-weights SEED, or --weights FILE"
run 0 ./shapes --random-weights 7; cp stdout seven
run 0 ./shapes --random-weights 7; cmp stdout seven
run 0 ./split --random-weights 7; cmp stdout seven
run 0 ./shapes --random-weights 18446744073709551615
cmp -s stdout seven && fail "another seed, the same tokens"
run 2 ./shapes --random-weights -1; says "--random-weights: found \`-1\`, expected a whole number from 0"
run 2 ./shapes --random-weights 7 --weights moved; says "--random-weights"
run 2 ./shapes --weights ""; says "--weights: found \`\`, expected a file"
for option in "--weights moved" "--random-weights 7"; do
  # shellcheck disable=SC2086
  run 1 ./inside $option; says "has its weights inside"
done

# The command line of llamac.
refused 2 model --split-weights --no-weights; says "--no-weights"
refused 1 model/config.json --split-weights; says "--split-weights: model/config.json has no weights"
refused 1 model --split-weights --emit=ptx; says "--split-weights: --emit makes no executable"

# Both or neither: the second cannot be put in place, the values overflow, the disk is full.
mkdir -p dir/exe.weights
expect 1 llamac model --split-weights -o dir/exe; says "dir/exe.weights: is a folder"
[ "$(ls -A dir)" = exe.weights ] || fail "left $(ls -A dir)"
make large --dtype F32 --fill lm_head.weight=70000
refused 1 large --split-weights --dtype f16; says 'tensor "lm_head.weight": 1 of its values overflow f16'
(ulimit -f 4096; refused 1 model --split-weights --dtype f32); says "File too large"

# The same bytes again, and from another folder.
cp -r model again
mkdir -p elsewhere
expect 0 llamac again -o elsewhere/split --split-weights -q
cmp split elsewhere/split
cmp moved elsewhere/split.weights

# The bytes against the GPU's memory: refused with weights, warned of without; the largest context that fits is named.
make wide --set num_hidden_layers=64 --set num_attention_heads=64 --set num_key_value_heads=64 --set head_dim=256 \
  --set max_position_embeddings=131072 --sparse
refused 1 wide --gpu l4 --max-batch 1024 --max-seq-len 4096
says "--max-seq-len 4096 --max-batch 1024 does not fit the 22.35 GiB of l4: "
says "too many; the largest context that fits is"
next=$(sed -n 's/.*tokens: \(--max-seq-len [0-9]* --max-batch [0-9]*\).*/\1/p' stderr)
# shellcheck disable=SC2086
expect 0 llamac wide --gpu l4 --no-weights -o fits $next
grep -q "does not fit" stderr && fail "what was advised does not fit"
expect 0 llamac wide --gpu l4 --no-weights --max-batch 1024 --max-seq-len 4096 -o shapes
says "warning: --max-seq-len 4096 --max-batch 1024 does not fit"
expect 0 llamac wide --gpu l4 --emit=llama --max-batch 1024 --max-seq-len 4096
says "warning: the weights and 1024 sequences of 4096 tokens do not fit the 24 GB of l4"
