"""Source files to typed rows, and the bronze copy every later stage reads.

A value that does not parse as its declared type makes its row ``does_not_parse``: the row stays in bronze
with that reason and its raw text, is written to quarantine, and no later stage releases it.
"""

import json
import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path

from py4j.protocol import Py4JError
from pyspark.errors import PySparkException
from pyspark.sql import Column, DataFrame, Observation, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from anon_spark.errors import InputError
from anon_spark.ingest.lake import Located, work_reader, write_work
from anon_spark.ingest.quarantine import write_quarantine
from anon_spark.policy.schema import SourceTable
from anon_spark.session import for_each

REASON = "_reason"
RAW = "_raw"
_CORRUPT = "_corrupt"
DOES_NOT_PARSE = "does_not_parse"


@dataclass(frozen=True)
class BronzeTable:
    """How many rows one table's bronze copy has, and how many of them do not parse."""

    name: str
    rows: int
    unparsed: int


def read_source(spark: SparkSession, located: Located, table: SourceTable, header: list[str]) -> DataFrame:
    """Return the table's columns under their declared names, untyped if the source is CSV.

    Args:
        header: the column names as the source writes them, in the source's order.
    """
    declared = {name.upper() for name in table.column_names}
    if located.format == "csv":
        fields = [StructField(name.upper(), StringType()) for name in header]
        raw = spark.read.csv(
            [str(file) for file in located.files],
            schema=StructType([*fields, StructField(_CORRUPT, StringType())]),
            header=True,
            quote='"',
            escape='"',
            multiLine=table.multiline,
            mode="PERMISSIVE",
            columnNameOfCorruptRecord=_CORRUPT,
            enforceSchema=True,
        )
        return raw.select(*(F.col(name) for name in table.column_names), _CORRUPT)
    raw = (
        spark.table(located.path)
        if located.format == "catalog"
        else spark.read.format(located.format).load(located.path)
    )
    kept = [F.col(f"`{name}`").alias(name.upper()) for name in raw.columns if name.upper() in declared]
    return raw.select(*kept).select(*table.column_names, F.lit(None).cast("string").alias(_CORRUPT))


def parse(raw: DataFrame, table: SourceTable) -> DataFrame:
    """Type every column by ``try_cast`` and say which rows do not parse.

    A row does not parse when a cell is there but not of its type, when a column that is never null is
    null, or when the line has the wrong number of cells.

    Returns:
        the declared columns, ``_reason`` (null or ``does_not_parse``), ``_raw`` (JSON of an unparsed row).
    """
    source_types = dict(raw.dtypes)
    typed = {c.name: _typed(c.name, source_types[c.name], c.type) for c in table.columns}
    failures = [F.col(_CORRUPT).isNotNull()]
    failures += [
        F.col(name).isNotNull() & value.isNull() for name, value in typed.items() if value is not None
    ]
    failures += [F.col(c.name).isNull() for c in table.columns if not c.nullable]
    bad = failures[0]
    for failure in failures[1:]:
        bad = bad | failure
    return raw.select(
        *((F.col(name) if value is None else value.alias(name)) for name, value in typed.items()),
        F.when(bad, F.lit(DOES_NOT_PARSE)).alias(REASON),
        F.when(bad, F.to_json(F.struct(*table.column_names, _CORRUPT))).alias(RAW),
    )


def _typed(name: str, source: str, declared: str) -> Column | None:
    """The typed value, or None where the source already has the declared type."""
    if source == declared:
        return None
    column = F.col(name)
    if source == "string" and declared in {"int", "bigint"}:
        # Some copies write nullable integers as 12.0.
        number = F.try_divide(column.try_cast("double"), F.lit(1.0))
        whole = F.when(number == F.floor(number), number).try_cast(declared)
        return F.coalesce(column.try_cast(declared), whole)
    return column.try_cast(declared)


def ingest(
    spark: SparkSession,
    located: Mapping[str, Located],
    schema: Mapping[str, SourceTable],
    headers: Mapping[str, list[str]],
    *,
    work: Path,
    fingerprint: str,
) -> dict[str, BronzeTable]:
    """Write every table's bronze copy and its quarantine; a copy that is complete is not made again.

    Args:
        fingerprint: what the copies were made from; another one makes them anew.

    Returns:
        rows and unparsed rows of each table; their sum over the copies is every row of the source.
    """

    def one(name: str) -> BronzeTable:
        marker = work / "bronze" / f"{name}.json"
        if marker.exists():
            record = json.loads(marker.read_text())
            if record.pop("fingerprint") == fingerprint:
                return BronzeTable(**record)
            marker.unlink()
        result = _write_bronze(spark, located[name], schema[name], headers[name], work)
        partial = marker.with_suffix(".partial")
        partial.write_text(json.dumps({**asdict(result), "fingerprint": fingerprint}))
        partial.replace(marker)
        return result

    (work / "bronze").mkdir(parents=True, exist_ok=True)
    return for_each(spark, sorted(located), one)


def _write_bronze(
    spark: SparkSession, located: Located, table: SourceTable, header: list[str], work: Path
) -> BronzeTable:
    counts = Observation()
    parsed = parse(read_source(spark, located, table, header), table)
    observed = parsed.observe(counts, F.count(F.lit(1)).alias("rows"), F.count(REASON).alias("unparsed"))
    path = work / "bronze" / table.name
    try:
        write_work(observed, path)
    except PySparkException as error:
        # Spark's own message may print a cell; its error class never does.
        raise InputError(
            f"table {table.name} cannot be read ({error.getCondition() or type(error).__name__})"
        ) from None
    try:
        seen = counts.get
    except Py4JError:  # adaptive execution drops the observing node of an empty plan
        row = parsed.agg(F.count(F.lit(1)).alias("rows"), F.count(REASON).alias("unparsed")).first()
        seen = row.asDict() if row else {}
    result = BronzeTable(table.name, int(seen["rows"]), int(seen["unparsed"]))
    shutil.rmtree(work / "quarantine" / table.name, ignore_errors=True)  # an earlier source's
    if result.unparsed:
        bad = work_reader(spark, work / "bronze")(table.name).where(F.col(REASON).isNotNull())
        write_quarantine(bad.select(F.col(REASON).alias("reason"), F.col(RAW).alias("row")), work, table.name)
    return result
