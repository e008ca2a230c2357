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
better than all before, the search goes down from it while that helps; nodes that were judged along with one are
looked at with it. A bound only grows and the best loss only falls, so what is skipped once stays skipped, and one
pass settles every node. A search that is stopped before has the lowest bound of the nodes it has not looked at as
its proof of how much better a node could be.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

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


class Several(Protocol):
    """Judges further nodes with the one it is asked for, where that is little more work."""

    @property
    def ready(self) -> Mapping[Node, Outcome]:
        """What was judged and not asked for yet."""
        ...

    def look_ahead(self, ahead: Callable[[Node], Iterator[Node]]) -> None:
        """Learn how to ask, at a node, which others may be looked at after it."""
        ...


@dataclass(frozen=True)
class Budget:
    """When to stop early; None is never."""

    nodes: int | None = None
    seconds: float | None = None


@dataclass(frozen=True)
class Optimum:
    """The best node found.

    Attributes:
        levels: by quasi-identifier.
        outcome: the node, and what suppression makes of it.
        loss: what was minimized.
        losses: L_q by quasi-identifier (``loss_am``).
        optimal: proven; else no node's loss is below ``bound``.
        bound: proven lower bound of every node's loss.
        nodes_total: nodes of the lattice.
        nodes_checked: nodes generalized.
        nodes_feasible: nodes among them within the limit.
    """

    levels: dict[str, int]
    outcome: Outcome
    loss: float
    losses: dict[str, float]
    optimal: bool
    bound: float
    nodes_total: int
    nodes_checked: int
    nodes_feasible: int


@dataclass(frozen=True)
class Solution(Optimum):
    """The best node found, and what is released at it.

    Attributes:
        suppressed: what is taken out.
        measured: figure of every criterion on what is released.
    """

    suppressed: Suppressed
    measured: tuple[float, ...]


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
    judge = evaluator(table, coarsening, criteria, limit)
    found = search_by(
        judge,
        whole_input(table, coarsening),
        criteria,
        limit=limit,
        loss=loss,
        weights=weights,
        budget=budget,
    )
    if isinstance(found, Infeasible):
        return found
    suppressed, left = judge.release(found.outcome.node)
    measured = tuple(criterion.measured(left) for criterion in criteria)
    return Solution(**vars(found), suppressed=suppressed, measured=measured)


def search_by(
    judge: Evaluator,
    whole: Input,
    criteria: Sequence[Criterion],
    *,
    limit: int,
    loss: str = "loss_am",
    weights: Mapping[str, float] | None = None,
    budget: Budget | None = None,
    several: Several | None = None,
) -> Optimum | Infeasible:
    """Find the node of least loss, wherever the patterns are that the nodes are judged by.

    Args:
        judge: made with the same criteria and limit.
        limit: people who may be suppressed.
        several: the judge itself, if it judges several nodes at once.

    Raises:
        PolicyError: there is no such loss, or the weights are of no use.
    """
    run = _Search(judge, make_loss(loss, whole, weights), whole, limit, budget or Budget(), several)
    run.run()
    if run.best is None:
        return _infeasible(run, criteria)
    best = run.best.outcome
    return Optimum(
        levels=dict(zip(whole.names, best.node, strict=True)),
        outcome=best,
        loss=run.best.loss,
        losses=dict(zip(whole.names, loss_am(whole).by_attribute(best).tolist(), strict=True)),
        optimal=run.proven,
        bound=min(run.lowest, run.best.loss),
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
    several: Several | None = None
    checked: int = 0
    feasible: int = 0
    found: list[_Found] = field(default_factory=list)  # of least loss, ties included
    least: tuple[int, int, Node] | None = None
    proven: bool = False

    def __post_init__(self) -> None:
        self.bounds: Bounds = self.loss.bounds()
        self.top: Node = tuple(size - 1 for size in self.whole.shape)
        if self.several is not None:
            self.several.look_ahead(self._ahead)
        self._order = _most_finer_first(self.whole.shape)
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
        for start in range(0, len(self._order), _BLOCK):
            block = self._order[start : start + _BLOCK]
            at = 0
            while (open_ := lower[block[at:]] <= self._allowed).any():
                if self._spent():
                    return
                at += int(open_.argmax())
                self._descend(self._node(block[at]))
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
            for finer in islice(self._open_below(here), _TRIES):
                if self._allowed < before or self._spent():
                    break
                self.look_at(finer)

    def _ahead(self, node: Node) -> Iterator[Node]:
        """Other nodes that may be looked at after this one: just below it, then in order."""
        yield from islice(self._open_below(node), _TRIES)
        lower = self.bounds.lower.reshape(-1)
        for start in range(0, len(self._order), _BLOCK):
            block = self._order[start : start + _BLOCK]
            for number in block[lower[block] <= self._allowed]:
                if (other := self._node(number)) != node:
                    yield other

    def _open_below(self, node: Node) -> Iterator[Node]:
        """Nodes just below one that are open when it is their turn, by the highest bounds."""
        below = [(*node[:q], level - 1, *node[q + 1 :]) for q, level in enumerate(node) if level]
        below.sort(key=lambda finer: -self.bounds.lower[finer])
        return (finer for finer in below if self.bounds.lower[finer] <= self._allowed)

    def _node(self, number: int) -> Node:
        return tuple(int(i) for i in np.unravel_index(number, self.whole.shape))

    def look_at(self, node: Node) -> None:
        """Learn from a node, and from the open ones that were judged with it."""
        self._learn_from(node)
        if self.several is not None:
            for other in list(self.several.ready):
                if self.bounds.lower[other] <= self._allowed and not self._spent():
                    self._learn_from(other)

    def _learn_from(self, node: Node) -> None:
        """Generalize and suppress at a node."""
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
