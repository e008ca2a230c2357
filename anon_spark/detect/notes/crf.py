"""A linear-chain conditional random field: its weights, and the best labels of many texts at once.

What a network says of every token (:mod:`~anon_spark.detect.notes.network`) is added to its scores. Training is
CRFsuite's (:mod:`~anon_spark.detect.notes.train`); detection needs NumPy alone. Each word's, pair's and triple's
weights are summed once and kept, so a token costs a few rows of a table, and the best paths of all pieces of a batch
are found together.
Source: Lafferty, McCallum, Pereira 2001.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anon_spark.detect.notes import features
from anon_spark.detect.notes.network import SHARE, Network, Reader
from anon_spark.detect.notes.tables import DenseTable, Floats, Table
from anon_spark.detect.notes.tokens import Tokens
from anon_spark.detect.notes.viterbi import best_labels

OUTSIDE = "O"
CUE_KEYS = 32  # more than there are cues and forms of lines
MOST_KEPT = 120_000  # rows a table may hold before it is begun anew


class Weights(NamedTuple):
    """A trained model: a row of weights a feature, a column a label."""

    labels: list[str]
    rows: dict[str, int]
    state: Floats  # (features, labels)
    transition: Floats  # (from, to)


class Seen(NamedTuple):
    """A text as the model sees it."""

    tokens: Tokens
    modes: list[str]
    headers: list[str]
    patterns: list[str]  # the patterns that hit each token, in one word
    elsewhere: list[str]  # how each word stands elsewhere in the text
    lines: list[int]  # the form of each token's line


class Tagger:
    """Finds the best labels of texts; one a process, since it grows by what it has seen (up to a bound)."""

    def __init__(self, weights: Weights, network: Network | None = None, *, caution: float = 0.0) -> None:
        """
        Args:
            network: what else says of every token's label, in the same columns; its logarithms are added to the scores.
            caution: taken from the score of every outside token; more finds more and errs more.
        """
        self.weights = weights
        count = len(weights.labels)
        self._outside = weights.labels.index(OUTSIDE)
        self._caution = np.zeros(count, np.float32)
        self._caution[self._outside] = -caution
        state: Floats = np.concatenate([weights.state, np.zeros((1, count), np.float32)])
        self._beside = features.rows_beside(weights.rows)
        self._first, self._second = features.words_of_pairs(weights.rows)
        self._word_table = DenseTable(state, 1 + len(features.NEAR), self._of_word)
        self._pair_table = Table(state, 2, self._of_pair)
        self._three_table = Table(state, 1, self._of_three)
        self._place_table = Table(state, 1, self._of_place)
        self._cue_tables = [DenseTable(state, 1, partial(self._of_cue, side)) for side in range(3)]
        self._reader = Reader(network, lambda number: self._seen[number]) if network else None
        self._forget()

    def _forget(self) -> None:
        self._kind_pairs: dict[tuple[str, str], tuple[list[int], list[int]]] = {}
        self._words: dict[str, dict[str, int]] = {
            m: {} for m in (features.MIXED, features.UPPER, features.LOWER)
        }
        self._seen: list[features.Word] = []
        self._kind_of: list[int] = []
        self._cues: list[int] = []  # of each kind
        self._kind_names, self._heads, self._patterns = _Names(), _Names(), _Names()
        self._heads.number("")
        self._patterns.number("")
        tables = self._word_table, self._pair_table, self._three_table, self._place_table, *self._cue_tables
        for table in tables:
            table.clear()
        if self._reader:
            self._reader.clear()

    def _rows(self, names: Iterable[str]) -> list[int]:
        return [row for row in map(self.weights.rows.get, names) if row is not None]

    def _of_word(self, number: int) -> list[list[int]]:
        word = self._seen[number]
        near = [
            [
                row
                for row in map(self._beside[offset].get, features.given_beside(word, offset))
                if row is not None
            ]
            for offset in features.NEAR
        ]
        return [self._rows(word.own), *near]

    def _of_pair(self, key: int) -> tuple[list[int], list[int]]:
        first, second = self._seen[key >> 32], self._seen[key & 0xFFFFFFFF]
        kinds = first.kind, second.kind
        known = self._kind_pairs.get(kinds)
        if known is None:
            back, ahead = features.of_kinds(*kinds)
            known = self._kind_pairs[kinds] = self._rows(back), self._rows(ahead)
        if first.text not in self._first and second.text not in self._second:
            return known
        back, ahead = features.of_words(first, second)
        return known[0] + self._rows(back), known[1] + self._rows(ahead)

    def _of_three(self, key: int) -> list[list[int]]:
        rest, after = divmod(key, 1 << 16)
        before, kind = divmod(rest, 1 << 16)
        names = self._kind_names.names
        return [self._rows(features.of_three(names[before], names[kind], names[after]))]

    def _of_place(self, key: int) -> list[list[int]]:
        rest, kind = divmod(key, 1 << 16)
        if not rest:
            return [[]]
        rest, other = divmod(rest, 4)
        head, pattern = divmod(rest, 1 << 20)
        names = self._heads.names[head], self._patterns.names[pattern]
        return [self._rows(features.of_place(*names, _ELSEWHERE[other], self._kind_names.names[kind]))]

    def _of_cue(self, side: int, key: int) -> list[list[int]]:
        kind, number = divmod(key, CUE_KEYS)
        return [self._rows(features.of_cue(side, number, self._kind_names.names[kind]))]

    def tag(self, texts: Sequence[Seen]) -> list[list[str]]:
        """The best label of every token of every text."""
        if len(self._seen) > MOST_KEPT or len(self._pair_table) > 3 * MOST_KEPT:
            self._forget()
        lengths = [len(text.tokens.words) for text in texts]
        if not sum(lengths):
            return [[] for _ in texts]
        begins = np.cumsum([0, *lengths])
        best = best_labels(self._scores(texts), self.weights.transition, begins, outside=self._outside)
        names = self.weights.labels
        labels = [names[label] for label in best.tolist()]
        return [
            labels[begin : begin + length] for begin, length in zip(begins.tolist(), lengths, strict=False)
        ]

    def _scores(self, texts: Sequence[Seen]) -> Floats:
        """(tokens of all texts, labels)."""
        ids, inside = self._numbered(texts)
        kinds = np.array(self._kind_of, np.int64)[ids]
        scores = self._word_scores(ids)
        self._add_pairs(scores, ids, kinds)
        near = _nearest(np.array(self._cues, np.int64)[kinds], inside)
        kinds, places = kinds[inside], self._places(texts, near)
        rows = self._place_table.rows(_place_keys(places, kinds))
        total: Floats = scores[inside] + self._place_table.values[rows] + self._caution
        for cues, told in zip(self._cue_tables, places[3:], strict=True):
            rows = cues.rows(kinds * CUE_KEYS + told)
            total += cues.values[rows]
        if self._reader:
            words = [self._heads.names, self._patterns.names, _ELSEWHERE]
            names: list[Sequence[str] | Sequence[int]] = [*words, *[range(CUE_KEYS)] * 3]
            total += np.float32(SHARE) * self._reader.log_probabilities(ids, inside, places, names)
        return total

    def _numbered(self, texts: Sequence[Seen]) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
        """Numbers of all words, three empty ones between texts so that none sees another's; which are of a text."""
        margin = max(features.NEAR)
        numbers: list[int] = [self._number("\0", features.MIXED)] * margin
        for text in texts:
            numbers += map(self._number, text.tokens.words, text.modes)
            numbers += numbers[:margin]
        lengths = [length for text in texts for length in (len(text.tokens.words), margin)]
        inside = np.repeat([False, *([True, False] * len(texts))], [margin, *lengths])
        return np.array(numbers, np.int64), inside

    def _word_scores(self, ids: NDArray[np.int64]) -> Floats:
        """What words say of themselves and of the tokens around them."""
        rows = self._word_table.rows(ids)
        table = self._word_table.values.reshape(-1, 1 + len(features.NEAR), len(self.weights.labels))
        scores: Floats = table[rows, 0]
        for column, offset in enumerate(features.NEAR, 1):
            if offset < 0:
                scores[-offset:] += table[rows[:offset], column]
            else:
                scores[:-offset] += table[rows[offset:], column]
        return scores

    def _add_pairs(self, scores: Floats, ids: NDArray[np.int64], kinds: NDArray[np.int64]) -> None:
        count = scores.shape[1]
        rows = self._pair_table.rows((ids[:-1] << 32) + ids[1:])
        pairs = self._pair_table.values[rows]
        scores[1:] += pairs[:, :count]
        scores[:-1] += pairs[:, count:]
        rows = self._three_table.rows((((kinds[:-2] << 16) + kinds[1:-1]) << 16) + kinds[2:])
        scores[1:-1] += self._three_table.values[rows]

    def _places(
        self, texts: Sequence[Seen], near: tuple[NDArray[np.int64], NDArray[np.int64]]
    ) -> list[NDArray[np.int64]]:
        """Of each token, as numbers: header, patterns, its word elsewhere, cues before and behind, its line's form."""
        told = (
            [self._heads.number(h) if h else 0 for text in texts for h in text.headers],
            [self._patterns.number(p) if p else 0 for text in texts for p in text.patterns],
            [_ELSEWHERE.index(e) for text in texts for e in text.elsewhere],
            [form for text in texts for form in text.lines],
        )
        heads, hits, others, lines = (np.array(column, np.int64) for column in told)
        return [heads, hits, others, *near, lines]

    def _number(self, word: str, mode: str) -> int:
        number = self._words[mode].get(word)
        if number is None:
            described = features.describe(word, mode)
            number = self._words[mode][word] = len(self._seen)
            self._seen.append(described)
            kind = self._kind_names.number(described.kind)
            self._kind_of.append(kind)
            if kind == len(self._cues):
                self._cues.append(features.cue_of(described.kind))
        return number


_ELSEWHERE = ["", features.TITLED, features.TWIN]


def _place_keys(places: Sequence[NDArray[np.int64]], kinds: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keys of what heads each token's line and which patterns hit it; the class counts only there."""
    heads, hits, others = places[:3]
    keys = (((heads << 20) + hits) << 2) + others
    return np.where(keys > 0, (keys << 16) + kinds, 0)


def _nearest(
    cues: NDArray[np.int64], inside: NDArray[np.bool_]
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """The nearest class before and behind every token, within reach and in its own text; 0 for none."""
    places = np.arange(len(cues))
    marks = (cues > 0) | ~inside  # a token between texts ends the look
    last = np.maximum.accumulate(np.where(marks, places, 0))
    before = np.concatenate([[0], last[:-1]])
    following = np.minimum.accumulate(np.where(marks, places, len(cues) - 1)[::-1])[::-1]
    behind = np.concatenate([following[1:], [len(cues) - 1]])
    left = np.where(places - before <= features.CUE_REACH, cues[before], 0)
    right = np.where(behind - places <= features.CUE_REACH, cues[behind], 0)
    return left[inside], right[inside]


class _Names:
    """Numbers for names, in the order they come."""

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}
        self.names: list[str] = []

    def number(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number
