"""Make a model: train its two parts, choose how cautious it is on other notes, measure on others still.

Two kinds of model that err apart find more at the same precision than two of one kind.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from anon_spark import __version__
from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.evaluate import evaluate
from anon_spark.detect.notes.grammar.people import TEST, TRAIN, TUNE
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.model import Model, as_kept, save_model
from anon_spark.detect.notes.network import in_columns
from anon_spark.detect.notes.spans import Note
from anon_spark.detect.notes.train import made_up, train
from anon_spark.detect.notes.train_network import train_network

CAUTIONS = (0.0, 16.0, 32.0, 40.0, 48.0, 56.0, 64.0, 72.0, 80.0)  # in the scale of the perceptron's weights
MOST_HIDDEN = 0.01  # of the tokens of texts that hold nothing personal
UNREAD, LEAST = 0.3, 4
"""The share of words that the random field sees as no note held them, and the tokens that its features are seen in."""
IGNORED: dict[str, str | None] = dict.fromkeys(HINTS)


def train_model(
    out: Path, *, own: Sequence[Note], count: int, rounds: int, held: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Write a model and return the facts in its file: what it was trained on, and its figures on held-out notes."""
    half = -(-count // 2)
    progress(f"train the random field on {half} made-up notes and {len(own)} others")
    chosen = {"max_iterations": rounds, "feature.minfreq": LEAST}
    weights = train(chain(made_up(TRAIN, half), own), settings=chosen, unread_share=UNREAD)
    progress(f"train the network on {half} other made-up notes and {len(own)} others")
    network = train_network(
        chain(made_up(TRAIN, half, half), own), rounds=max(1, rounds // 2), progress=progress
    )
    network = in_columns(network, weights.labels)
    progress("choose how cautious it is")
    tune = list(made_up(TUNE, held))
    kept = as_kept(Model(weights, network, {}))
    choices = [kept._replace(facts={"caution": value}) for value in CAUTIONS]
    model = max(choices, key=lambda one: _worth(_measured(one, tune)))
    progress("measure on held-out styles, names and cultures")
    scores = _measured(model, list(made_up(TEST, held)))
    facts = {
        "version": __version__,
        "made_up": 2 * half,
        "own": len(own),
        "rounds": rounds,
        "caution": model.facts["caution"],
        "features": len(weights.rows),
        "vectors": len(network.rows),
        "test": {name: scores["overall"][name] for name in ("precision", "recall", "f1", "f2")},
        "labels": {n: {f: s[f] for f in ("precision", "recall")} for n, s in scores["labels"].items()},
        "over_redaction": scores["over_redaction"]["share"],
    }
    save_model(out, model._replace(facts=facts))
    return facts


def _worth(scores: dict[str, Any]) -> tuple[bool, float]:
    """Of two models the one that finds more, of those that hide little of what is nobody's."""
    return (scores["over_redaction"]["share"] or 0) <= MOST_HIDDEN, scores["overall"]["f2"] or 0


def _measured(model: Model, notes: Sequence[Note]) -> dict[str, Any]:
    found = Detector(model.tagger()).find([note.text for note in notes])
    return evaluate(notes, found, labels=IGNORED)
