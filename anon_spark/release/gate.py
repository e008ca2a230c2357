"""The gate: what is measured on the written candidate, and whether it may be published.

Nothing here trusts the engine: tables are read back from their files, joined as the policy's attackers would
join them, and every promise of the policy is a check that can fail.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import Any

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.parts import is_at_some_level, labels_of, levels_of
from anon_spark.anonymize.people import (
    PERSON,
    RANK,
    admissions_in_order,
    generalized_columns,
    released_place,
)
from anon_spark.deidentify.dates import age_leaf
from anon_spark.deidentify.free_text import count_known, scrubbed_columns
from anon_spark.deidentify.maps import admissions_domain, people_domain
from anon_spark.deidentify.masking import is_masked
from anon_spark.deidentify.pseudonyms import LEAST_PSEUDONYM
from anon_spark.deidentify.suppression import SUPPRESSED_TEXT, keep_below, keep_vocabulary
from anon_spark.deidentify.tables import Context, TablePass, domain_of_columns, released_columns
from anon_spark.detect.notes.stage import KNOWN
from anon_spark.ingest.lake import TableReader
from anon_spark.ingest.read import REASON
from anon_spark.policy.model import RowRule, Treatment, split_ref
from anon_spark.policy.schema import ForeignKey
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import describe, wanted
from anon_spark.privacy.measure import Measured, measure
from anon_spark.privacy.released import WholeInput
from anon_spark.risk.timing import TimingRisk, timing_risk
from anon_spark.session import for_each

_PEOPLE_UNSHIFTED = 50  # people whose dates the gate moves back


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
    criteria: Sequence[Criterion],
    whole: WholeInput,
    candidate: TableReader,
    bronze: TableReader,
    passes: Mapping[str, TablePass],
    ingested: Mapping[str, int],
) -> Verdict:
    """Measure a written candidate against its policy.

    Args:
        criteria: what every class must meet.
        whole: what the relative ones compare with.
        candidate: reader of the candidate's files.
        bronze: reader of bronze, unparsed rows included.
        passes: what each table's pass counted.
        ingested: rows of each table that ingest read.
    """
    policy = context.policy
    # Independent of each other and mostly planning: several at a time.
    parts: dict[str, Callable[[], Any]] = {
        "measured": lambda: measure(candidate, policy, criteria=criteria, whole=whole),
        "timing": lambda: timing_risk(candidate, policy),
        "states": lambda: context.maps.people.groupBy("state").count().collect(),  # one row a state
        "dates": lambda: _dates_unshift(candidate, bronze, context),
        "cap": lambda: _cap_holds(candidate, context),
        "values": lambda: [*_one_value_each(candidate, context), *_births_fit(candidate, context)],
    }
    found = for_each(spark, list(parts), lambda part: parts[part]())
    measured: Measured = found["measured"]
    timing: TimingRisk | None = found["timing"]
    by_state = {row["state"]: int(row["count"]) for row in found["states"]}
    people_in = sum(n for name, n in by_state.items() if name != "orphan_policy")
    suppressed = by_state.get("class_suppressed", 0)

    def one(name: str) -> tuple[list[Check], int]:
        return _table_checks(candidate, name, context, passes[name], ingested[name])

    per_table = for_each(spark, sorted(passes), one)
    parsed_people = people_in - by_state.get("parent_quarantined", 0)
    limit = int(policy.suppression_limit * parsed_people + 1e-9)
    checks = [
        *(_criterion_holds(criterion, measured) for criterion in criteria),
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
        *found["values"],
        *found["dates"],
        *found["cap"],
        *(check for checks, _ in per_table.values() for check in checks),
        *_foreign_keys(spark, candidate, bronze, context),
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


def _criterion_holds(criterion: Criterion, measured: Measured) -> Check:
    """No class falls short, and there is a class."""
    short = int(criterion.failing(measured.table).sum())
    figure = f"{criterion.measured(measured.table):.6g} measured, {wanted(criterion)} wanted"
    return Check(
        describe(criterion), measured.classes > 0 and not short, f"{figure}; {short} classes fall short"
    )


def _table_checks(
    candidate: TableReader,
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
    measures = {"rows": F.count(F.lit(1)), **_forbidden(df, name, context)}
    row = df.agg(*(value.alias(label) for label, value in measures.items())).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    rows, lost = int(row["rows"]), sum(seen.reasons.values())
    found = {label: int(row[label]) for label in measures}
    checks += [
        Check(f"{name}: {label}", count == 0, f"{count} found")
        for label, count in found.items()
        if label != "rows"
    ]
    checks.append(
        Check(
            f"{name}: rows accounted",
            ingested == seen.rows == rows + lost,
            f"{ingested} read, {rows} released, {lost} with a reason not to be",
        )
    )
    checks += _rebuilt_from_rows(df, candidate, name, context)
    checks += _known_left(df, name, context)
    return checks, rows


def _known_left(df: DataFrame, name: str, context: Context) -> list[Check]:
    """Released free text says nothing that the tables hold of its person, in more places than the policy allows."""
    columns, limit = scrubbed_columns(context.policy, name), context.policy.free_text.max_known_left
    if not columns or context.known is None:
        return []
    owned = _with_known(df, name, context, context.known)
    places = [F.sum(count_known(F.col(c), F.col(KNOWN))).alias(c) for c in columns]
    row = owned.agg(*places).first()
    found = {c: int((row[c] if row else 0) or 0) for c in columns}
    return [
        Check(f"{name}: known identifiers in {c}", n <= limit, f"{n} places, limit {limit}")
        for c, n in found.items()
    ]


def _with_known(df: DataFrame, name: str, context: Context, known: DataFrame) -> DataFrame:
    """Released rows with what the tables hold of the person whose pseudonym, or whose admission's, they bear."""
    domains = domain_of_columns(context.policy, name)
    ids, person, maps = people_domain(context.policy), PERSON, context.maps.people
    if ids not in domains.values() and context.maps.admissions is not None:
        ids, person, maps = admissions_domain(context.policy) or "", "of_person", context.maps.admissions
    column = next(c for c, domain in domains.items() if domain == ids)
    owners = maps.select(F.col("pseudonym").alias("_own"), F.col(person).cast("string").alias("person"))
    return df.join(owners, F.col(column) == F.col("_own"), "left").join(known, "person", "left")


