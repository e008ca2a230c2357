"""At which levels a release states its people: of all of them one level vector, or of each part its own.

A ledger says ``{quasi-identifier: level}`` of a release by full-domain generalization, and of one by local recoding a
list of parts, the largest first: ``{"levels": {quasi-identifier: level}, "people": n}``.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.deidentify.generalization import generalize

PART = "_part"
Levels = Mapping[str, int] | Sequence[Mapping[str, Any]]


def levels_by_part(levels: Levels) -> list[Mapping[str, int]]:
    """Level vector of every part; of a full-domain release the one of all."""
    return [levels] if isinstance(levels, Mapping) else [part["levels"] for part in levels]


def levels_of(levels: Levels, name: str) -> list[int]:
    """Levels at which a quasi-identifier is stated, ascending.

    >>> levels_of({"AGE": 2}, "AGE"), levels_of([{"levels": {"AGE": 2}}, {"levels": {"AGE": 1}}], "AGE")
    ([2], [1, 2])
    """
    return sorted({part[name] for part in levels_by_part(levels)})


def level_range(levels: Levels, name: str) -> str:
    """The level of a quasi-identifier in words, the lowest and highest where parts differ.

    >>> level_range({"AGE": 2}, "AGE"), level_range([{"levels": {"AGE": 2}}, {"levels": {"AGE": 1}}], "AGE")
    ('2', '1 to 2')
    """
    own = levels_of(levels, name)
    return str(own[0]) if len(own) == 1 else f"{own[0]} to {own[-1]}"


def labels_of(levels: Levels, name: str, hierarchy: Hierarchy) -> list[str | None]:
    """Labels of all levels at which a quasi-identifier is stated."""
    return list(dict.fromkeys(x for level in levels_of(levels, name) for x in hierarchy.share(level)))


def generalize_by_part(column: Column, hierarchy: Hierarchy, levels: Levels, name: str) -> Column:
    """The label of each value at the level of its row's part, null where a row is in none.

    The rows say their part in ``_part``, unless all people have one level vector.
    """
    parts = levels_by_part(levels)
    if isinstance(levels, Mapping):
        return generalize(column, hierarchy, levels[name])
    label = F.lit(None).cast("string")
    for level in levels_of(levels, name):
        own = [number for number, part in enumerate(parts) if part[name] == level]
        label = F.when(F.col(PART).isin(*own), generalize(column, hierarchy, level)).otherwise(label)
    return label


def is_at_some_level(leaf: Column, label: Column, hierarchy: Hierarchy, levels: Sequence[int]) -> Column:
    """True where ``label`` is the leaf's at one of the levels; null is a label like any other."""
    first, *others = (label.eqNullSafe(generalize(leaf, hierarchy, level)) for level in levels)
    for same in others:
        first = first | same
    return first
