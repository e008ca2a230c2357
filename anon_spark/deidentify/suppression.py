"""Suppression of cells (Eq. 4): null in typed columns, ``*`` in text. Null source cells stay null."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from anon_spark.policy.model import RowRule

SUPPRESSED_TEXT = "*"
# Up to six digits before the point: longer runs of digits are telephone and record numbers, not measurements.
# At most four decimals: dotted telephone numbers have more.
NUMBER = r"^\s*[<>]?=?\s*[-+]?(\d{1,6}(\.\d{0,4})?|\.\d{1,4})\s*%?$"


def suppress(column: Column, dtype: str) -> Column:
    """Return the suppressed value of a column: ``*`` where text stood, else null."""
    if dtype == "string":
        return F.when(column.isNotNull(), F.lit(SUPPRESSED_TEXT))
    return F.lit(None).cast(dtype)


def suppress_where(column: Column, condition: Column, dtype: str) -> Column:
    """Suppress the cells for which ``condition`` is true."""
    return F.when(condition, suppress(column, dtype)).otherwise(column)


def keep_vocabulary(column: Column, words: frozenset[str]) -> Column:
    """Keep numbers and the words of a closed list; suppress all other text."""
    known = column.isin(*sorted(words)) if words else F.lit(False)
    return F.when(column.isNull() | known | column.rlike(NUMBER), column).otherwise(SUPPRESSED_TEXT)


def keep_below(column: Column, below: float, dtype: str) -> Column:
    """Keep numbers of magnitude under ``below``; NaN and infinities are suppressed."""
    fits = column.isNull() | (F.abs(column.cast("double")) < F.lit(below))
    return F.when(fits, column).otherwise(suppress(column, dtype))


def rule_matches(rule: RowRule) -> Column:
    """True for the rows a row rule is about; a null code matches none."""
    return F.coalesce(F.col(rule.column).isin(*rule.codes), F.lit(False))
