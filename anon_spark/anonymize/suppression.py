"""What must be suppressed at a node, and what that proves of finer nodes.

At a node all people of all failing classes are suppressed, whole. That can break the classes of their other
tuples, so rounds repeat until no class fails; where every person lies in one class the first round is the last.

Criteria are of three kinds, and each proves something else of a node v finer than c.

*Monotone* (k, distinct l, k-map): a class that fails with all its people fails with fewer, and a class that
holds the people of one that meets them meets them. Let K be who is left at v when rounds look at these criteria
alone. At c every class of K holds the people of at least one of K's classes at v, so K meets the criteria at c,
and no round at c ever takes one of K: what is left always contains K, and a class with one of K in it contains
a class of K. So whoever these criteria suppress at c they suppress at v. Further criteria only take out more:
round by round, who they leave is among those whom the monotone criteria alone leave. These people are
*certain*.

*Closed under union*: the union of classes that meet the criterion meets it. Where every person lies in one
class, a class that fails at c is a union of classes at v, so one of them fails too and holds somebody: v
suppresses at least one person for each class that fails at c, and ``refinement`` proves more of most criteria.
Counting classes without certain people, these are further ones. Closed are: t-closeness (the earth mover's
distance to a fixed distribution is convex, be it total variation, ordered, hierarchical or by value, and a
union's distribution is a mean), entropy l (entropy is concave), recursive l (r_1 of a union is at most the sum
of both; what is left without its l - 1 most frequent values at least the sum), alpha, beta and delta-disclosure
(a union's share of a value lies between its parts'; of delta-disclosure only where absent values fail, otherwise
a class without the value can thin out another's share), delta-presence without a lower bound (with one, people
of the population alone thin it out).

*Others* prove nothing of finer nodes.

What a class is follows from what the attacker knows (``histories``): one tuple of a person, several, or their whole
history. There it is proven that a class at c holds all people of a class at v of each of its people, and that
under whole histories every person lies in one class at every node.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histories import HistoryTable, Knowledge, WholeHistories, as_tuples, knowledge
from anon_spark.anonymize.patterns import Bools, Ints, PatternTable
from anon_spark.anonymize.refinement import people_failing
from anon_spark.anonymize.rollup import Cells, Rollup
from anon_spark.privacy.classes import Classes, Criterion, SensitiveCounts
from anon_spark.utility.loss import Floats, Outcome

_LOOKS = 8  # first looks at sizes alone before they must have ruled out every other node


@dataclass(frozen=True)
class Suppressed:
    """Outcome of the rounds at one node: which patterns are taken out, how many people that is, classes left."""

    patterns: Bools
    people: int
    classes: int


@dataclass(frozen=True)
class Kinds:
    """Criteria by what they prove of finer nodes."""

    monotone: tuple[Criterion, ...]
    closed: tuple[Criterion, ...]
    others: tuple[Criterion, ...]

    @property
    def all(self) -> tuple[Criterion, ...]:
        """All criteria."""
        return (*self.monotone, *self.closed, *self.others)

    @classmethod
    def of(cls, criteria: Sequence[Criterion]) -> "Kinds":
        """Sort the criteria by kind."""
        rest = [c for c in criteria if not c.monotone]
        return cls(
            tuple(c for c in criteria if c.monotone),
            tuple(c for c in rest if c.closed_under_union),
            tuple(c for c in rest if not c.closed_under_union),
        )


class Evaluator(Protocol):
    """Generalizes and suppresses at any node of one lattice."""

    def outcome(self, node: Node) -> Outcome:
        """What losses and bounds need to know of the node."""
        ...

    def release(self, node: Node) -> tuple[Suppressed, Classes]:
        """Which patterns are taken out by all criteria, and the classes that are left."""
        ...

    def classes(self, node: Node) -> Classes:
        """What criteria see of the node before suppression."""
        ...


def evaluator(
    table: PatternTable, coarsening: Coarsening, criteria: Sequence[Criterion], limit: int
) -> Evaluator:
    """The evaluator that fits the table; beyond ``limit`` people it need not say exactly how many are suppressed."""
    kinds = Kinds.of(criteria)
    if table.one_class_each and table.one_value_each:
        if isinstance(table, HistoryTable) and table.known is None and table.several_rows:
            return OneClassEach(as_tuples(table), WholeHistories(table, coarsening), kinds, limit)
        return OneClassEach(table, coarsening, kinds, limit)
    return Rounds(table, coarsening, kinds, limit)


def suppress(
    table: PatternTable, hierarchies: Mapping[str, Hierarchy], node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Suppress at one node until no class fails."""
    coarsening = Coarsening(table, hierarchies)
    return evaluator(table, coarsening, criteria, table.total_people).release(node)[0]