def _undeclared(context: Context, name: str) -> list[str]:
    """Columns of people's ids that the schema declares no foreign key for: nobody suppressed may stand there."""
    policy = context.policy
    declared = {key.column for key in context.loaded.schema[name].foreign_keys}
    return [
        column
        for column, domain in domain_of_columns(policy, name).items()
        if domain == people_domain(policy) and name != policy.people.table and column not in declared
    ]


def _foreign_keys(
    spark: SparkSession, candidate: TableReader, bronze: TableReader, context: Context
) -> list[Check]:
    """Every foreign key of the schema whose two columns are released; one pass over the ids of each parent."""
    columns = {name: set(candidate(name).columns) for name in context.policy.tables}
    by_parent: dict[str, list[tuple[str, ForeignKey]]] = {}
    for name in sorted(columns):
        for key in context.loaded.schema[name].foreign_keys:
            if key.column in columns[name] and key.ref_column in columns[key.ref_table]:
                by_parent.setdefault(f"{key.ref_table}.{key.ref_column}", []).append((name, key))
        for column in _undeclared(context, name):
            key = ForeignKey(column, context.policy.people.table, context.policy.people.id)
            by_parent.setdefault(f"{key.ref_table}.{key.ref_column}", []).append((name, key))

    def broken(parent: str) -> dict[str, int]:
        table, column = split_ref(parent)
        known = candidate(table).select(F.col(column).alias("id"))
        ids = [
            candidate(name).select(F.lit(i).alias("key"), F.col(key.column).alias("id"))
            for i, (name, key) in enumerate(by_parent[parent])
        ]
        # One exchange for all tables: a group-by a table would cost a stage each.
        counted = reduce(DataFrame.union, ids).where("id is not null").groupBy("key", "id").count()
        found = counted.join(known, "id", "left_anti").groupBy("key").agg(F.sum("count").alias("rows"))
        keys = [f"{name}.{key.column}" for name, key in by_parent[parent]]
        return {keys[row["key"]]: int(row["rows"]) for row in found.collect()}  # one row a broken key

    orphans = for_each(spark, sorted(by_parent), broken)
    return [
        _key_holds(
            name, key, orphans[parent].get(f"{name}.{key.column}", 0), bronze, context.policy.people.table
        )
        for parent, keys in sorted(by_parent.items())
        for name, key in keys
    ]


