"""The synthetic source: MIMIC-III's shape, whole, the same from every partitioning, with a known outcome."""

import json
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from anon_spark.errors import PolicyError
from anon_spark.mimic3.generate import (
    IDENTITY_TABLE,
    charted,
    death_probability,
    frames,
    generate,
    laboratory,
)
from anon_spark.mimic3.generate.draws import Draws, numbering
from anon_spark.mimic3.generate.outcome import LATENTS, demographic_term, probability
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.mimic3.generate.source import GOLD, admissions, build
from anon_spark.mimic3.schema import TABLES

PATIENTS, EVENTS = 160, 80
ALL_TABLES = {**TABLES, IDENTITY_TABLE.name: IDENTITY_TABLE}
FIRST_DAY = {  # items charted or measured in the first 24 hours, by latent
    "heart_rate": ("CHARTEVENTS", {"211", "220045"}),
    "systolic": ("CHARTEVENTS", {"51", "455", "220179", "220050"}),
    "respiratory_rate": ("CHARTEVENTS", {"618", "615", "220210"}),
    "spo2": ("CHARTEVENTS", {"646", "220277"}),
    "temperature": ("CHARTEVENTS", {"676", "678", "223761", "223762"}),
    "creatinine": ("LABEVENTS", {"50912"}),
    "urea_nitrogen": ("LABEVENTS", {"51006"}),
    "lactate": ("LABEVENTS", {"50813"}),
    "white_cells": ("LABEVENTS", {"51301"}),
}

Source = Mapping[str, pd.DataFrame]


@pytest.fixture(scope="module")
def made(spark: SparkSession, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, dict[str, int]]:
    out = tmp_path_factory.mktemp("generated") / "source"
    return out, generate(spark, out, patients=PATIENTS, events_per_stay=EVENTS, identified=True)


@pytest.fixture(scope="module")
def source(made: tuple[Path, dict[str, int]]) -> Source:
    """Every table as text, null where a cell is empty."""
    return {name: _read(made[0] / f"{name}.csv") for name in ALL_TABLES}


def _read(folder: Path) -> pd.DataFrame:
    parts = sorted(folder.glob("part-*"))
    return pd.concat(
        [pd.read_csv(part, dtype=str, keep_default_na=False, na_values=[""]) for part in parts],
        ignore_index=True,
    )


def test_every_table_is_written_as_declared(made: tuple[Path, dict[str, int]], source: Source) -> None:
    _, rows = made
    assert set(rows) == set(ALL_TABLES)
    for name, table in ALL_TABLES.items():
        assert tuple(source[name].columns) == table.column_names
        assert len(source[name]) == rows[name] > 0
        required = [column.name for column in table.columns if not column.nullable]
        assert not source[name][required].isna().any().any(), name
        if "ROW_ID" in required:
            assert source[name]["ROW_ID"].is_unique


@pytest.fixture(scope="module")
def plain(spark: SparkSession) -> dict[str, DataFrame]:
    """The frames of a source that is not identified."""
    return frames(spark, patients=40, events_per_stay=20)


def test_frames_have_the_declared_types(plain: dict[str, DataFrame]) -> None:
    assert set(plain) == set(TABLES)
    for name, table in TABLES.items():
        assert plain[name].dtypes == [(column.name, column.type) for column in table.columns]


def test_every_foreign_key_holds(source: Source) -> None:
    for name, table in ALL_TABLES.items():
        for key in table.foreign_keys:
            known = source[key.ref_table][key.ref_column]
            assert source[name][key.column].dropna().isin(known).all(), f"{name}.{key.column}"


def _prints(spark: SparkSession, partitions: int) -> dict[str, tuple[int, int]]:
    """Rows and an order-free hash of what holds every draw of the cohort, and of two tables of events."""
    plan = Plan(patients=40, events_per_stay=20, identified=True)
    made = build(spark, plan, partitions=partitions)
    assert made.admissions.rdd.getNumPartitions() == partitions
    drawn = {
        "admissions": made.admissions,
        "stays": made.stays,
        "notes": made.notes,
        "CHARTEVENTS": charted.chart(made.stays, plan),
        "LABEVENTS": laboratory.analyse(made.stays, plan),
    }
    found = {}
    for name, df in drawn.items():
        row = df.agg(F.count(F.lit(1)), F.sum(F.xxhash64(*df.columns).cast("decimal(38,0)"))).first()
        assert row is not None
        found[name] = (row[0], int(row[1]))
    return found


