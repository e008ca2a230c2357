"""What each person, admission and stay becomes: three small tables that every released table is joined with.

They are written to the vault: the pass over the large tables then needs nothing but broadcast joins.
"""

import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.parts import PART, Levels, generalize_by_part, labels_of
from anon_spark.anonymize.patterns import PATTERN
from anon_spark.anonymize.people import ADMISSION, PERSON, RANK
from anon_spark.deidentify.dates import birth_in_band, plausible, shift
from anon_spark.deidentify.generalization import lookup
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy, split_ref

# Why a row is not released, in the order in which the first that holds is taken.
DOES_NOT_PARSE = "does_not_parse"
PARENT_QUARANTINED = "parent_quarantined"
ORPHAN_POLICY = "orphan_policy"
CLASS_SUPPRESSED = "class_suppressed"
PARENT_SUPPRESSED = "parent_suppressed"
CAPPED = "capped"
ROW_RULE = "row_rule"
QUARANTINED = (DOES_NOT_PARSE, PARENT_QUARANTINED, ORPHAN_POLICY)
SUPPRESSED = (CLASS_SUPPRESSED, PARENT_SUPPRESSED, ROW_RULE)
REASONS = (*QUARANTINED, CLASS_SUPPRESSED, PARENT_SUPPRESSED, CAPPED, ROW_RULE)


@dataclass(frozen=True)
class Maps:
    """The three maps; ``admissions`` and ``stays`` are None where the policy has none.

    people: ``(_person, pseudonym, shift_days, state, anchor, first_admission, over_cap, birth_<q>,
        q_<person's quasi-identifiers>)``
    admissions: ``(admission, pseudonym, of_person, state, anchor, q_<admission's quasi-identifiers>)``
    stays: ``(stay, pseudonym, of_person, start, state)``

    ``state`` is null or the reason why nothing of them is released; ``anchor`` is the start of the first
    intensive care stay, from which elapsed times count; ``over_cap``: the person has more admissions than the cap.
    """

    people: DataFrame
    admissions: DataFrame | None
    stays: DataFrame | None


def people_domain(policy: Policy) -> str:
    """Id domain of people."""
    return _domain_of(policy, policy.people.table, policy.people.id)


def admissions_domain(policy: Policy) -> str | None:
    """Id domain of admissions, if the policy has them."""
    return _domain_of(policy, policy.admissions.table, policy.admissions.id) if policy.admissions else None


def stays_domain(policy: Policy) -> str | None:
    """Id domain of intensive care stays, if the policy has them."""
    return _domain_of(policy, policy.stays.table, policy.stays.id) if policy.stays else None


def make_maps(
    policy: Policy,
    hierarchies: Mapping[str, Hierarchy],
    *,
    read: TableReader,
    vault: TableReader,
    tuples: DataFrame,
    patterns: DataFrame,
    suppressed: DataFrame,
    levels: Levels,
    placed: DataFrame | None = None,
    keep: Callable[[str, DataFrame], DataFrame],
) -> Maps:
    """Decide what every person, admission and stay becomes.

    Args:
        read: bronze without unparsed rows.
        vault: id maps by domain.
        tuples: ``person_tuples`` of bronze.
        patterns: ``person_patterns`` of the same people.
        suppressed: the patterns that are taken out, ``(pattern)``.
        levels: level of every quasi-identifier, of all people or by part.
        placed: ``(pattern, _part)`` of every pattern that is released, where people are in parts.
        keep: writes a map under its name and returns it read back: the next map is joined with what was written,
            not with what it was made from.
    """
    if placed is not None:
        parts = patterns.join(placed, PATTERN).select(PERSON, PART)
        tuples = tuples.join(parts, PERSON, "left")
    firsts = tuples.where(F.col(RANK) == 1)
    anchors = None
    if policy.stays is not None:
        starts = read(policy.stays.table).select(
            F.col(policy.stays.id).cast("bigint").alias("id"),
            F.col(policy.stays.start).alias("start"),
            F.col(policy.people.id).alias(PERSON),
            *([F.col(policy.admissions.id).alias("of_admission")] if policy.admissions else []),
        )
        anchors = starts
    people = keep(
        "people",
        _people(policy, hierarchies, vault, firsts, patterns, suppressed, levels, anchors, read),
    )
    admissions = stays = None
    if policy.admissions is not None:
        made = _admissions(policy, hierarchies, vault, tuples, people, levels, anchors, read)
        admissions = keep("admissions", made)
    if anchors is not None:
        stays = keep("stays", _stays(policy, vault, anchors, people, admissions))
    return Maps(people, admissions, stays)


