"""Make a model: train, choose how cautious it is on one part of the made-up notes, measure on another."""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from anon_spark import __version__
from anon_spark.detect.notes.crf import Tagger, Weights
from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.evaluate import evaluate
from anon_spark.detect.notes.grammar.people import TEST, TRAIN, TUNE
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.model import save_model
from anon_spark.detect.notes.spans import Note
from anon_spark.detect.notes.train import made_up, mean_of, train

CAUTIONS = (0.0, 4.0, 8.0, 12.0, 16.0, 20.0, 24.0)  # in the scale of the perceptron's weights
MEMBERS = ((0.2, 3), (0.45, 6))
"""Of the models that are averaged: the share of words seen as no note held them, and tokens that a feature is seen in.

Two that err apart find more at the same precision than one of them with twice the notes.
"""
IGNORED: dict[str, str | None] = dict.fromkeys(HINTS)


def train_model(
    out: Path, *, own: Sequence[Note], count: int, rounds: int, held: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Write a model and return the facts in its file: what it was trained on, and its figures on held-out notes."""
    each = -(-count // len(MEMBERS))
    learned = []
    for number, (share, least) in enumerate(MEMBERS):
        progress(f"train member {number + 1} of {len(MEMBERS)} on {each} made-up notes and {len(own)} others")
        notes = chain(made_up(TRAIN, each, number * each), own)
        chosen = {"max_iterations": rounds, "feature.minfreq": least}
        learned.append(train(notes, settings=chosen, unread_share=share))
    weights = mean_of(learned)
    progress("choose how cautious it is")
    tune = list(made_up(TUNE, held))
    caution = max(CAUTIONS, key=lambda value: _measured(weights, value, tune)["overall"]["f2"])
    progress("measure on held-out styles, names and cultures")
    scores = _measured(weights, caution, list(made_up(TEST, held)))
    facts = {
        "version": __version__,
        "made_up": count,
        "own": len(own),
        "rounds": rounds,
        "caution": caution,
        "features": len(weights.rows),
        "test": {name: scores["overall"][name] for name in ("precision", "recall", "f1", "f2")},
        "labels": {n: {f: s[f] for f in ("precision", "recall")} for n, s in scores["labels"].items()},
        "over_redaction": scores["over_redaction"]["share"],
    }
    save_model(out, weights, facts)
    return facts


def _measured(weights: Weights, caution: float, notes: Sequence[Note]) -> dict[str, Any]:
    found = Detector(Tagger(weights, caution=caution)).find([note.text for note in notes])
    return evaluate(notes, found, labels=IGNORED)
