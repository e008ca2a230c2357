"""Keyed pseudonyms (Eq. 2), one id domain at a time.

A pseudonym is HMAC-SHA256 of domain and id under the run's key: without the key neither the id nor whether
two domains share ids can be told. An unkeyed hash would be undone by hashing the 46,520 possible ids. The
key lives in a Python closure: a native expression would print it in query plans and event logs.

Integer ids become integers of [2^52, 2^53): exact in a double, so that no reader of a nullable column
merges two people, and above every id that a source may hold.
"""

import hmac
from collections.abc import Iterator, Sequence
from functools import reduce
from pathlib import Path

import pandas as pd
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from anon_spark.errors import InputError, PolicyError
from anon_spark.ingest.lake import TableReader, work_reader, write_work
from anon_spark.ingest.read import REASON
from anon_spark.policy.load import LoadedPolicy
from anon_spark.policy.model import Policy, Shift, Treatment, split_ref

LEAST_PSEUDONYM = 2**52


def pseudonym(key: bytes, domain: str, value: int | str) -> int:
    """Return the pseudonym of one integer id, given as it is or in digits.

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


def pseudonymize_ids(ids: DataFrame, *, key: bytes) -> DataFrame:
    """Add ``pseudonym`` (bigint) and ``token`` (string) to a table of distinct ids, in Arrow batches.

    Args:
        ids: has ``domain`` (string), ``number`` (bigint) and ``text`` (string), one of which is null: an integer
            id gets a pseudonym, a text id a token, and the other is null.
    """

    @pandas_udf("bigint")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
    def of_numbers(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
        for domains, values in batches:
            pairs = zip(domains, values, strict=True)
            yield pd.Series([None if pd.isna(v) else pseudonym(key, d, v) for d, v in pairs], dtype="Int64")

    @pandas_udf("string")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
    def of_texts(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
        for domains, values in batches:
            pairs = zip(domains, values, strict=True)
            yield pd.Series(
                [None if pd.isna(v) else text_pseudonym(key, d, v) for d, v in pairs], dtype="object"
            )

    # As text, an integer is the same to HMAC and never a float to pandas, null or not.
    return ids.withColumns(
        {
            "pseudonym": of_numbers("domain", F.col("number").cast("string")),
            "token": of_texts("domain", "text"),
        }
    )


def date_offsets(ids: DataFrame, *, key: bytes, shift: Shift, domain: str) -> DataFrame:
    """Add ``shift_days`` (int) to a table as ``pseudonymize_ids`` takes it, null but for people's ``domain``."""

    @pandas_udf("int")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
    def offset(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
        for batch in batches:
            yield pd.Series([None if pd.isna(v) else shift_days(key, v, shift) for v in batch], dtype="Int32")

    person = F.when(F.col("domain") == domain, F.coalesce(F.col("number").cast("string"), "text"))
    return ids.withColumn("shift_days", offset(person))


def write_vault(spark: SparkSession, policy: Policy, read: TableReader, *, key: bytes, vault: Path) -> None:
    """Write the id maps of all domains as one table; ``read_vault`` tells its columns.

    Ids come from the parent table; ids that only children have (orphans) get a pseudonym too, and so do
    ids whose parent row does not parse (quarantined).

    Args:
        read: bronze, unparsed rows included.

    Raises:
        PolicyError: two ids of a domain got one pseudonym under this key.
        InputError: an id of the source is as large as a pseudonym.
    """
    people = policy.tables[policy.people.table].columns[policy.people.id].domain or ""
    ids = pseudonymize_ids(_all_ids(policy, read), key=key)
    mapped = date_offsets(ids, key=key, shift=policy.shift, domain=people)
    write_work(mapped.sortWithinPartitions("domain"), vault)
    _check_maps(_every_map(spark, vault))


def read_vault(spark: SparkSession, vault: Path, loaded: LoadedPolicy) -> TableReader:
    """Return a reader of one domain's ``(id, pseudonym, shift_days, orphan, quarantined)``."""
    every = _every_map(spark, vault)

    def of_domain(domain: str) -> DataFrame:
        table, column = split_ref(loaded.policy.domains[domain])
        is_text = loaded.schema[table].type_of(column) == "string"
        return every.where(F.col("domain") == domain).select(
            F.col("text" if is_text else "number").alias("id"),
            F.col("token" if is_text else "pseudonym").alias("pseudonym"),
            "shift_days",
            "orphan",
            "quarantined",
        )

    return of_domain


def _every_map(spark: SparkSession, vault: Path) -> DataFrame:
    return work_reader(spark, vault.parent)(vault.name)


def _all_ids(policy: Policy, read: TableReader) -> DataFrame:
    """``(domain, number, text, quarantined, orphan)`` of all ids in all tables, in one pass over each."""
    names = sorted(policy.domains)
    kinds = []
    # Integers apart from texts, and domains by number: keys of fixed width are counted several times faster.
    for is_text in (False, True):
        tables = [_ids_of(policy, names, table, read(table), is_text=is_text) for table in policy.tables]
        if present := [df for df in tables if df is not None]:
            rows = reduce(DataFrame.union, present).where("id is not null").groupBy("domain", "id")
            # Only rows of the parent table tell; an id is quarantined where none of its rows parses.
            ids = rows.agg(F.min("unparsed").alias("unparsed"))
            kinds.append(
                ids.select(
                    F.element_at(F.lit(names), F.col("domain")).alias("domain"),
                    (F.lit(None) if is_text else F.col("id")).cast("bigint").alias("number"),
                    (F.col("id") if is_text else F.lit(None)).cast("string").alias("text"),
                    F.coalesce("unparsed", F.lit(False)).alias("quarantined"),
                    F.col("unparsed").isNull().alias("orphan"),
                )
            )
    return reduce(DataFrame.union, kinds)


def _ids_of(
    policy: Policy, names: Sequence[str], table: str, df: DataFrame, *, is_text: bool
) -> DataFrame | None:
    """``(domain, id, unparsed)`` of the ids of one kind in one table.

    The domain is its place in ``names``, from 1; ``unparsed`` is null but in a parent's rows.
    """
    kinds = dict(df.dtypes)
    ids = []
    for column, rule in policy.tables[table].columns.items():
        if rule.treatment is not Treatment.PSEUDONYM or rule.domain is None:
            continue
        if (kinds[column] == "string") is not is_text:
            continue
        own = split_ref(policy.domains[rule.domain]) == (table, column)
        ids.append(
            F.struct(
                F.lit(names.index(rule.domain) + 1).alias("domain"),
                F.col(column).cast("string" if is_text else "bigint").alias("id"),
                (F.col(REASON).isNotNull() if own else F.lit(None)).cast("boolean").alias("unparsed"),
            )
        )
    return df.select(F.explode(F.array(*ids)).alias("id")).select("id.*") if ids else None


def _check_maps(every: DataFrame) -> None:
    measured = every.groupBy("domain").agg(
        F.count(F.lit(1)).alias("ids"),
        F.count_distinct(F.coalesce(F.col("pseudonym").cast("string"), "token")).alias("pseudonyms"),
        F.count_if(F.col("number") >= LEAST_PSEUDONYM).alias("large"),
    )
    for row in measured.collect():  # one row a domain
        if shared := row["ids"] - row["pseudonyms"]:
            raise PolicyError(
                f"domain {row['domain']}: {shared} ids share a pseudonym under this key; use another key"
            )
        if row["large"]:
            raise InputError(
                f"domain {row['domain']}: {row['large']} ids are 2^52 or larger and could be taken for pseudonyms"
            )
