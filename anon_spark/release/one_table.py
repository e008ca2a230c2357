"""One released table: written as the file its name asks for, and measured on that file."""

import shutil
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession

from anon_spark.anonymize.histogram import column
from anon_spark.anonymize.patterns import PEOPLE
from anon_spark.ingest.table import open_table
from anon_spark.privacy.classes import Classes, Ints, SensitiveCounts


def write_table(rows: DataFrame, place: Path, *, kind: str, separator: str | None) -> None:
    """Write a table in the order of its rows.

    Args:
        kind: ``.csv`` or ``.parquet``: one file; anything else: a Delta table.
        separator: of CSV, a comma where None.
    """
    place.parent.mkdir(parents=True, exist_ok=True)
    if kind not in {".csv", ".parquet"}:
        rows.write.format("delta").option("delta.dataSkippingNumIndexedCols", "0").save(str(place))
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
    totals: Mapping[str, Mapping[str | None, int]],
    people: int,
) -> Classes:
    """Read a written table back and count the people of its classes, one row a person.

    Args:
        totals: people of the whole input by value, for every sensitive attribute.
        people: people of the whole input.
    """
    df = open_table(spark, place, separator).df
    keys = [column(name) for name in (*quasi_identifiers, *totals)]
    counted = df.groupBy(*keys).count().withColumnRenamed("count", PEOPLE).toArrow()
    return classes_of(counted, quasi_identifiers, totals, people)


def classes_of(
    counted: pa.Table,
    quasi_identifiers: Sequence[str],
    totals: Mapping[str, Mapping[str | None, int]],
    people: int,
) -> Classes:
    """Classes of a histogram by released labels; null is a value like any other."""
    weight = counted[PEOPLE].to_numpy().astype(np.int64)
    owner = np.zeros(counted.num_rows, dtype=np.int64)
    for name in quasi_identifiers:
        codes = counted[name].combine_chunks().dictionary_encode(null_encoding="encode")
        pair = owner * max(len(codes.dictionary), 1) + codes.indices.to_numpy(zero_copy_only=False)
        owner = np.unique(pair, return_inverse=True)[1].astype(np.int64)
    sizes = np.bincount(owner, weights=weight).astype(np.int64)
    sensitive = {name: _counts(counted[name], owner, weight, of) for name, of in totals.items()}
    return Classes(sizes, people, sensitive)


def _counts(
    values: pa.ChunkedArray, owner: Ints, weight: Ints, totals: Mapping[str | None, int]
) -> SensitiveCounts:
    """People of every (class, value); values are numbered as in ``totals``, ones it lacks after them."""
    place = {value: i for i, value in enumerate(totals)}
    encoded = values.combine_chunks().dictionary_encode(null_encoding="encode")
    known = [place.setdefault(value, len(place)) for value in encoded.dictionary.to_pylist()]
    codes = np.array(known, dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]
    pair, inverse = np.unique(owner * max(len(place), 1) + codes, return_inverse=True)
    people = np.bincount(inverse, weights=weight).astype(np.int64)
    whole = np.array([*totals.values(), *[0] * (len(place) - len(totals))], dtype=np.int64)
    return SensitiveCounts(pair // max(len(place), 1), pair % max(len(place), 1), people, whole)
