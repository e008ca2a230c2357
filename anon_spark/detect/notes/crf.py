"""A linear-chain conditional random field: its weights, and the best labels of many texts at once.

Training is CRFsuite's (:mod:`~anon_spark.detect.notes.train`); detection needs NumPy alone. Each word's, pair's and
triple's weights are summed once and kept, so a token costs a few rows of a table, and the best paths of all pieces of
a batch are found together.
Source: Lafferty, McCallum, Pereira 2001; Viterbi 1967.
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anon_spark.detect.notes import features
from anon_spark.detect.notes.tables import DenseTable, Floats, Table
from anon_spark.detect.notes.tokens import Tokens

OUTSIDE = "O"
PIECE = 100  # tokens
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

    def __init__(self, weights: Weights, *, caution: float = 0.0) -> None:
        """Args: caution: taken from the score of every outside token; more finds more and errs more."""
        self.weights = weights
        count = len(weights.labels)
        self._outside = weights.labels.index(OUTSIDE)
        self._caution = np.zeros(count, np.float32)
        self._caution[self._outside] = -caution
        state: Floats = np.concatenate([weights.state, np.zeros((1, count), np.float32)])
        self._word_table = DenseTable(state, 1 + len(features.NEAR), self._of_word)
        self._pair_table = Table(state, 2, self._of_pair)
        self._three_table = Table(state, 1, self._of_three)
        self._place_table = Table(state, 1, self._of_place)
        self._cue_tables = [DenseTable(state, 1, partial(self._of_cue, side)) for side in range(3)]
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

    def _rows(self, names: Iterable[str]) -> list[int]:
        known = self.weights.rows
        return [known[name] for name in names if name in known]

    def _of_word(self, number: int) -> list[list[int]]:
        word = self._seen[number]
        near = (features.beside(word, offset) for offset in features.NEAR)
        return [self._rows(names) for names in (word.own, *near)]

    def _of_pair(self, key: int) -> tuple[list[int], list[int]]:
        first, second = self._seen[key >> 32], self._seen[key & 0xFFFFFFFF]
        kinds = first.kind, second.kind
        known = self._kind_pairs.get(kinds)
        if known is None:
            back, ahead = features.of_kinds(*kinds)
            known = self._kind_pairs[kinds] = self._rows(back), self._rows(ahead)
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
        """(tokens of all texts, labels): three empty tokens stand between texts, so that none sees another's words."""
        count, margin = len(self.weights.labels), max(features.NEAR)
        numbers: list[int] = [self._number("\0", features.MIXED)] * margin
        for text in texts:
            numbers += map(self._number, text.tokens.words, text.modes)
            numbers += numbers[:margin]
        ids = np.array(numbers, np.int64)
        lengths = [length for text in texts for length in (len(text.tokens.words), margin)]
        inside = np.repeat([False, *([True, False] * len(texts))], [margin, *lengths])
        rows = self._word_table.rows(ids)
        table = self._word_table.values.reshape(-1, 1 + len(features.NEAR), count)
        scores = table[rows, 0]
        for column, offset in enumerate(features.NEAR, 1):
            if offset < 0:
                scores[-offset:] += table[rows[:offset], column]
            else:
                scores[:-offset] += table[rows[offset:], column]
        kinds = np.array(self._kind_of, np.int64)[ids]
        self._add_pairs(scores, ids, kinds)
        rows = self._place_table.rows(self._places(texts, kinds[inside]))
        total: Floats = scores[inside] + self._place_table.values[rows] + self._caution
        lines = np.array([form for text in texts for form in text.lines], np.int64)
        near = _nearest(np.array(self._cues, np.int64)[kinds], inside)
        for cues, told in zip(self._cue_tables, (*near, lines), strict=True):
            rows = cues.rows(kinds[inside] * CUE_KEYS + told)
            total += cues.values[rows]
        return total

    def _add_pairs(self, scores: Floats, ids: NDArray[np.int64], kinds: NDArray[np.int64]) -> None:
        count = scores.shape[1]
        rows = self._pair_table.rows((ids[:-1] << 32) + ids[1:])
        pairs = self._pair_table.values[rows]
        scores[1:] += pairs[:, :count]
        scores[:-1] += pairs[:, count:]
        rows = self._three_table.rows((((kinds[:-2] << 16) + kinds[1:-1]) << 16) + kinds[2:])
        scores[1:-1] += self._three_table.values[rows]

    def _places(self, texts: Sequence[Seen], kinds: NDArray[np.int64]) -> NDArray[np.int64]:
        """Keys of what heads each token's line and which patterns hit it; the class counts only there."""
        heads = np.array(
            [self._heads.number(h) if h else 0 for text in texts for h in text.headers], np.int64
        )
        hits = np.array(
            [self._patterns.number(p) if p else 0 for text in texts for p in text.patterns], np.int64
        )
        others = np.array([_ELSEWHERE.index(e) for text in texts for e in text.elsewhere], np.int64)
        places = (((heads << 20) + hits) << 2) + others
        return np.where(places > 0, (places << 16) + kinds, 0)

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


