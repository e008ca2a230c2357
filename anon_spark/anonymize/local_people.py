"""Local recoding of people with any number of rows: parts of the people, each with levels of its own.

Full-domain generalization coarsens a value everywhere because it is rare somewhere, and an outlier is suppressed or
coarsens all others. Here a person has one level vector in all their rows and tables, but not all people the same.

*Rounds.* At a node of the lattice those of the people who are left are kept whose classes all meet the criteria; the
others are looked at again, alone. The node of each round is the one at which what is kept loses least, everybody who
is left over being priced at a share of being lost: a later round keeps them for less than suppression. It is found by
changing one quasi-identifier's level at a time while that helps. Where a round takes off too little the price is
raised, up to suppression's own, at which all are placed who can be. Several first prices are tried, and the full-domain
optimum is what they must beat: the loss is never above it.

*Classes.* A class is what the attacker cannot tell apart by the released labels, whatever parts its people are in: in
every round the classes are counted over all who are kept so far and all who may be, by label. So what is kept meets
every criterion as it is released, for every attacker (``histories``), and nothing has to survive a merge: people who
are kept stay, and a newcomer who would make a class fail is left over. (People of a part meet k, distinct l and all
criteria closed under union by themselves, too; of the others, such as delta-presence with a lower bound, only the
whole release does.)

*The limit.* Who is left over in the end is suppressed. If these are more than may be, the last part is undone and its
people are placed with them at the node that loses least within the limit, and so on: at worst all parts are undone, and
the full-domain optimum stands.

*The loss* is that of the labels: a label that stands at several levels (WHITE of itself and of all below it) is counted
as open as its widest reading among the people released, since no reader can tell them apart. Nothing proves how far
the loss is from the least there is. As with any method that forms classes by sensitive values, an attacker who reruns
it learns more than the labels say (Wong et al., Minimality attack, VLDB 2007).

Source: J. Xu et al., Utility-based anonymization using local recoding, KDD 2006; the rounds are those of ``local``.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Floats, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histories import knowledge
from anon_spark.anonymize.lattice import Solution
from anon_spark.anonymize.patterns import Bools, Ints, PatternTable, strides
from anon_spark.anonymize.suppression import Incidence, Suppressed, unit_weights
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.privacy.classes import Criterion
from anon_spark.utility.loss import weights_of

_PRICES = (1.0, 0.5, 0.35, 0.2)  # of who is left over, as a share of being lost
_WORTH = 5e-4  # of everything lost: what a round takes off at least, before its price is raised
_STEP = 0.1  # by which the price is raised once nothing is worth it
_FLOOR = 1e-10
_DIGITS = 12
_NOBODY = -1


@dataclass(frozen=True)
class LocalSolution:
    """Parts of the people, and what is released of them.

    Attributes:
        parts: levels of each by quasi-identifier.
        part: (patterns,) part of each, -1 where it is suppressed.
        people: people of each part.
        suppressed: what is taken out, and the classes that are left.
        losses: L_q by quasi-identifier (``loss_am``).
        loss: their weighted mean.
        full_domain: the optimum of one level vector for all.
        measured: figure of every criterion on what is released.
    """

    parts: tuple[dict[str, int], ...]
    part: Ints
    people: tuple[int, ...]
    suppressed: Suppressed
    losses: dict[str, float]
    loss: float
    full_domain: Solution
    measured: tuple[float, ...]


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


def recode_people(
    table: PatternTable,
    trees: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
    full_domain: Solution,
    *,
    limit: int,
    weights: Mapping[str, float] | None = None,
) -> LocalSolution:
    """Parts that lose no more than the full-domain optimum, with up to ``limit`` people suppressed.

    Args:
        full_domain: the optimum by ``loss_am`` under the same criteria, limit and weights.
        weights: of quasi-identifiers in the loss, 1 where none is given.
    """
    placing = _Placing(table, trees, criteria, weights)
    first = tuple(full_domain.levels[name] for name in table.names)
    best, least = placing.of_one(first, ~full_domain.suppressed.patterns), full_domain.loss
    losses = full_domain.losses
    for price in _PRICES:
        found = placing.rounds(price, first)
        placing.fit(found, limit)
        loss = placing.loss(found)
        if placing.suppressed(found) <= limit and loss < least:
            best, least, losses = (
                found,
                loss,
                dict(zip(table.names, placing.losses(found).tolist(), strict=True)),
            )
    return placing.solution(best, full_domain, losses, least)


@dataclass
class _Parts:
    """Who is placed where so far.

    Attributes:
        nodes: of each part.
        part: (patterns,) part of each, -1 where it is left.
        key: (tuples,) labels of those who are placed.
    """

    nodes: list[Node]
    part: Ints
    key: Ints

    @property
    def left(self) -> Bools:
        """(patterns,) who is in no part."""
        return np.equal(self.part, _NOBODY)


class _Placing:
    """Rounds over one pattern table."""

    def __init__(
        self,
        table: PatternTable,
        trees: Mapping[str, Hierarchy],
        criteria: Sequence[Criterion],
        weights: Mapping[str, float] | None,
    ) -> None:
        self._table, self._criteria, self._pattern = table, criteria, table.pattern
        coarsening = Coarsening(table, trees)
        self._top = coarsening.heights
        self._labels = Labels(table, coarsening, trees)
        self._stated = Stated(coarsening, len(table.packed))
        self._known = knowledge(table, self._stated)
        self._weights = weights_of(table.names, weights)
        self._units = [unit_weights(table)[name in table.of_rows] for name in table.names]
        self._finest = [1 / x.domain_size for x in coarsening.levels]
        total = np.array([units.sum() for units in self._units])
        scale = self._weights / self._weights.sum() / np.maximum(total, 1)
        self._cost = [
            [self._by_pattern(units * share * x) for share in shares]
            for units, shares, x in zip(self._units, self._labels.share, scale, strict=True)
        ]
        self._lost: Floats = np.sum(
            [self._by_pattern(units * x) for units, x in zip(self._units, scale, strict=True)], axis=0
        )

    def rounds(self, price: float, first: Node) -> _Parts:
        """Place all who can be, at nodes that lose least with who is left over at a price, raised to suppression's."""
        parts = self._nobody()
        while parts.left.any():
            node, kept = self._best(
                parts, self._priced(parts.left, price), [*parts.nodes[-1:], first, self._top]
            )
            gain = price * self._lost[kept].sum() - self._cost_at(node)[kept].sum()
            if price < 1 and gain < _WORTH:
                price = min(price + _STEP, 1.0)
            elif kept.any():
                self._place(parts, node, kept)
            else:
                break
        return parts

    def fit(self, parts: _Parts, limit: int) -> None:
        """Undo the last parts, and place their people with who is left over, until no more than the limit are left."""
        while parts.nodes and self._people(parts.left) > limit:
            last = parts.nodes.pop()
            parts.part[parts.part == len(parts.nodes)] = _NOBODY
            node, kept = self._best(parts, self._limited(parts.left, limit), [self._top, last])
            if self._people(parts.left & ~kept) <= limit:
                self._place(parts, node, kept)

    def suppressed(self, parts: _Parts) -> int:
        """People in no part."""
        return self._people(parts.left)

    def of_one(self, node: Node, kept: Bools) -> _Parts:
        """All who are kept at one node."""
        parts = self._nobody()
        self._place(parts, node, kept)
        return parts

    def solution(
        self, parts: _Parts, full_domain: Solution, losses: dict[str, float], loss: float
    ) -> LocalSolution:
        """What is released, the largest part first."""
        people = [self._people(parts.part == i) for i in range(len(parts.nodes))]
        order = sorted(range(len(people)), key=lambda i: -people[i])
        number = np.full(len(order) + 1, _NOBODY)  # the last is of those who are in none
        number[order] = np.arange(len(order))
        left = parts.left & (self._table.people > 0)
        self._stated.key = parts.key
        classes = Incidence(self._table, self._known, self._top).classes(
            np.where(left, 0, self._table.people)
        )
        return LocalSolution(
            parts=tuple(dict(zip(self._table.names, parts.nodes[i], strict=True)) for i in order),
            part=number[parts.part],
            people=tuple(people[i] for i in order),
            suppressed=Suppressed(left, self._people(left), int(np.count_nonzero(classes.sizes))),
            losses=losses,
            loss=loss,
            full_domain=full_domain,
            measured=tuple(criterion.measured(classes) for criterion in self._criteria),
        )

    def _nobody(self) -> _Parts:
        patterns, rows = len(self._table.people), len(self._table.packed)
        return _Parts([], np.full(patterns, _NOBODY, dtype=np.int64), np.zeros(rows, dtype=np.int64))

    def _place(self, parts: _Parts, node: Node, kept: Bools) -> None:
        parts.part[kept] = len(parts.nodes)
        parts.nodes.append(node)
        parts.key = np.where(kept[self._pattern], self._labels.keys(node), parts.key)

    def _kept(self, parts: _Parts, node: Node) -> Bools:
        """(patterns,) who of those who are left can be kept at a node, beside all who are placed."""
        left = parts.left
        self._stated.key = np.where(left[self._pattern], self._labels.keys(node), parts.key)
        pairs = Incidence(self._table, self._known, node)
        return left & ~pairs.rounds(self._criteria, self._table.people, fixed=~left)[0]

    def _best(self, parts: _Parts, value: "_Value", starts: Sequence[Node]) -> tuple[Node, Bools]:
        """The node of least value that changing one level at a time leads to, and who is kept there."""
        seen: dict[Node, tuple[float, float, int, Node]] = {}

        def rank(node: Node) -> tuple[float, float, int, Node]:
            if node not in seen:
                seen[node] = (*value(node, self._kept(parts, node)), sum(node), node)
            return seen[node]

        for start in dict.fromkeys(starts):
            best = rank(start)
            while True:
                near = min(rank(node) for node in _one_level_off(best[-1], self._top))
                if near >= best:
                    break
                best = near
        node = min(seen.values())[-1]
        return node, self._kept(parts, node)

    def _priced(self, left: Bools, price: float) -> "_Value":
        def value(node: Node, kept: Bools) -> tuple[float, float]:
            out = left & ~kept
            loss = self._cost_at(node)[kept].sum() + price * self._lost[out].sum()
            return round(float(loss), _DIGITS), self._people(out)

        return value

    def _limited(self, left: Bools, limit: int) -> "_Value":
        def value(node: Node, kept: Bools) -> tuple[float, float]:
            out = left & ~kept
            loss = self._cost_at(node)[kept].sum() + self._lost[out].sum()
            return max(self._people(out) - limit, 0), round(float(loss), _DIGITS)

        return value

    def _cost_at(self, node: Node) -> Floats:
        cost: Floats = np.sum([levels[level] for levels, level in zip(self._cost, node, strict=True)], axis=0)
        return cost

    def _by_pattern(self, of_tuples: Floats) -> Floats:
        sums: Floats = np.bincount(self._pattern, of_tuples, len(self._table.people)).astype(np.float64)
        return sums

    def _people(self, patterns: Bools) -> int:
        return int(self._table.people[patterns].sum())

    def losses(self, parts: _Parts) -> Floats:
        """(quasi-identifiers,) L_q of the labels as a reader can read them; who is left is lost."""
        kept, figures = ~parts.left[self._pattern], []
        nodes = np.array(parts.nodes, dtype=np.int64).reshape(-1, len(self._top))
        for q, units in enumerate(self._units):
            level = nodes[parts.part[self._pattern[kept]], q]
            rows = np.flatnonzero(kept)
            number = np.stack(self._labels.number[q])[level, rows]
            share = np.stack(self._labels.share[q])[level, rows]
            widest = np.zeros(int(number.max(initial=0)) + 1)
            np.maximum.at(widest, number, share)
            total, finest = units.sum(), units.sum() * self._finest[q]
            open_ = units[kept] @ widest[number] + units[~kept].sum()
            figures.append(max((open_ - finest) / (total - finest), _FLOOR) if total > finest else _FLOOR)
        return np.array(figures)

    def loss(self, parts: _Parts) -> float:
        """``loss_am``."""
        return float(self._weights @ self.losses(parts) / self._weights.sum())


_Value = Callable[[Node, Bools], tuple[float, float]]


def _one_level_off(node: Node, top: Node) -> list[Node]:
    """Nodes that differ in one quasi-identifier's level."""
    return [
        (*node[:q], level, *node[q + 1 :])
        for q, height in enumerate(top)
        for level in range(height + 1)
        if level != node[q]
    ]
