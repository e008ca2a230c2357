"""Write notes by a grammar of templates, as people write: in their own case, with slips of the keyboard, wrapped lines.

The template files of a part, ``train*.txt`` and so on, hold rules: ``# name``, then one alternative a line. In an alternative ``{field}`` is filled in
(:mod:`~anon_spark.detect.notes.grammar.fields`), ``<rule>`` is replaced by one alternative of a rule or a word list,
``<rule:2-4>`` by so many on a line, ``<rule/2-4>`` by so many on lines of their own, and ``[a|b]`` by a or b.
"""

import random
import re
from collections.abc import Callable, Mapping
from functools import cache
from importlib.resources import files

from anon_spark.detect.notes.grammar.dates import WEEKDAYS
from anon_spark.detect.notes.grammar.fields import Fields
from anon_spark.detect.notes.grammar.people import seed
from anon_spark.detect.notes.grammar.vocabulary import WORDS
from anon_spark.detect.notes.known import Known
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.spans import Note, Span

Part = tuple[str, str | None]
_HEAD = re.compile(r"# ([a-z0-9.]+)")
_CHOICE = re.compile(r"\[([^\[\]]*)\]")
_PIECE = re.compile(
    r"<(?P<rule>[a-z0-9.]+)(?:(?P<join>[:/])(?P<least>\d+)-(?P<most>\d+))?>|\{(?P<field>[^}]*)\}"
)
WEIGHTS = {
    "note.snippets": 22,
    "note.noise": 16,
    "note.plain": 18,
    "note.ids": 8,
    "note.wild": 10,
    "note.general": 7,
    "note.micu": 4,
    "note.nursing": 3,
    "note.registration": 2,
    "note.record": 4,
    "note.primary": 2,
    "note.report": 2,
}
IN_TABLES = ("MRN", "SSN", "EMAIL")
SHORT = 4  # characters: the last four of a number say nothing by themselves
PLACEHOLDERS = {
    "NAME": (
        "Last Name (NamePattern1) ",
        "First Name8 (NamePattern2) ",
        "Name (STitle) ",
        "Doctor Last Name ",
        "Name13 (STitle) ",
    ),
    "HOSPITAL": ("Hospital1 ", "Hospital ", "Hospital Ward Name "),
    "LOCATION": ("Location (un) ", "State ", "Country ", "Location "),
    "PHONE": ("Telephone/Fax (1) ", "Telephone/Fax (2) ", "Pager number "),
    "MRN": ("Medical Record Number ", "MD Number(1) "),
    "AGE": ("Age over 90 ",),
}
"""What MIMIC's notes have in place of what they must not say; ``[**2101-4-3**]`` still says a day."""


@cache
def rules(part: str) -> dict[str, tuple[str, ...]]:
    """The templates of train, tune or test."""
    folder = files(__package__).joinpath("templates")
    kept = sorted(
        (file for file in folder.iterdir() if file.name.startswith(part)), key=lambda file: file.name
    )
    return read_templates("\n".join(file.read_text(encoding="utf-8") for file in kept))


def read_templates(text: str) -> dict[str, tuple[str, ...]]:
    """The alternatives of every rule in the text of a template file."""
    found: dict[str, list[str]] = {}
    name = ""
    for line in text.splitlines():
        if head := _HEAD.fullmatch(line):
            name = head[1]
        elif line:
            found.setdefault(name, []).append(line.replace("\\n", "\n").replace("\\t", "\t"))
    return {name: tuple(lines) for name, lines in found.items()}


@cache
def _kinds(part: str) -> tuple[list[str], list[int]]:
    """The rules that make whole notes, and how often each is drawn."""
    names = [name for name in rules(part) if name.startswith("note.")]
    return names, [WEIGHTS.get(name, 1) for name in names]


def write_note(
    part: str, number: int, *, rule: str | None = None, templates: Mapping[str, tuple[str, ...]] | None = None
) -> Note:
    """Write the ``number``-th note of ``part``; the same every time.

    Args:
        rule: by which it is written; else one is drawn.
        templates: instead of the part's own, with its people and places.
    """
    return write_with_known(part, number, rule=rule, templates=templates)[0]


def write_with_known(
    part: str, number: int, *, rule: str | None = None, templates: Mapping[str, tuple[str, ...]] | None = None
) -> tuple[Note, list[Known]]:
    """A note as :func:`write_note` writes it, and what a hospital's tables would hold of its patient and relatives."""
    draw = random.Random(f"{part} {number}")
    seed(draw.getrandbits(32))
    known = rules(part) if templates is None else templates
    if rule is None:
        rule = draw.choices(*_kinds(part))[0]
    template = draw.choice(known[rule])
    fields = Fields(draw, part)
    filled = _expand(template, known, fields, draw)
    numbers = {Known(words, label) for words, label in filled if label in IN_TABLES and len(words) > SHORT}
    parts = _slipped(filled, draw)
    if draw.random() < 0.04:
        parts = [piece for part in parts for piece in _placeholder(part, draw)]
    return _wrapped(_joined(parts), draw), [*fields.family(), *sorted(numbers)]


