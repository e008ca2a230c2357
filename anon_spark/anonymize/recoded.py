"""What becomes of each tuple of a table: one level a column by the search, or classes with labels of their own."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import CLASS, Recoding, quoted, without
from anon_spark.anonymize.lattice import Budget, Infeasible, search, whole_input
from anon_spark.anonymize.local import recode_locally
from anon_spark.anonymize.patterns import PACKED, Ints, PatternTable
from anon_spark.anonymize.suppression import evaluator
from anon_spark.errors import GateRefusedError
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
    """

    levels: dict[str, int] | None
    losses: dict[str, float]
    suppressed: int
    classes: int
    proof: dict[str, Any]
    recoding: Recoding
    suppressed_classes: Ints

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
    levels: dict[str, int] | None = None
    suppressed: int = 0
    proof: dict[str, Any] = field(default_factory=lambda: {"optimal": None, "nodes": None})

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
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
) -> Recoded:
    """Search for the recoding of least loss that meets the criteria.

    Raises:
        GateRefusedError: none does; with what is in reach.
    """
    weights = {name: item.weight for name, item in policy.quasi_identifiers.items()}
    if policy.recoding == "local":
        return _local(patterns, hierarchies, criteria, weights)
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
        raise infeasible(found, criteria, patterns.total_people)
    recoding = Recoding(hierarchies, found.levels)
    return FullDomain(
        levels=found.levels,
        losses=_losses_at(patterns, hierarchies, criteria, found.levels, weights),
        suppressed=found.suppressed.people,
        classes=found.suppressed.classes,
        proof={
            "optimal": True if found.optimal else found.bound,
            "nodes": {"total": found.nodes_total, "checked": found.nodes_checked},
        },
        recoding=recoding,
        suppressed_classes=np.unique(recoding.classes(patterns.packed[found.suppressed.patterns])),
    )


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
    criteria: Sequence[Criterion],
    weights: Mapping[str, float],
) -> Local:
    codes = np.stack([patterns.leaves(i) for i in range(len(patterns.names))], axis=1)
    values = {name: v.codes.astype(np.int64) for name, v in patterns.sensitive.items()}
    found = recode_locally(
        codes,
        patterns.people,
        hierarchies=hierarchies,
        criteria=criteria,
        sensitive=values,
        weights=[weights[name] for name in patterns.names],
    )
    held = {n: pa.array(v.labels, pa.string()).take(pa.array(v.codes)) for n, v in patterns.sensitive.items()}
    labels = found.class_labels(hierarchies)
    named = {f"_q{i}": pa.array(labels[name], pa.string()) for i, name in enumerate(patterns.names)}
    return Local(
        losses={"loss_am": found.loss},
        classes=len(found.people),
        keys=pa.table({PACKED: patterns.packed, **held, CLASS: found.owner}),
        labels=pa.table({CLASS: np.arange(len(found.people)), **named}),
    )


def infeasible(found: Infeasible, criteria: Sequence[Criterion], people: int) -> GateRefusedError:
    """What is asked for, and what is in reach: by suppressing more, or by asking for less."""
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
