"""Microaggregation of a pattern table as a release: groups of k people, each with the means of its numbers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.microaggregation import microaggregate
from anon_spark.anonymize.patterns import Ints, PatternTable
from anon_spark.anonymize.rules import is_number
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.errors import InputError
from anon_spark.privacy.classes import Floats

_LARGEST = 1e100


@dataclass(frozen=True)
class NumericRelease:
    """Classes of a table whose quasi-identifiers are numbers.

    Attributes:
        owner: (patterns,) class of each.
        labels: (quasi-identifiers, classes) released means as text; no two classes have the same.
        loss: SSE / SST over standardized columns.
    """

    owner: Ints
    labels: list[list[str]]
    loss: float


def microaggregate_patterns(
    table: PatternTable, hierarchies: Mapping[str, Hierarchy], k: int
) -> NumericRelease:
    """Groups of at least ``k`` people by MDAV; sensitive values play no part in it.

    Raises:
        InputError: a quasi-identifier has null, or values that are no numbers.
        PolicyError: there are fewer than ``k`` people.
    """
    columns = [_numbers(name, hierarchies[name])[table.leaves(i)] for i, name in enumerate(table.names)]
    _, first, tuple_of = np.unique(table.packed, return_index=True, return_inverse=True)
    people = np.bincount(tuple_of, weights=table.people, minlength=len(first)).astype(np.int64)
    values = np.stack(columns, axis=1)
    _check_magnitude(table, columns)
    missing = {
        name: int(table.people[~np.isfinite(column)].sum())
        for name, column in zip(table.names, columns, strict=True)
    }
    if told := ", ".join(f"{name} has none for {n} people" for name, n in missing.items() if n):
        raise InputError(f"recoding: microaggregation needs a number of everyone; {told}")
    found = microaggregate(values[first], k=k, people=people)
    text = np.array([[_as_text(x) for x in centre] for centre in found.centre.tolist()], dtype=np.str_)
    labels, same = np.unique(text, axis=0, return_inverse=True)
    return NumericRelease(
        same[found.owner][tuple_of], [list(map(str, column)) for column in labels.T], found.loss
    )


def _check_magnitude(table: PatternTable, columns: Sequence[Floats]) -> None:
    """Squares of numbers must be numbers too.

    Raises:
        InputError: how many people have one that is too large or, but for 0, too small.
    """
    told = []
    for name, column in zip(table.names, columns, strict=True):
        size = np.abs(column)
        if n := int(table.people[(size > _LARGEST) | ((size > 0) & (size < 1 / _LARGEST))].sum()):
            told.append(f"{name} of {n} people")
    if told:
        raise InputError(
            f"recoding: microaggregation is of numbers from 1e-100 to 1e100: {', '.join(told)} is not"
        )


def _as_text(number: float) -> str:
    """The shortest text that is the number, whole ones without a fraction."""
    return str(int(number)) if number.is_integer() and abs(number) < 2**53 else repr(number)


def _numbers(name: str, hierarchy: Hierarchy) -> Floats:
    """(leaf codes,) numbers of the leaves; null is not a number.

    Raises:
        InputError: some are no numbers; how many, never which.
    """
    leaves = list(leaf_codes(hierarchy))
    numbers = np.full(len(leaves), np.nan)
    outside = 0
    for code, leaf in enumerate(leaves):
        if leaf is not None and is_number(leaf):
            numbers[code] = float(leaf)
        else:
            outside += leaf is not None
    if outside:
        raise InputError(
            f"recoding: microaggregation is of numbers; {outside} of {len(leaves) - 1} values of {name} are none"
        )
    return numbers
