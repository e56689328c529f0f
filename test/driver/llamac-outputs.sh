#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# The output is there whole or not at all, whatever happens.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/llamac.sh"

mkdir models
make models/one
make models/two --set rms_norm_eps=1e-6

# Places that take no output.
mkdir folder
expect 1 llamac models/one -o folder;      says "folder: is a folder; name the output file with -o FILE"
[ -z "$(ls -A folder)" ] || fail "left $(ls -A folder)"
expect 1 llamac models/one -o no/such/exe; says "no/such/exe: its folder does not exist"
expect 1 llamac models/one -o /dev/null;   says "/dev/null: is no regular file"
[ -c /dev/null ] || fail "/dev/null was replaced"
expect 1 llamac models/one -o -;           says "an executable does not go to stdout"

# The default name is the folder's; an existing file is replaced by rename.
expect 0 llamac models/one/
[ -x one ] || fail "no ./one"
ln one old
expect 0 llamac models/two -o one
cmp -s one old && fail "one was not replaced"
[ "$(stat -c %h old)" = 1 ] || fail "one was written in place"

# A disk that is full: a limit on the file's size serves.
mkdir full
expect 1 bash -c 'ulimit -f 1000; exec llamac models/one -o full/exe'
says "full/exe: cannot be written: File too large"
[ -z "$(ls -A full)" ] || fail "left $(ls -A full)"

# Interrupted while it writes. 400 MB of zeros from a file that holds none.
mkdir stopped
make models/large --sparse --set vocab_size=200000 --set hidden_size=1024 --set tie_word_embeddings=true
for signal in INT TERM; do
  llamac -q models/large -o stopped/exe 2>stderr &
  pid=$!
  for _ in $(seq 1000); do
    [ "$(du -sb stopped | cut -f1)" -lt 20000000 ] || break
    sleep 0.03
  done
  kill -s $signal $pid
  status=0; wait $pid || status=$?
  case $signal in INT) want=130 ;; TERM) want=143 ;; esac
  [ $status = $want ] || fail "SIG$signal: ended with $status: $(cat stderr)"
  [ -z "$(ls -A stopped)" ] || fail "SIG$signal left $(ls -A stopped)"
done

# Two compiles onto one output: the last rename wins, whole.
mv old first # as compiled above
mv one second
mkdir race
for _ in 1 2; do
  llamac -q models/one -o race/exe & one=$!
  llamac -q models/two -o race/exe & two=$!
  wait $one; wait $two
  cmp -s race/exe first || cmp -s race/exe second || fail "the output is of neither compile"
  [ "$(ls -A race)" = exe ] || fail "left $(ls -A race)"
done

# The same input gives the same bytes, whatever the folder, umask and number of processors.
mkdir -p deep/er
cp -r models/one deep/er/other-name
(umask 077; cd deep/er; taskset -c 0 llamac -q other-name -o ../../again)
cmp first again
