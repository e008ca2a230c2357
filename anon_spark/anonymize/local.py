"""Local recoding: each class of people is released under its own labels, exact where the data allow it.

Full-domain generalization coarsens a value everywhere because it is rare somewhere. Here a value may stay exact
in one class and be coarse in another; what is released is always a node of the hierarchy. A class is all the
people released with one tuple of labels, and every class meets every criterion.

1. *Repeated search over what would be suppressed.* Nodes of the lattice are visited from the least loss upwards.
   The cells of the people that are still left which meet the criteria become classes, and the search goes on with
   the others, who would have been suppressed.
2. Tuples that are left at the end join the classes where they add least.
3. Labels are drawn in to the lowest nodes above the class's tuples. Then, while it pays, classes split top-down
   along their hierarchies, single tuples change class, and classes dissolve into others (``local_moves``).

Classes with the same labels are one class, as the attacker sees it. The union of two valid classes is valid for
every criterion here, since each bounds counts from below or a convex function of the class's shares; it is
checked all the same. The same argument shows that nothing can be done when the whole table as one class fails.

Tuples with the same people's values stay together, so the release is a function of (tuple, sensitive values)
and does not depend on the order of rows. As with any method that looks at sensitive values to form classes, an
attacker who reruns it learns more than the labels say (Wong et al., Minimality attack, VLDB 2007).

People who are in several classes are not covered: their classes break each other.

Sources: V. Iyengar, Transforming data to satisfy privacy constraints, KDD 2002 (loss); J. Xu et al., Utility-based
anonymization using local recoding, KDD 2006.
"""

import heapq
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.local_moves import move, place, split
from anon_spark.anonymize.local_table import Labels, Tree, TupleTable, failing, group, valid_cells
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Criterion, Floats, Ints

_FLOOR = 1e-10
_WORTH = 1e-3
_CAPS = (1.2, 0.9, 0.6)
_WORTH_TRIMMING = 10


@dataclass(frozen=True)
class LocalRecoding:
    """Classes of a local recoding, in ascending order of their first tuple.

    Attributes:
        names: quasi-identifiers, in the order of columns.
        owner: (tuples,) class of each input tuple.
        leaf: (classes, quasi-identifiers) code of a leaf under the class's label.
        level: (classes, quasi-identifiers) level of the label.
        people: (classes,) people of each class.
        losses: loss of each quasi-identifier, L_q.
        loss: their weighted mean; ``loss_am`` with equal weights.
    """

    names: tuple[str, ...]
    owner: Ints
    leaf: Ints
    level: Ints
    people: Ints
    losses: dict[str, float]
    loss: float

    def class_labels(self, hierarchies: Mapping[str, Hierarchy]) -> dict[str, list[str | None]]:
        """Label of each class by quasi-identifier, as it is written."""
        written = {}
        for q, name in enumerate(self.names):
            leaves = list(leaf_codes(hierarchies[name]))
            pairs = zip(self.leaf[:, q], self.level[:, q], strict=True)
            written[name] = [hierarchies[name].label(leaves[leaf], int(level)) for leaf, level in pairs]
        return written

    def tuple_labels(self, hierarchies: Mapping[str, Hierarchy]) -> dict[str, list[str | None]]:
        """Released label of each input tuple by quasi-identifier."""
        return {
            name: [labels[c] for c in self.owner] for name, labels in self.class_labels(hierarchies).items()
        }


