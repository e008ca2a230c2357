"""Notes to measure on, of documents as they are: nothing was added to make them hard, and nothing is learned from them.

Their templates are in ``data/notes_natural.txt``; people, places and drugs are those of the test part.
"""

from pathlib import Path

from anon_spark.detect.notes.grammar.people import TEST
from anon_spark.detect.notes.grammar.write import read_templates, write_note
from anon_spark.detect.notes.spans import Note

PATH = Path(__file__).parent / "data" / "notes_natural.txt"
EACH = 4  # notes of a document
FIRST = 7_000_000


def notes_natural() -> list[Note]:
    templates = read_templates(PATH.read_text(encoding="utf-8"))
    return [
        write_note(TEST, FIRST + n, rule=rule, templates=templates) for rule in templates for n in range(EACH)
    ]
