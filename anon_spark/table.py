"""One table of any schema, by the engine that the lakehouse job uses.

TABLE - histogram - search - recoded rows - gate - OUT
"""

import shutil
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import AtomicType, BinaryType, DataType, MapType

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import (
    CLASS,
    TIMES,
    beside_population,
    check_histogram,
    column,
    histogram,
    in_blocks,
    population_histogram,
    with_tuples,
)
from anon_spark.anonymize.patterns import PACKED, PEOPLE, PatternTable, from_tuples
from anon_spark.anonymize.recoded import Recoded, recode
from anon_spark.anonymize.remote import ClusterHistogram, RemotePatterns, Survey
from anon_spark.anonymize.rules import MOST_LEAVES, covers, hierarchy_by_rule
from anon_spark.errors import GateRefusedError, InputError
from anon_spark.ingest.table import CORRUPT, OneTable, open_table
from anon_spark.policy.table import LoadedTablePolicy, TablePolicy, check_table
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import SensitiveDomain, build_criteria, describe, wanted
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.released import WholeInput
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.release.destination import check_line_breaks, check_out, private_folder
from anon_spark.release.one_table import FileMeasures, measure_file, write_table
from anon_spark.risk.population import population_uniqueness

Progress = Callable[[str], None]
_MANY_VALUES = 0.5  # of the people: a kept column with more values tells most of them apart


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
        out: NAME.csv: one CSV file with the table's separator, null an empty cell and empty text ``""``, which
            most readers, the gate too, take for the same; NAME.parquet: one Parquet file; NAME or NAME.delta: a
            Delta table.

    Returns:
        levels, losses by name, people suppressed, classes, privacy as measured on the file, whether the optimum is
        proven, nodes, seconds, warnings.

    Raises:
        PolicyError, InputError: what is wrong with the policy, the table or ``out``.
        GateRefusedError: no generalization meets the policy, or the file falls short of it; nothing is left at ``out``.
    """
    check_out(out)
    began = time.monotonic()
    source = open_table(spark, table, loaded.policy.separator)
    check_table(loaded, source.columns)
    job = TableJob(spark, loaded, source, out, progress)
    job.seconds["read"] = time.monotonic() - began
    hierarchies = _hierarchies(job)
    _check_types(source, loaded.policy)
    policy = loaded.policy
    check_line_breaks(source, out, [*policy.quasi_identifiers, *policy.sensitive, *policy.keep])
    tuples = with_tuples(source.df, hierarchies)
    population = _population(job, hierarchies)
    counted = histogram(tuples, job.policy.sensitive).persist()
    partial = private_folder(out) / out.name
    try:
        with job.timed("histogram"):
            patterns = _patterns(job, counted, population, hierarchies)
        criteria = _criteria(job, patterns)
        with job.timed("search"):
            found = recode(job.policy, patterns, hierarchies, criteria)
        with job.timed("apply"):
            released = _released(job, found, counted, tuples, patterns.total_people - found.suppressed)
        with job.timed("write"):
            write_table(released, partial, kind=out.suffix, separator=source.separator)
        with job.timed("gate"):
            known = None if population is None else found.label(population, spark)
            privacy = _gate(job, partial, patterns, criteria, found=found, population=known)
            privacy |= _population_uniques(job, counted, partial)
            warnings = _warnings(job, found, partial)
        partial.rename(out)
    finally:
        counted.unpersist()
        shutil.rmtree(partial.parent)
    return _document(
        job, found, privacy, hierarchies=hierarchies, people=patterns.total_people, warnings=warnings
    )


def table_patterns(
    spark: SparkSession,
    table: Path,
    loaded: LoadedTablePolicy,
    *,
    progress: Progress = lambda _: None,
) -> tuple[PatternTable | RemotePatterns, dict[str, Hierarchy]]:
    """The class histogram of one table, and the hierarchies of its quasi-identifiers; nothing is written.

    Raises:
        PolicyError, InputError: what is wrong with the policy or the table.
    """
    source = open_table(spark, table, loaded.policy.separator)
    check_table(loaded, source.columns)
    job = TableJob(spark, loaded, source, table, progress)
    hierarchies = _hierarchies(job)
    counted = histogram(with_tuples(source.df, hierarchies), job.policy.sensitive)
    with job.timed("histogram"):
        return _patterns(job, counted, _population(job, hierarchies), hierarchies), hierarchies


def _hierarchies(job: TableJob) -> dict[str, Hierarchy]:
    """Hierarchy of every quasi-identifier, in the policy's order; rules read the values that occur."""
    made, whole = {}, _whole_rows(job.source)
    crowd = None if job.policy.population is None else _whole_rows(_open_population(job))
    for name, item in job.policy.quasi_identifiers.items():
        if isinstance(item.hierarchy, str):
            made[name] = job.loaded.files[item.hierarchy]
            continue
        found = whole.select(column(name).cast("string").alias("value")).distinct()
        values = found.limit(MOST_LEAVES + 1).toArrow()["value"].to_pylist()
        if len(values) > MOST_LEAVES:
            raise InputError(f"{name} has more than {MOST_LEAVES} values; a rule makes a leaf of each")
        if crowd is not None:  # people of the population with a value of their own may share its label
            others = crowd.select(column(name).cast("string").alias("value")).distinct()
            values += [
                v
                for v in others.limit(MOST_LEAVES).toArrow()["value"].to_pylist()
                if covers(item.hierarchy, v)
            ]
        made[name] = hierarchy_by_rule(name, item.hierarchy, values)
    return made