def test_rows_do_not_depend_on_the_partitioning(spark: SparkSession) -> None:
    one = _prints(spark, 1)
    assert all(rows > 0 for rows, _ in one.values())
    assert one == _prints(spark, 3) == _prints(spark, 7)


def test_another_seed_gives_other_people(spark: SparkSession) -> None:
    ids = {
        seed: {row.HADM_ID for row in admissions(spark, patients=40, seed=seed).select("HADM_ID").collect()}
        for seed in (7, 8)
    }
    assert not ids[7] & ids[8]


def test_people_have_few_admissions_and_some_have_many(source: Source) -> None:
    counts = source["ADMISSIONS"].groupby("SUBJECT_ID").size()
    assert len(counts) == PATIENTS
    assert (counts == 1).mean() > 0.75
    assert counts.max() >= 3


def test_times_are_in_order(source: Source) -> None:
    stays = source["ICUSTAYS"].merge(source["ADMISSIONS"], on="HADM_ID")
    assert (stays["ADMITTIME"] <= stays["INTIME"]).all()
    assert (stays["INTIME"] < stays["OUTTIME"]).all()
    assert (stays["OUTTIME"] <= stays["DISCHTIME"]).all()
    charted = source["CHARTEVENTS"].merge(
        source["ICUSTAYS"][["ICUSTAY_ID", "INTIME", "OUTTIME"]], on="ICUSTAY_ID"
    )
    assert charted["CHARTTIME"].between(charted["INTIME"], charted["OUTTIME"]).all()
    ordered = source["ADMISSIONS"].sort_values(["SUBJECT_ID", "ADMITTIME"])
    before = ordered.groupby("SUBJECT_ID")["DISCHTIME"].shift()
    assert (before.isna() | (before < ordered["ADMITTIME"])).all()


def test_deaths_agree_everywhere(source: Source) -> None:
    stays = source["ADMISSIONS"].merge(source["PATIENTS"], on="SUBJECT_ID")
    died = stays["HOSPITAL_EXPIRE_FLAG"] == "1"
    assert 0.05 < died.mean() < 0.25
    assert (stays["DEATHTIME"].notna() == died).all()
    assert ((stays["DISCHARGE_LOCATION"] == "DEAD/EXPIRED") == died).all()
    assert (stays.loc[died, "DOD_HOSP"].str[:10] == stays.loc[died, "DISCHTIME"].str[:10]).all()
    assert (stays["DOD"].notna() == (stays["EXPIRE_FLAG"] == "1")).all()
    last = stays.groupby("SUBJECT_ID")["ADMITTIME"].transform("max")
    assert (stays.loc[died, "ADMITTIME"] == last[died]).all()


def test_the_oddities_of_the_real_data_are_there(source: Source) -> None:
    admitted = source["ADMISSIONS"].merge(source["PATIENTS"], on="SUBJECT_ID")
    years = admitted["ADMITTIME"].str[:4].astype(int) - admitted["DOB"].str[:4].astype(int)
    assert years.between(300, 315).any()
    assert (years == 0).any()
    assert (years[admitted["ADMISSION_TYPE"] == "NEWBORN"] == 0).all()
    assert admitted["ADMITTIME"].str[:4].astype(int).between(2100, 2200).all()
    assert (source["CHARTEVENTS"]["VALUE"] == "None").any()
    remarks = source["LABEVENTS"]["VALUE"].fillna("")
    assert remarks.str.contains("As of 12/2/08 see", regex=False).any()
    for column in ("LANGUAGE", "MARITAL_STATUS", "EDREGTIME"):
        assert source["ADMISSIONS"][column].isna().any()
    assert source["LABEVENTS"]["HADM_ID"].isna().any()
    assert source["CHARTEVENTS"]["ICUSTAY_ID"].isna().any()
    assert source["ADMISSIONS"].groupby("SUBJECT_ID")["ETHNICITY"].nunique().max() > 1
    assert source["DRGCODES"]["DESCRIPTION"].str.contains(",").any()
    assert set(source["ICUSTAYS"]["DBSOURCE"]) == {"carevue", "metavision"}


