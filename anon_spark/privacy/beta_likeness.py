"""beta-likeness over people, basic and enhanced: no class makes a sensitive value much more likely.

Only gains count: learning that a value is less likely is no harm here.
Source: J. Cao, P. Karras, Publishing microdata with a robust privacy guarantee, PVLDB 5(11), 2012.
"""

from dataclasses import dataclass

import numpy as np

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes
from anon_spark.privacy.shares import TOLERANCE, any_pair, class_shares, input_shares


@dataclass(frozen=True)
class BetaLikeness:
    """Of every class and value s, the gain (P(s | class) - P(s)) / P(s) is at most beta.

    Enhanced: at most min(beta, -ln P(s)), which keeps P(s | class) below 1 for common values too. P(s) is that
    of the whole input. Where people have sets of values each value counts for itself.

    Raises:
        PolicyError: beta is not above 0.
    """

    beta: float
    attribute: str
    enhanced: bool = False

    def __post_init__(self) -> None:
        if not self.beta > 0:
            raise PolicyError(f"beta of {self.attribute} must be above 0, got {self.beta}")

    @property
    def monotone(self) -> bool:
        """False: taking people out of a class can lower the share of a value."""
        return False

    @property
    def closed_under_union(self) -> bool:
        """True: a union's share of a value lies between its parts'."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where a value gains more than it may."""
        counts = classes.sensitive[self.attribute]
        whole = input_shares(classes, counts)
        gain = np.full(len(whole), self.beta)
        if self.enhanced:
            gain = np.minimum(gain, -np.log(np.where(whole > 0, whole, 1.0)))
        most = whole * (1 + gain) * (1 + TOLERANCE)
        gained = class_shares(classes.sizes, counts) > most[counts.value]
        return any_pair(counts, gained, len(classes.sizes))

    def measured(self, classes: Classes) -> float:
        """Greatest gain of any value in any class, the least basic beta that is met; 0 where there is no class."""
        counts = classes.sensitive[self.attribute]
        held = counts.people > 0
        whole = input_shares(classes, counts)[counts.value[held]]
        return float((class_shares(classes.sizes, counts)[held] / whole - 1).max(initial=0.0))
