"""One table by its path: CSV with any separator, Parquet or Delta, as it comes."""

import csv
import gzip
import re
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.types import StringType, StructField, StructType

from anon_spark.errors import InputError
from anon_spark.ingest.csv_lines import check_lines

SEPARATORS = (";", ",", "\t", "|")
CORRUPT = "_corrupt"
_READ_AS_PATTERNS = re.compile(r"[][*?{}\\:]")


@dataclass(frozen=True)
class OneTable:
    """A table that is not read yet.

    Attributes:
        df: its columns under their own names; text if CSV, which has ``_corrupt`` besides (the line of a row with
            too few or too many cells).
        columns: names in the table's order.
        separator: of CSV, None for the other formats.
    """

    df: DataFrame
    columns: tuple[str, ...]
    separator: str | None


def open_table(spark: SparkSession, path: Path, separator: str | None = None) -> OneTable:
    """Return a table: a file, or a folder of files of one kind or of a Delta table.

    Args:
        separator: of CSV; by default the one that cuts the header into most columns.

    Raises:
        InputError: there is no such table, it has no header, it cannot be opened, or a cell of CSV holds a line break.
    """
    check_name(path)
    if (path / "_delta_log").is_dir():
        return _typed(spark, path, "delta")
    files = _files(path)
    if files[0].suffix == ".parquet":
        return _typed(spark, path, "parquet")
    header, cut = _header(path, files, separator)
    check_lines(spark, path, files, blanks_are_cells=cut.isspace() or len(header) == 1)
    # Rows with too few cells show only where every column is parsed.
    df = spark.read.option("columnPruning", "false").csv(
        [str(file) for file in files],
        schema=StructType([StructField(name, StringType()) for name in (*header, CORRUPT)]),
        sep=cut,
        header=True,
        quote='"',
        escape='"',
        mode="PERMISSIVE",
        columnNameOfCorruptRecord=CORRUPT,
        enforceSchema=True,
    )
    return OneTable(df, header, cut)


def columns_of(path: Path, separator: str | None = None) -> tuple[str, ...] | None:
    """Columns of a table that can be told without Spark: of CSV and of one Parquet file; None of the others.

    Raises:
        InputError: as ``open_table`` does.
    """
    if (path / "_delta_log").is_dir():
        return None
    files = _files(path)
    if files[0].suffix != ".parquet":
        return _header(path, files, separator)[0]
    if files != [path]:
        return None  # its folders may be columns too
    try:
        return tuple(pq.read_schema(path).names)
    except (OSError, pa.ArrowException) as error:
        raise InputError(f"table '{path.name}' cannot be read as parquet ({type(error).__name__})") from None


def _header(path: Path, files: Sequence[Path], separator: str | None) -> tuple[tuple[str, ...], str]:
    """Columns of CSV files, and their separator.

    Raises:
        InputError: the files have none, or different ones, or a name is there twice.
    """
    lines = {_first_line(file) for file in files}
    if len(lines) > 1:
        raise InputError(f"the {len(files)} files of table '{path.name}' have different headers")
    line = lines.pop()
    cut = separator or _separator(path, line)
    header = _cells(line, cut)
    if not any(header):
        raise InputError(f"table '{path.name}' has no header")
    if nameless := sum(not name for name in header):
        raise InputError(f"{nameless} of {len(header)} columns of table '{path.name}' have no name")
    folded = [name.lower() for name in header]
    if twice := len(folded) - len(set(folded)):  # not by name: without a header these are cells
        raise InputError(
            f"{twice} of {len(header)} columns have a name that is there already, letters' case apart"
        )
    if CORRUPT in header:
        raise InputError(f"table '{path.name}': a column's name is not '{CORRUPT}'")
    return tuple(header), cut


def _cells(line: str, separator: str) -> list[str]:
    return next(csv.reader([line], delimiter=separator), [])


def _separator(path: Path, line: str) -> str:
    """The one that cuts the header into most columns.

    Raises:
        InputError: two cut it into as many.
    """
    columns = {separator: len(_cells(line, separator)) for separator in SEPARATORS}
    most = [separator for separator, number in columns.items() if number == max(columns.values())]
    if len(most) > 1 and columns[most[0]] > 1:
        raise InputError(
            f"table '{path.name}': {' and '.join(map(repr, most))} cut the header into {columns[most[0]]} columns each;"
            " name the separator in the policy"
        )
    return most[0]


def check_name(path: Path) -> None:
    """Refuse a path that Spark would not take by its letters.

    Raises:
        InputError: it has characters of a pattern, or its name is one of hidden files.
    """
    if found := sorted(set(_READ_AS_PATTERNS.findall(str(path.absolute())))):
        raise InputError(f"'{path}' has {' '.join(found)} in it, which Spark reads as a pattern; rename it")
    if path.suffix in {".csv", ".parquet", ".gz"} and path.name.startswith((".", "_")):
        raise InputError(f"'{path}' begins as hidden files do, which Spark does not read; rename it")


def _typed(spark: SparkSession, path: Path, kind: str) -> OneTable:
    try:
        df = spark.read.format(kind).load(str(path))
        return OneTable(df, tuple(df.columns), None)
    except PySparkException as error:
        raise InputError(
            f"table '{path.name}' cannot be read as {kind} ({error.getCondition() or type(error).__name__})"
        ) from None


def _files(path: Path) -> list[Path]:
    if path.is_file():
        return [path]
    if not path.is_dir():
        raise InputError(f"there is no table '{path}'")
    files = [f for f in sorted(path.rglob("*")) if f.is_file() and not _is_hidden(f.relative_to(path))]
    if not files or len({file.suffix == ".parquet" for file in files}) > 1:
        raise InputError(f"'{path}' is neither a Delta table nor a folder of CSV or of Parquet files")
    return files


def _is_hidden(inside: Path) -> bool:
    """Whether the file or a folder on the way to it is: copies of editors, and folders of runs that were killed."""
    return any(part.startswith((".", "_")) for part in inside.parts)


def _first_line(file: Path) -> str:
    try:
        if file.suffix == ".gz":
            with gzip.open(file, "rt", encoding="utf-8-sig") as packed:
                return packed.readline().rstrip("\r\n")
        with file.open(encoding="utf-8-sig") as plain:
            return plain.readline().rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"the header of {file.name} cannot be read ({type(error).__name__})") from None
