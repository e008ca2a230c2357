"""From the windows of a stay to one sequence a person: what an LSTM reads.

A variable that a window does not have is filled forward from the last one that has it, and by the median of the
training people before that; a flag says which were measured. Min-Max bounds (Eq. 1) are quantiles with a small cell
of training people beyond each, as in ``preprocess``.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anon_spark.errors import InputError
from anon_spark.learn.preprocess import Bounds

SEQUENCE = "sequence"
_WINDOW = "window"


@dataclass(frozen=True)
class Sequences:
    """What makes windows a sequence: bounds of each variable, and the number of windows."""

    bounds: dict[str, Bounds]
    windows: int

    @property
    def shape(self) -> tuple[int, int]:
        """Windows, and numbers of each: a value and a flag a variable."""
        return self.windows, 2 * len(self.bounds)

    def transform(self, people: DataFrame, windows: DataFrame) -> DataFrame:
        """Add ``sequence: array<double>``, flat, window after window; every person has every window.

        Args:
            people: one row each, with SUBJECT_ID.
            windows: ``(SUBJECT_ID, window, *variables)``, a row for a window that has a value.
        """
        grid = people.select(
            "SUBJECT_ID", F.explode(F.sequence(F.lit(0), F.lit(self.windows - 1))).alias(_WINDOW)
        )
        rows = grid.join(windows, on=["SUBJECT_ID", _WINDOW], how="left")
        until = Window.partitionBy("SUBJECT_ID").orderBy(_WINDOW)
        numbers = [
            number
            for name, bounds in self.bounds.items()
            for number in (
                _scaled(F.coalesce(F.last(name, ignorenulls=True).over(until), F.lit(bounds.median)), bounds),
                F.col(name).isNotNull().cast("double"),
            )
        ]
        told = rows.select("SUBJECT_ID", F.struct(_WINDOW, F.array(*numbers).alias("numbers")).alias("_told"))
        whole = told.groupBy("SUBJECT_ID").agg(
            F.flatten(F.sort_array(F.collect_list("_told"))["numbers"]).alias(SEQUENCE)
        )
        return people.join(whole, on="SUBJECT_ID", how="inner")


def fit_sequences(
    train: DataFrame, variables: Sequence[str], *, windows: int, quantile: float, small_cell: int
) -> Sequences:
    """Bounds of the variables of training people; a variable with too few people or one value is left out.

    A person counts once for a bound: what is beyond it are people's own extremes.

    Args:
        train: ``(SUBJECT_ID, window, *variables)`` of training people.

    Raises:
        InputError: no variable is left.
    """
    extremes = train.groupBy("SUBJECT_ID").agg(
        *(F.struct(F.min(name).alias("low"), F.max(name).alias("high")).alias(name) for name in variables)
    )
    known = extremes.agg(*(F.count(f"{name}.low").alias(name) for name in variables)).collect()[0].asDict()
    beyond = {
        name: max(quantile, small_cell / (count - 1))
        for name, count in known.items()
        if count > 2 * small_cell + 1
    }
    if not beyond:
        raise InputError("no variable has values of enough training people for a sequence")
    bounds = extremes.agg(
        *(F.percentile(f"{name}.low", share).alias(f"{name}_low") for name, share in beyond.items()),
        *(F.percentile(f"{name}.high", 1 - share).alias(f"{name}_high") for name, share in beyond.items()),
    ).collect()[0]
    medians = train.agg(*(F.percentile(name, 0.5).alias(name) for name in beyond)).collect()[0]
    found = {name: Bounds(bounds[f"{name}_low"], medians[name], bounds[f"{name}_high"]) for name in beyond}
    kept = {name: bound for name, bound in found.items() if bound.high > bound.low}
    if not kept:
        raise InputError("no variable has values of enough training people for a sequence")
    return Sequences(kept, windows)


def _scaled(value: Column, bounds: Bounds) -> Column:
    kept = F.least(F.greatest(value, F.lit(bounds.low)), F.lit(bounds.high))
    return (kept - bounds.low) / (bounds.high - bounds.low)
