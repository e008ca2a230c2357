"""Cut a text into words, numbers, marks and line breaks."""

import re
from typing import NamedTuple

LINE_BREAK = "\n"
# Letters with an apostrophe inside stay whole (O'Brien), a possessive 's is apart; a row of one mark is one token.
_TOKEN = re.compile(
    r"[^\W\d_]+(?:['\u2019](?!s\b|S\b)[^\W\d_]+)?|\d+|\n|(?P<mark>[^\w\s]|_)(?P=mark)*",
)


class Tokens(NamedTuple):
    """The tokens of one text, in order: where each starts and ends, and what it says."""

    starts: list[int]
    ends: list[int]
    words: list[str]


def tokenize(text: str) -> Tokens:
    r"""Cut ``text``; what no token covers is white space other than line breaks.

    >>> tokenize("Dr. O'Brien's pt,\nBP 120/80").words
    ['Dr', '.', "O'Brien", "'", 's', 'pt', ',', '\n', 'BP', '120', '/', '80']
    """
    spans = [match.span() for match in _TOKEN.finditer(text)]
    starts = [start for start, _ in spans]
    ends = [end for _, end in spans]
    return Tokens(starts, ends, [text[start:end] for start, end in spans])
