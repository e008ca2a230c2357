"""What a loss is: a figure of a lattice node, and proofs of how low it can be elsewhere.

The search asks a loss for two things. Its value at a node, from the classes and what is suppressed there. And
lower bounds over the lattice: from generalization alone at the start, and better ones with every node seen,
since people who are certain to be suppressed at a node (by criteria that coarsening can only help) are
suppressed at every finer node too.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
import numpy.typing as npt

from anon_spark.anonymize.coarsening import Levels, Node
from anon_spark.errors import PolicyError

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Outcome:
    """One node, generalized and suppressed.

    Attributes:
        node: level of every quasi-identifier.
        suppressed: people taken out. Where ``complete`` is False that is a lower bound, and nothing is known of
            who is ``left`` and ``gone``.
        certain: people taken out by the criteria that coarsening can only help: at every finer node they are too.
        more: (classes,) at least so many further people of each class are taken out at every finer node, whoever
            they are; None where nobody is.
        sizes: (classes,) people before suppression.
        left: (classes,) people afterwards.
        left_by_certain: (classes,) people left when the certain ones are taken out.
        gone: suppressed units by leaf, all quasi-identifiers side by side; made when called. A leaf stands for
            all leaves under its label at the node.
        gone_for_certain: the same for the certain people, None where these are all.
        complete: whether it was worth while to look at all criteria.
        times: (classes,) how many classes each entry of those above stands for; None where each is one.
    """

    node: Node
    suppressed: int
    certain: int
    more: Ints | None
    sizes: Ints
    left: Ints
    left_by_certain: Ints
    gone: Callable[[], Floats]
    gone_for_certain: Callable[[], Floats] | None
    complete: bool = True
    times: Ints | None = None

    @cached_property
    def certain_in_all(self) -> int:
        """People who are taken out at every finer node, known or not."""
        return self.certain + (0 if self.more is None else self.over_classes(self.more))

    @cached_property
    def classes_left(self) -> int:
        """Classes with people in them after suppression."""
        return self.over_classes(self.left > 0)

    def over_classes(self, figures: Ints | npt.NDArray[np.bool_]) -> int:
        """Sum of a whole figure of every class."""
        return int(figures.sum() if self.times is None else self.times @ figures)

    @cached_property
    def gone_units(self) -> Floats:
        """``gone``, made once."""
        return self.gone()

    @cached_property
    def certain_units(self) -> Floats:
        """``gone_for_certain``, made once."""
        return self.gone_units if self.gone_for_certain is None else self.gone_for_certain()


@dataclass(frozen=True)
class Input:
    """The whole input, as losses see it.

    Attributes:
        names: quasi-identifiers.
        levels: of each.
        offsets: where each one's leaves start when all are laid side by side.
        units: units (people, or rows) of every leaf, side by side.
        people: of the whole input.
        one_class_each: every person lies in one class at every node.
    """

    names: tuple[str, ...]
    levels: Sequence[Levels]
    offsets: Ints
    units: Floats
    people: int
    one_class_each: bool

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the lattice."""
        return tuple(x.height + 1 for x in self.levels)

    def sums(self, side_by_side: Floats) -> Floats:
        """(quasi-identifiers,) sums of what is laid side by side."""
        return np.add.reduceat(side_by_side, self.offsets[:-1])


class Bounds(Protocol):
    """Proven lower bounds of a loss at every node, infinite where the search is through."""

    lower: Floats  # in the shape of the lattice

    def learn(self, seen: Outcome) -> None:
        """Raise the bounds of finer and coarser nodes by what one node shows."""
        ...


class Loss(Protocol):
    """An information loss over one input."""

    def value(self, outcome: Outcome) -> float:
        """The loss at a node; what is suppressed counts."""
        ...

    def bounds(self) -> Bounds:
        """Fresh bounds, from generalization alone."""
        ...


def weights_of(names: Sequence[str], weights: Mapping[str, float] | None) -> Floats:
    """(quasi-identifiers,) weight of each, 1 where none is given.

    Raises:
        PolicyError: a weight is of no quasi-identifier, below 0 or not finite, or all are 0.
    """
    given = dict(weights or {})
    if unknown := sorted(given.keys() - set(names)):
        raise PolicyError(f"weights: {', '.join(unknown)} are no quasi-identifiers")
    values = np.array([given.get(name, 1.0) for name in names], dtype=np.float64)
    if not (np.isfinite(values).all() and (values >= 0).all() and values.any()):
        raise PolicyError("weights must be finite, at least 0 and not all 0")
    return values
