#!/usr/bin/env bash
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# A conversation on a terminal: the marker stands on standard error, Ctrl-C ends an answer and at the marker the
# program, Ctrl-D ends it well.
# REQUIRES: terminal
# RUN: bash %s %t
. "$(dirname "$0")/Inputs/executable.sh"
"$bin/make-toy" "$bin/llama-runtime" toy llama2
# Its answer has 99 tokens, which take a while.
llamac "$LLAMAC_SOURCE_DIR/examples/storyteller/model" --gpu emulator --chat-template llama2 -q -o story

/usr/bin/python3 - <<'PYTHON' || fail "a conversation on a terminal"
import os, pty, select, signal, sys, time

class Conversation:
    """A program on a pseudo-terminal; its standard output goes to a pipe instead."""
    def __init__(self, *command):
        self.reader, writer = os.pipe()
        self.pid, self.terminal = pty.fork()
        if self.pid == 0:
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.dup2(writer, 1)
            os.execv(command[0], command)
        os.close(writer)
        self.shown = b""

    def wait_for(self, text):
        """Until the terminal shows it, behind what was waited for before."""
        end = time.time() + 60
        while text not in self.shown:
            assert time.time() < end, (text, self.shown)
            if select.select([self.terminal], [], [], 1)[0]:
                self.shown += os.read(self.terminal, 4096)
        before, _, self.shown = self.shown.partition(text)
        return before

    def type(self, keys):
        os.write(self.terminal, keys)

    def read_output(self, count):
        text = b""
        while len(text) < count:
            part = os.read(self.reader, count - len(text))
            assert part, text
            text += part
        return text

    def status(self):
        # What is on its way has to be read, or the program waits for it.
        end = time.time() + 60
        while time.time() < end:
            if select.select([self.terminal], [], [], 0.1)[0]:
                try:
                    self.shown += os.read(self.terminal, 4096)
                except OSError:
                    pass
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
        os.kill(self.pid, signal.SIGKILL)
        raise AssertionError("it does not end")

# Two turns, and Ctrl-D.
talk = Conversation("./toy", "--device", "emulator", "--chat", "-n", "4")
talk.wait_for(b"> ")
talk.type(b"Hello\n")
talk.wait_for(b"> ")
talk.type(b"Go on\n")
talk.wait_for(b"> ")
talk.type(b"\x04")
assert talk.status() == 0
output = os.read(talk.reader, 65536)
assert output.count(b"\n") >= 2 and b"> " not in output, output

# Ctrl-C ends an answer, and the conversation goes on; once more at the marker, and it is over.
talk = Conversation("./story", "--device", "emulator", "--chat", "--temperature", "0", "-v")
talk.wait_for(b"> ")
talk.type(b"Once upon a time\n")
text = talk.read_output(1)
talk.type(b"\x03")
assert b"(interrupt)" in talk.wait_for(b"> ")
while not text.endswith(b"\n"):
    text += talk.read_output(1)
talk.type(b"And then?\n")
told = talk.wait_for(b"> ")
assert b"turn 2: 0 " not in told and b"tokens kept" in told, told
talk.type(b"\x03")
assert talk.status() == 130
PYTHON
