"""(alpha, k)-anonymity over people: k people a class, and no sensitive value common in it.

Source: R. Wong et al., (alpha, k)-anonymity: an enhanced k-anonymity model for privacy preserving data
publishing, KDD 2006, the general model: alpha bounds every sensitive value.
"""

from dataclasses import dataclass

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes
from anon_spark.privacy.shares import TOLERANCE, any_pair, class_shares


@dataclass(frozen=True)
class AlphaK:
    """Every class holds at least k people, and P(s | class) is at most alpha for every value s, null included.

    Where people have sets of values, P(s | class) is the share of people who have s; the shares may add up to
    more than 1, and alpha bounds each.

    Raises:
        PolicyError: alpha is not in (0, 1], or k below 1.
    """

    alpha: float
    k: int
    attribute: str

    def __post_init__(self) -> None:
        if not 0 < self.alpha <= 1:
            raise PolicyError(f"alpha of {self.attribute} must lie in (0, 1], got {self.alpha}")
        if self.k < 1:
            raise PolicyError(f"k must be at least 1, got {self.k}")

    @property
    def monotone(self) -> bool:
        """False: taking people out of a class can lower the share of a value."""
        return False

    @property
    def closed_under_union(self) -> bool:
        """True: a union's share of a value lies between its parts', and it has more people."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are fewer than k people, or a value is more common than alpha."""
        counts = classes.sensitive[self.attribute]
        most = self.alpha * (1 + TOLERANCE) * classes.sizes
        common = any_pair(counts, counts.people > most[counts.owner], len(classes.sizes))
        return common | ((classes.sizes > 0) & (classes.sizes < self.k))

    def measured(self, classes: Classes) -> float:
        """Greatest P(s | class), the least alpha that is met; 0 where there is no class."""
        return float(class_shares(classes.sizes, classes.sensitive[self.attribute]).max(initial=0.0))
