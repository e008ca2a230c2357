"""The gate: what is measured on the written candidate, and whether it may be published.

Nothing here trusts the engine: tables are read back from their files, joined as the policy's attackers would
join them, and every promise of the policy is a check that can fail.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import reduce

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.people import (
    PERSON,
    admissions_in_order,
    generalized_columns,
    person_tuples,
    released_place,
)
from anon_spark.deidentify.dates import age_leaf
from anon_spark.deidentify.generalization import generalize
from anon_spark.deidentify.pseudonyms import LEAST_PSEUDONYM
from anon_spark.deidentify.suppression import SUPPRESSED_TEXT
from anon_spark.deidentify.tables import Context, TablePass, domain_of_columns, released_columns
from anon_spark.ingest.lake import TableReader
from anon_spark.ingest.read import REASON
from anon_spark.policy.model import RowRule, Treatment, split_ref
from anon_spark.policy.schema import SourceTable
from anon_spark.privacy.measure import Measured, measure
from anon_spark.risk.timing import TimingRisk, timing_risk
from anon_spark.session import for_each


@dataclass(frozen=True)
class Check:
    """One promise, whether the files keep it, and the figure that says so."""

    name: str
    passed: bool
    detail: str


@dataclass(frozen=True)
class Verdict:
    """All checks of one candidate with what was measured."""

    checks: tuple[Check, ...]
    measured: Measured
    timing: TimingRisk | None
    people_in: int
    people_suppressed: int
    rows_out: dict[str, int]

    @property
    def passed(self) -> bool:
        """True if every check passed."""
        return all(check.passed for check in self.checks)

    @property
    def shortfalls(self) -> list[tuple[str, str]]:
        """Name and detail of every check that failed."""
        return [(check.name, check.detail) for check in self.checks if not check.passed]


def audit(
    spark: SparkSession,
    context: Context,
    *,
    candidate: TableReader,
    bronze: TableReader,
    passes: Mapping[str, TablePass],
    ingested: Mapping[str, int],
) -> Verdict:
    """Measure a written candidate against its policy.

    Args:
        candidate: reader of the candidate's files.
        bronze: reader of bronze, unparsed rows included.
        passes: what each table's pass counted.
        ingested: rows of each table that ingest read.
    """
    policy = context.policy
    measured = measure(candidate, policy)
    timing = timing_risk(candidate, policy)
    state = context.maps.people.groupBy("state").count().collect()  # one row a state
    by_state = {row["state"]: int(row["count"]) for row in state}
    people_in = sum(n for name, n in by_state.items() if name != "orphan_policy")
    suppressed = by_state.get("class_suppressed", 0)

    def one(name: str) -> tuple[list[Check], int]:
        return _table_checks(candidate, bronze, name, context, passes[name], ingested[name])

    per_table = for_each(spark, sorted(passes), one)
    parsed_people = people_in - by_state.get("parent_quarantined", 0)
    limit = int(policy.suppression_limit * parsed_people + 1e-9)
    checks = [
        Check(
            "k-anonymity",
            measured.k >= policy.privacy.k,
            f"k = {measured.k}, at least {policy.privacy.k} wanted",
        ),
        Check(
            "l-diversity",
            measured.l >= policy.privacy.l,
            f"l = {measured.l}, at least {policy.privacy.l} wanted",
        ),
        Check(
            "suppression limit",
            suppressed <= limit,
            f"{suppressed} of {parsed_people} people suppressed, limit {limit}",
        ),
        Check(
            "people accounted",
            measured.people == by_state.get(None, 0),
            f"{measured.people} people released, {by_state.get(None, 0)} expected",
        ),
        *_one_value_each(candidate, context),
        *_births_fit(candidate, context),
        *(check for checks, _ in per_table.values() for check in checks),
    ]
    if policy.timing.max_unique is not None and timing is not None:
        checks.append(
            Check(
                "timing attack",
                timing.share <= policy.timing.max_unique,
                f"{timing.share:.1%} of people unique by days, limit {policy.timing.max_unique:.1%}",
            )
        )
    rows_out = {name: n for name, (_, n) in per_table.items()}
    return Verdict(tuple(checks), measured, timing, people_in, suppressed, rows_out)


def _table_checks(
    candidate: TableReader, bronze: TableReader, name: str, context: Context, seen: TablePass, ingested: int
) -> tuple[list[Check], int]:
    """All checks of one table, and its released rows."""
    df = candidate(name)
    planned, written = released_columns(context.loaded, name), dict(df.dtypes)
    checks = [
        Check(f"{name}: columns", planned == written, f"{len(written)} columns, {len(planned)} planned")
    ]
    if planned != written:
        return checks, 0
    measures: dict[str, Column] = {"rows": F.count(F.lit(1))}
    raw_ids = [_raw_id(df, column) for column in domain_of_columns(context.policy, name)]
    measures["raw ids"] = F.count_if(reduce(lambda a, b: a | b, raw_ids)) if raw_ids else F.lit(0)
    untouched = [_stands(c) for c, r in _rules(context, name).items() if r is Treatment.SUPPRESS]
    measures["cells of suppressed columns"] = (
        F.count_if(reduce(lambda a, b: a | b, untouched)) if untouched else F.lit(0)
    )
    for rule in context.policy.tables[name].row_rules:
        if rule.column in planned:
            measures[f"row rule {rule.name}"] = F.count_if(_breaks(rule, planned))
    row = df.agg(*(value.alias(label) for label, value in measures.items())).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    rows = int(row["rows"])
    for label in list(measures)[1:]:
        checks.append(Check(f"{name}: {label}", not row[label], f"{row[label]} found"))
    lost = sum(seen.reasons.values())
    checks.append(
        Check(
            f"{name}: rows accounted",
            ingested == seen.rows == rows + lost,
            f"{ingested} read, {rows} released, {lost} with a reason not to be",
        )
    )
    checks += _rebuilt_from_rows(df, candidate, name, context)
    checks += _foreign_keys(df, candidate, bronze, context.loaded.schema[name], planned, context)
    return checks, rows


def _rules(context: Context, name: str) -> dict[str, Treatment]:
    planned = released_columns(context.loaded, name)
    return {c: r.treatment for c, r in context.policy.tables[name].columns.items() if c in planned}


def _raw_id(df: DataFrame, column: str) -> Column:
    """True for an id that is not a pseudonym."""
    if dict(df.dtypes)[column] == "string":
        return F.col(column).isNotNull() & ~F.col(column).rlike("^[0-9a-f]{32}$")
    return F.coalesce(F.col(column) < LEAST_PSEUDONYM, F.lit(False))


def _stands(column: str) -> Column:
    """True for a cell that is not suppressed."""
    return F.col(column).isNotNull() & (F.col(column).cast("string") != SUPPRESSED_TEXT)


def _breaks(rule: RowRule, planned: Mapping[str, str]) -> Column:
    """True for a row that the rule should have changed: dropped rows, and cells to suppress."""
    about = F.coalesce(F.col(rule.column).isin(*rule.codes), F.lit(False))
    if rule.action == "drop":
        return about
    cells = [_stands(cell) for cell in rule.cells if cell in planned]
    return about & reduce(lambda a, b: a | b, cells) if cells else F.lit(False)


def _rebuilt_from_rows(df: DataFrame, candidate: TableReader, name: str, context: Context) -> list[Check]:
    """Rows that still state a quasi-identifier must say what the release says of the person or admission."""
    policy, checks = context.policy, []
    for rule in policy.tables[name].row_rules:
        if rule.action != "generalize" or rule.value is None or rule.quasi_identifier is None:
            continue
        q = policy.quasi_identifiers[rule.quasi_identifier]
        table, column = released_place(policy, rule.quasi_identifier, q)
        unit = policy.admissions.id if q.unit == "admission" and policy.admissions else policy.people.id
        told = candidate(table).select(F.col(unit).alias("_unit"), F.col(column).alias("_told")).distinct()
        stating = df.where(F.col(rule.column).isin(*rule.codes) & _stands(rule.value))
        joined = stating.join(told, F.col(unit) == F.col("_unit"), "left")
        wrong = joined.where(~F.col(rule.value).eqNullSafe(F.col("_told"))).count()
        checks.append(Check(f"{name}: {rule.name} rebuilt from rows", wrong == 0, f"{wrong} rows tell more"))
    return checks


def _one_value_each(candidate: TableReader, context: Context) -> list[Check]:
    """A person's quasi-identifier must be one value in every row of every table that states it."""
    policy, checks = context.policy, []
    for table in policy.tables:
        for column, name in generalized_columns(policy, table).items():
            if policy.quasi_identifiers[name].unit != "person" or table == policy.people.table:
                continue
            if policy.people.id not in candidate(table).columns:
                continue
            values = (
                candidate(table)
                .groupBy(policy.people.id)
                .agg(F.count_distinct(F.coalesce(F.col(column), F.lit("\0"))).alias("n"))
            )
            several = values.where("n > 1").count()
            checks.append(
                Check(f"{table}: one {name} a person", several == 0, f"{several} people with several")
            )
    return checks


