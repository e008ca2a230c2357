"""The class histogram of one table: packed tuple, sensitive values, people; and the table recoded from it.

One aggregation over the table makes it. What is released follows from it: a table that keeps no further column is
its classes, each as often as it has people, in the order of the classes, so nothing of the source's order is left.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import reduce

import numpy as np
import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import PACKED, PEOPLE, POPULATION, Ints, domains_of, strides
from anon_spark.deidentify.generalization import leaf_code, leaf_codes
from anon_spark.errors import InputError
from anon_spark.ingest.table import CORRUPT

CLASS = "_class"
TIMES = "_times"
_MALFORMED, _NOT_COVERED = -1, -2
_REPEATED_AT_ONCE = 2**13
_ROWS_A_FILE = 2**20


def with_tuples(df: DataFrame, hierarchies: Mapping[str, Hierarchy]) -> DataFrame:
    """Add ``_tuple``: the packed leaf codes of the quasi-identifiers; below 0 where the row has none."""
    packed = F.lit(0).cast("bigint")
    for (name, hierarchy), stride in zip(hierarchies.items(), strides(domains_of(hierarchies)), strict=True):
        code = leaf_code(column(name).cast("string"), hierarchy)
        packed = packed + code.cast("bigint") * F.lit(stride)
    whole = F.coalesce(packed, F.lit(_NOT_COVERED))
    if CORRUPT in df.columns:
        whole = F.when(F.col(CORRUPT).isNotNull(), F.lit(_MALFORMED)).otherwise(whole)
    return df.withColumn(PACKED, whole)


def histogram(tuples: DataFrame, sensitive: Sequence[str]) -> DataFrame:
    """``(_tuple, <sensitive>..., people)``, one row a combination; null is a value like any other."""
    values = [column(name).cast("string").alias(name) for name in sensitive]
    return tuples.groupBy(PACKED, *values).agg(F.count(F.lit(1)).alias(PEOPLE))


def population_histogram(tuples: DataFrame, by: Sequence[str] = ()) -> DataFrame:
    """``(_tuple, <by>..., population)`` of a population's rows, those without a tuple left out."""
    covered = tuples.where(F.col(PACKED) >= 0)
    return covered.groupBy(PACKED, *map(column, by)).agg(F.count(F.lit(1)).alias(POPULATION))


def beside_population(counted: DataFrame, population: DataFrame, sensitive: Sequence[str] = ()) -> DataFrame:
    """A histogram with people of the population beside its own: their rows are of nobody in the table.

    Their sensitive values, which nobody has, are some that the table holds: a further one would be a value to the
    criteria, and shorten every ordered distance.
    """
    if sensitive:  # joined, not brought here: a literal would stand in the plan
        population = population.crossJoin(F.broadcast(counted.select(*map(column, sensitive)).limit(1)))
    own = counted.withColumn(POPULATION, F.lit(0).cast("bigint"))
    return own.unionByName(population.withColumn(PEOPLE, F.lit(0).cast("bigint")), allowMissingColumns=True)


def check_histogram(counted: pa.Table, df: DataFrame, hierarchies: Mapping[str, Hierarchy]) -> None:
    """Refuse a table with malformed rows, or with values that a hierarchy does not cover.

    Raises:
        InputError: how many rows, or each hierarchy with how many values and people.
    """
    tuples, people = counted[PACKED].to_numpy(), counted[PEOPLE].to_numpy()
    if malformed := int(people[tuples == _MALFORMED].sum()):
        raise InputError(f"{malformed} of {int(people.sum())} rows have too few or too many cells")
    if not (tuples == _NOT_COVERED).any():
        return
    measures = []
    for i, (name, hierarchy) in enumerate(hierarchies.items()):
        value = column(name).cast("string")
        outside = F.when(leaf_code(value, hierarchy).isNull(), value)
        measures += [F.count_distinct(outside).alias(f"v{i}"), F.count(outside).alias(f"p{i}")]
    row = df.agg(*measures).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    raise InputError(
        "; ".join(
            f"hierarchy {hierarchy.name} (level 0) does not cover {row[f'v{i}']} values of {name} ({row[f'p{i}']} rows)"
            for i, (name, hierarchy) in enumerate(hierarchies.items())
            if row[f"v{i}"]
        )
        + "; add them to it or mend the table (values are never shown)"
    )


