"""k-anonymity over people (Eq. 5, 11).

Every equivalence class of released quasi-identifier values must be shared by at least k *people*; a person
with several admissions counts once in each class they are in.
Source: L. Sweeney, k-anonymity: a model for protecting privacy, IJUFKS 10(5), 2002; Kumar et al. 2025.
"""

from dataclasses import dataclass

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes


@dataclass(frozen=True)
class KAnonymity:
    """Every class holds at least k people, or nobody. Sensitive values, sets or not, play no part.

    Raises:
        PolicyError: k is below 1.
    """

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise PolicyError(f"k must be at least 1, got {self.k}")

    @property
    def monotone(self) -> bool:
        """True: fewer people are fewer still, and a union holds more."""
        return True

    @property
    def closed_under_union(self) -> bool:
        """True, being monotone."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, but fewer than k."""
        return (classes.sizes > 0) & (classes.sizes < self.k)

    def measured(self, classes: Classes) -> float:
        """People of the smallest class (Eq. 11); 0 where there is none."""
        sizes = classes.sizes[classes.sizes > 0]
        return float(sizes.min()) if len(sizes) else 0.0
