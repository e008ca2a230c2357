"""Gradient-boosted trees on Spark's tasks: ``xgboost.spark``, two workers or more, no copy on the driver."""

import logging
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Annotated, Literal, Self

from py4j.protocol import Py4JJavaError
from pydantic import Field, model_validator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from xgboost import Booster
from xgboost.spark import SparkXGBClassifier, SparkXGBClassifierModel

from anon_spark.errors import PolicyError
from anon_spark.learn.rows import WEIGHT, balance_weights, ordered, resumable
from anon_spark.policy.model import Strict
from anon_spark.session import TASK_TRIES

FOLDS = ("train", "validation", "test")
_SLICES = 10_000
_RECORDS_PER_BATCH = "200000"
_BATCH_CONF = "spark.sql.execution.arrow.maxRecordsPerBatch"

Share = Annotated[float, Field(gt=0, lt=1)]


class BoosterConfig(Strict):
    """Parameters of XGBoost, under its own names."""

    n_estimators: Annotated[int, Field(ge=1)] = 300
    early_stopping_rounds: Annotated[int, Field(ge=1)] = 25
    eval_metric: Literal["logloss", "auc", "aucpr", "error"] = "logloss"
    learning_rate: Annotated[float, Field(gt=0, le=1)] = 0.1
    max_depth: Annotated[int, Field(ge=1, le=16)] = 5
    min_child_weight: Annotated[float, Field(ge=2.75)] = 3.0  # 11 people at p(1 - p) <= 1/4 each
    subsample: Annotated[float, Field(gt=0, le=1)] = 0.8
    colsample_bytree: Annotated[float, Field(gt=0, le=1)] = 0.8
    num_parallel_tree: Annotated[int, Field(ge=1)] = (
        1  # trees a round, each of its own sample: their mean is steadier
    )
    reg_lambda: Annotated[float, Field(ge=0)] = 1.0
    tree_method: Literal["hist", "approx"] = "hist"
    max_bin: Annotated[int, Field(ge=2)] = 256
    random_state: int = 7


class BoostConfig(Strict):
    """How the people are split and the trees are grown; ``conf/models/xgboost.yaml`` holds the default."""

    workers: Annotated[int, Field(ge=1)] = 2
    train_share: Share = 0.6
    validation_share: Share = 0.2
    split_seed: int = 0
    balanced: bool = (
        False  # both outcomes weigh the same; probabilities are then no longer those of the people
    )
    rounds_a_checkpoint: Annotated[int, Field(ge=0)] = 0  # 0: a failed run starts again
    booster: BoosterConfig = BoosterConfig()

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        if self.train_share + self.validation_share > 1 - 1 / _SLICES:
            raise ValueError("train_share and validation_share leave no one for the test")
        return self

    @model_validator(mode="after")
    def _can_stop_early(self) -> Self:
        patience = self.booster.early_stopping_rounds
        if 0 < self.rounds_a_checkpoint <= patience < self.booster.n_estimators:
            raise ValueError(
                f"rounds_a_checkpoint must be above early_stopping_rounds ({patience}), or no run would stop early"
            )
        return self


def split_people(cohort: DataFrame, *, config: BoostConfig) -> DataFrame:
    """Add ``fold`` (train, validation or test), a function of SUBJECT_ID and the seed alone.

    The same person is in the same fold in every data set, however its rows are ordered or partitioned.
    """
    place = F.pmod(F.xxhash64(F.lit(config.split_seed), F.col("SUBJECT_ID").cast("bigint")), F.lit(_SLICES))
    end_of_train = round(config.train_share * _SLICES)
    end_of_validation = end_of_train + round(config.validation_share * _SLICES)
    fold = F.when(place < end_of_train, FOLDS[0]).when(place < end_of_validation, FOLDS[1])
    return cohort.withColumn("fold", fold.otherwise(FOLDS[2]))


def worker_count(spark: SparkSession, wanted: int) -> int:
    """Workers to train with: ``wanted``, but no more than tasks can run at once, as all start together."""
    return max(1, min(wanted, spark.sparkContext.defaultParallelism))