class OneClassEach:
    """Every person lies in one class: classes are rolled up, one round is enough, and each class is judged alone."""

    def __init__(self, table: PatternTable, coarsening: Coarsening, kinds: Kinds, limit: int) -> None:
        self._table, self._coarsening, self._kinds, self._limit = table, coarsening, kinds, limit
        self._rollup = Rollup(table, coarsening)
        self._of_sizes = self._first_look(limit)
        self._looks = self._ruled_out = 0
        self._of_rows = np.repeat(
            [name in table.of_rows for name in table.names], np.diff(coarsening.offsets)
        )

    def classes(self, node: Node) -> Classes:
        """Classes of the node."""
        return self._rollup.classes(self._rollup.cells(node))

    def outcome(self, node: Node) -> Outcome:
        """Judge the classes by the kinds in turn, each the classes that are left."""
        if self._of_sizes is not None and 2 * self._ruled_out >= self._looks - _LOOKS:
            without_values = self._of_sizes.outcome(node)
            self._looks += 1
            if without_values.certain > self._limit:
                self._ruled_out += 1
                return replace(without_values, complete=False)
        cells = self._rollup.cells(node)
        sizes = cells.sizes
        certain = failing = self._failing(cells, self._kinds.monotone, None)
        certain_people = suppressed = int(sizes @ certain)
        more, complete = None, suppressed <= self._limit
        if complete and self._kinds.closed:
            failing, more = self._closed(cells, certain)
            suppressed += int(more.sum())
            complete = suppressed <= self._limit
        if complete and self._kinds.others:
            failing = failing | self._failing(cells, self._kinds.others, ~failing & (sizes > 0))
        if complete and failing is not certain:
            suppressed = int(sizes @ failing)
        left = left_by_certain = np.where(certain, 0, sizes)
        if failing is not certain:
            left = np.where(failing, 0, sizes)
        return Outcome(
            node=node,
            suppressed=suppressed,
            certain=certain_people,
            more=more,
            sizes=sizes,
            left=left,
            left_by_certain=left_by_certain,
            gone=lambda: self._marginals(cells, sizes - left),
            gone_for_certain=None
            if failing is certain
            else lambda: self._marginals(
                cells, sizes - left_by_certain if more is None else sizes - left_by_certain + more
            ),
            complete=complete or not (self._kinds.closed or self._kinds.others),
        )

    def release(self, node: Node) -> tuple[Suppressed, Classes]:
        """Judge all classes by all criteria, and mark the patterns of those that fail."""
        cells = self._rollup.cells(node)
        failing = self._failing(cells, self._kinds.all, None)
        both = zip(self._rollup.leaves.members, cells.of_classes(failing), strict=True)
        keys, _ = self._coarsening.keys([np.concatenate(pair) for pair in both], node)
        keys, of_failing = np.split(keys, [len(self._table.people)])
        patterns = np.isin(keys, of_failing) & (self._table.people > 0)
        left = self._rollup.classes(cells, ~failing & (cells.sizes > 0))
        return Suppressed(patterns, int(self._table.people[patterns].sum()), len(left.sizes)), left

    def _first_look(self, limit: int) -> "OneClassEach | None":
        """The same with the monotone criteria that need no values, where that can rule out a node by itself."""
        kinds = self._kinds
        few = tuple(c for c in kinds.monotone if getattr(c, "attribute", None) is None)
        if (
            not few
            or not self._table.sensitive
            or len(few) == len(kinds.all)
            or limit >= self._table.total_people
        ):
            return None
        without = replace(self._table, sensitive={})
        return OneClassEach(without, self._coarsening, Kinds(few, (), ()), limit)

    def _failing(self, cells: Cells, criteria: Sequence[Criterion], chosen: Bools | None) -> Bools:
        """(classes,) True where one of the criteria fails, among the chosen classes."""
        failing = np.zeros(len(cells.sizes), dtype=np.bool_)
        if not criteria:
            return failing
        classes = self._rollup.classes(cells, chosen)
        found = np.zeros(len(classes.sizes), dtype=np.bool_)
        for criterion in criteria:
            found |= criterion.failing(classes)
        if chosen is None:
            return found
        failing[chosen] = found
        return failing

    def _closed(self, cells: Cells, certain: Bools) -> tuple[Bools, Ints]:
        """Classes that fail, the certain ones included, and how many people of each at least do at finer nodes."""
        chosen = ~certain & (cells.sizes > 0)
        classes = self._rollup.classes(cells, chosen)
        failing = np.zeros(len(classes.sizes), dtype=np.bool_)
        more = np.zeros(len(classes.sizes), dtype=np.int64)
        for criterion in self._kinds.closed:
            found = criterion.failing(classes)
            if found.any():
                failing |= found
                np.maximum(more, people_failing(criterion, classes, found), out=more)
        all_failing, all_more = certain.copy(), np.zeros(len(certain), dtype=np.int64)
        all_failing[chosen], all_more[chosen] = failing, more
        return all_failing, all_more

    def _marginals(self, cells: Cells, people: Ints) -> Floats:
        """Units by leaf, given how many people of each class count."""
        classes = np.flatnonzero(people)
        members = cells.of_classes(classes)
        units = self._coarsening.marginals(members, people[classes])
        if cells.rows is None or not self._of_rows.any():
            return units
        # people have at least a row each; where all of a class count, so do all their rows
        rows = np.where(people == cells.sizes, cells.by_class(cells.rows), people)
        return np.where(self._of_rows, self._coarsening.marginals(members, rows[classes]), units)