def _people(
    policy: Policy,
    hierarchies: Mapping[str, Hierarchy],
    vault: TableReader,
    firsts: DataFrame,
    patterns: DataFrame,
    suppressed: DataFrame,
    levels: Levels,
    anchors: DataFrame | None,
    read: TableReader,
) -> DataFrame:
    domain = people_domain(policy)
    gone = patterns.join(F.broadcast(suppressed), PATTERN, "left_semi").select(
        PERSON, F.lit(True).alias("gone")
    )
    released = firsts.select(
        PERSON,
        *(
            generalize_by_part(F.col(f"q_{name}"), hierarchies[name], levels, name).alias(f"q_{name}")
            for name, q in policy.quasi_identifiers.items()
            if q.unit == "person"
        ),
    )
    orphan = F.lit(ORPHAN_POLICY)  # a person without a row of their own cannot be placed in a class
    state = (
        F.when(F.col("quarantined"), F.lit(PARENT_QUARANTINED))
        .when(F.col("orphan"), orphan)
        .when(F.col("gone"), F.lit(CLASS_SUPPRESSED))
    )
    ids = vault(domain).withColumnRenamed("id", PERSON)
    joined = ids.join(released, PERSON, "left").join(gone, PERSON, "left").withColumn("state", state)
    joined = joined.join(_first_clock(policy, read, anchors), PERSON, "left")
    births = _births(policy, hierarchies, levels)
    return joined.select(
        PERSON,
        "pseudonym",
        "shift_days",
        "state",
        "anchor",
        "first_admission",
        "over_cap",
        *(F.col(c) for c in released.columns if c != PERSON),
        *(birth.alias(f"birth_{name}") for name, birth in births.items()),
    )


def _first_clock(policy: Policy, read: TableReader, anchors: DataFrame | None) -> DataFrame:
    """(person, anchor, first_admission, over_cap): start of the first stay, else of the first admission."""
    if policy.admissions is None:
        return read(policy.people.table).select(
            F.col(policy.people.id).alias(PERSON),
            F.lit(None).cast("timestamp").alias("anchor"),
            F.lit(None).cast("timestamp").alias("first_admission"),
            F.lit(False).alias("over_cap"),
        )
    start = F.col(policy.admissions.order[0])
    first = (
        read(policy.admissions.table)
        .groupBy(F.col(policy.people.id).alias(PERSON))
        .agg(
            F.min(F.when(plausible(start, F.lit(None).cast("timestamp")), start)).alias("first_admission"),
            (F.count(F.lit(1)) > (policy.cap or sys.maxsize)).alias("over_cap"),
        )
    )
    if anchors is None:
        return first.withColumn("anchor", F.col("first_admission"))
    stay = anchors.groupBy(PERSON).agg(F.min("start").alias("anchor"))
    return first.join(stay, PERSON, "full").withColumn("anchor", F.coalesce("anchor", "first_admission"))


def _births(policy: Policy, hierarchies: Mapping[str, Hierarchy], levels: Levels) -> dict[str, Column]:
    """A date of birth for every derived age: consistent with the released band, null where there is none."""
    births: dict[str, Column] = {}
    for name, q in policy.quasi_identifiers.items():
        if q.derive != "age":
            continue
        hierarchy = hierarchies[name]
        bounds = {x: hierarchy.bounds(x) for x in labels_of(levels, name, hierarchy) if x is not None}
        low = {label: str(b[0]) for label, b in bounds.items() if b}
        high = {label: str(b[1]) for label, b in bounds.items() if b}
        band = F.col(f"q_{name}")
        births[name] = birth_in_band(
            shift(F.col("first_admission"), F.col("shift_days")),
            lookup(band, low, default=None).cast("int"),
            lookup(band, high, default=None).cast("int"),
        )
    return births


