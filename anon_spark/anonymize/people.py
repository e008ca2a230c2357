"""People, their admissions and their quasi-identifier values: what an attacker could know, from the tables.

The same functions read bronze (values at level 0) and a written candidate (released labels), so that the
gate measures what the engine meant by the same words but on the files.
"""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anon_spark.anonymize.rules import ICD9_CHAPTERS
from anon_spark.deidentify.dates import age_leaf
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy, QuasiIdentifier, Sensitive, Treatment, split_ref

# A source cannot have such names: a policy's columns begin with a letter.
PERSON, ADMISSION, RANK, STARTS = "_person", "_admission", "_rank", "_starts"
NO_VALUE, _VALUE = "(none)", "_value"


def admissions_in_order(read: TableReader, policy: Policy) -> DataFrame:
    """One row an admission with its place in the person's order.

    Returns:
        ``(_person, _admission, _rank: int from 1, _starts)`` and the policy's columns of the admissions table;
        empty of rows with a null id. ``_starts`` orders a person's admissions as finely as a release can tell.
    """
    assert policy.admissions is not None  # noqa: S101  (callers ask only where the policy has admissions)
    table = read(policy.admissions.table)
    place = Window.partitionBy(policy.people.id).orderBy(*policy.admissions.order)
    starts = F.col(policy.admissions.order[0])
    if dict(table.dtypes)[policy.admissions.order[0]] == "timestamp" and _is_elapsed(policy):
        starts = F.date_trunc("minute", starts)
    return (
        table.where(F.col(policy.people.id).isNotNull() & F.col(policy.admissions.id).isNotNull())
        .withColumn(RANK, F.row_number().over(place))
        .withColumn(PERSON, F.col(policy.people.id))
        .withColumn(ADMISSION, F.col(policy.admissions.id))
        .withColumn(STARTS, starts)
    )


def _is_elapsed(policy: Policy) -> bool:
    """Whether a release tells the start of admissions in whole minutes only."""
    assert policy.admissions is not None  # noqa: S101  (the caller has checked)
    rule = policy.tables[policy.admissions.table].columns[policy.admissions.order[0]]
    return rule.treatment is Treatment.ELAPSED


def person_tuples(
    read: TableReader, policy: Policy, *, released: bool, admissions: DataFrame | None = None
) -> DataFrame:
    """One row a (person, admission) with every quasi-identifier; people without an admission have one row.

    Args:
        read: tables without unparsed rows.
        released: the tables are a release: derived values are read from the table that states them.
        admissions: ``admissions_in_order``, if it is at hand already.

    Returns:
        ``(_person, _admission, _rank, _starts, q_<quasi-identifiers>, s_<sensitive>)``, rows beyond the policy's
        cap left out.
    """
    people = read(policy.people.table)
    columns: list[Column] = [F.col(policy.people.id).alias(PERSON)]
    if policy.admissions is None:
        columns += [F.lit(None).cast("bigint").alias(ADMISSION), F.lit(1).alias(RANK)]
        own = _values(policy, policy.people.table, released=released)
        tuples = people.select(*columns, *(F.col(ref).alias(f"q_{name}") for name, ref in own.items()))
        return _with_sensitive(tuples, read, policy)
    ordered = admissions_in_order(read, policy) if admissions is None else admissions
    if policy.cap is not None and not released:
        ordered = ordered.where(F.col(RANK) <= policy.cap)
    of_person = _values(policy, policy.people.table, released=released)
    of_admission = _values(policy, policy.admissions.table, released=released)
    births = {
        name: split_ref(q.birth)[1]
        for name, q in policy.quasi_identifiers.items()
        if q.derive and q.birth and not released
    }
    person_side = people.select(
        F.col(policy.people.id).alias(PERSON),
        *(F.col(column).alias(f"q_{name}") for name, column in of_person.items()),
        *(F.col(column).alias(f"b_{name}") for name, column in births.items()),
    )
    clocks = {name: split_ref(policy.quasi_identifiers[name].at or "")[1] for name in births}
    admission_side = ordered.select(
        PERSON,
        ADMISSION,
        RANK,
        STARTS,
        *(F.col(column).alias(f"q_{name}") for name, column in of_admission.items()),
        *(F.col(column).alias(f"at_{name}") for name, column in clocks.items()),
    )
    joined = person_side.join(admission_side, PERSON, "left").withColumn(RANK, F.coalesce(RANK, F.lit(1)))
    firsts = Window.partitionBy(PERSON).orderBy(RANK)
    for name, q in policy.quasi_identifiers.items():
        if name in births:
            leaf = age_leaf(F.col(f"b_{name}"), F.first(f"at_{name}").over(firsts))
            joined = joined.withColumn(f"q_{name}", leaf)
        elif q.unit == "person" and name in of_admission:
            joined = joined.withColumn(f"q_{name}", F.first(f"q_{name}").over(firsts))
    return _with_sensitive(
        joined.drop(*(c for c in joined.columns if c[:2] == "b_" or c[:3] == "at_")), read, policy
    )


