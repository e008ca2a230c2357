"""Tuples as a release states them: by the text of their labels, whatever level these are of."""

from collections.abc import Mapping, Sequence

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Floats, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import Ints, PatternTable, strides
from anon_spark.deidentify.generalization import leaf_codes


class Stated(Coarsening):
    """Tuples as they are released: each at its own person's levels, numbered by their labels."""

    def __init__(self, tuples: Coarsening, rows: int) -> None:
        self.levels, self.groups = tuples.levels, []
        self.offsets, self.heights = tuples.offsets, tuples.heights
        self.members = [np.arange(rows, dtype=np.int64)]
        self.key, self.bound = np.zeros(rows, dtype=np.int64), 1

    def keys(self, members: Sequence[Ints], node: Node) -> tuple[Ints, int]:
        """Key of each given tuple; the node plays no part."""
        del node
        return self.key[members[0]], self.bound


class Labels:
    """Labels of every level, one number a text, and what it costs to state them.

    Attributes:
        number: by quasi-identifier and level, (tuples,) number of the label, equal for equal texts.
        share: by quasi-identifier and level, (tuples,) share of the domain under the label.
    """

    def __init__(self, table: PatternTable, coarsening: Coarsening, trees: Mapping[str, Hierarchy]) -> None:
        self.number: list[list[Ints]] = []
        self.share: list[list[Floats]] = []
        sizes: list[int] = []
        for q, tree in enumerate(trees.values()):
            levels, leaves = coarsening.levels[q], list(leaf_codes(tree))
            place = np.searchsorted(levels.leaves, table.leaves(q))
            known: dict[str | None, int] = {}
            numbers = [
                np.array([known.setdefault(tree.label(leaves[x], level), len(known)) for x in levels.leaves])
                for level in range(tree.height + 1)
            ]
            self.number.append([of_leaves[place] for of_leaves in numbers])
            self.share.append([shares[place] for shares in levels.shares])
            sizes.append(len(known))
        self._strides = strides(sizes)

    def keys(self, node: Node) -> Ints:
        """(tuples,) the labels of a node as one number."""
        key = np.zeros_like(self.number[0][0])
        for number, level, stride in zip(self.number, node, self._strides, strict=True):
            key = key + number[level] * stride
        return key
