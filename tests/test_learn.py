"""Cohort, preprocessing, measures and training, against plain pandas and figures worked out by hand."""

import datetime as dt
import json
import math
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.ml import PipelineModel
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from xgboost import Booster, DMatrix

from anon_spark.errors import GateRefusedError, InputError, PolicyError
from anon_spark.ingest.lake import TableReader
from anon_spark.learn import train as training
from anon_spark.learn.boost import BoostConfig, split_people, worker_count
from anon_spark.learn.caveats import small_cell_safe
from anon_spark.learn.evaluate import METRICS, choose_threshold, measure
from anon_spark.learn.preprocess import feature_count, fit_preprocessing
from anon_spark.learn.settings import load_settings
from anon_spark.learn.train import train_models
from anon_spark.mimic3.cohort import CATEGORICAL, first_stays, load_items, numeric_columns
from anon_spark.mimic3.schema import TABLES

Tables = dict[str, pd.DataFrame]

DEMO = Path(__file__).parents[2] / "shared" / "data" / "mimic3_demo"
ARROW = {
    "int": pa.int64(),
    "bigint": pa.int64(),
    "double": pa.float64(),
    "string": pa.string(),
    "timestamp": pa.timestamp("us", tz="UTC"),
}
COLUMNS = {
    "PATIENTS": ["SUBJECT_ID", "GENDER", "DOB"],
    "ADMISSIONS": [
        "SUBJECT_ID",
        "HADM_ID",
        "ADMITTIME",
        "ADMISSION_TYPE",
        "INSURANCE",
        "MARITAL_STATUS",
        "ETHNICITY",
        "HOSPITAL_EXPIRE_FLAG",
    ],
    "ICUSTAYS": ["SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "INTIME"],
    "CHARTEVENTS": ["SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "ITEMID", "CHARTTIME", "VALUENUM", "ERROR"],
    "LABEVENTS": ["SUBJECT_ID", "HADM_ID", "ITEMID", "CHARTTIME", "VALUENUM"],
}
HEART, FAHRENHEIT, CREATININE, LACTATE = 220045, 678, 50912, 50813
ITEMS = [item for item in load_items() if item.itemid in (HEART, FAHRENHEIT, CREATININE, LACTATE)]
EPOCH = pd.Timestamp("2130-01-01T08:00:00")
QUICK = BoostConfig.model_validate(
    {"split_seed": 3, "booster": {"n_estimators": 15, "early_stopping_rounds": 5, "max_depth": 3}}
)


def hours(number: float) -> pd.Timedelta:
    return pd.Timedelta(minutes=round(number * 60))


def make_tables(people: int, seed: int = 1) -> Tables:
    """A source of ``people`` adults with one stay each; those who die have the faster heart."""
    rng = np.random.default_rng(seed)
    rows: dict[str, list[list[Any]]] = {name: [] for name in COLUMNS}
    for number in range(people):
        subject, hadm, stay = 100 + number, 20_000 + number, 300_000 + number
        intime = EPOCH + pd.Timedelta(minutes=int(rng.integers(0, 500_000)))
        dies = int(rng.random() < 0.35)
        born = intime - pd.Timedelta(days=int(rng.integers(19 * 366, 85 * 365)))
        rows["PATIENTS"].append([subject, str(rng.choice(["F", "M"])), born.normalize()])
        rows["ADMISSIONS"].append(
            [
                subject,
                hadm,
                intime - hours(2),
                str(rng.choice(["EMERGENCY", "ELECTIVE"])),
                str(rng.choice(["Medicare", "Private"])),
                None if rng.random() < 0.2 else "MARRIED",
                str(rng.choice(["WHITE", "ASIAN"])),
                dies,
            ]
        )
        rows["ICUSTAYS"].append([subject, hadm, stay, intime])
        for at in (-1, 0, 5.5, 23.9, 24, 40):
            rate = float(np.round(rng.normal(80 + 25 * dies, 8), 1))
            rows["CHARTEVENTS"].append([subject, hadm, stay, HEART, intime + hours(at), rate, 0])
        rows["CHARTEVENTS"].append([subject, hadm, stay, HEART, intime + hours(3), 9999.0, 0])
        rows["CHARTEVENTS"].append([subject, hadm, stay, HEART, intime + hours(3), 250.0, 1])
        rows["CHARTEVENTS"].append([subject, hadm, stay, FAHRENHEIT, intime + hours(2), 98.6, None])
        for at in (-7, -5, 3, 30):
            value = float(np.round(rng.lognormal(0.1 + dies, 0.4), 2))
            rows["LABEVENTS"].append([subject, hadm, CREATININE, intime + hours(at), value])
        if rng.random() < 0.5:
            rows["LABEVENTS"].append([subject, hadm, LACTATE, intime + hours(1), float(1 + 2 * dies)])
    return {name: pd.DataFrame(rows[name], columns=columns) for name, columns in COLUMNS.items()}


def reader(spark: SparkSession, tables: Tables) -> TableReader:
    """The tables as Spark reads them from Arrow: whole numbers are bigint, clocks timestamps in UTC."""

    def kind(name: str, column: str) -> pa.DataType:
        if tables[name][column].dtype.kind in "iu":
            return pa.int64()
        return ARROW["string" if column == "AGE" else TABLES[name].type_of(column)]

    frames = {
        name: spark.createDataFrame(
            pa.table(
                {
                    column: pa.array(table[column], type=kind(name, column), from_pandas=True)
                    for column in table.columns
                }
            )
        )
        for name, table in tables.items()
    }
    return frames.__getitem__


def rename_people(tables: Tables) -> tuple[Tables, pd.DataFrame]:
    """The same tables under pseudonyms, with the map of people."""
    renamed = {name: table.copy() for name, table in tables.items()}
    ids = tables["PATIENTS"]["SUBJECT_ID"]
    subjects = pd.DataFrame({"id": ids, "pseudonym": 2**52 + ids * 7919 % 100_003})
    for table in renamed.values():
        table["SUBJECT_ID"] = table["SUBJECT_ID"].map(subjects.set_index("id")["pseudonym"])
        for column, prime in (("HADM_ID", 104_729), ("ICUSTAY_ID", 1_299_709)):
            if column in table:
                table[column] = 2**52 + table[column] * prime % 15_485_863
    return renamed, subjects


def completed_years(tables: Tables) -> pd.Series:
    first = tables["ADMISSIONS"].groupby("SUBJECT_ID")["ADMITTIME"].min()
    born = tables["PATIENTS"].set_index("SUBJECT_ID")["DOB"]
    before = [(a.month, a.day) < (b.month, b.day) for a, b in zip(first[born.index], born, strict=True)]
    years = first[born.index].dt.year - born.dt.year - before
    return pd.Series(years.clip(upper=90), dtype=float)


def release_of(tables: Tables, *, band: int, elapsed: bool) -> Tables:
    """A release: pseudonyms, ages as text, clocks shifted by whole weeks or turned into minutes."""
    ages = completed_years(tables).astype(int)
    text = ages.astype(str) if band == 1 else (ages // band * band).map(lambda low: f"{low}-{low + band - 1}")
    release, _ = rename_people(tables)
    release["PATIENTS"]["AGE"] = text.to_numpy()
    release["PATIENTS"] = release["PATIENTS"].drop(columns="DOB")
    intime = release["ICUSTAYS"].set_index("HADM_ID")["INTIME"]
    for name, column in (("CHARTEVENTS", "CHARTTIME"), ("LABEVENTS", "CHARTTIME"), ("ICUSTAYS", "INTIME")):
        table = release[name]
        if elapsed:
            since = table[column] - table["HADM_ID"].map(intime)
            table[column] = (since.dt.total_seconds() // 60).astype(int)
        else:
            table[column] += pd.Timedelta(weeks=11)
    if elapsed:
        release["ADMISSIONS"] = release["ADMISSIONS"].drop(columns="ADMITTIME")
    else:
        release["ADMISSIONS"]["ADMITTIME"] += pd.Timedelta(weeks=11)
    return release


def features_of(df: DataFrame) -> pd.DataFrame:
    features: pd.DataFrame = df.toArrow().to_pandas()
    return features.sort_values("SUBJECT_ID", ignore_index=True)


@pytest.fixture(scope="module")
def source() -> Tables:
    return make_tables(40)


@pytest.fixture(scope="module")
def raw(spark: SparkSession, source: Tables) -> pd.DataFrame:
    """Features of the source, by the code under test."""
    return features_of(first_stays(reader(spark, source), items=ITEMS))


def test_features_equal_a_plain_computation(source: Tables, raw: pd.DataFrame) -> None:
    cohort = raw
    intime = source["ICUSTAYS"].set_index("HADM_ID")["INTIME"]

    def window(name: str, itemid: int, start: float, low: float, high: float) -> Any:
        events = source[name][source[name]["ITEMID"] == itemid]
        since = (events["CHARTTIME"] - events["HADM_ID"].map(intime)).dt.total_seconds() / 3600
        wrong = events["ERROR"] == 1 if "ERROR" in events else False
        kept = events[(since >= start) & (since < 24) & events["VALUENUM"].between(low, high) & ~wrong]
        return kept.groupby("SUBJECT_ID")["VALUENUM"]

    heart = window("CHARTEVENTS", HEART, 0, 1, 299)
    assert heart.count().eq(3).all(), "0 h, 5.5 h and 23.9 h; not -1 h, 24 h, 40 h, 9999 or a marked error"
    for name in ("mean", "min", "max"):
        np.testing.assert_allclose(cohort[f"heart_rate_{name}"], heart.agg(name), atol=1e-6)
    creatinine = window("LABEVENTS", CREATININE, -6, 0, 40)
    assert creatinine.count().eq(2).all(), "-5 h and 3 h; not -7 h, 30 h"
    np.testing.assert_allclose(cohort["creatinine_mean"], creatinine.mean(), atol=1e-6)
    lactate = window("LABEVENTS", LACTATE, -6, 0, 50).mean().reindex(cohort["SUBJECT_ID"])
    np.testing.assert_array_equal(cohort["lactate_mean"], lactate)
    assert cohort["temperature_mean"].eq(37.0).all(), "98.6 F"
    assert cohort["AGE"].tolist() == completed_years(source).tolist()
    admissions = source["ADMISSIONS"].fillna({"MARITAL_STATUS": "missing"})
    for column in ("ETHNICITY", "ADMISSION_TYPE", "INSURANCE", "MARITAL_STATUS"):
        assert cohort[column].tolist() == admissions[column].tolist()
    assert cohort["label"].tolist() == source["ADMISSIONS"]["HOSPITAL_EXPIRE_FLAG"].tolist()
    assert list(cohort.columns) == [
        "SUBJECT_ID",
        "HADM_ID",
        "ICUSTAY_ID",
        "label",
        *CATEGORICAL,
        *numeric_columns(ITEMS),
    ]


def test_only_the_first_day_counts(spark: SparkSession, source: Tables) -> None:
    small = {name: table[table["SUBJECT_ID"] < 105] for name, table in source.items()}
    intime = small["ICUSTAYS"].set_index("HADM_ID")["INTIME"]

    def with_events_at(*hour: float) -> pd.DataFrame:
        tables = dict(small)
        for name in ("CHARTEVENTS", "LABEVENTS"):
            one = small[name].drop_duplicates(["HADM_ID", "ITEMID"]).assign(VALUENUM=38.5)
            start = one["HADM_ID"].map(intime)
            tables[name] = pd.concat([small[name], *(one.assign(CHARTTIME=start + hours(h)) for h in hour)])
        return features_of(first_stays(reader(spark, tables), items=ITEMS))

    before = with_events_at()
    assert with_events_at(24, 72, 400).equals(before)
    assert not with_events_at(23.99).equals(before), "a near miss that must be seen"


@pytest.mark.parametrize("elapsed", [False, True], ids=["shifted", "elapsed"])
def test_a_release_gives_the_features_of_its_source(
    spark: SparkSession, source: Tables, raw: pd.DataFrame, elapsed: bool
) -> None:
    cohort = first_stays(reader(spark, release_of(source, band=10, elapsed=elapsed)), items=ITEMS)
    release = features_of(cohort).drop(columns=["HADM_ID", "ICUSTAY_ID"])
    names = rename_people(source)[1].set_index("id")["pseudonym"]
    same = raw.assign(SUBJECT_ID=raw["SUBJECT_ID"].map(names), AGE=raw["AGE"] // 10 * 10 + 4.5)
    same = same.sort_values("SUBJECT_ID", ignore_index=True).drop(columns=["HADM_ID", "ICUSTAY_ID"])
    pd.testing.assert_frame_equal(same, release)


def test_elapsed_minutes_of_admissions_find_the_first_stay(spark: SparkSession) -> None:
    tables = make_tables(2)
    tables["ADMISSIONS"]["ADMITTIME"] = [-120, 90_000]
    tables["ICUSTAYS"]["INTIME"] = 0
    for name in ("CHARTEVENTS", "LABEVENTS"):
        tables[name]["CHARTTIME"] = 60
    for name in tables:  # both stays are one person's; the ids tell nothing
        tables[name]["SUBJECT_ID"] = 100
    tables["ICUSTAYS"]["ICUSTAY_ID"] = [9, 5]
    tables["PATIENTS"] = tables["PATIENTS"].iloc[:1].drop(columns="DOB")
    cohort = features_of(first_stays(reader(spark, tables), items=ITEMS))
    assert cohort["ICUSTAY_ID"].tolist() == [9]
    assert cohort["AGE"].isna().all()


def test_ages_of_a_release_are_middles_and_children_go(spark: SparkSession) -> None:
    bands = ["60-69", "90+", "7", "*", None, "0-17", "10-19", "15-24", "18", "nonsense"]
    tables = make_tables(len(bands))
    tables["PATIENTS"] = tables["PATIENTS"].drop(columns="DOB")
    tables["PATIENTS"]["AGE"] = pd.Series(bands)
    tables["ADMISSIONS"].loc[4, "ADMISSION_TYPE"] = "NEWBORN"  # of unknown age
    cohort = features_of(first_stays(reader(spark, tables), items=ITEMS))
    ages: dict[int, float] = dict(zip(cohort["SUBJECT_ID"] - 100, cohort["AGE"], strict=True))
    assert {number for number, age in ages.items() if math.isnan(age)} == {3, 9}
    assert {number: age for number, age in ages.items() if not math.isnan(age)} == {
        0: 64.5,
        1: 90.0,
        7: 19.5,
        8: 18.0,
    }


def test_ages_of_the_source_are_completed_years_at_the_first_admission(spark: SparkSession) -> None:
    tables = make_tables(4)
    admitted = tables["ADMISSIONS"]["ADMITTIME"]
    day = admitted.dt.normalize()
    tables["PATIENTS"]["DOB"] = [
        day[0] - pd.DateOffset(years=18),
        day[1] - pd.DateOffset(years=18) + pd.Timedelta(days=1),
        dt.datetime(1830, 1, 1),
        day[3] - pd.DateOffset(years=17, months=6),
    ]
    # the fourth comes again as an adult: still a child at the first admission
    again = tables["ADMISSIONS"].iloc[[3]].assign(HADM_ID=1, ADMITTIME=admitted[3] + pd.DateOffset(years=2))
    tables["ADMISSIONS"] = pd.concat([tables["ADMISSIONS"], again])
    cohort = features_of(first_stays(reader(spark, tables), items=ITEMS))
    assert dict(zip(cohort["SUBJECT_ID"], cohort["AGE"], strict=True)) == {100: 18.0, 102: 90.0}


def test_the_earliest_stay_is_taken_and_ties_go_by_id(spark: SparkSession) -> None:
    tables = make_tables(2)
    stays = tables["ICUSTAYS"]
    earlier = stays.iloc[[0]].assign(ICUSTAY_ID=999_999, INTIME=stays["INTIME"] - hours(50))
    twin = stays.iloc[[1]].assign(ICUSTAY_ID=5)
    tables["ICUSTAYS"] = pd.concat([stays, earlier, twin])
    cohort = features_of(first_stays(reader(spark, tables), items=ITEMS))
    assert cohort["ICUSTAY_ID"].tolist() == [999_999, 5]
    assert cohort["heart_rate_mean"].isna().all(), "the values are of the other stay"


def test_clocks_without_a_start_are_refused(spark: SparkSession) -> None:
    tables = make_tables(2)
    tables["ICUSTAYS"]["INTIME"] = 0
    with pytest.raises(InputError, match="CHARTTIME is a clock but"):
        first_stays(reader(spark, tables))
    tables["ICUSTAYS"] = tables["ICUSTAYS"].drop(columns="HADM_ID")
    with pytest.raises(InputError, match="table ICUSTAYS lacks HADM_ID"):
        first_stays(reader(spark, tables))


def test_items_are_sound() -> None:
    items = load_items()
    assert len({(item.source, item.itemid) for item in items}) == len(items), "a code measures one thing"
    assert len({item.feature for item in items}) == len({(item.feature, item.source) for item in items})
    assert {item.source for item in items} == {"CHARTEVENTS", "LABEVENTS"}
    assert {item.convert for item in items} == {"", "fahrenheit_to_celsius"}
    assert all(item.low < item.high for item in items)


def test_preprocessing_by_hand_and_of_training_people_only(spark: SparkSession) -> None:
    schema = "id int, x double, same double, never double, rare double, kind string"
    train = spark.createDataFrame(
        [
            (1, 2.0, 5.0, None, None, "a"),
            (2, 4.0, 5.0, None, 1.0, "b"),
            (3, None, 5.0, None, None, "a"),
            (4, 10.0, 5.0, None, 2.0, "b"),
        ],
        schema,
    )
    others = spark.createDataFrame(
        [(5, 12.0, 7.0, 1.0, 3.0, "new"), (6, None, None, None, None, "b")], schema
    )
    names = ["x", "same", "never", "rare"]
    model = fit_preprocessing(
        train, numeric=names, categorical=["kind"], flagged=names, quantile=0.0, small_cell=1
    )
    prepared = model.transform(train.union(others))
    vectors = {row["id"]: row["features"].toArray().tolist() for row in prepared.collect()}
    # One person beyond each bound of x leaves one value, 4, between them: it says nothing. The two of rare are
    # too few for bounds. What stays: kind a, kind b, x is absent, rare is absent.
    assert vectors == {
        1: [1.0, 0.0, 0.0, 1.0],
        2: [0.0, 1.0, 0.0, 0.0],
        3: [1.0, 0.0, 1.0, 1.0],
        4: [0.0, 1.0, 0.0, 0.0],
        5: [0.0, 0.0, 0.0, 0.0],
        6: [0.0, 1.0, 1.0, 1.0],
    }
    assert feature_count(prepared) == 4
    with pytest.raises(InputError, match="no feature"):
        fit_preprocessing(train, numeric=["never"], categorical=[])


def test_no_extreme_of_one_person_is_in_the_scale(spark: SparkSession) -> None:
    values = [float(n) for n in range(1, 101)]  # 1 to 100
    rows = [(n, value) for n, value in enumerate(values)] + [(n, None) for n in range(100, 120)]
    train = spark.createDataFrame(rows, "id int, x double")
    fit = {"numeric": ["x"], "categorical": [], "flagged": ["x"]}
    model = fit_preprocessing(train, **fit)
    statement = model.stages[0].getStatement()
    # 11 people beyond each bound: 12 and 89; the median of 1 to 100 is 50.5
    assert "12.0D" in statement
    assert "89.0D" in statement
    probe = spark.createDataFrame([(1, 1.0), (2, 12.0), (3, 50.5), (4, 1e9), (5, None)], "id int, x double")
    vectors = [row["features"].toArray().tolist() for row in model.transform(probe).orderBy("id").collect()]
    assert vectors == [[0.0, 0.0], [0.0, 0.0], [0.5, 0.0], [1.0, 0.0], [0.5, 1.0]]
    # the richest of all moves nothing
    moved = train.withColumn("x", F.when(F.col("id") == 99, 1e12).otherwise(F.col("x")))
    assert fit_preprocessing(moved, **fit).stages[0].getStatement() == statement
    near = train.withColumn("x", F.when(F.col("id") >= 88, F.col("x") + 1).otherwise(F.col("x")))
    assert fit_preprocessing(near, **fit).stages[0].getStatement() != statement, "a bound itself has moved"


def test_what_says_nothing_of_the_outcome_is_left_out(spark: SparkSession) -> None:
    dice = np.random.default_rng(7)
    label, noise = dice.integers(0, 2, 200), dice.normal(size=(200, 3))
    table = pd.DataFrame({"label": label, "x": noise[:, 0] + 2 * label, "y": noise[:, 1], "z": noise[:, 2]})
    table["kind"] = np.where(label == 1, "a", "b")
    train = spark.createDataFrame(table)
    fit = {"numeric": ["x", "y", "z"], "categorical": ["kind"]}
    kept = fit_preprocessing(train, label="label", **fit).transform(train)
    assert _names(kept) == ["_x_scaled", "_kind_is_a", "_kind_is_b"]
    assert feature_count(kept) == 3
    assert feature_count(fit_preprocessing(train, **fit).transform(train)) == 5
    # where nothing tells the outcomes apart, there is no ground to leave anything out
    chance = {"numeric": ["y", "z"], "categorical": []}
    assert _names(fit_preprocessing(train, label="label", **chance).transform(train)) == [
        "_y_scaled",
        "_z_scaled",
    ]


def _names(prepared: DataFrame) -> list[str]:
    attributes = prepared.schema["features"].metadata["ml_attr"]["attrs"].values()
    return [one["name"] for one in sorted((a for kind in attributes for a in kind), key=lambda a: a["idx"])]


def test_no_person_is_in_two_folds(spark: SparkSession) -> None:
    people = spark.range(2**52, 2**52 + 5000).withColumnRenamed("id", "SUBJECT_ID")
    twice = people.union(people.orderBy(F.desc("SUBJECT_ID"))).repartition(3)
    config = load_settings(BoostConfig, "xgboost")
    folds = split_people(twice, config=config).groupBy("SUBJECT_ID").agg(F.collect_set("fold").alias("folds"))
    sizes = folds.groupBy("folds").count().collect()
    shares = {row["folds"][0]: row["count"] / 5000 for row in sizes}
    assert len(sizes) == 3
    assert all(len(row["folds"]) == 1 for row in sizes)
    for fold, share in (("train", 0.6), ("validation", 0.2), ("test", 0.2)):
        assert abs(shares[fold] - share) < 5 * math.sqrt(share * (1 - share) / 5000)
    other = split_people(people, config=config.model_copy(update={"split_seed": 1}))
    moved = split_people(people, config=config).exceptAll(other).count()
    assert moved > 1000, "another seed is another split"


def test_metrics_by_hand() -> None:
    labels, scores = [1, 1, 1, 0, 0, 0, 0, 0], [0.9, 0.8, 0.3, 0.7, 0.4, 0.2, 0.1, 0.05]
    # at 0.4: 2 hits, 2 false alarms, 1 missed; 13 of 15 pairs in order less those that 0.3 loses
    result = measure(labels, scores, threshold=0.4)
    assert result == {
        "auroc": pytest.approx(13 / 15),
        "auprc": pytest.approx((1 / 1 + 2 / 2 + 3 / 5) / 3),
        "accuracy": pytest.approx(5 / 8),
        "precision": pytest.approx(2 / 4),
        "recall": pytest.approx(2 / 3),
        "f1": pytest.approx(4 / 7),
    }
    assert tuple(result) == METRICS
    best = choose_threshold(labels, scores)
    f1 = {at: measure(labels, scores, threshold=at)["f1"] or 0.0 for at in scores}
    assert f1[best] == max(f1.values()) == pytest.approx(0.8)
    assert best == 0.8


@pytest.mark.parametrize(
    ("labels", "undefined"),
    [
        ([0, 0], {"auroc", "auprc", "recall"}),
        ([1, 1], {"auroc"}),
        ([], {"auroc", "auprc", "accuracy", "precision", "recall", "f1"}),
    ],
    ids=["no death", "only deaths", "no one"],
)
def test_undefined_metrics_are_null_never_nan(labels: list[int], undefined: set[str]) -> None:
    result = measure(labels, [0.1, 0.9][: len(labels)], threshold=0.5)
    assert {name for name, value in result.items() if value is None} == undefined
    json.dumps(result, allow_nan=False)
    assert measure([0, 1], [0.1, 0.2], threshold=0.5)["precision"] is None
    assert choose_threshold([0, 0], [0.1, 0.9]) == 0.5


def test_settings_are_checked_before_anything_runs(tmp_path: Path) -> None:
    config = load_settings(BoostConfig, "xgboost")
    assert config.workers >= 2
    path = tmp_path / "model.yaml"
    path.write_text("booster: {max_deph: 3, min_child_weight: 1}\nworkers: 0\n")
    with pytest.raises(PolicyError) as error:
        load_settings(BoostConfig, "xgboost", path)
    assert error.value.exit_code == 2
    assert sorted(problem.split(": ")[1] for problem in error.value.problems) == [
        "booster.max_deph",
        "booster.min_child_weight",
        "workers",
    ]
    path.write_text("train_share: 0.7\nvalidation_share: 0.3\n")
    with pytest.raises(PolicyError, match="no one for the test"):
        load_settings(BoostConfig, "xgboost", path)


def test_training_on_release_and_source(
    spark: SparkSession,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    tables = make_tables(300)
    release = release_of(tables, band=1, elapsed=True)
    gone = set(release["PATIENTS"]["SUBJECT_ID"][:12])  # suppressed: in the source only
    release = {name: table[~table["SUBJECT_ID"].isin(gone)] for name, table in release.items()}
    map_of_people = rename_people(tables)[1]
    subjects = spark.createDataFrame(pa.table(dict(map_of_people.items())))
    fitted: list[set[str]] = []
    models = []

    def spy_on(name: str, note: Callable[[Any, Any], None]) -> None:
        real = getattr(training, name)

        def spied(data: DataFrame, **settings: Any) -> Any:
            result = real(data, **settings)
            note(data, result)
            return result

        monkeypatch.setattr(training, name, spied)

    spy_on(
        "fit_preprocessing",
        lambda data, _: fitted.append({row["fold"] for row in data.select("fold").distinct().collect()}),
    )
    spy_on("fit_boost", lambda _, model: models.append(model))
    batches = spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch")
    document = train_models(
        spark,
        release=reader(spark, release),
        baseline=reader(spark, tables),
        subjects=subjects,
        work=tmp_path / "work",
        model_dir=tmp_path / "model",
        config=QUICK,
    )
    assert spark.conf.get("spark.sql.execution.arrow.maxRecordsPerBatch") == batches
    assert capfd.readouterr().out == ""
    assert fitted == [{"train"}, {"train"}]
    slots = spark.sparkContext.defaultParallelism
    assert {model.getOrDefault(model.num_workers) for model in models} == {min(2, slots)}
    # nothing but names differs, so with the same people in the same folds the two models are the same
    assert document["raw"] == document["release"]
    assert document["release"]["auroc"] > 0.8
    assert sum(document["people"].values()) == 288
    assert list(document["people"]) == ["train", "validation", "test"]
    deaths = release["ADMISSIONS"]["HOSPITAL_EXPIRE_FLAG"].sum()
    assert document["deaths"] == deaths
    assert "288 people prove nothing" in document["warning"]
    gain = document["membership"]["auroc"]
    assert gain["low"] < gain["value"] < gain["high"]
    json.dumps(document, allow_nan=False)
    check_saved_model(spark, tmp_path, document)
    tight = tmp_path / "tight"
    with pytest.raises(GateRefusedError, match="it tells whom it was trained on") as refused:
        train_models(
            spark,
            release=reader(spark, release),
            model_dir=tight,
            config=QUICK,
            max_membership=gain["value"] - 0.1,
        )
    assert refused.value.exit_code == 4
    assert refused.value.shortfalls[0][0] == "AUROC of membership inference"
    assert not tight.exists()


def check_saved_model(spark: SparkSession, folder: Path, document: dict[str, Any]) -> None:
    """The saved model runs without the package, is the one that was measured, and no leaf is of fewer than 11."""
    cohort = spark.read.format("delta").load(str(folder / "work" / "train" / "release"))
    pipeline = PipelineModel.load(str(folder / "model" / "preprocessing"))
    rows = pipeline.transform(split_people(cohort, config=QUICK)).collect()
    vectors = np.array([row["features"].toArray() for row in rows])
    assert vectors.shape[1] == document["features"]
    booster = Booster(model_file=str(folder / "model" / "booster.json"))
    scores = booster.predict(DMatrix(vectors))
    tested = np.array([row["fold"] == "test" for row in rows])
    labels = np.array([row["label"] for row in rows])
    measured = measure(labels[tested].tolist(), scores[tested].tolist(), threshold=0.5)
    assert measured["auroc"] == pytest.approx(document["release"]["auroc"])
    assert measured["auprc"] == pytest.approx(document["release"]["auprc"])
    assert 0 < scores.min() < scores.max() < 1
    assert booster.trees_to_dataframe()["Cover"].min() >= 11 / 4
    assert set(json.loads((folder / "model" / "model.json").read_text())) == {"threshold", "features"}


def test_too_little_to_learn_from(spark: SparkSession) -> None:
    few = make_tables(12)
    with pytest.raises(InputError, match="release has 12 adults"):
        train_models(spark, release=reader(spark, few), config=QUICK)
    healthy = make_tables(60)
    healthy["ADMISSIONS"]["HOSPITAL_EXPIRE_FLAG"] = 0
    with pytest.raises(InputError, match="all have one outcome"):
        train_models(spark, release=reader(spark, healthy), config=QUICK)
    with pytest.raises(PolicyError, match="a baseline needs the map"):
        train_models(spark, release=reader(spark, few), baseline=reader(spark, few))


@pytest.mark.parametrize(
    ("deaths", "people", "shown"), [(10, 100, "<11"), (11, 100, 11), (90, 100, ">89"), (5, 12, "<11")]
)
def test_small_cells_are_hidden(deaths: int, people: int, shown: int | str) -> None:
    assert small_cell_safe(deaths, people, 11) == shown


def test_workers_never_exceed_the_slots(spark: SparkSession) -> None:
    assert worker_count(spark, 10_000) == spark.sparkContext.defaultParallelism
    assert worker_count(spark, 1) == 1


@pytest.mark.skipif(not DEMO.is_dir(), reason="the MIMIC-III demo is not beside the repository")
def test_the_demo_has_a_cohort(spark: SparkSession) -> None:
    def read(name: str) -> DataFrame:
        schema = ", ".join(f"{column.name} {column.type}" for column in TABLES[name].columns)
        return spark.read.csv(str(DEMO / f"{name}.csv.gz"), header=True, schema=schema, escape='"')

    wanted = [item for item in load_items() if item.feature in ("heart_rate", "gcs_motor", "sodium")]
    cohort = features_of(first_stays(read, items=wanted))
    stays = pd.read_csv(DEMO / "ICUSTAYS.csv.gz", parse_dates=["INTIME"])
    first = stays.sort_values("INTIME").drop_duplicates("SUBJECT_ID").set_index("SUBJECT_ID")
    assert set(cohort["ICUSTAY_ID"]) <= set(first["ICUSTAY_ID"])
    assert len(cohort) >= 95
    labs = pd.read_csv(DEMO / "LABEVENTS.csv.gz", parse_dates=["CHARTTIME"], low_memory=False)
    sodium = labs[labs["ITEMID"].isin([50824, 50983])].merge(first.reset_index(), on="HADM_ID")
    since = sodium["CHARTTIME"] - sodium["INTIME"]
    kept = sodium[(since >= pd.Timedelta(hours=-6)) & (since < pd.Timedelta(hours=24))]
    expected = kept.groupby("ICUSTAY_ID")["VALUENUM"].mean().reindex(cohort["ICUSTAY_ID"])
    np.testing.assert_allclose(cohort["sodium_mean"], expected, atol=1e-6)
    shares = cohort.notna().mean()
    assert shares["heart_rate_mean"] > 0.9
    assert shares["gcs_motor_min"] > 0.9, "CareVue and MetaVision codes"
