# SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception
"""Makes UnicodeTables.inc: the letters, numbers and other word characters of Unicode 16.0, which is the version that
Hugging Face tokenizers and tiktoken have. The data is that of the Unicode Character
Database as the Python package unicodedata2 16.0.0 has it; --check asks the installed tokenizers and tiktoken about every
code point, and made no difference with tokenizers 0.23.3 and tiktoken 0.14.0.
    python make_unicode_classes.py [--check]
"""
import pathlib
import sys

import unicodedata2

assert unicodedata2.unidata_version == "16.0.0"
points = [c for c in range(0x110000) if not 0xD800 <= c < 0xE000]
category = {c: unicodedata2.category(chr(c)) for c in points}
letters = {c for c in points if category[c][0] == "L"}
numbers = {c for c in points if category[c][0] == "N"}
# Alphabetic, Mark, Decimal_Number, Connector_Punctuation and Join_Control less the letters: what \\w means to them.
# Alphabetic symbols (So) are the enclosed and squared letters of DerivedCoreProperties.txt.
symbols = set().union(*(range(a, b + 1) for a, b in
                        [(0x24B6, 0x24E9), (0x1F130, 0x1F149), (0x1F150, 0x1F169), (0x1F170, 0x1F189)]))
others = {c for c in points if category[c][0] == "M" or category[c] in ("Nd", "Nl", "Pc")} | symbols | {0x200C, 0x200D}


def ranges(members):
    found = []
    for c in sorted(members):
        if found and found[-1][1] == c - 1:
            found[-1][1] = c
        else:
            found.append([c, c])
    return found


def table(name, members):
    lines, line = [], " "
    for first, last in ranges(members):
        item = f" {{0x{first:X}, 0x{last:X}}},"
        if len(line) + len(item) > 118:
            lines.append(line)
            line = " "
        line += item
    return f"static constexpr CodePointRange {name}[] = {{\n" + "\n".join(lines + [line]) + "\n};\n"


def check():
    import tiktoken
    import tokenizers

    def asked(pattern):
        replace = tokenizers.normalizers.Replace(tokenizers.Regex(pattern), "\x02\x02")
        some = [c for c in points if c not in (1, 2)]
        answers = replace.normalize_str("".join(chr(c) + "\x01" for c in some)).split("\x01")
        return {c for c, answer in zip(some, answers) if answer != chr(c)}

    def asked_tiktoken(pattern):
        encoding = tiktoken.Encoding("x", pat_str=pattern, mergeable_ranks={bytes([b]): b for b in range(256)},
                                     special_tokens={})
        return {c for c in points if encoding.encode_ordinary(chr(c))}

    assert asked(r"\p{L}") == asked_tiktoken(r"\p{L}") == letters
    assert asked(r"\p{N}") == asked_tiktoken(r"\p{N}") == numbers
    assert asked(r"[\p{Alphabetic}\p{M}\p{Nd}\p{Pc}\p{Join_Control}]") == letters | others
    spaces = {*range(9, 14), 0x20, 0x85, 0xA0, 0x1680, *range(0x2000, 0x200B), 0x2028, 0x2029, 0x202F, 0x205F, 0x3000}
    assert asked(r"\s") == asked_tiktoken(r"\s") == spaces
    print("tokenizers", tokenizers.__version__, "and tiktoken", tiktoken.__version__, "agree on every code point")


if "--check" in sys.argv:
    check()
else:
    text = ("// SPDX-License-Identifier: Apache-2.0 WITH LLVM-exception\n"
            "// Made by make_unicode_classes.py from Unicode 16.0; first and last code points.\n"
            + table("letterRanges", letters) + table("numberRanges", numbers) + table("otherWordRanges", others))
    pathlib.Path(__file__).with_name("UnicodeTables.inc").write_text(text)
