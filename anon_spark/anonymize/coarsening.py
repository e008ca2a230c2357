"""Quasi-identifiers and their levels as lookup tables over the values that occur.

Neighbouring quasi-identifiers are put together into groups, and each combination of a group's values that
occurs is numbered. A class is then a few small integers, one a group, and its key at a node is a sum of table
lookups, one a group. A class is stored as the leaves of any one of its members: whatever node it is coarsened
to, the same leaf tables serve.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import Ints, PatternTable, strides
from anon_spark.deidentify.generalization import leaf_codes

Floats = npt.NDArray[np.float64]
Node = tuple[int, ...]

_LARGEST_GROUP = 2**18
_TABLES_KEPT = 2**23  # entries of lookup tables of a group


@dataclass(frozen=True)
class Levels:
    """One quasi-identifier over the leaves that occur.

    Attributes:
        leaves: codes of the leaves that occur, ascending.
        domain_size: rows of the hierarchy's file.
        labels: by level, (leaves,) number of the label, from 0.
        shares: by level, (leaves,) share of the domain under the label.
    """

    leaves: Ints
    domain_size: int
    labels: tuple[Ints, ...]
    shares: tuple[Floats, ...]

    @property
    def height(self) -> int:
        """Index of the top level."""
        return len(self.labels) - 1


class Group:
    """Neighbouring quasi-identifiers, and the combinations of their values that occur."""

    def __init__(self, columns: Sequence[int], levels: Sequence[Levels], leaves: Sequence[Ints]) -> None:
        self.columns = tuple(columns)
        self.leaves = tuple(leaves)  # by quasi-identifier, (combinations,) number of the leaf
        self._levels = tuple(levels)
        self._sizes = tuple(tuple(int(labels.max(initial=0)) + 1 for labels in x.labels) for x in levels)
        self._tables: dict[Node, Ints] = {}

    def __len__(self) -> int:
        return len(self.leaves[0])

    def size(self, node: Node) -> int:
        """How many keys there may be at a node of the whole lattice."""
        size = 1
        for i, sizes in zip(self.columns, self._sizes, strict=True):
            size *= sizes[node[i]]
        return size

    def keys(self, node: Node) -> Ints:
        """(combinations,) key of each at a node of the whole lattice."""
        own = tuple(node[i] for i in self.columns)
        if own not in self._tables:
            if (len(self._tables) + 1) * len(self) > _TABLES_KEPT:
                self._tables.clear()
            table = np.zeros(len(self), dtype=np.int64)
            for level, x, sizes, leaves in zip(own, self._levels, self._sizes, self.leaves, strict=True):
                table *= sizes[level]
                table += x.labels[level][leaves]
            self._tables[own] = table
        return self._tables[own]


class Coarsening:
    """Tables of every quasi-identifier and group for one pattern table.

    Attributes:
        levels: of every quasi-identifier.
        groups: all quasi-identifiers in order, cut into groups.
        members: by group, (tuples,) the combination of every tuple.
        offsets: (quasi-identifiers + 1,) where each one's leaves start when all are laid side by side.
    """

    def __init__(
        self, table: PatternTable, hierarchies: Mapping[str, Hierarchy], known: Sequence[Levels] | None = None
    ) -> None:
        """Tabulate.

        Args:
            hierarchies: of every quasi-identifier, in the order of packing; not read where ``known`` is given.
            known: levels over the leaves of a larger table of which this one is a part.
        """
        self.levels: list[Levels] = []
        self.groups: list[Group] = []
        self.members: list[Ints] = []
        steps, trees = strides(table.domains), list(hierarchies.values())
        for columns in _cut(table.domains):
            domain = [table.domains[i] for i in columns]
            size = int(np.prod(domain))
            packed = table.packed // steps[columns[-1]] % size
            seen, members = _numbered(packed, size)
            levels, leaves = [], []
            for i, stride in zip(columns, strides(domain), strict=True):
                codes = seen // stride % table.domains[i]
                if known is None:
                    present, numbers = _numbered(codes, table.domains[i])
                    levels.append(levels_of(trees[i], present))
                else:
                    levels.append(known[i])
                    numbers = np.searchsorted(known[i].leaves, codes)
                leaves.append(numbers)
            self.levels += levels
            self.groups.append(Group(columns, levels, leaves))
            self.members.append(members)
        self.offsets = np.concatenate(([0], np.cumsum([len(x.labels[0]) for x in self.levels])))
        self.heights: Node = tuple(x.height for x in self.levels)

    @property
    def shape(self) -> tuple[int, ...]:
        """Levels of every quasi-identifier: the shape of the lattice."""
        return tuple(height + 1 for height in self.heights)

    def keys(self, members: Sequence[Ints], node: Node) -> tuple[Ints, int]:
        """Key of every class given by its members' combinations, and the bound all keys are below."""
        key, size = self.groups[0].keys(node).take(members[0]), self.groups[0].size(node)
        for group, combination in zip(self.groups[1:], members[1:], strict=True):
            step = group.size(node)
            key *= step
            key += group.keys(node).take(combination)
            size *= step
        return key, size

    def marginals(self, members: Sequence[Ints], weights: npt.NDArray[np.generic]) -> Floats:
        """(leaves of all quasi-identifiers side by side,) weight of every leaf over the given rows."""
        total = np.zeros(self.offsets[-1])
        for group, combination in zip(self.groups, members, strict=True):
            # few rows are counted one by one, many by combination first
            many = 4 * len(combination) > len(group)
            if many:
                by_combination = np.bincount(combination, weights=weights, minlength=len(group))
            for i, leaves in zip(group.columns, group.leaves, strict=True):
                of_rows, weight = (leaves, by_combination) if many else (leaves[combination], weights)
                size = self.offsets[i + 1] - self.offsets[i]
                total[self.offsets[i] : self.offsets[i + 1]] = np.bincount(of_rows, weight, minlength=size)
        return total


def _cut(domains: Sequence[int]) -> list[list[int]]:
    """Cut the quasi-identifiers into runs whose domains multiply to little enough for a table."""
    runs: list[list[int]] = []
    size = 0
    for i, domain in enumerate(domains):
        if runs and size * domain <= _LARGEST_GROUP:
            runs[-1].append(i)
            size *= domain
        else:
            runs.append([i])
            size = domain
    return runs


def _numbered(values: Ints, domain: int) -> tuple[Ints, Ints]:
    """The distinct values in order, and for each value its place among them."""
    if domain > 4 * _LARGEST_GROUP:
        distinct, places = np.unique(values, return_inverse=True)
        return distinct, places.astype(np.int64, copy=False)
    present = np.zeros(domain, dtype=np.bool_)
    present[values] = True
    distinct = np.flatnonzero(present)
    place = np.empty(domain, dtype=np.int64)
    place[distinct] = np.arange(len(distinct))
    return distinct, place.take(values)


def levels_of(hierarchy: Hierarchy, present: Ints) -> Levels:
    """Tables of one quasi-identifier, given the codes of the leaves that occur."""
    leaves = list(leaf_codes(hierarchy))
    occurring = [leaves[code] for code in present]
    labels, shares = [], []
    for level in range(hierarchy.height + 1):
        names = [hierarchy.label(leaf, level) for leaf in occurring]
        number = {name: i for i, name in enumerate(dict.fromkeys(names))}
        share = hierarchy.share(level)
        labels.append(np.array([number[name] for name in names], dtype=np.int64))
        shares.append(np.array([share[name] for name in names], dtype=np.float64))
    return Levels(present, hierarchy.domain_size, tuple(labels), tuple(shares))
