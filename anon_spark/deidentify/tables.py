"""One pass from bronze to candidate: every row of a table, as its policy says.

Identifiers, dates, masks, suppression, generalization and row rules are one projection over broadcast joins
with the maps; rows that are not released are counted by reason in the same pass. What is written is sorted
by pseudonym, so that neither row order nor file order carries the source's.
"""

import math
import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import reduce
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.sql import Column, DataFrame, Observation
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.parts import Levels
from anon_spark.anonymize.people import PERSON
from anon_spark.deidentify.dates import elapsed_minutes, plausible, shift
from anon_spark.deidentify.free_text import scrub_column, scrubbed_columns
from anon_spark.deidentify.maps import (
    CAPPED,
    CLASS_SUPPRESSED,
    DOES_NOT_PARSE,
    ORPHAN_POLICY,
    PARENT_QUARANTINED,
    PARENT_SUPPRESSED,
    REASONS,
    ROW_RULE,
    Maps,
    admissions_domain,
    people_domain,
    stays_domain,
)
from anon_spark.deidentify.masking import mask
from anon_spark.deidentify.suppression import (
    SUPPRESSED_TEXT,
    keep_below,
    keep_vocabulary,
    rule_matches,
    suppress,
    suppress_where,
)
from anon_spark.detect.notes.stage import KNOWN, NoteSettings
from anon_spark.ingest.lake import TableReader
from anon_spark.ingest.read import REASON
from anon_spark.policy.load import LoadedPolicy
from anon_spark.policy.model import Policy, Role, RowRule, Treatment

ROWS_PER_FILE = 2_000_000
BROADCAST_ROWS = 5_000_000
_CAN_SUPPRESS = {
    Treatment.SUPPRESS,
    Treatment.MASK,
    Treatment.SHIFT,
    Treatment.ROUND_HOUR,
    Treatment.ROUND_DAY,
    Treatment.ELAPSED,
    Treatment.BIRTH,
    Treatment.VOCABULARY,
    Treatment.BOUNDED,
    Treatment.SCRUB,
}


@dataclass(frozen=True)
class TablePass:
    """What one table's pass saw: all rows by reason, and cells suppressed in the rows that are released."""

    name: str
    rows: int
    reasons: dict[str, int]
    cells: dict[str, int]
    scrubbed: dict[str, dict[str, int]] = field(default_factory=dict)  # column to texts, places replaced


@dataclass(frozen=True)
class Context:
    """What the pass needs beside the table: policy, maps, levels and how large the maps are."""

    loaded: LoadedPolicy
    maps: Maps
    vault: TableReader
    hierarchies: Mapping[str, Hierarchy]  # by quasi-identifier
    levels: Levels
    map_rows: int
    notes: NoteSettings = field(default_factory=NoteSettings)
    known: DataFrame | None = None  # what the tables hold of each person, for scrubbed text

    @property
    def policy(self) -> Policy:
        """The policy itself."""
        return self.loaded.policy


def released_columns(loaded: LoadedPolicy, table: str) -> dict[str, str]:
    """Columns of the released table and their Spark types, in order."""
    rules, source = loaded.policy.tables[table], loaded.schema[table]
    types: dict[str, str] = {}
    for column in source.columns:
        rule = rules.columns[column.name]
        if rule.treatment is Treatment.DROP:
            continue
        types[column.name] = column.type
        if rule.treatment is Treatment.PSEUDONYM:
            types[column.name] = "string" if column.type == "string" else "bigint"
        elif rule.treatment is Treatment.ELAPSED:
            types[column.name] = "bigint"
        elif rule.treatment is Treatment.GENERALIZE:
            types[column.name] = "string"
    return types | dict.fromkeys(rules.derived, "string")


