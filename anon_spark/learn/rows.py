"""Training rows in an order and with weights that depend on the people alone."""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

WEIGHT = "_weight"


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
