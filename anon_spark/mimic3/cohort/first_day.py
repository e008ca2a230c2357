"""The cohort of the quick mortality model: first stays of adults, with what their first day showed."""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.ingest.lake import TableReader
from anon_spark.mimic3.cohort.people import (
    CATEGORICAL,
    LABEL,
    first_adult_stays,
    is_clock,
    minutes_since,
    require,
)
from anon_spark.policy.load import conf_dir

_DAY, _BEFORE = 24 * 60, 6 * 60  # minutes; laboratories are drawn on the way to intensive care
_STATISTICS = {"CHARTEVENTS": {"mean": F.avg, "min": F.min, "max": F.max}, "LABEVENTS": {"mean": F.avg}}
_DECIMALS = 6  # sums of doubles depend on the order of rows in their last digits; features must not


@dataclass(frozen=True)
class Item:
    """A code of the table ``source`` for ``feature``; values out of [low, high], in its unit, are null."""

    feature: str
    itemid: int
    source: str
    low: float
    high: float
    convert: str


def load_items(path: Path | None = None) -> tuple[Item, ...]:
    """Read the measured features and their codes; by default the package's ``items/mortality24.csv``."""
    with (path or conf_dir() / "items" / "mortality24.csv").open(newline="", encoding="utf-8") as file:
        return tuple(
            Item(
                row["feature"],
                int(row["itemid"]),
                row["source"],
                float(row["low"]),
                float(row["high"]),
                row["convert"],
            )
            for row in csv.DictReader(file)
        )


def numeric_columns(items: Sequence[Item]) -> list[str]:
    """Names of the cohort's numeric columns, age first, in the order of the items."""
    columns = [f"{item.feature}_{name}" for item in items for name in _STATISTICS[item.source]]
    return ["AGE", *dict.fromkeys(columns)]


def first_stays(read: TableReader, *, items: Sequence[Item] | None = None) -> DataFrame:
    """One row per adult: the first intensive care stay, its outcome and what was known after a day of it.

    Nothing later than 24 hours after admission to intensive care is read. A stay that ends earlier is kept.
    Vitals are of [INTIME, INTIME + 24 h), laboratory values of [INTIME - 6 h, INTIME + 24 h) and of the same
    admission. Which stay is the first, and who is an adult, ``first_adult_stays`` says.

    Args:
        read: PATIENTS, ADMISSIONS, ICUSTAYS, CHARTEVENTS and LABEVENTS of a release or of the source.
        items: the measured features; by default ``load_items()``.

    Returns:
        ``(SUBJECT_ID, HADM_ID, ICUSTAY_ID, label: int, *CATEGORICAL: string, *numeric_columns: double)``; a
        category that is null, or not released, is ``missing``; a value that is not known is null.

    Raises:
        InputError: naming the columns that are not there, or clocks that cannot be compared.
    """
    measured = load_items() if items is None else tuple(items)
    cohort = first_adult_stays(read)
    windows = cohort.select("ICUSTAY_ID", "HADM_ID", "INTIME")
    for table, key, start in (("CHARTEVENTS", "ICUSTAY_ID", 0), ("LABEVENTS", "HADM_ID", -_BEFORE)):
        of_table = [item for item in measured if item.source == table]
        if of_table:
            events = _first_day(read(table), windows, table=table, key=key, start=start, items=of_table)
            cohort = cohort.join(events, on=key, how="left")
    return cohort.select(
        "SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", LABEL, *CATEGORICAL, *numeric_columns(measured)
    )


def _first_day(
    events: DataFrame, windows: DataFrame, *, table: str, key: str, start: int, items: Sequence[Item]
) -> DataFrame:
    """The statistics of every feature in the stay's window: one pass over the events, one aggregation."""
    require(events, table, key, "ITEMID", "CHARTTIME", "VALUENUM")
    known = events.where(F.col("ITEMID").isin([item.itemid for item in items]))
    if "ERROR" in events.columns:  # a value that the bedside system itself has marked as wrong
        known = known.where(F.coalesce(F.col("ERROR"), F.lit(0)) != 1)
    rows = [(item.feature, item.itemid, item.low, item.high, item.convert) for item in items]
    codes = events.sparkSession.createDataFrame(
        rows, "feature string, ITEMID int, low double, high double, convert string"
    )
    minutes = minutes_since(F.col("INTIME"), is_clock(windows, "INTIME"), events, "CHARTTIME", table)
    value = F.when(F.col("convert") == "fahrenheit_to_celsius", (F.col("VALUENUM") - 32) * 5 / 9).otherwise(
        F.col("VALUENUM")
    )
    plausible = (
        known.select(key, "ITEMID", "CHARTTIME", "VALUENUM")
        .join(F.broadcast(codes), on="ITEMID", how="inner")
        .where(F.col("VALUENUM").between(F.col("low"), F.col("high")))
        .join(F.broadcast(windows.select(key, "INTIME")), on=key, how="inner")  # one row a person
        .where((minutes >= start) & (minutes < _DAY))
        .select(key, "feature", value.alias("value"))
    )
    names: list[bool | float | int | str] = list(dict.fromkeys(item.feature for item in items))
    statistics = _STATISTICS[table]
    values = [F.round(function("value"), _DECIMALS) for function in statistics.values()]
    # its values given, a pivot is one aggregation by stay and feature, whose rows are then laid side by side
    pivoted = plausible.groupBy(key).pivot("feature", names).agg(*values)
    return pivoted.toDF(key, *(f"{feature}_{name}" for feature in names for name in statistics))
