"""Comparison, bootstrap and models: against scikit-learn, figures worked out by hand, and planted losses."""

import contextlib
import json
import os
import signal
import threading
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.ml.feature import VectorAssembler
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    brier_score_loss,
    f1_score,
    precision_score,
    recall_score,
    roc_auc_score,
)
from xgboost.spark import SparkXGBClassifier

from anon_spark.errors import InputError, PolicyError
from anon_spark.learn import compare as comparison
from anon_spark.learn import scoring
from anon_spark.learn.attacks import attack_gains, membership_by_loss, membership_by_shadows
from anon_spark.learn.boost import BoostConfig, fit_boost
from anon_spark.learn.bootstrap import (
    MEASURES,
    Scores,
    _metrics,
    caught_at,
    compare_paired,
    estimate,
    resampled,
)
from anon_spark.learn.compare import compare_sides
from anon_spark.learn.dense import DenseConfig
from anon_spark.learn.evaluate import choose_threshold
from anon_spark.learn.fairness import by_group, fairness
from anon_spark.learn.forest import ForestConfig
from anon_spark.learn.logistic import LogisticConfig
from anon_spark.learn.rows import balance_weights
from anon_spark.learn.scoring import Settings, place_in_folds
from anon_spark.learn.settings import load_settings
from anon_spark.learn.sides import RAW, Side, prepare_side
from anon_spark.mimic3.cohort import CATEGORICAL, DESCRIPTIVE, TASKS, Cohort
from anon_spark.release.evidence import _check_same_people

NUMERIC = ("AGE", "heart_rate_mean", "lactate_mean")
QUICK = Settings(folds=3, tested=1, draws=200, models=("logistic",), attacked=())


def make_people(number: int, seed: int = 5) -> pd.DataFrame:
    """People whose death follows from age, heart rate and lactate by a logistic model of known probability."""
    rng = np.random.default_rng(seed)
    age, rate, lactate = (
        rng.normal(65, 12, number),
        rng.normal(85, 15, number),
        rng.lognormal(0.6, 0.4, number),
    )
    logit = -1 + 0.1 * (age - 65) + 0.08 * (rate - 85) + 1.5 * (np.log(lactate) - 0.6)
    truth = 1 / (1 + np.exp(-logit))
    return pd.DataFrame(
        {
            "SUBJECT_ID": np.arange(number) + 7_000,
            "label": (rng.random(number) < truth).astype(int),
            **{name: rng.choice(["a", "b", "c"], number) for name in (*CATEGORICAL, *DESCRIPTIVE)},
            "AGE": age,
            "heart_rate_mean": rate,
            "lactate_mean": np.where(rng.random(number) < 0.1, np.nan, lactate),
            "score": truth,
        }
    )


def frame(spark: SparkSession, people: pd.DataFrame) -> DataFrame:
    columns = {name: pa.array(people[name], from_pandas=True) for name in people.columns}
    return spark.createDataFrame(pa.table(columns))


def side(spark: SparkSession, name: str, people: pd.DataFrame) -> Side:
    return Side(name, frame(spark, people.drop(columns="score")).coalesce(2), NUMERIC, ())


def row_of(document: dict[str, Any], model: str, learnt_from: str, tested_on: str) -> dict[str, Any]:
    wanted = (model, learnt_from, tested_on)
    (row,) = [
        row for row in document["models"] if (row["model"], row["learnt_from"], row["tested_on"]) == wanted
    ]
    return dict(row)


def test_metrics_equal_scikit_learn_with_ties_and_weights() -> None:
    rng = np.random.default_rng(3)
    labels = rng.integers(0, 2, 300)
    scores = np.round(np.clip(rng.normal(0.4 + 0.2 * labels, 0.2), 0, 1), 1)  # many ties
    fold = Scores(labels, scores, 0.5)
    found = {name: values[0] for name, values in resampled([fold], draws=100, seed=1).items()}
    said = scores >= 0.5
    expected = {
        "auroc": roc_auc_score(labels, scores),
        "auprc": average_precision_score(labels, scores),
        "brier": brier_score_loss(labels, scores),
        "accuracy": accuracy_score(labels, said),
        "precision": precision_score(labels, said),
        "recall": recall_score(labels, said),
        "f1": f1_score(labels, said),
    }
    assert {name: found[name] for name in expected} == pytest.approx(expected)
    assert set(found) == set(MEASURES)
    # a person drawn twice counts as two people
    drawn = rng.integers(0, 3, labels.size)
    order = np.argsort(-scores, kind="stable")
    weighted = _metrics(labels[order] == 1, scores[order], 0.5, drawn[order][None, :].astype(float))
    assert weighted["auroc"][0] == pytest.approx(roc_auc_score(labels, scores, sample_weight=drawn))
    assert weighted["auprc"][0] == pytest.approx(average_precision_score(labels, scores, sample_weight=drawn))
    assert weighted["f1"][0] == pytest.approx(f1_score(labels, said, sample_weight=drawn))


