"""The Pareto front of risk and utility over all releases that meet the criteria, and the one that is wanted.

Candidates are the nodes of the lattice within the suppression limit, one pass over the lattice for each setting
of the criteria, and one local recoding for each: the one that lowers ``loss_am``, whatever risk and utility are. What
is best of nodes is proven; where local recoding is a candidate there may be a better one. A pass takes coarse nodes
first and skips

1. nodes finer than one at which more people than the limit are certain to be suppressed (``suppression``);
2. where one release is wanted, not the front: nodes whose loss is proven (``utility``) to leave too little utility,
   less than tau or than any node needs to better the best one found.

What is wanted is never a dominated release, so every goal's answer is on the front.
"""

import math
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Budget, whole_input
from anon_spark.anonymize.local import LocalRecoding
from anon_spark.anonymize.local_release import local_loss, recode_patterns, released_classes
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.anonymize.suppression import Evaluator, evaluator
from anon_spark.anonymize.tradeoff import Goal, Point, Risk, Setting, Utility, pareto
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Classes, Criterion, SensitiveCounts
from anon_spark.privacy.criteria import Closeness, Diversity, Privacy, SensitiveCriteria
from anon_spark.utility.loss import Bounds, Outcome

_KEPT = 4096  # points after which dominated ones are dropped
_UNLIMITED = float(np.finfo(np.float64).max)


@dataclass
class Pass:
    """Nodes within the limit, coarse ones first, each with what is suppressed there; somebody is always left.

    Attributes:
        limit: people who may be suppressed; it may be lowered on the way.
        bounds: of a loss, None where no node is skipped for its loss.
        most: a node with a larger loss is of no use; it may be lowered on the way.
        checked: nodes looked at.
        complete: every node was looked at or ruled out.
    """

    judge: Evaluator
    shape: tuple[int, ...]
    people: int
    limit: int
    budget: Budget
    bounds: Bounds | None = None
    most: float = _UNLIMITED
    checked: int = 0
    complete: bool = False

    @property
    def total(self) -> int:
        """Nodes of the lattice."""
        return math.prod(self.shape)

    @property
    def lowest(self) -> float:
        """Proven lower bound of the loss of every node not looked at; infinite where all were."""
        return 0.0 if self.bounds is None else float(self.bounds.lower.min())

    def __iter__(self) -> Iterator[Outcome]:
        """Look at every node that is not ruled out, while the budget lasts."""
        lower = np.zeros(self.shape) if self.bounds is None else self.bounds.lower
        until = None if self.budget.seconds is None else time.monotonic() + self.budget.seconds
        for node in _coarse_first(self.shape):
            if lower[node] > self.most:
                continue
            if self._spent(until):
                return
            outcome = self.judge.outcome(node)
            self.checked += 1
            if outcome.certain_in_all > self.limit:
                lower[tuple(slice(level + 1) for level in node)] = np.inf
                continue
            if self.bounds is not None:
                self.bounds.learn(outcome)
            lower[node] = np.inf
            if outcome.complete and outcome.suppressed <= min(self.limit, self.people - 1):
                yield outcome
        self.complete = True

    def _spent(self, until: float | None) -> bool:
        if self.budget.nodes is not None and self.checked >= self.budget.nodes:
            return True
        return until is not None and time.monotonic() > until


def _coarse_first(shape: tuple[int, ...]) -> Iterator[Node]:
    """All nodes by falling sum of levels."""
    sums = np.zeros(1, dtype=np.int64)
    for size in shape:
        sums = np.add.outer(sums, np.arange(size)).ravel()
    for number in np.argsort(-sums, kind="stable"):
        yield tuple(int(level) for level in np.unravel_index(number, shape))


