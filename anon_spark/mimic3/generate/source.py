"""The synthetic source as a whole: its frames, and its files as MIMIC-III ships them."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import DataFrame, Observation, SparkSession
from pyspark.sql import functions as F

from anon_spark.errors import PolicyError
from anon_spark.mimic3.generate import (
    charted,
    coded,
    cohort,
    dated,
    dictionaries,
    given,
    hospital,
    laboratory,
    notes,
    outcome,
)
from anon_spark.mimic3.generate.identity import IDENTITY_TABLE, identify
from anon_spark.mimic3.generate.plan import EVENTS, Plan
from anon_spark.mimic3.generate.rows import conform
from anon_spark.mimic3.schema import TABLES

GOLD = "gold_notes.jsonl"
WRITERS = 3
ROWS_PER_FILE = 1_000_000
ONE_FILE = 300_000  # tables of fewer rows are written as one file

OF_ADMISSIONS: dict[str, Callable[[DataFrame, Plan], DataFrame]] = {
    "PATIENTS": hospital.register,
    "ADMISSIONS": hospital.number_admissions,
    "SERVICES": hospital.serve,
    "DIAGNOSES_ICD": coded.diagnose,
    "PROCEDURES_ICD": coded.code_procedures,
    "DRGCODES": coded.group,
}
OF_STAYS: dict[str, Callable[[DataFrame, Plan], DataFrame]] = {
    "ICUSTAYS": hospital.number_stays,
    "TRANSFERS": hospital.transfer,
    "CALLOUT": hospital.call_out,
    "CHARTEVENTS": charted.chart,
    "DATETIMEEVENTS": dated.date,
    "LABEVENTS": laboratory.analyse,
    "MICROBIOLOGYEVENTS": laboratory.culture,
    "INPUTEVENTS_CV": given.infuse_carevue,
    "INPUTEVENTS_MV": given.infuse_metavision,
    "OUTPUTEVENTS": given.void,
    "PROCEDUREEVENTS_MV": given.operate,
    "PRESCRIPTIONS": given.prescribe,
    "CPTEVENTS": coded.bill,
}


@dataclass(frozen=True)
class Cohort:
    """The frames that all tables are made from."""

    plan: Plan
    admissions: DataFrame
    stays: DataFrame
    notes: DataFrame


def build(spark: SparkSession, plan: Plan, *, partitions: int | None = None) -> Cohort:
    """Make the cohort: it is small beside the events, and every table starts from it.

    The frames' lineage is cut, since analysing it anew for every table takes longer than making the tables.
    """
    admissions = _admissions(spark, plan, partitions).localCheckpoint()
    stays = charted.prepare(cohort.attend(admissions, plan), plan).localCheckpoint()
    written = notes.note(admissions, plan)
    return Cohort(plan, admissions, stays, written.localCheckpoint() if plan.identified else written)


def _admissions(spark: SparkSession, plan: Plan, partitions: int | None) -> DataFrame:
    people = cohort.populate(spark, plan, partitions=partitions or _partitions(spark, plan))
    return hospital.describe(cohort.admit(identify(people, plan), plan), plan)


def _partitions(spark: SparkSession, plan: Plan) -> int:
    charted = plan.stays * plan.events_per_stay
    return max(min(spark.sparkContext.defaultParallelism, plan.patients), charted // ROWS_PER_FILE)


def frames(
    spark: SparkSession,
    *,
    patients: int,
    events_per_stay: int = 200,
    identified: bool = False,
    seed: int = 7,
    partitions: int | None = None,
) -> dict[str, DataFrame]:
    """Every table of the synthetic source by name, with the declared columns in their order and types.

    The same options and seed give the same rows, whatever the number of ``partitions``.

    Args:
        patients: people; there are 1.27 admissions for each, fewer where people die.
        events_per_stay: rows of CHARTEVENTS of an intensive care stay, on average; at least 20.
        identified: add PATIENT_IDENTITY, and personal text in notes and in cells.
        partitions: of the people, and so of every table.

    Raises:
        PolicyError: when a figure is too small or too large.
    """
    plan = Plan(patients=patients, events_per_stay=events_per_stay, identified=identified, seed=seed)
    return _tables(spark, build(spark, plan, partitions=partitions))


def admissions(spark: SparkSession, *, patients: int, seed: int = 7) -> DataFrame:
    """Every admission of the source with what decides it, for ``outcome.death_probability``."""
    return _admissions(spark, Plan(patients=patients, seed=seed), None)


def death_probability(spark: SparkSession, *, patients: int, seed: int = 7) -> DataFrame:
    """``(HADM_ID, p)``: the true probability of death in hospital of the source's admissions."""
    return outcome.death_probability(admissions(spark, patients=patients, seed=seed))


