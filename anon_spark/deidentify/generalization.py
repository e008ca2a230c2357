"""Generalization (Eq. 3): a value becomes its label at a level of its hierarchy."""

from collections.abc import Mapping
from itertools import chain

from pyspark.sql import Column
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy


def generalize(column: Column, hierarchy: Hierarchy, level: int) -> Column:
    """Return the label of each value at ``level``; null has its own branch (see ``Hierarchy``).

    A value the hierarchy does not cover becomes null; coverage is checked before this is called.
    """
    if level == hierarchy.height:
        return F.lit(hierarchy.label(None, level))
    return lookup(column, hierarchy.mapping(level), default=hierarchy.label(None, level))


def leaf_code(column: Column, hierarchy: Hierarchy) -> Column:
    """Return each value's position among the leaves, null's own code, or null where it is not covered."""
    codes = leaf_codes(hierarchy)
    known = {leaf: code for leaf, code in codes.items() if leaf is not None}
    return F.when(column.isNull(), F.lit(codes[None])).otherwise(_lookup_int(column, known))


def leaf_codes(hierarchy: Hierarchy) -> dict[str | None, int]:
    """Position of every leaf; null comes after the last one where the file has no row for it."""
    codes: dict[str | None, int] = {leaf: code for code, leaf in enumerate(hierarchy.leaves)}
    codes.setdefault(None, len(codes))
    return codes


def lookup(column: Column, mapping: Mapping[str, str | None], *, default: str | None) -> Column:
    """Return ``mapping[value]``; ``default`` for null, null for a value that is not in it."""
    if not mapping:
        return F.when(column.isNull(), F.lit(default))
    table = F.create_map(*chain.from_iterable((F.lit(k), F.lit(v)) for k, v in mapping.items()))
    return F.when(column.isNull(), F.lit(default)).otherwise(F.try_element_at(table, column))


def _lookup_int(column: Column, mapping: Mapping[str, int]) -> Column:
    table = F.create_map(*chain.from_iterable((F.lit(k), F.lit(v)) for k, v in mapping.items()))
    return F.try_element_at(table, column)
