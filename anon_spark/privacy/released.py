"""Classes of released rows, by the labels that stand in them: how an attacker counts, apart from the engine's codes."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa

from anon_spark.privacy.classes import Classes, Ints, SensitiveCounts

PEOPLE, VALUE = "people", "value"


@dataclass(frozen=True)
class WholeInput:
    """What relative criteria compare with: people of the whole input, and of them by value of each attribute."""

    people: int
    values: Mapping[str, Mapping[str | None, int]]


def classes_of(
    sizes: pa.Table,
    pairs: Mapping[str, pa.Table],
    *,
    keys: Sequence[str],
    whole: WholeInput,
    population: pa.Table | None = None,
) -> Classes:
    """Arrange counted classes as arrays; null is a label and a value like any other.

    Args:
        sizes: ``(<keys>..., people)``; rows with the same keys add up.
        pairs: by sensitive attribute, ``(<keys>..., value, people)``; equal rows add up.
        keys: columns that hold the labels.
        population: ``(<keys>..., people)`` of the population's table; its further classes are left out.
        whole: values that it lacks are numbered after its own, with nobody in the input.
    """
    tables = [sizes, *pairs.values(), *([] if population is None else [population])]
    owner, *owners = _numbered([table.select(list(keys)) for table in tables])
    count = int(max((x.max(initial=-1) for x in (owner, *owners)), default=-1)) + 1
    people = _summed(owner, _people(sizes), count)
    known = None if population is None else _summed(owners[-1], _people(population), count)
    if known is not None:  # labels that nobody in the file has are no class of it
        keep = people > 0
        place = np.cumsum(keep) - 1
        owners = [place[of] for of in owners]
        people, known = people[keep], known[keep]
    sensitive = {
        name: _counts(table, of, whole.values.get(name, {}))
        for (name, table), of in zip(pairs.items(), owners, strict=False)
    }
    return Classes(people, whole.people, sensitive, known)


def _numbered(tables: Sequence[pa.Table]) -> list[Ints]:
    """Number of each row's class, the same labels having the same number in all tables."""
    whole = pa.concat_tables(
        [table.cast(pa.schema([(n, pa.string()) for n in table.column_names])) for table in tables]
    )
    owner = np.zeros(whole.num_rows, dtype=np.int64)
    for name in whole.column_names:
        codes, size = _codes(whole[name], {})
        owner = np.unique(owner * size + codes, return_inverse=True)[1].astype(np.int64)
    ends = np.cumsum([table.num_rows for table in tables])
    return [np.asarray(part) for part in np.split(owner, ends[:-1])]


def _counts(table: pa.Table, owner: Ints, totals: Mapping[str | None, int]) -> SensitiveCounts:
    place = {value: i for i, value in enumerate(totals)}
    codes, size = _codes(table[VALUE].cast(pa.string()), place)
    pair, inverse = np.unique(owner * size + codes, return_inverse=True)
    whole = np.array([*totals.values(), *[0] * (size - len(totals))], dtype=np.int64)
    return SensitiveCounts(pair // size, pair % size, _summed(inverse, _people(table), len(pair)), whole)


def _codes(column: pa.ChunkedArray, place: dict[str | None, int]) -> tuple[Ints, int]:
    """Code of every row, new values being numbered after those in ``place``; and how many codes there are."""
    encoded = column.combine_chunks().dictionary_encode(null_encoding="encode")
    if isinstance(encoded, pa.ChunkedArray):
        encoded = encoded.combine_chunks()
    known = [place.setdefault(value, len(place)) for value in encoded.dictionary.to_pylist()]
    codes = np.array(known, dtype=np.int64)[encoded.indices.to_numpy(zero_copy_only=False)]
    return codes, max(len(place), 1)


def _people(table: pa.Table) -> Ints:
    return np.asarray(table[PEOPLE].to_numpy(), dtype=np.int64)


def _summed(owner: Ints, people: Ints, count: int) -> Ints:
    return np.bincount(owner, weights=people, minlength=count).astype(np.int64)
