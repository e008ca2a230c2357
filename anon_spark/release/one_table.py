"""One released table: written as the file its name asks for, and measured on that file."""

import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.histogram import column
from anon_spark.anonymize.patterns import PEOPLE, POPULATION
from anon_spark.ingest.table import open_table
from anon_spark.privacy.classes import Classes
from anon_spark.privacy.released import VALUE, WholeInput, classes_of

_PLAIN = re.compile(r"[^ ,;{}()\n\t=]+")


def write_table(rows: DataFrame, place: Path, *, kind: str, separator: str | None) -> None:
    """Write a table in the order of its rows.

    Args:
        kind: ``.csv`` or ``.parquet``: one file; anything else: a Delta table.
        separator: of CSV, a comma where None.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind not in {".csv", ".parquet"}:
        delta = rows.write.format("delta").option("delta.dataSkippingNumIndexedCols", "0")
        if any(_PLAIN.fullmatch(name) is None for name in rows.columns):
            delta = delta.option(
                "delta.columnMapping.mode", "name"
            )  # Delta's own names take no blank or comma
        delta.save(str(place))
        return
    folder = place.with_name(f"{place.name}.parts")
    shutil.rmtree(folder, ignore_errors=True)
    if kind == ".csv":
        rows.write.csv(
            str(folder), sep=separator or ",", header=False, quote='"', escape='"', emptyValue='""'
        )
        _join_csv(folder, place, header=rows.columns, separator=separator or ",")
    else:
        rows.coalesce(1).write.parquet(str(folder))
        next(folder.glob("*.parquet")).rename(place)
    shutil.rmtree(folder)


def _join_csv(folder: Path, place: Path, *, header: Sequence[str], separator: str) -> None:
    quoted = [
        '"' + name.replace('"', '""') + '"' if separator in name or '"' in name else name for name in header
    ]
    with place.open("wb") as out:
        out.write((separator.join(quoted) + "\n").encode())
        for part in sorted(folder.glob("*.csv")):
            with part.open("rb") as file:
                shutil.copyfileobj(file, out, 1 << 20)


def measure_file(
    spark: SparkSession,
    place: Path,
    *,
    separator: str | None,
    quasi_identifiers: Sequence[str],
    whole: WholeInput,
    population: DataFrame | None = None,
) -> Classes:
    """Read a written table back and count the people of its classes, one row a person.

    Args:
        whole: what relative criteria compare with.
        population: ``(_q0, _q1, ..., population)``, the labels of the population's people; labels that nobody in
            the file has are left out.
    """
    df = open_table(spark, place, separator).df
    keys = [column(name) for name in (*quasi_identifiers, *whole.values)]
    counted = df.groupBy(*keys).count().withColumnRenamed("count", PEOPLE).toArrow()
    known = None
    if population is not None:
        labels = [f"_q{i}" for i in range(len(quasi_identifiers))]
        summed = population.groupBy(*labels).agg(F.sum(POPULATION).cast("bigint").alias(PEOPLE)).toArrow()
        known = summed.rename_columns([*quasi_identifiers, PEOPLE])
    return classes_of(
        counted,
        {name: counted.rename_columns({name: VALUE}) for name in whole.values},
        keys=quasi_identifiers,
        whole=whole,
        population=known,
    )
