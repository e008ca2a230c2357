"""t-closeness over people (Eq. 7, 14): no class's sensitive values are spread unlike the whole input's.

The distance of a class is the earth mover's distance between P(s | class) and P(s) of the *whole input*,
suppressed people included. Over equal ground distances it is the total variation, and that is a sum over the
values the class holds alone: both shares add up to 1, so what the class has too much of is what it lacks,

    1/2 sum_s |q_s - p_s| = sum_s max(0, q_s - p_s).

Source: N. Li, T. Li, S. Venkatasubramanian, t-closeness: privacy beyond k-anonymity and l-diversity,
ICDE 2007; Kumar et al. 2025.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes, Floats
from anon_spark.privacy.shares import TOLERANCE, class_shares, input_shares, one_value_each, sum_by_class


class Distance(Protocol):
    """How far the sensitive values of each class are from the whole input's."""

    def between(self, classes: Classes, attribute: str) -> Floats:
        """(classes,) distance in [0, 1], 0 for an empty class."""
        ...


@dataclass(frozen=True)
class EqualDistance:
    """Any two values are 1 apart: the total variation. Not defined where people have sets of values."""

    def between(self, classes: Classes, attribute: str) -> Floats:
        """(classes,) total variation, 0 for an empty class.

        Raises:
            PolicyError: people have sets of values.
        """
        counts = one_value_each(classes, attribute, "equal-distance t-closeness")
        excess = class_shares(classes.sizes, counts)
        excess -= input_shares(classes, counts)[counts.value]
        np.maximum(excess, 0, out=excess)
        return sum_by_class(counts, excess, len(classes.sizes))


@dataclass(frozen=True)
class TCloseness:
    """No class with people in it is farther than t from the whole input.

    Raises:
        PolicyError: t lies outside [0, 1].
    """

    t: float
    attribute: str
    distance: Distance = EqualDistance()

    def __post_init__(self) -> None:
        if not 0 <= self.t <= 1:
            raise PolicyError(f"t of {self.attribute} must lie in [0, 1], got {self.t}")

    @property
    def monotone(self) -> bool:
        """False: what suppression leaves of a class may be farther or nearer."""
        return False

    @property
    def closed_under_union(self) -> bool:
        """True: the earth mover's distance is convex, and a union's shares are a mean."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where the distance exceeds t."""
        return self.distance.between(classes, self.attribute) > self.t + TOLERANCE

    def measured(self, classes: Classes) -> float:
        """Distance of the farthest class (Eq. 14); 0 where there is none."""
        return float(self.distance.between(classes, self.attribute).max(initial=0.0))
