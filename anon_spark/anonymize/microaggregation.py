"""Microaggregation: numeric quasi-identifiers are replaced by their group's mean, groups being near and of k people.

MDAV (maximum distance to average vector): the tuple farthest from the mean and its nearest make a group, the one
farthest from that tuple and its nearest the next, until fewer than 3k people are left. Distances are Euclidean over
standardized columns. A table of more than ``block`` tuples is first halved along its widest column, again and
again: MDAV's work grows with the square of the tuples.

Source: J. Domingo-Ferrer, V. Torra, Ordinal, continuous and heterogeneous k-anonymity through microaggregation,
Data Mining and Knowledge Discovery 11, 2005.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np

from anon_spark.errors import InputError, PolicyError
from anon_spark.privacy.classes import Floats, Ints

Centre = Literal["mean", "median", "mode"]


@dataclass(frozen=True)
class Microaggregation:
    """Groups of tuples and what each is released as.

    Attributes:
        owner: (tuples,) group of each tuple.
        people: (groups,) people of each group, at least k.
        centre: (groups, columns) released values.
        within: squared distance of people to their group's mean, over standardized columns (SSE).
        total: the same to the mean of all people (SST); ``within / total`` is the loss.
    """

    owner: Ints
    people: Ints
    centre: Floats
    within: float
    total: float

    @property
    def loss(self) -> float:
        """SSE / SST in [0, 1], 0 where all values are equal."""
        return self.within / self.total if self.total else 0.0


def microaggregate(
    values: Floats, *, k: int, people: Ints | None = None, centre: Centre = "mean", block: int = 5_000
) -> Microaggregation:
    """Groups of at least k people with little spread within, whatever the order of rows (equal rows may change places).

    Args:
        values: (tuples, columns) numbers, none missing; columns are standardized for distances.
        k: people a group needs.
        people: (tuples,) people of each tuple, default 1 each; the people of a tuple stay together.
        centre: what a group's values become: mean, lower median or the smallest most common value.
        block: most tuples that MDAV is run on at once.

    Returns:
        the groups; of k to 2k - 1 tuples each where every tuple is one person and there is one block.

    Raises:
        PolicyError: k is below 1 or above the number of people.
        InputError: a value is missing or infinite.
    """
    weight = np.ones(len(values), dtype=np.int64) if people is None else np.asarray(people, dtype=np.int64)
    if not 1 <= k <= weight.sum():
        raise PolicyError(f"microaggregation needs k between 1 and the {weight.sum()} people, got {k}")
    if holes := int((~np.isfinite(values)).sum()):
        raise InputError(f"microaggregation: {holes} values are missing or infinite")
    order = np.lexsort(values.T[::-1])
    scaled, count = _standardized(values[order].astype(np.float64), weight[order]), weight[order]
    sorted_owner = np.empty(len(order), dtype=np.int64)
    groups = 0
    for part in _parts(scaled, count, np.arange(len(order)), k, block):
        for members in _mdav(scaled[part], count[part], k):
            sorted_owner[part[members]] = groups
            groups += 1
    owner = np.empty_like(sorted_owner)
    owner[order] = sorted_owner
    within = _squares(scaled - _means(scaled, count, sorted_owner)[sorted_owner], count)
    return Microaggregation(
        owner,
        np.bincount(owner, weights=weight).astype(np.int64),
        _centres(values.astype(np.float64), weight, owner, centre),
        within,
        _squares(scaled, count),
    )


def _standardized(values: Floats, people: Ints) -> Floats:
    """Columns with mean 0 and variance 1 over people; a constant column becomes 0."""
    middle = _mean(values, people)
    spread = np.sqrt(_mean((values - middle) ** 2, people))
    constant = values.max(axis=0) == values.min(axis=0)
    scaled: Floats = np.where(constant, 0.0, (values - middle) / np.where(constant, 1.0, spread))
    return scaled


def _parts(values: Floats, people: Ints, rows: Ints, k: int, block: int) -> Iterator[Ints]:
    """Rows halved at the median person of the column of largest variance until ``block`` or fewer are left."""
    if len(rows) <= block:
        yield rows
        return
    column = values[rows][:, int(_spreads(values[rows], people[rows]).argmax())]
    ordered = rows[np.argsort(column, kind="stable")]
    through = np.cumsum(people[ordered])
    cut = int(np.searchsorted(through, through[-1] / 2)) + 1
    if cut == len(rows) or through[cut - 1] < k or through[-1] - through[cut - 1] < k:
        yield rows
        return
    for half in (ordered[:cut], ordered[cut:]):
        yield from _parts(values, people, np.sort(half), k, block)


def _spreads(values: Floats, people: Ints) -> Floats:
    middle = _mean(values, people)
    return _mean((values - middle) ** 2, people)


def _mdav(values: Floats, people: Ints, k: int) -> list[Ints]:
    """Groups of at least k people."""
    rest, groups = np.arange(len(values)), []
    while (left := people[rest].sum()) >= 2 * k:
        middle = _mean(values[rest], people[rest])
        anchor = values[rest[_distances(values[rest], middle).argmax()]]
        for _ in range(2 if left >= 3 * k else 1):
            if people[rest].sum() < 2 * k:
                break
            near = rest[np.argsort(_distances(values[rest], anchor), kind="stable")]
            take = int(np.searchsorted(np.cumsum(people[near]), k)) + 1
            groups.append(np.sort(near[:take]))
            rest = np.sort(near[take:])
            if len(rest):
                anchor = values[rest[_distances(values[rest], anchor).argmax()]]
    if people[rest].sum() >= k:
        return [*groups, rest]
    return _joined(values, people, groups, rest)


def _joined(values: Floats, people: Ints, groups: list[Ints], rest: Ints) -> list[Ints]:
    """Groups with each of the rest, too few for one of their own, in the group whose mean is nearest."""
    if not len(rest):
        return groups
    middles = np.array([_mean(values[g], people[g]) for g in groups])
    to = [int(_distances(middles, values[row]).argmin()) for row in rest]
    return [np.append(g, rest[[i for i, j in enumerate(to) if j == n]]) for n, g in enumerate(groups)]


def _mean(values: Floats, people: Ints) -> Floats:
    """Mean of each column over people; added up in one order, unlike a matrix product's."""
    mean: Floats = (people[:, None] * values).sum(axis=0) / people.sum()
    return mean


