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

Order does not matter for the answer, only for how much can be skipped. Nodes are taken by how many nodes are
finer, most first: the coarser a node the smaller its class table and the more nodes it may rule out. When one is
better than all before, the search goes down from it while that helps. A bound only grows and the best loss only
falls, so what is skipped once stays skipped, and one pass settles every node. A search that is stopped before
has the lowest bound of the nodes it has not looked at as its proof of how much better a node could be.
"""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import Ints, PatternTable
from anon_spark.anonymize.suppression import Evaluator, Suppressed, evaluator, unit_weights
from anon_spark.privacy.classes import Criterion
from anon_spark.utility.attribute_loss import loss_am
from anon_spark.utility.loss import Bounds, Input, Loss, Outcome
from anon_spark.utility.losses import make_loss

_TIE = 1e-12  # losses this close, as a share of the loss where that exceeds 1, are equal
_SLACK = 1e-10  # bounds within this are not proof: sums of floats may be off
_BLOCK = 256
_TRIES = 2  # nodes below a better one that are tried for a still better one


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
    if not len(table.packed):
        nobody = dict.fromkeys(table.names, 0)
        return Infeasible(limit, 0, nobody, tuple(0.0 for _ in criteria), True, 0, 0)
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
        losses=dict(zip(table.names, loss_am(whole).by_attribute(best).tolist(), strict=True)),
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
        self._allowed = float(np.finfo(np.float64).max)  # bounds up to this may still win
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
        """Look at every node that is not ruled out, while the budget lasts."""
        lower = self.bounds.lower.reshape(-1)
        order = _most_finer_first(self.whole.shape)
        for start in range(0, len(order), _BLOCK):
            block = order[start : start + _BLOCK]
            at = 0
            while (open_ := lower[block[at:]] <= self._allowed).any():
                if self._spent():
                    return
                at += int(open_.argmax())
                self._descend(tuple(int(i) for i in np.unravel_index(block[at], self.whole.shape)))
                at += 1
        self.proven = True

    def _descend(self, node: Node) -> None:
        """Look at a node, and as long as that gives a better one at nodes just below that one.

        Those below that are not feasible are as coarse as can be, and rule out the most.
        """
        before = self._allowed
        self.look_at(node)
        while self._allowed < before and self.best is not None:
            before, here = self._allowed, self.best.outcome.node
            below = [(*here[:q], level - 1, *here[q + 1 :]) for q, level in enumerate(here) if level]
            below.sort(key=lambda finer: -self.bounds.lower[finer])
            open_ = (finer for finer in below if self.bounds.lower[finer] <= self._allowed)
            for _, finer in zip(range(_TRIES), open_, strict=False):
                if self._allowed < before or self._spent():
                    break
                self.look_at(finer)

    def look_at(self, node: Node) -> None:
        """Generalize and suppress at a node, and learn from it."""
        outcome = self.evaluator.outcome(node)
        self.checked += 1
        if outcome.certain_in_all > self.limit:
            self.bounds.lower[tuple(slice(level + 1) for level in node)] = np.inf
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
        equal = least + _TIE * max(1.0, abs(least))
        self.found = [found for found in (*self.found, new) if found.loss <= equal]
        self._allowed = least + _SLACK * max(1.0, abs(least))

    def _spent(self) -> bool:
        if self.budget.nodes is not None and self.checked >= self.budget.nodes:
            return True
        return self._until is not None and time.monotonic() > self._until


def _most_finer_first(shape: tuple[int, ...]) -> Ints:
    """All nodes by their number in the lattice's order; equal numbers of finer nodes: coarser earlier attributes."""
    finer = np.ones(1, dtype=np.int64)
    for size in reversed(shape):
        finer = np.multiply.outer(np.arange(1, size + 1), finer).ravel()
    return np.argsort(-finer, kind="stable")


def _infeasible(run: _Search, criteria: Sequence[Criterion]) -> Infeasible:
    at_top = (run.evaluator.release(run.top)[0].people, sum(run.top), run.top)
    least = at_top if run.least is None else min(run.least, at_top)
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
