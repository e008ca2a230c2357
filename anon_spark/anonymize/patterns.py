"""The sufficient statistic: the pattern table.

People are grouped by their whole multiset of finest quasi-identifier tuples and their sensitive value, with
a count of people. k, l, loss and risk at every lattice node are functions of it, and tables of
disjoint people add up: the same (pattern, sensitive value) rows with their counts summed. One distributed aggregation
makes it; rows of people never reach the driver.

A tuple is packed into one integer: the sum of its leaf codes times strides, the last quasi-identifier fastest.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.people import PERSON, SENSITIVE
from anon_spark.deidentify.generalization import leaf_code, leaf_codes
from anon_spark.errors import InputError, PolicyError
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy

PATTERN = "pattern"
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class PatternTable:
    """Patterns of people on the driver, as arrays.

    Attributes:
        names: quasi-identifiers, in the order of the columns of ``codes``.
        codes: (tuples, quasi-identifiers) leaf code of every distinct tuple of every pattern.
        times: (tuples,) how many admissions of the pattern have that tuple.
        pattern: (tuples,) which pattern the tuple belongs to.
        people: (patterns,) people who have the pattern.
        sensitive: (patterns,) code of their sensitive value.
        keys: (patterns,) the packed tuples of each pattern, sorted, as the cluster knows it.
    """

    names: tuple[str, ...]
    codes: Ints
    times: Ints
    pattern: Ints
    people: Ints
    sensitive: Ints
    keys: list[tuple[int, ...]]

    @property
    def total_people(self) -> int:
        """People in all patterns."""
        return int(self.people.sum())


def strides(hierarchies: Sequence[Hierarchy]) -> list[int]:
    """Weight of each quasi-identifier's code in a packed tuple.

    Raises:
        PolicyError: the product of the domains does not fit 62 bits.
    """
    result, product = [], 1
    for hierarchy in reversed(hierarchies):
        result.append(product)
        product *= len(leaf_codes(hierarchy))
    if product >= 2**62:
        raise PolicyError(
            f"the quasi-identifiers' domains multiply to {product:.1e}, more than 62 bits can hold"
        )
    return result[::-1]


def person_patterns(tuples: DataFrame, hierarchies: Mapping[str, Hierarchy]) -> DataFrame:
    """One row a person: ``(person, pattern: array<bigint>, sensitive)``.

    Args:
        tuples: as ``people.person_tuples`` makes them from bronze, with ``q_<name>`` columns.
        hierarchies: of every quasi-identifier, in the order of packing.
    """
    packed = F.lit(0).cast("bigint")
    for (name, hierarchy), stride in zip(
        hierarchies.items(), strides(list(hierarchies.values())), strict=True
    ):
        packed = packed + leaf_code(F.col(f"q_{name}"), hierarchy).cast("bigint") * F.lit(stride)
    return (
        tuples.withColumn("_tuple", packed)
        .groupBy(PERSON)
        .agg(F.sort_array(F.collect_list("_tuple")).alias(PATTERN), F.min(SENSITIVE).alias(SENSITIVE))
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


def collect_patterns(
    people: DataFrame, hierarchies: Mapping[str, Hierarchy], *, limit: int = 5_000_000
) -> PatternTable:
    """Aggregate ``person_patterns`` and bring the pattern table to the driver.

    Raises:
        PolicyError: there are more than ``limit`` patterns.
    """
    counted = people.groupBy(PATTERN, SENSITIVE).agg(F.count(F.lit(1)).alias("people"))
    rows = counted.limit(limit + 1).toArrow().to_pydict()
    if len(rows["people"]) > limit:
        raise PolicyError(
            f"there are more than {limit} patterns of people; coarsen a quasi-identifier's level 0"
        )
    order = sorted(range(len(rows["people"])), key=lambda i: (rows[PATTERN][i], rows[SENSITIVE][i]))
    return build_patterns(
        [tuple(rows[PATTERN][i]) for i in order],
        [rows[SENSITIVE][i] for i in order],
        [rows["people"][i] for i in order],
        hierarchies,
    )


def build_patterns(
    keys: list[tuple[int, ...]],
    sensitive: Sequence[str],
    people: Sequence[int],
    hierarchies: Mapping[str, Hierarchy],
) -> PatternTable:
    """Arrange patterns (packed tuples, sensitive value, people) as arrays."""
    lengths = np.array([len(key) for key in keys], dtype=np.int64)
    pattern = np.repeat(np.arange(len(keys), dtype=np.int64), lengths)
    flat = np.array([value for key in keys for value in key], dtype=np.int64)
    both, times = np.unique(np.stack([pattern, flat]), axis=1, return_counts=True) if len(flat) else (
        np.zeros((2, 0), np.int64), np.zeros(0, np.int64))  # fmt: skip
    pattern, flat = both[0], both[1]
    codes = np.empty((len(flat), len(hierarchies)), dtype=np.int64)
    rest = flat
    for i, stride in enumerate(strides(list(hierarchies.values()))):
        codes[:, i], rest = rest // stride, rest % stride
    _, sensitive_codes = np.unique(np.array(sensitive, dtype=object).astype(str), return_inverse=True)
    return PatternTable(
        tuple(hierarchies),
        codes,
        times.astype(np.int64),
        pattern,
        np.array(people, dtype=np.int64),
        sensitive_codes.astype(np.int64),
        keys,
    )
