"""The least-loss full-domain generalization, by exhaustive search with a bound that is proven.

A node gives every quasi-identifier a level. At a node each pattern's tuples are coarsened and de-duplicated,
and the people of each class are summed (a person counts once in a class). People with a failing tuple are
suppressed whole; since that can break the classes of their other admissions, rounds repeat until none fails.
For k and distinct l the rounds end in the unique largest feasible set: a class that fails with all people
left fails with fewer.

What may be skipped: suppression only raises a person's share from at most 1 to 1, so a node's loss is at
least its loss without suppression. Nodes are visited in order of that bound, and once it exceeds the best
loss found no later node can win. Nothing else is pruned.
"""

import itertools
from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.objective import attribute_losses, weights
from anon_spark.anonymize.patterns import Ints, PatternTable
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.policy.model import Policy
from anon_spark.privacy.k_anonymity import class_sizes
from anon_spark.privacy.l_diversity import distinct_values

_TIE = 1e-12


@dataclass(frozen=True)
class Suppressed:
    """Outcome of the rounds at one node: which patterns are taken out, and how many people that is."""

    patterns: np.ndarray[tuple[int], np.dtype[np.bool_]]
    people: int
    classes: int


@dataclass(frozen=True)
class Solution:
    """The optimal node: levels by quasi-identifier, its loss and its suppression."""

    levels: dict[str, int]
    losses: dict[str, float]
    loss: float
    suppressed: Suppressed
    nodes_total: int
    nodes_checked: int
    nodes_feasible: int


@dataclass(frozen=True)
class Infeasible:
    """No node meets the criteria within the limit; ``least`` people would have to be suppressed at best."""

    nodes_total: int
    limit: int
    least: int
    least_levels: dict[str, int]


class Coarsening:
    """Leaf codes to codes at each level, for every quasi-identifier."""

    def __init__(self, hierarchies: Mapping[str, Hierarchy]) -> None:
        self.tables = [
            [_level_codes(h, level) for level in range(h.height + 1)] for h in hierarchies.values()
        ]
        self.shares = [
            [_level_shares(h, level) for level in range(h.height + 1)] for h in hierarchies.values()
        ]

    def classes(self, patterns: PatternTable, node: tuple[int, ...]) -> Ints:
        """Class number of every tuple at ``node``."""
        packed = np.zeros(len(patterns.codes), dtype=np.int64)
        for i, level in enumerate(node):
            codes = self.tables[i][level]
            packed = packed * (int(codes.max()) + 1) + codes[patterns.codes[:, i]]
        return np.unique(packed, return_inverse=True)[1].astype(np.int64)


def _level_codes(hierarchy: Hierarchy, level: int) -> Ints:
    labels = [hierarchy.label(leaf, level) for leaf in leaf_codes(hierarchy)]
    numbers = {label: i for i, label in enumerate(dict.fromkeys(labels))}
    return np.array([numbers[label] for label in labels], dtype=np.int64)


def _level_shares(hierarchy: Hierarchy, level: int) -> np.ndarray[tuple[int], np.dtype[np.float64]]:
    shares = hierarchy.share(level)
    return np.array([shares[hierarchy.label(leaf, level)] for leaf in leaf_codes(hierarchy)])


def suppress_failing(patterns: PatternTable, classes: Ints, *, k: int, distinct_l: int) -> Suppressed:
    """Run the rounds of suppression at one node.

    Args:
        patterns: the pattern table.
        classes: class of every tuple, as ``Coarsening.classes`` numbers them.

    Returns:
        patterns taken out, their people, and the classes that are left.
    """
    pairs = np.unique(np.stack([classes, patterns.pattern]), axis=1)
    members, owner = pairs[0], pairs[1]
    combination = members * (int(patterns.sensitive.max(initial=0)) + 1) + patterns.sensitive[owner]
    values, of_pair = np.unique(combination, return_inverse=True)
    class_of_value = values // (int(patterns.sensitive.max(initial=0)) + 1)
    total = int(members.max(initial=-1)) + 1
    out = np.zeros(len(patterns.people), dtype=np.bool_)
    while True:
        people = np.where(out[owner], 0, patterns.people[owner])
        sizes = class_sizes(members, people, total)
        diverse = distinct_values(of_pair.astype(np.int64), class_of_value, people, total)
        failing = (sizes > 0) & ((sizes < k) | (diverse < distinct_l))
        if not failing.any():
            return Suppressed(out, int(patterns.people[out].sum()), int((sizes > 0).sum()))
        out[owner[failing[members]]] = True


def search(
    patterns: PatternTable, policy: Policy, hierarchies: Mapping[str, Hierarchy]
) -> Solution | Infeasible:
    """Find the node of least ``loss_am`` that meets k and distinct l within the suppression limit.

    Equal losses: the lower sum of levels is taken, then the finer earlier quasi-identifier.

    Returns:
        the solution, or what the least suppression over all nodes is when none is feasible.
    """
    coarsening = Coarsening(hierarchies)
    weight = weights(patterns, policy)
    limit = int(np.floor(policy.suppression_limit * patterns.total_people + 1e-9))
    nodes = list(itertools.product(*(range(h.height + 1) for h in hierarchies.values())))
    by_level = [
        [float((weight[i] * shares[patterns.codes[:, i]]).sum()) for shares in coarsening.shares[i]]
        for i in range(len(hierarchies))
    ]
    names, sizes = tuple(hierarchies), [h.domain_size for h in hierarchies.values()]
    totals = [float(w.sum()) for w in weight]
    bounds = {
        node: float(np.mean(attribute_losses([by_level[i][x] for i, x in enumerate(node)], totals, sizes)))
        for node in nodes
    }
    best: tuple[float, int, tuple[int, ...]] | None = None
    found: tuple[Suppressed, list[float]] | None = None
    least: tuple[int, tuple[int, ...]] = (patterns.total_people + 1, nodes[-1])
    checked = feasible = 0
    for node in sorted(nodes, key=lambda n: (bounds[n], sum(n), n)):
        if best is not None and bounds[node] > best[0] + _TIE:
            break
        checked += 1
        suppressed = suppress_failing(
            patterns, coarsening.classes(patterns, node), k=policy.privacy.k, distinct_l=policy.privacy.l
        )
        least = min(least, (suppressed.people, node))
        if suppressed.people > limit or suppressed.people == patterns.total_people:
            continue
        feasible += 1
        gone = suppressed.patterns[patterns.pattern]
        sums = [
            float(np.where(gone, weight[i], weight[i] * coarsening.shares[i][x][patterns.codes[:, i]]).sum())
            for i, x in enumerate(node)
        ]
        losses = attribute_losses(sums, totals, sizes)
        rank = (float(np.mean(losses)), sum(node), node)
        if best is None or rank[0] < best[0] - _TIE or (rank[0] <= best[0] + _TIE and rank[1:] < best[1:]):
            best, found = rank, (suppressed, losses)
    if best is None or found is None:
        return Infeasible(len(nodes), limit, least[0], dict(zip(names, least[1], strict=True)))
    return Solution(
        levels=dict(zip(names, best[2], strict=True)),
        losses=dict(zip(names, found[1], strict=True)),
        loss=best[0],
        suppressed=found[0],
        nodes_total=len(nodes),
        nodes_checked=checked,
        nodes_feasible=feasible,
    )