def _tables(spark: SparkSession, made: Cohort) -> dict[str, DataFrame]:
    plan = made.plan
    found = {
        "D_ITEMS": dictionaries.items(spark),
        "D_LABITEMS": dictionaries.lab_items(spark),
        "D_ICD_DIAGNOSES": dictionaries.icd_codes(spark, "diagnoses"),
        "D_ICD_PROCEDURES": dictionaries.icd_codes(spark, "procedures"),
        "D_CPT": dictionaries.cpt_sections(spark),
        "CAREGIVERS": dictionaries.caregivers(spark, plan),
        "NOTEEVENTS": made.notes,
        **{name: make(made.admissions, plan) for name, make in OF_ADMISSIONS.items()},
        **{name: make(made.stays, plan) for name, make in OF_STAYS.items()},
    }
    tables = {name: conform(found[name], table) for name, table in TABLES.items()}
    if plan.identified:
        tables[IDENTITY_TABLE.name] = conform(made.admissions.where(F.col("j") == 0), IDENTITY_TABLE)
    return tables


def generate(
    spark: SparkSession,
    out: Path | str,
    *,
    patients: int,
    events_per_stay: int = 200,
    identified: bool = False,
    seed: int = 7,
) -> dict[str, int]:
    """Write the synthetic source as CSV, one folder ``OUT/<TABLE>.csv`` of part files for each table.

    An identified source also has ``OUT/gold_notes.jsonl``, a folder of JSON lines ``{"row_id", "spans"}``.

    Args:
        out: a folder that does not exist or is empty.
        patients, events_per_stay, identified, seed: as for ``frames``.

    Returns:
        Rows written, by table.

    Raises:
        PolicyError: when ``out`` holds something, or a figure is too small or too large.
    """
    plan = Plan(patients=patients, events_per_stay=events_per_stay, identified=identified, seed=seed)
    target = Path(out)
    if target.exists() and (not target.is_dir() or any(target.iterdir())):
        raise PolicyError(f"the folder to write the source to is not empty: {target}")
    target.mkdir(parents=True, exist_ok=True)
    made = build(spark, plan)
    tables = _tables(spark, made)
    with ThreadPoolExecutor(WRITERS) as writers:
        # The largest first, so that the small ones fill the gaps beside it.
        order = sorted(tables, key=lambda name: -_expected_rows(plan, name))
        jobs = {
            name: writers.submit(_write, tables[name], target / f"{name}.csv", one=_is_small(plan, name))
            for name in order
        }
        if identified:
            writers.submit(notes.gold(made.notes).coalesce(1).write.json, str(target / GOLD)).result()
        return {name: jobs[name].result() for name in tables}


def _expected_rows(plan: Plan, table: str) -> float:
    if table == "CHARTEVENTS":
        return plan.stays * plan.events_per_stay
    least, share = EVENTS.get(table, (10.0, 0.0))
    return plan.stays * (least + share * plan.events_per_stay)


def _is_small(plan: Plan, table: str) -> bool:
    return _expected_rows(plan, table) < ONE_FILE


def _write(df: DataFrame, path: Path, *, one: bool) -> int:
    counted = Observation(path.stem)
    rows = (df.coalesce(1) if one else df).observe(counted, F.count(F.lit(1)).alias("rows"))
    rows.write.csv(
        str(path),
        header=True,
        quote='"',
        escape='"',
        timestampFormat="yyyy-MM-dd HH:mm:ss",
        ignoreLeadingWhiteSpace=False,
        ignoreTrailingWhiteSpace=False,
    )
    return int(counted.get["rows"])
