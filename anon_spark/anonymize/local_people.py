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
from dataclasses import dataclass, field

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Floats, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histories import knowledge
from anon_spark.anonymize.lattice import Solution
from anon_spark.anonymize.patterns import Bools, Ints, PatternTable
from anon_spark.anonymize.stated import Labels, Stated
from anon_spark.anonymize.suppression import Incidence, Suppressed, unit_weights
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


@dataclass(frozen=True)
class _Look:
    """What a node makes of those who are left: the loss of who is kept, the loss if others are lost, these people."""

    kept: float
    left: float
    people: int


_Value = Callable[[_Look], tuple[float, float]]


@dataclass
class _Parts:
    """Who is placed where so far.

    Attributes:
        nodes: of each part.
        part: (patterns,) part of each, -1 where it is left.
        key: (tuples,) labels of those who are placed.
        looks: at nodes, since somebody was placed or taken out.
    """

    nodes: list[Node]
    part: Ints
    key: Ints
    looks: dict[Node, _Look] = field(default_factory=dict)

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
            starts = [*parts.nodes[-1:], first, self._top]
            node, kept = self._best(parts, _priced(price), starts)
            gain = float(price * self._lost[kept].sum() - self._cost_at(node)[kept].sum())
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
            parts.looks.clear()
            node, kept = self._best(parts, _within(limit), [self._top, last])
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
        """What is released, the largest part first; parts of equal levels are one."""
        people: dict[Node, int] = {}
        for i, node in enumerate(parts.nodes):
            people[node] = people.get(node, 0) + self._people(parts.part == i)
        order = sorted(people, key=lambda node: -people[node])
        number = np.array([*(order.index(node) for node in parts.nodes), _NOBODY])  # the last: who is in none
        left = parts.left & (self._table.people > 0)
        self._stated.key = parts.key
        classes = Incidence(self._table, self._known, self._top).classes(
            np.where(left, 0, self._table.people)
        )
        return LocalSolution(
            parts=tuple(dict(zip(self._table.names, node, strict=True)) for node in order),
            part=number[parts.part],
            people=tuple(people[node] for node in order),
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
        parts.looks.clear()

    def _kept(self, parts: _Parts, node: Node) -> Bools:
        """(patterns,) who of those who are left can be kept at a node, beside all who are placed."""
        left = parts.left
        self._stated.key = np.where(left[self._pattern], self._labels.keys(node), parts.key)
        pairs = Incidence(self._table, self._known, node)
        return left & ~pairs.rounds(self._criteria, self._table.people, fixed=~left)[0]

    def _best(self, parts: _Parts, value: "_Value", starts: Sequence[Node]) -> tuple[Node, Bools]:
        """The node of least value that changing one level at a time leads to, and who is kept there."""
        ranks: dict[Node, tuple[float, float, int, Node]] = {}

        def rank(node: Node) -> tuple[float, float, int, Node]:
            if node not in ranks:
                ranks[node] = (*value(self._look(parts, node)), sum(node), node)
            return ranks[node]

        for start in dict.fromkeys(starts):
            best = rank(start)
            while (near := min(map(rank, _one_level_off(best[-1], self._top)), default=best)) < best:
                best = near
        node = min(ranks.values())[-1]
        return node, self._kept(parts, node)

    def _look(self, parts: _Parts, node: Node) -> "_Look":
        """What a node makes of those who are left, looked at once as long as they are the same."""
        if node not in parts.looks:
            kept = self._kept(parts, node)
            out = parts.left & ~kept
            loss = float(self._cost_at(node)[kept].sum()), float(self._lost[out].sum())
            parts.looks[node] = _Look(*loss, self._people(out))
        return parts.looks[node]

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


def _priced(price: float) -> "_Value":
    """What is kept loses, and who is left over at a price; of equal ones, fewer left over."""
    return lambda look: (round(look.kept + price * look.left, _DIGITS), look.people)


def _within(limit: int) -> "_Value":
    """People left over beyond the limit, then the loss."""
    return lambda look: (max(look.people - limit, 0), round(look.kept + look.left, _DIGITS))


def _one_level_off(node: Node, top: Node) -> list[Node]:
    """Nodes that differ in one quasi-identifier's level."""
    return [
        (*node[:q], level, *node[q + 1 :])
        for q, height in enumerate(top)
        for level in range(height + 1)
        if level != node[q]
    ]
