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
from anon_spark.policy.schema import ForeignKey
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

    parents = _parents(candidate, context)

    def one(name: str) -> tuple[list[Check], int]:
        return _table_checks(candidate, bronze, parents, name, context, passes[name], ingested[name])

    per_table = for_each(spark, sorted(passes), one)
    for ids in parents.values():
        ids.unpersist()
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
    if (limit_unique := policy.timing.max_unique) is not None:
        said = (
            f"{timing.share:.1%} of people unique by days"
            if timing
            else "the release states no days to measure it on"
        )
        checks.append(
            Check(
                "timing attack",
                bool(timing and timing.share <= limit_unique),
                f"{said}, limit {limit_unique:.1%}",
            )
        )
    rows_out = {name: n for name, (_, n) in per_table.items()}
    return Verdict(tuple(checks), measured, timing, people_in, suppressed, rows_out)


def _table_checks(
    candidate: TableReader,
    bronze: TableReader,
    parents: Mapping[tuple[str, str], DataFrame],
    name: str,
    context: Context,
    seen: TablePass,
    ingested: int,
) -> tuple[list[Check], int]:
    """All checks of one table, by one scan of its files, and its released rows."""
    df = candidate(name)
    planned, written = released_columns(context.loaded, name), dict(df.dtypes)
    checks = [
        Check(f"{name}: columns", planned == written, f"{len(written)} columns, {len(planned)} planned")
    ]
    if planned != written:
        return checks, 0
    keys = [
        key for key in context.loaded.schema[name].foreign_keys if (key.ref_table, key.ref_column) in parents
    ]
    keys = [key for key in keys if key.column in planned]
    measures = {"rows": F.count(F.lit(1)), **_forbidden(df, name, context)}
    joined = df.alias("row")
    for key in keys:
        parent = parents[key.ref_table, key.ref_column].alias(f"p_{key.column}")
        joined = joined.join(parent, F.col(f"row.{key.column}") == F.col(f"p_{key.column}.parent"), "left")
        orphan = F.col(f"row.{key.column}").isNotNull() & F.col(f"p_{key.column}.parent").isNull()
        measures[f"fk {key.column}"] = F.count_if(orphan)
    row = joined.agg(*(value.alias(label) for label, value in measures.items())).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    rows, lost = int(row["rows"]), sum(seen.reasons.values())
    found = {label: int(row[label]) for label in measures}
    checks += [
        Check(f"{name}: {label}", count == 0, f"{count} found")
        for label, count in found.items()
        if label != "rows" and not label.startswith("fk ")
    ]
    checks.append(
        Check(
            f"{name}: rows accounted",
            ingested == seen.rows == rows + lost,
            f"{ingested} read, {rows} released, {lost} with a reason not to be",
        )
    )
    checks += _rebuilt_from_rows(df, candidate, name, context)
    checks += [
        _key_holds(name, key, found[f"fk {key.column}"], bronze, context.policy.people.table) for key in keys
    ]
    return checks, rows


def _parents(candidate: TableReader, context: Context) -> dict[tuple[str, str], DataFrame]:
    """Released ids that foreign keys refer to, ``(parent)`` by table and column, kept in memory for all tables."""
    schema = context.loaded.schema
    wanted = {
        (k.ref_table, k.ref_column) for name in context.policy.tables for k in schema[name].foreign_keys
    }
    return {
        (table, column): candidate(table).select(F.col(column).alias("parent")).distinct().persist()
        for table, column in sorted(wanted)
        if column in released_columns(context.loaded, table)
    }


def _forbidden(df: DataFrame, name: str, context: Context) -> dict[str, Column]:
    """Counts that must be zero: raw ids, cells of suppressed columns, rows that a row rule is about."""
    planned = released_columns(context.loaded, name)
    counts: dict[str, Column] = {}
    if raw_ids := [_raw_id(df, column) for column in domain_of_columns(context.policy, name)]:
        counts["raw ids"] = F.count_if(reduce(lambda a, b: a | b, raw_ids))
    if standing := [_stands(c) for c, r in _rules(context, name).items() if r is Treatment.SUPPRESS]:
        counts["cells of suppressed columns"] = F.count_if(reduce(lambda a, b: a | b, standing))
    for rule in context.policy.tables[name].row_rules:
        if rule.column in planned:
            counts[f"row rule {rule.name}"] = F.count_if(_breaks(rule, planned))
    return counts


def _key_holds(name: str, key: ForeignKey, broken: int, bronze: TableReader, people: str) -> Check:
    """A foreign key breaks in no more rows than in the source, which is asked only where it does; people's never."""
    label = f"{name}: {key.column} refers to {key.ref_table}"
    if not broken:
        return Check(label, passed=True, detail="0 rows without a parent")
    before = 0 if key.ref_table == people else _orphans(bronze, name, key)
    return Check(label, broken <= before, f"{broken} rows without a parent, {before} may be")


def _orphans(bronze: TableReader, name: str, key: ForeignKey) -> int:
    """Rows of the source, all of which parse, that refer to no row of it."""
    parsed = F.col(REASON).isNull()
    children = bronze(name).where(parsed & F.col(key.column).isNotNull()).select(F.col(key.column).alias("v"))
    parents = bronze(key.ref_table).where(parsed).select(F.col(key.ref_column).alias("v"))
    return children.join(parents, "v", "left_anti").count()


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
