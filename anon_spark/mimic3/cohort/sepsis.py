"""Sepsis-3: a suspected infection with a SOFA score that has risen by 2 or more.

Suspected: an antibiotic within 72 hours after a culture, or a culture within 24 hours after an antibiotic; the
earlier of the two is the onset. The rise is over the baseline, which Singer et al. take as 0 where nothing is known
of before, and here nothing before intensive care is: a score of 2 or more in a window from 48 hours before the onset
to 24 hours after it.

Source: Singer et al. 2016, JAMA 315:801; Seymour et al. 2016, JAMA 315:762; Vincent et al. 1996, Intensive Care
Med 22:707, for the score.
"""

import operator
from functools import reduce

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anon_spark.ingest.lake import TableReader
from anon_spark.mimic3.cohort.codes import load_antibiotics
from anon_spark.mimic3.cohort.measurements import STAY, WINDOW
from anon_spark.mimic3.cohort.people import is_clock, minutes_since, require

BEFORE, AFTER = 6, 6  # windows of 4 hours around the onset
_DAY = 24 * 60
_RISE = 2
# Onto skin, eyes and ears, inhaled or rinsed: no treatment of an infection of the whole body.
_LOCAL_ROUTES = (
    *("AD", "AS", "AU", "BOTH EYES", "DWELL", "ED", "IH", "IR", "IRR", "LEFT EYE", "NEB"),
    *("OD", "OS", "OU", "RIGHT EYE", "TD", "TP", "VG"),
)


def sepsis_onset(read: TableReader, stays: DataFrame, scored: DataFrame, *, minutes: int) -> DataFrame:
    """The stays with sepsis and the window of its onset; an onset in the day before the stay is in window 0.

    Args:
        stays: ``(ICUSTAY_ID, HADM_ID, INTIME, end)``.
        scored: ``(ICUSTAY_ID, window, sofa)``.

    Returns:
        ``(ICUSTAY_ID, onset: int)``, one row a septic stay.
    """
    day = _DAY // minutes
    suspected = _suspected(read, stays).withColumn(
        "onset", F.greatest(F.floor(F.col("suspected") / minutes), F.lit(0)).cast("int")
    )
    ill = scored.where(F.col("sofa") >= _RISE).select(STAY, WINDOW)
    near = (F.col(WINDOW) >= F.col("onset") - 2 * day) & (F.col(WINDOW) < F.col("onset") + day)
    return (
        suspected.join(ill, on=STAY, how="inner").where(near).groupBy(STAY).agg(F.min("onset").alias("onset"))
    )


def score_windows(windows: DataFrame, stays: DataFrame, minutes: int) -> DataFrame:
    """Add ``sofa``, 0 to 24, to a row for every window of every stay.

    Each organ counts by its worst value of the last 24 hours; one that was not measured counts 0. Urine counts
    once a day of it has passed.
    """
    last_window = F.floor((F.col("end") - 1) / minutes).cast("int")
    every = stays.select(STAY, F.explode(F.sequence(F.lit(0), last_window)).alias(WINDOW))
    rows = every.join(windows, on=[STAY, WINDOW], how="left")
    day = _DAY // minutes
    last_day = Window.partitionBy(STAY).orderBy(WINDOW).rangeBetween(-(day - 1), 0)
    urine = F.when(F.col(WINDOW) >= day - 1, F.sum("urine").over(last_day))
    dry = F.when(urine < 200, 4).when(urine < 500, 3).otherwise(0)
    organs = [F.coalesce(F.max(points).over(last_day), F.lit(0)) for points in _organs()]
    kidney = F.greatest(F.coalesce(F.max(_kidney()).over(last_day), F.lit(0)), dry)
    return rows.withColumn("sofa", reduce(operator.add, organs, kidney).cast("double"))


