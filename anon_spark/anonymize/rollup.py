"""Class tables of lattice nodes where every person lies in one class, each rolled up from a finer one.

A table's rows are cells: a class and a combination of sensitive values, with people. One level up, cells
whose keys have become equal are summed; nothing but the finer table is read. So the table of a node can be
made from that of any finer node, and is made from the one with the fewest cells at hand.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.patterns import Bools, Ints, PatternTable
from anon_spark.privacy.classes import Classes, SensitiveCounts

_DENSE = 4  # keys a cell up to which counting into all keys is faster than sorting
_CELLS_KEPT = 2**23
_TABLES_KEPT = 512


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
            name: np.bincount(values.codes, weights=table.people, minlength=size).astype(np.int64)
            for (name, values), size in zip(table.sensitive.items(), sizes, strict=True)
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
            value, people = value[chosen], people[chosen]
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


class Rollup:
    """Class tables of every node of one lattice, with the latest ones kept."""

    def __init__(self, table: PatternTable, coarsening: Coarsening) -> None:
        self.coarsening = coarsening
        self.attributes = Attributes(table)
        self.people = table.total_people
        rows = None if table.times is None else table.people * table.times
        bottom = tuple(0 for _ in coarsening.heights)
        leaves = Cells(
            tuple(coarsening.members), self.attributes.packed, table.people, rows, table.population, None
        )
        self._tables: list[Cells] = [leaves]
        self._nodes = np.zeros((_TABLES_KEPT, len(bottom)), dtype=np.int64)
        self._cells = np.zeros(_TABLES_KEPT, dtype=np.int64)
        self._cells[0] = len(leaves)
        self._next = 1
        self._limit = max(_CELLS_KEPT, 2 * len(leaves))

    @property
    def leaves(self) -> Cells:
        """The pattern table itself: a row a pattern, classes not put together."""
        return self._tables[0]

    def cells(self, node: Node) -> Cells:
        """The class table of a node, from the smallest finer one at hand."""
        at_hand = len(self._tables)
        finer = (self._nodes[:at_hand] <= node).all(axis=1)
        source = int(np.where(finer, self._cells[:at_hand], np.iinfo(np.int64).max).argmin())
        cells = coarsen(self._tables[source], node, self.coarsening, self.attributes.size)
        if len(cells) < 0.8 * len(self._tables[source]):
            self._keep(node, cells)
        return cells

    def classes(self, cells: Cells, chosen: Bools | None = None) -> Classes:
        """What the criteria see of a class table, or of the chosen classes alone."""
        population = None if cells.population is None else cells.by_class(cells.population)
        if chosen is None:
            view = SensitiveView(self.attributes, cells, None, cells.owner)
            return Classes(cells.sizes, self.people, view, population)
        of_cells = chosen[cells.owner]
        owner = (np.cumsum(chosen) - 1)[cells.owner[of_cells]]
        view = SensitiveView(self.attributes, cells, of_cells, owner)
        population = None if population is None else population[chosen]
        return Classes(cells.sizes[chosen], self.people, view, population)

    def _keep(self, node: Node, cells: Cells) -> None:
        """Keep a table; past the limit the oldest go, the leaves never."""
        if len(self._tables) < _TABLES_KEPT and self._cells.sum() + len(cells) <= self._limit:
            place = len(self._tables)
            self._tables.append(cells)
        else:
            place = 1 + self._next % max(len(self._tables) - 1, 1)
            self._next += 1
            if place >= len(self._tables):
                return
            self._tables[place] = cells
        self._nodes[place] = node
        self._cells[place] = len(cells)


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