def _admissions(
    policy: Policy,
    hierarchies: Mapping[str, Hierarchy],
    vault: TableReader,
    tuples: DataFrame,
    people: DataFrame,
    levels: Levels,
    anchors: DataFrame | None,
    read: TableReader,
) -> DataFrame:
    assert policy.admissions is not None  # noqa: S101  (the caller has checked)
    domain = admissions_domain(policy) or ""
    owner = read(policy.admissions.table).select(
        F.col(policy.admissions.id).alias("admission"), F.col(policy.people.id).alias("of_person")
    )
    released = tuples.where(F.col(ADMISSION).isNotNull()).select(
        F.col(ADMISSION).alias("admission"),
        F.lit(True).alias("within_cap"),
        *(
            generalize_by_part(F.col(f"q_{name}"), hierarchies[name], levels, name).alias(f"q_{name}")
            for name, q in policy.quasi_identifiers.items()
            if q.unit == "admission"
        ),
    )
    orphan = F.lit(ORPHAN_POLICY) if policy.orphans.get(domain) == "quarantine" else F.lit(None)
    state = (
        F.when(F.col("quarantined"), F.lit(PARENT_QUARANTINED))
        .when(F.col("orphan"), orphan)
        .otherwise(F.coalesce(F.col("person_state"), F.when(F.col("within_cap").isNull(), F.lit(CAPPED))))
    )
    if anchors is None:
        anchor = owner.select("admission", F.lit(None).cast("timestamp").alias("anchor"))
    else:
        anchor = anchors.groupBy(F.col("of_admission").alias("admission")).agg(F.min("start").alias("anchor"))
    states = people.select(F.col(PERSON).alias("of_person"), F.col("state").alias("person_state"))
    return (
        vault(domain)
        .withColumnRenamed("id", "admission")
        .join(owner, "admission", "left")
        .join(released, "admission", "left")
        .join(states, "of_person", "left")
        .join(anchor, "admission", "left")
        .select(
            "admission",
            "pseudonym",
            "of_person",
            state.alias("state"),
            "anchor",
            *(F.col(c) for c in released.columns if c.startswith("q_")),
        )
    )


def _stays(
    policy: Policy, vault: TableReader, starts: DataFrame, people: DataFrame, admissions: DataFrame | None
) -> DataFrame:
    """Stays with the state of their person and admission: what goes with those goes with their stays too."""
    joined = vault(stays_domain(policy) or "").join(
        starts.withColumnRenamed(PERSON, "of_person"), "id", "left"
    )
    owners = people.select(F.col(PERSON).alias("of_person"), F.col("state").alias("person_state"))
    joined, inherited = joined.join(owners, "of_person", "left"), F.col("person_state")
    if admissions is not None:
        states = admissions.select(
            F.col("admission").alias("of_admission"), F.col("state").alias("inherited")
        )
        joined = joined.join(states, "of_admission", "left")
        inherited = F.coalesce("inherited", "person_state")
    orphan = (
        F.lit(ORPHAN_POLICY)
        if policy.orphans.get(stays_domain(policy) or "") == "quarantine"
        else F.lit(None)
    )
    state = (
        F.when(F.col("quarantined"), F.lit(PARENT_QUARANTINED))
        .when(F.col("orphan"), orphan)
        .otherwise(inherited)
    )
    return joined.select(F.col("id").alias("stay"), "pseudonym", "of_person", "start", state.alias("state"))


def _domain_of(policy: Policy, table: str, column: str) -> str:
    return next(domain for domain, parent in policy.domains.items() if split_ref(parent) == (table, column))