def _squares(apart: Floats, people: Ints) -> float:
    return float((people * (apart**2).sum(axis=1)).sum())


def _distances(values: Floats, point: Floats) -> Floats:
    """Squared Euclidean distance of each row to ``point``."""
    apart = values - point
    squares: Floats = np.einsum("ij,ij->i", apart, apart)
    return squares


def _means(values: Floats, people: Ints, owner: Ints) -> Floats:
    size = np.bincount(owner, weights=people)
    return np.stack([np.bincount(owner, weights=people * column) / size for column in values.T], axis=1)


def _centres(values: Floats, people: Ints, owner: Ints, centre: Centre) -> Floats:
    """(groups, columns) mean, lower median or smallest mode of each group's people."""
    if centre == "mean":
        return _between(_means(values, people, owner), values, owner)
    pick: Callable[[Floats, Ints, Ints], Floats] = _medians if centre == "median" else _modes
    return np.stack([pick(column, people, owner) for column in values.T], axis=1)


def _between(means: Floats, values: Floats, owner: Ints) -> Floats:
    """Means that sums of floats have not led out of their group's values: equal ones stay what they are."""
    order = np.argsort(owner, kind="stable")
    first = np.searchsorted(owner[order], np.arange(len(means)))
    least, greatest = (np.asarray(f.reduceat(values[order], first, axis=0)) for f in (np.minimum, np.maximum))
    inside: Floats = np.clip(means, least, greatest)
    return inside


def _medians(column: Floats, people: Ints, owner: Ints) -> Floats:
    order = np.lexsort((column, owner))
    through = np.cumsum(people[order])
    size = np.bincount(owner, weights=people)
    middle = np.cumsum(size) - size + np.ceil(size / 2)
    return column[order][np.searchsorted(through, middle)]


def _modes(column: Floats, people: Ints, owner: Ints) -> Floats:
    distinct, code = np.unique(column, return_inverse=True)
    pair, number = np.unique(owner * len(distinct) + code, return_inverse=True)
    count = np.bincount(number, weights=people)
    best = np.lexsort((pair, -count, pair // len(distinct)))
    _, first = np.unique((pair // len(distinct))[best], return_index=True)
    values: Floats = distinct[pair[best[first]] % len(distinct)]
    return values