def test_calibration_by_hand() -> None:
    """Ten people in ten bins: each is as far off as its own bin."""
    scores = np.linspace(0.05, 0.95, 10)
    labels = np.array([0, 0, 0, 0, 0, 1, 1, 1, 1, 1])
    found = resampled([Scores(labels, scores, 0.5)], draws=100, seed=1)["calibration"][0]
    assert found == pytest.approx(np.abs(scores - labels).mean())
    rng = np.random.default_rng(0)
    chance = rng.random(20_000)
    drawn = Scores((rng.random(20_000) < chance).astype(int), chance, 0.5)
    assert resampled([drawn], draws=100, seed=1)["calibration"][0] < 0.02


def test_undefined_metrics_are_null() -> None:
    fold = Scores(np.zeros(5, dtype=int), np.linspace(0, 1, 5), 2.0)
    values = resampled([fold], draws=100, seed=1)
    undefined = {name for name, series in values.items() if estimate(series).value is None}
    assert undefined == {"auroc", "auprc", "recall", "precision", "f1"}
    json.dumps({name: estimate(series).as_dict() for name, series in values.items()}, allow_nan=False)


def test_intervals_cover_and_equivalence_can_fail() -> None:
    """Of 200 samples the interval of 95 % holds the true AUROC in most; equal models are equivalent, others not."""
    rng = np.random.default_rng(11)
    true_auroc, covered = 0.76025, 0  # of two normals one apart: Phi(1 / sqrt 2)
    for sample in range(200):
        labels = rng.integers(0, 2, 250)
        fold = Scores(labels, rng.normal(labels), 0.5)
        found = estimate(resampled([fold], draws=200, seed=sample)["auroc"])
        covered += bool(
            found.low is not None and found.high is not None and found.low <= true_auroc <= found.high
        )
    assert covered >= 180, "below 90 % is beyond chance at 95 %"
    labels = rng.integers(0, 2, 8000)
    signal = rng.normal(labels)
    same = signal + rng.normal(0, 0.02, labels.size)
    worse = signal + rng.normal(0, 0.6, labels.size)

    def draw(scores: np.ndarray) -> dict[str, np.ndarray]:
        halves = [slice(0, 4000), slice(4000, None)]
        return resampled([Scores(labels[h], scores[h], 0.5) for h in halves], draws=400, seed=2)

    base = draw(signal)
    equal = compare_paired(draw(same)["auroc"], base["auroc"], margin=0.01)
    unequal = compare_paired(draw(worse)["auroc"], base["auroc"], margin=0.01)
    assert equal["equivalent"]
    assert not unequal["equivalent"]
    assert unequal["high"] < -0.01
    alone = estimate(base["auroc"])
    width = alone.high - alone.low
    assert equal["high"] - equal["low"] < width / 5, "pairing takes out what both find hard"


def test_membership_is_found_where_a_model_remembers() -> None:
    rng = np.random.default_rng(4)
    labels = rng.integers(0, 2, 3000)
    honest = np.clip(0.5 + (labels - 0.5) * rng.uniform(-0.4, 0.8, labels.size), 0, 1)
    remembered = np.clip(honest + (labels - 0.5) * 0.3, 0, 1)
    half = (labels[1500:], honest[1500:])
    for members, low, high in ((honest, 0.47, 0.53), (remembered, 0.6, 0.8)):
        attack = membership_by_loss((labels[:1500], members[:1500]), half)
        assert low < resampled([attack], draws=100, seed=1)["auroc"][0] < high
    by_hand = membership_by_loss((np.array([1, 0]), np.array([0.9, 0.2])), (np.array([0]), np.array([0.6])))
    assert by_hand.labels.tolist() == [1, 1, 0]
    assert by_hand.scores.tolist() == pytest.approx([0.9, 0.8, 0.4])


