"""What the cluster does with a part of the patterns, in NumPy as on the driver.

A part holds some rows of the histogram. Where it holds whole classes of a node, these are judged by the same code
as all classes would be: a criterion looks at one class and the whole input, and every figure of an ``Outcome`` is a
sum over classes. So figures of parts add up to those of the node, and only they leave the cluster.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from anon_spark.anonymize.coarsening import Coarsening, Levels, Node
from anon_spark.anonymize.histogram import Recoding
from anon_spark.anonymize.patterns import (
    PACKED,
    PEOPLE,
    POPULATION,
    Ints,
    PatternTable,
    SensitiveValues,
    strides,
)
from anon_spark.anonymize.suppression import Kinds, OneClassEach
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.released import WholeInput
from anon_spark.utility.loss import Floats, Outcome

Batches = Iterable[pa.RecordBatch]
Work = Callable[[Batches], Iterator[pa.RecordBatch]]

BELOW, TUPLE, VALUE = "below", "tuple", "value"  # what a row of a survey counts
_SURVEY = pa.schema(
    [("what", pa.string()), ("number", pa.int64()), ("code", pa.int64()), ("value", pa.string()),
     ("people", pa.int64()), ("rows", pa.int64())]
)  # fmt: skip
_SUMS = pa.schema(
    [("node", pa.int64()), ("suppressed", pa.int64()), ("certain", pa.int64())]
    + [(name, pa.list_(pa.int64())) for name in ("sizes", "left", "left_by_certain", "more", "times")]
    + [(name, pa.list_(pa.float64())) for name in ("gone", "gone_for_certain")]
)
SURVEY = "what string, number bigint, code bigint, value string, people bigint, rows bigint"
SUMS = (
    "node bigint, suppressed bigint, certain bigint, sizes array<bigint>, left array<bigint>,"
    " left_by_certain array<bigint>, more array<bigint>, times array<bigint>,"
    " gone array<double>, gone_for_certain array<double>"
)
_NOBODY = WholeInput(0, {})


@dataclass(frozen=True)
class PartTable(PatternTable):
    """Some of the patterns, one row a person, judged against the whole input."""

    whole: WholeInput = _NOBODY

    @property
    def total_people(self) -> int:
        """People of the whole input."""
        return self.whole.people

    def totals(self) -> dict[str, dict[str | None, int]]:
        """People of the whole input by value of every sensitive attribute, in the order of the codes."""
        return {name: dict(people) for name, people in self.whole.values.items()}


@dataclass(frozen=True)
class Frame:
    """What all parts of one table have in common.

    Attributes:
        names: quasi-identifiers, in the order of packing.
        domains: leaf codes of each.
        levels: of each, over the leaves that occur anywhere.
        whole: people of the whole input, values in the order of their codes.
    """

    names: tuple[str, ...]
    domains: tuple[int, ...]
    levels: Sequence[Levels]
    whole: WholeInput

    def table(self, rows: pa.Table) -> PartTable:
        """``(_tuple, <sensitive>..., people)``, with ``population`` if there is one, as arrays."""
        return PartTable(
            names=self.names,
            domains=self.domains,
            packed=_integers(rows[PACKED]),
            people=_integers(rows[PEOPLE]),
            sensitive={name: _coded(rows[name], tuple(held)) for name, held in self.whole.values.items()},
            population=_integers(rows[POPULATION]) if POPULATION in rows.column_names else None,
            whole=self.whole,
        )

    def judge(
        self, table: PartTable, criteria: Sequence[Criterion], limit: int | None = None
    ) -> OneClassEach:
        """Judges the classes of a table; beyond ``limit`` people it need not say exactly how many are suppressed."""
        most = self.whole.people if limit is None else limit
        return OneClassEach(table, Coarsening(table, {}, self.levels), Kinds.of(criteria), most)


def surveying(domains: Sequence[int], sensitive: Sequence[str]) -> Work:
    """People by leaf of every quasi-identifier, by value of every sensitive attribute, and by tuples below 0."""

    def survey(batches: Batches) -> Iterator[pa.RecordBatch]:
        rows = _together(batches)
        if rows is None:
            return
        packed, people = _integers(rows[PACKED]), _integers(rows[PEOPLE])
        below = packed < 0
        yield _counted(BELOW, 0, packed[below], people[below], np.ones(below.sum(), np.int64))
        people, packed = people[~below], packed[~below]
        for i, (domain, stride) in enumerate(zip(domains, strides(domains), strict=True)):
            codes = packed // stride % domain
            by_rows = np.bincount(codes, minlength=domain)
            by_people = np.bincount(codes, weights=people, minlength=domain).astype(np.int64)
            held = np.flatnonzero(by_rows)
            yield _counted(TUPLE, i, held, by_people[held], by_rows[held])
        for i, name in enumerate(sensitive):
            grouped = (
                rows.select([name, PEOPLE]).group_by(name).aggregate([(PEOPLE, "sum"), (PEOPLE, "count")])
            )
            values = grouped[name].cast(pa.string()).combine_chunks()
            sums = _integers(grouped[f"{PEOPLE}_sum"]), _integers(grouped[f"{PEOPLE}_count"])
            yield _counted(VALUE, i, np.zeros(len(values), np.int64), *sums, values)

    return survey


def summing(frame: Frame, nodes: Sequence[Node], criteria: Sequence[Criterion]) -> Work:
    """The figures of outcomes at some nodes, over parts that hold whole classes of all: one row a node and part."""
    finest_first = sorted(range(len(nodes)), key=lambda i: sum(nodes[i]))

    def sums(batches: Batches) -> Iterator[pa.RecordBatch]:
        rows = _together(batches)
        if rows is None:
            return
        judge = frame.judge(frame.table(rows), criteria)
        for i in finest_first:
            seen = judge.outcome(nodes[i])
            certain = seen.gone_units if seen.gone_for_certain is None else seen.gone_for_certain()
            figures = {
                "node": i,
                "suppressed": seen.suppressed,
                "certain": seen.certain,
                **_classes_alike(seen),
                "gone": seen.gone_units,
                "gone_for_certain": certain,
            }
            yield pa.RecordBatch.from_pylist([figures], schema=_SUMS)

    return sums


def suppressing(frame: Frame, node: Node, criteria: Sequence[Criterion], recoding: Recoding) -> Work:
    """``(_class)``: the classes of a node that fail, over parts that hold whole classes of it."""

    def suppress(batches: Batches) -> Iterator[pa.RecordBatch]:
        rows = _together(batches)
        if rows is None:
            return
        table = frame.table(rows)
        suppressed, _ = frame.judge(table, criteria).release(node)
        gone = np.unique(recoding.classes(table.packed[suppressed.patterns]))
        yield pa.RecordBatch.from_arrays([pa.array(gone)], names=["_class"])

    return suppress


def added_up(parts: pa.Table, node: Node, criteria: Sequence[Criterion], limit: int, leaves: int) -> Outcome:
    """The outcome of a node from the figures of its parts.

    Args:
        parts: of the node, as ``summing`` makes them.
        limit: people who may be suppressed; beyond, the outcome says no more than a search needs, as on the driver.
        leaves: of all quasi-identifiers.
    """
    kinds = Kinds.of(criteria)
    only_monotone = not (kinds.closed or kinds.others)
    gone, certain = (_summed(parts[name], leaves) for name in ("gone", "gone_for_certain"))
    seen = Outcome(
        node=node,
        suppressed=int(_integers(parts["suppressed"]).sum()),
        certain=int(_integers(parts["certain"]).sum()),
        more=_flat(parts["more"]),
        sizes=_flat(parts["sizes"]),
        left=_flat(parts["left"]),
        left_by_certain=_flat(parts["left_by_certain"]),
        gone=lambda: gone,
        gone_for_certain=None if only_monotone else lambda: certain,
        times=_flat(parts["times"]),
    )
    if only_monotone or seen.certain_in_all <= limit:
        return seen
    return replace(seen, complete=False)


def _classes_alike(seen: Outcome) -> Mapping[str, Ints]:
    """Sizes before and after suppression, each combination once, with how many classes have it."""
    more = np.zeros(len(seen.sizes), np.int64) if seen.more is None else seen.more
    kept = seen.sizes * 4 + (seen.left > 0) * 2 + (seen.left_by_certain > 0)
    _, number = np.unique(kept, return_inverse=True)
    _, at, times = np.unique(
        number * (int(more.max(initial=0)) + 1) + more, return_index=True, return_counts=True
    )
    figures = {"sizes": seen.sizes, "left": seen.left, "left_by_certain": seen.left_by_certain, "more": more}
    return {**{name: figure[at] for name, figure in figures.items()}, "times": times}


def _counted(
    what: str, number: int, codes: Ints, people: Ints, rows: Ints, values: pa.Array | None = None
) -> pa.RecordBatch:
    size = len(codes)
    columns = [
        pa.array([what] * size, pa.string()),
        pa.array(np.full(size, number)),
        pa.array(codes),
        pa.nulls(size, pa.string()) if values is None else values,
        pa.array(people),
        pa.array(rows),
    ]
    return pa.RecordBatch.from_arrays(columns, schema=_SURVEY)


def _coded(column: pa.ChunkedArray, labels: tuple[str | None, ...]) -> SensitiveValues:
    codes = pc.index_in(column.cast(pa.string()), value_set=pa.array(labels, pa.string()))
    return SensitiveValues(labels, codes.to_numpy().astype(np.int32))


def _together(batches: Batches) -> pa.Table | None:
    """The rows of a part, None where it has none."""
    held = [batch for batch in batches if batch.num_rows]
    return pa.Table.from_batches(held) if held else None


def _integers(column: pa.ChunkedArray) -> Ints:
    values: Ints = column.to_numpy().astype(np.int64, copy=False)
    return values


def _flat(column: pa.ChunkedArray) -> Ints:
    if not len(column):
        return np.zeros(0, dtype=np.int64)
    return np.asarray(column.combine_chunks().flatten().to_numpy(zero_copy_only=False), dtype=np.int64)


def _summed(column: pa.ChunkedArray, size: int) -> Floats:
    total = np.zeros(size)
    for part in column:
        total += part.values.to_numpy(zero_copy_only=False)
    return total
