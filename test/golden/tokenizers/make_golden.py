# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes small tokenizers built like the published ones, and what the reference libraries say of them.

    llama3.tiktoken       ranks, as Meta's tokenizer.model of Llama 3; trained by tokenizers on the text below
    llama3.json           the same converted as transformers converts Llama 3 (TikTokenConverter), laid out as published
    llama2.model          sentencepiece BPE with byte fallback, trained on the text below
    llama2.json           the same converted by transformers, laid out as Llama 2's and TinyLlama's tokenizer.json
    strings.json          the texts
    *-golden.json         ids and decoded texts: [i] is of text i. tiktoken and tokenizers say the same of llama3
    variants.json         tiny tokenizer.json files, with what tokenizers or transformers' AutoTokenizer says of each

Made with tokenizers 0.23.3, tiktoken 0.14.0, sentencepiece 0.2.3 and transformers 5.24.0:
    python make_golden.py
All text here is our own. Ids have no BOS in front: this project puts it by itself, once.
"""
import base64
import io
import json
import pathlib
import random
import shutil
import tempfile

import sentencepiece as spm
import tiktoken
import tokenizers
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import AutoTokenizer
from transformers.convert_slow_tokenizer import TikTokenConverter

here = pathlib.Path(__file__).parent
PATTERN = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+"
           r"|\s+(?!\S)|\s+")

CORPUS = """The capital of France is Paris. Once upon a time there was a little girl who lived in a village by the sea.
She liked to read stories about animals, and every day she walked to the shop; the man gave her an apple for 25 cents.
"What's your name?" asked the cat. "I'm Lily, and they're my friends," said the girl. They'll go to the park together.
It wasn't a sunny day. The dog ran after the ball, I've heard, and the bird sang in the tree. We'd all gone home by 1998.
def main(argc, argv):\n    for i in range(10):\n        print(i * 2 + 1)  # a comment\n    return 0\n
if (x == 0) {\n\treturn y[3];\n}\n\n/* the end */
Der schnelle braune Fuchs springt über den faulen Hund; Straßen, Äpfel, Öl und Übung.
Le garçon a mangé une crêpe à Noël, où est la bibliothèque?
El niño comió mañana en España, ¿verdad?
Быстрая коричневая лиса прыгает через ленивую собаку. Привет, мир!
Η γρήγορη αλεπού πηδάει πάνω από το σκυλί. Καλημέρα κόσμε!
敏捷的棕色狐狸跳过了懒狗。你好，世界！今天天气很好。
素早い茶色の狐がのろまな犬を飛び越える。こんにちは、世界！
빠른 갈색 여우가 게으른 개를 뛰어넘는다. 안녕하세요 세계!
الثعلب البني السريع يقفز فوق الكلب الكسول. مرحبا بالعالم
השועל החום המהיר קופץ מעל הכלב העצלן. שלום עולם
तेज भूरी लोमड़ी आलसी कुत्ते के ऊपर कूदती है। नमस्ते दुनिया
สุนัขจิ้งจอกสีน้ำตาลกระโดดข้ามสุนัขขี้เกียจ สวัสดีชาวโลก
one two three four five six seven eight nine ten 1 2 3 10 20 30 100 200 300 1000 2024 3.14 1,000,000
😀 😃 👍 ❤️ 🎉 👩‍👩‍👧‍👦 🏳️‍🌈 👋🏽
""".splitlines()


class Lcg:
    """x -> 6364136223846793005 x + 1442695040888963407 mod 2^64; the test has the same."""

    def __init__(self, seed):
        self.state = seed

    def below(self, limit):
        self.state = (self.state * 6364136223846793005 + 1442695040888963407) % 2 ** 64
        return (self.state >> 33) % limit


LONG_WORDS = ["the", " quick", " brown", "fox", " jumps", "\n", "  ", " 1234", "5", "'ll", " don't", " \u00fcber", "\u4f60\u597d",
              " \U0001f600", "\t", ",", ". ", "\u043f\u0440\u0438\u0432\u0435\u0442", " ", "((", "))", "\r\n", "a", "Z", "_x"]


def long_text(seed, size):
    random_source, text, length = Lcg(seed), [], 0
    while length < size:
        word = LONG_WORDS[random_source.below(len(LONG_WORDS))]
        text.append(word)
        length += len(word.encode())
    return "".join(text)


def make_strings():
    rng = random.Random(20)
    fixed = [
        " ", "  ", "   ", "\n", "\n\n", " \n", "\n ", "\t", "\t\t\n  \n", "\r\n", "\r", "\r\r\n\n", "a\r\nb", "a \r\n b", " a", "  a", "a ",
        "a  ", "a  b", "a   b", "a\n\n\nb", "a \n \n b", "\u00a0", "a\u00a0b", "\u3000\u3000x", "\u2003 \u2003", "\u2028x\u2029", "\u0085a",
        "\u200b", "a\u200bb", "\ufeff", "\ufeffa", "\u180e", "\x00", "a\x00b", "\x1b[0m", "\x7f", "\x1c\x1d",
        "it's", "IT'S", "we'll", "WE'LL", "they've", "I'm", "I'M", "he'd", "don't", "you're", "'s", "''s", "'tis", "'S", "'\u017f", "x'\u017fy",
        "o'clock", "rock'n'roll", "'lly", "'l", "'r", "'v", "\u2019s", "it\u2019s", "'re're", "'M ", " 's",
        "0", "12", "123", "1234", "12345", "123456789012", "1,234.56", "3.14159", "1e-10", "0x1F", "\u0661\u0662\u0663\u0664", "\u2160\u2161\u2162", "\u00bd\u00b2\u00b3",
        "\u0967\u0968\u0969\u096a", "1 2 3", "a1b2", "1a", "2024-11-26", "10:30", "50%", "$100", "#1", "v1.2.3",
        "Hello", "hello", "HELLO", "Hello, world!", "Hello world", " Hello world", "hello_world", "helloWorld", "foo(bar)", "a.b.c", "a--b", "...",
        "!!!", "?!?!", "a...b", "((()))", "[[x]]", "{}", "<>", "</", "/*", "*/", "//", "\\", "\\n", "\"quoted\"", "`code`", "~", "@user", "a@b.c",
        "http://example.com/a?b=c&d=%20#e", "C:\\dir\\file.txt", "=>", "->", "===", "!=", "++i;", "x = y;\n", ");\n", "});\n\n", "{\n\t\"a\": 1\n}",
        "<s>", "</s>", "<unk>", "<s", "s>", "< s>", "<s >", "<S>", "</ s>", "<s/>", "<s>a", "a<s>", "a</s>b", "<s></s>", "<s> a </s> b", "a <unk> b",
        "<|begin_of_text|>", "<|eot_id|>", "<|eot_id >", "<|eot_id|", "|eot_id|>", "<| eot_id |>", "<|EOT_ID|>", "a<|eot_id|>b", "a <|eot_id|> b",
        "<|start_header_id|>user<|end_header_id|>\n\nHi<|eot_id|>", "<|begin_of_text|>a", "<|end_of_text|>", "<|reserved_special_token_0|>",
        "<|reserved_special_token_250|>", "<|reserved_special_token_251|>", "<|eom_id|>", "<|python_tag|>", "<|eot_id|><|eot_id|>", "<<|eot_id|>>",
        "<0x41>", "<0x0A>", "<0xFF", "\u2581", "\u2581a", "a\u2581b", "\u2581\u2581", " \u2581 ", "\u0120a", "\u010a", "\ufffd", "\ufffd\ufffda",
        "\U0001f600", "\U0001f600\U0001f603", "a\U0001f600b", "\u2764\ufe0f", "\U0001f469\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f3f3\ufe0f\u200d\U0001f308",
        "\U0001f44b\U0001f3fd", "\U0001f1e9\U0001f1ea\U0001f1eb\U0001f1f7", "1\ufe0f\u20e3", "\U0001f9d1\U0001f3fb\u200d\U0001f4bb", "e\u0301", "\u00e9", "n\u0303", "A\u030a\u0327",
        "\u1e9e", "\ufb01", "\u0130i", "\u0131", "\u01c5", "\u212a", "\u2126", "\u00df", "\u0149", "\U0001d538", "\U00010400", "\U000e0041", "\U0010ffff", "\ue000", "\ufdd0",
        "\uac00\u1100\u1161", "\u1100\u1161\u11a8", "\u0e33\u0e19\u0e49\u0e33", "\u0915\u094d\u0937", "\u064e\u064f", "\u05e9\u05c1", "\u202e\u05d0\u202c", "\u0d15\u0d4d\u0d37", "\u0f40\u0fb5",
        "\u16a0\u16a1", "\U00012000", "\U00013000", "\U00020000\U0002a6df", "\U00031350", "\U0002ebf0", "\U00010d40\U00010d50", "\U0001e5d0", "\u1c89", "\ua7dc", "\u088f", "\u0c5c",
        "Zalgo\u0310\u0352\u0300\u0343\u0327", "supercalifragilisticexpialidocious" * 3, "a" * 300, " " * 100, "\n" * 50, "ab" * 100, "=" * 80, "-" * 33, "0" * 50,
        "\u4f60" * 60, "\U0001f600" * 20, " a" * 50, "\t" * 17 + "x", "a\n" * 20, "  \n" * 9, " \t" * 9, "x" + " " * 40 + "y",
    ]
    # Letters, digits and marks of every block that Unicode 16 has them in, without naming any.
    scripts = [(0xC0, 0x24F), (0x250, 0x2AF), (0x370, 0x3FF), (0x400, 0x52F), (0x531, 0x58A), (0x591, 0x5F4), (0x600, 0x6FF), (0x700, 0x74F),
               (0x780, 0x7B1), (0x7C0, 0x7FA), (0x800, 0x83E), (0x840, 0x85E), (0x900, 0x97F), (0x980, 0x9FE), (0xA01, 0xA76), (0xA81, 0xAFF),
               (0xB01, 0xB77), (0xB82, 0xBFA), (0xC00, 0xC7F), (0xC80, 0xCF3), (0xD00, 0xD7F), (0xD81, 0xDF4), (0xE01, 0xE5B), (0xE81, 0xEDF),
               (0xF00, 0xFDA), (0x1000, 0x109F), (0x10A0, 0x10FF), (0x1100, 0x11FF), (0x1200, 0x1399), (0x13A0, 0x13FD), (0x1400, 0x167F),
               (0x1680, 0x169C), (0x16A0, 0x16F8), (0x1700, 0x171F), (0x1780, 0x17F9), (0x1800, 0x18AA), (0x1900, 0x194F), (0x1950, 0x1974),
               (0x1A20, 0x1AAD), (0x1B00, 0x1B7E), (0x1C00, 0x1C7F), (0x1E00, 0x1FFE), (0x2070, 0x209C), (0x2100, 0x218B), (0x2190, 0x23FF),
               (0x2460, 0x24FF), (0x2500, 0x27BF), (0x2C00, 0x2C5F), (0x2D30, 0x2D7F), (0x3041, 0x30FF), (0x3105, 0x312F), (0x3131, 0x318E),
               (0x4E00, 0x4FFF), (0xA000, 0xA0FF), (0xA500, 0xA62B), (0xA720, 0xA7FF), (0xA880, 0xA8D9), (0xAC00, 0xADFF), (0xF900, 0xFAFF),
               (0xFB00, 0xFB4F), (0xFE70, 0xFEFC), (0xFF01, 0xFFEE), (0x10000, 0x100FA), (0x10280, 0x1031F), (0x10330, 0x1034A), (0x10400, 0x104AF),
               (0x10900, 0x1093F), (0x10A00, 0x10A58), (0x11000, 0x1107F), (0x11F00, 0x11F59), (0x12000, 0x120FF), (0x13000, 0x130FF),
               (0x1D400, 0x1D4FF), (0x1D7CE, 0x1D7FF), (0x1E900, 0x1E95F), (0x1EE00, 0x1EEBB), (0x1F300, 0x1F5FF), (0x1F900, 0x1F9FF),
               (0x20000, 0x200FF), (0x30000, 0x300FF), (0x31350, 0x313FF)]
    strings = list(fixed)
    for first, last in scripts:
        words = ["".join(chr(rng.randint(first, last)) for _ in range(rng.randint(1, 6))) for _ in range(3)]
        strings.append(rng.choice([" ", "  ", "", "\n", ". "]).join(words))
    for _ in range(60):  # anything at all
        strings.append("".join(chr(c) for c in (rng.randrange(0x110000) for _ in range(rng.randint(1, 12))) if not 0xD800 <= c < 0xE000))
    pieces = ["a", "the", " ", "  ", "\n", "\r\n", "\t", "1", "23", "4567", "'s", "'LL", "'", "!", "?!", "\u00e9", "\u4e16\u754c", " \U0001f600", "<s>", "</s>",
              "<|eot_id|>", "<|eot_id", "\u2581", "_", "(", ")", "\u00a0", "\u3000", "Hello", " world", "\u0441\u043b\u043e\u0432\u043e", "-", "x1"]
    for _ in range(150):
        strings.append("".join(rng.choice(pieces) for _ in range(rng.randint(2, 14))))
    sentences = [line for line in CORPUS if line]
    for sentence in sentences:
        strings.append(sentence)
        cut = rng.randrange(len(sentence))
        strings.append(sentence[cut:cut + 40])
    seen = list(dict.fromkeys(s for s in strings if s))
    assert len(seen) > 520, len(seen)
    return seen


def digest(ids):
    """FNV-1a, 64 bits."""
    value = 0xCBF29CE484222325
    for byte in b"".join(i.to_bytes(4, "little") for i in ids):
        value = (value ^ byte) * 0x100000001B3 % 2 ** 64
    return f"{value:016x}"


def write(name, value):
    (here / name).write_text(json.dumps(value, separators=(",", ":"), ensure_ascii=True).replace('],[', '],\n[') + "\n")


SPECIAL3 = (["<|begin_of_text|>", "<|end_of_text|>"] + [f"<|reserved_special_token_{i}|>" for i in range(4)]
            + ["<|start_header_id|>", "<|end_header_id|>", "<|reserved_special_token_4|>", "<|eot_id|>"]
            + [f"<|reserved_special_token_{i}|>" for i in range(5, 251)])


def make_llama3():
    """Ranks of a trained byte-level BPE, and transformers' conversion of them."""
    trained = Tokenizer(models.BPE())
    trained.pre_tokenizer = pre_tokenizers.Sequence(
        [pre_tokenizers.Split(Regex(PATTERN), "isolated"), pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    trained.train_from_iterator(CORPUS * 3, trainers.BpeTrainer(vocab_size=1100, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
                                                                show_progress=False))
    of_character = {c: b for b, c in enumerate_bytes()}
    vocabulary = trained.get_vocab()
    tokens = [bytes(of_character[c] for c in t) for t, _ in sorted(vocabulary.items(), key=lambda item: item[1])]
    # Meta's ranks begin with the bytes; longer ones follow as they were merged. A token of a whole word that no pair of
    # tokens makes is there, too, as in the real file: only looking the word up finds it.
    tokens = sorted((t for t in tokens if len(t) == 1)) + [t for t in tokens if len(t) > 1] + [b" zqxj", b"\n \n \n", b"aaaaaaa"]
    (here / "llama3.tiktoken").write_text("".join(f"{base64.b64encode(t).decode()} {i}\n" for i, t in enumerate(tokens)))
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(here / "llama3.tiktoken", f"{folder}/tokenizer.model")
        converter = TikTokenConverter(vocab_file=f"{folder}/tokenizer.model", pattern=PATTERN, extra_special_tokens=SPECIAL3)
        fast = converter.converted()
    file = json.loads(fast.to_str())
    # As published: ids of special tokens follow, merges looked at only where a word is no token.
    file["model"]["ignore_merges"] = True
    base = len(tokens)
    file["added_tokens"] = [{"id": base + i, "content": t, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False,
                             "special": True} for i, t in enumerate(SPECIAL3)]
    for token in SPECIAL3:
        file["model"]["vocab"].pop(token, None)
    file["post_processor"] = {"type": "Sequence", "processors": [
        {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        {"type": "TemplateProcessing", "single": [{"SpecialToken": {"id": SPECIAL3[0], "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
         "pair": [{"SpecialToken": {"id": SPECIAL3[0], "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}},
                  {"SpecialToken": {"id": SPECIAL3[0], "type_id": 1}}, {"Sequence": {"id": "B", "type_id": 1}}],
         "special_tokens": {SPECIAL3[0]: {"id": SPECIAL3[0], "ids": [base], "tokens": [SPECIAL3[0]]}}}]}
    text = json.dumps(file, ensure_ascii=False, separators=(",", ":")).replace(',"', ',\n"', 40)
    (here / "llama3.json").write_text(text + "\n")
    return Tokenizer.from_file(str(here / "llama3.json")), tiktoken.Encoding(
        "llama3", pat_str=PATTERN, mergeable_ranks={t: i for i, t in enumerate(tokens)},
        special_tokens={t: base + i for i, t in enumerate(SPECIAL3)})


def enumerate_bytes():
    """GPT-2's characters of bytes."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    extra = 256
    for byte in range(256):
        if byte in printable:
            yield byte, chr(byte)
        else:
            yield byte, chr(extra)
            extra += 1


def make_llama2():
    model = io.BytesIO()
    spm.SentencePieceTrainer.train(
        sentence_iterator=iter(CORPUS * 3), model_writer=model, vocab_size=1000, model_type="bpe", byte_fallback=True, split_digits=True,
        allow_whitespace_only_pieces=True, normalization_rule_name="identity", remove_extra_whitespaces=False, add_dummy_prefix=True,
        character_coverage=0.98, minloglevel=2)
    (here / "llama2.model").write_bytes(model.getvalue())
    with tempfile.TemporaryDirectory() as folder:
        shutil.copy(here / "llama2.model", f"{folder}/tokenizer.model")
        (pathlib.Path(folder) / "config.json").write_text(json.dumps({"model_type": "llama"}))
        (pathlib.Path(folder) / "tokenizer_config.json").write_text(json.dumps({"tokenizer_class": "LlamaTokenizer", "legacy": False}))
        file = json.loads(AutoTokenizer.from_pretrained(folder).backend_tokenizer.to_str())
    # As published for Llama 2 and TinyLlama.
    file["normalizer"] = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                                                              {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]}
    file["pre_tokenizer"] = None
    file["model"]["unk_token"] = "<unk>"
    bos = {"SpecialToken": {"id": "<s>", "type_id": 0}}
    file["post_processor"] = {"type": "TemplateProcessing", "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
                              "pair": [bos, {"Sequence": {"id": "A", "type_id": 0}}, {"SpecialToken": {"id": "<s>", "type_id": 1}},
                                       {"Sequence": {"id": "B", "type_id": 1}}],
                              "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}}
    text = json.dumps(file, ensure_ascii=False, separators=(",", ":")).replace(',"', ',\n"', 40)
    (here / "llama2.json").write_text(text + "\n")
    return Tokenizer.from_file(str(here / "llama2.json")), spm.SentencePieceProcessor(model_proto=model.getvalue())


def of_tokenizers(tokenizer, text, plain):
    tokenizer.encode_special_tokens = plain
    return tokenizer.encode(text, add_special_tokens=False).ids


def golden(strings, encode, decode, count):
    """encode(text, plain) and decode(ids) of a reference."""
    rng = random.Random(7)
    parsed = [encode(s, False) for s in strings]
    plain = {str(i): encode(s, True) for i, s in enumerate(strings) if encode(s, True) != parsed[i]}
    long = {}
    for seed in (1, 2):
        text = long_text(seed, 100_000)
        ids = encode(text, False)
        assert decode(ids) == text
        long[str(seed)] = {"count": len(ids), "fnv1a": digest(ids)}
    drawn = []
    for _ in range(150):
        ids = [rng.randrange(count if rng.random() < 0.5 else 300) for _ in range(rng.randint(1, 24))]
        drawn.append([ids, decode(ids)])
    return {"parsed": parsed, "plain": plain,
                                  "decoded": {str(i): decode(p) for i, p in enumerate(parsed) if decode(p) != strings[i]},
                                  "drawn": drawn, "long": long}


def variants():
    """Tiny files that differ from the published ones, each with the same texts."""
    vocab = {t: i for i, t in enumerate(["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)] + list("\u2581abcxyz<>/s\n")
                                        + ["\u2581a", "\u2581b", "ab", "\u2581ab", "\u2581\u2581", "\u2581<", "<x>"])}
    merges = [["\u2581", "a"], ["\u2581", "b"], ["a", "b"], ["\u2581", "ab"], ["\u2581", "\u2581"], ["\u2581", "<"]]
    texts = ["a", " a", "  a", "ab", "a b", "<s>a", "<s> a", "a</s>b", "a </s> b", "<x>", "a<x>b", "a <x> b", "<x>b", " <x>b", "a  <x>  b", "a<x>", "a\n<x>\nb",
             "a<x><x>b", "a<s><x>b", "x<x>", "<y>", "a<y>b", "a <y> b", "a\t<y>\t b", "a<y z>b", "a \u00e9<y>\u00e9", "<x><y>", "a_<x>", "1<x>", "\u200d<x>\u24b6", "a\u2581b",
             "a <x", "</s", "<s></s>", "a <s> <s> b", "ab<x>ab</s>ab", " ", "\n", "\U0001f600a", "<x", "y z"]
    bos = {"SpecialToken": {"id": "<s>", "type_id": 0}}

    def token(i, content, **flags):
        return {"id": i, "content": content, "single_word": False, "lstrip": False, "rstrip": False, "normalized": False, "special": True, **flags}

    own = [token(0, "<unk>"), token(1, "<s>"), token(2, "</s>")]
    prepend = {"type": "Sequence", "normalizers": [{"type": "Prepend", "prepend": "\u2581"},
                                                   {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}]}
    replace = {"type": "Replace", "pattern": {"String": " "}, "content": "\u2581"}
    doubled = {"type": "Sequence", "normalizers": [replace, {"type": "Replace", "pattern": {"Regex": "\\A\u2581"}, "content": "\u2581\u2581"}]}

    def metaspace(scheme, split=False):
        return {"type": "Metaspace", "replacement": "\u2581", "prepend_scheme": scheme, "split": split}

    strip = [{"type": "Strip", "content": " ", "start": 1, "stop": 0}]

    def file(normalizer, pre_tokenizer, added=(), decoder=strip, **model):
        return {"version": "1.0", "truncation": None, "padding": None, "added_tokens": own + list(added), "normalizer": normalizer,
                "pre_tokenizer": pre_tokenizer,
                "post_processor": {"type": "TemplateProcessing", "single": [bos, {"Sequence": {"id": "A", "type_id": 0}}],
                                   "pair": [{"Sequence": {"id": "A", "type_id": 0}}, {"Sequence": {"id": "B", "type_id": 1}}],
                                   "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
                "decoder": {"type": "Sequence", "decoders": [{"type": "Replace", "pattern": {"String": "\u2581"}, "content": " "},
                                                             {"type": "ByteFallback"}, {"type": "Fuse"}] + decoder},
                "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "continuing_subword_prefix": None, "end_of_word_suffix": None,
                          "fuse_unk": True, "byte_fallback": True, "ignore_merges": False, "vocab": vocab, "merges": merges, **model}}

    x = len(vocab) - 1  # "<x>", in the vocabulary
    y = len(vocab)
    two = [token(y, "<y>"), token(y + 1, "<y z>")]
    few = {t: i for t, i in vocab.items() if not t.startswith("<0x")}
    few = {t: i for i, t in enumerate(few)}
    cases = [
        ("prepend", file(prepend, None, two), None),
        ("replace alone", file(replace, None, two, decoder=[]), None),
        ("doubled start", file(doubled, {"type": "Sequence", "pretokenizers": [metaspace("always")]}, two), None),
        ("metaspace always", file(None, metaspace("always"), two), None),
        ("metaspace first", file(None, metaspace("first"), two), None),
        ("metaspace never", file(None, metaspace("never"), two, decoder=[]), None),
        ("metaspace split", file(None, metaspace("always", True), two), None),
        ("normalized", file(prepend, None, [token(x, "<x>", normalized=True), token(y, "<y>", normalized=True, special=False)]), None),
        ("normalized, replace alone", file(replace, None, [token(x, "<x>", normalized=True), token(y, "<y z>", normalized=True)]), None),
        ("normalized, metaspace", file(None, metaspace("first"), [token(x, "<x>", normalized=True), token(y, "<y>")]), None),
        ("normalized and stripped", file(prepend, None, [token(x, "<x>", normalized=True, lstrip=True, rstrip=True),
                                                         token(y, "<y>", lstrip=True, rstrip=True)]), None),
        ("left", file(prepend, None, [token(x, "<x>", lstrip=True), token(y, "<y>", rstrip=True)]), None),
        ("not special", file(prepend, None, [token(x, "<x>", special=False), token(y, "<y>", special=False, rstrip=True)]), None),
        ("single word", file(prepend, None, [token(x, "<x>", single_word=True), token(y, "<y>", single_word=True, special=False)]), None),
        ("no byte pieces", file(prepend, None, [], vocab=few, byte_fallback=True), None),
        ("unknown not fused", file(prepend, None, [], vocab=few, byte_fallback=False, fuse_unk=False), None),
        ("no unknown", file(prepend, None, [], vocab=few, byte_fallback=False, unk_token=None), None),
        ("class, legacy false", file(prepend, None, two), {"tokenizer_class": "LlamaTokenizer", "legacy": False}),
        ("class, legacy true", file(prepend, None, two), {"tokenizer_class": "LlamaTokenizerFast", "legacy": True}),
        ("class, no prefix", file(prepend, None, two), {"tokenizer_class": "LlamaTokenizer", "add_prefix_space": False}),
        ("class, added", file(prepend, None, two), {"tokenizer_class": "LlamaTokenizer", "bos_token": "<s>", "eos_token": "</s>", "unk_token": "<unk>",
                                                    "added_tokens_decoder": {"0": token(0, "<unk>"), "1": token(1, "<s>"), "2": token(2, "</s>"),
                                                                             str(x): token(x, "<x>", lstrip=True, special=False)}}),
        ("other class", file(prepend, None, two), {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>"}),
        ("other class, added", file(prepend, None, two), {"tokenizer_class": "PreTrainedTokenizerFast", "bos_token": "<s>", "pad_token": "<x>",
                                                          "added_tokens_decoder": {str(y): token(y, "<y>", rstrip=True)}}),
    ]
    result = []
    for name, tokenizer_file, config in cases:
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder)
            (path / "tokenizer.json").write_text(json.dumps(tokenizer_file))
            if config is None:
                tokenizer = Tokenizer.from_file(str(path / "tokenizer.json"))
            else:
                (path / "config.json").write_text(json.dumps({"model_type": "llama"}))
                config = {**config}
                for entry in config.get("added_tokens_decoder", {}).values():
                    entry.pop("id", None)
                (path / "tokenizer_config.json").write_text(json.dumps(config))
                tokenizer = AutoTokenizer.from_pretrained(folder).backend_tokenizer
            entries = []
            for text in texts:
                parsed = of_tokenizers(tokenizer, text, False)
                # Special tokens are silent here, also `normalized` ones, which skip_special_tokens misses.
                special = {i for i, added in tokenizer.get_added_tokens_decoder().items() if added.special}
                entries.append([text, parsed, of_tokenizers(tokenizer, text, True), tokenizer.decode([i for i in parsed if i not in special])])
        result.append({"name": name, "file": tokenizer_file, "config": config, "texts": entries})
    # The vocabulary once.
    for entry in result:
        model = entry["file"]["model"]
        model["vocab"] = "few" if model["vocab"] is few else "all"
        model["merges"] = "all"
    write("variants.json", {"all": vocab, "few": few, "merges": merges, "variants": result})


strings = make_strings()
write("strings.json", strings)
fast3, meta = make_llama3()
fast2, pieces = make_llama2()
of_json = golden(strings, lambda s, plain: of_tokenizers(fast3, s, plain), lambda ids: fast3.decode(ids, skip_special_tokens=True),
                 fast3.get_vocab_size())
base3 = len(meta._mergeable_ranks)
of_tiktoken = golden(strings, lambda s, plain: meta.encode_ordinary(s) if plain else meta.encode(s, allowed_special="all"),
                     lambda ids: meta.decode([i for i in ids if i < base3]), base3 + 256)
assert of_json == of_tiktoken
write("llama3-golden.json", of_json)
write("llama2-json-golden.json",
      golden(strings, lambda s, plain: of_tokenizers(fast2, s, plain), lambda ids: fast2.decode(ids, skip_special_tokens=True),
             fast2.get_vocab_size()))
# The library knows no special tokens in a text: its ids are those of plain texts.
write("llama2-sentencepiece-golden.json", golden(strings, lambda s, plain: pieces.encode(s), pieces.decode, pieces.get_piece_size()))
variants()
print(len(strings), "texts;", "tokenizers", tokenizers.__version__)
