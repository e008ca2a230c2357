"""The six measures of a binary classifier, from true labels and scores of people it has not seen."""

from typing import Protocol

import numpy as np
from numpy.typing import ArrayLike
from pyspark.sql import DataFrame
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

METRICS = ("auroc", "auprc", "accuracy", "precision", "recall", "f1")


class Scorer(Protocol):
    """A fitted model."""

    def transform(self, df: DataFrame) -> DataFrame:
        """Add ``probability``, a vector of the shares of outcomes 0 and 1."""
        ...


def choose_threshold(labels: ArrayLike, scores: ArrayLike) -> float:
    """Return the score from which on 'positive' gives the largest F1; of equal ones the highest.

    To be chosen on validation people: one chosen on the test people would flatter every measure at it.
    Without a positive F1 is 0 or undefined everywhere, and 0.5 is returned.

    >>> choose_threshold([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8])
    0.35
    """
    truth, score = _as_arrays(labels, scores)
    if not truth.any():
        return 0.5
    precision, recall, thresholds = precision_recall_curve(truth, score)
    precision, recall = precision[:-1], recall[:-1]  # the last point has no threshold
    total = precision + recall
    f1 = np.divide(2 * precision * recall, total, out=np.zeros_like(total), where=total > 0)
    best = np.flatnonzero(np.isclose(f1, f1.max(), rtol=1e-12, atol=0))[-1]
    return float(thresholds[best])


def measure(labels: ArrayLike, scores: ArrayLike, *, threshold: float) -> dict[str, float | None]:
    """Return the six metrics; a score of ``threshold`` or more is a positive.

    AUPRC is average precision (a step function, not the optimistic trapezoid). A metric whose denominator is
    0 is ``None``: AUROC with one class, AUPRC and recall without positives, precision without predicted ones.

    Source: Kumar et al. 2025, Table 2, for accuracy, precision, recall and F1.

    >>> measure([0, 1], [0.2, 0.7], threshold=0.5)["f1"]
    1.0
    >>> measure([0, 0], [0.2, 0.7], threshold=0.5)["recall"] is None
    True
    """
    truth, score = _as_arrays(labels, scores)
    predicted = score >= threshold
    hits, alarms, deaths = int((truth & predicted).sum()), int(predicted.sum()), int(truth.sum())
    both = 0 < deaths < truth.size
    return {
        "auroc": float(roc_auc_score(truth, score)) if both else None,
        "auprc": float(average_precision_score(truth, score)) if deaths else None,
        "accuracy": _ratio(int((truth == predicted).sum()), truth.size),
        "precision": _ratio(hits, alarms),
        "recall": _ratio(hits, deaths),
        "f1": _ratio(2 * hits, alarms + deaths),
    }


def _ratio(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _as_arrays(labels: ArrayLike, scores: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    return np.asarray(labels, dtype=float) == 1, np.asarray(scores, dtype=float)
