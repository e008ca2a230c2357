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
least |S| (1 - greatest share at v's level), for which S need not be known, only how many they are; P_q has the
same share for all units. N_q: with g(x) = x log2 x the
second term is g(s) - sum over values of g(c_s). It grows with every unit added, since g is convex and
c_s <= s; and it grows when a value is split, since g(a) + g(b) <= g(a + b). So it is at least that of S at c.
Source: V. Iyengar, KDD 2002 (share); A. Gionis, T. Tassa, TKDE 21(2), 2009 (non-uniform entropy); L. Sweeney,
IJUFKS 10(5), 2002 (precision); as ARX 3.9 computes them.
"""

from collections.abc import Mapping, Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anon_spark.anonymize.coarsening import Levels, Node
from anon_spark.utility.loss import Floats, Input, Outcome, weights_of

_FLOOR = 1e-10


class Figures(Protocol):
    """A figure of every quasi-identifier."""

    def at(self, node: Node, gone: Floats | None) -> Floats:
        """(quasi-identifiers,) values at a node, given the suppressed units by leaf, side by side."""
        ...

    def at_least(self, seen: Outcome | None) -> Floats:
        """(quasi-identifiers, levels) lower bounds at every level, given a coarser node.

        Padded past the highest level. Without a node: by generalization alone.
        """
        ...


class Shares:
    """L_q: how much of its domain a value leaves open."""

    def __init__(self, whole: Input) -> None:
        self._whole = whole
        self._open = [[1 - shares for shares in x.shares] for x in whole.levels]
        self._sums = _padded([[float(units @ s) for s in x.shares] for x, units in _by_attribute(whole)])
        self._closed = _padded([[float(o.min(initial=1)) for o in by_level] for by_level in self._open])
        total = whole.sums(whole.units)
        self._finest = total / np.array([x.domain_size for x in whole.levels])
        self._scale = np.where(total > self._finest, total - self._finest, np.inf)

    def at(self, node: Node, gone: Floats | None) -> Floats:
        """L_q."""
        sums = self._sums[np.arange(len(node)), node]
        if gone is not None:
            sums = sums + self._opened(node, gone)
        figures: Floats = np.maximum((sums - self._finest) / self._scale, _FLOOR)
        return figures

    def at_least(self, seen: Outcome | None) -> Floats:
        """Generalization, and the larger of the two bounds of what suppression adds."""
        sums = self._sums
        if seen is not None:
            opened = self._opened(seen.node, seen.certain_units)
            more = np.maximum(self._closed * seen.certain_in_all, opened[:, None])
            sums = sums + more
        figures: Floats = np.maximum((sums - self._finest[:, None]) / self._scale[:, None], _FLOOR)
        return figures

    def _opened(self, node: Node, gone: Floats) -> Floats:
        shares = np.concatenate([by_level[level] for by_level, level in zip(self._open, node, strict=True)])
        return self._whole.sums(gone * shares)


class NonUniformEntropy:
    """N_q: bits that the values lose."""

    def __init__(self, whole: Input) -> None:
        self._whole = whole
        self._labels = [
            [labels + offset for labels in x.labels]
            for x, offset in zip(whole.levels, whole.offsets[:-1], strict=True)
        ]
        self._bits = _padded(
            [
                [
                    _x_log_x(np.bincount(labels, weights=units)).sum() - _x_log_x(units).sum()
                    for labels in x.labels
                ]
                for x, units in _by_attribute(whole)
            ]
        )

    def at(self, node: Node, gone: Floats | None) -> Floats:
        """N_q."""
        bits = self._bits[np.arange(len(node)), node]
        return bits if gone is None else bits + self._suppressed(node, gone)

    def at_least(self, seen: Outcome | None) -> Floats:
        """Generalization, and what is certain to be suppressed as it is labelled at the coarser node."""
        if seen is None or not seen.certain_in_all:
            return self._bits
        return self._bits + self._suppressed(seen.node, seen.certain_units)[:, None]

    def _suppressed(self, node: Node, gone: Floats) -> Floats:
        labels = np.concatenate([by_level[level] for by_level, level in zip(self._labels, node, strict=True)])
        values = np.bincount(labels, weights=gone, minlength=len(gone))
        return _x_log_x(self._whole.sums(gone)) - self._whole.sums(_x_log_x(values))


class Heights:
    """P_q: how far up its hierarchy a value stands."""

    def __init__(self, whole: Input) -> None:
        self._whole = whole
        self._general = _padded([list(np.arange(x.height + 1) / max(x.height, 1)) for x in whole.levels])
        self._total = np.maximum(whole.sums(whole.units), 1)

    def at(self, node: Node, gone: Floats | None) -> Floats:
        """P_q."""
        general = self._general[np.arange(len(node)), node]
        return general if gone is None else general + (1 - general) * self._whole.sums(gone) / self._total

    def at_least(self, seen: Outcome | None) -> Floats:
        """P_q with so many units suppressed."""
        if seen is None:
            return self._general
        many = seen.certain_in_all / self._total
        return self._general + (1 - self._general) * np.minimum(many, 1)[:, None]


def _by_attribute(whole: Input) -> "zip[tuple[Levels, Floats]]":
    cuts = zip(whole.offsets[:-1], whole.offsets[1:], strict=True)
    return zip(whole.levels, [whole.units[a:b] for a, b in cuts], strict=True)


def _padded(rows: Sequence[Sequence[float]]) -> Floats:
    """A table of rows of unequal length."""
    table = np.zeros((len(rows), max(len(row) for row in rows)))
    for i, row in enumerate(rows):
        table[i, : len(row)] = row
    return table


def _x_log_x(x: npt.NDArray[np.number]) -> Floats:
    return np.asarray(x * np.log2(np.maximum(x, 1)), dtype=np.float64)


class AttributeLoss:
    """A weighted mean (or sum, or geometric mean) of one figure over the quasi-identifiers."""

    def __init__(
        self,
        figures: Figures,
        whole: Input,
        weights: Mapping[str, float] | None = None,
        *,
        mean: bool = True,
        geometric: bool = False,
    ) -> None:
        weight = weights_of(whole.names, weights)
        self._weights = weight / weight.sum() if mean else weight
        self._geometric = geometric
        self.shape = whole.shape
        self.figures = figures

    def by_attribute(self, outcome: Outcome) -> Floats:
        """(quasi-identifiers,) figures at a node."""
        return self.figures.at(outcome.node, outcome.gone_units if outcome.suppressed else None)

    def value(self, outcome: Outcome) -> float:
        """The loss at a node."""
        values = self.by_attribute(outcome)
        if self._geometric:
            return float(np.expm1(self._weights @ np.log1p(values)))
        return float(self._weights @ values)

    def bounds(self) -> "AttributeBounds":
        """Bounds from generalization alone."""
        return AttributeBounds(self)

    def over_levels(self, figures: Floats, node: Node) -> Floats:
        """The loss for every combination of figures up to the node's levels, in the shape of that part."""
        terms = (np.log1p(figures) if self._geometric else figures) * self._weights[:, None]
        total = np.zeros(1)
        for row, level in zip(terms[::-1], reversed(node), strict=True):
            total = np.add.outer(row[: level + 1], total).ravel()
        if self._geometric:
            total = np.expm1(total)
        return total.reshape(tuple(level + 1 for level in node))


class AttributeBounds:
    """Lower bounds by generalization and by the people certain to be suppressed."""

    def __init__(self, loss: AttributeLoss) -> None:
        self._loss = loss
        top = tuple(size - 1 for size in loss.shape)
        self.lower = loss.over_levels(loss.figures.at_least(None), top)

    def learn(self, seen: Outcome) -> None:
        """Raise the bounds of all finer nodes."""
        if not seen.certain_in_all:
            return
        part = self.lower[tuple(slice(level + 1) for level in seen.node)]
        figures = self._loss.figures.at_least(seen)
        np.maximum(part, self._loss.over_levels(figures, seen.node), out=part)


def loss_am(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted mean of L_q."""
    return AttributeLoss(Shares(whole), whole, weights)


def loss_gm(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted geometric mean of L_q + 1, less 1."""
    return AttributeLoss(Shares(whole), whole, weights, geometric=True)


def nuentropy(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted sum of N_q, in bits."""
    return AttributeLoss(NonUniformEntropy(whole), whole, weights, mean=False)


def precision(whole: Input, weights: Mapping[str, float] | None = None) -> AttributeLoss:
    """Weighted mean of P_q."""
    return AttributeLoss(Heights(whole), whole, weights)
