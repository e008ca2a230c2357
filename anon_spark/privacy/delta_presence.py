"""delta-presence over people: from their quasi-identifiers nobody can be known to be in the release, or not.

Source: M. Nergiz, M. Atzori, C. Clifton, Hiding the presence of individuals from shared databases,
SIGMOD 2007; the release as research subset of the population, as in ARX.
"""

import math
from dataclasses import dataclass

import numpy as np

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes, Floats
from anon_spark.privacy.k_map import population
from anon_spark.privacy.shares import TOLERANCE


@dataclass(frozen=True)
class DeltaPresence:
    """Of the population with the labels of a class, between delta_min and delta_max are in the release.

    A suppressed person is not in the release. Labels that nobody in the release has are no class here: their
    presence is 0, which a delta_min above 0 does not check. A class whose people the population table lacks
    fails. Sensitive values play no part.

    Raises:
        PolicyError: not 0 <= delta_min <= delta_max <= 1; measuring without a population table.
    """

    delta_min: float
    delta_max: float

    def __post_init__(self) -> None:
        if not 0 <= self.delta_min <= self.delta_max <= 1:
            raise PolicyError(
                f"delta-presence needs 0 <= min <= max <= 1, got min {self.delta_min} and max {self.delta_max}"
            )

    @property
    def monotone(self) -> bool:
        """False: taking people out lowers presence, below delta_min or delta_max."""
        return False

    @property
    def closed_under_union(self) -> bool:
        """Without a lower bound: people of the population alone can thin out a union."""
        return self.delta_min == 0

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, and their share of the population is outside the bounds."""
        people = population(classes, "delta-presence")
        few = classes.sizes < self.delta_min * (1 - TOLERANCE) * people
        many = classes.sizes > self.delta_max * (1 + TOLERANCE) * people
        return (classes.sizes > 0) & (few | many)

    def measured(self, classes: Classes) -> float:
        """Greatest presence, the least delta_max that is met; 0 where there is no class."""
        return float(self._presence(classes).max(initial=0.0))

    def least(self, classes: Classes) -> float:
        """Least presence, the greatest delta_min that is met; 0 where there is no class."""
        presence = self._presence(classes)
        return float(presence.min()) if len(presence) else 0.0

    def _presence(self, classes: Classes) -> Floats:
        """Share of the population, of every class with people in it; infinite where it has none."""
        held = classes.sizes > 0
        people = population(classes, "delta-presence")[held]
        return np.where(people > 0, classes.sizes[held] / np.maximum(people, 1), math.inf)
