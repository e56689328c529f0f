# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Sourced by llamac-*.sh with their work folder as $1: makes it anew and goes there.
set -euo pipefail
work=$1
rm -rf "$work"
mkdir -p "$work"
cd "$work"
storyteller=$LLAMAC_SOURCE_DIR/examples/storyteller/model

fail() { echo "FAILED: $*" >&2; exit 1; }

# make FOLDER OPTIONS...: a tiny model, see Inputs/make-model.py; FOLDER is made anew.
make() { rm -rf "$1"; /usr/bin/python3 "$LLAMAC_SOURCE_DIR/test/import/Inputs/make-model.py" "$@"; }

# expect STATUS COMMAND...: runs it; its output goes to the files stdout and stderr.
expect() {
  local want=$1 got=0; shift
  command="$*"
  "$@" >stdout 2>stderr </dev/null || got=$?
  [ "$got" = "$want" ] || fail "\`$command\` ended with $got, not $want: $(cat stderr)"
}

# says TEXT: the last command said that on stderr; tells TEXT: on stdout.
says() { grep -qF -- "$1" stderr || fail "\`$command\` does not say \"$1\" but: $(cat stderr)"; }
tells() { grep -qF -- "$1" stdout || fail "\`$command\` does not tell \"$1\""; }

# refused STATUS ARGUMENTS...: llamac ends so, with nothing on stdout, no output and no temporary file.
refused() {
  local want=$1; shift
  rm -rf out; mkdir out
  expect "$want" llamac "$@" -o out/exe
  [ ! -s stdout ] || fail "\`$command\` wrote to stdout: $(head -c 200 stdout)"
  [ -z "$(ls -A out)" ] || fail "\`$command\` left $(ls -A out)"
}
