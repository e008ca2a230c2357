"""Make a model: train its two parts side by side, choose how cautious it is on other notes, measure on others still.

Two kinds of model that err apart find more at the same precision than two of one kind.
"""

import os
from collections.abc import Callable, Sequence
from itertools import chain
from pathlib import Path
from typing import Any

from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from anon_spark import __version__
from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.evaluate import evaluate
from anon_spark.detect.notes.field_beside import field_beside
from anon_spark.detect.notes.grammar.people import TEST, TRAIN, TUNE
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.model import Model, as_kept, save_model
from anon_spark.detect.notes.network import in_columns
from anon_spark.detect.notes.spans import Note
from anon_spark.detect.notes.train import made_up
from anon_spark.detect.notes.train_network import train_network

CAUTIONS = (0.0, 16.0, 32.0, 48.0, 56.0, 64.0, 72.0, 80.0, 88.0, 96.0, 104.0, 112.0, 120.0, 128.0)
"""Those that are tried, in the scale of the perceptron's weights."""
MOST_HIDDEN = 0.01  # of the tokens of texts that hold nothing personal
AS_GOOD = 0.001  # of F2: of cautions that differ by less, the least hides least in vain
FIELD_SHARE = 9 / 25
"""Of the made-up notes, for the random field: it takes longer with one, and gains less by more."""
IGNORED: dict[str, str | None] = dict.fromkeys(HINTS)


def train_model(
    out: Path, *, own: Sequence[Note], count: int, rounds: int, held: int, progress: Callable[[str], None]
) -> dict[str, Any]:
    """Write a model and return the facts in its file: what it was trained on, and its figures on held-out notes."""
    few = max(1, round(count * FIELD_SHARE))
    progress(
        f"train a random field on {few} made-up notes, a network on {count}, and both on {len(own)} others"
    )
    with field_beside(few, own, rounds) as field:

        def told(line: str) -> None:
            field.check()
            progress(line)

        with threadpool_limits(max(1, (os.cpu_count() or 1) - 1)):  # one core is the field's
            network = train_network(chain(made_up(TRAIN, count), own), rounds=rounds, progress=told)
        weights = field.result()
    progress("choose how cautious it is")
    model = as_kept(Model(weights, in_columns(network, weights.labels), {}))
    detector = Detector(model.tagger())
    choices = _measured(detector, list(made_up(TUNE, held)), CAUTIONS)
    caution = least_caution({one: _worth(choices[one]) for one in CAUTIONS})
    progress("measure on held-out styles, names and cultures")
    scores = _measured(detector, list(made_up(TEST, held)), [caution])[caution]
    facts = {
        "version": __version__,
        "made_up": count,
        "own": len(own),
        "rounds": rounds,
        "caution": caution,
        "features": len(weights.rows),
        "vectors": len(network.rows),
        "test": {name: scores["overall"][name] for name in ("precision", "recall", "f1", "f2")},
        "labels": {n: {f: s[f] for f in ("precision", "recall")} for n, s in scores["labels"].items()},
        "over_redaction": scores["over_redaction"]["share"],
    }
    save_model(out, model._replace(facts=facts))
    return facts


def least_caution(worths: dict[float, tuple[bool, float]]) -> float:
    """The least caution that is as good as the best."""
    allowed, most = max(worths.values())
    return min(one for one, (hides, f2) in worths.items() if hides == allowed and f2 > most - AS_GOOD)


def _worth(scores: dict[str, Any]) -> tuple[bool, float]:
    """Of two models the one that finds more, of those that hide little of what is nobody's."""
    return (scores["over_redaction"]["share"] or 0) <= MOST_HIDDEN, scores["overall"]["f2"] or 0


def _measured(
    detector: Detector, notes: Sequence[Note], cautions: Sequence[float]
) -> dict[float, dict[str, Any]]:
    """The figures at each of ``cautions``."""
    found = detector.find_at([note.text for note in notes], cautions)
    return {c: evaluate(notes, spans, labels=IGNORED) for c, spans in zip(cautions, found, strict=True)}