def recode_locally(
    codes: Ints,
    people: Ints,
    *,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
    sensitive: Mapping[str, Ints] | None = None,
    pattern: Ints | None = None,
    weights: Sequence[float] | None = None,
    nodes: int = 20_000,
    rounds: int = 4,
) -> LocalRecoding:
    """Classes that all meet the criteria, nobody suppressed, with little loss.

    Args:
        codes: (tuples, quasi-identifiers) leaf codes, as ``leaf_codes`` numbers them; null has its own.
        people: (tuples,) people of each tuple, at least 1.
        hierarchies: of every quasi-identifier, in the order of columns.
        criteria: what every class must meet.
        sensitive: (tuples,) code of each sensitive attribute's value, by the name the criteria use.
        pattern: (tuples,) pattern of each tuple, where a person may have several.
        weights: of the quasi-identifiers in the loss, default equal.
        nodes: most nodes of the lattice that are visited.
        rounds: most rounds of improvement.

    Returns:
        the classes; the same whatever the order of the tuples.

    Raises:
        PolicyError: a person has several tuples, there is nobody, or all people together fail a criterion.
    """
    if pattern is not None and len(np.unique(pattern)) < len(pattern):
        several = len(pattern) - len(np.unique(pattern))
        raise PolicyError(f"local recoding needs one tuple a person; there are {several} tuples too many")
    if not len(people):
        raise PolicyError("local recoding: there is nobody in the table")
    share = np.ones(len(hierarchies)) if weights is None else np.asarray(weights, dtype=np.float64)
    table, row = _table(codes, people, sensitive or {}, hierarchies, share / share.sum())
    _check_whole(table, criteria)
    owner = _searched(table, criteria, nodes)
    owner = _united(table, criteria, place(table, criteria, owner))
    owner = _improved(table, criteria, owner, rounds)
    return _result(table, owner, row, hierarchies, share / share.sum())


def _table(
    codes: Ints,
    people: Ints,
    sensitive: Mapping[str, Ints],
    hierarchies: Mapping[str, Hierarchy],
    weights: Floats,
) -> tuple[TupleTable, Ints]:
    """The table in its own order, equal rows added up; and the place of each input tuple in it."""
    columns = [*codes.T, *sensitive.values()]
    row, count = group([np.asarray(column, dtype=np.int64) for column in columns])
    one = np.empty(count, dtype=np.int64)
    one[row] = np.arange(len(row))
    trees = [Tree.of(h, w) for h, w in zip(hierarchies.values(), weights, strict=True)]
    summed = np.bincount(row, weights=people, minlength=count).astype(np.int64)
    values = {name: np.asarray(column, dtype=np.int64)[one] for name, column in sensitive.items()}
    return TupleTable(np.asarray(codes, dtype=np.int64)[one], summed, values, trees), row


def _check_whole(table: TupleTable, criteria: Sequence[Criterion]) -> None:
    """Refuse what no recoding can meet.

    Raises:
        PolicyError: naming the criteria that all people as one class fail.
    """
    whole = table.classes(np.zeros(len(table.people), dtype=np.int64), 1)
    wrong = [type(criterion).__name__ for criterion in criteria if criterion.failing(whole).any()]
    if wrong:
        raise PolicyError(
            f"no recoding meets {', '.join(wrong)}: all {table.total_people} people as one class do not"
        )


def _searched(table: TupleTable, criteria: Sequence[Criterion], limit: int) -> Ints:
    """Class of each tuple at the first node where its cell, of those still left, is valid; -1 where none is."""
    owner = np.full(len(table.people), -1)
    rest, count = np.arange(len(owner)), 0
    caps = () if all(criterion.monotone for criterion in criteria) else _CAPS
    for node in _nodes(table, limit):
        columns = [tree.node[level] for tree, level in zip(table.trees, node, strict=True)]
        cell, cells = group([column[table.codes[rest, q]] for q, column in enumerate(columns)])
        taken = valid_cells(table, criteria, cell, cells, rest)[cell]
        _trim(table, criteria, rest, cell, cells, taken, caps)
        if taken.any():
            number, more = group([cell[taken]])
            owner[rest[taken]] = number + count
            rest, count = rest[~taken], count + more
        if not len(rest):
            break
    return owner


def _trim(
    table: TupleTable,
    criteria: Sequence[Criterion],
    rest: Ints,
    cell: Ints,
    cells: int,
    taken: Bools,
    caps: Sequence[float],
) -> None:
    """Also take what is valid of a cell once its common sensitive values are capped, the mildest cap that does."""
    size = np.bincount(cell, weights=table.people[rest], minlength=cells)
    part = np.flatnonzero(~taken & (size >= _WORTH_TRIMMING)[cell])
    if not caps or not len(part):
        return
    crowding = table.crowding(rest[part], cell[part], cells)
    for cap in caps:
        kept = part[crowding < cap]
        valid = valid_cells(table, criteria, cell[kept], cells, rest[kept])
        taken[kept] = valid[cell[kept]]
        other = ~valid[cell[part]]
        part, crowding = part[other], crowding[other]


