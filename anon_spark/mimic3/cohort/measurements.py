"""From events to features: values in their unit, put together by window of a stay, then by stay.

The events of a stay meet once: they are sent to one partition by stay, and removing duplicates, windows and
summaries all work there. Nothing but the codes and the stays' windows, a few numbers a person, is broadcast.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.errors import InputError
from anon_spark.ingest.lake import TableReader
from anon_spark.mimic3.cohort.codes import Code, Variable, converted, load_words
from anon_spark.mimic3.cohort.people import is_clock, minutes_since, require

STAY = "ICUSTAY_ID"
WINDOW = "window"
SUMMARIES = ("mean", "min", "max", "last", "count")
_DECIMALS = 6  # sums of doubles depend on the order of rows in their last digits; features must not
_HOUR = 60
_CODED = ("minute", "number", "convert", "low", "high", "word")


@dataclass(frozen=True)
class Source:
    """How a table of events says whose, when and how much."""

    key: str
    time: str
    value: str
    end: str | None = None
    text: str | None = None
    error: str | None = None  # 1: the bedside system itself has marked the row as wrong


SOURCES = {
    "CHARTEVENTS": Source(STAY, "CHARTTIME", "VALUENUM", text="VALUE", error="ERROR"),
    "LABEVENTS": Source("HADM_ID", "CHARTTIME", "VALUENUM"),
    "OUTPUTEVENTS": Source(STAY, "CHARTTIME", "VALUE", error="ISERROR"),
    "INPUTEVENTS_CV": Source(STAY, "CHARTTIME", "RATE"),
    "INPUTEVENTS_MV": Source(STAY, "STARTTIME", "RATE", end="ENDTIME"),
}


def measured(read: TableReader, stays: DataFrame, codes: Sequence[Code]) -> DataFrame:
    """Every plausible value in its unit, once: the same value charted twice for one minute is one value.

    An infusion counts in every hour that it runs.

    Args:
        stays: ``(ICUSTAY_ID, HADM_ID, INTIME, begin, end)``, one row each; values of minutes since INTIME in
            [begin, end) are read, no others.

    Returns:
        ``(ICUSTAY_ID, variable: string, minute: int, value: double)``, all of a stay in one partition.

    Raises:
        InputError: a table lacks a column, or clocks cannot be compared.
    """
    parts = [
        _plausible(rows)
        for table in dict.fromkeys(code.source for code in codes)
        for rows in [_coded(read, stays, table, [code for code in codes if code.source == table])]
    ]
    together = reduce(DataFrame.unionByName, parts)
    return together.repartition(STAY).dropDuplicates([STAY, "variable", "minute", "value"])


def by_window(values: DataFrame, variables: Sequence[Variable], *, minutes: int, begin: Column) -> DataFrame:
    """One row per stay and window that has a value, one column per variable, null where it has none.

    Args:
        minutes: length of a window.
        begin: minute at which window 0 begins.

    Returns:
        ``(ICUSTAY_ID, window: int, *variables: double)``.
    """
    windowed = values.withColumn(WINDOW, F.floor((F.col("minute") - begin) / minutes).cast("int"))
    functions = {"mean": F.avg, "max": F.max, "sum": F.sum}
    columns = [
        F.round(functions[v.statistic](F.when(F.col("variable") == v.name, F.col("value"))), _DECIMALS).alias(
            v.name
        )
        for v in variables
    ]
    return windowed.groupBy(STAY, WINDOW).agg(*columns)


def by_stay(windows: DataFrame, names: Sequence[str]) -> DataFrame:
    """One row per stay: mean, least, largest and last of each variable over its windows, and in how many it is.

    Returns:
        ``(ICUSTAY_ID, *summary_columns(names): double)``.
    """
    columns = []
    for name in names:
        known = F.when(F.col(name).isNotNull(), F.col(WINDOW))
        columns += [
            F.round(F.avg(name), _DECIMALS).alias(f"{name}_mean"),
            F.min(name).alias(f"{name}_min"),
            F.max(name).alias(f"{name}_max"),
            F.max_by(name, known).alias(f"{name}_last"),
            F.count(name).cast("double").alias(f"{name}_count"),
        ]
    return windows.groupBy(STAY).agg(*columns)


def summary_columns(names: Sequence[str]) -> list[str]:
    """Columns of ``by_stay``."""
    return [f"{name}_{summary}" for name in names for summary in SUMMARIES]


def explain_gaps(
    read: TableReader,
    stays: DataFrame,
    codes: Sequence[Code],
    *,
    empty: Sequence[str],
    hidden: frozenset[int] = frozenset(),
) -> list[str]:
    """Say in one sentence each why variables have no value at all.

    A variable may be left out when nobody charts it, or when the release's policy hides it (``hidden`` codes).

    Raises:
        InputError: it is charted, and yet no row has a usable value; or none of all the codes occurs.
    """
    rows = _rows_by_variable(read, stays, codes)
    if not rows:
        raise InputError(
            f"none of the {len(codes)} item ids of the cohort's variables occurs in the events of its stays"
        )
    veiled = {code.variable for code in codes if code.itemid in hidden}
    broken = [name for name in empty if rows.get(name) and name not in veiled]
    if broken:
        counts = ", ".join(f"{name} ({rows[name]} rows)" for name in broken)
        raise InputError(f"charted, but without one usable value: {counts}")
    return [
        f"{name} is hidden by the release's policy and left out"
        if name in veiled
        else f"{name} is not charted and left out"
        for name in empty
    ]


def _rows_by_variable(read: TableReader, stays: DataFrame, codes: Sequence[Code]) -> Mapping[str, int]:
    counts: dict[str, int] = {}
    for table in dict.fromkeys(code.source for code in codes):
        rows = _coded(read, stays, table, [code for code in codes if code.source == table])
        for row in rows.groupBy("variable").count().collect():
            counts[row["variable"]] = counts.get(row["variable"], 0) + row["count"]
    return counts


def _coded(read: TableReader, stays: DataFrame, table: str, codes: Sequence[Code]) -> DataFrame:
    """Rows of these codes in the stays' windows: (ICUSTAY_ID, variable, minute, number, convert, low, high, word)."""
    events, source = read(table), SOURCES[table]
    needed = [source.key, "ITEMID", source.time, source.value]
    require(events, table, *needed, *([source.end] if source.end else []))
    known = events.where(F.col("ITEMID").isin([code.itemid for code in codes]))
    if source.error in events.columns:
        known = known.where(F.coalesce(F.col(str(source.error)), F.lit(0)) != 1)
    named = events.sparkSession.createDataFrame(  # from Arrow: no Python worker starts for it
        pa.table(
            {
                "ITEMID": pa.array([code.itemid for code in codes], pa.int32()),
                "variable": [code.variable for code in codes],
                "convert": [code.convert for code in codes],
                "low": [code.low for code in codes],
                "high": [code.high for code in codes],
            }
        )
    )
    clock = is_clock(stays, "INTIME")
    since = minutes_since(F.col("INTIME"), clock, events, source.time, table)
    times = [source.time, *([source.end] if source.end else [])]
    text = (
        F.lower(F.trim(F.col(source.text))) if source.text in events.columns else F.lit(None).cast("string")
    )
    joined = (
        known.select(source.key, "ITEMID", *times, F.col(source.value).alias("number"), text.alias("word"))
        .join(F.broadcast(named), on="ITEMID", how="inner")
        .join(
            F.broadcast(stays.select(*dict.fromkeys([STAY, source.key, "INTIME", "begin", "end"]))),
            on=source.key,
            how="inner",
        )
        .withColumn("minute", F.floor(since).cast("int"))
    )
    if source.end:
        until = minutes_since(F.col("INTIME"), clock, events, source.end, table)
        joined = _every_hour(joined.withColumn("until", F.floor(until).cast("int")))
    inside = (F.col("minute") >= F.col("begin")) & (F.col("minute") < F.col("end"))
    return joined.where(inside).select(STAY, "variable", *_CODED)


def _every_hour(rows: DataFrame) -> DataFrame:
    """A row for each hour from ``minute`` on that begins before ``until`` and before the window's end."""
    last = F.greatest(F.col("minute"), F.least(F.coalesce(F.col("until"), F.col("minute")), F.col("end")) - 1)
    return rows.withColumn("minute", F.explode(F.sequence("minute", last.cast("int"), F.lit(_HOUR))))


def _plausible(rows: DataFrame) -> DataFrame:
    words = [
        F.lit(part) for (name, word), number in load_words().items() for part in (f"{name}={word}", number)
    ]
    worded = F.element_at(F.create_map(*words), F.concat_ws("=", "variable", "word"))
    value = converted(F.col("number"), F.col("convert"), worded)
    return (
        rows.withColumn("value", value)
        .where(F.col("value").between(F.col("low"), F.col("high")))
        .select(STAY, "variable", "minute", "value")
    )
