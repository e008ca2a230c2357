"""What local recoding knows of a table: distinct tuples with people, their trees, and classes made of them.

A class is a set of tuples. Its label is, for every quasi-identifier, the lowest node of the hierarchy above all
of its tuples: a leaf under it (the *representative*) and a level say which. The cost of a label is what a
person released with it adds to the loss, so that ``loss_am`` is the mean cost over people.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.privacy.classes import Bools, Classes, Criterion, Floats, Ints, SensitiveCounts

_FITS = 2**62
_DENSE = 8


@dataclass(frozen=True)
class Tree:
    """One hierarchy as arrays over (level, leaf code).

    Attributes:
        node: number of the label above the leaf; equal texts at several levels have one number.
        cost: share of the domain left open, scaled to 0 for a leaf and 1 for ``*``, times the weight.
        rank: (leaves,) place of the leaf in an order that keeps the leaves of a node together.
    """

    node: Ints
    cost: Floats
    rank: Ints

    @classmethod
    def of(cls, hierarchy: Hierarchy, weight: float) -> "Tree":
        """Number the labels of a hierarchy; null's branch is the hierarchy's own."""
        leaves, depth = list(leaf_codes(hierarchy)), hierarchy.height + 1
        labels = [[hierarchy.label(leaf, level) for leaf in leaves] for level in range(depth)]
        number = {label: i for i, label in enumerate(dict.fromkeys(x for row in labels for x in row))}
        node = np.array([[number[x] for x in row] for row in labels], dtype=np.int64)
        finest = 1 / hierarchy.domain_size
        shares = [hierarchy.share(level) for level in range(depth)]
        share = np.array([[shares[level][x] for x in row] for level, row in enumerate(labels)])
        scaled = (share - finest) / (1 - finest) if finest < 1 else np.zeros_like(share)
        rank = np.empty(len(leaves), dtype=np.int64)
        rank[np.lexsort(node)] = np.arange(len(leaves))
        return cls(node, scaled * weight, rank)

    def join_level(self, left: Ints, right: Ints) -> Ints:
        """Level of the lowest node above both leaves; broadcasts."""
        return sum((row[left] != row[right] for row in self.node), np.zeros((), np.int64))


@dataclass(frozen=True)
class Labels:
    """Lowest label of every class: representative leaf and level by quasi-identifier, cost, people."""

    leaf: Ints
    level: Ints
    cost: Floats
    people: Ints

    @property
    def total(self) -> float:
        """Sum of the cost over people."""
        return float((self.people * self.cost).sum())


@dataclass(frozen=True)
class TupleTable:
    """Distinct (tuple, sensitive values) in ascending order, with the people of each.

    Attributes:
        codes: (tuples, quasi-identifiers) leaf codes.
        people: (tuples,) people who have the tuple and the sensitive values.
        sensitive: (tuples,) code of the value, by sensitive attribute.
        trees: of every quasi-identifier.
    """

    codes: Ints
    people: Ints
    sensitive: Mapping[str, Ints]
    trees: Sequence[Tree]

    @cached_property
    def totals(self) -> dict[str, Ints]:
        """People of the whole table who have each value, by sensitive attribute."""
        return {name: _summed(values, self.people, 0) for name, values in self.sensitive.items()}

    @cached_property
    def total_people(self) -> int:
        """People in the whole table."""
        return int(self.people.sum())

    def labels(self, owner: Ints) -> Labels:
        """Lowest label of every class; ``owner`` numbers the class of each tuple, 0 to classes - 1, none empty."""
        order = np.argsort(owner, kind="stable")
        start = np.flatnonzero(np.diff(owner[order], prepend=-1))
        leaf = self.codes[order[start]]
        level, cost = np.zeros_like(leaf), np.zeros(len(start))
        for q, tree in enumerate(self.trees):
            join = tree.join_level(self.codes[order, q], leaf[owner[order], q])
            level[:, q] = np.maximum.reduceat(join, start)
            cost += tree.cost[level[:, q], leaf[:, q]]
        return Labels(leaf, level, cost, _summed(owner, self.people, len(start)))

    @cached_property
    def stratum(self) -> Ints:
        """(tuples,) number of the tuple's combination of sensitive values."""
        columns = list(self.sensitive.values()) or [np.zeros_like(self.people)]
        return group(columns)[0]

    def crowding(self, rows: Ints, cell: Ints, count: int) -> Floats:
        """How far each of ``rows`` comes after those that its sensitive values' share of its cell allows.

        Below c for the first rows of each value that make up c times its share in the whole table: the rows
        below a cap are nearer to the whole than their cell is.
        """
        people, stratum = self.people[rows], self.stratum[rows]
        share = np.bincount(self.stratum, weights=self.people) / self.total_people
        key = cell * len(share) + stratum
        order = np.argsort(key, kind="stable")
        start = np.flatnonzero(np.diff(key[order], prepend=-1))
        through = np.cumsum(people[order])
        before = np.repeat((through - people[order])[start], np.diff(np.append(start, len(rows))))
        after = np.empty(len(rows))
        after[order] = through - before - 1
        return after / (_summed(cell, people, count)[cell] * share[stratum])

    def classes(self, owner: Ints, count: int, rows: Ints | None = None) -> Classes:
        """Classes 0 to ``count`` - 1 made of ``rows`` (default: all tuples); ``owner`` numbers theirs."""
        rows = np.arange(len(self.people)) if rows is None else rows
        people = self.people[rows]
        make = {
            name: lambda values=values, totals=self.totals[name]: _pairs(owner, values[rows], people, totals)
            for name, values in self.sensitive.items()
        }
        return Classes(_summed(owner, people, count), self.total_people, _Lazy(make))

    def altered(self, classes: Classes, which: Ints, rows: Ints, sign: int) -> Classes:
        """What each of the classes ``which`` would be with (1) or without (-1) one of ``rows``."""
        people = sign * self.people[rows]
        make = {
            name: lambda counts=classes.sensitive[name], values=values: _altered_pairs(
                counts, which, values[rows], people
            )
            for name, values in self.sensitive.items()
        }
        return Classes(classes.sizes[which] + people, self.total_people, _Lazy(make))


