"""Masking: part of a value's characters hidden (`123-45-6789` to `***-**-6789`)."""

import re

from pyspark.sql import Column
from pyspark.sql import functions as F

_HIDDEN, _SHOWN = "*", "#"


def mask_expression(pattern: str) -> tuple[str, str]:
    """Return the regular expression a value must match and its replacement.

    Args:
        pattern: ``*`` hides one letter or digit, ``#`` keeps it, everything else must stand as it is.

    >>> mask_expression("***-**-####")[1]
    '***-**-$1'
    """
    regex, replacement, groups = [], [], 0
    for run in re.findall(r"\*+|#+|[^*#]+", pattern):
        if run[0] == _HIDDEN:
            regex.append(f"[0-9A-Za-z]{{{len(run)}}}")
            replacement.append(run)
        elif run[0] == _SHOWN:
            groups += 1
            regex.append(f"([0-9A-Za-z]{{{len(run)}}})")
            replacement.append(f"${groups}")
        else:
            regex.append(re.escape(run))
            replacement.append(run.replace("\\", "\\\\").replace("$", "\\$"))
    return "^" + "".join(regex) + "$", "".join(replacement)


def mask(column: Column, pattern: str) -> Column:
    """Return the masked value; one that does not fit the pattern is suppressed (``*``), null stays null."""
    regex, replacement = mask_expression(pattern)
    regex = regex.removesuffix("$") + r"\z"  # Java's $ lets a last line break pass
    fits = column.rlike(regex)
    return (
        F.when(column.isNull(), None).when(fits, F.regexp_replace(column, regex, replacement)).otherwise("*")
    )


def is_masked(column: Column, pattern: str) -> Column:
    """True for a value that shows no more than the pattern allows; null and ``*`` show nothing."""
    shown = "".join(
        re.escape(run) if run[0] != _SHOWN else f"[0-9A-Za-z]{{{len(run)}}}"
        for run in re.findall(r"\*+|#+|[^*#]+", pattern)
    )
    return column.isNull() | (column == "*") | column.rlike(f"^{shown}\\z")


def mask_text(value: str | None, pattern: str) -> str | None:
    """Return the masked value outside Spark; same rule as ``mask``.

    >>> mask_text("123-45-6789", "***-**-####"), mask_text("12-3", "***-**-####"), mask_text(None, "#")
    ('***-**-6789', '*', None)
    """
    if value is None:
        return None
    regex, replacement = mask_expression(pattern)
    match = re.fullmatch(regex, value, flags=re.ASCII)
    if match is None:
        return "*"
    return re.sub(r"\\(.)|\$(\d+)", lambda part: part[1] or match[int(part[2])], replacement)
