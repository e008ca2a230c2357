"""Training rows in an order and with weights that depend on the people alone, and Spark's own estimators on them."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Annotated, Any

from py4j.protocol import Py4JError
from pydantic import Field
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.errors import ResumableError
from anon_spark.policy.model import Strict

WEIGHT = "_weight"


class EstimatorConfig(Strict):
    """What the settings of all of Spark's own estimators have."""

    workers: Annotated[int, Field(ge=1)] = 2
    balanced: bool = False  # both outcomes weigh the same


def fit_estimator(
    estimator: Any, prepared: DataFrame, *, features: str, label: str, config: EstimatorConfig
) -> Any:
    """Return the model that one of Spark's classifiers makes of the training fold; no other row is read."""
    train = prepared.where("fold = 'train'")
    weights = balance_weights(train, label) if config.balanced else None
    # Spark takes the empty name for no weights
    estimator.setParams(featuresCol=features, labelCol=label, weightCol=WEIGHT if weights else "")
    return estimator.fit(ordered(train, config.workers, label, features, weights=weights))


def ordered(
    rows: DataFrame, partitions: int, *columns: str, weights: Mapping[int, float] | None = None
) -> DataFrame:
    """The columns, with the weight of each label; who is in which partition and where follows from SUBJECT_ID.

    Sums of gradients and bootstrap samples depend on both.
    """
    weighed = rows if weights is None else rows.withColumn(WEIGHT, _weight(columns[0], weights))
    kept = [*columns, *([WEIGHT] if weights else [])]
    return (
        weighed.select("SUBJECT_ID", *kept)
        .repartition(partitions, "SUBJECT_ID")
        .sortWithinPartitions("SUBJECT_ID")
    )


@contextmanager
def resumable(stopped: str) -> Iterator[None]:
    """Where Spark gives a job up, say that what is saved can be gone on from; its own message can quote a cell."""
    try:
        yield
    except (PySparkException, Py4JError) as error:
        raise ResumableError(
            f"{stopped} ({type(error).__name__}); running the same command again goes on from there"
        ) from None


def fingerprint(rows: DataFrame, told: object) -> str:
    """A name for these very rows, in whatever order, under settings; neither can be read off it."""
    whole = rows.agg(F.sum(F.xxhash64(*sorted(rows.columns)).cast("decimal(38,0)"))).collect()[0][0]
    return hashlib.sha256(json.dumps([str(whole), told]).encode()).hexdigest()[:16]


def balance_weights(rows: DataFrame, label: str) -> dict[int, float]:
    """Weights by which both labels sum to the same, 1 on average."""
    counts = {int(row[label]): row["count"] for row in rows.groupBy(label).count().collect()}
    return {value: sum(counts.values()) / (len(counts) * count) for value, count in counts.items()}


def _weight(label: str, weights: Mapping[int, float]) -> Column:
    (_, other), *rest = sorted(weights.items())
    weight = F.lit(other)
    for value, number in rest:
        weight = F.when(F.col(label) == value, number).otherwise(weight)
    return weight
