"""Equivalence classes as arrays: all that a privacy criterion needs to know of a lattice node.

A class is what an attacker cannot tell apart. People of a class are counted once, however many of their rows
lie in it; where a person has several admissions they may be in several classes. Classes, and (class,
sensitive value) pairs, of disjoint people add up.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

import numpy as np
import numpy.typing as npt

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SensitiveCounts:
    """People of every (class, value) pair that occurs, for one sensitive attribute; null is a value like any other.

    Attributes:
        owner: (pairs,) class of the pair, ascending.
        value: (pairs,) code of the value; each (owner, value) once.
        people: (pairs,) people of the class who have the value, 0 once all of them are suppressed.
        totals: (values,) people of the whole input who have each value.
    """

    owner: Ints
    value: Ints
    people: Ints
    totals: Ints


@dataclass(frozen=True)
class Classes:
    """Equivalence classes of one lattice node.

    Attributes:
        sizes: (classes,) people of each class, 0 for a class nobody is left in.
        people: people of the whole input, suppressed ones included.
        sensitive: counts by sensitive attribute.
        population: (classes,) people of the population table with the class's labels, None without such a table.
    """

    sizes: Ints
    people: int
    sensitive: Mapping[str, SensitiveCounts] = field(default_factory=dict)
    population: Ints | None = None


class Criterion(Protocol):
    """What every equivalence class of a release must meet.

    ``monotone``: a class that fails with all people left also fails with fewer, and the union of classes that
    meet the criterion meets it: coarser nodes never suppress more. True for k, distinct l and k-map alone.
    """

    @property
    def monotone(self) -> bool:
        """Whether coarsening can only help."""
        ...

    @property
    def closed_under_union(self) -> bool:
        """Whether the union of two classes that meet the criterion is proven to meet it, see ``suppression``."""
        ...

    def failing(self, classes: Classes) -> Bools:
        """(classes,) True where a class with people in it does not meet the criterion; empty classes never fail."""
        ...

    def measured(self, classes: Classes) -> float:
        """The figure of the weakest class with people in it: what the release really has."""
        ...