class Rounds:
    """A person may lie in several classes: pairs of a pattern and a class, and rounds over them."""

    def __init__(self, table: PatternTable, coarsening: Coarsening, kinds: Kinds, limit: int) -> None:
        self._table, self._coarsening, self._kinds, self._limit = table, coarsening, kinds, limit
        self._known = knowledge(table, coarsening)
        self._pattern = table.pattern
        self._unit, self._row = unit_weights(table)
        self._of_rows = np.repeat(
            [name in table.of_rows for name in table.names], np.diff(coarsening.offsets)
        )

    def classes(self, node: Node) -> Classes:
        """Classes of the node."""
        return Incidence(self._table, self._known, node).classes(self._table.people)

    def outcome(self, node: Node) -> Outcome:
        """Run the rounds of the monotone criteria, and those of all."""
        kinds, people = self._kinds, self._table.people
        pairs = Incidence(self._table, self._known, node)
        certain, left_by_certain = pairs.rounds(kinds.monotone, people)
        certain_people = int(people @ certain)
        failing, left, all_monotone = certain, left_by_certain, not (kinds.closed or kinds.others)
        complete = all_monotone or certain_people <= self._limit
        if complete and not all_monotone:
            failing, left = pairs.rounds(kinds.all, people)
        return Outcome(
            node=node,
            suppressed=int(people @ failing),
            certain=certain_people,
            more=None,
            sizes=pairs.sizes(people),
            left=left,
            left_by_certain=left_by_certain,
            gone=lambda: self._marginals(failing),
            gone_for_certain=None if all_monotone else lambda: self._marginals(certain),
            complete=complete,
        )

    def release(self, node: Node) -> tuple[Suppressed, Classes]:
        """Run the rounds of all criteria."""
        people = self._table.people
        pairs = Incidence(self._table, self._known, node)
        out, kept = pairs.rounds(self._kinds.all, people)
        left = pairs.classes(np.where(out, 0, people))
        return Suppressed(out, int(people[out].sum()), int(np.count_nonzero(kept))), left

    def _marginals(self, patterns: Bools) -> Floats:
        rows = patterns[self._pattern]
        members = [member[rows] for member in self._coarsening.members]
        units = self._coarsening.marginals(members, self._unit[rows])
        return np.where(self._of_rows, self._coarsening.marginals(members, self._row[rows]), units)