class Recoding:
    """Full-domain generalization of packed tuples: a tuple becomes its class's least, and that its labels."""

    def __init__(
        self,
        hierarchies: Mapping[str, Hierarchy],
        levels: Mapping[str, int],
        leaves: Sequence[Ints] | None = None,
    ) -> None:
        """Tabulate.

        Args:
            leaves: codes by quasi-identifier that a class's tuple is made of, if it has one of them; else all.
        """
        self._steps = strides(domains_of(hierarchies))
        self._labels = [_labels(h, levels[name]) for name, h in hierarchies.items()]
        chosen: Sequence[Iterable[int]] = [range(len(x)) for x in self._labels] if leaves is None else leaves
        self._least = [_least(labels, codes) for labels, codes in zip(self._labels, chosen, strict=True)]

    def classes(self, packed: Ints) -> Ints:
        """The class of each packed tuple, itself a packed tuple."""
        total = np.zeros(len(packed), dtype=np.int64)
        for step, least in zip(self._steps, self._least, strict=True):
            total += least[packed // step % len(least)] * step
        return total

    def class_column(self) -> Column:
        """The same as a column of a table with ``_tuple``."""
        return reduce(
            lambda a, b: a + b, (self._least_column(i) * F.lit(x) for i, x in enumerate(self._steps))
        )

    def label_columns(self) -> list[Column]:
        """The released labels as ``_q0``, ``_q1``, ... of a table with ``_class``."""
        return [
            F.element_at(F.array(*map(F.lit, labels)), self._code(CLASS, i) + F.lit(1)).alias(f"_q{i}")
            for i, labels in enumerate(self._labels)
        ]

    def _least_column(self, i: int) -> Column:
        least, code = self._least[i], self._code(PACKED, i)
        if (least == least[0]).all():
            return F.lit(int(least[0])).cast("bigint")
        if (least == np.arange(len(least))).all():
            return code.cast("bigint")
        return F.element_at(F.lit(least.tolist()), code + F.lit(1)).cast("bigint")

    def _code(self, of: str, i: int) -> Column:
        return F.expr(f"cast((`{of}` div {self._steps[i]}) % {len(self._least[i])} as int)")


def _labels(hierarchy: Hierarchy, level: int) -> list[str | None]:
    return [hierarchy.label(leaf, level) for leaf in leaf_codes(hierarchy)]


def _least(labels: Sequence[str | None], chosen: Iterable[int]) -> Ints:
    """(leaf codes,) the first of the chosen codes with the same label, where none has it the first of all."""
    first: dict[str | None, int] = {}
    for code in (*chosen, *range(len(labels))):
        first.setdefault(labels[code], int(code))
    return np.array([first[label] for label in labels], dtype=np.int64)


def without(df: DataFrame, spark: SparkSession, key: str, gone: Ints | DataFrame) -> DataFrame:
    """Leave out the rows whose ``key`` is among ``gone``: on the driver, or a table's only column."""
    if isinstance(gone, DataFrame):
        return df.join(gone.toDF(key), key, "left_anti")
    if not len(gone):
        return df
    keys = spark.createDataFrame(pa.table({key: gone}))
    return df.join(F.broadcast(keys), key, "left_anti")


def in_blocks(groups: DataFrame, order: Sequence[Column], people: int) -> DataFrame:
    """Rows of ``groups`` in order, each as ``_times`` people and as many blocks as its ``people`` ask for.

    Args:
        people: in all groups; it says into how many partitions they are cut, of about as many people each.
    """
    step = F.lit(_REPEATED_AT_ONCE)
    firsts = F.sequence(F.lit(0).cast("bigint"), F.col(PEOPLE) - F.lit(1), step)
    blocks = groups.withColumn("_from", F.explode(firsts))
    times = F.least(step, F.col(PEOPLE) - F.col("_from")).cast("int").alias(TIMES)
    by = [*order, F.col("_from")]
    ordered = blocks.repartitionByRange(-(-people // _ROWS_A_FILE) or 1, *by).sortWithinPartitions(*by)
    return ordered.select("*", times)


def repeated(blocks: DataFrame) -> DataFrame:
    """Each row as often as its ``_times`` says, in the same order."""
    again = F.explode(F.array_repeat(F.lit(0), F.col(TIMES)))
    return blocks.withColumn("_again", again).drop("_again", TIMES)


def column(name: str) -> Column:
    """A column by its name, whatever characters the name has."""
    return F.col(quoted(name))


def quoted(name: str) -> str:
    """A column's name as Spark reads it, whatever characters it has."""
    return "`" + name.replace("`", "``") + "`"
