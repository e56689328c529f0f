#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Writes corpus/torch with PyTorch's own torch.save (2.15) and with files that must be refused."""
import io
import os
import pickle
import struct
import zipfile

import torch


def save(name, value, **options):
    file = io.BytesIO()
    torch.save(value, file, **options)
    open(name, "wb").write(file.getvalue())
    return file.getvalue()


def archive(name, entries, method=zipfile.ZIP_STORED):
    with zipfile.ZipFile(name, "w", method) as file:
        for entry, data in entries.items():
            file.writestr("archive/" + entry, data)


class Runs:
    def __reduce__(self):
        return os.system, ("true",)


os.chdir(os.path.join(os.path.dirname(os.path.abspath(__file__)), "torch"))
two = {"a": torch.ones(2, 3, dtype=torch.bfloat16), "b": torch.nn.Parameter(torch.arange(4.0))}
module = torch.nn.Linear(3, 2).state_dict()
save("module", module)
save("protocol-4", two, pickle_protocol=4)
save("legacy", module, _use_new_zipfile_serialization=False)
save("transposed", {"a": torch.ones(2, 3).t()})
save("slice", {"a": torch.ones(4, 3)[1:3]})
save("double", {"a": torch.ones(2, dtype=torch.float64)})
save("uint16", {"a": torch.ones(2, dtype=torch.uint16)})
save("nested", {"model": two})
save("list", [torch.ones(2)])
save("whole-module", torch.nn.Linear(3, 2))
data = zipfile.ZipFile(io.BytesIO(save("two", two))).read("archive/data.pkl")
open("pickle", "wb").write(data)
archive("runs", {"data.pkl": pickle.dumps({"a": Runs()}, 2)})
archive("compressed", {"data.pkl": data, "data/0": bytes(12), "data/1": bytes(16)}, zipfile.ZIP_DEFLATED)
archive("no-storage", {"data.pkl": data, "data/0": bytes(12)})
archive("short-storage", {"data.pkl": data, "data/0": bytes(4), "data/1": bytes(16)})
archive("script", {"data.pkl": data, "constants.pkl": b"\x80\x02).", "code/a.py": b"pass"})
archive("big-endian", {"data.pkl": data, "byteorder": b"big", "data/0": bytes(12), "data/1": bytes(16)})
# As it is where the file has more than 4 GB.
zipfile.ZIP64_LIMIT = 8
archive("zip64", {"data.pkl": data, "version": b"3\n", "data/0": bytes(12), "data/1": bytes(16)})
zipfile.ZIP64_LIMIT = (1 << 31) - 1
# The second storage, header and all, lies within the first.
inner = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 0, 0, 0, 0, 16, 16, 14, 0) + b"archive/data/1" + bytes(16)
archive("overlap", {"data.pkl": data, "data/0": inner, "data/1": bytes(16)})
raw = bytearray(open("overlap", "rb").read())
entry = raw.rfind(b"archive/data/1") - 46
raw[entry + 42:entry + 46] = struct.pack("<I", raw.find(inner))
open("overlap", "wb").write(raw)
# A list that holds itself, as the root and as the value of a tensor's name.
open("cycle", "wb").write(b"\x80\x02]q\x00h\x00a.")
archive("cycle-zip", {"data.pkl": b"\x80\x02}X\x01\x00\x00\x00aq\x01]q\x00h\x00as."})
open("marks", "wb").write(b"\x80\x02" + b"(" * 500 + b"t" * 500 + b".")
open("long-text", "wb").write(b"\x80\x04\x8d" + struct.pack("<Q", 1 << 62) + b"a.")
open("params.json", "w").write('{"dim": 64, "n_layers": 2, "n_heads": 4, "n_kv_heads": 2, "vocab_size": -1, "multiple_of": '
                               '32, "ffn_dim_multiplier": 1.3, "norm_eps": 1e-05, "rope_theta": 500000.0, '
                               '"use_scaled_rope": true, "rope_scaling_factor": 8.0}')
