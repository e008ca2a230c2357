"""Spark's random forest: bagged trees, grown level by level over all rows."""

from typing import Annotated, Literal

from pydantic import Field
from pyspark.ml.classification import RandomForestClassificationModel, RandomForestClassifier
from pyspark.sql import DataFrame

from anon_spark.learn.rows import EstimatorConfig, fit_estimator


class ForestConfig(EstimatorConfig):
    """Parameters of the forest, under Spark's names."""

    num_trees: Annotated[int, Field(ge=1)] = 100
    max_depth: Annotated[int, Field(ge=1, le=30)] = 10
    min_instances_per_node: Annotated[int, Field(ge=11)] = 11  # no leaf of fewer people
    max_bins: Annotated[int, Field(ge=2)] = 64
    feature_subset_strategy: Literal["auto", "all", "sqrt", "log2", "onethird"] = "sqrt"
    subsampling_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 7


def fit_forest(
    prepared: DataFrame, *, features: str, label: str, config: ForestConfig
) -> RandomForestClassificationModel:
    """Return the fitted forest; only rows of the training fold are read."""
    forest = RandomForestClassifier(
        numTrees=config.num_trees,
        maxDepth=config.max_depth,
        minInstancesPerNode=config.min_instances_per_node,
        maxBins=config.max_bins,
        featureSubsetStrategy=config.feature_subset_strategy,
        subsamplingRate=config.subsampling_rate,
        seed=config.seed,
    )
    model: RandomForestClassificationModel = fit_estimator(
        forest, prepared, features=features, label=label, config=config
    )
    return model