def test_the_chart_states_what_the_admission_says(source: Source) -> None:
    chart = source["CHARTEVENTS"].merge(source["ADMISSIONS"], on="HADM_ID")
    codes = chart[chart["ITEMID"] == "925"].groupby("MARITAL_STATUS")["VALUE"].unique()
    assert list(codes["MARRIED"]) == ["M"]
    words = chart[chart["ITEMID"] == "226543"].groupby("RELIGION")["VALUE"].unique()
    assert list(words["CATHOLIC"]) == ["Roman Catholic"]
    for itemid in ("926", "920", "226381", "226545", "226228", "226544", "226707"):
        share = chart[chart["ITEMID"] == itemid]["HADM_ID"].nunique() / len(source["ADMISSIONS"])
        assert 0.1 < share < 0.9, itemid


def test_diagnoses_are_numbered_from_one(source: Source) -> None:
    diagnoses = source["DIAGNOSES_ICD"].assign(place=source["DIAGNOSES_ICD"]["SEQ_NUM"].astype(int))
    by_admission = diagnoses.groupby("HADM_ID")["place"]
    assert set(by_admission.groups) == set(source["ADMISSIONS"]["HADM_ID"])
    assert (by_admission.min() == 1).all()
    assert (by_admission.max() == by_admission.size()).all()
    assert diagnoses["ICD9_CODE"].isin(source["D_ICD_DIAGNOSES"]["ICD9_CODE"]).all()


def test_charted_events_have_the_asked_mean(source: Source) -> None:
    per_stay = source["CHARTEVENTS"].groupby("ICUSTAY_ID").size()
    assert abs(per_stay.mean() / EVENTS - 1) < 0.2
    assert per_stay.max() > 2 * per_stay.median()


@pytest.fixture(scope="module")
def known(spark: SparkSession) -> pd.DataFrame:
    """Admissions with the true risk and, beside it, what is left of it without the quasi-identifiers."""
    rows = admissions(spark, patients=3_000)
    coarse = demographic_term(
        age=F.col("years"), insurance=F.col("INSURANCE"), admission_type=F.col("ADMISSION_TYPE")
    )
    columns = [F.col(f"mean_{latent.name}") for latent in LATENTS]
    return (
        rows.select(
            F.col("HADM_ID").cast("string"),
            F.col("died").cast("int").alias("died"),
            probability(F.col("risk")).alias("p"),
            (F.col("risk") - coarse).alias("coarsened"),
            *columns,
        )
        .toArrow()
        .to_pandas()
    )


def test_the_best_reachable_auroc_is_as_documented(known: pd.DataFrame) -> None:
    full = roc_auc_score(known["died"], known["p"])
    coarsened = roc_auc_score(known["died"], known["coarsened"])
    assert 0.84 < full < 0.93
    assert full - coarsened > 0.03
    assert 0.10 < known["died"].mean() < 0.16
    assert abs(known["p"].mean() - known["died"].mean()) < 0.02
    # A near miss must fail: half the coefficients reach less than the documented range.
    noise = np.random.default_rng(7).normal(0, known["coarsened"].std() * 2, len(known))
    assert roc_auc_score(known["died"], known["coarsened"] + noise) < 0.84


def test_death_probability_is_keyed_by_admission(spark: SparkSession, source: Source) -> None:
    truth = death_probability(spark, patients=PATIENTS).toArrow().to_pandas()
    assert set(truth["HADM_ID"].astype(str)) == set(source["ADMISSIONS"]["HADM_ID"])
    assert truth["p"].between(0, 1).all()


