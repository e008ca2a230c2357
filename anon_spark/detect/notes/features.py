"""What the sequence model sees of each token: of the word itself, its neighbours, its line, and patterns.

All features are functions of a word, of two words, or of three classes of words, so a model can sum their weights once
a word and keep the sum (:mod:`~anon_spark.detect.notes.crf`); training and detection share these functions.
"""

import re
from bisect import bisect_left
from functools import lru_cache
from typing import NamedTuple

from anon_spark.detect.notes.lexicon import announcing, cluster_of, is_slip, lexicon
from anon_spark.detect.notes.tokens import LINE_BREAK, Tokens

MIXED, UPPER, LOWER = "m", "U", "l"
NEAR = (-3, -2, -1, 1, 2, 3)
HEADER_REACH = 8  # tokens after a colon that are told what stands before it


class Word(NamedTuple):
    """A word as the model sees it."""

    text: str  # in lower case, long numbers by their length
    kind: str  # its class: a word that announces something, a form, or the lists that hold it
    own: tuple[str, ...]  # features of the token itself
    beside: tuple[str, ...]  # features for tokens next to it


@lru_cache(maxsize=200_000)
def describe(word: str, mode: str) -> Word:
    """What is known of a word by itself; ``mode`` tells whether its line has both cases, so case says something."""
    if word.isdecimal():  # a raised digit is one too, but no number
        return _number(word)
    if not word[0].isalpha():
        text = word[:3] if word.isprintable() else f"U+{ord(word[0]):04X}"
        return Word(text, text[:6], (f"w={text}",), (f"w={text}",))
    lower = word.lower().replace("\u2019", "'")
    shape = _shape(word) if mode == MIXED else mode
    known = lexicon().get(lower, "")
    announced = announcing().get(lower, "")
    lists = known or ("??" if len(lower) < 3 else "~" if is_slip(lower) else "?")
    kind = f"{announced}.{shape}" if announced else f"{lists}.{shape}"
    own = [
        f"w={lower}",
        f"ws={lower}.{shape}",
        f"s={shape}",
        f"x={lists}",
        f"k={kind}",
        f"n={min(len(word), 8)}.{shape}",
    ]
    own += [f"f={flag}.{shape}" for flag in known]
    if len(lower) > 3:
        framed = f"^{lower[:12]}$"
        own += [f"g={framed[at : at + 3]}" for at in range(len(framed) - 2)]
        own += [f"p3={lower[:3]}", f"e3={lower[-3:]}", f"e2={lower[-2:]}.{shape}", f"e4={lower[-4:]}"]
    beside = [f"w={lower}", f"k={kind}", f"s={shape}"]
    if cluster := cluster_of(word):
        own += [
            f"b={cluster}.{shape}",
            *(f"b{bits}={cluster & (1 << bits) - 1}.{shape}" for bits in (4, 6, 10)),
        ]
        beside += [f"b={cluster}", f"b6={cluster & 63}"]
    return Word(lower, kind, tuple(own), tuple(beside))


def _number(word: str) -> Word:
    size, value = len(word), int(word[:9])
    if size <= 2:
        bound = (
            "0"
            if value == 0
            else "12"
            if value <= 12
            else "31"
            if value <= 31
            else "89"
            if value <= 89
            else "99"
        )
        kind = f"#{size}.{bound}"
    elif size == 4:
        kind = "#year" if 1900 <= value <= 2030 else "#future" if 2030 < value <= 2230 else "#4"
    else:
        kind = f"#{size}" if size <= 12 else "#long"
    text = word if size <= 2 else kind
    return Word(
        text,
        kind,
        (f"w={text}", f"k={kind}", f"s=#{min(size, 5)}"),
        (f"w={text}", f"k={kind}", f"s=#{min(size, 5)}"),
    )


def _shape(word: str) -> str:
    if word.islower():
        return "x"
    if word.isupper():
        return "X" if len(word) == 1 else "XX" if len(word) < 4 else "XXX"
    if word[0].isupper() and word[1:].islower():
        return "Xx"
    return "xX" if word[0].islower() else "XxX"


def beside(word: Word, offset: int) -> list[str]:
    """Features that a word gives the token ``-offset`` places from it."""
    return [f"{offset}{feature}" for feature in given_beside(word, offset)]


def given_beside(word: Word, offset: int) -> tuple[str, ...]:
    """Which of a word's features it gives the token ``-offset`` places from it: from afar, the word and its class."""
    return word.beside if abs(offset) < 3 else tuple(f for f in word.beside if f.startswith(FAR))


FAR = ("w=", "k=")
CROSSED = {
    "<w": ("ww", (-1, 0)),
    ">w": ("ww", (0, 1)),
    "<m": ("wk", (-1, 0)),
    ">m": ("kw", (0, 1)),
    "<k": ("kk", (-1, 0)),
    ">k": ("kk", (0, 1)),
    "3": ("kkk", (-1, 0, 1)),
    "2": ("kk", (-1, 1)),
}
"""Families of features of tokens in a row: whether words (w) or classes (k) make one, and how far from its token."""


def of_pair(first: Word, second: Word) -> tuple[list[str], list[str]]:
    """Features of two words side by side: for the second of them, and for the first."""
    (back, ahead), (back_kinds, ahead_kinds) = of_words(first, second), of_kinds(first.kind, second.kind)
    return back + back_kinds, ahead + ahead_kinds