def release_rows(bronze: DataFrame, name: str, context: Context) -> tuple[DataFrame, list[Column]]:
    """Return every row of a table as it would be released, and what is to be counted of them.

    Returns:
        all rows, with ``_why`` (null: released) and ``_had_<column>`` (the source had a cell); and the counts:
        ``rows``, one per reason, and ``cell_<column>`` for columns that can lose cells.
    """
    joined = _with_scrubbed(_join_maps(bronze, name, context), name, context)
    values = {c: _value(name, c, context) for c in released_columns(context.loaded, name)}
    values = _apply_row_rules(values, context.policy.tables[name].row_rules, name, context)
    touched, scrubbed = _cells_that_can_be_suppressed(name, context), scrubbed_columns(context.policy, name)
    every = joined.select(
        *(value.alias(c) for c, value in values.items()),
        *(F.col(f"src.{c}").isNotNull().alias(f"_had_{c}") for c in touched),
        *(F.col(f"_scrub_{c}.replaced").alias(f"_places_{c}") for c in scrubbed),
        _reason(name, context).alias("_why"),
    )
    counts = [
        F.count(F.lit(1)).alias("rows"),
        *(F.count_if(F.col("_why") == reason).alias(reason) for reason in REASONS),
        *(F.count_if(F.col("_why").isNull() & _lost(c)).alias(f"cell_{c}") for c in touched),
        *(F.count_if(F.col("_why").isNull() & F.col(f"_had_{c}")).alias(f"texts_{c}") for c in scrubbed),
        *(F.coalesce(F.sum(f"_places_{c}"), F.lit(0)).alias(f"places_{c}") for c in scrubbed),
    ]
    return every, counts


def write_candidate(
    bronze: DataFrame, name: str, context: Context, *, rows: int, candidate: Path
) -> TablePass:
    """Write one table of the candidate and return what the pass counted.

    Args:
        bronze: the table's bronze copy, unparsed rows included.
        rows: rows of ``bronze``; how many files are written depends on it alone.
    """
    every, counts = release_rows(bronze, name, context)
    shutil.rmtree(
        candidate / name, ignore_errors=True
    )  # what a killed pass left is not measured, so not published
    observation = Observation()
    columns = list(released_columns(context.loaded, name))
    released = every.observe(observation, *counts).where("_why is null").select(*columns)
    files = max(1, math.ceil(rows / ROWS_PER_FILE))
    _sorted(released, name, context, files).write.format("delta").mode("overwrite").options(
        **_statistics(name, context)
    ).option("overwriteSchema", "true").save(str(candidate / name))
    try:
        seen = observation.get
    except Py4JError:
        seen = {}
    if seen.get("rows") != rows:
        # Adaptive execution drops the observing node of a plan that turns out empty, and a task that a lost
        # executor makes run again is observed twice: count apart.
        row = every.agg(*counts).first()
        seen = row.asDict() if row else {}
    return TablePass(
        name,
        int(seen["rows"]),
        {reason: int(seen[reason]) for reason in REASONS if seen[reason]},
        {c[len("cell_") :]: int(n) for c, n in seen.items() if c.startswith("cell_") and n},
        {
            c: {"texts": int(seen[f"texts_{c}"]), "places": int(seen[f"places_{c}"])}
            for c in scrubbed_columns(context.policy, name)
        },
    )


def _join_maps(bronze: DataFrame, name: str, context: Context) -> DataFrame:
    """Join the table with the maps of every id domain that it has a column of."""
    policy, hint = context.policy, (F.broadcast if context.map_rows <= BROADCAST_ROWS else lambda df: df)
    joined = bronze.alias("src")
    person, admission = people_domain(policy), admissions_domain(policy)
    columns = domain_of_columns(policy, name)
    for column, domain in columns.items():
        key = _key(column, bronze)
        alias = f"m_{column}"
        if domain == admission and context.maps.admissions is not None:
            other = context.maps.admissions.withColumnRenamed("admission", "_id")
        elif domain == stays_domain(policy) and context.maps.stays is not None:
            other = context.maps.stays.withColumnRenamed("stay", "_id")
        elif domain == person:
            other = context.maps.people.withColumnRenamed(PERSON, "_id")
        else:
            other = context.vault(domain).withColumnRenamed("id", "_id")
        joined = joined.join(hint(other.alias(alias)), key == F.col(f"{alias}._id"), "left")
    if person not in columns.values() and (via := _column_in(columns, admission)):
        owner = context.maps.people.withColumnRenamed(PERSON, "_id").alias("m_person")
        joined = joined.join(hint(owner), F.col(f"m_{via}.of_person") == F.col("m_person._id"), "left")
    return joined


