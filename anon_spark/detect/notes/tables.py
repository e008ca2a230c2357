"""Sums of a model's weights, made when first asked for and kept: many at once, so that a new word costs little."""

from collections.abc import Callable, Mapping, Sequence
from itertools import chain

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

Floats = NDArray[np.float32]
MOST_MADE = 4_000  # keys made together


class Table:
    """Sums of weights by key (a number), made when a key is first seen.

    ``make`` gives, for a key, the rows of weights to be summed.
    """

    def __init__(self, state: Floats, make: Callable[[int], Sequence[int]]) -> None:
        self._state, self._make = state, make
        self.clear()

    def clear(self) -> None:
        """Forget every key."""
        self._keys = np.empty(0, np.int64)
        self._place = np.empty(0, np.intp)
        self._kept = 0
        self.values: Floats = np.zeros((1024, self._state.shape[1]), np.float32)

    def __len__(self) -> int:
        return self._kept

    def rows(self, keys: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row of ``values`` of each key; what is not there is made."""
        at = np.searchsorted(self._keys, keys)
        known = at < len(self._keys)
        known[known] = self._keys[at[known]] == keys[known]
        if not known.all():
            new = np.unique(keys[~known])
            begun = self._fill(new)
            places = np.searchsorted(self._keys, new)
            self._keys = np.insert(self._keys, places, new)
            self._place = np.insert(self._place, places, np.arange(begun, begun + len(new)))
            at = np.searchsorted(self._keys, keys)
        return self._place[at]

    def _fill(self, keys: NDArray[np.int64]) -> int:
        """Make the values of new keys, and say in which row they begin."""
        begun, count = self._kept, len(keys)
        while begun + count > len(self.values):
            self.values = np.concatenate([self.values, np.zeros_like(self.values)])
        for first in range(0, count, MOST_MADE):
            lists = list(map(self._make, keys[first : first + MOST_MADE].tolist()))
            ends = np.cumsum([0, *map(len, lists)])
            rows = np.fromiter(chain.from_iterable(lists), np.int64, int(ends[-1]))
            which = csr_matrix((np.ones(len(rows), np.float32), rows, ends), (len(lists), len(self._state)))
            self.values[begun + first : begun + first + len(lists)] = which @ self._state
        self._kept += count
        return begun


class DenseTable(Table):
    """As :class:`Table`, for keys that begin at 0 and leave few out."""

    def rows(self, keys: NDArray[np.int64]) -> NDArray[np.intp]:
        """The row of ``values`` of each key; what is not there is made."""
        most = int(keys.max(initial=0))
        if most >= len(self._place):
            self._place = np.concatenate([self._place, np.full(most + 1024, -1, np.intp)])
        rows = self._place[keys]
        if rows.min(initial=0) < 0:
            new = np.unique(keys[rows < 0])
            begun = self._fill(new)
            self._place[new] = np.arange(begun, begun + len(new))
            rows = self._place[keys]
        return rows


class KeyedRows:
    """Rows of weights by keys that are all known beforehand, each less than the greatest number."""

    def __init__(self, rows: Mapping[int, int]) -> None:
        keys = sorted(rows)
        self._keys = np.array(
            [*keys, np.iinfo(np.int64).max], np.int64
        )  # one behind all, so that a place is found
        self._rows = np.array([rows[key] for key in keys], np.intp)

    def rows(self, keys: NDArray[np.int64]) -> tuple[NDArray[np.intp], NDArray[np.intp]]:
        """Which of ``keys`` have a row, and their rows."""
        places = np.searchsorted(self._keys, keys)
        at = np.flatnonzero(self._keys[places] == keys)
        return at, self._rows[places[at]]