def _expand(
    template: str, known: Mapping[str, tuple[str, ...]], fields: Fields, draw: random.Random
) -> list[Part]:
    parts: list[Part] = []
    text, at = _chosen(template, draw), 0
    for match in _PIECE.finditer(text):
        parts.append((text[at : match.start()], None))
        at = match.end()
        if match["field"] is not None:
            parts += _filled(match["field"], fields)
            continue
        count = draw.randint(int(match["least"]), int(match["most"])) if match["join"] else 1
        left: list[str] = []
        for n in range(count):
            if n:
                parts.append((" " if match["join"] == ":" else "\n", None))
            if match["rule"] in WORDS or match["rule"] == "eponym":
                parts.append(fields.fill(match["rule"]))
                continue
            if not left:  # no line twice before all were said
                left = draw.sample(known[match["rule"]], len(known[match["rule"]]))
            parts += _expand(left.pop(), known, fields, draw)
    return [*parts, (text[at:], None)]


def _placeholder(part: Part, draw: random.Random) -> list[Part]:
    """A part of a note as it stands where another has de-identified it: only days still say something."""
    words, label = part
    if label == "DATE":
        day = f"{draw.randint(2100, 2199)}-{draw.randint(1, 12)}-{draw.randint(1, 28)}"
        return [("[**", None), (day, "DATE"), ("**]", None)]
    if label is None or label in HINTS or not words.strip():
        return [part]
    return [
        (
            f"[**{draw.choice(PLACEHOLDERS.get(label, ('Numeric Identifier ',)))}{draw.randint(1, 9999)}**]",
            None,
        )
    ]


def _chosen(template: str, draw: random.Random) -> str:
    """Replace ``[a|b]`` from the inside out."""
    while match := _CHOICE.search(template):
        template = template[: match.start()] + draw.choice(match[1].split("|")) + template[match.end() :]
    return template


def _filled(field: str, fields: Fields) -> list[Part]:
    words, label = fields.fill(field)
    if label in ("LOCATION", "HOSPITAL") and words.startswith("the "):
        return [("the ", None), (words[4:], label)]
    first, _, rest = words.partition(" ")
    if label == "DATE" and (first == "the" or first.rstrip(",.").capitalize() in WEEKDAYS):
        return [(first + " ", None), (rest, label)]
    return [(words, label)]


def _slipped(parts: list[Part], draw: random.Random) -> list[Part]:
    """One writer's habits: case, and slips in one word of ``1 / rate``."""
    habit = draw.random()
    case: Callable[[str], str] = str.upper if habit < 0.09 else str.lower if habit < 0.17 else str
    rate = draw.choice((0, 0, 0, 0.004, 0.015))
    return [(_typed(case(text), rate, draw), label) for text, label in parts]


def _typed(text: str, rate: float, draw: random.Random) -> str:
    if not rate or draw.random() > rate * len(text) or len(text) < 4:
        return text
    i = draw.randrange(1, len(text) - 1)
    if not (text[i].isalpha() and text[i - 1].isalpha()):
        return text
    kind = draw.randrange(4)
    swapped = text[: i - 1] + text[i] + text[i - 1] + text[i + 1 :]
    return (
        swapped,
        text[:i] + text[i + 1 :],
        text[:i] + text[i] + text[i:],
        text[:i] + draw.choice("aeinrst") + text[i + 1 :],
    )[kind]


def _joined(parts: list[Part]) -> Note:
    text, spans = "", []
    for words, label in parts:
        if label and words.strip():
            spans.append(Span(len(text), len(text) + len(words), label))
        text += words
    return Note(text, tuple(spans))


def _wrapped(note: Note, draw: random.Random) -> Note:
    """Break lines at a width, as old systems do: a space becomes a line break, so spans stay where they are."""
    if draw.random() > 0.3:
        return note
    width, text, begun = draw.randint(50, 90), list(note.text), 0
    last_space = -1
    for i, c in enumerate(text):
        if c == "\n":
            begun, last_space = i + 1, -1
        elif c == " ":
            if i - begun > width and last_space > begun:
                text[last_space] = "\n"
                begun = last_space + 1
            last_space = i
    return note._replace(text="".join(text))
