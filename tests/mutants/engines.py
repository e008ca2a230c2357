"""Engines that are wrong on purpose: the tests and the gate must catch each."""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations
from typing import Any

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histories import HistoryTable
from anon_spark.anonymize.lattice import Infeasible, Solution, search
from anon_spark.anonymize.local_people import LocalSolution, recode_people
from anon_spark.anonymize.patterns import Bools, PatternTable
from anon_spark.anonymize.suppression import Suppressed, suppress
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import EntropyLDiversity
from anon_spark.privacy.t_closeness import TCloseness

Trees = Mapping[str, Hierarchy]
Suppression = Callable[[PatternTable, Trees, Node, Sequence[Criterion]], Suppressed]
Search = Callable[..., Solution | Infeasible]


def _without(table: PatternTable, found: Suppressed, kept: Bools) -> Suppressed:
    out = found.patterns & ~kept
    return replace(found, patterns=out, people=int(table.people[out].sum()))


def _class_of(table: PatternTable, trees: Trees, node: Node) -> np.ndarray:
    """Key of the class of every tuple."""
    coarsening = Coarsening(table, trees)
    return coarsening.keys(coarsening.members, node)[0]


def one_less(table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]) -> Suppressed:
    """Takes k - 1 people for enough."""
    return suppress(
        table, trees, node, [KAnonymity(c.k - 1) if isinstance(c, KAnonymity) else c for c in criteria]
    )


