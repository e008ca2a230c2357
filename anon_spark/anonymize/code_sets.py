"""k^m-anonymity of sets of codes, such as a person's diagnoses.

An attacker who knows at most m of a person's codes finds at least k people who have them: every combination of at
most m released codes that occurs at all is held by k people. A code is released as a label of its hierarchy, the same
for all people, and no released label lies above another. ``*`` would say no more than that a person has a
code, and would make every other code ``*`` as well: what would have to become ``*`` is left out instead.

Combinations of one code are repaired first, then of two, up to m. Of the labels in failing combinations the one that
is in most of them for the loss it costs is raised to its parent, until half are dealt with; then they are counted
anew. At the end labels go down again where all combinations still hold.

Source: M. Terrovitis, N. Mamoulis, P. Kalnis, Privacy-preserving anonymization of set-valued data, VLDB 2008
(apriori anonymization); the choice by cover per loss and the way back are ours.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import combinations

import numpy as np

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.local_table import Tree, group
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Floats, Ints

_CHUNK = 4_000_000
_EPSILON = 1e-9


@dataclass(frozen=True)
class CodeSets:
    """How each code is released.

    Attributes:
        level: (leaves,) level of the code's label; the hierarchy's height where it is left out.
        loss: mean share of the domain left open over all (person, code) pairs, scaled as L_q; 1 for a code left out.
        suppressed: (person, code) pairs left out.
        pairs: (person, code) pairs of the input.
    """

    level: Ints
    loss: float
    suppressed: int
    pairs: int

    def labels(self, hierarchy: Hierarchy) -> dict[str | None, str | None]:
        """Released label of each code that is not left out."""
        return {
            leaf: hierarchy.label(leaf, int(level))
            for leaf, level in zip(leaf_codes(hierarchy), self.level, strict=True)
            if level < hierarchy.height
        }


@dataclass(frozen=True)
class _Sets:
    """Distinct (person, code) pairs, and the hierarchy: node and loss over (level, leaf); the top is left out."""

    person: Ints
    code: Ints
    node: Ints
    cost: Floats

    @property
    def top(self) -> int:
        return len(self.node) - 1

    def released(self, level: Ints, rows: Bools | None = None) -> tuple[Ints, Ints]:
        """Distinct (person, node) pairs by person and node, of some pairs of the input."""
        kept = level[self.code] < self.top
        kept = kept if rows is None else kept & rows
        code = self.code[kept]
        width = int(self.node.max()) + 1
        pair = np.unique(self.person[kept] * width + self.node[level[code], code])
        return pair // width, pair % width


def generalize_code_sets(person: Ints, code: Ints, hierarchy: Hierarchy, *, k: int, m: int) -> CodeSets:
    """Levels that make every combination of at most m released codes common to k people.

    Args:
        person: (rows,) number of the person.
        code: (rows,) leaf code of one of their codes, as ``leaf_codes`` numbers them.
        k: people who must share a combination.
        m: most codes an attacker knows.

    Raises:
        PolicyError: k or m is below 1.
    """
    if k < 1 or m < 1:
        raise PolicyError(f"k^m-anonymity needs k and m of at least 1, got k = {k}, m = {m}")
    sets = _sets(person, code, hierarchy)
    times = np.bincount(sets.code, minlength=sets.node.shape[1]).astype(np.float64)
    level = np.zeros(sets.node.shape[1], dtype=np.int64)
    for size in range(1, m + 1):
        while len(failing := _failing(*sets.released(level), k, size)):
            level = _raised(sets, times, level, failing)
    level = _lowered(sets, times, level, k, m)
    cost = sets.cost[level, np.arange(len(level))]
    return CodeSets(
        level,
        float(times @ cost / max(times.sum(), 1)),
        int(times[level == sets.top].sum()),
        len(sets.person),
    )


def _sets(person: Ints, code: Ints, hierarchy: Hierarchy) -> _Sets:
    tree = Tree.of(hierarchy, 1.0)
    cost = tree.cost.copy()
    cost[-1] = 1
    width = cost.shape[1]
    pair = np.unique(group([np.asarray(person)])[0] * width + code)
    return _Sets(pair // width, pair % width, tree.node, cost)


def _combinations(person: Ints, node: Ints, size: int) -> Iterator[Ints]:
    """(combinations, size) nodes ascending, of all people, in pieces; each combination once a person."""
    _, first, count = np.unique(person, return_index=True, return_counts=True)
    for length in np.unique(count[count >= size]):
        choose = np.array(list(combinations(range(int(length)), size)), dtype=np.int64)
        starts = first[count == length]
        step = max(1, _CHUNK // len(choose))
        for begin in range(0, len(starts), step):
            yield node[starts[begin : begin + step, None, None] + choose].reshape(-1, size)


def _failing(person: Ints, node: Ints, k: int, size: int, among: Bools | None = None) -> Ints:
    """(combinations, size) combinations of exactly ``size`` nodes that fewer than k people hold.

    Args:
        among: (nodes,) ask only for combinations with one of these.
    """
    pieces = (
        piece if among is None else piece[among[piece].any(axis=1)]
        for piece in _combinations(person, node, size)
    )
    every = np.concatenate([np.zeros((0, size), dtype=np.int64), *pieces])
    number, count = group(list(every.T))
    one = np.empty(count, dtype=np.int64)
    one[number] = np.arange(len(every))
    return every[one[np.bincount(number, minlength=count) < k]]


def _raised(sets: _Sets, times: Floats, level: Ints, failing: Ints) -> Ints:
    """Levels with the best labels raised until half of the failing combinations hold one of them."""
    open_, aim = failing, len(failing) // 2
    while len(open_) > aim:
        held = np.bincount(open_.ravel(), minlength=int(sets.node.max()) + 1)
        target = _best_raise(sets, times, level, held)
        moved = np.flatnonzero(target != level)
        gone = np.unique(sets.node[level[moved], moved])
        open_ = open_[~np.isin(open_, gone).any(axis=1)]
        level = target
    return level


def _best_raise(sets: _Sets, times: Floats, level: Ints, held: Ints) -> Ints:
    """Levels once the label in most failing combinations, for the loss of it, has become its parent.

    All labels below the parent become it too. A label below ``*`` is left out, and it alone.
    """
    every = np.arange(len(level))
    now = sets.node[level, every]
    once = np.zeros(len(level), dtype=np.bool_)
    once[np.unique(now, return_index=True)[1]] = True
    best: tuple[float, Ints] | None = None
    for up in range(1, sets.top + 1):
        above = sets.node[min(up, sets.top - 1)]
        low = level < up
        loss = np.where(low, times * (sets.cost[up] - sets.cost[level, every]), 0)
        cover = np.bincount(above, weights=held[now] * (low & once))
        asked = np.bincount(above, weights=held[now] * (level == up - 1)) > 0
        rank = np.where(asked, cover / np.maximum(np.bincount(above, weights=loss), _EPSILON), 0)
        first = int(rank.argmax())
        if rank[first] > (best[0] if best else 0):
            best = (float(rank[first]), np.where(above == first, np.maximum(level, up), level))
    assert best is not None  # noqa: S101  (a failing combination holds a label below the top)
    return best[1]


def _lowered(sets: _Sets, times: Floats, level: Ints, k: int, m: int) -> Ints:
    """Levels with labels put one step down, the most lossy first, where all combinations still hold."""
    every = np.arange(len(level))
    tried: set[tuple[int, int]] = set()
    while True:
        drop = np.where(level > 0, sets.cost[level, every] - sets.cost[np.maximum(level - 1, 0), every], 0)
        source = np.where(level == sets.top, sets.top - 1, level)
        node = sets.node[source, every]
        saved = np.bincount(node, weights=times * drop, minlength=int(sets.node.max()) + 1)
        order = [int(n) for n in np.argsort(-saved, kind="stable") if saved[n] > 0]
        todo = [(n, int(level[node == n].max())) for n in order]
        todo = [step for step in todo if step not in tried]
        if not todo:
            return level
        for step in todo:
            tried.add(step)
            target = np.where((node == step[0]) & (level == step[1]), level - 1, level)
            if _holds(sets, target, target != level, k, m):
                level = target
                break


def _holds(sets: _Sets, level: Ints, changed: Bools, k: int, m: int) -> bool:
    """Whether no combination with a changed code fails; only people with such a code hold one."""
    has = np.zeros(int(sets.person.max(initial=-1)) + 1, dtype=np.bool_)
    has[sets.person[changed[sets.code]]] = True
    person, node = sets.released(level, has[sets.person])
    new = np.zeros(int(sets.node.max()) + 1, dtype=np.bool_)
    new[sets.node[level[changed], np.flatnonzero(changed)]] = True
    return not any(len(_failing(person, node, k, size, new)) for size in range(1, m + 1))