def _with_scrubbed(joined: DataFrame, name: str, context: Context) -> DataFrame:
    """The joined rows with what each scrubbed column becomes; texts of rows that are not released are not looked at."""
    columns = scrubbed_columns(context.policy, name)
    if not columns:
        return joined
    person = person_alias(context.policy, name)
    known = F.lit(None).cast("string")
    if context.known is not None:
        held = context.known.withColumnRenamed("person", "_of").alias("known")
        joined = joined.join(held, F.col(f"{person}._id").cast("string") == F.col("known._of"), "left")
        known = F.col(f"known.{KNOWN}")
    released = _reason(name, context).isNull()
    for column in columns:
        text = F.when(released, F.col(f"src.{column}"))
        who = F.col(f"{person}.pseudonym"), F.col(f"{person}.shift_days")
        joined = joined.withColumn(
            f"_scrub_{column}", scrub_column(text, known, who[1], who[0], context.notes)
        )
    return joined


def domain_of_columns(policy: Policy, table: str) -> dict[str, str]:
    """Id columns of a table with their domains, whether the ids are released or dropped."""
    return {
        column: rule.domain
        for column, rule in policy.tables[table].columns.items()
        if rule.treatment is Treatment.PSEUDONYM and rule.domain is not None
    }


def _column_in(columns: Mapping[str, str], domain: str | None) -> str | None:
    return next((column for column, d in columns.items() if d == domain), None)


def person_alias(policy: Policy, table: str) -> str | None:
    """Alias under which the pass joins the people map, None for a table of no person."""
    columns = domain_of_columns(policy, table)
    if own := _column_in(columns, people_domain(policy)):
        return f"m_{own}"
    return "m_person" if _column_in(columns, admissions_domain(policy)) else None


def _admission_alias(policy: Policy, table: str) -> str | None:
    column = _column_in(domain_of_columns(policy, table), admissions_domain(policy))
    return f"m_{column}" if column and policy.admissions else None


def _key(column: str, bronze: DataFrame) -> Column:
    kind = dict(bronze.dtypes)[column]
    return F.col(f"src.{column}") if kind == "string" else F.col(f"src.{column}").cast("bigint")


def _reason(name: str, context: Context) -> Column:
    """Why a row is not released; null for a released row."""
    policy = context.policy
    suppressed = CLASS_SUPPRESSED if name == policy.people.table else PARENT_SUPPRESSED
    domains = domain_of_columns(policy, name)
    own = _column_in(domains, people_domain(policy))
    reasons = [F.when(F.col(f"src.{REASON}").isNotNull(), F.lit(DOES_NOT_PARSE))]
    if person := person_alias(policy, name):
        # A row of nobody could be linked but never protected.
        reasons.append(F.when(F.col(f"{person}._id").isNull(), F.lit(ORPHAN_POLICY)))
        reasons.append(_renamed(F.col(f"{person}.state"), suppressed))
    if admission := _admission_alias(policy, name):
        reasons.append(_renamed(F.col(f"{admission}.state"), suppressed))
        if own:
            reasons.append(_of_another(admission, own))
            if policy.cap is not None:
                # Which of the person's admissions such a row is of cannot be told: it may be a capped one.
                unplaced = F.col(f"{admission}.of_person").isNull()
                reasons.append(F.when(F.col(f"{person}.over_cap") & unplaced, F.lit(CAPPED)))
    drops = [
        rule_matches(rule) for rule in _qualified(policy.tables[name].row_rules) if rule.action == "drop"
    ]
    if drops:
        reasons.append(F.when(reduce(lambda a, b: a | b, drops), F.lit(ROW_RULE)))
    for column, domain in domains.items():
        if domain == stays_domain(policy):
            reasons.append(_renamed(F.col(f"m_{column}.state"), suppressed))
            reasons += [_of_another(f"m_{column}", own)] if own else []
        elif domain not in {people_domain(policy), admissions_domain(policy)}:
            reasons.append(F.when(F.col(f"m_{column}.quarantined"), F.lit(PARENT_QUARANTINED)))
            if policy.orphans.get(domain) == "quarantine":
                reasons.append(F.when(F.col(f"m_{column}.orphan"), F.lit(ORPHAN_POLICY)))
    return F.coalesce(*reasons, F.lit(None).cast("string"))


