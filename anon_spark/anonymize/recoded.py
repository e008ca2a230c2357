"""What becomes of each tuple of a table: one level a column by the search, or classes with labels of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.frontier import Candidates, choose, meets_as_one
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import CLASS, Recoding, quoted, without
from anon_spark.anonymize.lattice import Budget, Infeasible, Optimum, search, whole_input
from anon_spark.anonymize.local import LocalRecoding
from anon_spark.anonymize.local_release import recode_patterns
from anon_spark.anonymize.nearest import not_feasible
from anon_spark.anonymize.patterns import PACKED, Ints, PatternTable
from anon_spark.anonymize.policy_objective import candidates_of, out_of_reach
from anon_spark.anonymize.remote import RemotePatterns
from anon_spark.anonymize.remote_search import search_remotely
from anon_spark.anonymize.suppression import Suppressed, evaluator, suppress
from anon_spark.anonymize.tradeoff import Goal, Setting
from anon_spark.errors import GateRefusedError, PolicyError
from anon_spark.policy.table import TablePolicy
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import describe, wanted
from anon_spark.utility.losses import all_losses


@dataclass(frozen=True)
class FullDomain:
    """The optimal node: every value of a column at one level.

    Attributes:
        levels: of the whole table.
        losses: by name.
        suppressed: people.
        classes: released.
        proof: whether the optimum is proven (else the bound), and how many nodes it took.
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
    if policy.recoding == "local":
        if not meets_as_one(patterns, criteria):
            raise _not_feasible(policy, patterns, hierarchies, criteria)
        return _local(patterns, hierarchies, recode_patterns(patterns, hierarchies, criteria, weights))
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
    return not_feasible(patterns, hierarchies, {Setting(policy.privacy.k): criteria}, limit)


def _wanted(
    policy: TablePolicy, goal: Goal, candidates: Candidates, criteria: Sequence[Criterion]
) -> Recoded:
    """The release that the policy's objective wants.

    Raises:
        GateRefusedError: no release meets the criteria, or none that does has utility tau.
    """
    patterns, hierarchies = candidates.table, candidates.hierarchies
    setting, names = Setting(policy.privacy.k), patterns.names
    budget = Budget(policy.search.nodes, policy.search.seconds)
    found = choose(candidates, criteria, setting, goal, recoding=policy.recoding, budget=budget)
    if found.point is None:
        most = choose(
            candidates, criteria, setting, Goal(weight=0.0), recoding=policy.recoding, budget=budget
        )
        if most.point is None:
            raise not_feasible(patterns, hierarchies, {setting: criteria}, candidates.limit)
        raise out_of_reach([goal], most.point, candidates.people)
    proof = {
        "optimal": True if found.optimal else found.bound,
        "nodes": {"total": found.nodes_total, "checked": found.nodes_checked},
        "objective": {
            "risk": {candidates.risk.name: found.point.risk},
            "utility": {candidates.utility.name: found.point.utility},
            "value": goal.value(found.point),
        },
    }
    if found.local is not None:
        return _local(patterns, hierarchies, found.local, proof)
    assert found.point.levels is not None  # noqa: S101  (what is not recoded locally is a node)
    levels = dict(zip(names, found.point.levels, strict=True))
    losses = _losses_at(patterns, hierarchies, criteria, levels, candidates.weights or {})
    suppressed = suppress(patterns, hierarchies, found.point.levels, criteria)
    return _full_domain(patterns, hierarchies, levels, losses, suppressed, proof)


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
    if policy.recoding == "local":
        raise PolicyError(
            f"recoding: local holds all {patterns.rows} patterns on the driver, more than the {patterns.limit} of"
            " search.patterns; raise that, coarsen level 0 or use full_domain"
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
        raise _ended_early(found) or _in_reach(found, criteria, patterns.total_people)
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


def _proof(found: Optimum) -> dict[str, Any]:
    return {
        "optimal": True if found.optimal else found.bound,
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


def _local(
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    found: LocalRecoding,
    proof: dict[str, Any] | None = None,
) -> Local:
    held = {n: pa.array(v.labels, pa.string()).take(pa.array(v.codes)) for n, v in patterns.sensitive.items()}
    labels = found.class_labels(hierarchies)
    named = {f"_q{i}": pa.array(labels[name], pa.string()) for i, name in enumerate(patterns.names)}
    return Local(
        losses={"loss_am": found.loss},
        classes=len(found.people),
        keys=pa.table({PACKED: patterns.packed, **held, CLASS: found.owner}),
        labels=pa.table({CLASS: np.arange(len(found.people)), **named}),
        proof=proof or {"optimal": None, "nodes": None},
    )


def _ended_early(found: Infeasible) -> GateRefusedError | None:
    """What is said where the budget ended before every node was ruled out, None where all were."""
    if found.proven:
        return None
    return GateRefusedError(
        f"refused: the budget of the search ended after {found.nodes_checked} of {found.nodes_total} nodes, of which"
        " none meets the criteria; raise search.nodes or search.seconds"
    )


def _in_reach(found: Infeasible, criteria: Sequence[Criterion], people: int) -> GateRefusedError:
    """What is asked for, and what the search has seen that would do: every trial of another setting would be jobs."""
    asked = ", ".join(f"{describe(criterion)} ({wanted(criterion)})" for criterion in criteria)
    shortfalls = [
        ("suppression limit", f"the least that must be suppressed is {found.least} of {people} people")
    ]
    shortfalls += [
        (
            describe(criterion),
            f"{wanted(criterion)} wanted, {figure:.6g} with everything generalized and nobody suppressed",
        )
        for criterion, figure in zip(criteria, found.attainable, strict=True)
    ]
    return GateRefusedError(
        f"refused: no generalization of {people} people meets {asked} within the suppression limit of {found.limit}"
        " people; nothing was published",
        shortfalls,
    )