def one_class_left(
    table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Forgets to suppress one class."""
    found = suppress(table, trees, node, criteria)
    classes = _class_of(table, trees, node)
    gone = classes[found.patterns[table.pattern]]
    kept = np.zeros(len(table.people), dtype=np.bool_)
    kept[table.pattern[np.isin(classes, gone[:1])]] = True
    return _without(table, found, kept)


def null_class_skipped(
    table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Takes null for no value: classes with a null are not looked at."""
    found = suppress(table, trees, node, criteria)
    kept = np.zeros(len(table.people), dtype=np.bool_)
    for i, (tree, level) in enumerate(zip(trees.values(), node, strict=True)):
        if tree.label(None, level) in (None, "none"):
            null = tree.leaves.index(None) if None in tree.leaves else len(tree.leaves)
            kept[table.pattern[table.leaves(i) == null]] = True
    return _without(table, found, kept)


def rows_for_people(
    table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Counts admissions instead of people."""
    times = np.ones(len(table.packed)) if table.times is None else table.times
    admissions = np.bincount(table.pattern, weights=times, minlength=len(table.people)).astype(np.int64)
    found = suppress(replace(table, people=table.people * admissions), trees, node, criteria)
    return replace(found, people=int(table.people[found.patterns].sum()))


def counted_twice(table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]) -> Suppressed:
    """Counts a person once for each of their tuples that a roll-up put into one class."""
    pattern = table.pattern
    alone = PatternTable(
        table.names,
        table.domains,
        table.packed,
        table.people[pattern],
        sensitive={name: replace(v, codes=v.codes[pattern]) for name, v in table.sensitive.items()},
    )
    out = np.zeros(len(table.people), dtype=np.bool_)
    while True:
        left = replace(alone, people=np.where(out[pattern], 0, alone.people))
        found = suppress(left, trees, node, criteria).patterns
        if not found.any():
            return Suppressed(out, int(table.people[out].sum()), 0)
        out[pattern[found]] = True


def no_diversity(table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]) -> Suppressed:
    """Forgets all but k."""
    return suppress(table, trees, node, [c for c in criteria if isinstance(c, KAnonymity)])


def one_round(table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]) -> Suppressed:
    """Suppresses failing classes once and does not look again."""
    k = next(c.k for c in criteria if isinstance(c, KAnonymity))
    distinct_l = next(c.l for c in criteria if not isinstance(c, KAnonymity))
    classes, pattern = _class_of(table, trees, node), table.pattern
    codes = next(iter(table.sensitive.values())).codes
    sizes: dict[int, int] = {}
    values: dict[int, set[int]] = {}
    for cls, own in {(int(c), int(p)) for c, p in zip(classes, pattern, strict=True)}:
        sizes[cls] = sizes.get(cls, 0) + int(table.people[own])
        values.setdefault(cls, set()).add(int(codes[own]))
    failing = [cls for cls in sizes if sizes[cls] < k or len(values[cls]) < distinct_l]
    out = np.zeros(len(table.people), dtype=np.bool_)
    out[pattern[np.isin(classes, failing)]] = True
    return Suppressed(out, int(table.people[out].sum()), len(sizes) - len(failing))


@dataclass(frozen=True)
class TruncatedEntropy(EntropyLDiversity):
    """Compares whole parts, that of l too: what meets 2 is taken to meet 2.5.

    To truncate the entropy alone suppresses more than it has to: that costs the optimum, never privacy.
    """

    def failing(self, classes: Classes) -> Bools:
        whole = np.exp(self._entropy(classes)).astype(np.int64)
        return (classes.sizes > 0) & (whole < int(self.l))


def entropy_truncated(
    table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Judges entropy l by whole numbers."""
    return suppress(table, trees, node, truncated(criteria))


def truncated(criteria: Sequence[Criterion]) -> list[Criterion]:
    return [TruncatedEntropy(c.l, c.attribute) if isinstance(c, EntropyLDiversity) else c for c in criteria]


def against_the_released(classes: Classes, attribute: str) -> Classes:
    """Classes whose input is who is in them."""
    counts = classes.sensitive[attribute]
    left = np.bincount(counts.value, counts.people, len(counts.totals)).astype(np.int64)
    known = {attribute: replace(counts, totals=left)}
    return replace(classes, people=int(left.sum()), sensitive=known)


def t_of_the_released(
    table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Compares t with who is left by all else, not with the whole input."""
    gone = suppress(table, trees, node, without_t(criteria)).patterns
    left = replace(table, people=np.where(gone, 0, table.people))
    found = suppress(left, trees, node, [c for c in criteria if isinstance(c, TCloseness)])
    return replace(
        found, patterns=found.patterns | gone, people=int(table.people[found.patterns | gone].sum())
    )


def without_t(criteria: Sequence[Criterion]) -> list[Criterion]:
    return [c for c in criteria if not isinstance(c, TCloseness)]


def finest_taken_for_all(
    table: PatternTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Looks at criteria that are not monotone in the finest classes alone: what meets them is taken to at coarser."""
    others = [c for c in criteria if not c.monotone]
    finest = suppress(table, trees, (0,) * len(node), others).patterns if others else np.False_
    found = suppress(table, trees, node, monotone(criteria))
    return replace(
        found, patterns=found.patterns | finest, people=int(table.people[found.patterns | finest].sum())
    )


def monotone(criteria: Sequence[Criterion]) -> list[Criterion]:
    return [c for c in criteria if c.monotone]


@dataclass(frozen=True)
class Monotone:
    """Any criterion, said to be monotone."""

    criterion: Criterion

    @property
    def monotone(self) -> bool:
        return True

    @property
    def closed_under_union(self) -> bool:
        return True

    def failing(self, classes: Classes) -> Bools:
        return self.criterion.failing(classes)

    def measured(self, classes: Classes) -> float:
        return self.criterion.measured(classes)


def pruned_as_monotone(
    table: PatternTable, trees: Trees, criteria: Sequence[Criterion], *, suppression_limit: float
) -> Solution | Infeasible:
    """Takes every criterion for one that coarsening can only help.

    It skips nodes that could be best, so the optimum is lost. Privacy is not: the node it ends at is judged by all
    criteria before it is released. ``finest_taken_for_all`` is the one that does not look again.
    """
    return search(table, trees, [Monotone(c) for c in criteria], suppression_limit=suppression_limit)


SUPPRESSIONS: dict[str, Suppression] = {
    f.__name__: f
    for f in (
        one_less,
        one_class_left,
        null_class_skipped,
        rows_for_people,
        counted_twice,
        no_diversity,
        one_round,
        entropy_truncated,
        t_of_the_released,
        finest_taken_for_all,
    )
}
SEARCHES: dict[str, Search] = {"pruned_as_monotone": pruned_as_monotone}


def engine_of(
    mutant: Suppression,
    seen: Callable[[Sequence[Criterion]], Sequence[Criterion]] = lambda criteria: criteria,
) -> Search:
    """Looks for the levels as it should, by what it has ``seen`` of the criteria, and suppresses as the mutant does."""

    def engine(
        table: PatternTable, trees: Trees, criteria: Sequence[Criterion], **settings: Any
    ) -> Solution | Infeasible:
        found = search(table, trees, seen(criteria), **settings)
        if isinstance(found, Infeasible):
            return found
        node = tuple(found.levels.values())
        return replace(found, suppressed=mutant(table, trees, node, criteria))

    return engine


def known_rows_forgotten(
    table: HistoryTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Takes an attacker who knows several rows for one who knows one."""
    return suppress(replace(table, known=1), trees, node, criteria)


def counts_forgotten(
    table: HistoryTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Takes a history for a set: how often a tuple stands in it is lost."""
    return suppress(replace(table, times=None), trees, node, criteria)


def counted_by_choice(
    table: HistoryTable, trees: Trees, node: Node, criteria: Sequence[Criterion]
) -> Suppressed:
    """Counts a person once for each choice of their rows that looks alike: each choice is taken for a person."""
    assert table.known is not None
    choices = [
        (owner, Counter(rows))
        for owner, own in enumerate(table.keys(table.people > 0))
        for size in range(1, table.known + 1)
        for rows in combinations(own, size)
    ]
    owner = np.array([person for person, _ in choices])
    alone = HistoryTable(
        table.names,
        table.domains,
        packed=np.array([key for _, rows in choices for key in rows]),
        people=table.people[owner],
        starts=np.cumsum([0, *(len(rows) for _, rows in choices)]),
        times=np.array([times for _, rows in choices for times in rows.values()]),
        sensitive={name: replace(v, codes=v.codes[owner]) for name, v in table.sensitive.items()},
        known=None,
    )
    out = np.zeros(len(table.people), dtype=np.bool_)
    while True:
        left = replace(alone, people=np.where(out[owner], 0, alone.people))
        found = suppress(left, trees, node, criteria).patterns
        if not found.any():
            return Suppressed(out, int(table.people[out].sum()), 0)
        out[owner[found]] = True


def one_level_too_fine(*args: Any, **settings: Any) -> LocalSolution:
    """Releases the last part a level finer than it was judged at."""
    found = recode_people(*args, **settings)
    last = dict(found.parts[-1])
    name = next((name for name, level in reversed(last.items()) if level), None)
    return found if name is None else replace(found, parts=(*found.parts[:-1], last | {name: last[name] - 1}))


# by name, the attacker (rows known, None being all) before whom the engine is wrong
PEOPLE: dict[str, tuple[int | None, Suppression]] = {
    "some_rows_taken_for_one": (2, known_rows_forgotten),
    "all_rows_taken_for_one": (None, known_rows_forgotten),
    "counts_forgotten_of_some": (2, counts_forgotten),
    "counts_forgotten_of_all": (None, counts_forgotten),
    "rows_for_people": (2, rows_for_people),
    "rows_for_people_of_all": (None, rows_for_people),
    "counted_by_choice": (2, counted_by_choice),
}
