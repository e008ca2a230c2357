"""Attribute inference through a model: whoever knows a person's record but for one value, and the outcome, asks it.

The attacker fills in each value that the training people have, weighs how likely the model then finds the outcome by
how common the value is, and guesses the best. The baseline is the guess without a model: the commonest value. What
the model tells of people that it has not seen follows from how things go together; what it tells of its training
people beyond that, it has remembered.

Source: Fredrikson et al. 2014, Privacy in pharmacogenetics, USENIX Security; Yeom et al. 2018, CSF, for comparing
members with strangers.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.learn.evaluate import Scorer
from anon_spark.mimic3.cohort import LABEL

_QUANTILE = 1.96
_GROUPS = {"train": "members", "test": "strangers"}

Shares = dict[str, dict[str, float]]


def infer_attributes(
    model: Scorer, pipeline: PipelineModel, people: DataFrame, attributes: Sequence[str], *, small_cell: int
) -> dict[str, Any]:
    """What the attack finds out of training people and of test people, by attribute.

    Args:
        people: ``(SUBJECT_ID, fold, label)`` and the columns that the pipeline reads.
        attributes: text columns; values of fewer than ``small_cell`` training people are not guessed, and people
            who have them are not asked about.

    Returns:
        ``{attribute: {"members" | "strangers": {"accuracy", "guess", "gain"}}}``: the attack's share of right guesses,
        that of the commonest value, and the difference with its interval of 95 % over the same people. None for an
        attribute with fewer than two values, or a group of fewer than ``small_cell`` people.
    """
    shares = _shares(people.where("fold = 'train'"), attributes, small_cell)
    open_to_guess = {name: values for name, values in shares.items() if len(values) > 1}
    found: dict[str, Any] = dict.fromkeys(attributes)
    if not open_to_guess:
        return found
    for row in _guessed(model, pipeline, people, open_to_guess).collect():
        if row["people"] >= small_cell:
            found[row["attribute"]] = (found[row["attribute"]] or {}) | {
                _GROUPS[row["fold"]]: _gain(**row.asDict())
            }
    return found


def _shares(train: DataFrame, attributes: Sequence[str], small_cell: int) -> Shares:
    """Share of the training people with each value that enough of them have."""
    held = F.explode(
        F.array(*(F.struct(F.lit(name).alias("name"), F.col(name).alias("value")) for name in attributes))
    )
    rows = train.select(held.alias("held")).groupBy("held.name", "held.value").count().collect()
    people = sum(row["count"] for row in rows) / max(1, len(attributes))
    shares: Shares = {name: {} for name in attributes}
    for row in sorted(rows, key=lambda row: (-row["count"], row["value"])):
        if row["count"] >= small_cell:
            shares[row["name"]][row["value"]] = row["count"] / people
    return shares


def _guessed(model: Scorer, pipeline: PipelineModel, people: DataFrame, shares: Shares) -> DataFrame:
    """(attribute, fold, people, right, by_guess, only_attack, only_guess): one job over every value of everybody."""
    asked = F.explode(
        F.array(
            *(
                F.struct(F.lit(name).alias("name"), F.lit(value).alias("value"), F.lit(share).alias("share"))
                for name, values in shares.items()
                for value, share in values.items()
            )
        )
    )
    truth = F.coalesce(*(F.when(F.col("asked.name") == name, F.col(name)) for name in shares))
    commonest = _one_of({name: next(iter(values)) for name, values in shares.items()})
    rows = people.where(F.col("fold").isin(*_GROUPS)).withColumn("asked", asked)
    rows = rows.withColumns({"_truth": truth, "_commonest": commonest})
    filled = {
        name: F.when(F.col("asked.name") == name, F.col("asked.value")).otherwise(F.col(name))
        for name in shares
    }
    scored = model.transform(pipeline.transform(rows.withColumns(filled)))
    likely = vector_to_array(F.col("probability"))[1]
    weight = F.col("asked.share") * F.when(F.col(LABEL) == 1, likely).otherwise(1 - likely)
    order = F.struct(weight, F.col("asked.share"), F.col("asked.value"))
    person = scored.groupBy(F.col("asked.name").alias("attribute"), "fold", "SUBJECT_ID").agg(
        F.max_by("asked.value", order).alias("guess"),
        F.max("_truth").alias("truth"),
        F.max("_commonest").alias("commonest"),
        F.max((F.col("asked.value") == F.col("_truth")).cast("int")).alias("open"),
    )
    right, by_guess = F.col("guess") == F.col("truth"), F.col("commonest") == F.col("truth")
    return (
        person.where("open = 1")
        .groupBy("attribute", "fold")
        .agg(
            F.count(F.lit(1)).alias("people"),
            F.count_if(right).alias("right"),
            F.count_if(by_guess).alias("by_guess"),
            F.count_if(right & ~by_guess).alias("only_attack"),
            F.count_if(by_guess & ~right).alias("only_guess"),
        )
    )


def _one_of(values: Mapping[str, str]) -> Column:
    return F.coalesce(*(F.when(F.col("asked.name") == name, F.lit(value)) for name, value in values.items()))


def _gain(
    *, people: int, right: int, by_guess: int, only_attack: int, only_guess: int, **_: Any
) -> dict[str, Any]:
    """Shares of right guesses and their paired difference, with McNemar's variance."""
    difference, differ = only_attack - only_guess, only_attack + only_guess
    half = _QUANTILE * float(np.sqrt(max(0.0, differ - difference**2 / people))) / people
    gain = difference / people
    return {
        "accuracy": right / people,
        "guess": by_guess / people,
        "gain": {"value": gain, "low": gain - half, "high": gain + half},
    }
