"""k-map over people: every released class is shared by at least k people of the population.

It is k-anonymity against an attacker who does not know who is in the release.
Source: L. Sweeney, Computational disclosure control: a primer on data privacy protection, PhD thesis, MIT, 2001.
"""

from dataclasses import dataclass

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes, Ints


@dataclass(frozen=True)
class KMap:
    """The population has at least k people with the labels of every class. Sensitive values play no part.

    Raises:
        PolicyError: k is below 1; measuring without a population table.
    """

    k: int

    def __post_init__(self) -> None:
        if self.k < 1:
            raise PolicyError(f"k of k-map must be at least 1, got {self.k}")

    @property
    def monotone(self) -> bool:
        """True: suppression does not change the population, and a union's holds more."""
        return True

    @property
    def closed_under_union(self) -> bool:
        """True, being monotone."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, but fewer than k in the population."""
        return (classes.sizes > 0) & (population(classes, "k-map") < self.k)

    def measured(self, classes: Classes) -> float:
        """People of the population in the class where they are fewest; 0 where there is no class."""
        sizes = population(classes, "k-map")[classes.sizes > 0]
        return float(sizes.min()) if len(sizes) else 0.0


def population(classes: Classes, criterion: str) -> Ints:
    """(classes,) people of the population table with the class's labels.

    Raises:
        PolicyError: there is no population table.
    """
    if classes.population is None:
        raise PolicyError(f"{criterion} needs a population table, and the policy names none")
    return classes.population
