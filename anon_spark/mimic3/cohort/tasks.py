"""The four cohorts that models are compared on: one row a person, by the same code from a source or a release.

- ``mortality``: death in hospital, from the first 48 hours (Harutyunyan et al. 2019): adults, first stay of 48
  hours or more, windows of an hour.
- ``sepsis``: death in hospital of adults with sepsis (Singer et al. 2016, Sepsis-3), from 24 hours before its
  onset to 24 hours after, windows of 4 hours (Komorowski et al. 2018).
- ``long_stay``: more than 7 days in intensive care, from the first 24 hours.
- ``readmission``: back in hospital within 30 days of leaving it alive, from the last 24 hours in intensive care.

No feature is of a time at which the outcome may be known: a stay that ends inside the window is not in the cohort,
and dates of death and discharge are read for labels alone.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.errors import InputError, PolicyError, nearest
from anon_spark.ingest.lake import TableReader
from anon_spark.mimic3.cohort.codes import Code, Variable, load_codes, load_variables
from anon_spark.mimic3.cohort.measurements import (
    STAY,
    WINDOW,
    by_stay,
    by_window,
    explain_gaps,
    measured,
    summary_columns,
)
from anon_spark.mimic3.cohort.people import (
    CATEGORICAL,
    DESCRIPTIVE,
    LABEL,
    MINUTES,
    first_adult_stays,
    is_clock,
    minutes_of,
    require,
)
from anon_spark.mimic3.cohort.sepsis import AFTER, BEFORE, score_windows, sepsis_onset

HOUR, DAY = 60, 24 * 60
IDS = ("SUBJECT_ID", "HADM_ID", STAY)


@dataclass(frozen=True)
class Task:
    """What is predicted, and the length of a window in minutes."""

    name: str
    label: str
    minutes: int
    windows: int


class _Made(NamedTuple):
    """Stays with their observed span, the windows of it that have values, and the names of their columns."""

    stays: DataFrame
    windows: DataFrame
    names: list[str]
    cached: tuple[DataFrame, ...]


TASKS = {
    task.name: task
    for task in (
        Task("mortality", "death in hospital, from the first 48 hours in intensive care", HOUR, 48),
        Task(
            "sepsis",
            "death in hospital with sepsis, from the day before to the day after its onset",
            4 * HOUR,
            12,
        ),
        Task("long_stay", "more than 7 days in intensive care, from the first 24 hours", HOUR, 24),
        Task(
            "readmission",
            "back in hospital within 30 days, from the last 24 hours in intensive care",
            HOUR,
            24,
        ),
    )
}


@dataclass(frozen=True)
class Cohort:
    """People with label and features, their windows, and what could not be had.

    ``people``: ``(*IDS, label: int, *CATEGORICAL, *DESCRIPTIVE: string, *numeric: double)``, one row a person.
    ``windows``: ``(ICUSTAY_ID, window: int, *variables: double)``, sparse: a row for a window that has a value.
    ``explain``: says why variables have no value in all the people, or raises (see ``explain_gaps``).
    """

    task: Task
    people: DataFrame
    windows: DataFrame
    variables: tuple[str, ...]
    explain: Callable[[Sequence[str]], list[str]]
    cached: tuple[DataFrame, ...] = ()

    def release(self) -> None:
        """Free what is cached, once the frames have been used."""
        for frame in self.cached:
            frame.unpersist()

    @property
    def numeric(self) -> list[str]:
        """The numeric features: age, then the summaries of every variable."""
        return ["AGE", *summary_columns(self.variables)]


def find_task(name: str) -> Task:
    """The task of that name.

    Raises:
        PolicyError: there is none.
    """
    if name not in TASKS:
        raise PolicyError(f"unknown cohort '{name}'; known: {', '.join(TASKS)}{nearest(name, TASKS)}")
    return TASKS[name]


def build_cohort(
    read: TableReader,
    task: Task,
    *,
    sets: Sequence[str] = ("benchmark",),
    hidden: frozenset[int] = frozenset(),
) -> Cohort:
    """Build the cohort of ``task``; no job runs before its frames are used, and ``release`` ends their caching.

    Args:
        read: tables of a release or of the source.
        sets: the variables, by ``conf/items/variables.csv``; sepsis has those of its score as well.
        hidden: item ids whose values the release's policy suppresses.

    Raises:
        InputError: a column is not there, clocks cannot be compared, or the outcome cannot be told.
    """
    wanted = dict.fromkeys([*sets, "sofa", "laboratory"] if task.name == "sepsis" else sets)
    variables = load_variables(*wanted)
    codes = load_codes(variables)
    require(read("ICUSTAYS"), "ICUSTAYS", "OUTTIME")
    stays = first_adult_stays(read).persist()  # a few numbers a person, which every table is joined with
    kept, windows, names, cached = (_septic if task.name == "sepsis" else _plain)(
        read, task, stays, variables, codes
    )
    summaries = by_stay(windows, names)
    people = kept.join(summaries, on=STAY, how="left")
    counts = [name for name in summary_columns(names) if name.endswith("_count")]
    return Cohort(
        task,
        people.fillna(0.0, subset=counts).select(
            *IDS, LABEL, *CATEGORICAL, *DESCRIPTIVE, "AGE", *summary_columns(names)
        ),
        windows,
        tuple(names),
        lambda empty: explain_gaps(
            read,
            kept,
            codes,
            empty=[name for name in empty if name in {v.name for v in variables}],
            hidden=hidden,
        ),
        (stays, *cached),
    )


def _plain(
    read: TableReader, task: Task, stays: DataFrame, variables: Sequence[Variable], codes: Sequence[Code]
) -> _Made:
    """Stays with their observed span, its windows, and the variables."""
    kept = {"mortality": _mortality, "long_stay": _long_stay, "readmission": _readmission}[task.name](
        read, stays
    )
    values = measured(read, kept, codes).join(F.broadcast(kept.select(STAY, "begin")), on=STAY, how="inner")
    windows = by_window(values, variables, minutes=task.minutes, begin=F.col("begin"))
    return _Made(kept, windows, [variable.name for variable in variables], ())


def _mortality(_read: TableReader, stays: DataFrame) -> DataFrame:
    return _observed(stays.where(F.col(MINUTES) >= 2 * DAY), 0, 2 * DAY)


def _long_stay(_read: TableReader, stays: DataFrame) -> DataFrame:
    longer = (F.col(MINUTES) > 7 * DAY).cast("int")
    return _observed(stays.where(F.col(MINUTES) >= DAY).withColumn(LABEL, longer), 0, DAY)


def _readmission(read: TableReader, stays: DataFrame) -> DataFrame:
    """Those who left alive; the label is another admission of theirs that begins within 30 days of leaving."""
    admissions = read("ADMISSIONS")
    require(admissions, "ADMISSIONS", "SUBJECT_ID", "HADM_ID", "ADMITTIME", "DISCHTIME")
    if is_clock(admissions, "ADMITTIME") != is_clock(admissions, "DISCHTIME"):
        raise InputError(
            "ADMISSIONS has one of ADMITTIME and DISCHTIME as a clock and one elapsed: readmission cannot be told"
        )
    # elapsed minutes count from the person's first stay, so those of two admissions compare
    left = admissions.select("HADM_ID", minutes_of(admissions, "DISCHTIME").alias("_left"))
    others = admissions.select(
        "SUBJECT_ID", F.col("HADM_ID").alias("_other"), minutes_of(admissions, "ADMITTIME").alias("_came")
    )
    index = stays.where((F.col(LABEL) == 0) & (F.col(MINUTES) >= 1)).join(left, on="HADM_ID", how="inner")
    gap = F.col("_came") - F.col("_left")
    back = (
        index.select("SUBJECT_ID", "HADM_ID", "_left")
        .join(others, on="SUBJECT_ID", how="inner")
        .where((F.col("_other") != F.col("HADM_ID")) & gap.between(0, 30 * DAY))
        .select("HADM_ID", F.lit(1).alias("_back"))
        .distinct()
    )
    known = index.where("_left is not null").join(back, on="HADM_ID", how="left")
    last = F.floor(F.col(MINUTES))
    return _observed(
        known.withColumn(LABEL, F.coalesce("_back", F.lit(0))), F.greatest(last - DAY, F.lit(0)), last
    )


def _septic(
    read: TableReader, task: Task, stays: DataFrame, variables: Sequence[Variable], codes: Sequence[Code]
) -> _Made:
    """Stays with sepsis, the windows around its onset, and the variables with the score."""
    whole = _observed(stays.where(F.col(MINUTES) > 0), 0, F.ceil(F.col(MINUTES)))
    values = measured(read, whole, codes)
    windows = by_window(values, variables, minutes=task.minutes, begin=F.lit(0))
    # read twice: for the onset, and for what is around it
    grid = score_windows(windows, whole, task.minutes).persist()
    onset = sepsis_onset(read, whole, grid, minutes=task.minutes)
    # the window after the onset must have passed: who dies or leaves inside it would tell the outcome
    kept = whole.join(onset, on=STAY, how="inner").where(
        F.col(MINUTES) >= (F.col("onset") + AFTER) * task.minutes
    )
    place = F.col(WINDOW) - F.col("onset")
    around = (
        grid.join(kept.select(STAY, "onset"), on=STAY, how="inner")
        .where((place >= -BEFORE) & (place < AFTER))
        .withColumn(WINDOW, place + BEFORE)
        .drop("onset")
    )
    return _Made(kept, around, [*(variable.name for variable in variables), "sofa"], (grid,))


def _observed(stays: DataFrame, begin: Column | int, end: Column | int) -> DataFrame:
    """The stays with the span of minutes that features are of."""
    span = {"begin": begin, "end": end}
    return stays.withColumns(
        {name: (F.lit(at) if isinstance(at, int) else at).cast("int") for name, at in span.items()}
    )
