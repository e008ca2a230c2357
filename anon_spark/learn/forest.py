"""Spark's random forest: bagged trees, grown level by level over all rows."""

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field
from pyspark.ml.classification import RandomForestClassificationModel, RandomForestClassifier
from pyspark.sql import DataFrame

from anon_spark.learn.rows import WEIGHT, balance_weights, ordered
from anon_spark.learn.settings import load_settings
from anon_spark.policy.model import Strict


class ForestConfig(Strict):
    """Parameters of the forest, under Spark's names."""

    workers: Annotated[int, Field(ge=1)] = 2
    balanced: bool = False
    num_trees: Annotated[int, Field(ge=1)] = 100
    max_depth: Annotated[int, Field(ge=1, le=30)] = 10
    min_instances_per_node: Annotated[int, Field(ge=11)] = 11  # no leaf of fewer people
    max_bins: Annotated[int, Field(ge=2)] = 64
    feature_subset_strategy: Literal["auto", "all", "sqrt", "log2", "onethird"] = "sqrt"
    subsampling_rate: Annotated[float, Field(gt=0, le=1)] = 1.0
    seed: int = 7


def load_forest_config(path: Path | None = None) -> ForestConfig:
    """Read the model's settings; by default the package's ``models/forest.yaml``."""
    return load_settings(ForestConfig, "forest", path)


def fit_forest(
    prepared: DataFrame, *, features: str, label: str, config: ForestConfig
) -> RandomForestClassificationModel:
    """Return the fitted forest; only rows of the training fold are read."""
    train = prepared.where("fold = 'train'")
    weights = balance_weights(train, label) if config.balanced else None
    forest = RandomForestClassifier(
        featuresCol=features,
        labelCol=label,
        numTrees=config.num_trees,
        maxDepth=config.max_depth,
        minInstancesPerNode=config.min_instances_per_node,
        maxBins=config.max_bins,
        featureSubsetStrategy=config.feature_subset_strategy,
        subsamplingRate=config.subsampling_rate,
        seed=config.seed,
        weightCol=WEIGHT if weights else "",  # Spark takes the empty name for none
    )
    model: RandomForestClassificationModel = forest.fit(
        ordered(train, config.workers, label, features, weights=weights)
    )
    return model