def _whole_rows(table: OneTable) -> DataFrame:
    """Its rows without those of too few or too many cells, which are told with their count."""
    return table.df.where(F.col(CORRUPT).isNull()) if CORRUPT in table.df.columns else table.df


def _open_population(job: TableJob) -> OneTable:
    """The population's table.

    Raises:
        InputError: it lacks a quasi-identifier, or there is no such table.
    """
    table = open_table(job.spark, job.loaded.path.parent / (job.policy.population or ""))
    if missing := [name for name in job.policy.quasi_identifiers if name not in table.columns]:
        raise InputError(f"the population's table has no column {', '.join(missing)}")
    return table


def _population(job: TableJob, hierarchies: Mapping[str, Hierarchy]) -> DataFrame | None:
    """``(_tuple, population)`` of the population's table, None where the policy names none.

    People whose values no hierarchy covers are left out: the crowd is taken to be smaller, never larger.

    Raises:
        InputError: it lacks a quasi-identifier, there is no such table, or people are left out where a smaller crowd
            makes presence larger than it is.
    """
    if job.policy.population is None:
        return None
    tuples = with_tuples(_open_population(job).df, hierarchies)
    presence = job.policy.privacy.presence
    if presence is not None and presence.min > 0 and (out := tuples.where(F.col(PACKED) < 0).count()):
        raise InputError(
            f"{out} rows of the population have values that no hierarchy covers, or too few or too many cells:"
            " presence.min cannot be told"
        )
    return population_histogram(tuples)


def _patterns(
    job: TableJob, counted: DataFrame, population: DataFrame | None, hierarchies: Mapping[str, Hierarchy]
) -> PatternTable | RemotePatterns:
    """The histogram, on the driver if it fits; people of the population are rows of nobody in the table."""
    own = counted
    if population is not None:
        counted = beside_population(counted, population, job.policy.sensitive)
    limit = job.policy.search.patterns
    rows = counted.limit(limit + 1).toArrow()
    survey = None
    if rows.num_rows > limit:
        job.progress(f"more than {limit} patterns: they stay on the cluster")
        survey = Survey.of(ClusterHistogram(counted, job.policy.sensitive), hierarchies)
    check_histogram(rows if survey is None else survey.tuples(), job.source.df, hierarchies)
    if own.isEmpty():
        raise InputError("the table has no rows")
    if survey is not None:
        return survey.patterns(limit)
    return from_tuples(rows, hierarchies, job.policy.sensitive)


def _check_types(source: OneTable, policy: TablePolicy) -> None:
    """Values of quasi-identifiers and sensitive attributes are compared as text.

    Raises:
        InputError: columns that have no text, or, kept, no order.
    """
    types = {field.name: field.dataType for field in source.df.schema.fields}
    compared = (*policy.quasi_identifiers, *policy.sensitive)
    wrong = [name for name in compared if isinstance(types[name], BinaryType) or not _is_plain(types[name])]
    wrong += [name for name in policy.keep if isinstance(types[name], MapType)]
    if wrong:
        raise InputError(
            f"columns of a type that cannot be compared: {', '.join(f'{n} ({types[n].typeName()})' for n in wrong)}"
        )


def _is_plain(kind: DataType) -> bool:
    return isinstance(kind, AtomicType)


def _criteria(job: TableJob, patterns: PatternTable | RemotePatterns) -> list[Criterion]:
    domains = {name: SensitiveDomain(tuple(people)) for name, people in patterns.totals().items()}
    return build_criteria(job.policy.privacy, domains, job.loaded.files)


def _released(job: TableJob, found: Recoded, counted: DataFrame, tuples: DataFrame, people: int) -> DataFrame:
    """The rows to write, in the order of their classes: nothing of the source's order is left.

    Rows that hold no column of ``keep`` stand once for up to ``_times`` people.
    """
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
    held = [column(name) for name in policy.sensitive]  # text in the histogram
    types = {name: job.source.df.schema[name].dataType for name in policy.sensitive}
    values = [column(c).cast(types[c]).alias(c) if c in types else labels[c] for c in shown]
    groups = found.label(counted, job.spark).groupBy(*own, *held).agg(F.sum(PEOPLE).alias(PEOPLE))
    return in_blocks(groups, [F.col(CLASS), *held], people).select(*values, TIMES)