def icd9_chapter(code: Column) -> Column:
    """Chapter of an ICD-9-CM diagnosis code without its dot, e.g. '0389' to '001-139'; null stays null."""
    number = F.substring(code, 1, 3).try_cast("int")
    chapter = F.when(code.startswith("V"), "V").when(code.startswith("E"), "E")
    for above, name in ICD9_CHAPTERS:
        chapter = chapter.when(number < above, name)
    return F.when(code.isNotNull(), chapter)


def released_place(policy: Policy, name: str, q: QuasiIdentifier) -> tuple[str, str]:
    """Table and column in which a release states a quasi-identifier."""
    if q.column is not None:
        return split_ref(q.column)
    return next((table, name) for table, rules in policy.tables.items() if name in rules.derived)


def generalized_columns(policy: Policy, table: str) -> dict[str, str]:
    """The table's columns that are released generalized, with the quasi-identifier of each."""
    return {
        column: rule.quasi_identifier or column
        for column, rule in policy.tables[table].columns.items()
        if rule.treatment is Treatment.GENERALIZE
    }


def _values(policy: Policy, table: str, *, released: bool) -> dict[str, str]:
    """Quasi-identifiers that ``table`` states, with the column of each."""
    places: dict[str, str] = {}
    for name, q in policy.quasi_identifiers.items():
        if q.derive is not None and not released:
            continue
        place, column = released_place(policy, name, q)
        if place == table:
            places[name] = column
    return places


def _with_sensitive(tuples: DataFrame, read: TableReader, policy: Policy) -> DataFrame:
    """Add every sensitive attribute of the person.

    One value: that of the first admission; people without one have ``(none)``. Where several rows state it, or
    several admissions start at once, the least value is taken, so that no order of rows matters and a release,
    whose ids order otherwise, tells the same. A set: the sorted values of all admissions, maybe none.
    """
    for name, sensitive in policy.sensitive.items():
        tuples = _with_one_sensitive(tuples, read, policy, sensitive, f"s_{name}")
    return tuples


def _with_one_sensitive(
    tuples: DataFrame, read: TableReader, policy: Policy, sensitive: Sensitive, into: str
) -> DataFrame:
    values = _sensitive_values(read, sensitive)
    of_unit = F.array_sort(F.collect_set(_VALUE)) if sensitive.set else F.min(_VALUE)
    admission = policy.admissions.id if policy.admissions else None
    unit, own = (
        (ADMISSION, admission) if admission and admission in values.columns else (PERSON, policy.people.id)
    )
    joined = tuples.join(values.groupBy(F.col(own).alias(unit)).agg(of_unit.alias(_VALUE)), unit, "left")
    everywhere = Window.partitionBy(PERSON)
    if sensitive.set:
        value: Column = F.array_sort(F.array_distinct(F.flatten(F.collect_list(_VALUE).over(everywhere))))
    elif unit == ADMISSION:
        value = F.coalesce(F.min(F.struct(STARTS, _VALUE)).over(everywhere)[_VALUE], F.lit(NO_VALUE))
    else:
        value = F.coalesce(_VALUE, F.lit(NO_VALUE))
    return joined.withColumn(into, value).drop(_VALUE)


def _sensitive_values(read: TableReader, sensitive: Sensitive) -> DataFrame:
    """Rows of a sensitive attribute's table, its value as text in ``_value``."""
    table, column = split_ref(sensitive.column)
    rows = read(table)
    for name, wanted in sensitive.where.items():
        rows = rows.where(F.col(name) == F.lit(wanted))
    value = F.col(column).cast("string")
    return rows.withColumn(_VALUE, icd9_chapter(value) if sensitive.group == "icd9_chapter" else value)


def sensitive_columns(policy: Policy) -> Mapping[str, str]:
    """Column of ``person_tuples`` that holds each sensitive attribute."""
    return {name: f"s_{name}" for name in policy.sensitive}


def quasi_identifier_columns(policy: Policy) -> Mapping[str, str]:
    """Column of ``person_tuples`` that holds each quasi-identifier."""
    return {name: f"q_{name}" for name in policy.quasi_identifiers}
