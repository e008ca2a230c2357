"""Which columns a boosted model leans on, and whether a model of the release leans on the same ones.

Gain: how much a column's splits lowered the training loss, in all. SHAP: the mean absolute contribution of a column
to the log odds of test people. What one-hot encoding, scaling and flags make of a column counts for that column, so
that raw and released models are compared although their categories differ.

Source: Lundberg et al. 2020, Nat Mach Intell 2:56, for contributions of trees; Spearman 1904 for ranks.
"""

import re
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.stats import spearmanr  # type: ignore[import-untyped]
from xgboost.spark import SparkXGBClassifierModel

from anon_spark.learn.preprocess import FEATURES

KINDS = ("gain", "shap")
_TOLD = "_contributions"
_MADE = re.compile(r"^_(.+?)_(?:scaled|absent|is_.*|is)$", re.DOTALL)

Importance = dict[str, dict[str, float]]
"""Kind to column to figure."""


def column_importance(model: SparkXGBClassifierModel, rows: DataFrame) -> Importance:
    """Gain and SHAP of every column that the model's features were made of.

    Args:
        rows: test people, with the vector column that a pipeline of ``fit_preprocessing`` made.
    """
    names = [source_column(name) for name in _feature_names(rows)]
    gains = model.get_booster().get_score(importance_type="total_gain")
    by_gain = ((names[int(feature[1:])], float(np.sum(gain))) for feature, gain in gains.items())
    explained = model.copy({model.getParam("pred_contrib_col"): _TOLD}).transform(rows.select(FEATURES))
    told = (
        explained.select(F.posexplode(F.col(_TOLD)[0]).alias("place", "part"))
        .groupBy("place")
        .agg(F.avg(F.abs("part")).alias("part"))
        .collect()
    )
    by_shap = (
        (names[row["place"]], row["part"]) for row in told if row["place"] < len(names)
    )  # the last is the bias
    return {"gain": _summed(by_gain), "shap": _summed(by_shap)}


def rank_correlations(raw: Importance, release: Importance) -> dict[str, Any]:
    """Spearman's correlation of the columns' ranks by each kind, with the figures; None with one column only."""
    document: dict[str, Any] = {}
    for kind in KINDS:
        names = sorted({*raw[kind], *release[kind]})
        one, other = ([side[kind].get(name, 0.0) for name in names] for side in (raw, release))
        varied = len({*one}) > 1 and len({*other}) > 1
        document[kind] = {
            "rank_correlation": float(spearmanr(one, other).statistic) if varied else None,
            "columns": {name: {"raw": a, "release": b} for name, a, b in zip(names, one, other, strict=True)},
        }
    return document


def source_column(feature: str) -> str:
    """The column that a feature was made of.

    >>> source_column("_AGE_scaled"), source_column("_GENDER_is_F"), source_column("_heart_rate_mean_absent")
    ('AGE', 'GENDER', 'heart_rate_mean')
    """
    match = _MADE.match(feature)
    return match[1] if match else feature


def _feature_names(rows: DataFrame) -> list[str]:
    kinds: Mapping[str, list[dict[str, Any]]] = rows.schema[FEATURES].metadata["ml_attr"]["attrs"]
    attributes = [attribute for kind in kinds.values() for attribute in kind]
    return [attribute["name"] for attribute in sorted(attributes, key=lambda attribute: attribute["idx"])]


def _summed(parts: Iterable[tuple[str, float]]) -> dict[str, float]:
    total: dict[str, float] = {}
    for name, part in parts:
        total[name] = total.get(name, 0.0) + float(part)
    return total