def _births_fit(candidate: TableReader, context: Context) -> list[Check]:
    """Ages that follow from released dates of birth must lie in the released band."""
    policy, checks = context.policy, []
    for name, q in policy.quasi_identifiers.items():
        if q.derive != "age" or q.birth is None or q.at is None or policy.admissions is None:
            continue
        table, column = split_ref(q.birth)
        if (
            column not in candidate(table).columns
            or dict(candidate(policy.admissions.table).dtypes).get(split_ref(q.at)[1]) != "timestamp"
        ):
            continue
        place, band = released_place(policy, name, q)
        first = admissions_in_order(candidate, policy).where("rank = 1").select(PERSON, split_ref(q.at)[1])
        people = candidate(table).withColumn(PERSON, F.col(policy.people.id)).join(first, PERSON, "left")
        leaf = age_leaf(F.col(column), F.col(split_ref(q.at)[1]))
        told = generalize(leaf, context.hierarchies[name], context.levels[name])
        wrong = people.where(F.col(column).isNotNull() & ~told.eqNullSafe(F.col(band))).count()
        checks.append(
            Check(f"{place}: {column} within {band}", wrong == 0, f"{wrong} people outside their band")
        )
    return checks


def _foreign_keys(
    df: DataFrame,
    candidate: TableReader,
    bronze: TableReader,
    table: SourceTable,
    planned: Mapping[str, str],
    context: Context,
) -> list[Check]:
    """Every foreign key that held before must hold after."""
    keys = [
        key
        for key in table.foreign_keys
        if key.column in planned and key.ref_column in released_columns(context.loaded, key.ref_table)
    ]
    if not keys:
        return []
    broken = [_without_parent(df, candidate(key.ref_table), key.column, key.ref_column) for key in keys]
    counts = reduce(DataFrame.union, broken).collect()  # one row a foreign key
    checks = []
    for key in keys:
        after = next(int(row["n"]) for row in counts if row["key"] == key.column)
        before = 0
        if after:
            parsed = bronze(key.ref_table).where(F.col(REASON).isNull())
            children = bronze(table.name).where(F.col(REASON).isNull())
            row = _without_parent(children, parsed, key.column, key.ref_column).first()
            before = int(row["n"]) if row else 0
        detail = f"{after} values without a parent" + (f", {before} in the source" if after else "")
        checks.append(
            Check(f"{table.name}: {key.column} refers to {key.ref_table}", not after or bool(before), detail)
        )
    return checks


def _without_parent(child: DataFrame, parent: DataFrame, column: str, ref: str) -> DataFrame:
    """(key, n): distinct values of ``column`` that ``parent`` does not have."""
    values = child.select(F.col(column).alias("v")).where("v is not null").distinct()
    orphans = values.join(parent.select(F.col(ref).alias("v")).distinct(), "v", "left_anti")
    return orphans.agg(F.count(F.lit(1)).alias("n")).select(F.lit(column).alias("key"), "n")


def measured_tuples(candidate: TableReader, context: Context) -> DataFrame:
    """The (person, admission) tuples of a candidate, as the gate reads them."""
    return person_tuples(candidate, context.policy, released=True)
