"""Notes of 2,000 characters a second a core: the detector alone, and with known identifiers and replacement.

bench_notes.py [--notes 2000] [--json]
CPU time of one thread; the notes are made up beforehand, and none is seen twice.
"""

import argparse
import json
import resource
import time

from anon_spark.detect.notes.grammar.people import TEST, TRAIN
from anon_spark.detect.notes.known import Known, find_known, merge
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.replace import Replacing, replace
from anon_spark.detect.notes.train import made_up

LENGTH = 2_000
KNOWN = [Known("Ottilie Zwackelmann", "NAME"), Known("990017342", "MRN"), Known("(617) 555-0199", "PHONE")]


def notes(count: int) -> list[str]:
    """Made-up notes end to end, cut into texts of one length."""
    made, part, first = [], "", 200_000
    while len(made) < count:
        for source in (TRAIN, TEST):
            part += "\n".join(note.text for note in made_up(source, 50, first)) + "\n"
        first += 50
        while len(part) >= LENGTH:
            made.append(part[:LENGTH])
            part = part[LENGTH:]
    return made[:count]


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--notes", type=int, default=2_000)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    texts, detector = notes(2 * asked.notes), get_detector()
    warm, cold = texts[: asked.notes], texts[asked.notes :]
    detector.find(warm)
    began = time.process_time()
    found = detector.find(cold)
    alone = time.process_time() - began
    how = Replacing(treatment="surrogate", key=b"k" * 32, days=7)
    began = time.process_time()
    for text, spans in zip(cold, found, strict=True):
        replace(text, merge(spans, find_known(text, KNOWN)), how)
    rest = time.process_time() - began
    figures = {
        "notes": asked.notes,
        "detector, notes a second": round(asked.notes / alone, 1),
        "whole stage, notes a second": round(asked.notes / (alone + rest), 1),
        "most memory, MB": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
    }
    print(
        json.dumps(figures)
        if asked.json
        else "\n".join(f"{name}: {value}" for name, value in figures.items())
    )


if __name__ == "__main__":
    main()