def _nodes(table: TupleTable, limit: int) -> Iterator[tuple[int, ...]]:
    """Nodes in ascending order of their mean cost, the first ``limit`` of them.

    The costs are rounded, so that equal ones are equal whatever the order in which they were added up. Every node
    but the finest is reached from one other alone: the one with its last raised level lowered.
    """
    share = table.people / table.total_people
    costs = [
        [
            round(float((share * tree.cost[level][table.codes[:, q]]).sum()), 12)
            for level in range(len(tree.node))
        ]
        for q, tree in enumerate(table.trees)
    ]
    heap = [(sum(cost[0] for cost in costs), (0,) * len(costs), 0)]
    for _ in range(limit):
        if not heap:
            return
        _, node, last = heapq.heappop(heap)
        yield node
        for q in range(last, len(node)):
            if node[q] + 1 < len(costs[q]):
                above = (*node[:q], node[q] + 1, *node[q + 1 :])
                heapq.heappush(
                    heap, (sum(cost[level] for cost, level in zip(costs, above, strict=True)), above, q)
                )


def _improved(table: TupleTable, criteria: Sequence[Criterion], owner: Ints, rounds: int) -> Ints:
    """Split and move while a round takes off more than a thousandth of the loss."""
    loss = table.labels(owner).total
    for turn in range(rounds):
        better = _united(table, criteria, split(table, criteria, owner))
        better = _united(table, criteria, move(table, criteria, better, turn=turn))
        now = table.labels(better).total
        if now >= loss:
            break
        owner, loss, before = better, now, loss
        if before - now < _WORTH * before:
            break
    return owner


def _united(table: TupleTable, criteria: Sequence[Criterion], owner: Ints) -> Ints:
    """Make classes with the same labels one, and those that fail one with the class that adds least."""
    while True:
        labels = table.labels(owner)
        columns = [tree.node[labels.level[:, q], labels.leaf[:, q]] for q, tree in enumerate(table.trees)]
        same, count = group(columns)
        if count < len(labels.people):
            owner = group([same[owner]])[0]
            continue
        wrong = np.flatnonzero(failing(table.classes(owner, count), criteria))
        if not len(wrong):
            return owner
        owner = group([np.where(owner == wrong[0], _nearest(table, labels, int(wrong[0])), owner)])[0]


def _nearest(table: TupleTable, labels: Labels, one: int) -> int:
    """Class that adds least to the loss when it is made one with class ``one``."""
    cost = np.zeros(len(labels.people))
    for q, tree in enumerate(table.trees):
        level = np.maximum(labels.level[:, q], labels.level[one, q])
        level = np.maximum(level, tree.join_level(labels.leaf[:, q], labels.leaf[one, q]))
        cost += tree.cost[level, labels.leaf[:, q]]
    added = (labels.people + labels.people[one]) * cost - labels.people * labels.cost
    added[one] = np.inf
    return int(added.argmin())


def _result(
    table: TupleTable, owner: Ints, row: Ints, hierarchies: Mapping[str, Hierarchy], weights: Floats
) -> LocalRecoding:
    """Number the classes by their first tuple and measure the loss of each quasi-identifier."""
    _, first = np.unique(owner, return_index=True)
    number = np.empty(len(first), dtype=np.int64)
    number[np.argsort(first)] = np.arange(len(first))
    owner = number[owner]
    labels = table.labels(owner)
    losses = {}
    for q, (name, weight) in enumerate(zip(hierarchies, weights, strict=True)):
        tree = table.trees[q] if weight > 0 else Tree.of(hierarchies[name], 1.0)
        cost = (tree.cost[labels.level[:, q], labels.leaf[:, q]] * labels.people).sum()
        losses[name] = max(float(cost) / table.total_people / (weight or 1.0), _FLOOR)
    loss = float(np.dot(list(losses.values()), weights))
    return LocalRecoding(
        tuple(hierarchies), owner[row], labels.leaf, labels.level, labels.people, losses, loss
    )
