"""The detector's figures on texts it was not trained on: the rows of the README's table, and labels in JSON.

notes_figures.py [--test 600] [--tune 400] [--synth synth_dataset_v2.json] [--json]
Made-up notes of held-out styles, surnames and cultures (test), those on which errors were looked at (tune), documents
as they are with test's people and the notes written by hand (both in tests/data), and presidio-research's texts where
their file is given. Totals only; no text is shown.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from anon_spark.detect.notes.commands import alike
from anon_spark.detect.notes.evaluate import evaluate
from anon_spark.detect.notes.grammar.people import TEST, TUNE
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.spans import Note, Span
from anon_spark.detect.notes.train import made_up

sys.path.insert(0, str(Path(__file__).parents[1]))
from tests.by_hand import notes_by_hand
from tests.natural import notes_natural

SYNTH = {
    "PERSON": "NAME", "STREET_ADDRESS": "ADDRESS", "GPE": "LOCATION", "PHONE_NUMBER": "PHONE", "CREDIT_CARD": "ACCOUNT",
    "DATE_TIME": "DATE", "EMAIL_ADDRESS": "EMAIL", "US_SSN": "SSN", "DOMAIN_NAME": "URL", "IP_ADDRESS": "IP",
    "IBAN_CODE": "ACCOUNT", "ZIP_CODE": "ZIP", "US_DRIVER_LICENSE": "LICENSE", "TITLE": None, "NRP": None,
    "YOUNGER_AGE": "AGE", "RELIGION": None, "HOSPITAL": "ORGANIZATION",
}  # fmt: skip


def synth_notes(path: Path) -> list[Note]:
    """presidio-research's texts."""
    return [
        Note(
            record["full_text"],
            tuple(
                sorted(
                    Span(s["start_position"], s["end_position"], s["entity_type"]) for s in record["spans"]
                )
            ),
        )
        for record in json.loads(path.read_text(encoding="utf-8"))
    ]


def scored(notes: Sequence[Note], labels: dict[str, str | None]) -> dict[str, Any]:
    found = get_detector().find([note.text for note in notes])
    return evaluate(notes, alike(notes, found, labels), labels=labels)


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--test", type=int, default=600)
    parser.add_argument("--tune", type=int, default=400)
    parser.add_argument("--synth", type=Path)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    hints: dict[str, str | None] = dict.fromkeys(HINTS)
    sets = [
        ("test", list(made_up(TEST, asked.test)), hints),
        ("tune", list(made_up(TUNE, asked.tune)), hints),
        ("natural", notes_natural(), hints),
        ("by hand", notes_by_hand(), hints),
    ]
    if asked.synth:
        sets.append(("synth", synth_notes(asked.synth), SYNTH))
    for name, notes, labels in sets:
        scores = scored(notes, labels)
        if asked.json:
            print(json.dumps({"set": name, **scores}), flush=True)
            continue
        overall, over = scores["overall"], scores["over_redaction"]["share"]
        figures = [
            f"{overall[figure]:.3f} ({low:.3f}-{high:.3f})"
            for figure in ("recall", "precision")
            for low, high in [overall["interval"][figure]]
        ]
        strict, token = overall["entity_strict"]["recall"], overall["token"]["recall"]
        hidden = f"{over:.1%}" if over is not None else "-"
        print(
            f"| {len(notes)} {name} | {' | '.join(figures)} | {strict:.3f} | {token:.3f} | {hidden} |",
            flush=True,
        )
        any_label = {
            label: 1 - row.get("(missed)", 0) / sum(row.values())
            for label, row in scores["confusion"].items()
            if not label.startswith("(") and sum(row.values())
        }
        print(
            "  under any label: " + ", ".join(f"{label} {share:.3f}" for label, share in any_label.items()),
            flush=True,
        )


if __name__ == "__main__":
    main()