class Incidence:
    """Which patterns are in which classes of a node, each pair once."""

    def __init__(self, table: PatternTable, known: Knowledge, node: Node) -> None:
        self._table = table
        pattern, member, self._classes = known.at(node)
        pairs = np.unique(pattern * max(self._classes, 1) + member)
        self._owner, self._member = np.divmod(pairs, max(self._classes, 1))
        self._population = None if table.population is None else self._by_class(table.population[self._owner])
        self._values = {name: self._pairs_of_values(name) for name in table.sensitive}

    def sizes(self, left: Ints) -> Ints:
        """(classes,) people, of those who are left by pattern."""
        return self._by_class(left[self._owner])

    def classes(self, left: Ints) -> Classes:
        """What the criteria see when ``left`` people of every pattern are left."""
        sensitive = {}
        for name, (owner, value, place, patterns, totals) in self._values.items():
            people = np.bincount(place, weights=left[patterns], minlength=len(owner)).astype(np.int64)
            sensitive[name] = SensitiveCounts(owner, value, people, totals)
        return Classes(self.sizes(left), self._table.total_people, sensitive, self._population)

    def rounds(
        self, criteria: Sequence[Criterion], people: Ints, fixed: Bools | None = None
    ) -> tuple[Bools, Ints]:
        """Patterns that are taken out until no class fails, and the sizes of the classes then.

        Args:
            fixed: patterns that stay; without all others no class of theirs may fail.
        """
        may_go = np.ones(len(people), dtype=np.bool_) if fixed is None else ~fixed
        out = np.zeros(len(people), dtype=np.bool_)
        while True:
            classes = self.classes(np.where(out, 0, people))
            failing = np.zeros(self._classes, dtype=np.bool_)
            for criterion in criteria:
                failing |= criterion.failing(classes)
            failing &= classes.sizes > 0
            going = self._owner[failing[self._member]]
            going = going[may_go[going]]
            if not len(going):
                return out & (people > 0), classes.sizes
            out[going] = True

    def _by_class(self, of_pairs: Ints) -> Ints:
        return np.bincount(self._member, weights=of_pairs, minlength=self._classes).astype(np.int64)

    def _pairs_of_values(self, name: str) -> tuple[Ints, Ints, Ints, Ints, Ints]:
        """Class and value of every pair of both that occurs, and for every pattern in it its place and number."""
        values, people = self._table.sensitive[name], self._table.people
        starts = np.arange(len(people) + 1) if values.starts is None else values.starts
        held = np.diff(starts)[self._owner]
        patterns = np.repeat(self._owner, held)
        within = np.arange(len(patterns)) - np.repeat(np.cumsum(held) - held, held)
        codes = values.codes[starts[patterns] + within].astype(np.int64)
        size = max(len(values.labels), 1)
        real = people[patterns] > 0
        combined = (np.repeat(self._member, held) * size + codes)[real]
        pairs, place = np.unique(combined, return_inverse=True)
        totals = np.bincount(
            values.codes, weights=np.repeat(people, np.diff(starts)), minlength=len(values.labels)
        ).astype(np.int64)
        return pairs // size, pairs % size, place.astype(np.int64), patterns[real], totals


def unit_weights(table: PatternTable) -> tuple[Floats, Floats]:
    """(tuples,) people and rows that each tuple stands for.

    A person's value is the same in all tuples of a pattern, so their weight is split over them by rows.
    """
    pattern = table.pattern
    people = table.people[pattern].astype(np.float64)
    if table.times is None and table.starts is None:
        return people, people
    times = np.ones(len(pattern)) if table.times is None else table.times.astype(np.float64)
    rows = np.bincount(pattern, weights=times, minlength=len(table.people))
    return people * times / rows[pattern], people * times
