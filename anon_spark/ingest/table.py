"""One table by its path: CSV with any separator, Parquet or Delta, as it comes."""

import csv
import gzip
import mmap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from anon_spark.errors import InputError

SEPARATORS = (";", ",", "\t", "|")
CORRUPT = "_corrupt"


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
    if (path / "_delta_log").is_dir():
        return _typed(spark, path, "delta")
    files = _files(path)
    if files[0].suffix == ".parquet":
        return _typed(spark, path, "parquet")
    header, cut = _header(path, files, separator)
    _check_quotes(spark, path, files)
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
    cut = separator or max(SEPARATORS, key=line.count)
    header = next(csv.reader([line], delimiter=cut), [])
    if not any(header):
        raise InputError(f"table '{path.name}' has no header")
    folded = [name.lower() for name in header]
    if twice := len(folded) - len(set(folded)):  # not by name: without a header these are cells
        raise InputError(
            f"{twice} of {len(header)} columns have a name that is there already, letters' case apart"
        )
    if CORRUPT in header:
        raise InputError(f"table '{path.name}': a column's name is not '{CORRUPT}'")
    return tuple(header), cut


def _check_quotes(spark: SparkSession, path: Path, files: Sequence[Path]) -> None:
    """Refuse cells that go on in the next line: lines are read apart, and two of them can look like two rows.

    A row whose quoted cell goes on has a first line with an odd number of quotes; where no line has, every line
    ends outside quotes. A file without any quote below its header is only looked through for one, which takes a
    quarter of a second a gigabyte.

    Raises:
        InputError: how many lines have an odd number of quotes.
    """
    quoted = [str(file) for file in files if file.suffix == ".gz" or _has_quotes(file)]
    if not quoted:
        return
    line = F.col("value")
    quotes = F.length(line) - F.length(F.replace(line, F.lit('"'), F.lit("")))
    if odd := spark.read.text(quoted).where(quotes % 2 == 1).count():
        raise InputError(
            f"table '{path.name}': {odd} lines have a quote without its end; a cell holds no line break, and a quote"
            " in a cell is doubled"
        )


def _has_quotes(file: Path) -> bool:
    """Whether there is a quote below the header, or an odd number in it."""
    with file.open("rb") as opened:
        if not file.stat().st_size:
            return False
        with mmap.mmap(opened.fileno(), 0, access=mmap.ACCESS_READ) as content:
            below = content.find(b"\n") + 1
            return content[:below].count(b'"') % 2 == 1 or content.find(b'"', below) >= 0


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
    files = [f for f in sorted(path.rglob("*")) if f.is_file() and not f.name.startswith((".", "_"))]
    if not files or len({file.suffix == ".parquet" for file in files}) > 1:
        raise InputError(f"'{path}' is neither a Delta table nor a folder of CSV or of Parquet files")
    return files


def _first_line(file: Path) -> str:
    try:
        if file.suffix == ".gz":
            with gzip.open(file, "rt", encoding="utf-8-sig") as packed:
                return packed.readline().rstrip("\r\n")
        with file.open(encoding="utf-8-sig") as plain:
            return plain.readline().rstrip("\r\n")
    except (OSError, EOFError, UnicodeDecodeError) as error:
        raise InputError(f"the header of {file.name} cannot be read ({type(error).__name__})") from None