def of_words(first: Word, second: Word) -> tuple[list[str], list[str]]:
    """Those of a pair's features that hang on a word itself: rare ones."""
    words, mixed, turned = (
        f"{first.text} {second.text}",
        f"{first.text} {second.kind}",
        f"{first.kind} {second.text}",
    )
    return [f"<w={words}", f"<m={mixed}"], [f">w={words}", f">m={turned}"]


def of_kinds(first: str, second: str) -> tuple[list[str], list[str]]:
    """Those of a pair's features that hang on the two classes alone."""
    return [f"<k={first} {second}"], [f">k={first} {second}"]


def of_three(before: str, kind: str, after: str) -> list[str]:
    """Features of three classes in a row, for the middle one."""
    return [f"3={before} {kind} {after}", f"2={before} {after}"]


def of_place(header: str, pattern: str, elsewhere: str, kind: str) -> list[str]:
    """Features of a token by what heads its line, which patterns hit it, and how its word stands elsewhere."""
    features = [f"h={header}", f"hk={header}|{kind}"] if header else []
    if pattern:
        features += [f"P={pattern}", f"Pk={pattern}|{kind}"]
    if elsewhere:
        features += [f"D={elsewhere}", f"Dk={elsewhere}|{kind}"]
    return features


CUES = (
    "title", "credential", "role", "relation", "hospital", "company", "idkey", "contactkey", "place", "street", "age",
    "medical", "strength", "dose", "holiday", "religion", "month", "weekday",
)  # fmt: skip
"""Classes of announcing words that are also told of from further away."""
CUE_REACH = 9  # tokens


def cue_of(kind: str) -> int:
    """Number of the announcing class of a kind of word, from 1; 0 for none."""
    name = kind.partition(".")[0]
    return CUES.index(name) + 1 if name in CUES else 0


def of_cue(side: int, number: int, kind: str) -> list[str]:
    """Features of a token by the nearest announcing class before it (side 0), behind it (1), by its line's form (2)."""
    return [f"{'LRT'[side]}={number}", f"{'LRT'[side]}k={number}|{kind}"] if number else []


LINE_SIZES = (1, 2, 3, 5, 8, 14)


def line_forms(tokens: Tokens) -> list[int]:
    """For each token, a number from 1 for how many tokens its line has, and whether it ends with a colon."""
    words = tokens.words
    found: list[int] = []
    begin, count = 0, len(words)
    while begin < count:
        try:
            end = words.index(LINE_BREAK, begin)
        except ValueError:
            end = count
        size = end - begin
        form = 2 * bisect_left(LINE_SIZES, size) + 1
        if size and words[end - 1] == ":":
            form += 1
        begin = end + 1
        found += [form] * (min(begin, count) - (begin - size - 1))
    return found


TITLED, TWIN = "t", "l"


def elsewhere(tokens: Tokens, modes: list[str]) -> list[str]:
    """For each capitalized word, whether the text has it behind a title too, or in small letters."""
    words = tokens.words
    small = {word for word in words if word.islower()}
    titled = {
        words[i + 2 if words[i + 1] == "." and i + 2 < len(words) else i + 1]
        for i, word in enumerate(words[:-1])
        if word in TITLES
    }
    return [
        (TITLED if word in titled else TWIN if word.lower() in small else "")
        if mode == MIXED and word[0].isupper() and len(word) > 2
        else ""
        for word, mode in zip(words, modes, strict=True)
    ]


TITLES = frozenset(["Dr", "Mr", "Mrs", "Ms", "Miss", "Prof", "Professor", "Drs", "Doctor", "Rev", "Sr"])


_LINE = re.compile(r"[^\n]*\n?")


def modes(text: str, tokens: Tokens) -> list[str]:
    """For each token, whether its line is all in capitals, all in small letters, or mixed."""
    found: list[str] = []
    count, i = len(tokens.starts), 0
    whole = _mode(text) if len(text) < 10_000_000 else MIXED
    for match in _LINE.finditer(text):
        line, end = match.group(), match.end()
        mode = whole if whole != MIXED else _mode(line)
        begun = i
        while i < count and tokens.starts[i] < end:
            i += 1
        found += [mode] * (i - begun)
    return found


def _mode(line: str) -> str:
    """Short lines are called mixed: ``MRN`` or ``yes`` alone says nothing about how a writer uses capitals."""
    if line.isupper():
        return UPPER if sum(map(str.isalpha, line)) > 12 else MIXED
    return LOWER if line.islower() and sum(map(str.isalpha, line)) > 40 else MIXED


def headers(tokens: Tokens) -> list[str]:
    """For each token, the last word before the colon that heads it: on its line, or alone on the line before."""
    words = tokens.words
    found = [""] * len(words)
    for i, word in enumerate(words):
        if word == ":" and i and words[i - 1][0].isalpha() | (words[i - 1] in {"#", ")"}):
            key = words[i - 1].lower()
            if i > 1 and words[i - 2].isalpha():
                key = f"{words[i - 2].lower()} {key}"
            begun = False
            for j in range(i + 1, min(i + 1 + HEADER_REACH, len(words))):
                if words[j] == LINE_BREAK:
                    if begun:
                        break
                    continue
                begun = True
                found[j] = key
    return found
