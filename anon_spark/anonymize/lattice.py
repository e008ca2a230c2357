"""The least-loss full-domain generalization, by a search that skips only what is proven to lose.

A node gives every quasi-identifier a level. At a node people of failing classes are suppressed
(``suppression``), and its loss counts them. Among the nodes that suppress no more people than the limit, and
not all of them, the one of least loss is wanted; of equal losses the one with the lower sum of levels, then the
finer earlier quasi-identifier.

No loss is monotone in the node once suppression counts. What may be skipped:

1. A node whose lower bound exceeds the best loss found: the losses (``utility``) prove their bounds, from
   generalization alone and from people who are certain to be suppressed at it.
2. A node at which more people than the limit are certain to be suppressed: all nodes finer than one where the
   monotone criteria suppress so many, or where these and the classes that fail criteria closed under union add
   up to so many (``suppression``).

Order does not matter for the answer, only for how much can be skipped. The open node of the lowest bound is
taken. Before it is looked at itself, nodes on a way from it to the top are, by bisection: the coarser a
node the cheaper it is and the more nodes it may rule out, and whether a node rules out the one below it is
monotone along the way. Once the lowest bound of all open nodes exceeds the best loss, none of them can win.
A search that is stopped before has that lowest bound as its proof of how much better a node could be.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.anonymize.suppression import Evaluator, Suppressed, evaluator, unit_weights
from anon_spark.privacy.classes import Criterion
from anon_spark.utility.attribute_loss import loss_am
from anon_spark.utility.loss import Bounds, Floats, Input, Loss, Outcome
from anon_spark.utility.losses import make_loss

_TIE = 1e-12  # losses this close, as a share of the loss where that exceeds 1, are equal
_SLACK = 1e-10  # bounds within this are not proof: sums of floats may be off


@dataclass(frozen=True)
class Budget:
    """When to stop early; None is never."""

    nodes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Solution:
    """The best node found.

    Attributes:
        levels: by quasi-identifier.
        loss: what was minimized.
        losses: L_q by quasi-identifier (``loss_am``).
        suppressed: what is taken out.
        optimal: proven; else no node's loss is below ``bound``.
        bound: proven lower bound of every node's loss.
        measured: figure of every criterion on what is released.
        nodes_total: nodes of the lattice.
        nodes_checked: nodes generalized.
        nodes_feasible: nodes among them within the limit.
    """

    levels: dict[str, int]
    loss: float
    losses: dict[str, float]
    suppressed: Suppressed
    optimal: bool
    bound: float
    measured: tuple[float, ...]
    nodes_total: int
    nodes_checked: int
    nodes_feasible: int


@dataclass(frozen=True)
class Infeasible:
    """No node found that meets the criteria within the limit.

    Attributes:
        limit: people who may be suppressed.
        least: fewest people found whose suppression meets the criteria: a limit of so many would be feasible.
        least_levels: where.
        attainable: figure of every criterion with all at the top level and nobody suppressed: what could be
            asked for without any suppression.
        proven: all nodes were ruled out; False where the budget ran out before.
        nodes_total: nodes of the lattice.
        nodes_checked: nodes generalized.
    """

    limit: int
    least: int
    least_levels: dict[str, int]
    attainable: tuple[float, ...]
    proven: bool
    nodes_total: int
    nodes_checked: int


def search(
    table: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
    *,
    loss: str = "loss_am",
    weights: Mapping[str, float] | None = None,
    suppression_limit: float = 0.0,
    budget: Budget | None = None,
) -> Solution | Infeasible:
    """Find the node of least loss that meets all criteria within the suppression limit.

    Args:
        table: the patterns; ``hierarchies`` are those it was made with.
        loss: name of the loss, see ``utility.losses``.
        weights: of quasi-identifiers in the loss, 1 where none is given.
        suppression_limit: share of people, 0 to 1, who may be suppressed.

    Raises:
        PolicyError: there is no such loss, or the weights are of no use.
    """
    limit = int(np.floor(suppression_limit * table.total_people + 1e-9))
    coarsening = Coarsening(table, hierarchies)
    whole = whole_input(table, coarsening)
    measure = make_loss(loss, whole, weights)
    run = _Search(evaluator(table, coarsening, criteria, limit), measure, whole, limit, budget or Budget())
    run.run()
    if run.best is None:
        return _infeasible(run, criteria)
    best = run.best.outcome
    suppressed, left = run.evaluator.release(best.node)
    return Solution(
        levels=dict(zip(table.names, best.node, strict=True)),
        loss=run.best.loss,
        losses=dict(zip(table.names, loss_am(whole).by_attribute(best), strict=True)),
        suppressed=suppressed,
        optimal=run.proven,
        bound=min(run.lowest, run.best.loss),
        measured=tuple(criterion.measured(left) for criterion in criteria),
        nodes_total=run.bounds.lower.size,
        nodes_checked=run.checked,
        nodes_feasible=run.feasible,
    )


def whole_input(table: PatternTable, coarsening: Coarsening) -> Input:
    """The input as losses see it: people or rows by leaf."""
    of_people, of_rows = (coarsening.marginals(coarsening.members, w) for w in unit_weights(table))
    counts_rows = np.repeat([name in table.of_rows for name in table.names], np.diff(coarsening.offsets))
    return Input(
        names=table.names,
        levels=coarsening.levels,
        offsets=coarsening.offsets,
        units=np.where(counts_rows, of_rows, of_people),
        people=table.total_people,
        one_class_each=table.one_class_each,
    )


@dataclass(frozen=True)
class _Found:
    """A feasible node; equal losses are decided by ``rank``."""

    loss: float
    outcome: Outcome

    @property
    def rank(self) -> tuple[int, Node]:
        return sum(self.outcome.node), self.outcome.node


@dataclass
class _Search:
    """One run over the lattice."""

    evaluator: Evaluator
    loss: Loss
    whole: Input
    limit: int
    budget: Budget
    checked: int = 0
    feasible: int = 0
    found: list[_Found] = field(default_factory=list)  # of least loss, ties included
    least: tuple[int, int, Node] | None = None
    proven: bool = False

    def __post_init__(self) -> None:
        self.bounds: Bounds = self.loss.bounds()
        self.top: Node = tuple(size - 1 for size in self.whole.shape)
        self._seen = np.zeros(self.whole.shape, dtype=np.bool_)
        self._steps = _steps_up(self.whole)
        self._until = None if self.budget.seconds is None else time.monotonic() + self.budget.seconds

    @property
    def best(self) -> _Found | None:
        """The best node found."""
        return min(self.found, key=lambda found: found.rank, default=None)

    @property
    def lowest(self) -> float:
        """Lower bound of every open node."""
        return float(self.bounds.lower.min())

    def run(self) -> None:
        """Rule out or look at every node, while the budget lasts."""
        lower = self.bounds.lower
        while not self._spent():
            node = tuple(int(i) for i in np.unravel_index(int(lower.argmin()), lower.shape))
            if self._ruled_out(node):
                self.proven = True
                return
            self._settle(node)

    def _settle(self, node: Node) -> None:
        """Rule out an open node by one on its way to the top, or look at it."""
        way = self._way_up(node)
        low, high = 0, len(way)
        while low < high and not self._spent():
            middle = (low + high) // 2
            self.look_at(way[middle])
            if self._ruled_out(node):
                return
            high = middle

    def look_at(self, node: Node) -> None:
        """Generalize and suppress at a node, and learn from it."""
        outcome = self.evaluator.outcome(node)
        self.checked += 1
        self._seen[node] = True
        finer = tuple(slice(level + 1) for level in node)
        if outcome.certain + outcome.certain_more > self.limit:
            self.bounds.lower[finer] = np.inf
        else:
            self.bounds.learn(outcome)
            self.bounds.lower[node] = np.inf
        if outcome.complete:
            here = (outcome.suppressed, sum(node), node)
            self.least = here if self.least is None else min(self.least, here)
            if outcome.suppressed <= self.limit and outcome.suppressed < self.whole.people:
                self.feasible += 1
                self._consider(_Found(self.loss.value(outcome), outcome))

    def _consider(self, new: _Found) -> None:
        least = min([new.loss, *(old.loss for old in self.found)])
        allowed = least + _TIE * max(1.0, abs(least))
        self.found = [found for found in (*self.found, new) if found.loss <= allowed]

    def _ruled_out(self, node: Node) -> bool:
        bound = self.bounds.lower[node]
        if not self.found or bound == np.inf:
            return bool(bound == np.inf)
        least = min(found.loss for found in self.found)
        return bool(bound > least + _SLACK * max(1.0, abs(least)))

    def _way_up(self, node: Node) -> list[Node]:
        """Nodes from this one towards the top, each one level up, until one that was looked at."""
        way: list[Node] = []
        here = list(node)
        for q, level in self._steps:
            if level <= node[q]:
                continue
            if self._seen[tuple(here)]:
                return way
            way.append(tuple(here))
            here[q] = level
        return way if self._seen[tuple(here)] else [*way, tuple(here)]

    def _spent(self) -> bool:
        if self.budget.nodes is not None and self.checked >= self.budget.nodes:
            return True
        return self._until is not None and time.monotonic() > self._until


def _steps_up(whole: Input) -> list[tuple[int, int]]:
    """(quasi-identifier, level) of all levels above the lowest, those that lose least by ``loss_am`` first."""
    steps = []
    for q, figure in enumerate(loss_am(whole).figures):
        figures: Floats = figure.at_least(whole.levels[q].height, None)
        steps += [(float(x), level, q) for level, x in enumerate(figures) if level]
    return [(q, level) for _, level, q in sorted(steps)]


def _infeasible(run: _Search, criteria: Sequence[Criterion]) -> Infeasible:
    if not run._seen[run.top]:
        run.look_at(run.top)
    least = run.least or (run.whole.people, 0, run.top)
    classes = run.evaluator.classes(run.top)
    return Infeasible(
        limit=run.limit,
        least=least[0],
        least_levels=dict(zip(run.whole.names, least[2], strict=True)),
        attainable=tuple(criterion.measured(classes) for criterion in criteria),
        proven=run.proven,
        nodes_total=run.bounds.lower.size,
        nodes_checked=run.checked,
    )
