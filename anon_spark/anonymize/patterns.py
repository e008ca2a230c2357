"""The sufficient statistic: the pattern table, as arrays on the driver.

People are grouped by their whole multiset of finest quasi-identifier tuples and their sensitive values, with
a count of people. Privacy, loss and risk at every lattice node are functions of it, and tables of disjoint
people add up: the same (pattern, sensitive values) rows with their counts summed.

A tuple is packed into one integer: the sum of its leaf codes times strides, the last quasi-identifier
fastest. Where each person has one row a pattern is one such integer, and nothing else is stored for it.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.errors import InputError, PolicyError

PATTERN, PACKED, PEOPLE, POPULATION = "pattern", "_tuple", "people", "population"
Ints = npt.NDArray[np.int64]
Bools = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class SensitiveValues:
    """Values of one sensitive attribute, by pattern; null is a value like any other.

    Attributes:
        labels: value of every code, null first, then in order.
        codes: (values held,) codes of the first pattern, then of the second, ...
        starts: (patterns + 1,) where each pattern's codes start; None where each has exactly one.
    """

    labels: tuple[str | None, ...]
    codes: npt.NDArray[np.int32]
    starts: Ints | None = None


@dataclass(frozen=True)
class PatternTable:
    """Patterns of people.

    Attributes:
        names: quasi-identifiers, in the order of packing.
        domains: leaf codes of each.
        packed: (tuples,) distinct tuples of the first pattern, then of the second, ...
        people: (patterns,) people who have the pattern; 0 for a row that only the population has.
        starts: (patterns + 1,) where each pattern's tuples start; None where each has exactly one.
        times: (tuples,) how many rows of a person of the pattern hold that tuple; None where all are 1.
        sensitive: values by attribute.
        population: (patterns,) people of the population table, None without one.
        of_rows: quasi-identifiers whose loss counts rows (admissions), not people.
    """

    names: tuple[str, ...]
    domains: tuple[int, ...]
    packed: Ints
    people: Ints
    starts: Ints | None = None
    times: Ints | None = None
    sensitive: Mapping[str, SensitiveValues] = field(default_factory=dict)
    population: Ints | None = None
    of_rows: frozenset[str] = frozenset()

    @property
    def total_people(self) -> int:
        """People in all patterns."""
        return int(self.people.sum())

    @property
    def one_class_each(self) -> bool:
        """Whether every person lies in one class at every node."""
        return self.starts is None

    @property
    def one_value_each(self) -> bool:
        """Whether every person has one value of each sensitive attribute."""
        return all(values.starts is None for values in self.sensitive.values())

    @property
    def pattern(self) -> Ints:
        """(tuples,) which pattern each tuple belongs to."""
        if self.starts is None:
            return np.arange(len(self.people), dtype=np.int64)
        return np.repeat(np.arange(len(self.people), dtype=np.int64), np.diff(self.starts))

    def totals(self) -> dict[str, dict[str | None, int]]:
        """People by value of every sensitive attribute, in the order of the codes."""
        counted = {}
        for name, values in self.sensitive.items():
            held = self.people if values.starts is None else np.repeat(self.people, np.diff(values.starts))
            people = np.bincount(values.codes, held, len(values.labels)).astype(np.int64)
            counted[name] = dict(zip(values.labels, people.tolist(), strict=True))
        return counted

    def leaves(self, quasi_identifier: int) -> Ints:
        """(tuples,) leaf code of one quasi-identifier."""
        stride = strides(self.domains)[quasi_identifier]
        return self.packed // stride % self.domains[quasi_identifier]

    def keys(self, patterns: Bools) -> list[list[int]]:
        """The packed tuples of the marked patterns, each as often as a person has it, as the cluster knows them."""
        starts = np.arange(len(self.people) + 1) if self.starts is None else self.starts
        times = np.ones(len(self.packed), np.int64) if self.times is None else self.times
        return [
            np.repeat(self.packed[a:b], times[a:b]).tolist()
            for a, b in zip(starts[:-1][patterns], starts[1:][patterns], strict=True)
        ]


def domains_of(hierarchies: Mapping[str, Hierarchy]) -> tuple[int, ...]:
    """Leaf codes of every quasi-identifier, null's own included."""
    return tuple(len(leaf_codes(hierarchy)) for hierarchy in hierarchies.values())


def strides(domains: Sequence[int]) -> list[int]:
    """Weight of each quasi-identifier's code in a packed tuple.

    Raises:
        PolicyError: the product of the domains does not fit 62 bits.

    >>> strides([2, 5, 3])
    [15, 3, 1]
    """
    result, product = [], 1
    for size in reversed(domains):
        result.append(product)
        product *= size
    if product >= 2**62:
        raise PolicyError(
            f"the quasi-identifiers' domains multiply to {product:.1e}, more than 62 bits can hold"
        )
    return result[::-1]


