"""What becomes of each tuple of a table: one level a column by the search, or classes with labels of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.frontier import Candidates, Choice, choose, meets_as_one
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import CLASS, Recoding, quoted, without
from anon_spark.anonymize.lattice import Budget, Infeasible, Optimum, search, whole_input
from anon_spark.anonymize.local import LocalRecoding
from anon_spark.anonymize.local_release import LOCAL_LOSSES, local_loss, recode_patterns
from anon_spark.anonymize.nearest import in_reach, not_feasible
from anon_spark.anonymize.numeric_release import NumericRelease, microaggregate_patterns
from anon_spark.anonymize.patterns import PACKED, Ints, PatternTable
from anon_spark.anonymize.policy_objective import budget_ended, candidates_of, out_of_reach
from anon_spark.anonymize.remote import RemotePatterns
from anon_spark.anonymize.remote_search import search_remotely
from anon_spark.anonymize.suppression import Suppressed, evaluator, suppress
from anon_spark.anonymize.tradeoff import Goal, Setting
from anon_spark.errors import GateRefusedError, PolicyError
from anon_spark.policy.table import TablePolicy
from anon_spark.privacy.classes import Criterion
from anon_spark.utility.losses import all_losses

_UNPROVEN: dict[str, Any] = {
    "optimal": False,
    "bound": None,
    "nodes": None,
}  # of classes that a heuristic makes


@dataclass(frozen=True)
class FullDomain:
    """The optimal node: every value of a column at one level.

    Attributes:
        levels: of the whole table.
        losses: by name.
        suppressed: people.
        classes: released.
        proof: whether the optimum is proven (else the bound), the bound, and how many nodes it took.
        recoding: of its levels.
        suppressed_classes: a table's only column where they may be many.
        fits: whether the driver may hold its classes.
    """

    levels: dict[str, int] | None
    losses: dict[str, float]
    suppressed: int
    classes: int
    proof: dict[str, Any]
    recoding: Recoding
    suppressed_classes: Ints | DataFrame
    fits: bool = True

    def label(self, base: DataFrame, spark: SparkSession) -> DataFrame:
        """Rows of ``base`` that are released, with ``_class`` and the labels ``_q0``, ``_q1``, ..."""
        classed = base.withColumn(CLASS, self.recoding.class_column())
        kept = without(classed, spark, CLASS, self.suppressed_classes)
        return kept.select("*", *self.recoding.label_columns())


@dataclass(frozen=True)
class Local:
    """Classes with labels of their own; ``keys`` says the class of every (tuple, sensitive values)."""

    losses: dict[str, float]
    classes: int
    keys: pa.Table  # (_tuple, <sensitive>..., _class)
    labels: pa.Table  # (_class, _q0, _q1, ...)
    proof: dict[str, Any]
    levels: dict[str, int] | None = None
    suppressed: int = 0
    fits: bool = True

    def label(self, base: DataFrame, spark: SparkSession) -> DataFrame:
        """Rows of ``base`` that are released, with ``_class`` and the labels ``_q0``, ``_q1``, ..."""
        keys = spark.createDataFrame(self.keys)
        sensitive = [name for name in self.keys.column_names if name not in {PACKED, CLASS}]
        same = [base[quoted(n)].cast("string").eqNullSafe(keys[quoted(n)]) for n in sensitive]
        joined = base.join(keys, [base[PACKED] == keys[PACKED], *same]).select(base["*"], keys[CLASS])
        return joined.join(F.broadcast(spark.createDataFrame(self.labels)), CLASS)


Recoded = FullDomain | Local


def recode(
    policy: TablePolicy,
    patterns: PatternTable | RemotePatterns,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
) -> Recoded:
    """Search for the recoding of least loss that meets the criteria.

    Raises:
        GateRefusedError: none does; with what is in reach.
        PolicyError: local recoding, of patterns that are on the cluster.
    """
    weights = {name: item.weight for name, item in policy.quasi_identifiers.items()}
    if isinstance(patterns, RemotePatterns):
        return _remote(policy, patterns, criteria, weights)
    if policy.objective is not None:
        candidates = candidates_of(policy, patterns, hierarchies)
        return _wanted(policy, policy.objective.goal, candidates, criteria)
    if policy.recoding == "microaggregation":
        if patterns.total_people < policy.privacy.k:
            raise _not_feasible(policy, patterns, hierarchies, criteria)
        return _means(patterns, microaggregate_patterns(patterns, hierarchies, policy.privacy.k))
    if policy.recoding == "local":
        if not meets_as_one(patterns, criteria):
            raise _not_feasible(policy, patterns, hierarchies, criteria)
        found_locally = recode_patterns(patterns, hierarchies, criteria, weights)
        return _local(patterns, hierarchies, found_locally, weights)
    found = search(
        patterns,
        hierarchies,
        criteria,
        loss=policy.loss,
        weights=weights,
        suppression_limit=policy.suppression_limit,
        budget=Budget(policy.search.nodes, policy.search.seconds),
    )
    if isinstance(found, Infeasible):
        raise _ended_early(found) or _not_feasible(policy, patterns, hierarchies, criteria)
    losses = _losses_at(patterns, hierarchies, criteria, found.levels, weights)
    return _full_domain(patterns, hierarchies, found.levels, losses, found.suppressed, _proof(found))


def _full_domain(
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    levels: dict[str, int],
    losses: dict[str, float],
    suppressed: Suppressed,
    proof: dict[str, Any],
) -> FullDomain:
    recoding = Recoding(hierarchies, levels)
    return FullDomain(
        levels=levels,
        losses=losses,
        suppressed=suppressed.people,
        classes=suppressed.classes,
        proof=proof,
        recoding=recoding,
        suppressed_classes=np.unique(recoding.classes(patterns.packed[suppressed.patterns])),
    )


def _not_feasible(
    policy: TablePolicy,
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
) -> GateRefusedError:
    limit = int(np.floor(policy.suppression_limit * patterns.total_people + 1e-9))
    asked = {Setting(policy.privacy.k): criteria}
    return not_feasible(patterns, hierarchies, asked, limit, recoding=policy.recoding)


def _wanted(
    policy: TablePolicy, goal: Goal, candidates: Candidates, criteria: Sequence[Criterion]
) -> Recoded:
    """The release that the policy's objective wants.

    Raises:
        GateRefusedError: no release meets the criteria, or none that does has utility tau, or the budget ended.
    """
    patterns, hierarchies = candidates.table, candidates.hierarchies
    setting, names = Setting(policy.privacy.k), patterns.names
    budget = Budget(policy.search.nodes, policy.search.seconds)
    found = choose(candidates, criteria, setting, goal, recoding=policy.recoding, budget=budget)
    if found.point is None:
        raise _nothing_wanted(policy, goal, candidates, criteria, found)
    proof = {
        **_proof(found),
        "objective": {
            "risk": {candidates.risk.name: found.point.risk},
            "utility": {candidates.utility.name: found.point.utility},
            "value": goal.value(found.point),
        },
    }
    if found.local is not None:
        return _local(patterns, hierarchies, found.local, candidates.weights or {}, proof)
    assert found.point.levels is not None  # noqa: S101  (what is not recoded locally is a node)
    levels = dict(zip(names, found.point.levels, strict=True))
    losses = _losses_at(patterns, hierarchies, criteria, levels, candidates.weights or {})
    suppressed = suppress(patterns, hierarchies, found.point.levels, criteria)
    return _full_domain(patterns, hierarchies, levels, losses, suppressed, proof)


def _nothing_wanted(
    policy: TablePolicy, goal: Goal, candidates: Candidates, criteria: Sequence[Criterion], found: Choice
) -> GateRefusedError:
    """Why there is nothing: the budget ended, the criteria are out of reach, or tau is."""
    lacking = f"meets the criteria with utility {goal.tau:g}" if goal.tau > 0 else "meets the criteria"
    if not found.complete:
        return budget_ended(found.nodes_checked, found.nodes_total, lacking)
    setting, budget = Setting(policy.privacy.k), Budget(policy.search.nodes, policy.search.seconds)
    most = choose(candidates, criteria, setting, Goal(weight=0.0), recoding=policy.recoding, budget=budget)
    if most.point is not None:
        return out_of_reach([goal], most.point, candidates.people, recoding=policy.recoding)
    if not most.complete:
        return budget_ended(most.nodes_checked, most.nodes_total)
    return _not_feasible(policy, candidates.table, candidates.hierarchies, criteria)


def _remote(
    policy: TablePolicy,
    patterns: RemotePatterns,
    criteria: Sequence[Criterion],
    weights: Mapping[str, float],
) -> FullDomain:
    if policy.objective is not None:
        raise PolicyError(
            f"objective: the search for it holds all {patterns.rows} patterns on the driver, more than the"
            f" {patterns.limit} of search.patterns; raise that, coarsen level 0 or leave the objective out"
        )
    if policy.recoding != "full_domain":
        raise PolicyError(
            f"recoding: {policy.recoding} holds all {patterns.rows} patterns on the driver, more than the"
            f" {patterns.limit} of search.patterns; raise that, coarsen level 0 or use full_domain"
        )
    found, judge = search_remotely(
        patterns,
        criteria,
        loss=policy.loss,
        weights=weights,
        suppression_limit=policy.suppression_limit,
        budget=Budget(policy.search.nodes, policy.search.seconds),
    )
    if isinstance(found, Infeasible):
        raise _ended_early(found) or in_reach(found, criteria, patterns.total_people)
    recoding = Recoding(patterns.hierarchies, found.levels)
    return FullDomain(
        levels=found.levels,
        losses=all_losses(patterns.whole_input(), found.outcome, weights),
        suppressed=found.outcome.suppressed,
        classes=found.outcome.classes_left,
        proof=_proof(found),
        recoding=recoding,
        suppressed_classes=judge.suppressed(found.outcome.node, recoding),
        fits=judge.fits(found.outcome.node),
    )


def _proof(found: Optimum | Choice) -> dict[str, Any]:
    """``optimal``: proven, else the bound, else False where there is none."""
    unproven = False if found.bound is None else found.bound
    return {
        "optimal": True if found.optimal else unproven,
        "bound": found.bound,
        "nodes": {"total": found.nodes_total, "checked": found.nodes_checked},
    }


def _losses_at(
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
    levels: Mapping[str, int],
    weights: Mapping[str, float],
) -> dict[str, float]:
    coarsening = Coarsening(patterns, hierarchies)
    judge = evaluator(patterns, coarsening, criteria, patterns.total_people)
    outcome = judge.outcome(tuple(levels[name] for name in patterns.names))
    return all_losses(whole_input(patterns, coarsening), outcome, weights)


def _means(patterns: PatternTable, found: NumericRelease) -> Local:
    return _classes(
        patterns,
        found.owner,
        found.labels,
        losses={"sse_sst": found.loss},
        proof=_UNPROVEN,
    )


def _local(
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    found: LocalRecoding,
    weights: Mapping[str, float],
    proof: dict[str, Any] | None = None,
) -> Local:
    labels = found.class_labels(hierarchies)
    return _classes(
        patterns,
        found.owner,
        [labels[name] for name in patterns.names],
        losses={name: local_loss(name, found, hierarchies, weights) for name in LOCAL_LOSSES},
        proof=proof or _UNPROVEN,
    )


def _classes(
    patterns: PatternTable,
    owner: Ints,
    labels: Sequence[Sequence[str | None]],
    *,
    losses: dict[str, float],
    proof: dict[str, Any],
) -> Local:
    """Classes by pattern, with the labels of each quasi-identifier by class."""
    held = {n: pa.array(v.labels, pa.string()).take(pa.array(v.codes)) for n, v in patterns.sensitive.items()}
    named = {f"_q{i}": pa.array(of_one, pa.string()) for i, of_one in enumerate(labels)}
    return Local(
        losses=losses,
        classes=len(labels[0]),
        keys=pa.table({PACKED: patterns.packed, **held, CLASS: owner}),
        labels=pa.table({CLASS: np.arange(len(labels[0])), **named}),
        proof=proof,
    )


def _ended_early(found: Infeasible) -> GateRefusedError | None:
    """What is said where the budget ended before every node was ruled out, None where all were."""
    return None if found.proven else budget_ended(found.nodes_checked, found.nodes_total)
