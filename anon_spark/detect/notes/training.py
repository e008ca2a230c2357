"""Make a model: train, choose how cautious it is on one part of the made-up notes, measure on another."""

from collections.abc import Callable, Sequence
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
from anon_spark.detect.notes.train import made_up, train

CAUTIONS = (-6.0, -3.0, 0.0, 3.0, 6.0)  # in the scale of the perceptron's weights
IGNORED: dict[str, str | None] = dict.fromkeys(HINTS)


def train_model(
    out: Path, *, own: Sequence[Note], count: int, rounds: int, held: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Write a model and return the facts in its file: what it was trained on, and its figures on held-out notes."""
    progress(f"train on {count} made-up notes and {len(own)} others")
    weights = train([*made_up(TRAIN, count), *own], settings={"max_iterations": rounds})
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