def _gate(
    job: TableJob,
    place: Path,
    patterns: PatternTable | RemotePatterns,
    criteria: Sequence[Criterion],
    *,
    found: Recoded,
    population: DataFrame | None,
) -> dict[str, Any]:
    """Measure the file by every criterion, and by k, l and t of every sensitive attribute.

    Args:
        found: what should be in it.
        population: the population's table with the labels ``_q0``, ``_q1``, ...

    Raises:
        GateRefusedError: it falls short of one, or does not hold the people it should.
    """
    held = patterns.totals()
    plain = [
        KAnonymity(1),
        *(m for name in held for m in (DistinctLDiversity(1, name), TCloseness(1.0, name))),
    ]
    seen = measure_file(
        job.spark,
        place,
        [*plain, *criteria],
        separator=job.source.separator,
        quasi_identifiers=list(job.policy.quasi_identifiers),
        whole=WholeInput(patterns.total_people, held),
        population=population,
        rows=patterns.rows if isinstance(patterns, RemotePatterns) and not found.fits else None,
    )
    failing = [
        (describe(criterion), f"{count} classes fall short")
        for criterion, count in zip(criteria, seen.failing[len(plain) :], strict=True)
        if count
    ]
    people = patterns.total_people - found.suppressed
    if seen.people != people:
        failing.append(("people", f"{seen.people} are in the file, {people} should be"))
    if failing:
        raise GateRefusedError(f"refused: the file fails {len(failing)} checks; nothing was left", failing)
    return _measured(seen, tuple(held), criteria)


def _population_uniques(job: TableJob, counted: DataFrame, place: Path) -> dict[str, Any]:
    """Estimated population uniques of the table as it came and as it was written, where the fraction is known."""
    fraction = job.policy.sampling_fraction
    if fraction is None:
        return {}
    file = open_table(job.spark, place, job.source.separator).df
    of_file = file.groupBy(*map(column, job.policy.quasi_identifiers)).agg(F.count(F.lit(1)).alias(PEOPLE))
    found = {}
    for name, sizes in (
        ("source", counted.groupBy(PACKED).agg(F.sum(PEOPLE).alias(PEOPLE))),
        ("release", of_file),
    ):
        by_size = sizes.groupBy(PEOPLE).agg(F.count(F.lit(1)).alias("classes")).toArrow()
        people, classes = (by_size[c].to_numpy() for c in (PEOPLE, "classes"))
        found[name] = asdict(population_uniqueness(people, fraction, classes))
    return {"population_uniques": {"sampling_fraction": fraction, **found}}


def _measured(seen: FileMeasures, attributes: Sequence[str], criteria: Sequence[Criterion]) -> dict[str, Any]:
    """k, and l and t (equal distances) of every sensitive attribute, and every criterion of the policy."""
    k, *others = seen.figures
    by_attribute = {
        name: {"l": int(others[2 * i]), "t": others[2 * i + 1]} for i, name in enumerate(attributes)
    }
    figures: dict[str, Any] = {"k": int(k)}
    if by_attribute:
        figures["l"] = min(x["l"] for x in by_attribute.values())
        figures["t"] = max(x["t"] for x in by_attribute.values())
        figures["sensitive"] = by_attribute
    of_policy = others[2 * len(attributes) :]
    figures["criteria"] = {describe(c): figure for c, figure in zip(criteria, of_policy, strict=True)}
    figures["wanted"] = {describe(c): wanted(c) for c in criteria}
    return figures


def _warnings(job: TableJob, found: Recoded, place: Path) -> list[str]:
    """What holds, and is hardly what was wanted; a sentence each."""
    warnings = []
    if found.classes == 1:
        warnings.append(
            "all people are in one class: every quasi-identifier is '*' or the same for everybody"
        )
    if kept := job.policy.keep:
        file = open_table(job.spark, place, job.source.separator).df
        seen = file.agg(
            F.count(F.lit(1)), *(F.approx_count_distinct(column(name)).alias(name) for name in kept)
        ).first()
        assert seen is not None  # noqa: S101  (an aggregate without groups has one row)
        people, values = seen[0], dict(zip(kept, seen[1:], strict=True))
        warnings += [
            f"kept column {name} has about {n} values among {people} people: whoever knows one finds its person"
            for name, n in values.items()
            if n > _MANY_VALUES * people
        ]
    return warnings


def _minimized(policy: TablePolicy) -> str:
    if policy.objective is not None:
        return "objective"
    return {"local": "loss_am", "microaggregation": "sse_sst"}.get(policy.recoding, policy.loss)


def _document(
    job: TableJob,
    found: Recoded,
    privacy: Mapping[str, Any],
    *,
    hierarchies: Mapping[str, Hierarchy],
    people: int,
    warnings: Sequence[str],
) -> dict[str, Any]:
    return {
        "out": str(job.out),
        "policy": {"name": job.policy.name, "hash": job.loaded.sha256},
        "people": {"in": people, "out": people - found.suppressed},
        "levels": found.levels,
        "heights": {name: hierarchy.height for name, hierarchy in hierarchies.items()},
        "loss": found.losses,
        "minimized": _minimized(job.policy),
        "suppressed": found.suppressed,
        "classes": found.classes,
        "privacy": dict(privacy),
        **found.proof,
        "warnings": list(warnings),
        "seconds": {step: round(seconds, 3) for step, seconds in job.seconds.items()},
        "cpu_seconds": {"search": round(job.cpu_seconds["search"], 4)},
    }
