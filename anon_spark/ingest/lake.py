"""Where tables are: files under a folder, or tables of a catalog schema.

A source is a folder (a mounted volume is one) that holds ``NAME.csv``, ``NAME.csv.gz``, ``NAME.parquet``
or a folder ``NAME`` of such files or of a Delta table, in any case; or ``catalog.schema``.
"""

import csv
import gzip
import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from urllib.parse import unquote

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession

from anon_spark.errors import InputError

TableReader = Callable[[str], DataFrame]
"""A table by its upper-case name: typed, column names in upper case."""

_SUFFIXES = (".csv.gz", ".csv", ".parquet")


@dataclass(frozen=True)
class Located:
    """One table found in a source: its format, its place, and the files it consists of."""

    name: str
    format: str  # csv, parquet, delta or catalog
    path: str
    files: tuple[Path, ...] = ()


def delta_reader(spark: SparkSession, root: Path) -> TableReader:
    """Return a reader of the Delta tables that are folders of ``root``; each is looked up once."""
    return cache(lambda name: spark.read.format("delta").load(str(root / name)))


def files_reader(spark: SparkSession, root: Path) -> TableReader:
    """Return a reader of the very files that Delta tables in folders of ``root`` list; each is looked up once.

    A table just written in one commit, without deletion vectors, is its files. Delta plans every query of a small
    table for longer than Spark reads it, and the gate asks some two hundred.
    """
    of_delta = delta_reader(spark, root)

    def read(name: str) -> DataFrame:
        df = of_delta(name)
        files = [unquote(file) for file in df.inputFiles()]
        return spark.read.schema(df.schema).parquet(*files) if files else df

    return cache(read)


def work_reader(spark: SparkSession, root: Path) -> TableReader:
    """Return a reader of what ``write_work`` wrote into folders of ``root``; each is looked up once."""
    return cache(lambda name: spark.read.parquet(str(root / name)))


def write_work(df: DataFrame, path: Path) -> None:
    """Write an intermediate table of WORK, replacing an earlier one.

    Plain Parquet: nobody else reads it, a file beside it says when it is complete, and a Delta log would cost
    several jobs for every one of some thirty small tables.
    """
    df.write.mode("overwrite").parquet(str(path))


def locate(source: str, names: Iterable[str]) -> dict[str, Located]:
    """Find every table of ``names`` in ``source``.

    Raises:
        InputError: naming every missing table, or a table that is there twice.
    """
    root, wanted = Path(source), sorted(names)
    if not root.exists() and "/" not in source and "." in source:
        return {name: Located(name, "catalog", f"{source}.{name}") for name in wanted}
    if not root.is_dir():
        raise InputError(f"the source '{source}' is neither a folder nor catalog.schema")
    candidates: dict[str, list[Path]] = {}
    for entry in sorted(root.iterdir()):
        if not entry.name.startswith((".", "_")):
            candidates.setdefault(_table_name(entry.name), []).append(entry)
    if missing := [name for name in wanted if name not in candidates]:
        raise InputError(f"the source has no table {', '.join(missing)}")
    if double := [name for name in wanted if len(candidates[name]) > 1]:
        raise InputError(f"the source has more than one file or folder for {', '.join(double)}")
    return {name: _describe(name, candidates[name][0]) for name in wanted}


def read_headers(located: Mapping[str, Located], spark: SparkSession | None = None) -> dict[str, list[str]]:
    """Column names of every table as the source writes them; needs no Spark job.

    Args:
        spark: only needed for Delta and catalog tables.

    Raises:
        InputError: a file without a header, or files of one table whose headers differ.
    """
    return {name: _header(table, spark) for name, table in located.items()}


def fingerprint(located: Mapping[str, Located], spark: SparkSession | None = None) -> str:
    """Hash of every file's name, size and time of change; of a catalog's Delta table: its id and version.

    Raises:
        InputError: a table of the catalog is not a Delta table, so that no version tells whether it changed.
    """
    digest = hashlib.sha256()
    for name, table in sorted(located.items()):
        digest.update(name.encode())
        if table.format == "catalog" and spark is not None:
            digest.update(_catalog_version(table, spark).encode())
        for file in table.files:
            stat = file.stat()
            digest.update(f"{file.name}|{stat.st_size}|{stat.st_mtime_ns};".encode())
    return digest.hexdigest()


def _catalog_version(table: Located, spark: SparkSession) -> str:
    try:
        identity = spark.sql(f"DESCRIBE DETAIL {table.path}").select("id").collect()[0][0]
        version = spark.sql(f"DESCRIBE HISTORY {table.path} LIMIT 1").collect()[0][0]
    except PySparkException as error:
        kind = error.getCondition() or type(error).__name__
        raise InputError(f"table {table.path} is no Delta table of the catalog ({kind})") from None
    return f"{identity}|{version}"


def _table_name(file_name: str) -> str:
    lower = file_name.lower()
    suffix = next((s for s in _SUFFIXES if lower.endswith(s)), "")
    return file_name[: len(file_name) - len(suffix)].upper()


def _describe(name: str, entry: Path) -> Located:
    if entry.is_file():
        kind = "parquet" if entry.name.lower().endswith(".parquet") else "csv"
        if _table_name(entry.name) == entry.name.upper():
            raise InputError(f"table {name}: the file is neither CSV, CSV.gz nor Parquet")
        return Located(name, kind, str(entry), (entry,))
    files = tuple(
        sorted(
            f
            for f in entry.rglob("*")
            if f.is_file() and (not f.name.startswith((".", "_")) or "_delta_log" in f.parts)
        )
    )
    if (entry / "_delta_log").is_dir():
        return Located(name, "delta", str(entry), files)
    for kind, suffixes in (("parquet", (".parquet",)), ("csv", (".csv", ".csv.gz"))):
        if matching := tuple(f for f in files if f.name.lower().endswith(suffixes)):
            return Located(name, kind, str(entry), matching)
    raise InputError(f"table {name}: the folder holds neither CSV, CSV.gz, Parquet nor a Delta table")


def _header(table: Located, spark: SparkSession | None) -> list[str]:
    if table.format == "parquet":
        try:
            return list(pq.read_schema(table.files[0]).names)
        except (pa.ArrowException, OSError) as error:
            raise InputError(
                f"table {table.name}: {table.files[0].name} is no Parquet file ({type(error).__name__})"
            ) from None
    if table.format in {"delta", "catalog"}:
        if spark is None:
            raise InputError(f"table {table.name}: reading a {table.format} table's columns needs a session")
        if table.format == "delta":
            return spark.read.format("delta").load(table.path).columns
        try:
            return spark.table(table.path).columns
        except PySparkException as error:
            kind = error.getCondition() or type(error).__name__
            raise InputError(f"the catalog has no readable table {table.path} ({kind})") from None
    headers = {tuple(header) for file in table.files if (header := _csv_header(file))}
    if not headers:
        raise InputError(f"table {table.name}: no file has a header line")
    if len({tuple(name.upper() for name in header) for header in headers}) > 1:
        raise InputError(f"table {table.name}: its {len(table.files)} files have different headers")
    return list(headers.pop())


def _csv_header(file: Path) -> list[str]:
    try:
        if file.name.lower().endswith(".gz"):
            with gzip.open(file, "rt", encoding="utf-8-sig", newline="") as stream:
                return next(csv.reader(stream), [])
        with file.open(encoding="utf-8-sig", newline="") as stream:
            return next(csv.reader(stream), [])
    except (OSError, EOFError, UnicodeDecodeError, csv.Error) as error:
        raise InputError(f"the header of {file.name} cannot be read ({type(error).__name__})") from None
