"""One table by its path: CSV with any separator, Parquet or Delta, as it comes."""

import csv
import gzip
from dataclasses import dataclass
from pathlib import Path

from pyspark.errors import PySparkException
from pyspark.sql import DataFrame, SparkSession
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
        InputError: there is no such table, it has no header, or it cannot be opened.
    """
    if (path / "_delta_log").is_dir():
        return _typed(spark, path, "delta")
    files = _files(path)
    if files[0].suffix == ".parquet":
        return _typed(spark, path, "parquet")
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
    return OneTable(df, tuple(header), cut)


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
