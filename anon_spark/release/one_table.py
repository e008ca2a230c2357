"""One released table: written as the file its name asks for, and measured on that file."""

import re
import shutil
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.histogram import TIMES, column, repeated
from anon_spark.anonymize.patterns import PEOPLE, POPULATION
from anon_spark.ingest.table import open_table
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity
from anon_spark.privacy.released import VALUE, WholeInput, classes_of

_PLAIN = re.compile(r"[^ ,;{}()\n\t=]+")
_LESS_IS_WEAKER = (KAnonymity, DistinctLDiversity, EntropyLDiversity, KMap)
_MEASURED = "people bigint, failing array<bigint>, figures array<double>"
_ROWS_A_PART = 2**19


def write_table(rows: DataFrame, place: Path, *, kind: str, separator: str | None) -> None:
    """Write a table in the order of its rows.

    Args:
        rows: with a column ``_times``, each is written that often.
        kind: ``.csv`` or ``.parquet``: one file; anything else: a Delta table.
        separator: of CSV, a comma where None.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind not in {".csv", ".parquet"}:
        _write_delta(_one_each(rows), place)
        return
    folder = place.with_name(f"{place.name}.parts")
    shutil.rmtree(folder, ignore_errors=True)
    if kind == ".csv":
        _write_lines(rows, folder, separator or ",")
        _join_csv(folder, place, header=_names(rows), separator=separator or ",")
    else:
        _one_each(rows).coalesce(1).write.parquet(str(folder))
        next(folder.glob("*.parquet")).rename(place)
    shutil.rmtree(folder)


def _names(rows: DataFrame) -> list[str]:
    return [name for name in rows.columns if name != TIMES]


def _one_each(rows: DataFrame) -> DataFrame:
    return repeated(rows) if TIMES in rows.columns else rows


def _write_delta(rows: DataFrame, place: Path) -> None:
    delta = rows.write.format("delta").option("delta.dataSkippingNumIndexedCols", "0")
    if any(
        _PLAIN.fullmatch(name) is None for name in rows.columns
    ):  # Delta's own names take no blank or comma
        delta = delta.option("delta.columnMapping.mode", "name")
    delta.save(str(place))


def _write_lines(rows: DataFrame, folder: Path, separator: str) -> None:
    """CSV without a header; a row of many people is made a line once, and the line repeated."""
    options = {
        "sep": separator,
        "quote": '"',
        "escape": '"',
        "emptyValue": '""',
        "ignoreLeadingWhiteSpace": "false",  # Spark would trim what it writes
        "ignoreTrailingWhiteSpace": "false",
    }
    line = F.to_csv(F.struct(*map(column, _names(rows))), options)
    if len(_names(rows)) == 1:  # an empty line would be no row
        alone = column(_names(rows)[0]).cast("string")
        line = F.when(F.coalesce(alone, F.lit("")) == "", '""').otherwise(line)
    if TIMES in rows.columns:
        line = F.concat(line, F.repeat(F.concat(F.lit("\n"), line), F.col(TIMES) - F.lit(1)))
    rows.select(line.alias("line")).write.text(str(folder))


def _join_csv(folder: Path, place: Path, *, header: Sequence[str], separator: str) -> None:
    quoted = [
        '"' + name.replace('"', '""') + '"' if separator in name or '"' in name else name for name in header
    ]
    with place.open("wb") as out:
        out.write((separator.join(quoted) + "\n").encode())
        for part in sorted(folder.glob("*.txt")):
            with part.open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)


@dataclass(frozen=True)
class FileMeasures:
    """A written table, measured.

    Attributes:
        people: in it.
        failing: by criterion, classes that fall short of it.
        figures: by criterion, that of the weakest class.
    """

    people: int
    failing: Sequence[int]
    figures: Sequence[float]

    @classmethod
    def of(cls, classes: Classes, criteria: Sequence[Criterion]) -> "FileMeasures":
        """Measure classes."""
        return cls(
            int(classes.sizes.sum()),
            [int(criterion.failing(classes).sum()) for criterion in criteria],
            [float(criterion.measured(classes)) for criterion in criteria],
        )

    @classmethod
    def together(cls, parts: pa.Table, criteria: Sequence[Criterion]) -> "FileMeasures":
        """Put together what was measured of parts that hold whole classes, people in each."""
        if not parts.num_rows:
            return cls(0, [0] * len(criteria), [0.0] * len(criteria))
        failing, figures = (np.array(parts[name].to_pylist()) for name in ("failing", "figures"))
        weakest = [
            figures[:, i].min() if isinstance(criterion, _LESS_IS_WEAKER) else figures[:, i].max()
            for i, criterion in enumerate(criteria)
        ]
        people = sum(parts["people"].to_pylist())
        return cls(people, failing.sum(axis=0).tolist(), [float(figure) for figure in weakest])


def measure_file(
    spark: SparkSession,
    place: Path,
    criteria: Sequence[Criterion],
    *,
    separator: str | None,
    quasi_identifiers: Sequence[str],
    whole: WholeInput,
    population: DataFrame | None = None,
    rows: int | None = None,
) -> FileMeasures:
    """Read a written table back and measure its classes, one row a person.

    Args:
        whole: what relative criteria compare with.
        population: ``(_q0, _q1, ..., population)``, the labels of the population's people; labels that nobody in
            the file has are left out.
        rows: where classes are too many for the driver, about how many rows of them there may be: they are
            measured on the cluster, in parts that hold whole classes.
    """
    df = open_table(spark, place, separator).df
    labels = [f"_q{i}" for i in range(len(quasi_identifiers))]
    values = [f"_s{i}" for i in range(len(whole.values))]
    named = zip((*quasi_identifiers, *whole.values), (*labels, *values), strict=True)
    keys = [column(name).cast("string").alias(key) for name, key in named]
    counted = df.groupBy(*keys).agg(F.count(F.lit(1)).alias(PEOPLE))
    if population is not None:
        known = population.groupBy(*labels).agg(F.sum(POPULATION).alias(POPULATION))
        counted = counted.unionByName(known, allowMissingColumns=True)
    if rows is None:
        return FileMeasures.of(_classes(counted.toArrow(), labels, whole), criteria)
    parts = max(int(spark.conf.get("spark.sql.shuffle.partitions") or 1), rows // _ROWS_A_PART)
    measured = counted.repartition(parts, *labels).mapInArrow(_measuring(criteria, labels, whole), _MEASURED)
    return FileMeasures.together(measured.toArrow(), criteria)


def _measuring(
    criteria: Sequence[Criterion], labels: Sequence[str], whole: WholeInput
) -> Callable[[Iterable[pa.RecordBatch]], Iterator[pa.RecordBatch]]:
    def measuring(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        held = [batch for batch in batches if batch.num_rows]
        if not held:
            return
        seen = FileMeasures.of(_classes(pa.Table.from_batches(held), labels, whole), criteria)
        if seen.people:
            yield pa.RecordBatch.from_pylist([vars(seen)])

    return measuring


def _classes(counted: pa.Table, labels: Sequence[str], whole: WholeInput) -> Classes:
    """Classes of ``(_q0, ..., _s0, ..., people)``; with ``population``, rows of it have no ``people``."""
    known = None
    if POPULATION in counted.column_names:
        of_population = counted[PEOPLE].is_null()
        known = counted.filter(of_population).select([*labels, POPULATION])
        known = known.rename_columns([*labels, PEOPLE])
        counted = counted.filter(pc.invert(of_population))
    pairs = {name: counted.rename_columns({f"_s{i}": VALUE}) for i, name in enumerate(whole.values)}
    return classes_of(counted, pairs, keys=labels, whole=whole, population=known)
