"""Stretches of a text that say who somebody is, and files of texts with known ones."""

import json
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from anon_spark.errors import InputError


class Span(NamedTuple):
    """Characters ``start`` to ``end`` (exclusive) of a text are of kind ``label``."""

    start: int
    end: int
    label: str


class Note(NamedTuple):
    """A text and its spans, in order of their starts."""

    text: str
    spans: tuple[Span, ...] = ()


def read_gold(path: Path, *, marked: bool = True) -> list[Note]:
    """Read texts with their spans: JSON Lines, or a folder of Brat's ``.txt`` and ``.ann`` pairs.

    Args:
        marked: whether to refuse texts of which none has a field or file for marks.

    Raises:
        InputError: a line, or a span of it, is not what it should be; named by its number.
    """
    if path.is_dir():
        return list(_read_brat(path, marked=marked))
    try:
        with path.open(encoding="utf-8-sig") as lines:
            read = [_parse_line(line, f"line {n}") for n, line in enumerate(lines, 1) if line.strip()]
        if marked and read and not any(has_field for _, has_field in read):
            raise InputError(f"none of the {len(read)} lines of '{path}' has \"spans\"")
        return [note for note, _ in read]
    except OSError as error:
        raise InputError(f"'{path}' cannot be read ({type(error).__name__})") from None
    except UnicodeDecodeError:
        raise InputError(f"'{path}' is not UTF-8") from None


def write_gold(notes: Iterable[Note], path: Path) -> None:
    """Write one JSON object a line, as :func:`read_gold` reads it."""
    with path.open("w", encoding="utf-8") as lines:
        for note in notes:
            spans = [span._asdict() for span in note.spans]
            lines.write(json.dumps({"text": note.text, "spans": spans}, ensure_ascii=False) + "\n")


def _parse_line(line: str, place: str) -> tuple[Note, bool]:
    """The text with its spans, and whether the line has a field for them."""
    try:
        found = json.loads(line)
        text, spans = found["text"], found.get("spans") or ()
        note = checked_note(text, [(s["start"], s["end"], s["label"]) for s in spans], place)
        return note, "spans" in found
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        wanted = '{"text": ..., "spans": [{"start": ..., "end": ..., "label": ...}]}'
        raise InputError(f"{place} is not an object like {wanted}") from None


def checked_note(text: Any, spans: Iterable[tuple[Any, Any, Any]], place: str) -> Note:
    """A note whose spans lie inside its text.

    Raises:
        InputError: one does not.
    """
    if not isinstance(text, str):
        raise InputError(f"{place}: the text is no string")
    kept = sorted(Span(start, end, str(label)) for start, end, label in spans)
    for span in kept:
        if not span.label.isprintable() or not span.label:
            raise InputError(f"{place}: a span's label is no word")
        if not (isinstance(span.start, int) and isinstance(span.end, int)):
            raise InputError(f"{place}: a span's offsets are no whole numbers")
        if not 0 <= span.start < span.end <= len(text):
            raise InputError(f"{place}: a span lies outside its text of {len(text)} characters")
    return Note(text, tuple(kept))


def _read_brat(folder: Path, *, marked: bool) -> Iterator[Note]:
    texts = sorted(folder.glob("*.txt"))
    if not texts:
        raise InputError(f"'{folder}' holds no .txt file")
    if marked and not any(path.with_suffix(".ann").exists() for path in texts):
        raise InputError(f"'{folder}' holds no .ann file beside its {len(texts)} .txt")
    for path in texts:
        text = path.read_bytes().decode("utf-8", errors="replace")
        marks = path.with_suffix(".ann")
        lines = _marks(marks) if marks.exists() else []
        yield checked_note(text, _brat_spans(lines, text, marks.name), path.name)


def _marks(path: Path) -> list[str]:
    try:
        return path.read_text(encoding="utf-8").splitlines()
    except UnicodeDecodeError:
        raise InputError(f"'{path.name}' is not UTF-8") from None


def _brat_spans(lines: Iterable[str], text: str, name: str) -> Iterator[tuple[int, int, str]]:
    """Each text-bound mark (``T1<tab>NAME 0 5;7 9<tab>words``) as its unbroken parts."""
    for n, line in enumerate(lines, 1):
        if not line.startswith("T"):
            continue
        try:
            _, place, words = line.split("\t", 2)
            label, _, parts = place.partition(" ")
            bounds = [(int(start), int(end)) for start, end in map(str.split, parts.split(";"))]
        except ValueError:
            raise InputError(f"{name}, line {n} is no text-bound mark of Brat's") from None
        if " ".join(text[start:end] for start, end in bounds).split() != words.split():
            raise InputError(
                f"{name}, line {n}: other words stand there in the text; are the offsets characters?"
            )
        for start, end in bounds:
            yield start, end, label