class Candidates:
    """The releases that one table allows: its lattice, and how their risk and utility are measured.

    Raises:
        PolicyError: there is no such risk or loss, or the table lacks what the risk is about.
    """

    def __init__(
        self,
        table: PatternTable,
        hierarchies: Mapping[str, Hierarchy],
        *,
        risk: Risk,
        utility: str = "loss_am",
        weights: Mapping[str, float] | None = None,
        suppression_limit: float = 0.0,
    ) -> None:
        risk.check(table)
        self.table, self.hierarchies, self.risk, self.weights = table, hierarchies, risk, weights
        self.coarsening = Coarsening(table, hierarchies)
        self.utility = Utility(utility, whole_input(table, self.coarsening), weights)
        self.people = table.total_people
        self.limit = int(np.floor(suppression_limit * self.people + 1e-9))

    def nodes(
        self, criteria: Sequence[Criterion], budget: Budget | None = None, limit: int | None = None
    ) -> Pass:
        """A pass over the lattice, by the limit of the candidates unless another is given."""
        limit = self.limit if limit is None else limit
        judge = evaluator(self.table, self.coarsening, criteria, limit)
        return Pass(judge, self.coarsening.shape, self.people, limit, budget or Budget())

    def generalized(self, judge: Evaluator, outcome: Outcome, setting: Setting) -> Point:
        """The release of a node."""
        held = outcome.left[outcome.left > 0]
        of_sizes = self.risk.of_sizes(self.table)
        classes = Classes(held, self.people) if of_sizes else judge.release(outcome.node)[1]
        utility = self.utility.of(self.utility.loss.value(outcome))
        return Point(setting, outcome.node, outcome.suppressed, len(held), self.risk.of(classes), utility)

    def recoded_locally(self, criteria: Sequence[Criterion], setting: Setting) -> tuple[Point, LocalRecoding]:
        """The release by local recoding, nobody suppressed.

        Raises:
            PolicyError: nothing meets the criteria, or the utility is not defined for local recoding.
        """
        found = recode_patterns(self.table, self.hierarchies, criteria, self.weights)
        risk = self.risk.of(released_classes(self.table, found))
        loss = local_loss(self.utility.name, found, self.hierarchies, self.weights)
        return Point(setting, None, 0, len(found.people), risk, self.utility.of(loss)), found


@dataclass(frozen=True)
class Front:
    """Releases that no other one of the setting dominates.

    Attributes:
        points: least risk first; none where the setting is not feasible.
        nodes_total: nodes of the lattice.
        nodes_checked: nodes generalized.
        nodes_feasible: nodes among them within the limit.
        complete: every node was looked at or ruled out; without nodes, nothing was left out.
    """

    setting: Setting
    points: list[Point]
    nodes_total: int
    nodes_checked: int
    nodes_feasible: int
    complete: bool


def front_of(
    candidates: Candidates,
    criteria: Sequence[Criterion],
    setting: Setting,
    *,
    recoding: str = "full_domain",
    budget: Budget | None = None,
) -> Front:
    """The front of one setting: one pass over the lattice.

    Args:
        recoding: ``full_domain``, ``local`` or ``either``.
    """
    nodes = candidates.nodes(criteria, budget)
    points: list[Point] = []
    feasible = 0
    if recoding != "local":
        for outcome in nodes:
            feasible += 1
            points.append(candidates.generalized(nodes.judge, outcome, setting))
            if len(points) > _KEPT:
                points = pareto(points)
    if recoding != "full_domain" and meets_as_one(candidates.table, criteria):
        points.append(candidates.recoded_locally(criteria, setting)[0])
    return Front(
        setting=setting,
        points=pareto(points),
        nodes_total=nodes.total,
        nodes_checked=nodes.checked,
        nodes_feasible=feasible,
        complete=nodes.complete or recoding == "local",
    )


@dataclass(frozen=True)
class Choice:
    """The release that a goal wants.

    Attributes:
        point: None where no release found has utility tau.
        local: how it is recoded, None where it is a node.
        complete: every node was looked at or ruled out; without nodes, nothing was left out.
        bound: proven lower bound of every release's value, reached where the best is proven; None where another
            local recoding may be better, which nothing bounds.
        nodes_total: nodes of the lattice.
        nodes_checked: nodes generalized.
    """

    point: Point | None
    local: LocalRecoding | None
    complete: bool
    bound: float | None
    nodes_total: int
    nodes_checked: int

    @property
    def optimal(self) -> bool:
        """Whether no release is better."""
        return self.complete and self.bound is not None


