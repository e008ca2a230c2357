"""The notes written by hand: marks like ``<NAME>Ann</NAME>`` become spans."""

import re
from pathlib import Path

from anon_spark.detect.notes.spans import Note, Span

PATH = Path(__file__).parent / "data" / "notes_by_hand.txt"
_MARK = re.compile(r"<([A-Z_]+)>(.*?)</\1>", re.DOTALL)


def notes_by_hand() -> list[Note]:
    return [unmark(note) for note in PATH.read_text(encoding="utf-8").rstrip("\n").split("\n%%\n")]


def unmark(marked: str) -> Note:
    text, spans, at = "", [], 0
    for match in _MARK.finditer(marked):
        text += marked[at : match.start()]
        spans.append(Span(len(text), len(text) + len(match[2]), match[1]))
        text += match[2]
        at = match.end()
    return Note(text + marked[at:], tuple(spans))
