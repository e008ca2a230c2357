"""The variables of the cohorts: their codes, units and bounds, read from ``conf/items``."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyspark.sql import Column
from pyspark.sql import functions as F

from anon_spark.errors import PolicyError
from anon_spark.policy.load import conf_dir

SETS = ("benchmark", "laboratory", "sofa")
STATISTICS = ("mean", "max", "sum")
_POUND, _OUNCE, _INCH = 0.45359237, 0.45359237 / 16, 2.54


@dataclass(frozen=True)
class Variable:
    """A measured variable: values out of [low, high], in its unit, count as not measured."""

    name: str
    unit: str
    low: float
    high: float
    statistic: str
    sets: frozenset[str]


@dataclass(frozen=True)
class Code:
    """A code of the table ``source`` that measures ``variable``; ``convert`` brings it to the unit of the bounds."""

    variable: str
    source: str
    itemid: int
    convert: str
    low: float
    high: float


def load_variables(*sets: str, path: Path | None = None) -> tuple[Variable, ...]:
    """Read the variables of any of ``sets``, in the file's order; by default the package's own.

    Raises:
        PolicyError: an unknown set.
    """
    if unknown := sorted(set(sets) - set(SETS)):
        raise PolicyError(f"unknown set of variables: {', '.join(unknown)}; known: {', '.join(SETS)}")
    return tuple(
        Variable(
            row["variable"],
            row["unit"],
            float(row["low"]),
            float(row["high"]),
            row["statistic"],
            frozenset(row["sets"].split()),
        )
        for row in _rows(path or _place("variables"))
        if set(sets) & set(row["sets"].split())
    )


def load_codes(variables: Sequence[Variable], path: Path | None = None) -> tuple[Code, ...]:
    """Read the codes of these variables; by default the package's own."""
    wanted = {variable.name: variable for variable in variables}
    return tuple(
        Code(row["variable"], row["source"], int(row["itemid"]), row["convert"], variable.low, variable.high)
        for row in _rows(path or _place("codes"))
        if (variable := wanted.get(row["variable"]))
    )


def load_words(path: Path | None = None) -> dict[tuple[str, str], float]:
    """Read the numbers of texts, by (variable, text in lower case)."""
    return {(row["variable"], row["word"]): float(row["value"]) for row in _rows(path or _place("words"))}


def load_antibiotics(path: Path | None = None) -> tuple[list[str], list[int]]:
    """Read the stems of antibiotics' names and their item ids."""
    rows = list(_rows(path or _place("antibiotics")))
    return sorted({row["stem"] for row in rows}), sorted(int(row["itemid"]) for row in rows if row["itemid"])


def converted(value: Column, convert: Column, worded: Column) -> Column:
    """``value`` in the variable's unit by the name of its conversion.

    Args:
        worded: the number of the row's text, for ``words``.
    """
    return (
        F.when(convert == "fahrenheit", (value - 32) * 5 / 9)
        .when(convert == "pounds", value * _POUND)
        .when(convert == "ounces", value * _OUNCE)
        .when(convert == "inches", value * _INCH)
        .when(convert == "percent", F.when(value > 1, value / 100).otherwise(value))
        .when(convert == "fraction", F.when(value <= 1, value * 100).otherwise(value))
        .when(convert == "per_80_kilograms", value / 80)
        .when(convert == "words", worded)
        .otherwise(value)
    )


def _place(name: str) -> Path:
    return conf_dir() / "items" / f"{name}.csv"


def _rows(path: Path) -> Iterator[dict[str, str]]:
    """Rows of a table whose first lines may be comments."""
    with path.open(newline="", encoding="utf-8") as file:
        yield from csv.DictReader(line for line in file if not line.startswith("#"))