def _forbidden(df: DataFrame, name: str, context: Context) -> dict[str, Column]:
    """Counts that must be zero: raw ids, cells of suppressed columns, rows that a row rule is about."""
    planned = released_columns(context.loaded, name)
    counts: dict[str, Column] = {}
    if raw_ids := [_raw_id(df, column) for column in domain_of_columns(context.policy, name)]:
        counts["raw ids"] = F.count_if(reduce(lambda a, b: a | b, raw_ids))
    if standing := [_stands(c) for c, r in _rules(context, name).items() if r is Treatment.SUPPRESS]:
        counts["cells of suppressed columns"] = F.count_if(reduce(lambda a, b: a | b, standing))
    if untreated := [_untreated(c, context, name) for c in _rules(context, name)]:
        shown = [condition for condition in untreated if condition is not None]
        if shown:
            counts["cells that were to be masked, bounded or of a vocabulary"] = F.count_if(
                reduce(lambda a, b: a | b, shown)
            )
    for rule in context.policy.tables[name].row_rules:
        if rule.column in planned:
            counts[f"row rule {rule.name}"] = F.count_if(_breaks(rule, planned))
    return counts


def _untreated(column: str, context: Context, name: str) -> Column | None:
    """True for a cell that shows more than its treatment lets through, None for other treatments."""
    rule, value = context.policy.tables[name].columns[column], F.col(column)
    match rule.treatment:
        case Treatment.MASK:
            return ~is_masked(value, rule.pattern or "")
        case Treatment.VOCABULARY:
            labels = _labels_in(column, context, name)
            kept = keep_vocabulary(value, context.loaded.vocabularies[rule.vocabulary or ""] | labels)
            return ~value.eqNullSafe(kept)
        case Treatment.BOUNDED:
            kind = context.loaded.schema[name].type_of(column)
            return ~value.eqNullSafe(keep_below(value, rule.below or 0.0, kind))
        case _:
            return None


def _labels_in(column: str, context: Context, name: str) -> frozenset[str]:
    """Labels that row rules write into a column."""
    rules = [r for r in context.policy.tables[name].row_rules if r.value == column and r.quasi_identifier]
    names = [r.quasi_identifier or "" for r in rules]
    labels = [labels_of(context.levels, name, context.hierarchies[name]) for name in names]
    return frozenset(label for of_one in labels for label in of_one if label is not None)


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
    """A quasi-identifier must be told of a person (or admission) once: the same in every table that tells it."""
    stated = _stated_twice(candidate, context)
    if not stated:
        return []
    rows = []
    for label, places in stated.items():
        for table, unit, column in places:
            value = F.coalesce(F.col(column).cast("string"), F.lit("\0"))  # null is a value like any other
            own = F.col(unit).cast("string")
            rows.append(
                candidate(table).select(F.lit(label).alias("check"), own.alias("unit"), value.alias("value"))
            )
    # One exchange for all: a group-by a quasi-identifier and table would cost some jobs each.
    told = reduce(DataFrame.union, rows).groupBy("check", "unit").agg(F.min("value") != F.max("value"))
    several = told.toDF("check", "unit", "several").where("several").groupBy("check").count()
    found = {row["check"]: int(row["count"]) for row in several.collect()}  # one row a broken check
    return [Check(label, label not in found, f"{found.get(label, 0)} with several") for label in stated]


def _stated_twice(candidate: TableReader, context: Context) -> dict[str, list[tuple[str, str, str]]]:
    """By check: table, unit's id and column of all places that must agree on a quasi-identifier."""
    policy = context.policy
    found: dict[str, dict[tuple[str, str, str], None]] = {}  # in order, without repeats
    for table, rules in policy.tables.items():
        stated = generalized_columns(policy, table) | {name: name for name in rules.derived}
        for column, name in stated.items():
            q = policy.quasi_identifiers[name]
            home, told = released_place(policy, name, q)
            unit = policy.admissions.id if q.unit == "admission" and policy.admissions else policy.people.id
            own = (
                policy.people.table
                if q.unit == "person" or not policy.admissions
                else policy.admissions.table
            )
            if (table, column) == (home, told) and table == own:
                continue
            if unit not in candidate(table).columns:
                continue  # the rows of such a table tell no unit's value
            found.setdefault(f"{table}: one {name} each", {}).update(
                {(table, unit, column): None, (home, unit, told): None}
            )
    return {label: list(places) for label, places in found.items()}


