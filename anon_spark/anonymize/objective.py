"""What the search minimizes (Eq. 8-10, with the risk bounded by k, l and the suppression limit).

The loss of a quasi-identifier is the mean share of its domain that a released value leaves open, scaled so
that exact values lose 0 and ``*`` loses 1:

    L_q = (sum of shares - n/D) / (n - n/D),    share = leaves under the value / D, 1 for a suppressed person

n counts people for a person's quasi-identifier and admissions for an admission's. ``loss_am`` is the mean of
L_q. Source: V. Iyengar, Transforming data to satisfy privacy constraints, KDD 2002; as ARX 3.9 computes it.
"""

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from anon_spark.anonymize.patterns import PatternTable
from anon_spark.policy.model import Policy

_FLOOR = 1e-10


def attribute_losses(sums: Sequence[float], totals: Sequence[float], domains: Sequence[int]) -> list[float]:
    """Loss of every quasi-identifier from its sum of shares.

    Args:
        sums: sum of shares over the units.
        totals: number of units (people or admissions).
        domains: rows of the hierarchy's file.

    >>> attribute_losses([2.0], [4.0], [2])
    [1e-10]
    >>> attribute_losses([4.0], [4.0], [2])
    [1.0]
    """
    losses = []
    for total_share, n, size in zip(sums, totals, domains, strict=True):
        finest = n / size
        losses.append(max((total_share - finest) / (n - finest), _FLOOR) if n > finest else _FLOOR)
    return losses


def weights(patterns: PatternTable, policy: Policy) -> list[npt.NDArray[np.float64]]:
    """Units that each tuple stands for, by quasi-identifier.

    A person's value is the same in all tuples of a pattern, so their weight is split over them by admissions.
    """
    people = patterns.people[patterns.pattern].astype(np.float64)
    admissions = np.bincount(patterns.pattern, weights=patterns.times, minlength=len(patterns.people))
    share = patterns.times / admissions[patterns.pattern]
    return [
        people * (share if policy.quasi_identifiers[name].unit == "person" else patterns.times)
        for name in patterns.names
    ]
