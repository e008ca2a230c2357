"""Losses that are a sum or a product over quasi-identifiers: loss_am, loss_gm, nuentropy, precision.

Per quasi-identifier q, over n units (people for a person's, rows for an admission's; a suppressed unit counts
as one whose value is all open):

    share       L_q = (sum of shares - n/D) / (n - n/D), at least 1e-10;  share = leaves under the value / D
    nuentropy   N_q = sum -log2(c(leaf) / c(value)) over all units, c counted in the whole input,
                      + sum -log2(c_s(value) / s) over the s suppressed units, c_s counted among them
    precision   P_q = mean of level / height, 1 for a suppressed unit

loss_am is the weighted mean of L_q, loss_gm the weighted geometric mean of L_q + 1, less 1, nuentropy the
weighted sum of N_q, precision the weighted mean of P_q.

Lower bounds. Each figure grows in every L_q, N_q, P_q, so it is enough to bound these. (1) Suppression adds to
each a term that is not negative, so generalization alone bounds them. (2) Let S be suppressed at a node c for
certain, hence at every node v finer than c, maybe among others. L_q, P_q: a unit's term is at most 1, which is
what it is when suppressed, so suppressing the others adds nothing negative and suppressing S adds
sum over S of (1 - share at v). Shares only shrink towards v: that is at least the sum of (1 - share at c), and at
least |S| (1 - greatest share at v's level); P_q has the same share for all units. N_q: with g(x) = x log2 x the
second term is g(s) - sum over values of g(c_s). It grows with every unit added, since g is convex and
c_s <= s; and it grows when a value is split, since g(a) + g(b) <= g(a + b). So it is at least that of S at c.
Source: V. Iyengar, KDD 2002 (share); A. Gionis, T. Tassa, TKDE 21(2), 2009 (non-uniform entropy); L. Sweeney,
IJUFKS 10(5), 2002 (precision); as ARX 3.9 computes them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np

from anon_spark.anonymize.coarsening import Levels
from anon_spark.utility.loss import Floats, Input, Outcome, weights_of

_FLOOR = 1e-10


class Figure(Protocol):
    """The figure of one quasi-identifier."""

    def at(self, level: int, gone: Floats | None) -> float:
        """Its value at a level, given the suppressed units by leaf."""
        ...

    def at_least(self, level: int, gone: Floats | None) -> Floats:
        """(level + 1,) lower bounds at all levels to ``level``, given units by leaf that are suppressed for certain."""
        ...


class Share:
    """L_q: how much of its domain a value leaves open."""

    def __init__(self, levels: Levels, units: Floats) -> None:
        self._shares = levels.shares
        self._sums = np.array([float(units @ shares) for shares in levels.shares])
        self._closed = np.array([1 - float(shares.max(initial=0)) for shares in levels.shares])
        self._total = float(units.sum())
        self._finest = self._total / levels.domain_size

    def at(self, level: int, gone: Floats | None) -> float:
        """L_q."""
        sums = self._sums[level]
        if gone is not None:
            sums = sums + gone @ (1 - self._shares[level])
        return float(self._scaled(sums))

    def at_least(self, level: int, gone: Floats | None) -> Floats:
        """Generalization, and the larger of the two bounds of what suppression adds."""
        sums = self._sums[: level + 1]
        if gone is not None:
            least = float(gone @ (1 - self._shares[level]))
            sums = sums + np.maximum(least, float(gone.sum()) * self._closed[: level + 1])
        return self._scaled(sums)

    def _scaled(self, sums: Floats) -> Floats:
        if self._total <= self._finest:
            return np.full_like(sums, _FLOOR)
        return np.maximum((sums - self._finest) / (self._total - self._finest), _FLOOR)


class NonUniformEntropy:
    """N_q: bits that the values lose."""

    def __init__(self, levels: Levels, units: Floats) -> None:
        self._labels = levels.labels
        finest = _sum_x_log_x(units)
        self._bits = np.array([self._general(units, labels) - finest for labels in levels.labels])

    def at(self, level: int, gone: Floats | None) -> float:
        """N_q."""
        return float(self._bits[level]) + self._suppressed(level, gone)

    def at_least(self, level: int, gone: Floats | None) -> Floats:
        """Generalization, and what is certain to be suppressed at the coarsest level."""
        return self._bits[: level + 1] + self._suppressed(level, gone)

    def _suppressed(self, level: int, gone: Floats | None) -> float:
        if gone is None:
            return 0.0
        values: Floats = np.bincount(self._labels[level], weights=gone).astype(np.float64, copy=False)
        return _sum_x_log_x(gone.sum()) - _sum_x_log_x(values)

    @staticmethod
    def _general(units: Floats, labels: np.ndarray[tuple[int], np.dtype[np.int64]]) -> float:
        """Sum over units of log2 c(value)."""
        return float(units @ np.log2(np.maximum(np.bincount(labels, weights=units)[labels], 1)))


class Height:
    """P_q: how far up its hierarchy a value stands."""

    def __init__(self, levels: Levels, units: Floats) -> None:
        self._general = np.arange(levels.height + 1) / max(levels.height, 1)
        self._total = max(float(units.sum()), 1.0)

    def at(self, level: int, gone: Floats | None) -> float:
        """P_q."""
        return float(self.at_least(level, gone)[level])

    def at_least(self, level: int, gone: Floats | None) -> Floats:
        """P_q with the certain units suppressed."""
        general = self._general[: level + 1]
        return general if gone is None else general + (1 - general) * (float(gone.sum()) / self._total)


def _sum_x_log_x(x: Floats) -> float:
    return float(np.sum(x * np.log2(np.maximum(x, 1))))


class AttributeLoss:
    """A weighted mean (or sum, or geometric mean) of one figure over the quasi-identifiers."""

    def __init__(
        self,
        figure: type[Share | NonUniformEntropy | Height],
        whole: Input,
        weights: Mapping[str, float] | None = None,
        *,
        mean: bool = True,
        geometric: bool = False,
    ) -> None:
        self._whole = whole
        weight = weights_of(whole.names, weights)
        self._weights = (weight / weight.sum() if mean else weight).tolist()
        self._geometric = geometric
        self.figures: list[Figure] = [
            figure(levels, units)
            for levels, units in zip(whole.levels, whole.split(whole.units), strict=True)
        ]

    def by_attribute(self, outcome: Outcome) -> list[float]:
        """The figure of every quasi-identifier at a node."""
        gone = self._whole.split(outcome.gone()) if outcome.suppressed else [None] * len(self.figures)
        return [f.at(level, x) for f, level, x in zip(self.figures, outcome.node, gone, strict=True)]

    def value(self, outcome: Outcome) -> float:
        """The loss at a node."""
        values = self.by_attribute(outcome)
        if self._geometric:
            return float(np.expm1(sum(w * np.log1p(x) for w, x in zip(self._weights, values, strict=True))))
        return float(sum(w * x for w, x in zip(self._weights, values, strict=True)))

    def bounds(self) -> "AttributeBounds":
        """Bounds from generalization alone."""
        return AttributeBounds(self, self._whole)

    def over_levels(self, values: Sequence[Floats]) -> Floats:
        """The loss for every combination of the figures' values, in the shape of the lattice's part."""
        total = np.zeros(1)
        for weight, x in zip(reversed(self._weights), reversed(values), strict=True):
            term = weight * (np.log1p(x) if self._geometric else x)
            total = np.add.outer(term, total).ravel()
        shape = tuple(len(x) for x in values)
        return (np.expm1(total) if self._geometric else total).reshape(shape)


class AttributeBounds:
    """Lower bounds by generalization and by the people certain to be suppressed."""

    def __init__(self, loss: AttributeLoss, whole: Input) -> None:
        self._loss, self._whole = loss, whole
        tops = [height - 1 for height in whole.shape]
        self.lower = loss.over_levels(
            [figure.at_least(top, None) for figure, top in zip(loss.figures, tops, strict=True)]
        )

    def learn(self, seen: Outcome) -> None:
        """Raise the bounds of all finer nodes."""
        if not seen.certain:
            return
        gone = self._whole.split(seen.certain_gone())
        part = self.lower[tuple(slice(level + 1) for level in seen.node)]
        figures = zip(self._loss.figures, seen.node, gone, strict=True)
        np.maximum(part, self._loss.over_levels([f.at_least(x, g) for f, x, g in figures]), out=part)


def loss_am(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted mean of L_q."""
    return AttributeLoss(Share, whole, weights)


def loss_gm(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted geometric mean of L_q + 1, less 1."""
    return AttributeLoss(Share, whole, weights, geometric=True)


def nuentropy(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted sum of N_q, in bits."""
    return AttributeLoss(NonUniformEntropy, whole, weights, mean=False)


def precision(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted mean of P_q."""
    return AttributeLoss(Height, whole, weights)
