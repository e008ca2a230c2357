"""What a reader of CSV line by line would take wrong, found before it reads: looked for once through all bytes."""

import codecs
import gzip
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from anon_spark.errors import InputError

_CHUNK = 1 << 24


@dataclass(frozen=True)
class Seen:
    """What the bytes of a file tell.

    Attributes:
        quotes: there is a quote below the header, or an odd number in it.
    """

    quotes: bool


def check_lines(spark: SparkSession, path: Path, files: Sequence[Path], *, blanks_are_cells: bool) -> None:
    """Refuse files of which lines are no rows, or cells no text.

    A quoted cell that goes on in the next line has a first line with an odd number of quotes; where no line has, every
    line ends outside quotes. A line of nothing but blanks is no row to Spark, though it is one where a blank separates
    cells, or where it is the table's only cell.

    Args:
        blanks_are_cells: whether a line of blanks is a row.

    Raises:
        InputError: a file is no UTF-8 or ends too early, or how many lines are wrong.
    """
    seen = {file: _look(file) for file in files}
    if quoted := [str(file) for file, found in seen.items() if found.quotes]:
        line = F.col("value")
        quotes = F.length(line) - F.length(F.replace(line, F.lit('"'), F.lit("")))
        if odd := spark.read.text(quoted).where(quotes % 2 == 1).count():
            raise InputError(
                f"table '{path.name}': {odd} lines have a quote without its end; a cell holds no line break, and a"
                " quote in a cell is doubled"
            )
    if blanks_are_cells:
        line = F.col("value")
        blank = (F.length(line) > 0) & line.rlike(r"^[\x00-\x20]+$")
        if lost := spark.read.text([str(file) for file in files]).where(blank).count():
            raise InputError(
                f"table '{path.name}': {lost} lines are blank, and would be no rows; write empty cells as \"\", or"
                " give the file another separator"
            )


def _look(file: Path) -> Seen:
    """Read a file's bytes once.

    Raises:
        InputError: they are no UTF-8, or cannot be read.
    """
    decoder = codecs.getincrementaldecoder("utf-8")()
    quotes, in_header, of_header = False, True, 0
    try:
        with _opened(file) as bytes_of:
            while chunk := bytes_of.read(_CHUNK):
                if not chunk.isascii() or decoder.getstate()[0]:
                    decoder.decode(chunk)
                below = 0
                if in_header:
                    end = chunk.find(b"\n") + 1
                    in_header, below = not end, end or len(chunk)
                    of_header += chunk.count(b'"', 0, below)
                quotes = quotes or chunk.find(b'"', below) >= 0
            decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        raise InputError(f"table file {file.name} is not UTF-8") from None
    except (OSError, EOFError) as error:
        raise InputError(
            f"table file {file.name} cannot be read to its end ({type(error).__name__})"
        ) from None
    return Seen(quotes or of_header % 2 == 1)


def _opened(file: Path) -> BinaryIO:
    return gzip.open(file, "rb") if file.suffix == ".gz" else file.open("rb")  # type: ignore[return-value]
