# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes toy.model and toy-golden.json: a small sentencepiece model of the kind
that Llama 2 has (BPE, byte fallback, dummy prefix) and what the library itself
says of it. Made with sentencepiece 0.2.3 (the runtime links 0.2.1):
    python make-tokenizer.py
"""
import io
import json
import pathlib
import random

import sentencepiece as spm

here = pathlib.Path(__file__).parent
text = """The capital of France is Paris. Once upon a time there was a little girl who lived in a village.
She liked to read stories about animals and the sea. Every day she walked to the shop, and the man gave her an apple.
"What is your name?" asked the cat. "My name is Lily," said the girl. They went to the park together and played.
It was a sunny day. The dog ran after the ball, and the bird sang in the tree. Then they all went home to eat bread.
one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen
"""
model = io.BytesIO()
spm.SentencePieceTrainer.train(
    sentence_iterator=iter(text.splitlines() * 4), model_writer=model, vocab_size=420, model_type="bpe",
    byte_fallback=True, split_digits=True, allow_whitespace_only_pieces=True, normalization_rule_name="identity",
    remove_extra_whitespaces=False, add_dummy_prefix=True, character_coverage=1.0, minloglevel=2)
(here / "toy.model").write_bytes(model.getvalue())
sp = spm.SentencePieceProcessor(model_proto=model.getvalue())

prompts = [b"", b"The capital of France is", b" leading space", b"two  spaces\n\nand lines\t", "caf\u00e9 \u4f60\u597d \U0001f600".encode(),
           b"<s> is no token here</s>", b"cut \xe4\xbd", b"\xff\xfe", b"\xf0\x9f\x98", b"a\xed\xa0\x80b", b"\xc0\xafx",
           b"\xf4\x90\x80\x80", b"ok\x80ok", b"\xe4\xbd\xe4\xbd\xa0", b"nul\x00inside", b"\r\n", b"   "]
encoded = [{"bytes": p.hex(), "valid": p.decode(errors="replace").encode().hex(),
            "ids": sp.encode(p.decode(errors="replace"))} for p in prompts]

random.seed(7)
decoded = []
for case in range(60):
    count = random.randint(0, 40)
    kind = case % 3
    ids = []
    for _ in range(count):
        if kind == 0 or random.random() < 0.5:
            ids.append(random.randrange(sp.get_piece_size()))
        elif kind == 1:
            ids.append(3 + random.randrange(256))  # bytes
        else:
            ids += [3 + b for b in random.choice(["\u00e9", "\u4f60", "\U0001f600", "\u20ac"]).encode()]
    prompt = random.randint(0, len(ids))
    decoded.append({"ids": ids, "prompt": prompt, "text": sp.decode(ids)})
golden = {"pieces": sp.get_piece_size(), "encoded": encoded, "decoded": decoded}
(here / "toy-golden.json").write_text(json.dumps(golden, indent=None, separators=(",", ":")) + "\n")
