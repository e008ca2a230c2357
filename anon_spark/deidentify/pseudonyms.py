"""Keyed pseudonyms (Eq. 2), one id domain at a time.

A pseudonym is HMAC-SHA256 of domain and id under the run's key: without the key neither the id nor whether
two domains share ids can be told. An unkeyed hash would be undone by hashing the 46,520 possible ids. The
key lives in a Python closure: a native expression would print it in query plans and event logs.

Integer ids become integers of [2^52, 2^53): exact in a double, so that no reader of a nullable column
merges two people, and above every id that a source may hold.
"""

import hmac
from collections.abc import Iterator
from functools import reduce
from pathlib import Path

import pandas as pd
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from anon_spark.errors import InputError, PolicyError
from anon_spark.ingest.lake import TableReader, work_reader, write_work
from anon_spark.ingest.read import REASON
from anon_spark.policy.model import Policy, Shift, Treatment, split_ref
from anon_spark.session import for_each

LEAST_PSEUDONYM = 2**52


def pseudonym(key: bytes, domain: str, value: int) -> int:
    """Return the pseudonym of one integer id.

    >>> LEAST_PSEUDONYM <= pseudonym(b"k" * 32, "subject", 10006) < 2**53
    True
    >>> pseudonym(b"k" * 32, "subject", 1) == pseudonym(b"k" * 32, "admission", 1)
    False
    """
    digest = hmac.digest(key, f"{domain}\x00{value}".encode(), "sha256")
    return LEAST_PSEUDONYM | (int.from_bytes(digest[:8], "big") >> 12)


def text_pseudonym(key: bytes, domain: str, value: str) -> str:
    """Return the pseudonym of one text id: 32 hexadecimal digits."""
    return hmac.digest(key, f"{domain}\x00{value}".encode(), "sha256").hex()[:32]


def shift_days(key: bytes, person: int | str, shift: Shift) -> int:
    """Return a person's date offset in days: whole weeks, so that weekdays stay, and never zero.

    >>> days = shift_days(b"k" * 32, 10006, Shift(min_weeks=52, max_weeks=520))
    >>> days % 7, 364 <= abs(days) <= 3640
    (0, True)
    """
    digest = hmac.digest(key, f"date-shift\x00{person}".encode(), "sha256")
    weeks = shift.min_weeks + int.from_bytes(digest[:8], "big") % (shift.max_weeks - shift.min_weeks + 1)
    return 7 * weeks * (1 if digest[8] & 1 else -1)


def key_id(key: bytes) -> str:
    """Return a name for the key that tells nothing of it: 12 hexadecimal digits."""
    return hmac.digest(key, b"key-id", "sha256").hex()[:12]


