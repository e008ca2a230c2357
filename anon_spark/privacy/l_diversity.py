"""l-diversity over people: distinct, Shannon entropy, recursive (Eq. 6, 12, 13).

Every equivalence class must hold at least l "well-represented" values of the sensitive attribute; the three
definitions differ in what that means.
Source: A. Machanavajjhala et al., l-diversity: privacy beyond k-anonymity, TKDD 1(1), 2007, Def. 4.1-4.3;
Kumar et al. 2025.
"""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes


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


def distinct_values(
    pairs: npt.NDArray[np.int64],
    class_of_pair: npt.NDArray[np.int64],
    people: npt.NDArray[np.int64],
    classes: int,
) -> npt.NDArray[np.int64]:
    """Distinct sensitive values of every class.

    Args:
        pairs: for each (class, pattern) pair, the number of its (class, sensitive value) combination.
        class_of_pair: (combinations,) class of each combination.
        people: people of each (class, pattern) pair who are not suppressed.
        classes: number of classes.

    Returns:
        (classes,) values held by at least one person who is left.
    """
    held = np.bincount(pairs, weights=people, minlength=len(class_of_pair)) > 0
    return np.bincount(class_of_pair[held], minlength=classes).astype(np.int64)
