#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# What an installation holds besides llamac: the developer's tools, completion, the manual page, the documents. The manual
# pages say what --help says, in troff that man understands.
# UNSUPPORTED: quick
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/setup.sh"
cmake --install "$LLAMAC_BINARY_DIR" --prefix "$work/prefix" >"$work/install.log"
cd "$work/prefix"
for tool in llamac llama-opt llama-lsp-server ptx-run; do
  env -i "bin/$tool" --help >"$work/help" || fail "bin/$tool --help"
  [ -s "$work/help" ] || fail "bin/$tool --help says nothing"
done
for tool in llamac ptx-run; do
  cmp share/bash-completion/completions/$tool <($tool --completion bash)
  cmp share/zsh/site-functions/_$tool <($tool --completion zsh)
  cmp share/man/man1/$tool.1 <($tool --manual)
done
for page in LlamaDialect TileDialect FusePasses TilePasses LowerPasses executable numerics scope dependencies; do
  [ -s share/doc/llamac/$page.md ] || fail "no share/doc/llamac/$page.md"
done

# plain FILE: words as they stand, one a line, without troff.
plain() { sed -E 's/\\-/-/g; s/\\&//g; s/\\e/\\/g; /^\.(br|nf|fi|PP|TP)$/d; s/^\.(TH|SH|SS|B) //' "$1" | tr -s ' \n' '\n'; }
llamac -q "$model" -o "$work/story"
for program in llamac ptx-run "$work/story"; do
  "$program" --manual >"$work/manual"
  "$program" --help >"$work/help"
  grep -vE '^(\.(TH|SH|SS|B) .*|\.(br|nf|fi|PP|TP)|[^.'"'"'].*)$' "$work/manual" && fail "$program: a line that is no troff"
  # Every word of an option's text in --help is in the manual, in that order.
  awk '/^Examples:$/ { exit } /:$/ { on = 1 } on' "$work/help" | grep -vE '^([A-Z].*:|)$' | tr -s ' \n' '\n' | sed '/^$/d' >"$work/said"
  plain "$work/manual" | sed -n '/^OPTIONS$/,/^EXAMPLES$/p' >"$work/written"
  /usr/bin/python3 - "$work/said" "$work/written" <<'END'
import sys
said, written = (open(name).read().split() for name in sys.argv[1:])
at = iter(written)
missing = next((word for word in said if word not in at), None)
sys.exit(f"{missing} of --help is not in the manual" if missing else 0)
END
  if type -P groff >/dev/null; then
    groff -man -Tutf8 -P-cbou -ww "$work/manual" 2>"$work/warnings" >"$work/page"
    [ ! -s "$work/warnings" ] || fail "groff: $(cat "$work/warnings")"
    grep -q 'EXIT STATUS' "$work/page" || fail "groff shows no exit status"
  fi
done
