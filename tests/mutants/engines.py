"""Engines that are wrong on purpose: the tests and the gate must catch each."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np

from anon_spark.anonymize.lattice import Suppressed, suppress_failing
from anon_spark.anonymize.patterns import Ints, PatternTable

Engine = Callable[..., Suppressed]


def one_less(table: PatternTable, classes: Ints, *, k: int, distinct_l: int) -> Suppressed:
    """Takes k - 1 people for enough."""
    return suppress_failing(table, classes, k=k - 1, distinct_l=distinct_l)


def one_class_left(table: PatternTable, classes: Ints, *, k: int, distinct_l: int) -> Suppressed:
    """Forgets to suppress one pattern."""
    found = suppress_failing(table, classes, k=k, distinct_l=distinct_l)
    kept = found.patterns.copy()
    kept[np.flatnonzero(kept)[:1]] = False
    return replace(found, patterns=kept, people=int(table.people[kept].sum()))


def rows_for_people(table: PatternTable, classes: Ints, *, k: int, distinct_l: int) -> Suppressed:
    """Counts admissions instead of people."""
    admissions = np.bincount(table.pattern, weights=table.times, minlength=len(table.people)).astype(np.int64)
    found = suppress_failing(
        replace(table, people=table.people * admissions), classes, k=k, distinct_l=distinct_l
    )
    return replace(found, people=int(table.people[found.patterns].sum()))


def no_diversity(table: PatternTable, classes: Ints, *, k: int, distinct_l: int) -> Suppressed:  # noqa: ARG001
    """Forgets l."""
    return suppress_failing(table, classes, k=k, distinct_l=1)


def one_round(table: PatternTable, classes: Ints, *, k: int, distinct_l: int) -> Suppressed:
    """Suppresses failing classes once and does not look again."""
    sizes: dict[int, int] = {}
    values: dict[int, set[int]] = {}
    for cls, pattern in {(int(c), int(p)) for c, p in zip(classes, table.pattern, strict=True)}:
        sizes[cls] = sizes.get(cls, 0) + int(table.people[pattern])
        values.setdefault(cls, set()).add(int(table.sensitive[pattern]))
    failing = [cls for cls in sizes if sizes[cls] < k or len(values[cls]) < distinct_l]
    out = np.zeros(len(table.people), dtype=np.bool_)
    out[table.pattern[np.isin(classes, failing)]] = True
    return Suppressed(out, int(table.people[out].sum()), len(sizes) - len(failing))


MUTANTS: dict[str, Engine] = {
    f.__name__: f for f in (one_less, one_class_left, rows_for_people, no_diversity, one_round)
}