def _dates_unshift(candidate: TableReader, bronze: TableReader, context: Context) -> list[Check]:
    """Dates of some people, moved back by their own offset, are dates that the source has of them in that column.

    That a table was not shifted, or by another offset, shows; offsets that are the same for everybody too.
    """
    people = context.maps.people.where("state is null")
    chosen = people.orderBy("pseudonym").limit(_PEOPLE_UNSHIFTED).select(PERSON, "pseudonym", "shift_days")
    released, source = _all_dates(candidate, context), _all_dates(bronze, context)
    if released is None or source is None:
        return []
    at = F.timestamp_add("DAY", -F.col("shift_days"), F.col("date.at"))
    moved = released.join(F.broadcast(chosen), F.col("own") == F.col("pseudonym")).select(
        PERSON, "shift_days", F.explode("dates").alias("date")
    )
    true = source.join(F.broadcast(chosen), F.col("own") == F.col(PERSON)).select(
        PERSON, F.explode("dates").alias("date")
    )
    found = moved.select(PERSON, "date.column", at.alias("at")).where("at is not null").distinct()
    known = true.select(PERSON, "date.column", "date.at").distinct()
    wrong = found.join(known, [PERSON, "column", "at"], "left_anti").count()
    figures = people.agg(
        F.count_distinct("shift_days"), F.count(F.lit(1)), F.count_if(F.col("shift_days") == 0)
    ).first()
    offsets, everybody, unmoved = figures or (0, 0, 0)
    return [
        Check("dates moved by their person's offset", wrong == 0, f"{wrong} dates are not the source's"),
        Check(
            "offsets differ between people",
            unmoved == 0 and (offsets > 1 or everybody < _PEOPLE_UNSHIFTED),
            f"{offsets} offsets for {everybody} people",
        ),
    ]


def _all_dates(read: TableReader, context: Context) -> DataFrame | None:
    """``(own, dates)`` of every row of every table with shifted dates: whose it is, and (column, at) of each date."""
    rows = []
    for name in context.policy.tables:
        domains = domain_of_columns(context.policy, name)
        own = next((c for c, domain in domains.items() if domain == people_domain(context.policy)), None)
        columns = [c for c, rule in _rules(context, name).items() if rule is Treatment.SHIFT]
        if own is None or not {own, *columns} <= set(read(name).columns) or not columns:
            continue
        dates = [
            F.struct(F.lit(f"{name}.{c}").alias("column"), F.col(c).cast("timestamp").alias("at"))
            for c in columns
        ]
        rows.append(read(name).select(F.col(own).alias("own"), F.array(*dates).alias("dates")))
    return reduce(DataFrame.union, rows) if rows else None


def _cap_holds(candidate: TableReader, context: Context) -> list[Check]:
    policy = context.policy
    if policy.cap is None or policy.admissions is None:
        return []
    counted = candidate(policy.admissions.table).groupBy(policy.people.id).count()
    above = counted.where(F.col("count") > policy.cap).count()
    return [Check("cap", above == 0, f"{above} people have more than {policy.cap} admissions")]


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
        first = (
            admissions_in_order(candidate, policy).where(F.col(RANK) == 1).select(PERSON, split_ref(q.at)[1])
        )
        people = candidate(table).withColumn(PERSON, F.col(policy.people.id)).join(first, PERSON, "left")
        leaf = age_leaf(F.col(column), F.col(split_ref(q.at)[1]))
        levels = levels_of(context.levels, name)
        told = is_at_some_level(leaf, F.col(band), context.hierarchies[name], levels)
        wrong = people.where(F.col(column).isNotNull() & ~told).count()
        checks.append(
            Check(f"{place}: {column} within {band}", wrong == 0, f"{wrong} people outside their band")
        )
    return checks