def _of_another(alias: str, own: str) -> Column:
    """An admission or stay of somebody else would tie two people, and two date offsets, together."""
    return F.when(F.col(f"{alias}.of_person") != F.col(f"src.{own}"), F.lit(ORPHAN_POLICY))


def _renamed(state: Column, suppressed: str) -> Column:
    return F.when(state == CLASS_SUPPRESSED, F.lit(suppressed)).otherwise(state)


def _qualified(rules: list[RowRule]) -> list[RowRule]:
    return [rule.model_copy(update={"column": f"src.{rule.column}"}) for rule in rules]


def _value(name: str, column: str, context: Context) -> Column:
    """The released value of one column."""
    policy = context.policy
    rules = policy.tables[name]
    if column in rules.derived:
        return F.col(f"{person_alias(policy, name)}.q_{column}")
    rule, source = rules.columns[column], F.col(f"src.{column}")
    kind = context.loaded.schema[name].type_of(column)
    person = person_alias(policy, name)
    match rule.treatment:
        case Treatment.SUPPRESS:
            return suppress(source, kind)
        case Treatment.PSEUDONYM:
            return F.col(f"m_{column}.pseudonym")
        case Treatment.MASK:
            return mask(source, rule.pattern or "")
        case Treatment.GENERALIZE:
            return _released_label(name, rule.quasi_identifier or column, context)
        case Treatment.BIRTH:
            return F.col(f"{person}.birth_{rule.quasi_identifier}").cast(kind)
        case Treatment.SHIFT | Treatment.ROUND_HOUR | Treatment.ROUND_DAY:
            shifted = shift(_real(source, person), F.col(f"{person}.shift_days"))
            unit = {Treatment.ROUND_HOUR: "hour", Treatment.ROUND_DAY: "day"}.get(rule.treatment)
            return (F.date_trunc(unit, shifted) if unit else shifted).cast(kind)
        case Treatment.ELAPSED:
            return elapsed_minutes(_real(source, person), _anchor(name, context))
        case Treatment.SCRUB:
            return F.col(f"_scrub_{column}.text")
        case Treatment.VOCABULARY:
            return keep_vocabulary(source, context.loaded.vocabularies[rule.vocabulary or ""])
        case Treatment.BOUNDED:
            return keep_below(source, rule.below or 0.0, kind)
        case _:
            return source


def _real(column: Column, person: str | None) -> Column:
    """A date of the person; null for a placeholder."""
    return F.when(plausible(column, F.col(f"{person}.first_admission")), column)


def _anchor(name: str, context: Context) -> Column:
    """Start of the row's stay, else of its admission's first stay; people and admissions count from the person's."""
    policy = context.policy
    person, admission = F.col(f"{person_alias(policy, name)}.anchor"), _admission_alias(policy, name)
    if (
        name == policy.people.table
        or (policy.admissions and name == policy.admissions.table)
        or not admission
    ):
        return person
    stay = _column_in(domain_of_columns(policy, name), stays_domain(policy))
    starts = [F.col(f"m_{stay}.start")] if stay and policy.stays else []
    return F.coalesce(*starts, F.col(f"{admission}.anchor"))


