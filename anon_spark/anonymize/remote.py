"""Patterns that the driver cannot hold: the histogram stays on the cluster, the driver knows its marginals.

What a search asks of it are class tables of nodes that fit the driver, and figures of parts that hold whole classes.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.coarsening import Node, levels_of
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import Recoding, column
from anon_spark.anonymize.patterns import PACKED, PEOPLE, POPULATION, Ints, domains_of
from anon_spark.anonymize.remote_parts import BELOW, SURVEY, TUPLE, VALUE, Frame, PartTable, Work, surveying
from anon_spark.privacy.released import WholeInput
from anon_spark.utility.loss import Floats, Input

_ROWS_A_PART = 2**19
_SAMPLE = 2**16


class ClusterHistogram:
    """``(_tuple, <sensitive>..., people)``, with ``population`` if there is one, on the cluster."""

    def __init__(self, rows: DataFrame, sensitive: Sequence[str]) -> None:
        self._rows, self.sensitive = rows, tuple(sensitive)

    def mapped(self, work: Work, schema: str, classes: Recoding | None = None, *, rows: int = 0) -> DataFrame:
        """What ``work`` makes of every part; with ``classes``, of parts that hold whole ones of them.

        Args:
            rows: of the histogram: the more, the more parts.
        """
        of = self._rows
        if classes is not None:
            least = int(of.sparkSession.conf.get("spark.sql.shuffle.partitions") or 1)
            of = of.repartition(max(least, rows // _ROWS_A_PART), classes.class_column())
        return of.mapInArrow(work, schema)

    def class_table(self, classes: Recoding, most: int | None) -> pa.Table | None:
        """The histogram of the classes' least tuples, None where it has more than ``most`` rows."""
        counts = [name for name in (PEOPLE, POPULATION) if name in self._rows.columns]
        counted = self._rows.groupBy(classes.class_column().alias(PACKED), *self._values()).agg(
            *(F.sum(name).alias(name) for name in counts)
        )
        table = (counted if most is None else counted.limit(most + 1)).toArrow()
        return None if most is not None and table.num_rows > most else table

    def sample(self, one_of: int) -> pa.Table:
        """About one of so many rows, chosen by hash."""
        hashed = F.xxhash64(PACKED, *self._values())
        return self._rows.where(F.pmod(hashed, F.lit(one_of)) == 0).toArrow()

    def _values(self) -> list[Column]:
        return [column(name) for name in self.sensitive]


@dataclass(frozen=True)
class RemotePatterns:
    """A histogram on the cluster, and what the driver knows of it.

    Attributes:
        histogram: one row a combination of tuple and sensitive values.
        rows: how many.
        hierarchies: of every quasi-identifier, in the order of packing.
        frame: what all tables made from it have in common.
        units: people by leaf, all quasi-identifiers side by side.
        sample: some of the rows.
        limit: rows of a table that the driver may hold.
    """

    histogram: ClusterHistogram
    rows: int
    hierarchies: Mapping[str, Hierarchy]
    frame: Frame
    units: Floats
    sample: PartTable
    limit: int

    @property
    def total_people(self) -> int:
        """People in all patterns."""
        return self.frame.whole.people

    def totals(self) -> Mapping[str, Mapping[str | None, int]]:
        """People by value of every sensitive attribute, in the order of the codes."""
        return self.frame.whole.values

    def recoding(self, node: Node) -> Recoding:
        """Classes of a node by their least tuple of leaves that occur."""
        levels = dict(zip(self.frame.names, node, strict=True))
        return Recoding(self.hierarchies, levels, [x.leaves for x in self.frame.levels])

    def whole_input(self) -> Input:
        """The input as losses see it."""
        levels = self.frame.levels
        return Input(
            names=self.frame.names,
            levels=levels,
            offsets=np.concatenate(([0], np.cumsum([len(x.leaves) for x in levels]))),
            units=self.units,
            people=self.total_people,
            one_class_each=True,
        )


@dataclass(frozen=True)
class Survey:
    """People and rows of the histogram by leaf, by value and by tuples below 0, as ``surveying`` counts them."""

    counted: pa.Table
    histogram: ClusterHistogram
    hierarchies: Mapping[str, Hierarchy]

    @classmethod
    def of(cls, histogram: ClusterHistogram, hierarchies: Mapping[str, Hierarchy]) -> "Survey":
        """One pass over the histogram."""
        work = surveying(domains_of(hierarchies), histogram.sensitive)
        return cls(histogram.mapped(work, SURVEY).toArrow(), histogram, hierarchies)

    def tuples(self) -> pa.Table:
        """``(_tuple, people)``: every tuple below 0, and 0 for all others."""
        below, people, _ = self._of(BELOW, 0)
        return pa.table({PACKED: [*below, 0], PEOPLE: [*people, self._of(TUPLE, 0)[1].sum()]})

    def patterns(self, limit: int) -> RemotePatterns:
        """The histogram with what was counted, no tuple being below 0."""
        leaves = [self._of(TUPLE, i) for i in range(len(self.hierarchies))]
        levels = [
            levels_of(tree, codes)
            for tree, (codes, _, _) in zip(self.hierarchies.values(), leaves, strict=True)
        ]
        values = {name: self._values(i) for i, name in enumerate(self.histogram.sensitive)}
        frame = Frame(
            names=tuple(self.hierarchies),
            domains=domains_of(self.hierarchies),
            levels=levels,
            whole=WholeInput(int(leaves[0][1].sum()), values),
        )
        rows = int(leaves[0][2].sum())
        return RemotePatterns(
            histogram=self.histogram,
            rows=rows,
            hierarchies=self.hierarchies,
            frame=frame,
            units=np.concatenate([people for _, people, _ in leaves]).astype(np.float64),
            sample=frame.table(self.histogram.sample(-(-rows // min(limit, _SAMPLE)))),
            limit=limit,
        )

    def _of(self, what: str, number: int) -> tuple[Ints, Ints, Ints]:
        """Codes in order, people and rows of each."""
        chosen = self._chosen(what, number).group_by("code").aggregate([("people", "sum"), ("rows", "sum")])
        chosen = chosen.sort_by("code")
        codes, people, rows = (chosen[name].to_numpy() for name in ("code", "people_sum", "rows_sum"))
        return codes, people, rows

    def _values(self, number: int) -> dict[str | None, int]:
        """People by value, null first, then in order."""
        chosen = self._chosen(VALUE, number).group_by("value").aggregate([("people", "sum")])
        people = dict(zip(chosen["value"].to_pylist(), chosen["people_sum"].to_pylist(), strict=True))
        return {value: people[value] for value in sorted(people, key=lambda x: (x is not None, x or ""))}

    def _chosen(self, what: str, number: int) -> pa.Table:
        return self.counted.filter((pc.field("what") == what) & (pc.field("number") == number))