def _organs() -> list[Column]:
    """0 to 4 of each organ but the kidney in a window, null where it is not measured."""
    c = F.col
    ratio = c("oxygen_pressure") / c("inspired_oxygen")
    unaided = _crossed(ratio, 400, 300)
    lungs = F.when(c("peep").isNotNull(), unaided + _crossed(ratio, 200, 100)).otherwise(unaided)
    coma = F.coalesce(c("gcs_total"), c("gcs_eye") + c("gcs_verbal") + c("gcs_motor"))
    catecholamine = F.greatest("norepinephrine", "epinephrine")
    circulation = (
        F.when((c("dopamine") > 15) | (catecholamine > 0.1), 4)
        .when((c("dopamine") > 5) | (catecholamine > 0), 3)
        .when((c("dopamine") > 0) | (c("dobutamine") > 0), 2)
        .otherwise(_crossed(c("mean_pressure"), 70))
    )
    liver = _crossed(-c("bilirubin"), *(-bound for bound in (1.2, 2, 6, 12)), reached=True)
    return [
        lungs,
        _crossed(c("platelets"), 150, 100, 50, 20),
        liver,
        circulation,
        _crossed(coma, 15, 13, 10, 6),
    ]


def _kidney() -> Column:
    return _crossed(-F.col("creatinine"), *(-bound for bound in (1.2, 2, 3.5, 5)), reached=True)


def _crossed(value: Column, *bounds: float, reached: bool = False) -> Column:
    """How many of the bounds ``value`` is below, or at with ``reached``; null for null."""
    below = [(value <= bound if reached else value < bound).cast("int") for bound in bounds]
    return reduce(operator.add, below)


def _suspected(read: TableReader, stays: DataFrame) -> DataFrame:
    """(ICUSTAY_ID, suspected: minute) of every culture and antibiotic that belong together."""
    gap = F.col("given") - F.col("taken")
    pairs = _antibiotics(read, stays).join(_cultures(read, stays), on=STAY, how="inner")
    return (
        pairs.where(gap.between(-_DAY, 3 * _DAY))
        .select(STAY, F.least("given", "taken").alias("suspected"))
        .where(F.col("suspected") >= -_DAY)
        .distinct()
    )


def _antibiotics(read: TableReader, stays: DataFrame) -> DataFrame:
    """(ICUSTAY_ID, given: minute): prescriptions, which tell the day, and infusions, which tell the minute."""
    stems, itemids = load_antibiotics()
    drugs, infused = read("PRESCRIPTIONS"), read("INPUTEVENTS_MV")
    require(drugs, "PRESCRIPTIONS", "HADM_ID", "STARTDATE", "DRUG")
    require(infused, "INPUTEVENTS_MV", STAY, "STARTTIME", "ITEMID")
    named = F.lower("DRUG").rlike(r"(^|[^a-z])(" + "|".join(stems) + ")")
    if "ROUTE" in drugs.columns:
        named &= ~F.coalesce(F.upper(F.trim("ROUTE")), F.lit("")).isin(*_LOCAL_ROUTES)
    prescribed = _timed(drugs.where(named), stays, "PRESCRIPTIONS", "HADM_ID", "STARTDATE", "given")
    given = infused.where(F.col("ITEMID").isin(itemids))
    return prescribed.union(_timed(given, stays, "INPUTEVENTS_MV", STAY, "STARTTIME", "given")).distinct()


def _cultures(read: TableReader, stays: DataFrame) -> DataFrame:
    """(ICUSTAY_ID, taken: minute) of every specimen; of those without a time of day, the day's beginning."""
    cultures = read("MICROBIOLOGYEVENTS")
    require(cultures, "MICROBIOLOGYEVENTS", "HADM_ID", "CHARTDATE")
    times = ["CHARTTIME", "CHARTDATE"] if "CHARTTIME" in cultures.columns else ["CHARTDATE"]
    at = F.coalesce(*(F.col(name) for name in times))
    timed = cultures.select("HADM_ID", at.alias("CHARTTIME"))
    return _timed(timed, stays, "MICROBIOLOGYEVENTS", "HADM_ID", "CHARTTIME", "taken").distinct()


def _timed(events: DataFrame, stays: DataFrame, table: str, key: str, column: str, name: str) -> DataFrame:
    """(ICUSTAY_ID, name: minute) of events of the stays; those that another stay is told for are not."""
    since = minutes_since(F.col("INTIME"), is_clock(stays, "INTIME"), events, column, table)
    own = stays.select(F.col(STAY).alias("_own"), F.col(key).alias("_key"), "INTIME")
    joined = events.join(F.broadcast(own), on=F.col(key) == F.col("_key"), how="inner")
    if STAY in events.columns:
        joined = joined.where(F.col(STAY).isNull() | (F.col(STAY) == F.col("_own")))
    return joined.select(F.col("_own").alias(STAY), F.floor(since).cast("int").alias(name)).where(
        F.col(name).isNotNull()
    )
