"""The cohort of the mortality model: first intensive care stays of adults, with what their first day showed.

The same code reads a release and the identified source. A release states ``PATIENTS.AGE`` as a band where the
source has a date of birth, and may have minutes since intensive care admission (``bigint``) where the source
has clocks.
"""

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType

from anon_spark.errors import InputError
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.load import conf_dir

LABEL = "label"
CATEGORICAL = ("GENDER", "ETHNICITY", "ADMISSION_TYPE", "INSURANCE", "MARITAL_STATUS")
MISSING = "missing"

_ADULT, _OLDEST = 18, 90
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
    admission.

    First is the earliest INTIME. Where a release has elapsed minutes there, every stay starts at 0, and
    ADMITTIME (a clock, or minutes from the person's first stay) finds the first admission with a stay. What
    is left undecided goes by ICUSTAY_ID, a pseudonym: of several stays in that admission it may not be the
    first, while the minutes of LABEVENTS, which has no ICUSTAY_ID, count from the first.

    Adult means at least 18 at the first admission, by the middle of the band in a release. People whose age
    is suppressed (``*``) or unknown stay, but no newborns' admissions. Ages over 89 are 90.

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
    patients, admissions, stays = read("PATIENTS"), read("ADMISSIONS"), read("ICUSTAYS")
    _require(patients, "PATIENTS", "SUBJECT_ID")
    _require(admissions, "ADMISSIONS", "SUBJECT_ID", "HADM_ID", "HOSPITAL_EXPIRE_FLAG")
    _require(stays, "ICUSTAYS", "SUBJECT_ID", "HADM_ID", "ICUSTAY_ID")
    people = _adults(patients, admissions)
    cohort = (
        _first(stays, admissions)
        .join(people, on="SUBJECT_ID", how="inner")
        .join(_outcomes(admissions), on="HADM_ID", how="inner")
        .where(F.col("ADMISSION_TYPE") != "NEWBORN")
    )
    windows = cohort.select("ICUSTAY_ID", "HADM_ID", "INTIME")
    for table, key, start in (("CHARTEVENTS", "ICUSTAY_ID", 0), ("LABEVENTS", "HADM_ID", -_BEFORE)):
        of_table = [item for item in measured if item.source == table]
        if of_table:
            events = _first_day(read(table), windows, table=table, key=key, start=start, items=of_table)
            cohort = cohort.join(events, on=key, how="left")
    return cohort.select(
        "SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", LABEL, *CATEGORICAL, *numeric_columns(measured)
    )


def _adults(patients: DataFrame, admissions: DataFrame) -> DataFrame:
    """People with GENDER and AGE, without those known to be under 18."""
    if "AGE" in patients.columns:
        aged = patients.withColumn("AGE", _middle(F.col("AGE")))
    elif "DOB" in patients.columns and _is_clock(admissions, "ADMITTIME"):
        first = admissions.groupBy("SUBJECT_ID").agg(F.min("ADMITTIME").alias("_FIRST"))
        years = F.floor(F.months_between(F.to_date("_FIRST"), F.to_date("DOB")) / 12)
        aged = patients.join(first, on="SUBJECT_ID", how="left").withColumn("AGE", years.cast("double"))
    else:
        aged = patients.withColumn("AGE", F.lit(None).cast("double"))
    age = F.least(F.col("AGE"), F.lit(float(_OLDEST)))
    aged = aged.withColumn("AGE", F.when(F.col("AGE").isNotNull(), age))
    return aged.where(F.col("AGE").isNull() | (F.col("AGE") >= _ADULT)).select(
        "SUBJECT_ID", _category(patients, "GENDER"), "AGE"
    )


def _middle(band: Column) -> Column:
    """Middle of ``60-69`` (64.5), the bound of ``90+``, the number of ``7``; null for all else, ``*`` too."""
    text = F.trim(band.cast("string"))
    interval = r"^(\d{1,3})(?:-(\d{1,3})|\+)?$"
    low = F.regexp_extract(text, interval, 1).try_cast("double")
    high = F.regexp_extract(text, interval, 2).try_cast("double")
    return (low + F.coalesce(high, low)) / 2


def _outcomes(admissions: DataFrame) -> DataFrame:
    """The label and the categories of every admission whose outcome is known."""
    return admissions.select(
        "HADM_ID",
        F.col("HOSPITAL_EXPIRE_FLAG").cast("int").alias(LABEL),
        *(_category(admissions, name) for name in CATEGORICAL if name != "GENDER"),
    ).where(F.col(LABEL).isin(0, 1))


def _category(df: DataFrame, name: str) -> Column:
    known = F.col(name).cast("string") if name in df.columns else F.lit(None)
    return F.coalesce(known, F.lit(MISSING)).alias(name)


def _first(stays: DataFrame, admissions: DataFrame) -> DataFrame:
    """One stay a person, with INTIME (null where the release has none)."""
    inside = stays.select("SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", _or_null(stays, "INTIME"))
    if _is_clock(stays, "INTIME"):
        ordered = inside.withColumn("_CLOCK", F.col("INTIME"))
    elif "ADMITTIME" in admissions.columns:
        clocks = admissions.select("HADM_ID", F.col("ADMITTIME").alias("_CLOCK"))
        ordered = inside.join(clocks, on="HADM_ID", how="left")
    else:
        ordered = inside.withColumn("_CLOCK", F.lit(0))
    order = F.struct(F.col("_CLOCK").isNull().alias("unknown"), "_CLOCK", "ICUSTAY_ID", "HADM_ID", "INTIME")
    return (
        ordered.groupBy("SUBJECT_ID")
        .agg(F.min(order).alias("first"))
        .select("SUBJECT_ID", "first.HADM_ID", "first.ICUSTAY_ID", "first.INTIME")
    )


def _or_null(df: DataFrame, name: str) -> Column:
    return F.col(name) if name in df.columns else F.lit(None).cast("bigint").alias(name)


def _is_clock(df: DataFrame, name: str) -> bool:
    return name in df.columns and df.schema[name].dataType.typeName() in {
        "timestamp",
        "timestamp_ntz",
        "date",
    }


def _first_day(
    events: DataFrame, windows: DataFrame, *, table: str, key: str, start: int, items: Sequence[Item]
) -> DataFrame:
    """The statistics of every feature in the stay's window: one pass over the events, one aggregation."""
    _require(events, table, key, "ITEMID", "CHARTTIME", "VALUENUM")
    known = events.where(F.col("ITEMID").isin([item.itemid for item in items]))
    if "ERROR" in events.columns:  # a value that the bedside system itself has marked as wrong
        known = known.where(F.coalesce(F.col("ERROR"), F.lit(0)) != 1)
    rows = [(item.feature, item.itemid, item.low, item.high, item.convert) for item in items]
    codes = events.sparkSession.createDataFrame(
        rows, "feature string, ITEMID int, low double, high double, convert string"
    )
    minutes = _minutes(events, windows, table)
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


def _minutes(events: DataFrame, windows: DataFrame, table: str) -> Column:
    """Minutes from INTIME to CHARTTIME: a whole number already says them, two clocks are subtracted."""
    if isinstance(events.schema["CHARTTIME"].dataType, IntegralType):
        return F.col("CHARTTIME")
    if not (_is_clock(events, "CHARTTIME") and _is_clock(windows, "INTIME")):
        raise InputError(
            f"{table}.CHARTTIME is a clock but ICUSTAYS.INTIME is not: the first 24 hours cannot be told"
        )
    since = F.unix_micros(F.col("CHARTTIME").cast("timestamp")) - F.unix_micros(
        F.col("INTIME").cast("timestamp")
    )
    return since / F.lit(60_000_000)


def _require(df: DataFrame, table: str, *columns: str) -> None:
    if absent := [column for column in columns if column not in df.columns]:
        raise InputError(f"table {table} lacks {', '.join(absent)}, which the cohort needs")
