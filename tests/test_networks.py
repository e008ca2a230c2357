"""Networks in Keras trained by Spark's workers, and the sequences that they read."""

import os
import signal
import threading
import time
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from anon_spark.errors import InputError, PolicyError, ResumableError
from anon_spark.learn import averaging
from anon_spark.learn.averaging import TrainingConfig, train_network
from anon_spark.learn.dense import DenseConfig
from anon_spark.learn.lstm import LstmConfig
from anon_spark.learn.network import Network
from anon_spark.learn.sequences import fit_sequences
from anon_spark.learn.settings import load_settings

pytestmark = pytest.mark.skipif(
    not (find_spec("keras") and find_spec("jax")), reason="the extra 'deep' is not installed"
)

WINDOWS, NUMBERS = 6, 2
QUICK = {"epochs": 4, "patience": 4, "batch_size": 32, "learning_rate": 0.01}


def make_rows(spark: SparkSession, people: int = 600) -> tuple[DataFrame, pd.DataFrame]:
    """A trend over windows decides the outcome: no single window tells it."""
    rng = np.random.default_rng(2)
    trend = rng.normal(0, 1, people)
    level = rng.normal(0, 3, people)
    series = level[:, None] + trend[:, None] * np.arange(WINDOWS) / 2
    numbers = np.stack([series, rng.normal(0, 1, series.shape)], axis=2).reshape(people, -1)
    table = pd.DataFrame(
        {
            "SUBJECT_ID": np.arange(people) + 10,
            "label": (trend + rng.normal(0, 0.3, people) > 0).astype(int),
            "fold": np.where(np.arange(people) % 5 == 0, "validation", "train"),
            "numbers": list(numbers),
        }
    )
    columns = {name: pa.array(table[name]) for name in ("SUBJECT_ID", "label", "fold")}
    columns["numbers"] = pa.array(table["numbers"].to_list(), pa.list_(pa.float64()))
    return spark.createDataFrame(pa.table(columns)).repartition(3).persist(), table


def network(kind: str) -> Network:
    shape = (WINDOWS, NUMBERS) if kind == "lstm" else (WINDOWS * NUMBERS,)
    return Network("lstm" if kind == "lstm" else "dense", shape, (8, 8, 8), 0.1, 0.01)


