# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
# Talks to a language server as an editor does: opens FILE, waits for its diagnostics, asks for a hover at each LINE:COLUMN
# (from 1) and prints a line for each: the server's name, the diagnostics as JSON, the hovers.
# Usage: lsp-exchange.py SERVER FILE [LINE:COLUMN...]
import json
import pathlib
import subprocess
import sys

server = subprocess.Popen([sys.argv[1]], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
path = pathlib.Path(sys.argv[2]).resolve()
uri = path.as_uri()


def send(message):
    body = json.dumps({"jsonrpc": "2.0", **message}).encode()
    server.stdin.write(b"Content-Length: %d\r\n\r\n%s" % (len(body), body))
    server.stdin.flush()


def receive(wanted):
    """The next message for which `wanted` holds; others are passed over."""
    while True:
        length = 0
        while (line := server.stdout.readline().strip()):
            if line.lower().startswith(b"content-length:"):
                length = int(line.split(b":")[1])
        if not length:
            sys.exit("the server ended")
        message = json.loads(server.stdout.read(length))
        if wanted(message):
            return message


def ask(number, method, parameters):
    send({"id": number, "method": method, "params": parameters})
    return receive(lambda message: message.get("id") == number)["result"]


hello = ask(0, "initialize", {"processId": None, "rootUri": None, "capabilities": {}})
print(json.dumps(hello["serverInfo"]["name"]))
send({"method": "initialized", "params": {}})
send({"method": "textDocument/didOpen",
      "params": {"textDocument": {"uri": uri, "languageId": "mlir", "version": 1, "text": path.read_text()}}})
said = receive(lambda message: message.get("method") == "textDocument/publishDiagnostics")["params"]
assert said["uri"] == uri, said
print(json.dumps([[d["range"]["start"]["line"] + 1, d["message"]] for d in said["diagnostics"]]))
for number, place in enumerate(sys.argv[3:], 1):
    line, column = (int(part) - 1 for part in place.split(":"))
    hover = ask(number, "textDocument/hover",
                {"textDocument": {"uri": uri}, "position": {"line": line, "character": column}})
    print(" ".join(hover["contents"]["value"].split()) if hover else None)
assert ask(1000, "shutdown", None) is None
send({"method": "exit"})
sys.exit(server.wait(10))
