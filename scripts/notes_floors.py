"""What each part of the note detector finds alone, and with what the tables hold of the note's people.

notes_floors.py [--notes 600] [--part test] [--json]
On made-up notes of held-out styles, surnames and cultures; younger ages and religions left out.
"""

import argparse
import json

from anon_spark.detect.notes.evaluate import evaluate
from anon_spark.detect.notes.floors import PARTS, find_with
from anon_spark.detect.notes.grammar.write import write_with_known
from anon_spark.detect.notes.known import find_known, merge
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.model import get_detector

FIRST = 50_000


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=600)
    parser.add_argument("--part", default="test")
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    made = [write_with_known(asked.part, number) for number in range(FIRST, FIRST + asked.notes)]
    gold, texts = [note for note, _ in made], [note.text for note, _ in made]
    found = {part: find_with(part, texts, get_detector()) for part in PARTS}
    held = [sorted(find_known(note.text, known)) for note, known in made]
    found["tables alone"] = [merge([], known) for known in held]
    found["all, tables joined"] = [
        merge(spans, known) for spans, known in zip(found["all"], held, strict=True)
    ]
    for part, spans in found.items():
        scores = evaluate(gold, spans, labels=dict.fromkeys(HINTS))
        overall, names = scores["overall"], scores["labels"]["NAME"]
        figures = {
            "part": part,
            "recall": overall["recall"],
            "precision": overall["precision"],
            "names": names["recall"],
            "over-redaction": scores["over_redaction"]["share"],
        }
        print(json.dumps(figures) if asked.json else figures, flush=True)


if __name__ == "__main__":
    main()