def test_shadow_models_find_what_loss_alone_does_not() -> None:
    """People differ in how hard they are; a model that remembers a little drowns in that, unless it is taken out."""
    rng = np.random.default_rng(6)
    labels = {part: rng.integers(0, 2, 600) for part in range(4)}
    ease = {part: rng.normal(0.5, 2, 600) for part in range(4)}

    def models(remembered: float) -> list[dict[int, tuple[np.ndarray, np.ndarray]]]:
        found = []
        for test in range(4):
            scored = {}
            for part in range(4):
                seen = part not in (test, (test + 1) % 4)
                sure = ease[part] + remembered * seen + rng.normal(0, 0.1, 600)
                logit = np.where(labels[part] == 1, sure, -sure)
                scored[part] = (labels[part], 1 / (1 + np.exp(-logit)))
            found.append(scored)
        return found

    def auroc(attack: list[Scores]) -> dict[str, float]:
        return attack_gains(attack, draws=100, seed=1)["auroc"]

    remembers, honest = models(0.3), models(0.0)
    drowned = auroc(
        [membership_by_loss(scored[(test + 2) % 4], scored[test]) for test, scored in enumerate(remembers)]
    )
    assert drowned["value"] < 0.6
    found = membership_by_shadows(remembers)
    assert auroc(found)["low"] > 0.9
    assert attack_gains(found, draws=100, seed=1)["found_at_1_percent"]["low"] > 0.2
    assert [int(fold.labels.sum()) for fold in found] == [1200] * 4
    innocent = membership_by_shadows(honest)
    assert auroc(innocent)["low"] < 0.5 < auroc(innocent)["high"], "nothing to find"
    gain = attack_gains(innocent, draws=200, seed=1)["found_at_1_percent"]
    assert gain["low"] < 0.015
    # of three members and two strangers, one member is above both strangers
    by_hand = Scores(np.array([1, 1, 1, 0, 0]), np.array([0.9, 0.3, 0.2, 0.5, 0.4]), 0.5)
    assert caught_at([by_hand], 0.01, draws=100, seed=1)[0] == pytest.approx(1 / 3)


def test_groups_by_hand_and_a_planted_gap() -> None:
    """Two groups of one quality and two of different ones; a group of ten ill is not told."""
    rng = np.random.default_rng(8)
    labels = rng.integers(0, 2, 4000)
    fair, skewed = rng.permutation(np.repeat(["a", "b"], 2000)), rng.permutation(np.repeat(["a", "b"], 2000))
    few = np.where(np.cumsum(labels) <= 10, "few", "many")
    scores = rng.normal(labels) + np.where(skewed == "b", rng.normal(0, 2, labels.size), 0)
    fold, groups = Scores(labels, scores, 0.5), [{"fair": fair, "skewed": skewed, "few": few}]
    found = fairness(by_group([fold], groups, draws=300, seed=1, small_cell=11))
    assert set(found["few"]["groups"]) == {"many"}
    assert found["few"]["gaps"] == {}
    for name in ("a", "b"):
        of = skewed == name
        figure = found["skewed"]["groups"][name]["auroc"]["value"]
        assert figure == pytest.approx(roc_auc_score(labels[of], scores[of]))
    assert found["skewed"]["gaps"]["auroc"]["low"] > 0.08
    assert found["fair"]["gaps"]["auroc"]["value"] < 0.03
    better = Scores(labels, np.where(skewed == "b", scores + labels, scores), 0.5)
    base = by_group([fold], groups, draws=300, seed=1, small_cell=11)
    closed = fairness(by_group([better], groups, draws=300, seed=1, small_cell=11), base)
    assert closed["skewed"]["gaps_to_raw"]["auroc"]["high"] < 0


