"""Adults, their outcomes, and the first intensive care stay of each: the unit of every cohort."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import IntegralType

from anon_spark.errors import InputError
from anon_spark.ingest.lake import TableReader

LABEL = "label"
CATEGORICAL = ("GENDER", "ETHNICITY", "ADMISSION_TYPE", "INSURANCE", "MARITAL_STATUS")
DESCRIPTIVE = ("LANGUAGE",)  # no feature; says whom a model serves
MISSING = "missing"
MINUTES = "MINUTES"

_ADULT, _OLDEST = 18, 90


def first_adult_stays(read: TableReader) -> DataFrame:
    """One row per adult: the first intensive care stay and its admission.

    First is the earliest INTIME. Where a release has elapsed minutes there, every stay starts at 0, and
    ADMITTIME (a clock, or minutes from the person's first stay) finds the first admission with a stay. What
    is left undecided goes by ICUSTAY_ID, a pseudonym: of several stays in that admission it may not be the
    first, while the minutes of LABEVENTS, which has no ICUSTAY_ID, count from the first.

    Adult means at least 18 at the first admission, by the middle of the band in a release. People whose age
    is suppressed (``*``) or unknown stay, but no newborns' admissions. Ages over 89 are 90.

    Returns:
        ``(SUBJECT_ID, HADM_ID, ICUSTAY_ID, INTIME, MINUTES: double, label: int, *CATEGORICAL: string,
        *DESCRIPTIVE: string, AGE)``.
        ``MINUTES`` is the stay's length, null where OUTTIME is not known; ``label`` is death in hospital.
    """
    patients, admissions, stays = read("PATIENTS"), read("ADMISSIONS"), read("ICUSTAYS")
    require(patients, "PATIENTS", "SUBJECT_ID")
    require(admissions, "ADMISSIONS", "SUBJECT_ID", "HADM_ID", "HOSPITAL_EXPIRE_FLAG")
    require(stays, "ICUSTAYS", "SUBJECT_ID", "HADM_ID", "ICUSTAY_ID")
    return (
        _first(stays, admissions)
        .join(_adults(patients, admissions), on="SUBJECT_ID", how="inner")
        .join(_outcomes(admissions), on="HADM_ID", how="inner")
        .where(F.col("ADMISSION_TYPE") != "NEWBORN")
    )


def hospital_days(read: TableReader) -> DataFrame | None:
    """How long each adult's admission with the first stay lasted: ``(days: double, label: int)``, one row a person.

    None where the tables do not tell it: a time of ADMISSIONS is missing, or one is a clock and one elapsed.
    """
    admissions = read("ADMISSIONS")
    came, left = "ADMITTIME", "DISCHTIME"
    if not {came, left} <= set(admissions.columns):
        return None
    if is_clock(admissions, came) != is_clock(admissions, left):
        return None
    days = (minutes_of(admissions, left) - minutes_of(admissions, came)) / (24 * 60)
    stays = first_adult_stays(read).select("HADM_ID", LABEL)
    return (
        admissions.select("HADM_ID", days.alias("days"))
        .join(stays, on="HADM_ID", how="inner")
        .drop("HADM_ID")
    )


def minutes_of(df: DataFrame, column: str) -> Column:
    """A time in minutes: of a clock since 1970, an elapsed one as it is."""
    if is_clock(df, column):
        return F.unix_micros(F.col(column).cast("timestamp")) / F.lit(60_000_000)
    return F.col(column)


def minutes_since(start: Column, start_is_clock: bool, events: DataFrame, column: str, table: str) -> Column:
    """Minutes from ``start`` to ``column``: a whole number already says them, two clocks are subtracted.

    Raises:
        InputError: ``column`` is a clock and ``start`` is not.
    """
    if isinstance(events.schema[column].dataType, IntegralType):
        return F.col(column)
    if not (is_clock(events, column) and start_is_clock):
        raise InputError(
            f"{table}.{column} is a clock but ICUSTAYS.INTIME is not: hours of a stay cannot be told"
        )
    since = F.unix_micros(F.col(column).cast("timestamp")) - F.unix_micros(start.cast("timestamp"))
    return since / F.lit(60_000_000)


def is_clock(df: DataFrame, name: str) -> bool:
    """True for a column of times or dates."""
    return name in df.columns and df.schema[name].dataType.typeName() in {
        "timestamp",
        "timestamp_ntz",
        "date",
    }


def require(df: DataFrame, table: str, *columns: str) -> None:
    """Raise InputError naming the columns that ``df`` lacks."""
    if absent := [column for column in columns if column not in df.columns]:
        raise InputError(f"table {table} lacks {', '.join(absent)}, which the cohort needs")


def _adults(patients: DataFrame, admissions: DataFrame) -> DataFrame:
    """People with GENDER and AGE, without those known to be under 18."""
    if "AGE" in patients.columns:
        aged = patients.withColumn("AGE", _middle(F.col("AGE")))
    elif "DOB" in patients.columns and is_clock(admissions, "ADMITTIME"):
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
        *(_category(admissions, name) for name in (*CATEGORICAL, *DESCRIPTIVE) if name != "GENDER"),
    ).where(F.col(LABEL).isin(0, 1))


def _category(df: DataFrame, name: str) -> Column:
    known = F.col(name).cast("string") if name in df.columns else F.lit(None)
    return F.coalesce(known, F.lit(MISSING)).alias(name)


def _first(stays: DataFrame, admissions: DataFrame) -> DataFrame:
    """One stay a person, with INTIME (null where the release has none) and its length."""
    inside = stays.select(
        "SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", _or_null(stays, "INTIME"), _length(stays).alias(MINUTES)
    )
    if is_clock(stays, "INTIME"):
        ordered = inside.withColumn("_CLOCK", F.col("INTIME"))
    elif "ADMITTIME" in admissions.columns:
        clocks = admissions.select("HADM_ID", F.col("ADMITTIME").alias("_CLOCK"))
        ordered = inside.join(clocks, on="HADM_ID", how="left")
    else:
        ordered = inside.withColumn("_CLOCK", F.lit(0))
    order = F.struct(
        F.col("_CLOCK").isNull().alias("unknown"), "_CLOCK", "ICUSTAY_ID", "HADM_ID", "INTIME", MINUTES
    )
    return (
        ordered.groupBy("SUBJECT_ID")
        .agg(F.min(order).alias("first"))
        .select("SUBJECT_ID", *(f"first.{name}" for name in ("HADM_ID", "ICUSTAY_ID", "INTIME", MINUTES)))
    )


def _length(stays: DataFrame) -> Column:
    if "OUTTIME" not in stays.columns:
        return F.lit(None).cast("double")
    start = _or_null(stays, "INTIME")
    return minutes_since(start, is_clock(stays, "INTIME"), stays, "OUTTIME", "ICUSTAYS").cast("double")


def _or_null(df: DataFrame, name: str) -> Column:
    return F.col(name) if name in df.columns else F.lit(None).cast("bigint").alias(name)
