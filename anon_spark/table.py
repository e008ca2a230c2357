"""One table of any schema, by the engine that the lakehouse job uses.

TABLE - histogram - search - recoded rows - gate - OUT
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import (
    CLASS,
    Recoding,
    check_histogram,
    column,
    histogram,
    quoted,
    repeated,
    with_tuples,
    without,
)
from anon_spark.anonymize.lattice import Budget, Infeasible, search, whole_input
from anon_spark.anonymize.local import recode_locally
from anon_spark.anonymize.patterns import PACKED, PEOPLE, Ints, PatternTable, from_tuples
from anon_spark.anonymize.rules import hierarchy_by_rule
from anon_spark.anonymize.suppression import evaluator
from anon_spark.errors import GateRefusedError, InputError, PolicyError
from anon_spark.ingest.table import OneTable, open_table
from anon_spark.policy.table import LoadedTablePolicy, TablePolicy, check_table
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.privacy.criteria import SensitiveDomain, build_criteria
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.release.one_table import measure_file, write_table
from anon_spark.utility.losses import all_losses

Progress = Callable[[str], None]
_VALUES_BY_RULE = 1_000_000


@dataclass
class TableJob:
    """One table on its way: what to do, and how long each step took."""

    spark: SparkSession
    loaded: LoadedTablePolicy
    source: OneTable
    out: Path
    progress: Progress = lambda _: None
    seconds: dict[str, float] = field(default_factory=dict)
    cpu_seconds: dict[str, float] = field(default_factory=dict)

    @property
    def policy(self) -> TablePolicy:
        """The policy itself."""
        return self.loaded.policy

    @contextmanager
    def timed(self, step: str) -> Iterator[None]:
        """Add to the step's seconds, and to its CPU seconds in this process."""
        self.progress(step)
        began, cpu = time.monotonic(), time.process_time()
        yield
        self.seconds[step] = self.seconds.get(step, 0.0) + time.monotonic() - began
        self.cpu_seconds[step] = self.cpu_seconds.get(step, 0.0) + time.process_time() - cpu


