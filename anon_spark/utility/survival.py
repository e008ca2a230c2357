"""Survival in hospital from admission, raw against released: Kaplan and Meier's curve by day.

The event is death in hospital; who leaves alive is censored. An admission counts by the whole days that it lasted.
Two curves are compared by their largest gap and by the difference of their means up to 30 days.

Source: Kaplan, Meier 1958, JASA 53:457; Royston, Parmar 2013, BMC Med Res Methodol 13:152, for restricted means.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

Floats = npt.NDArray[np.float64]
DAYS = 30


@dataclass(frozen=True)
class Survival:
    """Share of people alive at the end of each day, from day 0, and what of it may be told.

    ``shown`` stays where it is until ``small_cell`` people or more have died since it last moved and as many are still
    at risk: the steps of the exact curve tell how many died on a day.
    """

    alive: Floats
    shown: Floats

    @property
    def mean(self) -> float:
        """Mean days alive of the days that the curve spans."""
        return float(self.alive[:-1].sum())


def kaplan_meier(
    deaths: Mapping[int, int], leavers: Mapping[int, int], *, small_cell: int, days: int = DAYS
) -> Survival:
    """The curve up to ``days`` from numbers of people by the day that they died on, or left on.

    >>> kaplan_meier({1: 1}, {0: 1, 2: 1, 3: 1}, small_cell=11, days=3).alive.round(3).tolist()
    [1.0, 0.667, 0.667, 0.667]
    """
    at_risk = sum(deaths.values()) + sum(leavers.values())
    alive, shown, since = 1.0, 1.0, 0
    exact, told = [], []
    for day in range(days + 1):
        died = deaths.get(day, 0)
        if at_risk:
            alive *= 1 - died / at_risk
        since += died
        if since >= small_cell and at_risk - died >= small_cell:
            shown, since = alive, 0
        exact.append(alive)
        told.append(shown)
        at_risk -= died + leavers.get(day, 0)
    return Survival(np.array(exact), np.array(told))


def survival_of(stays: DataFrame, *, small_cell: int) -> Survival:
    """The curve of ``(days: double, label: int)``, one row a person; a day that is not known leaves the person out."""
    whole = F.greatest(F.floor("days"), F.lit(0)).cast("int").alias("day")
    rows = stays.where("days is not null").groupBy(whole, "label").agg(F.count(F.lit(1)).alias("n")).collect()
    by_label = {label: {row["day"]: row["n"] for row in rows if row["label"] == label} for label in (0, 1)}
    return kaplan_meier(by_label[1], by_label[0], small_cell=small_cell)


def survival_difference(raw: Survival, release: Survival) -> dict[str, Any]:
    """The curves, their largest gap, and the difference of their means in days."""
    return {
        "raw": _curve(raw),
        "release": _curve(release),
        "largest_gap": round(float(np.abs(raw.alive - release.alive).max()), 3),
        "mean_days": {"raw": round(raw.mean, 2), "release": round(release.mean, 2)},
    }


def _curve(curve: Survival) -> dict[str, list[float]]:
    return {"alive": curve.shown.round(3).tolist()}