def best_labels(
    scores: Floats, transition: Floats, texts: NDArray[np.intp], *, outside: int
) -> NDArray[np.intp]:
    """The label path of most score in every text.

    A token is surely outside where no pair of neighbours' labels could make up for what another label lacks; paths are
    sought in the runs between such tokens. Runs of more than ``PIECE`` tokens are cut.

    Args:
        scores: (tokens of all texts, labels). transition: (from, to). texts: where each text begins, and the end.
    """
    # What the neighbours could at most add for a label that they would not add for the outside one.
    into = (transition - transition[:, outside : outside + 1]).max(axis=0)
    out = (transition - transition[outside : outside + 1]).max(axis=1)
    most = np.maximum(into, 0) + np.maximum(out, 0)
    most[outside] = 0
    open_ = np.flatnonzero((scores + most).max(axis=1) > scores[:, outside])
    best = np.full(len(scores), outside, np.intp)
    if not len(open_):
        return best
    first_of_text = np.zeros(len(scores) + 1, bool)
    first_of_text[texts] = True
    begins = np.flatnonzero(np.diff(open_, prepend=-2) > 1)
    begins = np.union1d(begins, np.flatnonzero(first_of_text[open_]))
    lengths = np.diff(begins, append=len(open_))
    whole = [
        (b + step, min(PIECE, n - step))
        for b, n in zip(begins, lengths, strict=True)
        for step in range(0, n, PIECE)
    ]
    starts, sizes = (np.array(column, np.intp) for column in zip(*whole, strict=True))
    starts = open_[starts]
    scores = scores.copy()
    after = starts + sizes
    inner = ~first_of_text[starts] & ~np.isin(starts - 1, open_)
    scores[starts[inner]] += transition[outside]
    inner = ~first_of_text[after] & ~np.isin(after, open_)
    scores[after[inner] - 1] += transition[:, outside]
    _viterbi(scores, transition, starts, sizes, best)
    return best


def _viterbi(
    scores: Floats,
    transition: Floats,
    begins: NDArray[np.intp],
    lengths: NDArray[np.intp],
    best: NDArray[np.intp],
) -> None:
    """Write the best path of every piece into ``best``; the longest pieces go first, so those running are a prefix."""
    order = np.argsort(-lengths, kind="stable")
    begins, lengths = begins[order], lengths[order]
    longest = int(lengths[0])
    running = np.searchsorted(-lengths, -np.arange(longest), side="left")
    reached = [scores[begins]]
    for step in range(1, longest):
        n = running[step]
        ways = reached[-1][:n, :, None] + transition
        reached.append(ways.max(axis=1) + scores[begins[:n] + step])
    label = np.zeros(len(begins), np.intp)
    for step in range(longest - 1, -1, -1):
        n, more = running[step], running[step + 1] if step + 1 < longest else 0
        totals = reached[step][:n].copy()
        totals[:more] += transition[:, label[:more]].T
        label[:n] = totals.argmax(axis=1)
        best[begins[:n] + step] = label[:n]
