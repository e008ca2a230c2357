"""l-diversity over people: distinct, Shannon entropy, recursive (Eq. 6, 12, 13).

Every equivalence class must hold at least l "well-represented" values of the sensitive attribute; the three
definitions differ in what that means.
Source: A. Machanavajjhala et al., l-diversity: privacy beyond k-anonymity, TKDD 1(1), 2007, Def. 4.1-4.3;
Kumar et al. 2025.
"""

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes, Floats
from anon_spark.privacy.shares import TOLERANCE, one_value_each, sum_by_class


@dataclass(frozen=True)
class DistinctLDiversity:
    """Every class holds at least l values, each of at least one person.

    Where people have sets of values this bounds no P(s | class): all of them may share a value.

    Raises:
        PolicyError: l is below 1.
    """

    l: int  # noqa: E741  (the literature's letter)
    attribute: str

    def __post_init__(self) -> None:
        if self.l < 1:
            raise PolicyError(f"l of {self.attribute} must be at least 1, got {self.l}")

    @property
    def monotone(self) -> bool:
        """True: fewer people hold no further value, and a union holds the values of both."""
        return True

    @property
    def closed_under_union(self) -> bool:
        """True, being monotone."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, but fewer than l values."""
        return (classes.sizes > 0) & (self._values(classes) < self.l)

    def measured(self, classes: Classes) -> float:
        """Values of the least diverse class (Eq. 12); 0 where there is none."""
        values = self._values(classes)[classes.sizes > 0]
        return float(values.min()) if len(values) else 0.0

    def _values(self, classes: Classes) -> npt.NDArray[np.int64]:
        counts = classes.sensitive[self.attribute]
        return np.bincount(counts.owner[counts.people > 0], minlength=len(classes.sizes))


@dataclass(frozen=True)
class EntropyLDiversity:
    """The entropy of every class's values is at least log l: exp(entropy) is how many equal values that would be.

    Entropies are compared as they are, untruncated, allowing for ``TOLERANCE``: l equally frequent values
    meet l, and any less even spread over l values does not in a class of up to a million people. Not defined
    where people have sets of values.

    Raises:
        PolicyError: l is below 1; measuring sets of values.
    """

    l: float  # noqa: E741  (the literature's letter)
    attribute: str

    def __post_init__(self) -> None:
        if not self.l >= 1:
            raise PolicyError(f"l of {self.attribute} must be at least 1, got {self.l}")

    @property
    def monotone(self) -> bool:
        """False: taking people out of a class can even its values out."""
        return False

    @property
    def closed_under_union(self) -> bool:
        """True: entropy is concave, and a union's shares are a mean."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, but their values' entropy is below log l."""
        return (classes.sizes > 0) & (self._entropy(classes) < math.log(self.l) - TOLERANCE)

    def measured(self, classes: Classes) -> float:
        """exp(entropy) of the least diverse class (Eq. 13); 0 where there is none."""
        entropy = self._entropy(classes)[classes.sizes > 0]
        return float(np.exp(entropy.min())) if len(entropy) else 0.0

    def _entropy(self, classes: Classes) -> Floats:
        """(classes,) entropy in nats: log n - sum of n_s log n_s / n."""
        counts = one_value_each(classes, self.attribute, "entropy l-diversity")
        terms = counts.people * np.log(np.maximum(counts.people, 1))
        sizes = np.maximum(classes.sizes, 1)
        return np.log(sizes) - sum_by_class(counts, terms, len(sizes)) / sizes


@dataclass(frozen=True)
class RecursiveLDiversity:
    """The most frequent value of every class has fewer people than c times those of the l-th and rarer values.

    With r_1 >= r_2 >= ... people by value: r_1 < c (r_l + r_(l+1) + ...); equality, within ``TOLERANCE`` of
    r_1, fails. Not defined where people have sets of values.

    Raises:
        PolicyError: c is not above 0 or l below 1; measuring sets of values.
    """

    c: float
    l: int  # noqa: E741  (the literature's letter)
    attribute: str

    def __post_init__(self) -> None:
        if not self.c > 0:
            raise PolicyError(f"c of {self.attribute} must be above 0, got {self.c}")
        if self.l < 1:
            raise PolicyError(f"l of {self.attribute} must be at least 1, got {self.l}")

    @property
    def monotone(self) -> bool:
        """False: taking people out can lower the most frequent value."""
        return False

    @property
    def closed_under_union(self) -> bool:
        """True: r_1 of a union is at most the sum of both, its rarer values are at least that."""
        return True

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, and too many of them have the most frequent value."""
        most, rest = self._most_and_rest(classes)
        return (classes.sizes > 0) & (most * (1 + TOLERANCE) >= self.c * rest)

    def measured(self, classes: Classes) -> float:
        """r_1 / (r_l + ...) of the worst class: any greater c is met; infinite below l values, 0 without classes."""
        most, rest = self._most_and_rest(classes)
        held = classes.sizes > 0
        if not held.any():
            return 0.0
        return float(np.max(most[held] / rest[held])) if rest[held].all() else math.inf

    def _most_and_rest(self, classes: Classes) -> tuple[Floats, Floats]:
        """(classes,) people of the most frequent value, and of the l-th and all rarer ones."""
        counts = one_value_each(classes, self.attribute, "recursive l-diversity")
        number = len(classes.sizes)
        # one sort of (class, people descending), both packed into an integer: owners stay where they are
        top = int(counts.people.max(initial=0)) + 1
        people = top - np.sort(counts.owner * top + (top - 1 - counts.people)) % top - 1
        before = np.cumsum(np.bincount(counts.owner, minlength=number))
        first = np.concatenate(([0], before[:-1]))
        place = np.arange(len(people)) - first[counts.owner]
        most = sum_by_class(counts, np.where(place == 0, people, 0), number)
        return most, sum_by_class(counts, np.where(place >= self.l - 1, people, 0), number)
