"""People, their admissions and their quasi-identifier values: what an attacker could know, from the tables.

The same functions read bronze (values at level 0) and a written candidate (released labels), so that the
gate measures what the engine meant by the same words but on the files.
"""

from collections.abc import Mapping

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anon_spark.deidentify.dates import age_leaf
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy, QuasiIdentifier, Sensitive, Treatment, split_ref

# A source cannot have such names: a policy's columns begin with a letter.
PERSON, ADMISSION, RANK, STARTS = "_person", "_admission", "_rank", "_starts"
SENSITIVE = "_sensitive"
NO_VALUE = "(none)"

# First code of each chapter of ICD-9-CM (the 2007 tabular list); V and E codes are chapters of their own.
_ICD9_CHAPTERS = (
    (140, "001-139"), (240, "140-239"), (280, "240-279"), (290, "280-289"), (320, "290-319"),
    (390, "320-389"), (460, "390-459"), (520, "460-519"), (580, "520-579"), (630, "580-629"),
    (680, "630-679"), (710, "680-709"), (740, "710-739"), (760, "740-759"), (780, "760-779"),
    (800, "780-799"), (1000, "800-999"),
)  # fmt: skip


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
        ``(_person, _admission, _rank, _starts, q_<quasi-identifiers>, _sensitive)``, rows beyond the policy's
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
    for above, name in _ICD9_CHAPTERS:
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
    """Add the person's sensitive value: that of the first admission; people without one have ``(none)``.

    Where several rows state it, or several admissions start at once, the least value is taken, so that no
    order of rows matters and a release, whose ids order otherwise, tells the same.
    """
    values = _sensitive_values(read, next(iter(policy.sensitive.values())))
    admission = policy.admissions.id if policy.admissions else None
    if admission is None or admission not in values.columns:
        of_person = values.groupBy(F.col(policy.people.id).alias(PERSON)).agg(
            F.min(SENSITIVE).alias(SENSITIVE)
        )
        joined = tuples.join(of_person, PERSON, "left")
        return joined.withColumn(SENSITIVE, F.coalesce(SENSITIVE, F.lit(NO_VALUE)))
    of_admission = values.groupBy(F.col(admission).alias(ADMISSION)).agg(F.min(SENSITIVE).alias(SENSITIVE))
    earliest = F.min(F.struct(STARTS, SENSITIVE)).over(Window.partitionBy(PERSON))
    joined = tuples.join(of_admission, ADMISSION, "left")
    return joined.withColumn(SENSITIVE, F.coalesce(earliest[SENSITIVE], F.lit(NO_VALUE)))


def _sensitive_values(read: TableReader, sensitive: Sensitive) -> DataFrame:
    """Rows of the sensitive attribute's table, its value as text in ``sensitive``."""
    table, column = split_ref(sensitive.column)
    rows = read(table)
    for name, wanted in sensitive.where.items():
        rows = rows.where(F.col(name) == F.lit(wanted))
    value = F.col(column).cast("string")
    return rows.withColumn(SENSITIVE, icd9_chapter(value) if sensitive.group == "icd9_chapter" else value)


def quasi_identifier_columns(policy: Policy) -> Mapping[str, str]:
    """Column of ``person_tuples`` that holds each quasi-identifier."""
    return {name: f"q_{name}" for name in policy.quasi_identifiers}
