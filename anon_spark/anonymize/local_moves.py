"""Better classes from valid ones: tuples change class, classes dissolve or split, as long as the loss falls.

Every step keeps every class valid. Changes made together touch different classes, each class is checked as it
is afterwards, and a change is taken back when one of its classes fails or when it does not pay. Targets are
sought among neighbours in a lexicographic order of the tuples, which each round begins with another
quasi-identifier: the work per round grows with the number of tuples, not with its square.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from anon_spark.anonymize.local_table import Labels, TupleTable, failing, group
from anon_spark.privacy.classes import Bools, Criterion, Floats, Ints

_EPSILON = 1e-9
_BLOCK = 8_192
_SLICE = 256
_CHECKED = 50_000
_TARGETS = 4
_PLACES = 32
_PLACINGS = 200


@dataclass(frozen=True)
class Targets:
    """Classes each of some tuples could join, cheapest first, and what that adds to the loss; -1 where none."""

    to: Ints
    added: Floats


@dataclass(frozen=True)
class Change:
    """Tuples that move together, and what that should take off the loss."""

    gain: float
    rows: Ints
    to: Ints


def targets(table: TupleTable, labels: Labels, rows: Ints, own: Ints, *, width: int, first: int) -> Targets:
    """The ``width`` cheapest classes for each of ``rows`` to join, its own apart, among its neighbours.

    Args:
        own: class of each row, -1 for none.
        first: quasi-identifier the order of neighbours begins with.
    """
    to = np.full((len(rows), width), -1)
    added = np.full((len(rows), width), np.inf)
    for block, classes in _blocks(table, labels, rows, first):
        costs = [_join_costs(table, labels, q, rows[block], classes) for q in range(len(table.trees))]
        count, spent = labels.people[classes], labels.people[classes] * labels.cost[classes]
        for begin in range(0, len(block), _SLICE):
            part = np.arange(begin, min(begin + _SLICE, len(block)))
            joined = costs[0][0][costs[0][1][part]]
            for matrix, place in costs[1:]:
                joined += matrix[place[part]]
            joined *= count + table.people[rows[block[part]], None]
            joined -= spent
            joined[classes == own[block[part], None]] = np.inf
            to[block[part]], added[block[part]] = _cheapest(joined, classes, width)
    to[np.isinf(added)] = -1
    return Targets(to, added)


def _cheapest(joined: Floats, classes: Ints, width: int) -> tuple[Ints, Floats]:
    """The ``width`` least columns of each row, in order."""
    to = np.full((len(joined), width), -1)
    added = np.full((len(joined), width), np.inf)
    every = np.arange(len(joined))
    for j in range(min(width, len(classes))):
        least = joined.argmin(axis=1)
        to[:, j], added[:, j] = classes[least], joined[every, least]
        joined[every, least] = np.inf
    return to, added


def _blocks(table: TupleTable, labels: Labels, rows: Ints, first: int) -> Iterator[tuple[Ints, Ints]]:
    """Rows (places in ``rows``) and classes that lie together in the order."""
    both = np.concatenate([labels.leaf, table.codes[rows]])
    turn = [(first + i) % both.shape[1] for i in range(both.shape[1])]
    order = np.lexsort([table.trees[q].rank[both[:, q]] for q in reversed(turn)])
    pieces = -(-len(order) // _BLOCK)
    for piece in np.array_split(order, pieces):
        classes = np.sort(piece[piece < len(labels.leaf)])
        block = np.sort(piece[piece >= len(labels.leaf)]) - len(labels.leaf)
        if len(classes) and len(block):
            yield block, classes


def _join_costs(table: TupleTable, labels: Labels, q: int, rows: Ints, classes: Ints) -> tuple[Floats, Ints]:
    """Cost of (distinct leaf, class) if they are joined, and the place of each row's leaf."""
    tree = table.trees[q]
    leaves, place = np.unique(table.codes[rows, q], return_inverse=True)
    top = labels.leaf[classes, q]
    level = np.maximum(tree.join_level(leaves[:, None], top), labels.level[classes, q])
    return tree.cost[level, top].astype(np.float32), place


