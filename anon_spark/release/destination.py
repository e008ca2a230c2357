"""Where one released table goes, and whether it can be written there: told before anything starts, where it can be."""

import os
import tempfile
from collections.abc import Sequence
from pathlib import Path

from pyspark.sql import functions as F

from anon_spark.anonymize.histogram import column
from anon_spark.errors import InputError, PolicyError
from anon_spark.ingest.table import OneTable, check_name

_ENDINGS = {".csv", ".parquet", ".delta", ""}


def check_out(out: Path) -> None:
    """Return if a table can be written at ``out``; needs no Spark.

    Raises:
        PolicyError: something is there, no format goes by its ending, or its folder cannot be written to.
    """
    if out.exists() or out.is_symlink():
        raise PolicyError(f"'{out}' is there already; give another --out")
    if out.suffix not in _ENDINGS:
        raise PolicyError(
            f"'{out}': a table is written as NAME.csv, NAME.parquet, or NAME or NAME.delta for a Delta table, not as"
            f" {out.suffix}"
        )
    try:
        check_name(out)
    except InputError as error:
        raise PolicyError(str(error)) from None
    folder = next(parent for parent in out.absolute().parents if parent.exists())
    if not folder.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise PolicyError(f"'{out}' cannot be written: '{folder}' is no folder that can be written to")


def private_folder(out: Path) -> Path:
    """A folder beside ``out`` that only its owner reads, for rows that the gate has not seen."""
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        return Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
    except OSError as error:
        raise PolicyError(f"'{out}' cannot be written ({error.strerror})") from None


def _has_line_break(name: str) -> bool:
    return "\n" in name or "\r" in name


def check_line_breaks(source: OneTable, out: Path, names: Sequence[str]) -> None:
    """Refuse to write to CSV what a reader that takes line by line, as the gate does, would take for more rows.

    Args:
        names: columns that are released as they are.

    Raises:
        InputError: columns with how many cells that hold a line break.
    """
    if out.suffix != ".csv" or source.separator is not None or not names:
        return  # from CSV, such cells are not read
    if broken := sum(_has_line_break(name) for name in source.columns):
        raise InputError(f"{broken} columns have a line break in their name; CSV cannot hold it")
    counts = [F.count_if(column(name).cast("string").rlike("[\\r\\n]")) for name in names]
    row = source.df.agg(*(count.alias(f"n{i}") for i, count in enumerate(counts))).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    if held := [f"{row[i]} of {name}" for i, name in enumerate(names) if row[i]]:
        raise InputError(
            f"cells with a line break: {', '.join(held)}; CSV cannot hold them, write Parquet or Delta"
        )