class _Lazy(Mapping[str, SensitiveCounts]):
    """Counts made when a criterion asks for them: k needs none."""

    def __init__(self, make: Mapping[str, Callable[[], SensitiveCounts]]) -> None:
        self._make = make
        self._made: dict[str, SensitiveCounts] = {}

    def __getitem__(self, name: str) -> SensitiveCounts:
        if name not in self._made:
            self._made[name] = self._make[name]()
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._make)

    def __len__(self) -> int:
        return len(self._make)


def valid_cells(
    table: TupleTable, criteria: Sequence[Criterion], cell: Ints, count: int, rows: Ints
) -> Bools:
    """(count,) whether a cell of ``rows`` has people and meets all criteria; those that need less go first."""
    valid = np.ones(count, dtype=np.bool_)
    for criterion in sorted(criteria, key=lambda criterion: not criterion.monotone):
        asked = valid[cell]
        classes = table.classes(cell[asked], count, rows[asked])
        valid &= (classes.sizes > 0) & ~criterion.failing(classes)
    return valid


def failing(classes: Classes, criteria: Sequence[Criterion]) -> Bools:
    """(classes,) whether a class fails any criterion."""
    fails = np.zeros(len(classes.sizes), dtype=np.bool_)
    for criterion in criteria:
        fails |= criterion.failing(classes)
    return fails


def group(columns: Sequence[Ints]) -> tuple[Ints, int]:
    """Number the distinct rows of some columns of codes, in ascending order of the row; and how many."""
    packed, width = np.zeros_like(columns[0]), 1
    for column in columns:
        size = int(column.max(initial=0)) + 1
        if width * size >= _FITS:
            packed, width = _numbered(packed)
        packed, width = packed * size + column, width * size
    return _numbered(packed)


def _numbered(values: Ints) -> tuple[Ints, int]:
    width = int(values.max(initial=0)) + 1
    if width <= _DENSE * len(values):  # counting is faster than sorting
        there = np.zeros(width, dtype=np.bool_)
        there[values] = True
        number = np.cumsum(there) - 1
        return number[values], int(number[-1]) + 1
    distinct, number = np.unique(values, return_inverse=True)
    return number.astype(np.int64), len(distinct)


def _summed(owner: Ints, people: Ints, count: int) -> Ints:
    """People by owner; exact below 2**53 people."""
    return np.bincount(owner, weights=people, minlength=count).astype(np.int64)


def _pairs(owner: Ints, value: Ints, people: Ints, totals: Ints) -> SensitiveCounts:
    width = len(totals)
    key = owner * width + value
    number, count = _numbered(key)
    pair = np.empty(count, dtype=np.int64)
    pair[number] = key
    return SensitiveCounts(pair // width, pair % width, _summed(number, people, count), totals)


def _altered_pairs(counts: SensitiveCounts, which: Ints, value: Ints, people: Ints) -> SensitiveCounts:
    first = np.searchsorted(counts.owner, which)
    length = np.searchsorted(counts.owner, which, side="right") - first
    owner = np.repeat(np.arange(len(which)), length)
    pair = np.arange(len(owner)) - np.repeat(np.cumsum(length) - length - first, length)
    return _pairs(
        np.concatenate([owner, np.arange(len(which))]),
        np.concatenate([counts.value[pair], value]),
        np.concatenate([counts.people[pair], people]),
        counts.totals,
    )
