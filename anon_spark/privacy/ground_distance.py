"""Earth mover's distances over ordered, hierarchical and set-valued sensitive attributes, for t-closeness.

Three identities make them sums over the values a class holds, whatever the size of the domain.

Ordered: values next to each other are 1/(m-1) apart, so the distance is the area between the two cumulative
distributions over m - 1. The class's is a step function, constant from one value it holds to the next; on
each step the input's crosses it at most once, and the areas on both sides are differences of its prefix sums.

Hierarchical: two values are h/H apart when they meet at level h of H. As all leaves lie at level 0 that is the
path between them in the tree, every edge 1/(2H) long, and the earth that must cross the edge above a node is
the difference of both shares below it: the distance is the mean over levels 0 to H-1 of the total variation
of the values generalized to that level.

Sets of values: each value is a distribution of its own (people have it or not), and the distance is the
greatest of theirs, max |P(s | class) - P(s)|.

Source: N. Li, T. Li, S. Venkatasubramanian, t-closeness, ICDE 2007, section 5.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from anon_spark.anonymize.hierarchy import Hierarchy, uncovered
from anon_spark.errors import InputError, PolicyError
from anon_spark.privacy.classes import Classes, Floats, Ints, SensitiveCounts
from anon_spark.privacy.shares import class_shares, input_shares, one_value_each, sum_by_class


@dataclass(frozen=True)
class OrderedDistance:
    """Values i and j places apart in an order of m are \\|i - j\\| / (m - 1) apart.

    Attributes:
        ranks: place in the order by code of the value, 0 first; null has a place like any other value.
        size: m, values in the order, those that nobody has included.
    """

    ranks: tuple[int, ...]
    size: int

    def __post_init__(self) -> None:
        if len(set(self.ranks)) < len(self.ranks) or not all(0 <= rank < self.size for rank in self.ranks):
            raise PolicyError(
                f"an order of {self.size} values does not give {len(self.ranks)} values one place each"
            )

    def between(self, classes: Classes, attribute: str) -> Floats:
        """(classes,) distance of P(s | class) from P(s), 0 for an empty class.

        Raises:
            PolicyError: people have sets of values.
        """
        counts = one_value_each(classes, attribute, "ordered-distance t-closeness")
        if self.size < 2:
            return np.zeros(len(classes.sizes))
        ranks = np.array(self.ranks, dtype=np.int64)
        whole = np.bincount(ranks, weights=input_shares(classes, counts), minlength=self.size).cumsum()
        held = _arranged(counts, ranks)
        area = self._areas(held, ranks[held.value], classes.sizes, whole)
        return np.where(classes.sizes > 0, sum_by_class(held, area, len(classes.sizes)), 0.0) / (
            self.size - 1
        )

    def _areas(self, held: SensitiveCounts, rank: Ints, sizes: Ints, whole: Floats) -> Floats:
        """(pairs,) area between both cumulative distributions, from the pair's place to the next one's.

        Args:
            held: pairs by class and place; ``rank`` has their places.
            whole: (size,) cumulative distribution of the input.
        """
        first = np.diff(held.owner, prepend=-1) != 0
        end = np.append(rank, self.size)[1:]
        end[:-1][first[1:]] = self.size
        total = np.cumsum(held.people)
        before = (total - held.people)[first][np.cumsum(first) - 1]
        step = (total - before) / np.maximum(sizes, 1)[held.owner]
        under = np.concatenate(([0.0], whole.cumsum()))
        cross = np.clip(np.searchsorted(whole, step, side="right"), rank, end)
        area: Floats = step * (2 * cross - rank - end) + under[rank] + under[end] - 2 * under[cross]
        area[first] += under[rank[first]]
        return area


@dataclass(frozen=True)
class HierarchicalDistance:
    """Values that first meet at level h of a hierarchy of height H are h / H apart.

    Attributes:
        levels: for the levels 0 to H-1, a number for the label of every value, by code of the value.
    """

    levels: tuple[tuple[int, ...], ...]

    @classmethod
    def over(cls, hierarchy: Hierarchy, values: Sequence[str | None]) -> "HierarchicalDistance":
        """Distance over ``values``, in the order of their codes; null is a branch or a row as the hierarchy says.

        Raises:
            InputError: the hierarchy does not cover some values.
        """
        if missing := uncovered(hierarchy, values):
            raise InputError(
                f"hierarchy {hierarchy.name} (level 0) does not cover {missing} of {len(values)} sensitive values"
            )
        levels = []
        for level in range(hierarchy.height):
            numbers: dict[str | None, int] = {}
            labels = [hierarchy.label(value, level) for value in values]
            levels.append(tuple(numbers.setdefault(label, len(numbers)) for label in labels))
        return cls(tuple(levels))

    def between(self, classes: Classes, attribute: str) -> Floats:
        """(classes,) distance of P(s | class) from P(s), 0 for an empty class.

        Raises:
            PolicyError: people have sets of values.
        """
        counts = one_value_each(classes, attribute, "hierarchical-distance t-closeness")
        whole = input_shares(classes, counts)
        held = _arranged(counts, self._ranks)
        shares = class_shares(classes.sizes, held)
        total = np.zeros(len(classes.sizes))
        if len(shares) == 0:
            return total
        for level in self.levels:
            label = np.array(level, dtype=np.int64)
            of_pair = label[held.value]
            starts = np.flatnonzero(
                (np.diff(held.owner, prepend=-1) != 0) | (np.diff(of_pair, prepend=-1) != 0)
            )
            excess = np.add.reduceat(shares, starts) - np.bincount(label, weights=whole)[of_pair[starts]]
            total += np.bincount(held.owner[starts], weights=np.maximum(excess, 0), minlength=len(total))
        return total / len(self.levels)

    @cached_property
    def _ranks(self) -> Ints:
        """(values,) places in an order in which the values under any label stand together."""
        return np.argsort(np.lexsort(np.array(self.levels, dtype=np.int64))).astype(np.int64)


@dataclass(frozen=True)
class ValueDistance:
    """max over all values s of \\|P(s | class) - P(s)\\|; the meaning of t where people have sets of values."""

    def between(self, classes: Classes, attribute: str) -> Floats:
        """(classes,) greatest difference of shares, values that the class does not hold included."""
        counts = classes.sensitive[attribute]
        whole = input_shares(classes, counts)
        common = np.argsort(-whole, kind="stable")
        ranks = np.argsort(common)
        held = _arranged(counts, ranks)
        result = np.zeros(len(classes.sizes))
        if len(held.owner) == 0:
            return result
        first = np.diff(held.owner, prepend=-1) != 0
        starts = np.flatnonzero(first)
        gaps = np.abs(class_shares(classes.sizes, held) - whole[held.value])
        result[held.owner[starts]] = np.maximum.reduceat(gaps, starts)
        # values come by falling P(s): while the places have no gap, the class holds all the commonest values
        place = np.arange(len(first)) - starts[np.cumsum(first) - 1]
        unbroken = np.bincount(held.owner[ranks[held.value] == place], minlength=len(result))
        absent = np.append(whole[common], 0.0)[unbroken]
        return np.where(classes.sizes > 0, np.maximum(result, absent), 0.0)


def _arranged(counts: SensitiveCounts, ranks: Ints) -> SensitiveCounts:
    """The same counts, the pairs of a class by the rank of their value."""
    key = counts.owner * (int(ranks.max(initial=0)) + 1) + ranks[counts.value]
    if np.all(key[1:] > key[:-1]):
        return counts
    order = np.argsort(key)
    return SensitiveCounts(counts.owner[order], counts.value[order], counts.people[order], counts.totals)
