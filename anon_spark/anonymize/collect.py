"""Patterns of people, counted by the cluster.

One distributed aggregation makes the pattern table; rows of people never reach the driver.
"""

from collections.abc import Collection, Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import (
    PATTERN,
    PEOPLE,
    PatternTable,
    build_patterns,
    domains_of,
    strides,
)
from anon_spark.anonymize.people import PERSON
from anon_spark.deidentify.generalization import leaf_code
from anon_spark.errors import InputError, PolicyError
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy


def person_patterns(
    tuples: DataFrame, hierarchies: Mapping[str, Hierarchy], sensitive: Mapping[str, str]
) -> DataFrame:
    """One row a person: ``(_person, pattern: array<bigint>, <sensitive>...)``.

    Args:
        tuples: as ``people.person_tuples`` makes them from bronze, with ``q_<name>`` columns.
        hierarchies: of every quasi-identifier, in the order of packing.
        sensitive: column of every sensitive attribute, the same in all rows of a person.
    """
    packed = F.lit(0).cast("bigint")
    for (name, hierarchy), stride in zip(hierarchies.items(), strides(domains_of(hierarchies)), strict=True):
        packed = packed + leaf_code(F.col(f"q_{name}"), hierarchy).cast("bigint") * F.lit(stride)
    return (
        tuples.withColumn("_tuple", packed)
        .groupBy(PERSON)
        .agg(
            F.sort_array(F.collect_list("_tuple")).alias(PATTERN),
            *(F.min(column).alias(name) for name, column in sensitive.items()),
        )
    )


def check_coverage(tuples: DataFrame, hierarchies: Mapping[str, Hierarchy]) -> None:
    """Refuse values that no hierarchy has a leaf for.

    Raises:
        InputError: naming every such hierarchy with how many values and people are concerned.
    """
    measures = []
    for name, hierarchy in hierarchies.items():
        outside = leaf_code(F.col(f"q_{name}"), hierarchy).isNull()
        measures.append(F.count_distinct(F.when(outside, F.col(f"q_{name}"))).alias(f"v_{name}"))
        measures.append(F.count_distinct(F.when(outside, F.col(PERSON))).alias(f"p_{name}"))
    row = tuples.agg(*measures).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    problems = [
        f"hierarchy {hierarchy.name} (level 0) does not cover {row[f'v_{name}']} values of {name}"
        f" ({row[f'p_{name}']} people)"
        for name, hierarchy in hierarchies.items()
        if row[f"v_{name}"]
    ]
    if problems:
        raise InputError("; ".join(problems))


def check_unique(read: TableReader, policy: Policy) -> None:
    """Refuse a source in which a person, admission or stay has several rows of their own.

    Every join with them would multiply rows, and a person with two dates of birth has no one age.

    Raises:
        InputError: naming every such table with how many rows are too many.
    """
    units = [unit for unit in (policy.people, policy.admissions, policy.stays) if unit is not None]
    counts = [
        read(unit.table)
        .agg((F.count(unit.id) - F.count_distinct(unit.id)).alias("n"))
        .select(F.lit(i).alias("i"), "n")
        for i, unit in enumerate(units)
    ]
    found = {row["i"]: row["n"] for row in reduce(DataFrame.union, counts).collect()}  # one row a unit
    problems = [
        f"table {unit.table} has {found[i]} rows whose {unit.id} is there already"
        for i, unit in enumerate(units)
        if found[i]
    ]
    if problems:
        raise InputError("; ".join(problems))


def count_patterns(people: DataFrame, sensitive: Sequence[str]) -> DataFrame:
    """``(pattern, <sensitive>..., people)``, one row a combination of ``person_patterns``; null is a value."""
    return people.groupBy(PATTERN, *sensitive).agg(F.count(F.lit(1)).alias(PEOPLE))


def collect_patterns(
    people: DataFrame,
    hierarchies: Mapping[str, Hierarchy],
    *,
    sensitive: Sequence[str],
    of_rows: Collection[str] = (),
    limit: int = 5_000_000,
) -> PatternTable:
    """Aggregate ``person_patterns`` and bring the pattern table to the driver, in the order of the patterns.

    Args:
        sensitive: attributes.
        of_rows: quasi-identifiers of an admission, as opposed to a person.

    Raises:
        PolicyError: there are more than ``limit`` patterns.
    """
    rows = count_patterns(people, sensitive).limit(limit + 1).toArrow()
    if rows.num_rows > limit:
        raise PolicyError(
            f"there are more than {limit} patterns of people; coarsen a quasi-identifier's level 0"
        )
    return build_patterns(rows, hierarchies, sensitive, of_rows)