def build_patterns(
    rows: pa.Table,
    hierarchies: Mapping[str, Hierarchy],
    sensitive: Sequence[str] = (),
    of_rows: Collection[str] = (),
) -> PatternTable:
    """Arrange collected patterns as arrays.

    Args:
        rows: ``(pattern: list<int64>, people: int64, <sensitive>...)``, a pattern's packed tuples sorted and as
            often as a person has them; a sensitive column is text, or a list of texts where it is a set.
        hierarchies: of every quasi-identifier, in the order of packing.
        of_rows: quasi-identifiers of an admission, as opposed to a person.
    """
    column = _one_chunk(rows[PATTERN])
    lengths = pc.list_value_length(column).to_numpy(zero_copy_only=False).astype(np.int64)
    flat = column.flatten().to_numpy(zero_copy_only=False).astype(np.int64, copy=False)
    pattern = np.repeat(np.arange(len(lengths), dtype=np.int64), lengths)
    first = np.ones(len(flat), dtype=np.bool_)
    first[1:] = (flat[1:] != flat[:-1]) | (pattern[1:] != pattern[:-1])
    begins = np.flatnonzero(first)
    times = np.diff(begins, append=len(flat))
    distinct = np.bincount(pattern[begins], minlength=len(lengths))
    single = bool((distinct == 1).all())
    return PatternTable(
        names=tuple(hierarchies),
        domains=domains_of(hierarchies),
        packed=flat[begins],
        people=_integers(rows[PEOPLE]),
        starts=None if single else np.concatenate(([0], np.cumsum(distinct))).astype(np.int64),
        times=None if (times == 1).all() else times.astype(np.int64),
        sensitive={name: _sensitive(rows[name]) for name in sensitive},
        of_rows=frozenset(of_rows),
    )


def from_histogram(
    rows: pa.Table, hierarchies: Mapping[str, Hierarchy], sensitive: Sequence[str] = ()
) -> PatternTable:
    """Arrange the class histogram of one table with one row a person as arrays.

    Args:
        rows: ``(<quasi-identifiers>..., <sensitive>..., people: int64)`` with values of level 0; null is a value.
            With a column ``population`` it also counts the people of the population table; rows that only that
            table has have 0 ``people``.
        hierarchies: of every quasi-identifier, in the order of packing.

    Raises:
        InputError: naming every hierarchy that does not cover the values, with how many.
        PolicyError: the product of the domains does not fit 62 bits.
    """
    domains = domains_of(hierarchies)
    packed = np.zeros(rows.num_rows, dtype=np.int64)
    problems = []
    for (name, hierarchy), stride in zip(hierarchies.items(), strides(domains), strict=True):
        codes, missing = _leaf_codes_of(rows[name], hierarchy)
        packed += codes * stride
        if missing:
            people = int(_integers(rows[PEOPLE])[codes < 0].sum())
            problems.append(
                f"hierarchy {hierarchy.name} (level 0) does not cover {missing} values of {name} ({people} people)"
            )
    if problems:
        raise InputError("; ".join(problems))
    return PatternTable(
        names=tuple(hierarchies),
        domains=domains,
        packed=packed,
        people=_integers(rows[PEOPLE]),
        sensitive={name: _sensitive(rows[name]) for name in sensitive},
        population=_integers(rows[POPULATION]) if POPULATION in rows.column_names else None,
    )


def from_tuples(
    rows: pa.Table, hierarchies: Mapping[str, Hierarchy], sensitive: Sequence[str] = ()
) -> PatternTable:
    """Arrange a histogram whose tuples the cluster has packed, one row a person, as arrays.

    Args:
        rows: ``(_tuple: int64, <sensitive>..., people: int64)``, with ``population`` as ``from_histogram`` says.
        hierarchies: of every quasi-identifier, in the order of packing.
    """
    return PatternTable(
        names=tuple(hierarchies),
        domains=domains_of(hierarchies),
        packed=_integers(rows[PACKED]),
        people=_integers(rows[PEOPLE]),
        sensitive={name: _sensitive(rows[name]) for name in sensitive},
        population=_integers(rows[POPULATION]) if POPULATION in rows.column_names else None,
    )


def _leaf_codes_of(column: pa.ChunkedArray, hierarchy: Hierarchy) -> tuple[Ints, int]:
    """Leaf code of every row, -1 where there is none, and how many values have none."""
    known = leaf_codes(hierarchy)
    encoded = _encoded(column)
    codes = np.array([known.get(value, -1) for value in encoded.dictionary.to_pylist()], dtype=np.int64)
    indices = encoded.indices.to_numpy(zero_copy_only=False)
    return codes[indices], int((codes < 0).sum())


def _sensitive(column: pa.ChunkedArray) -> SensitiveValues:
    if pa.types.is_list(column.type):
        lists = _one_chunk(column)
        values = _sensitive(pa.chunked_array([lists.flatten()]))
        lengths = pc.list_value_length(lists).to_numpy(zero_copy_only=False)
        return SensitiveValues(values.labels, values.codes, np.concatenate(([0], np.cumsum(lengths))))
    encoded = _encoded(column)
    found = encoded.dictionary.to_pylist()
    labels = sorted(found, key=lambda value: (value is not None, value or ""))
    place = {value: code for code, value in enumerate(labels)}
    codes = np.array([place[value] for value in found], dtype=np.int32)
    return SensitiveValues(tuple(labels), codes[encoded.indices.to_numpy(zero_copy_only=False)])


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    """The column as text, each distinct value once, null among them."""
    if not pa.types.is_dictionary(column.type):
        column = column.cast(pa.string()).dictionary_encode(null_encoding="encode")
        return _one_chunk(column)
    array = _one_chunk(column)
    if not array.null_count:
        return pa.DictionaryArray.from_arrays(array.indices, array.dictionary.cast(pa.string()))
    return _encoded(pa.chunked_array([array.dictionary_decode()]))


def _one_chunk(column: pa.ChunkedArray) -> pa.Array:
    array = column.combine_chunks()
    return array.chunk(0) if isinstance(array, pa.ChunkedArray) else array


def _integers(column: pa.ChunkedArray) -> Ints:
    values: Ints = column.to_numpy().astype(np.int64, copy=False)
    return values