def test_networks_learn_and_two_workers_learn_as_one(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Within the spread of three seeds, and a run that was stopped ends as one that was not."""
    rows, table = make_rows(spark)
    columns = {"features": "numbers", "label": "label"}
    lstm = network("lstm")
    one = [
        train_network(rows, lstm, TrainingConfig(workers=1, seed=seed, **QUICK), **columns)
        for seed in (7, 8, 9)
    ]
    config = TrainingConfig(workers=2, seed=7, **QUICK)
    two = train_network(rows, lstm, config, **columns)
    best = [min(model.losses) for model in one]
    assert min(two.losses) < max(best) + 3 * np.std(best) + 0.05
    assert max(best) < 0.6, "chance is 0.69"
    assert len(two.losses) == 4

    place, real = tmp_path / "checkpoint", averaging._round

    def dies(progress: averaging._Progress, *rest: Any) -> averaging._Progress:
        if len(progress.losses) == 2:
            raise ConnectionError
        return real(progress, *rest)

    monkeypatch.setattr(averaging, "_round", dies)
    with pytest.raises(ConnectionError):
        train_network(rows, lstm, config, checkpoint=place, **columns)
    rounds = []
    monkeypatch.setattr(averaging, "_round", lambda *given: rounds.append(1) or real(*given))
    resumed = train_network(rows, lstm, config, checkpoint=place, **columns)
    assert len(rounds) == 2, "the first two are not trained again"
    assert resumed.losses == pytest.approx(two.losses, rel=1e-4)
    assert not place.exists()

    likely = vector_to_array(F.col("probability"))[1].alias("likely")
    scored = (
        resumed.transform(rows)
        .select("SUBJECT_ID", likely)
        .orderBy("SUBJECT_ID")
        .toArrow()["likely"]
        .to_numpy()
    )
    assert roc_auc_score(table["label"], scored) > 0.85
    dense = train_network(rows, network("dense"), config, **columns)
    assert min(dense.losses) < 0.65
    rows.unpersist()


def test_a_killed_worker_ends_in_the_same_model(
    spark: SparkSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """SIGKILL of the Python worker in the middle of its pass of the second round; in the third, at every try."""
    rows, _ = make_rows(spark, 300)
    columns = {"features": "numbers", "label": "label"}
    config = TrainingConfig(workers=2, epochs=3, patience=3, batch_size=32, learning_rate=0.01)
    dense, real = network("dense"), averaging.train_epoch
    undisturbed = train_network(rows, dense, config, **columns)
    place = tmp_path / "pids"
    place.mkdir()

    def stuck(at: int, tries: int) -> Any:
        def epoch(*given: Any, batch: int, seed: int) -> Any:  # in Spark's worker: it waits to be killed
            told = len(list(place.iterdir()))
            if seed == config.seed + 1000 * at and told < tries:
                partial = place.parent / "partial"
                partial.write_text(str(os.getpid()))
                partial.rename(place / str(told))
                time.sleep(60)
                raise AssertionError("nobody killed this worker")
            return real(*given, batch=batch, seed=seed)

        return epoch

    def kill(times: int, killed: list[int]) -> None:
        for number in range(times):
            waited = time.monotonic()
            while not (place / str(number)).exists() and time.monotonic() - waited < 60:
                time.sleep(0.05)
            killed.append(int((place / str(number)).read_text()))
            os.kill(killed[-1], signal.SIGKILL)

    def train(at: int, times: int, **options: Any) -> Any:
        killed: list[int] = []
        killer = threading.Thread(target=kill, args=(times, killed))
        with monkeypatch.context() as patched:
            patched.setattr(averaging, "train_epoch", stuck(at, times))
            killer.start()
            try:
                return train_network(rows, dense, config, **columns, **options)
            finally:
                killer.join()
                assert len(set(killed)) == times
                for file in place.iterdir():
                    file.unlink()

    assert train(1, 1).losses == pytest.approx(undisturbed.losses, rel=1e-6), "Spark starts the pass again"
    with pytest.raises(ResumableError, match=r"stopped after 2 rounds .* goes on from there") as error:
        train(2, 4, checkpoint=tmp_path / "checkpoint")
    assert error.value.exit_code == 5
    trained, round_ = [], averaging._round
    monkeypatch.setattr(averaging, "_round", lambda *given: trained.append(1) or round_(*given))
    resumed = train_network(rows, dense, config, checkpoint=tmp_path / "checkpoint", **columns)
    assert len(trained) == 1, "the third round alone"
    assert resumed.losses == pytest.approx(undisturbed.losses, rel=1e-6)
    rows.unpersist()


def test_sequences_by_hand(spark: SparkSession) -> None:
    people = spark.range(5).withColumnRenamed("id", "SUBJECT_ID")
    told = [(0, 0, 10.0, None), (0, 2, 30.0, None), (1, 1, 20.0, 5.0), (2, 0, 40.0, None), (3, 0, 90.0, None)]
    windows = spark.createDataFrame(told, "SUBJECT_ID bigint, window int, x double, y double")
    fitted = fit_sequences(windows.where("SUBJECT_ID < 4"), ["x", "y"], windows=3, quantile=0.0, small_cell=1)
    # a person beyond each bound of x: of the least values 10, 20, 40, 90 the second, of the largest 30, 20, 40, 90
    assert set(fitted.bounds) == {"x"}, "one person's y makes no bounds"
    bounds = fitted.bounds["x"]
    assert (bounds.low, bounds.median, bounds.high) == (20.0, 30.0, 40.0)
    assert fitted.shape == (3, 2)
    rows = {row["SUBJECT_ID"]: row["sequence"] for row in fitted.transform(people, windows).collect()}
    assert rows[0] == [0.0, 1.0, 0.0, 0.0, 0.5, 1.0], "10 is below, then filled forward, then 30"
    assert rows[1] == [0.5, 0.0, 0.0, 1.0, 0.0, 0.0], "the median before anything is known"
    assert rows[3] == [1.0, 1.0, 1.0, 0.0, 1.0, 0.0]
    assert rows[4] == [0.5, 0.0] * 3, "who has no window at all"
    with pytest.raises(InputError, match="enough training people"):
        fit_sequences(windows, ["y"], windows=3, quantile=0.0, small_cell=1)


def test_settings_and_the_missing_extra(monkeypatch: pytest.MonkeyPatch, spark: SparkSession) -> None:
    assert load_settings(DenseConfig, "dense").layers == (64, 32, 16)
    assert len(load_settings(LstmConfig, "lstm").layers) == 3
    monkeypatch.setattr("importlib.util.find_spec", lambda _name: None)
    with pytest.raises(PolicyError, match="extra 'deep'"):
        train_network(spark.range(1), network("dense"), TrainingConfig(), features="x", label="y")
