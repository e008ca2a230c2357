"""Losses of the classes' sizes: discernibility and average class size.

    discernibility       sum of |E|^2 over the classes left + n for every suppressed person
    average class size   n / (classes left + 1 if anybody is suppressed)

n counts people, suppressed ones included; weights play no part.

Lower bounds where every person lies in one class. Let |E_v(x)| be the class size of person x at node v before
suppression; it grows with v, and discernibility is the sum over people of |E_v(x)|, or n >= |E_v(x)| for a
suppressed one. (1) At v it is at least the sum over all x of |E_f(x)|, the squared sizes at any f finer than v.
(2) Let S be suppressed for certain at a c coarser than v, hence at v: then it is at least n |S| + the sum over
x not in S of |E_f(x)|, and that is the squared sizes at f less at most those of S's classes at c. (3) Whoever else
of a class E of c is suppressed at v adds n - |E_f(x)| to that, at least n - |E|.

Lower bounds where a person may lie in several classes. Coarsening can put two classes of a person into one,
and suppression can empty others, so the squares at f bound nothing. But every person left lies in a class, so
discernibility is at least n |S| + (n - |S|).

Average class size, either way: anybody suppressed empties at least one class, so there are never more groups
than classes before suppression, and never more of those at v than at any finer f.
Source: R. Bayardo, R. Agrawal, ICDE 2005; K. LeFevre et al., ICDE 2006; as ARX 3.9 computes them.
"""

from collections.abc import Mapping

import numpy as np
import numpy.typing as npt

from anon_spark.utility.loss import Input, Outcome, weights_of


class Discernibility:
    """People one cannot be told from, summed over people; n for a suppressed one."""

    def __init__(self, whole: Input, weights: Mapping[str, float] | None = None) -> None:
        weights_of(whole.names, weights)
        self._whole = whole

    def value(self, outcome: Outcome) -> float:
        """The loss at a node."""
        return _squares(outcome, outcome.left) + float(self._whole.people) * outcome.suppressed

    def bounds(self) -> "DiscernibilityBounds":
        """Everybody in a class of their own."""
        return DiscernibilityBounds(self._whole)


class DiscernibilityBounds:
    """Squared sizes at finer nodes, and the people certain to be suppressed."""

    def __init__(self, whole: Input) -> None:
        self._whole = whole
        self.lower = np.full(whole.shape, float(whole.people))
        self._squares = self.lower.copy()
        self._suppression = np.zeros(whole.shape)

    def learn(self, seen: Outcome) -> None:
        """Raise the bounds of finer nodes by suppression, of coarser ones by squares."""
        finer = tuple(slice(level + 1) for level in seen.node)
        coarser = tuple(slice(level, None) for level in seen.node)
        people = float(self._whole.people)
        if self._whole.one_class_each:
            squares = _squares(seen, seen.sizes)
            _raise(self._squares[coarser], squares)
            if seen.certain_in_all:
                more = people * seen.certain - squares + _squares(seen, seen.left_by_certain)
                if seen.more is not None:
                    further = seen.more if seen.times is None else seen.more * seen.times
                    more += float(further @ (people - seen.sizes))
                _raise(self._suppression[finer], more)
        elif seen.certain:
            _raise(self._suppression[finer], (people - 1) * seen.certain)
        np.maximum(self.lower, self._squares + self._suppression, out=self.lower)


class AverageClassSize:
    """People a class, suppressed people being one class."""

    def __init__(self, whole: Input, weights: Mapping[str, float] | None = None) -> None:
        weights_of(whole.names, weights)
        self._whole = whole

    def value(self, outcome: Outcome) -> float:
        """The loss at a node."""
        groups = outcome.classes_left + (outcome.suppressed > 0)
        return self._whole.people / max(groups, 1)

    def bounds(self) -> "AverageClassSizeBounds":
        """Everybody in a class of their own, or more classes than people."""
        return AverageClassSizeBounds(self._whole)


class AverageClassSizeBounds:
    """Classes at finer nodes."""

    def __init__(self, whole: Input) -> None:
        self._people = whole.people
        self.lower = np.zeros(whole.shape)

    def learn(self, seen: Outcome) -> None:
        """Raise the bounds of coarser nodes."""
        coarser = tuple(slice(level, None) for level in seen.node)
        _raise(self.lower[coarser], self._people / max(seen.over_classes(seen.sizes > 0), 1))


def _squares(of: Outcome, sizes: npt.NDArray[np.int64]) -> float:
    floats = sizes.astype(np.float64)
    return float(floats @ (floats if of.times is None else floats * of.times))


def _raise(part: npt.NDArray[np.float64], value: float) -> None:
    np.maximum(part, value, out=part)