def anonymize_table(
    spark: SparkSession,
    table: Path,
    loaded: LoadedTablePolicy,
    out: Path,
    *,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """Generalize and suppress one table until its policy holds, measure what was written, and leave it at ``out``.

    Args:
        out: ``.csv``: one CSV file with the table's separator; ``.parquet``: one Parquet file; else a Delta table.

    Returns:
        levels, losses by name, people suppressed, classes, privacy as measured on the file, whether the optimum is
        proven, nodes, seconds.

    Raises:
        PolicyError, InputError: what is wrong with the policy, the table or ``out``.
        GateRefusedError: no generalization meets the policy, or the file falls short of it; nothing is left at ``out``.
    """
    if out.exists():
        raise PolicyError(f"'{out}' is there already; give another --out")
    began = time.monotonic()
    source = open_table(spark, table, loaded.policy.separator)
    check_table(loaded.policy, source.columns)
    job = TableJob(spark, loaded, source, out, progress)
    job.seconds["read"] = time.monotonic() - began
    hierarchies = _hierarchies(job)
    tuples = with_tuples(source.df, hierarchies)
    counted = histogram(tuples, job.policy.sensitive).persist()
    partial = out.with_name(f"{out.stem}.partial{out.suffix}")
    _remove(partial)
    try:
        with job.timed("histogram"):
            patterns = _patterns(job, counted, hierarchies)
        criteria = _criteria(job, patterns)
        with job.timed("search"):
            found = _search(job, patterns, hierarchies, criteria)
        with job.timed("apply"):
            released = _released(job, found, counted, tuples)
        with job.timed("write"):
            write_table(released, partial, kind=out.suffix, separator=source.separator)
        left = patterns.total_people - found.suppressed
        with job.timed("gate"):
            privacy = _gate(job, partial, patterns, criteria, people=left)
        partial.rename(out)
    finally:
        counted.unpersist()
        _remove(partial)
    return _document(job, found, privacy, patterns.total_people)


def _hierarchies(job: TableJob) -> dict[str, Hierarchy]:
    """Hierarchy of every quasi-identifier, in the policy's order; rules read the values that occur."""
    made = {}
    for name, item in job.policy.quasi_identifiers.items():
        if isinstance(item.hierarchy, str):
            made[name] = job.loaded.files[item.hierarchy]
            continue
        found = job.source.df.select(column(name).cast("string").alias("value")).distinct()
        values = found.limit(_VALUES_BY_RULE + 1).toArrow()["value"].to_pylist()
        if len(values) > _VALUES_BY_RULE:
            raise InputError(f"{name} has more than {_VALUES_BY_RULE} values; a rule makes a leaf of each")
        made[name] = hierarchy_by_rule(name, item.hierarchy, values)
    return made


def _patterns(job: TableJob, counted: DataFrame, hierarchies: Mapping[str, Hierarchy]) -> PatternTable:
    """The histogram on the driver."""
    limit = job.policy.search.patterns
    rows = counted.limit(limit + 1).toArrow()
    if rows.num_rows > limit:
        raise PolicyError(f"there are more than {limit} patterns; raise search.patterns or coarsen level 0")
    check_histogram(rows, job.source.df, hierarchies)
    if not rows.num_rows:
        raise InputError("the table has no rows")
    return from_tuples(rows, hierarchies, job.policy.sensitive)


def _criteria(job: TableJob, patterns: PatternTable) -> list[Criterion]:
    domains = {name: SensitiveDomain(values.labels) for name, values in patterns.sensitive.items()}
    return build_criteria(job.policy.privacy, domains, job.loaded.files)


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


def _search(
    job: TableJob,
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
) -> Recoded:
    policy = job.policy
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
        raise _infeasible(found, criteria, patterns.total_people)
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


def _infeasible(found: Infeasible, criteria: Sequence[Criterion], people: int) -> GateRefusedError:
    asked = ", ".join(type(criterion).__name__ for criterion in criteria)
    shortfalls = [
        ("suppression limit", f"the least found that must be suppressed is {found.least} of {people} people")
    ]
    shortfalls += [
        (type(criterion).__name__, f"with everything generalized and nobody suppressed: {figure:.6g}")
        for criterion, figure in zip(criteria, found.attainable, strict=True)
    ]
    return GateRefusedError(
        f"refused: no generalization of {people} people meets {asked} within the suppression limit of {found.limit}"
        " people; nothing was written",
        shortfalls,
    )


def _released(job: TableJob, found: Recoded, counted: DataFrame, tuples: DataFrame) -> DataFrame:
    """The rows to write, in the order of their classes: nothing of the source's order is left."""
    policy = job.policy
    names = tuple(policy.quasi_identifiers)
    labels = {name: F.col(f"_q{i}").alias(name) for i, name in enumerate(names)}
    shown = [c for c in job.source.columns if c in labels or c in {*policy.sensitive, *policy.keep}]
    values = [labels.get(c, column(c)) for c in shown]
    if policy.keep:
        labelled = found.label(tuples, job.spark)
        order = F.xxhash64(*(column(c) for c in (*policy.sensitive, *policy.keep)))
        return labelled.orderBy(CLASS, order).select(*values)
    own = [CLASS, *(f"_q{i}" for i in range(len(names)))]
    held = [column(name) for name in policy.sensitive]
    groups = found.label(counted, job.spark).groupBy(*own, *held).agg(F.sum(PEOPLE).alias(PEOPLE))
    return repeated(groups, [F.col(CLASS), *held]).select(*values)


def _gate(
    job: TableJob, place: Path, patterns: PatternTable, criteria: Sequence[Criterion], *, people: int
) -> dict[str, Any]:
    """Measure the file by every criterion.

    Raises:
        GateRefusedError: it falls short of one, or does not hold the people it should.
    """
    totals = {
        name: dict(
            zip(
                v.labels,
                np.bincount(v.codes, patterns.people, len(v.labels)).astype(int).tolist(),
                strict=True,
            )
        )
        for name, v in patterns.sensitive.items()
    }
    classes = measure_file(
        job.spark,
        place,
        separator=job.source.separator,
        quasi_identifiers=list(job.policy.quasi_identifiers),
        totals=totals,
        people=patterns.total_people,
    )
    written = int(classes.sizes.sum())
    failing = [
        (type(criterion).__name__, f"{int(count)} classes fall short")
        for criterion in criteria
        if (count := criterion.failing(classes).sum())
    ]
    if written != people:
        failing.append(("people", f"{written} are in the file, {people} should be"))
    if failing:
        raise GateRefusedError(f"refused: the file fails {len(failing)} checks; nothing was left", failing)
    return _measured(classes, criteria)


def _measured(classes: Classes, criteria: Sequence[Criterion]) -> dict[str, Any]:
    """k, and l and t (equal distances) of every sensitive attribute, and every criterion of the policy."""
    by_attribute = {
        name: {
            "l": int(DistinctLDiversity(1, name).measured(classes)),
            "t": TCloseness(1.0, name).measured(classes),
        }
        for name in classes.sensitive
    }
    figures: dict[str, Any] = {"k": int(KAnonymity(1).measured(classes))}
    if by_attribute:
        figures["l"] = min(x["l"] for x in by_attribute.values())
        figures["t"] = max(x["t"] for x in by_attribute.values())
        figures["sensitive"] = by_attribute
    figures["criteria"] = [
        {"criterion": type(criterion).__name__, "measured": criterion.measured(classes)}
        for criterion in criteria
    ]
    return figures


def _document(job: TableJob, found: Recoded, privacy: Mapping[str, Any], people: int) -> dict[str, Any]:
    return {
        "out": str(job.out),
        "policy": {"name": job.policy.name, "hash": job.loaded.sha256},
        "people": {"in": people, "out": people - found.suppressed},
        "levels": found.levels,
        "loss": found.losses,
        "suppressed": found.suppressed,
        "classes": found.classes,
        "privacy": dict(privacy),
        **found.proof,
        "seconds": {step: round(seconds, 3) for step, seconds in job.seconds.items()},
        "cpu_seconds": {"search": round(job.cpu_seconds["search"], 4)},
    }


def _remove(place: Path) -> None:
    if place.is_dir():
        shutil.rmtree(place)
    place.unlink(missing_ok=True)
