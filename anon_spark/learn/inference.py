"""Seconds that a model needs for ever more people, by Spark, from cached features to scores that nobody keeps."""

import time
from collections.abc import Sequence

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.learn.evaluate import Scorer


def inference_seconds(model: Scorer, rows: DataFrame, copies: Sequence[int]) -> list[dict[str, float | int]]:
    """``{"people", "seconds"}`` for the rows taken so many times each; what a first run sets up is not timed."""
    people = rows.count()
    _score(model, rows, 1)
    found: list[dict[str, float | int]] = []
    for number in copies:
        began = time.monotonic()
        _score(model, rows, number)
        found.append({"people": people * number, "seconds": round(time.monotonic() - began, 3)})
    return found


def _score(model: Scorer, rows: DataFrame, copies: int) -> None:
    many = rows.withColumn("_copy", F.explode(F.sequence(F.lit(1), F.lit(copies))))
    model.transform(many).select("probability").write.format("noop").mode("overwrite").save()
