"""The data sets of a comparison: features computed once, kept in a private folder, looked at before learning."""

from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.errors import InputError
from anon_spark.ingest.lake import write_work
from anon_spark.mimic3.cohort import LABEL, Cohort

RAW = "raw"


@dataclass(frozen=True)
class Side:
    """One data set of the comparison: people under the source's ids, features in a private folder."""

    name: str
    people: DataFrame
    numeric: tuple[str, ...]
    notes: tuple[str, ...]
    windows: DataFrame | None = None
    variables: tuple[str, ...] = ()


def prepare_side(
    name: str, cohort: Cohort, folder: Path, *, subjects: DataFrame | None = None, windows: bool = False
) -> Side:
    """Compute the features once, keep them in ``folder``, and see whether anything can be learnt from them.

    Args:
        folder: private, and reachable by every executor.
        subjects: ``(id, pseudonym)``; the cohort's people are renamed to ``id``.
        windows: keep the windows of each stay as well, for models that read sequences.

    Raises:
        InputError: no stays, one outcome only, or variables that are charted without a usable value.
    """
    people = cohort.people
    if subjects is not None:
        names = subjects.select(F.col("pseudonym").alias("SUBJECT_ID"), "id")
        people = people.join(names, on="SUBJECT_ID", how="inner").drop("SUBJECT_ID")
        people = people.withColumnRenamed("id", "SUBJECT_ID")
    read = cohort.people.sparkSession.read
    try:
        write_work(people, folder / "people")
        stored = read.parquet(str(folder / "people"))
        notes = _look(name, cohort, stored)
        told = None
        if windows:
            stays = F.broadcast(stored.select("ICUSTAY_ID", "SUBJECT_ID"))
            write_work(
                cohort.windows.join(stays, on="ICUSTAY_ID", how="inner").drop("ICUSTAY_ID"),
                folder / "windows",
            )
            told = read.parquet(str(folder / "windows"))
    finally:
        cohort.release()
    return Side(
        name,
        stored.drop("HADM_ID", "ICUSTAY_ID"),
        tuple(cohort.numeric),
        tuple(f"{name}: {note}" for note in notes),
        told,
        cohort.variables,
    )


def _look(name: str, cohort: Cohort, stored: DataFrame) -> list[str]:
    """Notes on variables without a value; raises where there is nothing to learn."""
    counts = (
        stored.agg(
            F.count(F.lit(1)).alias("_people"),
            F.coalesce(F.sum(LABEL), F.lit(0)).alias("_positives"),
            *(F.count(f"{variable}_mean").alias(variable) for variable in cohort.variables),
        )
        .collect()[0]
        .asDict()
    )
    people, positives = counts.pop("_people"), counts.pop("_positives")
    if not people:
        raise InputError(f"{name} has no stay for the cohort '{cohort.task.name}'")
    if positives in (0, people):
        raise InputError(
            f"all {people} people of {name} have one outcome ({cohort.task.label}): there is nothing to learn"
        )
    empty = [variable for variable, known in counts.items() if not known]
    return cohort.explain(empty) if empty else []
