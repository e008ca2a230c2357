"""Class tables of lattice nodes where every person lies in one class, each rolled up from a finer one.

A table's rows are cells: a class and a combination of sensitive values, with people. One level up, cells
whose keys have become equal are summed; nothing but the finer table is read. So the table of a node can be
made from that of any finer node, and is made from the one with the fewest cells at hand.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.patterns import Bools, Ints, PatternTable
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Classes, SensitiveCounts

_DENSE = 4  # keys a cell up to which counting into all keys is faster than sorting
_CELLS_KEPT = 2**23
_TABLES_KEPT = 1024
_NEVER = np.iinfo(np.int16).max


@dataclass(frozen=True)
class Cells:
    """The class table of one node.

    Attributes:
        members: by group, (cells,) a combination of leaves of the class.
        value: (cells,) combination of sensitive values, None where there are none.
        people: (cells,) people.
        rows: (cells,) their rows, None where each person has one.
        population: (cells,) people of the population table, None without one.
        first: (classes,) first cell of each class, None where each has one.
    """

    members: tuple[Ints, ...]
    value: Ints | None
    people: Ints
    rows: Ints | None
    population: Ints | None
    first: Ints | None

    def __len__(self) -> int:
        return len(self.people)

    @cached_property
    def sizes(self) -> Ints:
        """(classes,) people."""
        return self.by_class(self.people)

    @cached_property
    def owner(self) -> Ints:
        """(cells,) class of each cell."""
        if self.first is None:
            return np.arange(len(self), dtype=np.int64)
        return np.repeat(np.arange(len(self.first)), np.diff(self.first, append=len(self)))

    def of_classes(self, classes: Ints | Bools) -> tuple[Ints, ...]:
        """By group, the combination of each of the given classes."""
        if self.first is None:
            return tuple(member[classes] for member in self.members)
        rows = self.first[classes]
        return tuple(member[rows] for member in self.members)

    def by_class(self, counts: Ints) -> Ints:
        """(classes,) sums of what is counted by cell."""
        return counts if self.first is None else np.add.reduceat(counts, self.first)


class Attributes:
    """The sensitive attributes of a pattern table, packed into one number a pattern."""

    def __init__(self, table: PatternTable) -> None:
        self.names = tuple(table.sensitive)
        sizes = [len(values.labels) for values in table.sensitive.values()]
        self._totals = {
            name: np.fromiter(people.values(), dtype=np.int64) for name, people in table.totals().items()
        }
        columns = [values.codes.astype(np.int64) for values in table.sensitive.values()]
        self.packed: Ints | None = None
        self.size = 1
        self._codes: list[Ints] = []
        if len(columns) == 1:
            self.packed, self.size = columns[0], max(sizes[0], 1)
        elif columns:
            joint = np.unique(np.stack(columns), axis=1, return_inverse=True)
            self._codes, self.packed = list(joint[0]), joint[1].astype(np.int64)
            self.size = max(joint[0].shape[1], 1)

    def counts(self, name: str, cells: Cells, chosen: Bools | None, owner: Ints) -> SensitiveCounts:
        """Counts of one attribute over the chosen cells, of which ``owner`` is the class."""
        assert cells.value is not None  # noqa: S101  (there are values where there are attributes)
        value, people = cells.value, cells.people
        if chosen is not None:
            value, people = value.compress(chosen), people.compress(chosen)
        totals = self._totals[name]
        if not self._codes:
            if cells.population is not None:  # cells of the population alone hold no value
                held = people > 0
                owner, value, people = owner[held], value[held], people[held]
            return SensitiveCounts(owner, value, people, totals)
        pair = owner * len(totals) + self._codes[self.names.index(name)][value]
        order = np.argsort(pair, kind="stable")
        pair = pair[order]
        starts = np.flatnonzero(np.diff(pair, prepend=-1))
        summed = np.add.reduceat(people[order], starts) if len(pair) else people
        pair = pair[starts]
        held = summed > 0
        return SensitiveCounts(pair[held] // len(totals), pair[held] % len(totals), summed[held], totals)


class SensitiveView(Mapping[str, SensitiveCounts]):
    """Counts of the attributes of a class table, each made when asked for."""

    def __init__(self, attributes: Attributes, cells: Cells, chosen: Bools | None, owner: Ints) -> None:
        self._attributes, self._cells, self._chosen, self._owner = attributes, cells, chosen, owner
        self._made: dict[str, SensitiveCounts] = {}

    def __getitem__(self, name: str) -> SensitiveCounts:
        if name not in self._attributes.names:
            raise KeyError(name)
        if name not in self._made:
            self._made[name] = self._attributes.counts(name, self._cells, self._chosen, self._owner)
        return self._made[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._attributes.names)

    def __len__(self) -> int:
        return len(self._attributes.names)


class Store:
    """Class tables at hand, the oldest given up past a number of cells."""

    def __init__(self, node: Node, leaves: Cells) -> None:
        self._limit = max(_CELLS_KEPT, 4 * len(leaves))
        self._tables: dict[Node, Cells] = {node: leaves}
        self._places: dict[Node, int] = {node: 0}
        self._levels = np.full((len(node), _TABLES_KEPT), _NEVER, dtype=np.int16)
        self._sizes = np.full(_TABLES_KEPT, np.iinfo(np.int64).max)
        self._levels[:, 0], self._sizes[0] = node, len(leaves)
        self._free = list(range(_TABLES_KEPT - 1, 0, -1))
        self._nodes = [node] * _TABLES_KEPT
        self._cells = 0

    def finer(self, node: Node) -> tuple[Node, Cells]:
        """The table with the fewest cells of those of this node and finer ones."""
        found = [
            below
            for q, level in enumerate(node)
            if level and (below := (*node[:q], level - 1, *node[q + 1 :])) in self._tables
        ]
        if found:
            best = min(found, key=lambda below: len(self._tables[below]))
        else:
            fits = (self._levels <= np.array(node, dtype=np.int16)[:, None]).all(axis=0)
            best = self._nodes[int(np.where(fits, self._sizes, np.iinfo(np.int64).max).argmin())]
        return best, self._tables[best]

    def keep(self, node: Node, cells: Cells) -> None:
        """Put a table at hand; that of the leaves stays."""
        if node in self._tables:
            return
        while not self._free or self._cells + len(cells) > self._limit:
            oldest = next(iter(list(self._places)[1:2]), None)
            if oldest is None:
                return
            place = self._places.pop(oldest)
            self._cells -= len(self._tables.pop(oldest))
            self._levels[:, place], self._sizes[place] = _NEVER, np.iinfo(np.int64).max
            self._free.append(place)
        place = self._free.pop()
        self._tables[node], self._places[node], self._nodes[place] = cells, place, node
        self._levels[:, place], self._sizes[place] = node, len(cells)
        self._cells += len(cells)


class Rollup:
    """Class tables of every node of one lattice."""

    def __init__(self, table: PatternTable, coarsening: Coarsening) -> None:
        self.coarsening = coarsening
        self.attributes = Attributes(table)
        self.people = table.total_people
        size = math.prod(group.size((0,) * len(table.names)) for group in coarsening.groups)
        if size * self.attributes.size >= 2**63:
            raise PolicyError(
                "quasi-identifiers and sensitive values have more combinations than 63 bits can hold"
            )
        rows = None if table.times is None else table.people * table.times
        bottom = tuple(0 for _ in coarsening.heights)
        self.leaves = Cells(
            tuple(coarsening.members), self.attributes.packed, table.people, rows, table.population, None
        )
        self._store = Store(bottom, self.leaves)
        self._asked: dict[
            Node, tuple[Node, int]
        ] = {}  # by source: the latest node made from it, and its cells

    def cells(self, node: Node) -> Cells:
        """The class table of a node.

        Where the same table is asked for two nodes that are both much smaller, the finest node coarser than it
        that serves both is made first and kept: further nodes near them will be made from that.
        """
        below, source = self._store.finer(node)
        before, size = self._asked.get(below, (node, len(source)))
        between = tuple(min(a, b) for a, b in zip(node, before, strict=True))
        if between not in (below, node) and 4 * size < len(source):
            self._asked[below] = (between, size)
            below, source = between, self._coarsen(source, between)
        cells = self._coarsen(source, node)
        self._asked[below] = (node, len(cells))
        return cells

    def _coarsen(self, source: Cells, node: Node) -> Cells:
        cells = coarsen(source, node, self.coarsening, self.attributes.size)
        self._store.keep(node, cells)
        return cells

    def classes(self, cells: Cells, chosen: Bools | None = None) -> Classes:
        """What the criteria see of a class table, or of the chosen classes alone."""
        population = None if cells.population is None else cells.by_class(cells.population)
        if chosen is None:
            view = SensitiveView(self.attributes, cells, None, cells.owner)
            return Classes(cells.sizes, self.people, view, population)
        of_cells = chosen if cells.first is None else chosen.take(cells.owner)
        owner = (np.cumsum(chosen) - 1).take(cells.owner.compress(of_cells))
        view = SensitiveView(self.attributes, cells, of_cells, owner)
        population = None if population is None else population[chosen]
        return Classes(cells.sizes.compress(chosen), self.people, view, population)


def coarsen(source: Cells, node: Node, coarsening: Coarsening, values: int) -> Cells:
    """Sum the cells that are one at ``node``.

    Args:
        source: the table of a node nowhere coarser.
        values: combinations of sensitive values there are.
    """
    key, size = coarsening.keys(source.members, node)
    if source.value is not None:
        key *= values
        key += source.value
        size *= values
    group = _by_counting if size <= _DENSE * len(source) else _by_sorting
    rows, key, (people, *sums) = group(key, size, [source.people, source.rows, source.population])
    first = None
    if source.value is not None:
        class_key = key // values
        first = np.flatnonzero(np.concatenate(([True], class_key[1:] != class_key[:-1])))[: len(key)]
    members = tuple(member[rows] for member in source.members)
    value = None if source.value is None else source.value[rows]
    assert people is not None  # noqa: S101  (what is not None is summed)
    return Cells(members, value, people, sums[0], sums[1], first)


def _by_counting(key: Ints, size: int, counts: Sequence[Ints | None]) -> tuple[Ints, Ints, list[Ints | None]]:
    """A row, the key and the sums of every key that occurs, over all keys there may be."""
    row = np.full(size, -1, dtype=np.int64)
    row[key] = np.arange(len(key))
    found = np.flatnonzero(row >= 0)
    sums = [
        None if x is None else np.bincount(key, weights=x, minlength=size)[found].astype(np.int64)
        for x in counts
    ]
    return row[found], found, sums


def _by_sorting(key: Ints, size: int, counts: Sequence[Ints | None]) -> tuple[Ints, Ints, list[Ints | None]]:
    """The same by sorting: key and row packed into one integer where both fit."""
    bits = max(len(key) - 1, 1).bit_length()
    if size < 2 ** (63 - bits):
        key <<= bits
        key |= np.arange(len(key))
        key.sort()
        order = key & ((1 << bits) - 1)
        key >>= bits
    else:
        order = np.argsort(key)
        key = key[order]
    starts = np.flatnonzero(np.concatenate(([True], key[1:] != key[:-1])))[: len(key)]
    sums = [None if x is None else np.add.reduceat(x[order], starts) for x in counts]
    return order[starts], key[starts], sums