def choose(
    candidates: Candidates,
    criteria: Sequence[Criterion],
    setting: Setting,
    goal: Goal,
    *,
    recoding: str = "full_domain",
    budget: Budget | None = None,
) -> Choice:
    """The release of least lambda R - (1 - lambda) U with U >= tau (Eq. 9, 10)."""
    local: LocalRecoding | None = None
    best: Point | None = None
    bound: float | None = None
    if recoding != "full_domain" and meets_as_one(candidates.table, criteria):
        point, local = candidates.recoded_locally(criteria, setting)
        best = goal.best([point])
    nodes, utility = candidates.nodes(criteria, budget), candidates.utility
    if recoding != "local":
        nodes.bounds = utility.loss.bounds()
        nodes.most = utility.largest_loss(goal.least_utility(best))
        for outcome in nodes:
            point = candidates.generalized(nodes.judge, outcome, setting)
            best = goal.best([point] if best is None else [best, point])
            nodes.most = utility.largest_loss(goal.least_utility(best))
    complete = nodes.complete or recoding == "local"
    if local is None:
        bound = goal.value(best) if complete and best else -(1 - goal.weight) * utility.of(nodes.lowest)
    return Choice(
        point=best,
        local=local if best is not None and best.levels is None else None,
        complete=complete,
        bound=bound,
        nodes_total=nodes.total,
        nodes_checked=nodes.checked,
    )


def meets_as_one(table: PatternTable, criteria: Sequence[Criterion]) -> bool:
    """Whether all people as one class meet the criteria: what local recoding needs."""
    sensitive = {}
    for name, held in table.totals().items():
        totals = np.array(list(held.values()), dtype=np.int64)
        sensitive[name] = SensitiveCounts(np.zeros_like(totals), np.arange(len(totals)), totals, totals)
    people = table.total_people
    everybody = Classes(np.array([people], dtype=np.int64), people, sensitive)
    return not any(criterion.failing(everybody).any() for criterion in criteria)


def with_setting(privacy: Privacy, setting: Setting, sensitive: Collection[str]) -> Privacy:
    """The policy's section with the setting's thresholds in place of its own.

    k takes the place of k; l that of every distinct l, entropy and recursive l stand; t that of every ground
    distance, equal ones where an attribute has none.

    Raises:
        PolicyError: there is no sensitive attribute that l or t could be of, or a threshold is out of range.
    """
    if (setting.l is not None or setting.t is not None) and not sensitive:
        raise PolicyError("l and t are about sensitive attributes, and the policy names none")
    if setting.k < 2:
        raise PolicyError(f"k must be at least 2, got {setting.k}")
    if setting.l is not None and setting.l < 1:
        raise PolicyError(f"l must be at least 1, got {setting.l}")
    if setting.t is not None and not 0 <= setting.t <= 1:
        raise PolicyError(f"t must lie in [0, 1], got {setting.t:g}")
    sections = {}
    for name in sensitive:
        section = privacy.sensitive.get(name, SensitiveCriteria())
        changed = {"l": _with_l(section.l, setting.l), "t": _with_t(section.t, setting.t)}
        sections[name] = section.model_copy(update=changed)
    return privacy.model_copy(update={"k": setting.k, "sensitive": sections})


def _with_l(own: int | Diversity | None, l: int | None) -> int | Diversity | None:  # noqa: E741
    if l is None or not isinstance(own, Diversity):
        return own if l is None else l
    return own.model_copy(update={"distinct": l})


def _with_t(own: float | Closeness | None, t: float | None) -> float | Closeness | None:
    if t is None or not isinstance(own, Closeness):
        return own if t is None else t
    named = [kind for kind in ("equal", "ordered", "hierarchical") if getattr(own, kind) is not None]
    return own.model_copy(update=dict.fromkeys(named, t))
