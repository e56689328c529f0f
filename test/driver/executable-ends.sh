#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A closed pipe ends quietly, a full disk does not, SIGINT is 130, and --info,
# --help, --version need no device.
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"
"$bin/make-toy" "$bin/llama-runtime" endless no-eos

set +o pipefail
./endless --device emulator "Once" 2>err | head -c 1 >out
[ "${PIPESTATUS[0]}" = 0 ] || fail "a closed pipe: status ${PIPESTATUS[0]}"
[ ! -s err ] || fail "a closed pipe: $(cat err)"
set -o pipefail

status=0
./toy --device emulator "Once" >/dev/full 2>err || status=$?
[ $status = 1 ] || fail "a full disk: status $status"
says "standard output: cannot be written: No space left on device"
status=0
./toy --help >/dev/full 2>/dev/null || status=$?
[ $status = 1 ] || fail "--help onto a full disk: status $status"

# SIGINT while it waits for its prompt; python gives the child a default SIGINT.
/usr/bin/python3 - <<'PYTHON' || fail "SIGINT"
import signal, subprocess, time
child = subprocess.Popen(["./toy", "--device", "emulator"], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
time.sleep(0.5)
child.send_signal(signal.SIGINT)
assert child.wait(timeout=20) == 130, child.returncode
# While text comes: the open line is closed.
child = subprocess.Popen(["./endless", "--device", "emulator", "Once"], stdout=subprocess.PIPE,
                         preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL))
text = child.stdout.read(1)
child.send_signal(signal.SIGINT)
text += child.stdout.read()
status = child.wait(timeout=20)
assert status in (0, 130), status  # a short text may be through before the signal comes
assert text.endswith(b"\n"), text
PYTHON

run 0 ./toy --help
for option in --prompt --ids --stop --dump-logits --force-ids --device --temperature --top-k --top-p --min-p \
  --repeat-penalty --presence-penalty --frequency-penalty --seed --logprobs --chat --messages --system --selftest --perplexity; do
  grep -q -- "$option" out || fail "--help lacks $option"
done
run 0 ./toy --version
grep -q "made by llamac" out || fail "$(cat out)"
run 0 "$bin/llama-runtime" --version
run 0 ./toy --info
for part in passport sha256 "KV pool" toy_head "weights "; do
  grep -q "$part" out || fail "--info lacks $part: $(cat out)"
done
toy 0 -v "Once" -n 3
for part in "toy: greedy" "device memory" "tokens/s"; do says "$part"; done
