# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""pool-heads.py mean|repeat FROM TO HEADS: a checkpoint with other KV heads, by plain arithmetic.

mean averages groups of KV heads, so that HEADS are left, as numpy does it: the rows (or elements) of a projection are
reshaped to [HEADS, group, head_dim, ...] and their mean over the group, in float64, is stored as float32. repeat does the opposite: each head becomes that many equal ones, HEADS in all."""
import json
import math
import os
import shutil
import struct
import sys

do, source, target, heads = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])


def load(raw, dtype):
    if dtype == "BF16":
        words = struct.unpack(f"<{len(raw) // 2}H", raw)
        return struct.unpack(f"<{len(words)}f", struct.pack(f"<{len(words)}I", *(w << 16 for w in words)))
    return struct.unpack(f"<{len(raw) // (4 if dtype == 'F32' else 2)}{'f' if dtype == 'F32' else 'e'}", raw)


def store(values, dtype):
    raw = struct.pack(f"<{len(values)}f", *values)  # rounds to float32
    if dtype == "F32":
        return raw
    if dtype == "F16":
        return struct.pack(f"<{len(values)}e", *struct.unpack(f"<{len(values)}f", raw))
    words = struct.unpack(f"<{len(values)}I", raw)
    return struct.pack(f"<{len(values)}H", *((w + 0x7fff + (w >> 16 & 1)) >> 16 for w in words))


shutil.rmtree(target, ignore_errors=True)
os.makedirs(target)
config = json.load(open(f"{source}/config.json"))
before = config.get("num_key_value_heads", config["num_attention_heads"])
head_dim = config.get("head_dim") or config["hidden_size"] // config["num_attention_heads"]
config["num_key_value_heads"] = heads
json.dump(config, open(f"{target}/config.json", "w"))
if os.path.exists(f"{source}/generation_config.json"):
    shutil.copy(f"{source}/generation_config.json", target)

data = open(f"{source}/model.safetensors", "rb").read()
size = struct.unpack("<Q", data[:8])[0]
header = json.loads(data[8:8 + size])
body, parts, entries = data[8 + size:], [], {}
for name, entry in header.items():
    if name == "__metadata__":
        continue
    raw = body[slice(*entry["data_offsets"])]
    shape = entry["shape"]
    if ".k_proj." in name or ".v_proj." in name:
        columns = math.prod(shape[1:])
        values = load(raw, entry["dtype"])
        width = head_dim * columns
        old = [values[i * width:(i + 1) * width] for i in range(before)]
        if do == "mean":
            group = before // heads
            new = [[math.fsum(column) / group for column in zip(*old[g * group:(g + 1) * group])] for g in range(heads)]
            entry["dtype"] = "F32"
        else:
            new = [old[h // (heads // before)] for h in range(heads)]
        raw = store([value for head in new for value in head], entry["dtype"])
        shape = [heads * head_dim] + shape[1:]
    start = sum(map(len, parts))
    parts.append(raw)
    entries[name] = {"dtype": entry["dtype"], "shape": shape, "data_offsets": [start, start + len(raw)]}
text = json.dumps(entries).encode()
with open(f"{target}/model.safetensors", "wb") as file:
    file.write(struct.pack("<Q", len(text)) + text + b"".join(parts))