def test_an_untouched_release_costs_nothing_and_a_blurred_one_does(spark: SparkSession) -> None:
    people = make_people(1500)
    raw = side(spark, RAW, people)
    renamed = people.assign(
        **{name: people[name].map({"a": "x", "b": "y", "c": "*"}) for name in CATEGORICAL}
    )
    blurred = people.assign(AGE=np.nan, heart_rate_mean=90.0)[50:]
    releases = [side(spark, "same", renamed), side(spark, "blurred", blurred)]
    truth = frame(spark, people[["SUBJECT_ID", "score"]])
    document = compare_sides(raw, releases, TASKS["mortality"], QUICK, truth=truth)
    assert document["people"] == 1450
    assert document["left_out"] == {RAW: 50, "same": 50, "blurred": 0}
    assert document["warning"] is None
    base = row_of(document, "logistic", RAW, RAW)
    for tested_on in (RAW, "anonymized"):
        same = row_of(document, "logistic", "same", tested_on)
        assert same["metrics"]["auroc"] == base["metrics"]["auroc"], (
            "raw categories are named as the release's"
        )
        assert same["to_raw"]["auroc"] == {
            "value": 0,
            "low": 0,
            "high": 0,
            "margin": 0.01,
            "equivalent": True,
        }
    lost = row_of(document, "logistic", "blurred", "anonymized")["to_raw"]["auroc"]
    assert lost["high"] < -0.03
    assert not lost["equivalent"]
    served = {row["learnt_from"]: row["by"] for row in document["fairness"]}
    assert set(served[RAW]) == {"sex", "age", "ethnicity", "insurance", "language"}
    assert set(served[RAW]["sex"]["groups"]) == {"a", "b", "c"}
    assert served["same"]["sex"]["gaps_to_raw"]["auroc"] == {"value": 0, "low": 0, "high": 0}
    assert (
        served["blurred"]["age"]["groups"]["80+"]["recall"] != served[RAW]["age"]["groups"]["80+"]["recall"]
    )
    best = row_of(document, "true probability", RAW, RAW)["metrics"]["auroc"]["value"]
    assert abs(base["to_truth"]["auroc"]["value"]) < 0.03
    assert 0.75 < best < 0.9
    json.dumps(document, allow_nan=False)


def test_folds_are_by_person_and_never_meet(spark: SparkSession) -> None:
    placed = place_in_folds(spark.range(5000).withColumnRenamed("id", "SUBJECT_ID"), Settings())
    again = place_in_folds(
        spark.range(4999, -1, -1).withColumnRenamed("id", "SUBJECT_ID").repartition(3), Settings()
    )
    assert placed.exceptAll(again).count() == 0
    sizes = {row["part"]: row["count"] for row in placed.groupBy("part").count().collect()}
    assert set(sizes) == {0, 1, 2, 3, 4}
    assert all(abs(size - 1000) < 5 * 29 for size in sizes.values())


class ToldError(Exception):
    """Carries what a replaced function was given."""