def fit_boost(
    prepared: DataFrame, *, features: str, label: str, config: BoostConfig, checkpoint: Path | None = None
) -> SparkXGBClassifierModel:
    """Return the fitted classifier; it stops when the people of the validation fold gain nothing more.

    Args:
        prepared: ``(SUBJECT_ID, fold, label, features)``; rows of the test fold are never read.
        checkpoint: a private folder. With ``rounds_a_checkpoint`` the trees are saved there so often, and a run
            that finds some goes on from them: they must be of the same people and settings. Where a worker
            dies, all start again from there, or from none, three times.

    Raises:
        ResumableError: workers died too often, and there is a checkpoint to go on from.
        PolicyError: with dynamic allocation, under which the workers cannot start together.
    """
    spark = prepared.sparkSession
    if spark.sparkContext.getConf().get("spark.dynamicAllocation.enabled", "false") == "true":
        raise PolicyError(
            "training starts all workers together; spark.dynamicAllocation.enabled=true does not allow that"
        )
    workers = worker_count(spark, config.workers)
    known = prepared.where(F.col("fold").isin(*FOLDS[:2])).withColumn("_validates", F.col("fold") == FOLDS[1])
    weights = balance_weights(known, label) if config.balanced else None
    rows = ordered(known, workers, label, features, "_validates", weights=weights)
    heaviest = max(weights.values()) if weights else 1.0
    settings = config.booster.model_dump()
    settings["min_child_weight"] *= heaviest  # so that a leaf still holds as many people

    def grow(rounds: int, onto: Booster | None) -> SparkXGBClassifierModel:
        classifier = SparkXGBClassifier(
            features_col=features,
            label_col=label,
            validation_indicator_col="_validates",
            weight_col=WEIGHT if weights else None,
            num_workers=workers,
            verbose=False,
            verbosity=0,
            xgb_model=onto,
            **{**settings, "n_estimators": rounds},
        )
        return _fit(classifier, rows)

    with _large_batches(spark), _quiet():
        if checkpoint is None or not config.rounds_a_checkpoint:
            return grow(config.booster.n_estimators, None)
        return _grow_by_checkpoints(grow, config, checkpoint)


def _fit(classifier: SparkXGBClassifier, rows: DataFrame) -> SparkXGBClassifierModel:
    """Fit, and again where a worker dies: Spark never tries the result stage of workers that start together again."""
    for _ in range(TASK_TRIES - 1):
        with suppress(Py4JJavaError):
            model: SparkXGBClassifierModel = classifier.fit(rows)
            return model
    last: SparkXGBClassifierModel = classifier.fit(rows)
    return last


def _grow_by_checkpoints(
    grow: Callable[[int, Booster | None], SparkXGBClassifierModel], config: BoostConfig, checkpoint: Path
) -> SparkXGBClassifierModel:
    """Grow so many trees a checkpoint until all are there or the validation people stop it; then none is kept."""
    checkpoint.mkdir(parents=True, exist_ok=True)
    saved, partial = checkpoint / "booster.json", checkpoint / "partial.json"
    grown = Booster(model_file=str(saved)) if saved.exists() else None
    while True:
        done = grown.num_boosted_rounds() if grown else 0
        step = max(1, min(config.rounds_a_checkpoint, config.booster.n_estimators - done))
        with resumable(f"training stopped after {done} trees"):
            model = grow(step, grown)
        grown = model.get_booster()
        grown.save_model(str(partial))
        partial.replace(saved)
        stopped = grown.num_boosted_rounds() < done + step
        if stopped or grown.num_boosted_rounds() >= config.booster.n_estimators:
            shutil.rmtree(checkpoint)
            return model


@contextmanager
def _large_batches(spark: SparkSession) -> Iterator[None]:
    """Hand each worker its rows in few Arrow batches."""
    before = str(spark.conf.get(_BATCH_CONF))
    spark.conf.set(_BATCH_CONF, _RECORDS_PER_BATCH)
    try:
        yield
    finally:
        spark.conf.set(_BATCH_CONF, before)


@contextmanager
def _quiet() -> Iterator[None]:
    """Keep xgboost's progress out of the console."""
    logger = logging.getLogger("XGBoost-PySpark")
    before = logger.level
    logger.setLevel(logging.ERROR)
    try:
        yield
    finally:
        logger.setLevel(before)
