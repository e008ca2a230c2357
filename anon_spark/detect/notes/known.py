"""Find what the tables hold of a person: their names and numbers, however a note writes them.

Three ways: letters and digits alone, so that spaces, marks and line breaks do not matter (``617 555-0100`` is
``(617)555.0100``, a name may be split or joined); a name's initials with its last part; and one slip of the keyboard in
a part of a name (Damerau's: a letter added, dropped, changed, or two swapped), unless the word is an ordinary one.
Source: Damerau 1964.
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from anon_spark.detect.notes.lexicon import ORDINARY, lexicon
from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.tokens import Tokens, tokenize

SHORTEST = 3  # letters of a part of a name looked for by itself
SHORTEST_SLIP = 5


class Known(NamedTuple):
    """A value of the tables, and what it is."""

    value: str
    label: str


def find_known(text: str, known: Iterable[Known], tokens: Tokens | None = None) -> list[Span]:
    """Every place of ``text`` that says one of ``known``, in any of the ways above; unordered, may overlap."""
    tokens = tokens or tokenize(text)
    plain = _Plain(tokens)
    found: set[Span] = set()
    for value, label in known:
        wanted = _compact(value)
        if len(wanted) >= SHORTEST:
            found.update(Span(a, b, label) for a, b in plain.find(wanted))
        if label == "NAME":
            found.update(_parts(value, tokens, plain))
    return sorted(found)


def _compact(value: str) -> str:
    return "".join(c for c in value.lower() if c.isalnum())


class _Plain:
    """A text's letters and digits in small letters, and where each comes from."""

    def __init__(self, tokens: Tokens) -> None:
        kept: list[str] = []
        self._at: list[int] = []
        for start, word in zip(tokens.starts, tokens.words, strict=True):
            for place, c in enumerate(word, start):
                if c.isalnum():
                    small = c.lower()
                    kept.append(small)
                    self._at += [place] * len(small)
        self._text = "".join(kept)
        self._starts, self._ends = set(tokens.starts), set(tokens.ends)

    def find(self, wanted: str) -> Iterator[tuple[int, int]]:
        """Where ``wanted`` begins and ends with a token."""
        at = self._text.find(wanted)
        while at >= 0:
            begin, end = self._at[at], self._at[at + len(wanted) - 1] + 1
            # A long value is found inside other words too: two words that ran together hide it no better.
            if len(wanted) > 7 or (begin in self._starts and end in self._ends):
                yield begin, end
            at = self._text.find(wanted, at + 1)


def _parts(name: str, tokens: Tokens, plain: _Plain) -> Iterator[Span]:
    """A name's parts alone, with a slip, and its initials before its last part."""
    parts = [part.lower() for part in tokenize(name).words if part[0].isalpha()]
    ordinary = lexicon()
    for part in parts:
        if len(part) >= SHORTEST and "e" not in ordinary.get(part, ""):
            for start, end in plain.find(part):
                yield Span(start, end, "NAME")
    if len(parts) > 1:
        for start, end in plain.find(parts[0][0] + parts[-1]):
            yield Span(start, end, "NAME")
    for start, end, word in zip(tokens.starts, tokens.ends, tokens.words, strict=True):
        small = word.lower()
        if len(small) < SHORTEST_SLIP - 1 or not small[0].isalpha():
            continue
        listed = ordinary.get(small, "")
        for part in parts:
            if (small == part and (word[0].isupper() or "e" not in listed)) or (
                len(part) >= SHORTEST_SLIP and not ORDINARY & set(listed) and one_slip(small, part)
            ):
                yield Span(start, end, "NAME")


def one_slip(one: str, other: str) -> bool:
    """Whether one letter added, dropped, changed, or two neighbours swapped makes ``one`` the ``other``.

    >>> [one_slip("smith", w) for w in ("smiht", "smth", "smithe", "smyth", "smith", "smart")]
    [True, True, True, True, False, False]
    """
    if abs(len(one) - len(other)) > 1 or one == other:
        return False
    same = next(
        (i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other))
    )
    a, b = one[same:], other[same:]
    if len(one) == len(other):
        return a[1:] == b[1:] or (a[:2] == b[1::-1] and a[2:] == b[2:])
    longer, shorter = (a, b) if len(a) > len(b) else (b, a)
    return longer[1:] == shorter


def merge(text_spans: Sequence[Span], known: Sequence[Span]) -> list[Span]:
    """Spans of both, apart from each other: those that overlap become one, of the known label where there is one."""
    merged: list[Span] = []
    for span in sorted([*known, *text_spans]):
        if merged and span.start < merged[-1].end:
            last = merged[-1]
            label = last.label if last in known or span not in known else span.label
            merged[-1] = Span(last.start, max(last.end, span.end), label)
        else:
            merged.append(span)
    return merged