def _released_label(name: str, quasi_identifier: str, context: Context) -> Column:
    """The one released value of the row's person or admission."""
    policy = context.policy
    unit = policy.quasi_identifiers[quasi_identifier].unit
    alias = person_alias(policy, name) if unit == "person" else _admission_alias(policy, name)
    return F.col(f"{alias}.q_{quasi_identifier}")


def _apply_row_rules(
    values: dict[str, Column], rules: list[RowRule], name: str, context: Context
) -> dict[str, Column]:
    """Suppress or generalize the cells of rows that state a quasi-identifier."""
    values = dict(values)
    types = released_columns(context.loaded, name)
    for rule in _qualified(rules):
        matches = rule_matches(rule)
        if rule.action == "generalize" and rule.value in values:
            label = _released_label(name, rule.quasi_identifier or "", context)
            # Whatever the row states, it is released as what the release says of its person or admission:
            # a label of its own, or a hole where the two differ, would tell more.
            stated = F.col(f"src.{rule.value}").isin(*rule.map)
            released = F.coalesce(F.when(stated, label), suppress(F.col(f"src.{rule.value}"), "string"))
            values[rule.value] = F.when(matches, released).otherwise(values[rule.value])
        for cell in rule.cells:
            if cell in values:
                values[cell] = suppress_where(values[cell], matches, types[cell])
    return values


def _cells_that_can_be_suppressed(name: str, context: Context) -> list[str]:
    rules, released = context.policy.tables[name], released_columns(context.loaded, name)
    by_rule = {c for rule in rules.row_rules for c in (*rule.cells, rule.value) if c is not None}
    return [
        c
        for c in released
        if c not in rules.derived and (rules.columns[c].treatment in _CAN_SUPPRESS or c in by_rule)
    ]


def _lost(column: str) -> Column:
    """A cell that the source had and the release does not tell."""
    gone = F.col(column).isNull() | (F.col(column).cast("string") == SUPPRESSED_TEXT)
    return F.col(f"_had_{column}") & gone


def _sorted(df: DataFrame, name: str, context: Context, files: int) -> DataFrame:
    """Order rows by pseudonym, then time, then a hash of the row: nothing of the source's order is left."""
    policy = context.policy
    domains = domain_of_columns(policy, name)
    first = _column_in(domains, people_domain(policy)) or next(iter(domains), None)
    if first is None and not any(
        r.treatment is not Treatment.KEEP for r in policy.tables[name].columns.values()
    ):
        return df.coalesce(1)  # a public dictionary stays as it is
    times = [
        c
        for c, rule in policy.tables[name].columns.items()
        if rule.role is Role.TIMING and c in df.columns and rule.treatment is not Treatment.SUPPRESS
    ]
    order = [
        *(F.col(c) for c in ([first] if first else [])),
        *(F.col(c) for c in times[:1]),
        F.xxhash64(*df.columns),
    ]
    spread = df.repartition(files, first) if first else df.repartition(files)
    return spread.sortWithinPartitions(*order)


def _statistics(name: str, context: Context) -> dict[str, str]:
    """Keep min and max of clocks and codes in the Delta log; none of identifiers, people or measurements."""
    rules, types = context.policy.tables[name], released_columns(context.loaded, name)
    plain = [
        c
        for c in types
        if c not in rules.derived
        and rules.columns[c].role in {Role.TIMING, Role.KEPT}
        and rules.columns[c].treatment is not Treatment.SUPPRESS
        and types[c] in {"int", "bigint", "timestamp", "date"}
    ]
    if not plain:
        return {"delta.dataSkippingNumIndexedCols": "0"}
    return {"delta.dataSkippingStatsColumns": ",".join(plain)}