def pseudonymize_ids(ids: DataFrame, *, key: bytes, domain: str) -> DataFrame:
    """Add ``pseudonym`` to a table of distinct ids, in Arrow batches.

    Args:
        ids: has the column ``id`` (bigint or string), never null.
    """
    if dict(ids.dtypes)["id"] == "string":

        @pandas_udf("string")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
        def token(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
            for batch in batches:
                yield batch.map(lambda value: text_pseudonym(key, domain, value), na_action="ignore")
    else:

        @pandas_udf("bigint")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
        def token(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
            for batch in batches:
                yield batch.map(lambda value: pseudonym(key, domain, int(value)), na_action="ignore")

    return ids.withColumn("pseudonym", token("id"))


def date_offsets(ids: DataFrame, *, key: bytes, shift: Shift) -> DataFrame:
    """Add ``shift_days`` (int) to a table of distinct person ids."""

    @pandas_udf("int")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
    def offset(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for batch in batches:
            yield batch.map(lambda value: shift_days(key, value, shift), na_action="ignore")

    return ids.withColumn("shift_days", offset("id"))


def write_vault(spark: SparkSession, policy: Policy, read: TableReader, *, key: bytes, vault: Path) -> None:
    """Write the id map of every domain, ``(id, pseudonym, orphan, quarantined)``, to ``vault/<domain>``.

    Ids come from the parent table; ids that only children have (orphans) get a pseudonym too, and so do
    ids whose parent row does not parse (quarantined).

    Raises:
        PolicyError: two ids of a domain got one pseudonym under this key.
        InputError: an id of the source is as large as a pseudonym.
    """

    referred = _referred_ids(policy, read).persist()

    def one(domain: str) -> None:
        parent, column = split_ref(policy.domains[domain])
        ids = _domain_ids(policy, read, domain, referred)
        mapped = pseudonymize_ids(ids, key=key, domain=domain)
        if f"{parent}.{column}" == f"{policy.people.table}.{policy.people.id}":
            mapped = date_offsets(mapped, key=key, shift=policy.shift)
        write_work(mapped.coalesce(4), vault / domain)
        _check_map(read_vault(spark, vault)(domain), domain)

    try:
        for_each(spark, sorted(policy.domains), one)
    finally:
        referred.unpersist()


def read_vault(spark: SparkSession, vault: Path) -> TableReader:
    """Return a reader of the id maps by domain."""
    return work_reader(spark, vault)


def _referred_ids(policy: Policy, read: TableReader) -> DataFrame:
    """``(domain, number, text)`` of all ids in all tables, in one pass over each; one of number and text is null."""
    tables = []
    for table, rules in policy.tables.items():
        df = read(table)
        kinds = dict(df.dtypes)
        ids = [
            F.struct(
                F.lit(rule.domain).alias("domain"),
                (F.lit(None) if kinds[column] == "string" else F.col(column)).cast("bigint").alias("number"),
                (F.col(column) if kinds[column] == "string" else F.lit(None)).cast("string").alias("text"),
            )
            for column, rule in rules.columns.items()
            if rule.treatment is Treatment.PSEUDONYM and rule.domain is not None
        ]
        if ids:
            tables.append(df.select(F.explode(F.array(*ids)).alias("id")).select("id.*"))
    return reduce(DataFrame.union, tables).where("number is not null or text is not null").distinct()


def _domain_ids(policy: Policy, read: TableReader, domain: str, referred: DataFrame) -> DataFrame:
    parent, column = split_ref(policy.domains[domain])
    known = (
        read(parent)
        .where(F.col(column).isNotNull())
        .groupBy(_as_id(read(parent), column))
        .agg(F.min(F.col(REASON).isNotNull()).alias("quarantined"))
        .withColumn("orphan", F.lit(False))
    )
    own = "text" if dict(known.dtypes)["id"] == "string" else "number"
    every = referred.where(F.col("domain") == domain).select(F.col(own).alias("id"))
    orphans = every.join(known.select("id"), "id", "left_anti")
    return known.unionByName(
        orphans.select("id", F.lit(False).alias("quarantined"), F.lit(True).alias("orphan"))
    )


def _as_id(df: DataFrame, column: str) -> Column:
    """Ids of a domain are bigint wherever they are integers: child tables may declare another width."""
    kind = dict(df.dtypes)[column]
    return F.col(column).cast(kind if kind == "string" else "bigint").alias("id")


def _check_map(mapped: DataFrame, domain: str) -> None:
    measures = [F.count("id"), F.count_distinct("pseudonym")]
    integer = dict(mapped.dtypes)["id"] != "string"
    if integer:
        measures.append(F.count_if(F.col("id") >= LEAST_PSEUDONYM))
    row = mapped.agg(*measures).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    if row[0] != row[1]:
        raise PolicyError(
            f"domain {domain}: {row[0] - row[1]} ids share a pseudonym under this key; use another key"
        )
    if integer and row[2]:
        raise InputError(
            f"domain {domain}: {row[2]} ids are 2^52 or larger and could be taken for pseudonyms"
        )
