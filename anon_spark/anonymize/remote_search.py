"""The search over patterns that the driver cannot hold: the same proofs, nodes judged where their classes are.

A node's class table is a histogram again, of the least tuples of its classes, and serves all coarser nodes. So most
nodes are judged on the driver, each from a table of a finer node that was brought there once: the finest that is
thought to fit, going by a sample, below the node that was asked for. A node whose own table does not fit is judged
on the cluster, in parts that hold whole classes (``remote_parts``).
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import islice

import numpy as np
import pyarrow.compute as pc
from pyspark.sql import DataFrame

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.histogram import Recoding
from anon_spark.anonymize.lattice import Budget, Infeasible, Optimum, search_by
from anon_spark.anonymize.patterns import Ints
from anon_spark.anonymize.remote import RemotePatterns
from anon_spark.anonymize.remote_parts import SUMS, Frame, PartTable, added_up, summing, suppressing
from anon_spark.anonymize.rollup import Rollup, coarsen
from anon_spark.anonymize.suppression import OneClassEach, Suppressed
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.utility.loss import Outcome

_HOPELESS = 2.0  # a table thought to be so many times the limit is not asked for
_AHEAD, _AT_ONCE = 64, 32  # nodes that may be next: so many are asked for, so many judged in one job at most
_PART, _ROWS = (
    0.5,
    2**20,
)  # no class that is whole in a part has a larger share of the histogram, or more rows
_AT_HAND = 2  # times the limit: rows of all tables that the driver keeps


def search_remotely(
    patterns: RemotePatterns,
    criteria: Sequence[Criterion],
    *,
    loss: str = "loss_am",
    weights: Mapping[str, float] | None = None,
    suppression_limit: float = 0.0,
    budget: Budget | None = None,
) -> tuple[Optimum | Infeasible, "RemoteEvaluator"]:
    """Find the node of least loss as ``lattice.search`` does, and what judged the nodes.

    Raises:
        PolicyError: there is no such loss, or the weights are of no use.
    """
    limit = int(np.floor(suppression_limit * patterns.total_people + 1e-9))
    judge = RemoteEvaluator(patterns, criteria, limit)
    found = search_by(
        judge,
        patterns.whole_input(),
        criteria,
        limit=limit,
        loss=loss,
        weights=weights,
        budget=budget,
        several=judge,
    )
    return found, judge


@dataclass(frozen=True)
class _AtHand:
    """The class table of one node on the driver."""

    table: PartTable
    judge: OneClassEach


class RemoteEvaluator:
    """Generalizes and suppresses on the driver where a table at hand serves, else on the cluster."""

    def __init__(self, patterns: RemotePatterns, criteria: Sequence[Criterion], limit: int) -> None:
        self._patterns, self._criteria, self._limit = patterns, tuple(criteria), limit
        self._top: Node = tuple(x.height for x in patterns.frame.levels)
        self._at_hand: dict[Node, _AtHand] = {}  # the latest used last
        self._too_large: list[Node] = []
        self._sizes = _Sizes(patterns.frame, patterns.sample, patterns.rows)
        self._part = min(_PART, _ROWS / patterns.rows)
        self.ready: dict[Node, Outcome] = {}  # judged with the node that was asked for
        self._ahead: Callable[[Node], Iterator[Node]] = lambda _: iter(())

    def look_ahead(self, ahead: Callable[[Node], Iterator[Node]]) -> None:
        """Learn how to ask which nodes may be next."""
        self._ahead = ahead

    def outcome(self, node: Node) -> Outcome:
        """What losses and bounds need to know of the node.

        Where it takes a job, that is the one that serves more of the nodes that may be next: bringing a finer
        node's table to the driver, or judging several nodes on the cluster.
        """
        if node not in self.ready:
            near = self._held(node) or self._asked_for(node)
            if near is not None:
                return near.judge.outcome(node)
        return self.ready.pop(node)

    def release(self, node: Node) -> tuple[Suppressed, Classes]:
        """Which rows of the table at hand are taken out by all criteria, and the classes that are left."""
        return self._here(node).judge.release(node)

    def classes(self, node: Node) -> Classes:
        """What criteria see of the node before suppression."""
        return self._here(node).judge.classes(node)

    def suppressed(self, node: Node, recoding: Recoding) -> Ints | DataFrame:
        """The classes taken out: those of the node as the recoding has them, a table's only column if many."""
        near = self._near(node)
        if near is not None:
            rows = near.judge.release(node)[0].patterns
            return np.unique(recoding.classes(near.table.packed[rows]))
        patterns = self._patterns
        work = suppressing(patterns.frame, node, self._criteria, recoding)
        return patterns.histogram.mapped(work, "_class bigint", patterns.recoding(node), rows=patterns.rows)

    def fits(self, node: Node) -> bool:
        """Whether the node's class table fits the driver."""
        return self._near(node) is not None

    def _asked_for(self, node: Node) -> _AtHand | None:
        """A table that serves the node, None if it was judged on the cluster and is ready."""
        ahead = dict.fromkeys(islice(self._ahead(node), _AHEAD))
        others = [other for other in ahead if self._held(other) is None]
        several, apart = self._together(node, others)
        path = self._path(node)
        if path and sum(_is_finer(path[-1], other) for other in others) >= len(several) - 1:
            near = self._bring_one(path)
            if near is not None:
                return near
        self.ready = self._on_cluster(several, apart)
        return None

    def _here(self, node: Node) -> _AtHand:
        near = self._near(node)
        if near is None:
            raise PolicyError(f"the classes of levels {node} are more than {self._patterns.limit} patterns")
        return near

    def _near(self, node: Node) -> _AtHand | None:
        """A table at hand that serves the node, brought here if there is none but one could be."""
        return self._held(node) or self._bring_one(self._path(node))

    def _held(self, node: Node) -> _AtHand | None:
        """The smallest table at hand that serves the node."""
        finer = [base for base in self._at_hand if _is_finer(base, node)]
        if not finer:
            return None
        base = min(finer, key=lambda base: len(self._at_hand[base].table.packed))
        self._at_hand[base] = self._at_hand.pop(base)
        return self._at_hand[base]

    def _path(self, node: Node) -> list[Node]:
        """Ever finer nodes from this one, each by the level that adds the fewest rows, while they may well fit.

        Empty where not even the node itself does.
        """
        limit = self._patterns.limit
        if node != self._top and (self._is_too_large(node) or self._sizes.thought(node) > _HOPELESS * limit):
            return []
        path = [node]
        while True:
            here = path[-1]
            below = [(*here[:q], level - 1, *here[q + 1 :]) for q, level in enumerate(here) if level]
            sized = [(self._sizes.thought(x), x) for x in below if not self._is_too_large(x)]
            least = min(sized, default=(np.inf, node))
            if least[0] > limit:
                return path
            path.append(least[1])

    def _is_too_large(self, node: Node) -> bool:
        return any(_is_finer(node, large) for large in self._too_large)

    def _bring_one(self, path: list[Node]) -> _AtHand | None:
        """The table of the finest node of the path that fits, or nearly: every miss is a job."""
        while path:
            if (brought := self._bring(path[-1])) is not None:
                return brought
            path = path[: len(path) // 2]
        return None

    def _bring(self, node: Node) -> _AtHand | None:
        """The class table of a node, None where it is larger than the limit; that of the top always fits."""
        patterns = self._patterns
        most = None if node == self._top else patterns.limit
        rows = patterns.histogram.class_table(patterns.recoding(node), most)
        if rows is None:
            self._too_large.append(node)
            self._sizes.learn(node, None)
            return None
        self._sizes.learn(node, rows.num_rows)
        table = patterns.frame.table(rows)
        kept = sum(len(held.table.packed) for held in self._at_hand.values()) + rows.num_rows
        while self._at_hand and kept > _AT_HAND * patterns.limit:
            kept -= len(self._at_hand.pop(next(iter(self._at_hand))).table.packed)
        self._at_hand[node] = _AtHand(table, patterns.frame.judge(table, self._criteria, self._limit))
        return self._at_hand[node]

    def _together(self, node: Node, others: Sequence[Node]) -> tuple[list[Node], Node]:
        """The node and those of the others that parts of moderate size can hold whole classes of, and of which node."""
        together, apart = [node], node
        for other in others:
            coarser = tuple(max(a, b) for a, b in zip(apart, other, strict=True))
            if len(together) < _AT_ONCE and (coarser == apart or self._sizes.largest(coarser) <= self._part):
                together.append(other)
                apart = coarser
        return together, apart

    def _on_cluster(self, nodes: Sequence[Node], apart: Node) -> dict[Node, Outcome]:
        """Outcomes of nodes, the classes of another one being whole in each part."""
        patterns = self._patterns
        work = summing(patterns.frame, nodes, self._criteria)
        parts = patterns.histogram.mapped(work, SUMS, patterns.recoding(apart), rows=patterns.rows).toArrow()
        outcomes = {}
        for i, node in enumerate(nodes):
            of_node = parts.filter(pc.field("node") == i)
            seen = added_up(of_node, node, self._criteria, self._limit, len(patterns.units))
            if seen.over_classes(seen.sizes >= 0) > patterns.limit:
                self._too_large.append(node)
            outcomes[node] = seen
        return outcomes


class _Sizes:
    """How many rows class tables are thought to have, going by a sample of the finest.

    The sample and a half of it tell how the number of rows grows with the sample; the growth only slows down.
    """

    def __init__(self, frame: Frame, sample: PartTable, rows: int) -> None:
        half = np.arange(len(sample.packed)) % 2 == 0
        values = {name: replace(v, codes=v.codes[half]) for name, v in sample.sensitive.items()}
        population = None if sample.population is None else sample.population[half]
        less = replace(
            sample,
            packed=sample.packed[half],
            people=sample.people[half],
            sensitive=values,
            population=population,
        )
        self._rollups = [Rollup(t, Coarsening(t, {}, frame.levels)) for t in (sample, less)]
        self._growth = rows / max(len(sample.packed), 1)
        self._scale = 1.0
        self._known: dict[Node, float] = {}
        self._largest: dict[Node, float] = {}

    def thought(self, node: Node) -> float:
        """Rows of the class table of a node."""
        return self._raw(node) * self._scale

    def largest(self, node: Node) -> float:
        """Share of the rows of the finest table that the largest class of a node has."""
        if node not in self._largest:
            whole = self._rollups[0]
            keys, _ = whole.coarsening.keys(whole.leaves.members, node)
            rows = np.unique(keys, return_counts=True)[1]
            self._largest[node] = float(rows.max(initial=0) / max(len(keys), 1))
        return self._largest[node]

    def learn(self, node: Node, rows: int | None) -> None:
        """Set right what is thought of all nodes, by the rows of one: too many where None."""
        self._scale = 2 * self._scale if rows is None else rows / max(self._raw(node), 1)

    def _raw(self, node: Node) -> float:
        if node not in self._known:
            many, few = (len(coarsen(r.leaves, node, r.coarsening, r.attributes.size)) for r in self._rollups)
            slope = float(np.clip(np.log2(max(many, 1) / max(few, 1)), 0, 1))
            self._known[node] = many * self._growth**slope
        return self._known[node]


def _is_finer(node: Node, other: Node) -> bool:
    """Whether no level of the node is coarser than the other's: the same node is."""
    return all(a <= b for a, b in zip(node, other, strict=True))
