"""Metrics with intervals, and differences of two models on the same people: a paired bootstrap over people.

A resample draws people with replacement within each fold; a metric is the mean of the folds'. Models that were
tested on the same people are resampled by the same draws, so what all of them find easy or hard cancels in a
difference. What is resampled are the people of the test, not those of the training: the intervals say how sure the
figures of these fitted models are.

Source: Efron and Tibshirani 1993, An Introduction to the Bootstrap, ch. 13; Schuirmann 1987, J Pharmacokinet
Biopharm 15:657, for two one-sided tests.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

Array = np.ndarray
MEASURES = ("auroc", "auprc", "brier", "calibration", "accuracy", "precision", "recall", "f1")
_BINS = 10
_BLOCK = 2**22  # resampled people at a time, over all draws


@dataclass(frozen=True)
class Scores:
    """Labels (0 or 1) and scores of one fold's test people, in an order that all models share."""

    labels: Array
    scores: Array
    threshold: float


@dataclass(frozen=True)
class Estimate:
    """A figure with its interval of 95 %; None where it is not defined."""

    value: float | None
    low: float | None
    high: float | None

    def as_dict(self) -> dict[str, float | None]:
        """The figure for a document."""
        return {"value": self.value, "low": self.low, "high": self.high}


def resampled(folds: Sequence[Scores], *, draws: int, seed: int) -> dict[str, Array]:
    """Every metric of the people as they are (place 0), and of ``draws`` resamples of them.

    Returns:
        metric to ``draws + 1`` numbers: the mean of the folds where it is defined, NaN where it is in none. The
        same seed and numbers of people give the same resamples.
    """
    parts = [_fold_metrics(fold, draws, seed + place) for place, fold in enumerate(folds)]
    return {name: _mean([part[name] for part in parts]) for name in MEASURES}


def caught_at(folds: Sequence[Scores], share: float, *, draws: int, seed: int) -> Array:
    """Recall where at most ``share`` of the negatives score as high, as ``resampled`` gives the metrics."""
    return _mean([_caught_at(fold, share, draws, seed + place) for place, fold in enumerate(folds)])


def estimate(values: Array, level: float = 0.95) -> Estimate:
    """The figure of the people as they are, with the interval that ``level`` of the resamples lie in."""
    if np.isnan(values[0]):
        return Estimate(None, None, None)
    tail = (1 - level) / 2 * 100
    known = values[1:][~np.isnan(values[1:])]
    if not known.size:
        return Estimate(float(values[0]), None, None)
    low, high = np.percentile(known, [tail, 100 - tail])
    return Estimate(float(values[0]), float(low), float(high))


def compare_paired(values: Array, others: Array, *, margin: float) -> dict[str, object]:
    """``values - others`` with its interval of 95 %, and whether the two are equivalent within ``margin``.

    Equivalent: two one-sided tests at 5 % both reject, that is, the interval of 90 % lies inside the margin.
    """
    difference = values - others
    whole, inner = estimate(difference), estimate(difference, 0.9)
    known = inner.low is not None and inner.high is not None
    return {
        **whole.as_dict(),
        "margin": margin,
        "equivalent": bool(known and -margin < (inner.low or 0.0) and (inner.high or 0.0) < margin),
    }


def _mean(folds: Sequence[Array]) -> Array:
    known = np.sum([~np.isnan(fold) for fold in folds], axis=0)
    return _ratio(np.sum([np.nan_to_num(fold) for fold in folds], axis=0), known)


def _fold_metrics(fold: Scores, draws: int, seed: int) -> dict[str, Array]:
    """The metrics of one fold, for the people as they are and then for each resample."""
    if not fold.labels.size:
        return {name: np.full(draws + 1, np.nan) for name in MEASURES}
    order = np.argsort(-fold.scores, kind="stable")
    truth, score = fold.labels[order] == 1, fold.scores[order]
    found = [_metrics(truth, score, fold.threshold, block) for block in _weights(order, draws, seed)]
    return {name: np.concatenate([part[name] for part in found]) for name in MEASURES}


def _caught_at(fold: Scores, share: float, draws: int, seed: int) -> Array:
    order = np.argsort(-fold.scores, kind="stable")
    truth, score = fold.labels[order] == 1, fold.scores[order]
    ends = np.flatnonzero(np.append(np.diff(score) != 0, True))
    found = []
    for block in _weights(order, draws, seed):
        hits = np.cumsum(block * truth, axis=1)[:, ends]
        false = np.cumsum(block * ~truth, axis=1)[:, ends]
        allowed = false <= share * false[:, -1:]
        found.append(_ratio(np.max(hits * allowed, axis=1), hits[:, -1]))
    return np.concatenate(found)


def _weights(order: Array, draws: int, seed: int) -> Iterator[Array]:
    """How often each person is drawn, (draws, people), in ``order``; the first row is once each."""
    random, people = np.random.default_rng(seed), order.size
    yield np.ones((1, people))
    block = max(1, _BLOCK // people)
    for start in range(0, draws, block):
        size = min(block, draws - start)
        drawn = random.integers(0, people, (size, people)) + np.arange(size)[:, None] * people
        counts = np.bincount(drawn.ravel(), minlength=size * people).reshape(size, people)
        yield counts[:, order].astype(float)


def _metrics(truth: Array, score: Array, threshold: float, weights: Array) -> dict[str, Array]:
    """Metrics of people in falling order of score, for each row of ``weights``."""
    ends = np.flatnonzero(np.append(np.diff(score) != 0, True))  # people of one score are not ordered
    hits = np.cumsum(weights * truth, axis=1)[:, ends]
    alarms = np.cumsum(weights, axis=1)[:, ends]
    ill, people = hits[:, -1], alarms[:, -1]
    well = people - ill
    more = np.diff(hits, axis=1, prepend=0)
    false = np.diff(alarms - hits, axis=1, prepend=0)
    above = np.searchsorted(-score[ends], -threshold, side="right") - 1
    caught = hits[:, above] if above >= 0 else np.zeros_like(ill)
    raised = alarms[:, above] if above >= 0 else np.zeros_like(ill)
    return {
        "auroc": _ratio((false * (hits - more / 2)).sum(axis=1), ill * well),
        "auprc": _ratio((more * _ratio(hits, alarms)).sum(axis=1), ill),
        "brier": _ratio((weights * (score - truth) ** 2).sum(axis=1), people),
        "calibration": _calibration_error(truth, score, weights),
        "accuracy": _ratio(people - raised - ill + 2 * caught, people),
        "precision": _ratio(caught, raised),
        "recall": _ratio(caught, ill),
        "f1": _ratio(2 * caught, raised + ill),
    }


def _calibration_error(truth: Array, score: Array, weights: Array) -> Array:
    """Mean distance of score and outcome over ten bins of equally many people (expected calibration error)."""
    starts = np.unique(np.linspace(0, score.size, _BINS + 1)[:-1].astype(int))
    gaps = np.add.reduceat(weights * (score - truth), starts, axis=1)
    return np.asarray(np.abs(gaps).sum(axis=1) / weights.sum(axis=1))


def _ratio(part: Array, whole: Array) -> Array:
    quotient: Array = np.divide(part, whole, out=np.full(np.shape(part), np.nan), where=np.asarray(whole) > 0)
    return quotient
