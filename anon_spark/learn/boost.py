"""Gradient-boosted trees on Spark's tasks: ``xgboost.spark``, two workers or more, no copy on the driver."""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal, Self

import yaml
from pydantic import Field, ValidationError, model_validator
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifier, SparkXGBClassifierModel

from anon_spark.errors import PolicyError
from anon_spark.policy.load import conf_dir
from anon_spark.policy.model import Strict

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
    booster: BoosterConfig = BoosterConfig()

    @model_validator(mode="after")
    def _leaves_a_test(self) -> Self:
        if self.train_share + self.validation_share > 1 - 1 / _SLICES:
            raise ValueError("train_share and validation_share leave no one for the test")
        return self


def load_boost_config(path: Path | None = None) -> BoostConfig:
    """Read the model's settings; by default the package's ``models/xgboost.yaml``.

    Raises:
        PolicyError: all problems at once, each with its key.
    """
    file = path or conf_dir() / "models" / "xgboost.yaml"
    try:
        return BoostConfig.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise PolicyError(
            [
                f"{file.name}: {'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']}"
                for item in error.errors(include_url=False)
            ]
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{file.name}: cannot be read ({type(error).__name__})") from None


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
    prepared: DataFrame, *, features: str, label: str, config: BoostConfig
) -> SparkXGBClassifierModel:
    """Return the fitted classifier; it stops when the people of the validation fold gain nothing more.

    Args:
        prepared: ``(SUBJECT_ID, fold, label, features)``; rows of the test fold are never read.

    Raises:
        PolicyError: with dynamic allocation, under which the workers cannot start together.
    """
    spark = prepared.sparkSession
    if spark.sparkContext.getConf().get("spark.dynamicAllocation.enabled", "false") == "true":
        raise PolicyError(
            "training starts all workers together; spark.dynamicAllocation.enabled=true does not allow that"
        )
    workers = worker_count(spark, config.workers)
    rows = (
        prepared.where(F.col("fold").isin(*FOLDS[:2]))
        .select("SUBJECT_ID", label, features, (F.col("fold") == FOLDS[1]).alias("_validates"))
        # the sums of gradients depend on which worker has whom, and in which order
        .repartition(workers, "SUBJECT_ID")
        .sortWithinPartitions("SUBJECT_ID")
    )
    classifier = SparkXGBClassifier(
        features_col=features,
        label_col=label,
        validation_indicator_col="_validates",
        num_workers=workers,
        verbose=False,
        verbosity=0,
        **config.booster.model_dump(),
    )
    with _large_batches(spark), _quiet():
        model: SparkXGBClassifierModel = classifier.fit(rows)
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
