"""What an attacker knows of a person who has several rows (admissions), and the classes that makes.

A person's history at a node is the multiset of their generalized tuples, one a row, so counts are part of it.
An attacker who knows

    1 row           knows a tuple; its class are the people who have it
    n rows          knows a multiset of at most n of a person's tuples; its class are the people whose histories
                    contain it, as often as it holds each tuple
    all rows (None) knows a whole history; its class are the people whose history it is

Before an attacker of n rows a person lies in one class for every such multiset, so classes overlap. Before one of
all rows every person lies in one class.

What coarsening does. Let c be coarser than v, and f the map of tuples that leads from v to c.

*n rows.* Let S be a multiset of at most n tuples within the history f(H) of a person at c. Each of its tuples is
the image of a row of its own, so S = f(T) for a T of as many tuples within H. Whoever has T in their history at
v has S in theirs at c. So a class at c holds, of each of its people, all people of one of their classes at v:
that is all that ``suppression`` asks of monotone criteria (k, distinct l, k-map), whose bounds hold. A class at
c is a union of classes at v, but of overlapping ones, and the shares of such a union are no mean of theirs: of
criteria that are closed under disjoint unions nothing follows.

*All rows.* Equal histories stay equal, so a class at c is a disjoint union of classes at v, and every person
lies in one class at every node. All that is proven for one row a person holds with a history for a tuple: of
monotone criteria, of those closed under union and of losses. Units of people who must be suppressed, whoever of
a class they are, are exact too: all of a class have the same tuples at c, as often.

*Either way* a suppressed person empties a class, and every multiset of c is the image of one of v: there are never
more groups than classes before suppression, and never more of those at c than at v.

*No row at all.* A release shows who has no admission, whatever the levels. So such a person's one tuple says so
(``ADMITTED``) at every node, and never equals an admission's.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from math import comb
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anon_spark.anonymize.coarsening import Coarsening, Floats, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import Ints, PatternTable
from anon_spark.errors import PolicyError

# What no level hides: it has one level, and no weight in the loss.
ADMITTED = Hierarchy("_admitted", (("yes",), ("no",)))
_MOST_SETS = 50_000_000


@dataclass(frozen=True)
class HistoryTable(PatternTable):
    """A pattern table before an attacker who knows ``known`` rows of a person, None being all."""

    known: int | None = 1

    @property
    def several_rows(self) -> bool:
        """Whether somebody has more rows than one."""
        return self.starts is not None or self.times is not None

    @property
    def one_class_each(self) -> bool:
        """Whether every person lies in one class at every node."""
        return self.known is None or not self.several_rows or (self.known == 1 and self.starts is None)


def known_to(table: PatternTable, known: int | None) -> HistoryTable:
    """The same patterns before an attacker who knows so many rows of a person, None being all."""
    fields = {name: getattr(table, name) for name in PatternTable.__dataclass_fields__}
    return HistoryTable(**fields, known=known)


class Knowledge(Protocol):
    """What an attacker may know of people, as classes of a node."""

    def at(self, node: Node) -> tuple[Ints, Ints, int]:
        """(pairs,) pattern and class of all that may be known, and how many classes there are."""
        ...


def knowledge(table: PatternTable, coarsening: Coarsening) -> Knowledge:
    """What the table's attacker may know.

    Raises:
        PolicyError: there are too many multisets of so many rows.
    """
    known = table.known if isinstance(table, HistoryTable) else 1
    if known is None:
        return WholeHistories(table, coarsening)
    return Tuples(table, coarsening) if known == 1 else Parts(table, coarsening, known)


class Tuples:
    """One row: a class is a tuple."""

    def __init__(self, table: PatternTable, coarsening: Coarsening) -> None:
        self._pattern, self._coarsening = table.pattern, coarsening

    def at(self, node: Node) -> tuple[Ints, Ints, int]:
        """(tuples,) pattern and class."""
        return self._pattern, *_numbered(self._coarsening.keys(self._coarsening.members, node)[0])


class Parts:
    """Some rows: a class is a multiset of at most so many tuples."""

    def __init__(self, table: PatternTable, coarsening: Coarsening, known: int) -> None:
        self._coarsening = coarsening
        rows = _Rows(table)
        longest = int(rows.lengths.max(initial=0))
        sizes = range(1, min(known, longest) + 1)
        by_length = np.bincount(rows.lengths)
        sets = sum(int(n) * comb(r, size) for r, n in enumerate(by_length) for size in sizes)
        if sets > _MOST_SETS:
            raise PolicyError(
                f"attacker: admissions: {known}: people with up to {longest} admissions make {sets} multisets of so"
                f" many, more than {_MOST_SETS}; lower the cap, or ask for all admissions"
            )
        self._parts = [_parts(rows, size) for size in sizes]

    def at(self, node: Node) -> tuple[Ints, Ints, int]:
        """(multisets,) pattern and class; a pattern has a class as often as it has rows for it."""
        number, count = _numbered(self._coarsening.keys(self._coarsening.members, node)[0])
        owners, members, classes = [], [], 0
        for owner, places in self._parts:
            member, more = _numbered_sets(np.sort(number[places], axis=1), count)
            owners.append(owner)
            members.append(member + classes)
            classes += more
        return np.concatenate(owners), np.concatenate(members), classes


class WholeHistories(Coarsening):
    """All rows: a class is a whole history, and is given by any one pattern that has it.

    It stands in for the tuples' own tables where each person lies in one class.
    """

    def __init__(self, table: PatternTable, tuples: Coarsening) -> None:
        self._tuples, self._rows = tuples, _Rows(table)
        self._of_rows = np.repeat([name in table.of_rows for name in table.names], np.diff(tuples.offsets))
        self.levels, self.groups = tuples.levels, []
        self.members = [np.arange(len(table.people), dtype=np.int64)]
        self.offsets, self.heights = tuples.offsets, tuples.heights

    def at(self, node: Node) -> tuple[Ints, Ints, int]:
        """(patterns,) each and its class."""
        return self.members[0], *self.keys(self.members, node)

    def keys(self, members: Sequence[Ints], node: Node) -> tuple[Ints, int]:
        """Number of the history of every given pattern, good within one call, and the bound all are below."""
        places, lengths = self._rows.of(members[0])
        number, count = _numbered(self._tuples.keys([x[places] for x in self._tuples.members], node)[0])
        owner = np.repeat(np.arange(len(lengths)), lengths) * count
        number = np.sort(owner + number) - owner
        return _numbered_sequences(number, lengths, count)

    def marginals(self, members: Sequence[Ints], weights: npt.NDArray[np.generic]) -> Floats:
        """Units by leaf of so many people of each given pattern: rows where a quasi-identifier counts these."""
        places, lengths = self._rows.of(members[0])
        tuples = [x[places] for x in self._tuples.members]
        of_rows = np.repeat(weights, lengths)
        of_people = self._tuples.marginals(tuples, of_rows / np.repeat(lengths, lengths))
        return np.where(self._of_rows, self._tuples.marginals(tuples, of_rows), of_people)


def as_tuples(table: PatternTable) -> PatternTable:
    """The same people, the history of each pattern taken for a tuple of its own."""
    return PatternTable(
        table.names,
        table.domains,
        packed=np.arange(len(table.people), dtype=np.int64),
        people=table.people,
        sensitive=table.sensitive,
        population=table.population,
    )


class _Rows:
    """Rows of a person of each pattern, as places of their tuples.

    Attributes:
        lengths: (patterns,) rows.
    """

    def __init__(self, table: PatternTable) -> None:
        times = np.ones(len(table.packed), dtype=np.int64) if table.times is None else table.times
        self._places = np.repeat(np.arange(len(table.packed)), times)
        starts = np.arange(len(table.people)) if table.starts is None else table.starts[:-1]
        self.lengths: Ints = np.add.reduceat(times, starts) if len(starts) else times
        self._begins = np.cumsum(self.lengths) - self.lengths

    def of(self, patterns: Ints) -> tuple[Ints, Ints]:
        """Places of the first pattern's rows, then of the second's, ..., and (patterns,) how many each has."""
        lengths = self.lengths[patterns]
        ahead = np.repeat(self._begins[patterns] - (np.cumsum(lengths) - lengths), lengths)
        return self._places[ahead + np.arange(len(ahead))], lengths


def _parts(rows: _Rows, size: int) -> tuple[Ints, Ints]:
    """Pattern, and (multisets, size) places of the tuples, of every choice of so many rows of a person."""
    owners, chosen = [], []
    for length in np.unique(rows.lengths[rows.lengths >= size]):
        patterns = np.flatnonzero(rows.lengths == length)
        places = rows.of(patterns)[0].reshape(len(patterns), length)
        choices = np.array(list(combinations(range(length), size)))
        owners.append(np.repeat(patterns, len(choices)))
        chosen.append(places[:, choices].reshape(-1, size))
    return np.concatenate(owners), np.concatenate(chosen)


def _numbered(keys: Ints) -> tuple[Ints, int]:
    """The place of each key among the distinct ones, and how many these are."""
    distinct, number = np.unique(keys, return_inverse=True)
    return number.astype(np.int64, copy=False), len(distinct)


def _numbered_sets(numbers: Ints, count: int) -> tuple[Ints, int]:
    """The same for rows of numbers below ``count``."""
    member, classes = _numbered(numbers[:, 0])
    for column in numbers.T[1:]:
        member, classes = _numbered(member * count + column)
    return member, classes


def _numbered_sequences(numbers: Ints, lengths: Ints, count: int) -> tuple[Ints, int]:
    """A number for each of several sequences laid one after another, equal for equal ones, and their bound.

    What begins alike has one number so far; numbers of longer beginnings are above those of shorter ones.
    """
    begins = np.cumsum(lengths) - lengths
    key, bound = numbers[begins], count
    for i in range(1, int(lengths.max(initial=0))):
        longer = np.flatnonzero(lengths > i)
        member, more = _numbered(key[longer] * count + numbers[begins[longer] + i])
        key[longer] = bound + member
        bound += more
    return key, bound