def test_only_training_people_are_fitted_to(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> None:
    people = make_people(90)
    one = side(spark, RAW, people)
    placed = place_in_folds(one.people.select("SUBJECT_ID"), QUICK)
    fold = F.when(F.col("part") == 0, "test").when(F.col("part") == 1, "validation").otherwise("train")

    def fit(train: DataFrame, **_: Any) -> None:
        raise ToldError([row["SUBJECT_ID"] for row in train.select("SUBJECT_ID").collect()])

    monkeypatch.setattr(scoring, "fit_preprocessing", fit)
    with pytest.raises(ToldError) as told:
        scoring.learnable(one, one, placed.withColumn("fold", fold), QUICK)
    others = {row["SUBJECT_ID"] for row in placed.where("part < 2").collect()}
    assert sorted(told.value.args[0]) == sorted({*people["SUBJECT_ID"]} - others)


def test_thresholds_are_of_validation_people() -> None:
    labels = np.array([0, 0, 1, 1])
    found = {part: (labels, np.array([0.1, 0.2, 0.5, 0.9]) + part / 100) for part in range(4)}
    tested = scoring.Tested()
    scoring._add(tested, dict(found), 0, 1)
    assert tested.own[0].threshold == choose_threshold(*found[1]) != choose_threshold(*found[0])


def test_members_are_training_people_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    def attack(members: Any, strangers: Any) -> None:
        raise ToldError(members[1].tolist(), strangers[1].tolist())

    monkeypatch.setattr(comparison, "membership_by_loss", attack)
    labels = np.array([0, 1])
    by_part = {part: (labels, np.array([part, part + 0.5])) for part in range(4)}
    with pytest.raises(ToldError) as told:
        comparison._attacks(scoring.Tested(by_part=[by_part]), Settings(folds=4, tested=1))
    assert told.value.args == ([2, 2.5, 3, 3.5], [0, 0.5])


def test_another_source_is_noticed(spark: SparkSession) -> None:
    people = make_people(300)
    strangers = people.assign(label=np.random.default_rng(9).permutation(people["label"]))
    raw = side(spark, RAW, people)
    _check_same_people(raw, side(spark, "own", people), "own")
    _check_same_people(raw, side(spark, "capped", people.assign(label=0)), "capped")
    with pytest.raises(InputError, match="outcomes of the 300 people that the source and other"):
        _check_same_people(raw, side(spark, "other", strangers), "other")


@pytest.mark.parametrize(("name", "tested"), [("xgboost", 1), ("forest", 1), ("logistic", None)])
def test_every_model_learns(spark: SparkSession, name: str, tested: int | None) -> None:
    people = make_people(990)
    settings = Settings(folds=5, tested=tested, draws=100, models=(name,), attacked=("GENDER",))
    truth = frame(spark, people[["SUBJECT_ID", "score"]])
    document = compare_sides(side(spark, RAW, people), [], TASKS["mortality"], settings, truth=truth)
    row = row_of(document, name, RAW, RAW)
    metrics = row["metrics"]
    assert metrics["auroc"]["value"] > 0.7
    assert row["to_truth"]["auroc"]["value"] > -0.08, "near the best that 198 people allow"
    assert metrics["auroc"]["low"] < metrics["auroc"]["value"] < metrics["auroc"]["high"]
    assert metrics["brier"]["value"] < 0.22
    assert set(row["attributes"]["GENDER"]) == {"members", "strangers"}
    gains = row["membership"]
    assert (gains["shadow"] is None) == (tested is not None), "the other folds' models are the shadows"
    for gain in (gain for gain in gains.values() if gain is not None):
        assert 0.4 < gain["auroc"]["low"] < gain["auroc"]["value"] < 1
        assert (gain["auroc"]["guess"], gain["found_at_1_percent"]["guess"]) == (0.5, 0.01)
    assert "990 people prove nothing" in document["warning"]


def test_importance_by_column_and_ranks(spark: SparkSession) -> None:
    """Heart rate decides nearly all; a release without it leans on what is left."""
    people = make_people(600)
    steep = np.random.default_rng(2).random(600) < 1 / (1 + np.exp(-0.3 * (people["heart_rate_mean"] - 85)))
    people = people.assign(label=steep.astype(int))
    settings = Settings(folds=3, tested=1, draws=100, models=("xgboost",), attacked=(), inference=(1, 3))
    releases = [side(spark, "same", people), side(spark, "without", people.assign(heart_rate_mean=90.0))]
    document = compare_sides(side(spark, RAW, people), releases, TASKS["mortality"], settings)
    assert [curve["learnt_from"] for curve in document["curves"]] == [RAW, "same", "without"]
    losses = document["curves"][0]["validation_loss"]
    assert min(losses) < losses[0]
    people_scored = [row["people"] for row in document["inference"]]
    assert people_scored[1] == 3 * people_scored[0]
    found = {row["learnt_from"]: row for row in document["importance"]}
    for kind in ("gain", "shap"):
        assert found["same"][kind]["rank_correlation"] == pytest.approx(1)
        columns = found["without"][kind]["columns"]
        assert set(columns) <= {*NUMERIC, *CATEGORICAL}, "flags and categories count for their column"
        assert max(columns, key=lambda name: columns[name]["raw"]) == "heart_rate_mean"
        assert columns["heart_rate_mean"]["release"] == 0
        assert found["without"][kind]["rank_correlation"] < 0.9


def test_a_model_tells_what_it_was_told(spark: SparkSession) -> None:
    """GENDER decides the outcome: who knows outcome and record reads it off the model; INSURANCE says nothing."""
    people = make_people(900)
    rng = np.random.default_rng(1)
    kinds = {"GENDER": rng.choice(["F", "M"], 900, p=[0.4, 0.6]), "ETHNICITY": "one", "MARITAL_STATUS": "x"}
    kinds["MARITAL_STATUS"] = np.where(np.arange(900) < 5, "rare", "common")
    ill = (kinds["GENDER"] == "F") ^ (rng.random(900) < 0.1)
    people = people.assign(**kinds, label=ill.astype(int))
    attacked = ("GENDER", "INSURANCE", "ETHNICITY", "MARITAL_STATUS")
    settings = Settings(folds=3, tested=1, draws=100, models=("logistic",), attacked=attacked)
    document = compare_sides(side(spark, RAW, people), [], TASKS["mortality"], settings)
    found = row_of(document, "logistic", RAW, RAW)["attributes"]
    assert set(found) == set(attacked)
    assert found["ETHNICITY"] is None, "nothing is open"
    assert found["MARITAL_STATUS"] is None, "five people are too few to be guessed"
    for group in ("members", "strangers"):
        sex, insurance = found["GENDER"][group], found["INSURANCE"][group]
        assert sex["accuracy"] == pytest.approx(0.9, abs=0.05)
        assert sex["guess"] == pytest.approx(0.6, abs=0.08)
        assert sex["gain"]["value"] == pytest.approx(sex["accuracy"] - sex["guess"])
        assert sex["gain"]["low"] > 0.15
        assert insurance["gain"]["low"] < 0.02


def test_a_stopped_booster_goes_on_where_it_was(spark: SparkSession, tmp_path: Path) -> None:
    people = frame(spark, make_people(400)).withColumn(
        "fold", F.when(F.col("SUBJECT_ID") % 4 == 0, "validation")
    )
    numbers = VectorAssembler(inputCols=["AGE", "heart_rate_mean"], outputCol="features")
    rows = numbers.transform(people.fillna({"fold": "train"}))
    settings = {"n_estimators": 6, "early_stopping_rounds": 50, "subsample": 1.0, "colsample_bytree": 1.0}
    config = BoostConfig.model_validate({"workers": 1, "rounds_a_checkpoint": 3, "booster": settings})
    whole = fit_boost(rows, features="features", label="label", config=config).get_booster()
    place = tmp_path / "checkpoint"
    half = config.model_copy(update={"booster": config.booster.model_copy(update={"n_estimators": 3})})
    place.mkdir()
    started = fit_boost(rows, features="features", label="label", config=half).get_booster()
    started.save_model(str(place / "booster.json"))  # what a run leaves that died after three rounds
    resumed = fit_boost(rows, features="features", label="label", config=config, checkpoint=place)
    assert started.num_boosted_rounds() == 3
    assert resumed.get_booster().num_boosted_rounds() == 6
    assert resumed.get_booster().get_dump() == whole.get_dump()
    assert not place.exists(), "a finished run leaves nothing to resume"
    weights = balance_weights(rows, "label")
    counts = {row["label"]: row["count"] for row in rows.groupBy("label").count().collect()}
    assert weights[0] * counts[0] == pytest.approx(weights[1] * counts[1])
    assert sum(weights[value] * count for value, count in counts.items()) == pytest.approx(400)
    balanced = config.model_copy(update={"balanced": True})
    heavy = fit_boost(rows, features="features", label="label", config=balanced).get_booster()
    assert heavy.get_dump() != whole.get_dump()


def workers_in_xgboost() -> list[int]:
    """Python workers of this process's own Spark that have loaded XGBoost."""
    found = []
    for place in Path("/proc").glob("[0-9]*"):
        try:
            if "libxgboost" in (place / "maps").read_text() and os.getpid() in ancestors(place):
                found.append(int(place.name))
        except OSError:
            continue  # it has ended
    return found


def ancestors(place: Path) -> list[int]:
    found = []
    while place.name not in ("0", "1"):
        parent = (place / "stat").read_text().rpartition(")")[2].split()[1]
        found.append(int(parent))
        place = place.with_name(parent)
    return found


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="workers are found by /proc")
def test_a_killed_worker_of_xgboost_ends_in_the_same_trees(
    spark: SparkSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All workers start again; Spark itself gives such a stage up."""
    people = frame(spark, make_people(400)).withColumn(
        "fold", F.when(F.col("SUBJECT_ID") % 4 == 0, "validation").otherwise("train")
    )
    numbers = VectorAssembler(inputCols=["AGE", "heart_rate_mean"], outputCol="features")
    rows = numbers.transform(people).persist()
    settings = {"n_estimators": 100, "early_stopping_rounds": 100}
    config = BoostConfig.model_validate({"workers": 2, "booster": settings})
    told = {"features": "features", "label": "label", "config": config}
    undisturbed = fit_boost(rows, **told).get_booster().get_dump()
    waited = time.monotonic()
    while idle := workers_in_xgboost():  # once they are gone, what has XGBoost is training
        assert time.monotonic() - waited < 60
        for pid in idle:
            with contextlib.suppress(ProcessLookupError):  # gone since it was seen
                os.kill(pid, signal.SIGKILL)
        time.sleep(0.02)
    killed, began = [], []

    def kill() -> None:
        waited = time.monotonic()
        while not killed and time.monotonic() - waited < 60:
            for pid in workers_in_xgboost()[:1]:
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, signal.SIGKILL)
                    killed.append(pid)
            time.sleep(0.02)

    real = SparkXGBClassifier.fit
    monkeypatch.setattr(SparkXGBClassifier, "fit", lambda *given: began.append(1) or real(*given))
    killer = threading.Thread(target=kill)
    killer.start()
    try:
        again = fit_boost(rows, **told).get_booster().get_dump()
    finally:
        killer.join()
    assert len(killed) == 1
    assert len(began) == 2, "once more"
    assert again == undisturbed
    rows.unpersist()


def test_settings_are_checked(tmp_path: Path) -> None:
    with pytest.raises(PolicyError) as error:
        Settings(models=("xgbost",), folds=2, draws=5)
    assert len(error.value.problems) == 3
    assert "did you mean 'xgboost'" in error.value.problems[0]
    for bad, said in (
        ({"tested": 6}, "tested must be 1 to 5"),
        ({"tested": -1}, "got -1"),
        ({"models": ("logistic", "logistic")}, "named twice: logistic"),
        ({"inference": (0, -2, 1)}, "got 0, -2"),
    ):
        with pytest.raises(PolicyError, match=said):
            Settings(**bad)  # type: ignore[arg-type]
    path = tmp_path / "model.yaml"
    path.write_text("min_instances_per_node: 5\n")
    with pytest.raises(PolicyError, match="min_instances_per_node"):
        load_settings(ForestConfig, "forest", path)
    path.write_text("elastic_net: 1\n")
    with pytest.raises(PolicyError, match="elastic_net"):
        load_settings(LogisticConfig, "logistic", path)
    path.write_text("layers: [64, 0]\n")
    with pytest.raises(PolicyError, match=r"layers\.1"):
        load_settings(DenseConfig, "dense", path)
    path.write_text("rounds_a_checkpoint: 10\n")
    with pytest.raises(PolicyError, match="above early_stopping_rounds"):
        load_settings(BoostConfig, "xgboost", path)


def test_bad_input_is_one_clear_sentence(spark: SparkSession, tmp_path: Path) -> None:
    people = make_people(60)

    def cohort(table: pd.DataFrame, empty: list[list[str]] | None = None) -> Cohort:
        def explain(names: Any) -> list[str]:
            (empty if empty is not None else []).append(list(names))
            return [f"{names[0]} is not charted and left out"]

        ids = table.assign(HADM_ID=1, ICUSTAY_ID=1).drop(columns="score")
        built = frame(spark, ids).withColumn("height_mean", F.lit(None).cast("double"))
        return Cohort(TASKS["mortality"], built, built, ("heart_rate", "height"), explain)

    with pytest.raises(InputError, match="has no stay for the cohort 'mortality'") as none:
        prepare_side("the source", cohort(people[:0].astype(people.dtypes)), tmp_path / "a")
    assert none.value.exit_code == 3
    with pytest.raises(InputError, match="all 60 people of r have one outcome"):
        prepare_side("r", cohort(people.assign(label=0)), tmp_path / "b")
    asked: list[list[str]] = []
    prepared = prepare_side("r", cohort(people, asked), tmp_path / "c")
    assert asked == [["height"]]
    assert prepared.notes == ("r: height is not charted and left out",)
    with pytest.raises(InputError, match="12 people in common"):
        compare_sides(side(spark, RAW, people), [side(spark, "r", people[:12])], TASKS["mortality"], QUICK)
    few = people.assign(label=(people["SUBJECT_ID"] == 7_000).astype(int))
    with pytest.raises(InputError, match=r"60 people in 3 folds: .* have one outcome"):
        compare_sides(side(spark, RAW, few), [], TASKS["mortality"], Settings(folds=3))
