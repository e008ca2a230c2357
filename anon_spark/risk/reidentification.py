"""Re-identification risk from the sizes of classes, for three attackers.

The prosecutor knows that their target is in the release: one of the people of the class. The journalist does
not, and looks for anyone: one of the people the population has with the class's labels. The marketer matches
everybody, and is judged by how many matches are right on average.
Source: K. El Emam, F. Dankar, Protecting privacy using k-anonymity, JAMIA 15(5), 2008; F. Dankar, K. El Emam,
A method for evaluating marketer re-identification risk, PAIS 2010.
"""

from dataclasses import dataclass

import numpy as np

from anon_spark.privacy.classes import Classes, Floats
from anon_spark.privacy.k_map import population
from anon_spark.privacy.shares import TOLERANCE


@dataclass(frozen=True)
class Risk:
    """Chance of a right match over the people in classes; all 0 where there is nobody.

    Attributes:
        highest: of the person at most risk.
        average: over people: of a prosecutor's or journalist's random target.
        at_risk: share of people whose chance is above the threshold.
    """

    highest: float
    average: float
    at_risk: float


def prosecutor_risk(classes: Classes, threshold: float) -> Risk:
    """Of each person 1 / people of their class; a person in several classes counts in each."""
    return _risk(1.0 / classes.sizes[classes.sizes > 0], classes, threshold)


def journalist_risk(classes: Classes, threshold: float) -> Risk:
    """Of each person 1 / people of the population with the labels of their class.

    Where the population table has fewer people of a class than the release, the release's are taken.

    Raises:
        PolicyError: there is no population table.
    """
    held = classes.sizes > 0
    return _risk(
        1.0 / np.maximum(population(classes, "journalist risk"), classes.sizes)[held], classes, threshold
    )


def marketer_risk(classes: Classes) -> float:
    """Expected share of right matches of all people: against the population where there is one, else the release.

    Against the release it is classes / people, the prosecutor's average.
    """
    risk = prosecutor_risk if classes.population is None else journalist_risk
    return risk(classes, 1.0).average


def _risk(chance: Floats, classes: Classes, threshold: float) -> Risk:
    sizes = classes.sizes[classes.sizes > 0]
    people = int(sizes.sum())
    if people == 0:
        return Risk(0.0, 0.0, 0.0)
    above = int(sizes[chance > threshold * (1 + TOLERANCE)].sum())
    return Risk(float(chance.max()), float((chance * sizes).sum() / people), above / people)
