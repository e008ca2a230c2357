"""Privacy of tables as an attacker would read them: the gate's own measurement, by Spark, on written files.

It shares no code with the search: what the policy's attacker may know of a person is spelled in released labels
(a tuple, up to n tuples, or the whole sorted history), classes are grouped by that, and people are counted
distinctly. Whether a person has an admission at all stands in the release, so it is part of every tuple.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.people import (
    ADMISSION,
    PERSON,
    RANK,
    person_tuples,
    quasi_identifier_columns,
    sensitive_columns,
)
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.privacy.criteria import describe
from anon_spark.privacy.ground_distance import ValueDistance
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.released import PEOPLE, VALUE, WholeInput, classes_of
from anon_spark.privacy.t_closeness import EqualDistance, TCloseness

_KNOWN = "_known"


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
    compared_with = "release" if whole is None else "input"
    known = known_to_attacker(person_tuples(read, policy, released=True), policy).persist()
    try:
        counted = F.count_distinct(PERSON).alias(PEOPLE)
        sizes = known.groupBy(_KNOWN).agg(counted).toArrow()
        everybody = known.agg(counted).toArrow()[PEOPLE][0].as_py()
        held = {
            name: _values(known, column, sets=policy.sensitive[name].set)
            for name, column in sensitive_columns(policy).items()
        }
        pairs = {name: df.groupBy(_KNOWN, VALUE).agg(counted).toArrow() for name, df in held.items()}
        if whole is None:
            of_release = {name: df.groupBy(VALUE).agg(counted).toArrow() for name, df in held.items()}
            whole = WholeInput(everybody, {n: _as_totals(table) for n, table in of_release.items()})
    finally:
        known.unpersist()
    sets = frozenset(name for name, item in policy.sensitive.items() if item.set)
    table = classes_of(sizes, pairs, keys=[_KNOWN], whole=whole)
    figures = {describe(c): float(c.measured(table)) for c in criteria}
    return Measured(table, everybody, sets, figures, compared_with)


def known_to_attacker(tuples: DataFrame, policy: Policy) -> DataFrame:
    """What the policy's attacker may know of each person.

    Args:
        tuples: ``person_tuples`` of a release.

    Returns:
        ``(_person, _known: string, s_<sensitive>)``, one row for each admission, choice of up to n admissions or
        whole history; equal texts are the same knowledge.
    """
    labels = [F.col(column) for column in quasi_identifier_columns(policy).values()]
    admitted = F.col(ADMISSION).isNotNull().alias("admitted")
    of_person = [PERSON, *sensitive_columns(policy).values()]
    told = tuples.select(
        *of_person, RANK, F.to_json(F.struct(admitted, *labels), {"ignoreNullFields": "false"}).alias("label")
    )
    if policy.attacker.known is None:
        return told.groupBy(*of_person).agg(_text(F.collect_list("label")).alias(_KNOWN))
    chosen = [told.withColumn(_KNOWN, F.array("label"))]
    later = told.select(
        F.col(PERSON).alias("_of"), F.col(RANK).alias("_later"), F.col("label").alias("_also")
    )
    for _ in range(policy.attacker.known - 1):
        joined = chosen[-1].join(later, (F.col(PERSON) == F.col("_of")) & (F.col("_later") > F.col(RANK)))
        longer = F.array_append(_KNOWN, F.col("_also")).alias(_KNOWN)
        chosen.append(joined.select(*of_person, F.col("_later").alias(RANK), F.col("label"), longer))
    return reduce(DataFrame.unionByName, chosen).select(*of_person, _text(F.col(_KNOWN)).alias(_KNOWN))


def _text(labels: Column) -> Column:
    return F.to_json(F.sort_array(labels))


def _values(known: DataFrame, column: str, *, sets: bool) -> DataFrame:
    """What is known with one value a row; a person without any value has no row."""
    return known.withColumn(VALUE, F.explode(column) if sets else F.col(column))


def _as_totals(table: pa.Table) -> dict[str | None, int]:
    return dict(zip(table[VALUE].to_pylist(), table[PEOPLE].to_pylist(), strict=True))