def move(table: TupleTable, criteria: Sequence[Criterion], owner: Ints, *, turn: int) -> Ints:
    """Let single tuples change class and whole classes dissolve into others, where the loss falls by it."""
    labels, every = table.labels(owner), np.arange(len(owner))
    monotone = all(criterion.monotone for criterion in criteria)
    first = turn % len(table.trees)
    found = targets(table, labels, every, owner, width=1 if monotone else _TARGETS, first=first)
    spent = labels.people * labels.cost
    left = spent[owner] - (labels.people[owner] - table.people) * _cost_without(table, owner)
    hopeful = left - found.added[:, 0] > _EPSILON
    whole = np.bincount(owner, weights=found.added[:, 0]) < spent - _EPSILON
    to, added = _first_valid(table, criteria, owner, found, hopeful | whole[owner])
    leaves = np.flatnonzero(left - added > _EPSILON)
    leaves = leaves[~_breaks(table, criteria, owner, owner[leaves], leaves, -1)]
    changes = [Change(float(left[x] - added[x]), np.array([x]), to[[x]]) for x in leaves]
    gain = spent - np.bincount(owner, weights=added)
    order = np.argsort(owner, kind="stable")
    members = np.split(order, np.cumsum(np.bincount(owner))[:-1])
    changes += [Change(float(gain[c]), members[c], to[members[c]]) for c in np.flatnonzero(gain > _EPSILON)]
    return _apply(table, criteria, owner, labels, changes)


def _cost_without(table: TupleTable, owner: Ints) -> Floats:
    """Cost of each tuple's class once the tuple has left it; 0 where nobody stays."""
    order = np.argsort(owner, kind="stable")
    own = owner[order]
    count = np.bincount(owner)
    start = np.cumsum(count) - count
    alone = count[own] == 1
    other = np.where(np.arange(len(own)) == start[own], np.minimum(start[own] + 1, len(own) - 1), start[own])
    cost = np.zeros(len(own))
    for q, tree in enumerate(table.trees):
        leaf = table.codes[order, q]
        level = np.zeros(len(own), dtype=np.int64)
        for row in tree.node:
            node = row[leaf]
            low, high = np.minimum.reduceat(node, start)[own], np.maximum.reduceat(node, start)[own]
            lows, highs = (np.bincount(own, weights=node == end)[own] for end in (low, high))
            one_apart = ((node == low) & (highs == count[own] - 1)) | (
                (node == high) & (lows == count[own] - 1)
            )
            level += (low != high) & ~one_apart
        cost += tree.cost[np.minimum(level, len(tree.node) - 1), leaf[other]]
    cost[alone] = 0
    result = np.empty(len(own))
    result[order] = cost
    return result


def _first_valid(
    table: TupleTable, criteria: Sequence[Criterion], owner: Ints, found: Targets, asked: Bools
) -> tuple[Ints, Floats]:
    """The cheapest target that stays valid with the tuple in it; others than ``asked`` have none."""
    to, added = np.full(len(owner), -1), np.full(len(owner), np.inf)
    monotone = all(criterion.monotone for criterion in criteria)
    for j in range(found.to.shape[1]):
        rows = np.flatnonzero(asked & (to < 0) & (found.to[:, j] >= 0))
        if not monotone:  # else a valid class stays valid with more people
            rows = rows[~_breaks(table, criteria, owner, found.to[rows, j], rows, 1)]
        to[rows], added[rows] = found.to[rows, j], found.added[rows, j]
    return to, added


def _breaks(
    table: TupleTable, criteria: Sequence[Criterion], owner: Ints, which: Ints, rows: Ints, sign: int
) -> Bools:
    """Whether the class would fail with (1) or without (-1) the row; a class left empty fails."""
    placed = np.flatnonzero(owner >= 0)
    classes = table.classes(owner[placed], int(owner.max()) + 1, placed)
    parts = [np.zeros(0, dtype=np.bool_)]
    for begin in range(0, len(rows), _CHECKED):
        part = slice(begin, begin + _CHECKED)
        altered = table.altered(classes, which[part], rows[part], sign)
        parts.append(failing(altered, criteria) | (altered.sizes == 0))
    return np.concatenate(parts)


def _apply(
    table: TupleTable, criteria: Sequence[Criterion], owner: Ints, labels: Labels, changes: Sequence[Change]
) -> Ints:
    """Make the changes that touch different classes, the most gainful first; take back what fails."""
    if not changes:
        return owner
    by = np.full(len(labels.people), -1)
    new = owner.copy()
    for i in sorted(range(len(changes)), key=lambda i: (-changes[i].gain, int(changes[i].rows[0]))):
        touched = np.append(changes[i].to, owner[changes[i].rows[0]])
        if (by[touched] < 0).all():
            by[touched] = i
            new[changes[i].rows] = changes[i].to
    return _take_back(table, criteria, owner, new, by, len(changes))


