"""Logistic regression: the floor that every other model has to rise above."""

from typing import Annotated

from pydantic import Field
from pyspark.ml.classification import LogisticRegression, LogisticRegressionModel
from pyspark.sql import DataFrame

from anon_spark.learn.rows import EstimatorConfig, fit_estimator


class LogisticConfig(EstimatorConfig):
    """Parameters of the regression, under Spark's names."""

    reg_param: Annotated[float, Field(ge=0)] = 0.01
    elastic_net_param: Annotated[float, Field(ge=0, le=1)] = 0.0
    max_iter: Annotated[int, Field(ge=1)] = 100


def fit_logistic(
    prepared: DataFrame, *, features: str, label: str, config: LogisticConfig
) -> LogisticRegressionModel:
    """Return the fitted regression; only rows of the training fold are read."""
    regression = LogisticRegression(
        regParam=config.reg_param,
        elasticNetParam=config.elastic_net_param,
        maxIter=config.max_iter,
    )
    model: LogisticRegressionModel = fit_estimator(
        regression, prepared, features=features, label=label, config=config
    )
    return model