def test_measurements_of_the_first_day_recover_the_latents(spark: SparkSession, source: Source) -> None:
    latents = admissions(spark, patients=PATIENTS).select(
        F.col("HADM_ID").cast("string"), *(f"mean_{latent.name}" for latent in LATENTS)
    )
    truth = latents.toArrow().to_pandas().set_index("HADM_ID")
    entered = source["ICUSTAYS"].sort_values("INTIME").drop_duplicates("HADM_ID")[["HADM_ID", "INTIME"]]
    for name, (table, items) in FIRST_DAY.items():
        rows = source[table][source[table]["ITEMID"].isin(items)].dropna(subset=["VALUENUM", "HADM_ID"])
        rows = rows.merge(entered, on="HADM_ID")
        hours = (pd.to_datetime(rows["CHARTTIME"]) - pd.to_datetime(rows["INTIME"])).dt.total_seconds() / 3600
        rows = rows[hours.between(0, 24)]
        value = rows["VALUENUM"].astype(float)
        if name == "temperature":
            value = value.where(value < 60, (value - 32) / 1.8)
        by_admission = value.groupby(rows["HADM_ID"])
        assert len(by_admission) == len(truth), name
        assert by_admission.size().min() >= 3, name
        assert np.corrcoef(by_admission.mean(), truth[f"mean_{name}"].sort_index())[0, 1] > 0.93, name


def test_identity_is_planted_and_the_gold_spans_point_at_it(
    made: tuple[Path, dict[str, int]], source: Source
) -> None:
    people = source["PATIENT_IDENTITY"].set_index("SUBJECT_ID")
    assert people["MRN"].is_unique
    assert people["MRN"].str.fullmatch(r"\d{9}").all()
    assert people["SSN"].is_unique
    assert people["SSN"].str.fullmatch(r"\d{3}-\d{2}-\d{4}").all()
    for table, column in (("CHARTEVENTS", "VALUE"), ("LABEVENTS", "VALUE"), ("ADMISSIONS", "DIAGNOSIS")):
        cells = source[table][[*("SUBJECT_ID", column)]].dropna()
        pairs = zip(cells["SUBJECT_ID"], cells[column].str.upper(), strict=True)
        assert any(
            people.at[who, "NAME"].upper() in text or people.at[who, "MRN"] in text for who, text in pairs
        ), table
    notes = source["NOTEEVENTS"].set_index("ROW_ID")
    lines = [
        json.loads(line) for part in (made[0] / GOLD).glob("part-*") for line in part.read_text().splitlines()
    ]
    assert {str(line["row_id"]) for line in lines} == set(notes.index)
    own = {"NAME": 0, "MRN": 0, "PHONE": 0, "SSN": 0, "DATE": 0}
    for line in lines:
        note = notes.loc[str(line["row_id"])]
        for span in line["spans"]:
            words = note["TEXT"][span["start"] : span["end"]]
            assert words
            assert words == words.strip()
            label = span["label"]
            if label in ("MRN", "PHONE", "SSN"):
                assert words == people.at[note["SUBJECT_ID"], label]
            if label in own:
                own[label] += 1
    assert all(own.values())
    assert notes["TEXT"].str.contains('"').any()
    assert notes["TEXT"].str.contains("\n").all()


def test_a_source_that_is_not_identified_names_nobody(plain: dict[str, DataFrame]) -> None:
    notes = plain["NOTEEVENTS"].agg(F.count(F.lit(1)), F.count("TEXT"), F.countDistinct("TEXT")).first()
    assert notes is not None
    assert notes[0] == notes[1] >= 40
    assert notes[2] <= 6  # the neutral texts


def test_numbers_are_never_given_twice(spark: SparkSession) -> None:
    for count in (10, 90_000, 200_000):
        numbers = numbering(Draws(7), "x", first=2, size=99_989, count=count)
        given = {(n * numbers.multiplier + numbers.shift) % numbers.prime for n in range(count)}
        assert len(given) == count
    ranks = spark.range(1000).select(Plan(patients=1000).rank(F.col("id")).alias("rank"))
    assert ranks.distinct().count() == 1000


def test_a_folder_that_holds_something_is_refused(spark: SparkSession, tmp_path: Path) -> None:
    (tmp_path / "kept").touch()
    with pytest.raises(PolicyError, match="not empty"):
        generate(spark, tmp_path, patients=10)
    assert [p.name for p in tmp_path.iterdir()] == ["kept"]


@pytest.mark.parametrize(
    ("figures", "problem"),
    [
        ({"patients": 0}, "patients must be at least 1"),
        ({"patients": 10, "events_per_stay": 5}, "events_per_stay must be at least 20"),
        ({"patients": 400_000, "events_per_stay": 5_000}, "too large"),
    ],
)
def test_impossible_figures_are_refused_before_anything_runs(figures: dict[str, int], problem: str) -> None:
    with pytest.raises(PolicyError, match=problem):
        Plan(**figures)
