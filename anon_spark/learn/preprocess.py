"""Numbers and categories to one vector: imputation, Min-Max (Eq. 1), one-hot, screening, fitted on training people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyspark.ml import PipelineModel, Transformer
from pyspark.ml.feature import OneHotEncoder, SQLTransformer, StringIndexer, VectorAssembler, VectorSlicer
from pyspark.ml.stat import Summarizer
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from scipy.stats import f as f_distribution  # type: ignore[import-untyped]

from anon_spark.errors import InputError

FEATURES = "features"
QUANTILE, SMALL_CELL = 0.001, 11
FALSE_DISCOVERY = 0.05
_EVERYTHING = "_everything"


@dataclass(frozen=True)
class Bounds:
    """What is scaled to 0 and 1, and what a null number becomes."""

    low: float
    median: float
    high: float


def fit_preprocessing(
    train: DataFrame,
    *,
    numeric: Sequence[str],
    categorical: Sequence[str],
    flagged: Sequence[str] = (),
    label: str | None = None,
    quantile: float = QUANTILE,
    small_cell: int = SMALL_CELL,
) -> PipelineModel:
    """Return the fitted pipeline that adds the vector column ``features``.

    Every statistic is of ``train`` alone: quantiles, medians, categories. The steps are Spark's own, so the
    pipeline is saved and loaded without this package.

    1. A flag (0 or 1) says where a column of ``flagged`` was null, if it ever is in ``train``.
    2. A null number becomes the column's median.
    3. x' = (x - low) / (high - low), cut off at 0 and 1. Low and high are quantiles with ``small_cell`` people
       beyond each, so that no one's extreme is in the model. A column with too few values for that, or with one
       value from low to high, says nothing and is left out.
    4. A category becomes a column of 0 and 1; one that ``train`` does not have is 0 in all of them.
    5. With a label, what says nothing of it alone is left out: analysis of variance of each feature, with 5 % false
       discoveries among those that stay. Where none would stay, all do.

    Args:
        train: the training people; one row each.
        numeric: double columns, null where not known.
        categorical: text columns without null.
        flagged: the numeric columns whose absence is a feature.
        label: the numeric column of outcomes to screen for; by default nothing is left out.
        quantile: share of the known values beyond each bound, where that is more than ``small_cell`` of them.
        small_cell: people at or beyond each bound, at least.

    Raises:
        InputError: when ``train`` leaves no number and no category.

    Source: Kumar et al. 2025, Eq. (1); its section on preprocessing for the rest. Benjamini and Hochberg 1995, J R
    Stat Soc B 57:289, for the screening.
    """
    rows, known = _count_known(train, numeric)
    bounds = _bounds(train, known, quantile, small_cell)
    absent = [name for name in flagged if small_cell <= known.get(name, 0) <= rows - small_cell]
    fitted = _Chain(train)
    if bounds or absent:
        fitted.add(_scaling(bounds, absent))
    encoded = _encode(fitted, categorical)
    inputs = [*(f"_{name}_scaled" for name in bounds), *encoded, *(f"_{name}_absent" for name in absent)]
    if not inputs:
        raise InputError("the training people have no feature with more than one value")
    assembler = VectorAssembler(inputCols=inputs, outputCol=FEATURES)
    if label is not None:
        _screen(fitted, assembler, label)
    else:
        fitted.add(assembler)
    return PipelineModel(fitted.stages)


def feature_count(prepared: DataFrame) -> int:
    """Length of the vectors that a fitted pipeline has made; no job runs for it."""
    return int(prepared.schema[FEATURES].metadata["ml_attr"]["num_attrs"])


class _Chain:
    """Fitted stages, and the training people as the last of them leaves them."""

    def __init__(self, train: DataFrame) -> None:
        self.stages: list[Transformer] = []
        self.train = train

    def add(self, stage: Transformer) -> None:
        self.stages.append(stage)
        self.train = stage.transform(self.train)


def _count_known(train: DataFrame, numeric: Sequence[str]) -> tuple[int, dict[str, int]]:
    """Rows of ``train``, and of each column the rows that are not null."""
    counts = train.agg(F.count(F.lit(1)).alias("_rows"), *(F.count(name).alias(name) for name in numeric))
    row = counts.collect()[0].asDict()
    return row.pop("_rows"), row


def _bounds(
    train: DataFrame, known: Mapping[str, int], quantile: float, small_cell: int
) -> dict[str, Bounds]:
    """Bounds of the columns that have enough values, and more than one between them."""
    beyond = {
        name: max(quantile, small_cell / (count - 1))
        for name, count in known.items()
        if count > 2 * small_cell
    }
    beyond = {name: share for name, share in beyond.items() if share < 0.5}
    if not beyond:
        return {}
    row = train.agg(
        # exact: an approximate quantile would depend on the partitions
        *(F.percentile(name, [share, 0.5, 1 - share]).alias(name) for name, share in beyond.items())
    ).collect()[0]
    found = {name: Bounds(*row[name]) for name in beyond}
    return {name: bounds for name, bounds in found.items() if bounds.high > bounds.low}


def _scaling(bounds: Mapping[str, Bounds], absent: Sequence[str]) -> SQLTransformer:
    """Flags, medians for nulls and Eq. 1 in one pass."""
    columns = [
        f"(least(greatest(coalesce(`{name}`, {b.median!r}D), {b.low!r}D), {b.high!r}D) - {b.low!r}D)"
        f" / {b.high - b.low!r}D AS `_{name}_scaled`"
        for name, b in bounds.items()
    ]
    columns += [f"CAST(`{name}` IS NULL AS DOUBLE) AS `_{name}_absent`" for name in absent]
    return SQLTransformer(
        statement=f"SELECT *, {', '.join(columns)} FROM __THIS__"  # noqa: S608 - columns' names and numbers
    )


def _screen(fitted: _Chain, assembler: VectorAssembler, label: str) -> None:
    """Assemble, and keep of the vector what tells the outcomes apart."""
    everything = assembler.copy({assembler.outputCol: _EVERYTHING})
    summary = Summarizer.metrics("count", "mean", "variance").summary(F.col(_EVERYTHING))
    groups = (
        everything.transform(fitted.train).groupBy(label).agg(summary.alias("of")).select("of.*").collect()
    )
    kept = _discoveries(
        _chances(*(np.array([row[name] for row in groups]) for name in ("count", "mean", "variance")))
    )
    if not kept:
        fitted.add(assembler)
        return
    fitted.add(everything)
    fitted.add(VectorSlicer(inputCol=_EVERYTHING, outputCol=FEATURES, indices=kept))


def _chances(count: np.ndarray, mean: np.ndarray, variance: np.ndarray) -> np.ndarray:
    """p of each feature by analysis of variance, from groups x features; 1 for a feature with a single value."""
    size = count[:, None]
    between = (size * (mean - count @ mean / count.sum()) ** 2).sum(axis=0) / max(len(count) - 1, 1)
    within = ((size - 1) * variance).sum(axis=0) / max(count.sum() - len(count), 1)
    with np.errstate(divide="ignore", invalid="ignore"):
        p: np.ndarray = f_distribution.sf(between / within, len(count) - 1, count.sum() - len(count))
    return np.where(np.isnan(p), 1.0, p)


def _discoveries(p: np.ndarray) -> list[int]:
    """Places of the p-values that Benjamini and Hochberg's step-up keeps, in order.

    >>> _discoveries(np.array([0.9, 0.01, 0.03, 0.2]))
    [1]
    >>> _discoveries(np.array([0.9, 0.01, 0.02, 0.2]))
    [1, 2]
    """
    order = np.argsort(p, kind="stable")
    passed = np.flatnonzero(p[order] <= FALSE_DISCOVERY * np.arange(1, p.size + 1) / p.size)
    return sorted(int(place) for place in order[: passed[-1] + 1]) if passed.size else []


def _encode(fitted: _Chain, categorical: Sequence[str]) -> list[str]:
    """One-hot encode the columns; returns the columns that hold the vectors."""
    if not categorical:
        return []
    indexed = [f"_{name}_index" for name in categorical]
    encoded = [f"_{name}_is" for name in categorical]
    # in alphabetical order: an order by frequency would tell the counts of small categories apart
    indexer = StringIndexer(
        inputCols=list(categorical),
        outputCols=indexed,
        handleInvalid="keep",
        stringOrderType="alphabetAsc",
    )
    fitted.add(indexer.fit(fitted.train))
    # the index after the last is 'not seen': dropLast makes it all zeros and leaves each category its column
    encoder = OneHotEncoder(inputCols=indexed, outputCols=encoded, dropLast=True)
    fitted.add(encoder.fit(fitted.train))
    return encoded