def _take_back(
    table: TupleTable, criteria: Sequence[Criterion], owner: Ints, new: Ints, by: Ints, count: int
) -> Ints:
    """Undo each change, by class in ``by``, that breaks a class or costs more than it saves."""
    kept, names = np.unique(new, return_inverse=True)
    before, after = table.labels(owner), table.labels(names)
    touched = by >= 0
    saved = np.bincount(by[touched], weights=(before.people * before.cost)[touched], minlength=count)
    last = by[kept]
    saved -= np.bincount(last[last >= 0], weights=(after.people * after.cost)[last >= 0], minlength=count)
    wrong = saved <= 0
    fails = failing(table.classes(names, len(kept)), criteria)
    wrong[last[fails & (last >= 0)]] = True
    undone = touched & wrong[by]
    return group([np.where(undone[owner], owner, new)])[0]


def split(table: TupleTable, criteria: Sequence[Criterion], owner: Ints) -> Ints:
    """Split classes along one hierarchy each, one level down, until no more can be.

    Children that fail stay together under the label their class had, if together they are a valid class.
    Each class takes the quasi-identifier that gains most.
    """
    active = np.ones(len(owner), dtype=np.bool_)
    while active.any():
        rows = np.flatnonzero(active)
        part, count = group([owner[rows]])
        labels = table.labels(owner)
        ways = [_split_along(table, criteria, rows, part, labels, owner, q) for q in range(len(table.trees))]
        gains = np.array([_gain(table, rows, way, part, count) for way in ways])
        best, gain = gains.argmax(axis=0), gains.max(axis=0)
        does = (gain > _EPSILON)[part]
        chosen = np.array(ways)[best[part], np.arange(len(rows))]
        active[rows[~does]] = False
        owner = owner.copy()
        owner[rows[does]] = int(owner.max()) + 1 + group([part[does], chosen[does]])[0]
        owner = group([owner])[0]
    return owner


def _split_along(
    table: TupleTable,
    criteria: Sequence[Criterion],
    rows: Ints,
    part: Ints,
    labels: Labels,
    owner: Ints,
    q: int,
) -> Ints:
    """New number of each row's class within its part: its child's, or 0 where it stays with the rest."""
    node = table.trees[q].node
    child = node[np.maximum(labels.level[owner[rows], q] - 1, 0), table.codes[rows, q]]
    cell, cells = group([part, child])
    rest = failing(table.classes(cell, cells, rows), criteria)[cell]
    stay = np.flatnonzero(rest)
    fails = failing(table.classes(part[stay], int(part.max()) + 1, rows[stay]), criteria)
    return np.where(rest | fails[part], 0, 1 + child)


def _gain(table: TupleTable, rows: Ints, way: Ints, part: Ints, count: int) -> Floats:
    """What each part loses less once it is split."""
    sub = TupleTable(table.codes[rows], table.people[rows], {}, table.trees)
    cell, _ = group([part, way])
    before, after = sub.labels(part), sub.labels(cell)
    people = sub.people
    saved = before.cost[part] - after.cost[cell]
    return np.bincount(part, weights=people * saved, minlength=count).astype(np.float64)


def place(table: TupleTable, criteria: Sequence[Criterion], owner: Ints) -> Ints:
    """Let the tuples without a class (-1) join the classes where they add least; who cannot form one class."""
    owner = owner.copy()
    for turn in range(_PLACINGS):
        rest = np.flatnonzero(owner < 0)
        if not len(rest) or owner.max() < 0:
            break
        placed = np.flatnonzero(owner >= 0)
        sub = TupleTable(table.codes[placed], table.people[placed], {}, table.trees)
        labels = sub.labels(owner[placed])
        first = turn % len(table.trees)
        found = targets(table, labels, rest, np.full(len(rest), -1), width=_PLACES, first=first)
        every = Targets(np.full((len(owner), _PLACES), -1), np.full((len(owner), _PLACES), np.inf))
        every.to[rest], every.added[rest] = found.to, found.added
        to, added = _first_valid(table, criteria, owner, every, owner < 0)
        rows = rest[to[rest] >= 0]
        rows = rows[np.lexsort((rows, added[rows]))]
        _, one = np.unique(to[rows], return_index=True)
        if not len(one) and turn >= len(table.trees):
            break
        owner[rows[one]] = to[rows[one]]
    left = owner < 0
    owner[left] = owner.max() + 1
    return owner
