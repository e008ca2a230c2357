"""Privacy of tables as an attacker would read them: the gate's own measurement, by Spark, on written files.

It shares no code with the search: classes are grouped by released values, not by codes, and people are
counted distinctly.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.people import PERSON, person_tuples, quasi_identifier_columns, sensitive_columns
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.privacy.criteria import describe
from anon_spark.privacy.ground_distance import ValueDistance
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.released import PEOPLE, VALUE, WholeInput, classes_of
from anon_spark.privacy.t_closeness import EqualDistance, TCloseness


@dataclass(frozen=True)
class Measured:
    """Privacy of a release over people.

    Attributes:
        table: its classes.
        people: released.
        sets: sensitive attributes of which a person has a set of values.
        criteria: figure of each criterion of the policy, by name.
        compared_with: what t is measured against, the ``input`` or the ``release`` itself.
    """

    table: Classes
    people: int
    sets: frozenset[str]
    criteria: Mapping[str, float]
    compared_with: str

    @cached_property
    def k(self) -> int:
        """People of the smallest class, 0 where there is none."""
        return int(self.table.sizes.min(initial=self.people)) if len(self.table.sizes) else 0

    @cached_property
    def l(self) -> int:  # noqa: E743  (the literature's letter)
        """Distinct values of the poorest class, of the poorest attribute."""
        return min((int(figures["l"]) for figures in self.by_attribute.values()), default=0)

    @cached_property
    def by_attribute(self) -> dict[str, dict[str, float]]:
        """Distinct l, and t over equal distances, of every sensitive attribute."""
        return {
            name: {
                "l": int(DistinctLDiversity(1, name).measured(self.table)),
                "t": TCloseness(
                    1.0, name, ValueDistance() if name in self.sets else EqualDistance()
                ).measured(self.table),
            }
            for name in self.table.sensitive
        }

    @property
    def classes(self) -> int:
        """Equivalence classes."""
        return len(self.table.sizes)

    @property
    def class_sizes(self) -> list[tuple[int, int]]:
        """(people, classes) of every size that occurs."""
        return sorted(Counter(self.table.sizes.tolist()).items())

    def as_dict(self) -> dict[str, object]:
        """The measures as plain values."""
        return {
            "k": self.k,
            "l": self.l,
            "t": max((figures["t"] for figures in self.by_attribute.values()), default=0.0),
            "t_compared_with": self.compared_with,
            "sensitive": self.by_attribute,
            "criteria": dict(self.criteria),
            "classes": self.classes,
            "class_sizes": [list(pair) for pair in self.class_sizes],
        }


def measure(
    read: TableReader, policy: Policy, *, criteria: Sequence[Criterion] = (), whole: WholeInput | None = None
) -> Measured:
    """Measure released tables by k (Eq. 11), l (Eq. 12), t (Eq. 14) and the given criteria, over people.

    Args:
        criteria: of the policy, made with the values in the order of ``whole``.
        whole: people of the input by sensitive value; without it t is measured against the release itself.
    """
    keys, sensitive = list(quasi_identifier_columns(policy).values()), sensitive_columns(policy)
    compared_with = "release" if whole is None else "input"
    tuples = person_tuples(read, policy, released=True).persist()
    try:
        counted = F.count_distinct(PERSON).alias(PEOPLE)
        sizes = tuples.groupBy(*keys).agg(counted).toArrow()
        everybody = tuples.agg(counted).toArrow()[PEOPLE][0].as_py()
        held = {
            name: _values(tuples, column, sets=policy.sensitive[name].set)
            for name, column in sensitive.items()
        }
        pairs = {name: df.groupBy(*keys, VALUE).agg(counted).toArrow() for name, df in held.items()}
        if whole is None:
            of_release = {name: df.groupBy(VALUE).agg(counted).toArrow() for name, df in held.items()}
            whole = WholeInput(everybody, {n: _as_totals(table) for n, table in of_release.items()})
    finally:
        tuples.unpersist()
    sets = frozenset(name for name, item in policy.sensitive.items() if item.set)
    table = classes_of(sizes, pairs, keys=keys, whole=whole)
    figures = {describe(c): float(c.measured(table)) for c in criteria}
    return Measured(table, everybody, sets, figures, compared_with)


def _values(tuples: DataFrame, column: str, *, sets: bool) -> DataFrame:
    """The tuples with one value a row; a person without any value has no row."""
    return tuples.withColumn(VALUE, F.explode(column) if sets else F.col(column))


def _as_totals(table: pa.Table) -> dict[str | None, int]:
    return dict(zip(table[VALUE].to_pylist(), table[PEOPLE].to_pylist(), strict=True))
