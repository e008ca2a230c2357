"""How far measured numbers of a release are from the source's: their distributions and their correlations.

The Wasserstein distance is the mean gap of the two quantile functions, taken at 100 levels and told in standard
deviations of the raw numbers. Correlations are Pearson's, of each pair over the rows that know both.
"""

from collections.abc import Iterator, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
import pyarrow as pa
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

Floats = npt.NDArray[np.float64]
_LEVELS = [(place + 0.5) / 100 for place in range(100)]
_SUMS = 4  # rows that know both, sums of one, sums of its squares, sums of products


def measurement_differences(raw: DataFrame, release: DataFrame, names: Sequence[str]) -> dict[str, Any]:
    """``{"columns": {name: {"wasserstein"}}, "correlations": [{"columns", "raw", "release"}]}``.

    Args:
        names: numeric columns that both have; null is not known. A figure is None where a side knows too little.
    """
    one, other = correlations(raw, names), correlations(release, names)
    return {
        "columns": {name: {"wasserstein": gap} for name, gap in _gaps(raw, release, names).items()},
        "correlations": [
            {"columns": [names[a], names[b]], "raw": _or_none(one[a, b]), "release": _or_none(other[a, b])}
            for a, b in combinations(range(len(names)), 2)
        ],
    }


def correlations(df: DataFrame, names: Sequence[str]) -> Floats:
    """(names, names) Pearson's correlations; NaN where fewer than two rows know both, or one does not vary.

    Each partition sends four matrices; no row leaves it.
    """
    centred = df.select(*names)
    centres = centred.agg(*(F.avg(name).alias(name) for name in names)).collect()[0]
    shift = np.array([centres[name] or 0.0 for name in names], dtype=float)

    def sums(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        total = np.zeros((_SUMS, len(shift), len(shift)))
        for batch in batches:
            values = np.column_stack([c.to_numpy(zero_copy_only=False).astype(float) for c in batch.columns])
            known = ~np.isnan(values)
            numbers, weights = np.where(known, values - shift, 0.0), known.astype(float)
            total += [
                weights.T @ weights,
                numbers.T @ weights,
                (numbers**2).T @ weights,
                numbers.T @ numbers,
            ]
        yield pa.RecordBatch.from_pydict({"sums": [total.ravel().tolist()]})

    parts = centred.mapInArrow(sums, "sums array<double>").toArrow()["sums"].to_pylist()
    n, x, xx, xy = np.sum(parts, axis=0).reshape(_SUMS, len(names), len(names))
    with np.errstate(divide="ignore", invalid="ignore"):
        spread = np.sqrt((xx - x**2 / n) * (xx.T - x.T**2 / n))
        found: Floats = (xy - x * x.T / n) / spread
    return np.where((n > 1) & (spread > 0), found, np.nan)


def _gaps(raw: DataFrame, release: DataFrame, names: Sequence[str]) -> dict[str, float | None]:
    """Mean gap of the quantiles in standard deviations of the raw numbers."""
    quantiles = [F.percentile(name, _LEVELS).alias(name) for name in names]
    spreads = [F.stddev(name).alias(f"_{name}") for name in names]
    one = raw.agg(*quantiles, *spreads).collect()[0]
    other = release.agg(*quantiles).collect()[0]
    found: dict[str, float | None] = {}
    for name in names:
        known = one[name] is not None and other[name] is not None and one[f"_{name}"]
        gap = np.abs(np.subtract(one[name], other[name])).mean() / one[f"_{name}"] if known else None
        found[name] = None if gap is None else float(gap)
    return found


def _or_none(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
