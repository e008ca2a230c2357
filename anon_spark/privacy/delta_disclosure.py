"""delta-disclosure privacy over people: no class makes a sensitive value much more, or much less, likely.

Source: J. Brickell, V. Shmatikov, The cost of privacy: destruction of data-mining utility in anonymized data
publishing, KDD 2008. Logarithms are to base 2, as in ARX; so is the information gain that delta bounds.
"""

import math
from dataclasses import dataclass

import numpy as np

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes
from anon_spark.privacy.shares import TOLERANCE, any_pair, class_shares, input_shares


@dataclass(frozen=True)
class DeltaDisclosurePrivacy:
    """Of every class and value s, \\|log2(P(s | class) / P(s))\\| is below delta; equality fails.

    P(s) is that of the whole input. A value of the input that a class does not hold has the logarithm of 0 and
    fails, as the definition has it; ``absent_fails=False`` looks at the values the class holds alone, as ARX
    does. Where people have sets of values each value counts for itself.

    Raises:
        PolicyError: delta is not above 0.
    """

    delta: float
    attribute: str
    absent_fails: bool = True

    def __post_init__(self) -> None:
        if not self.delta > 0:
            raise PolicyError(f"delta of {self.attribute} must be above 0, got {self.delta}")

    @property
    def monotone(self) -> bool:
        """False: taking people out of a class moves its shares either way."""
        return False

    @property
    def closed_under_union(self) -> bool:
        """Where absent values fail: a union's share lies between its parts', which all hold the value."""
        return self.absent_fails

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, and a value's share is too far from the input's."""
        counts = classes.sensitive[self.attribute]
        shares, whole = class_shares(classes.sizes, counts), input_shares(classes, counts)
        factor = math.exp2(min(self.delta, 1000.0))
        high, low = whole * factor * (1 - TOLERANCE), whole / factor * (1 + TOLERANCE)
        far = (counts.people > 0) & ((shares >= high[counts.value]) | (shares <= low[counts.value]))
        return any_pair(counts, far, len(classes.sizes)) | self._lacking(classes)

    def measured(self, classes: Classes) -> float:
        """Greatest \\|log2(P(s | class) / P(s))\\|: any greater delta is met; 0 where there is no class."""
        counts = classes.sensitive[self.attribute]
        if self._lacking(classes).any():
            return math.inf
        held = counts.people > 0
        whole = input_shares(classes, counts)[counts.value[held]]
        return float(np.abs(np.log2(class_shares(classes.sizes, counts)[held] / whole)).max(initial=0.0))

    def _lacking(self, classes: Classes) -> Bools:
        """(classes,) True where there are people, but a value of the input is absent and that counts."""
        if not self.absent_fails:
            return np.zeros(len(classes.sizes), dtype=np.bool_)
        counts = classes.sensitive[self.attribute]
        held = np.bincount(counts.owner[counts.people > 0], minlength=len(classes.sizes))
        return (classes.sizes > 0) & (held < np.count_nonzero(counts.totals))
