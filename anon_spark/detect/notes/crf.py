"""A linear-chain conditional random field: its weights, and the best labels of many texts at once.

What a network says of every token (:mod:`~anon_spark.detect.notes.network`) is added to its scores. Training is
CRFsuite's (:mod:`~anon_spark.detect.notes.train`); detection needs NumPy and SciPy. Each word's weights are summed
once and kept, those of words in a row are looked up by their numbers, so a token costs a few rows of a table, and the
best paths of all pieces of a batch are found together.
Source: Lafferty, McCallum, Pereira 2001.
"""

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from itertools import pairwise
from typing import NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from anon_spark.detect.notes import features
from anon_spark.detect.notes.network import SHARE, Network, Reader
from anon_spark.detect.notes.tables import DenseTable, Floats, KeyedRows, Table
from anon_spark.detect.notes.tokens import Tokens
from anon_spark.detect.notes.viterbi import best_labels

OUTSIDE = "O"
CUE_KEYS = 32  # more than there are cues and forms of lines
Number = TypeVar("Number", int, NDArray[np.int64])
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
        self.caution = caution
        self._outside = weights.labels.index(OUTSIDE)
        self._is_outside = (np.arange(count) == self._outside).astype(np.float32)
        self._texts, self._kinds = _Names(), _Names()
        self._texts.number("")  # 0: no feature has it
        self._kinds.number("")
        self._crossed = self._crosses()
        self._own_rows, own = _own_values(weights, network)
        self._own_table = DenseTable(own, self._own_of)
        self._near_rows, near = _near_values(weights)
        self._near_table = DenseTable(near, self._near_of)
        self._place_table = Table(weights.state, self._of_place)
        self._cue_tables = [DenseTable(weights.state, partial(self._of_cue, side)) for side in range(3)]
        self._reader = Reader(network) if network else None
        self._forget()

    def _crosses(self) -> dict[str, KeyedRows]:
        """Rows of the features of tokens in a row, by family; their words, and all classes, are numbered."""
        found: dict[str, dict[int, int]] = {family: {} for family in features.CROSSED}
        numbered = {"w": self._texts, "k": self._kinds}
        for name, row in self.weights.rows.items():
            family, _, value = name.partition("=")
            if family in found:
                form, parts = features.CROSSED[family][0], value.split(" ")
                if len(parts) == len(form):
                    numbers = [numbered[of].number(part) for of, part in zip(form, parts, strict=True)]
                    found[family][_key(*numbers)] = row
            elif family == "k":
                self._kinds.number(value)
            elif family.endswith("k"):  # of a place and a class
                self._kinds.number(value.partition("|")[2])
        return {family: KeyedRows(rows) for family, rows in found.items()}

    def _forget(self) -> None:
        self._words: dict[str, dict[str, int]] = {
            m: {} for m in (features.MIXED, features.UPPER, features.LOWER)
        }
        self._seen: list[features.Word] = []
        self._facts = np.zeros((1024, 3), np.int64)  # of each word seen: its text, its class, its cue
        self._heads, self._patterns = _Names(), _Names()
        self._heads.number("")
        self._patterns.number("")
        for table in (self._own_table, self._near_table, self._place_table, *self._cue_tables):
            table.clear()
        if self._reader:
            self._reader.clear()

    def _own_of(self, number: int) -> list[int]:
        return _rows_of(self._own_rows, self._seen[number].own)

    def _near_of(self, number: int) -> list[int]:
        return _rows_of(self._near_rows, self._seen[number].beside)

    def _of_place(self, key: int) -> list[int]:
        rest, kind = divmod(key, 1 << 16)
        if not rest:
            return []
        rest, other = divmod(rest, 4)
        head, pattern = divmod(rest, 1 << 20)
        names = self._heads.names[head], self._patterns.names[pattern]
        return _rows_of(
            self.weights.rows, features.of_place(*names, _ELSEWHERE[other], self._kinds.names[kind])
        )

    def _of_cue(self, side: int, key: int) -> list[int]:
        kind, number = divmod(key, CUE_KEYS)
        return _rows_of(self.weights.rows, features.of_cue(side, number, self._kinds.names[kind]))

    def tag(self, texts: Sequence[Seen]) -> list[list[str]]:
        """The best label of every token of every text."""
        return self.tag_at(texts, [self.caution])[0]

    def tag_at(self, texts: Sequence[Seen], cautions: Sequence[float]) -> list[list[list[str]]]:
        """As :meth:`tag`, as cautious as each of ``cautions``."""
        if max(len(self._seen), len(self._heads.names), len(self._place_table) // 3) > MOST_KEPT:
            self._forget()
        lengths = [len(text.tokens.words) for text in texts]
        if not sum(lengths):
            return [[[] for _ in texts] for _ in cautions]
        begins = np.cumsum([0, *lengths])
        scores, names, told = self._scores(texts), self.weights.labels, []
        for caution in cautions:
            cautious = scores - np.float32(caution) * self._is_outside
            best = best_labels(cautious, self.weights.transition, begins, outside=self._outside)
            labels = [names[label] for label in best.tolist()]
            told.append([labels[begin:end] for begin, end in pairwise(begins.tolist())])
        return told

    def _scores(self, texts: Sequence[Seen]) -> Floats:
        """(tokens of all texts, labels)."""
        ids, inside = self._numbered(texts)
        words, kinds, cues = self._facts[ids].T
        count = len(self.weights.labels)
        rows = self._own_table.rows(ids)  # makes what is not there yet
        own = self._own_table.values[rows]
        scores: Floats = own[:, :count].copy()
        self._add_near(scores, ids)
        self._add_crosses(scores, words, kinds)
        near = _nearest(cues, inside)
        kinds, places = kinds[inside], self._places(texts, near)
        rows = self._place_table.rows(_place_keys(places, kinds))
        total: Floats = scores[inside] + self._place_table.values[rows]
        for table, told in zip(self._cue_tables, places[3:], strict=True):
            rows = table.rows(kinds * CUE_KEYS + told)
            total += table.values[rows]
        if self._reader:
            named = [self._heads.names, self._patterns.names, _ELSEWHERE]
            names: list[Sequence[str] | Sequence[int]] = [*named, *[range(CUE_KEYS)] * 3]
            logs = self._reader.log_probabilities(own[:, count:], inside, places, names)
            total += np.float32(SHARE) * logs
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

    def _add_near(self, scores: Floats, ids: NDArray[np.int64]) -> None:
        """What words say of the tokens around them."""
        rows = self._near_table.rows(ids)
        table = self._near_table.values.reshape(-1, len(features.NEAR), scores.shape[1])
        for column, offset in enumerate(features.NEAR):
            if offset < 0:
                scores[-offset:] += table[rows[:offset], column]
            else:
                scores[:-offset] += table[rows[offset:], column]

    def _add_crosses(self, scores: Floats, words: NDArray[np.int64], kinds: NDArray[np.int64]) -> None:
        """What words and classes in a row say; the first and the last place are of no text."""
        columns, last = {"w": words, "k": kinds}, len(words) - 1
        for family, (form, places) in features.CROSSED.items():
            parts = [columns[of][1 + by : last + by] for of, by in zip(form, places, strict=True)]
            at, rows = self._crossed[family].rows(_key(*parts))
            scores[1 + at] += self.weights.state[rows]

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
            if number == len(self._facts):
                self._facts = np.concatenate([self._facts, np.zeros_like(self._facts)])
            text, kind = self._texts.known(described.text), self._kinds.known(described.kind)
            self._facts[number] = text, kind, features.cue_of(described.kind)
        return number


_ELSEWHERE = ["", features.TITLED, features.TWIN]


def _key(*numbers: Number) -> Number:
    """One number for several, each less than 2 ** 20."""
    key = numbers[0]
    for number in numbers[1:]:
        key = (key << 20) + number
    return key


def _rows_of(rows: Mapping[str, int], names: Iterable[str]) -> list[int]:
    return [row for row in map(rows.get, names) if row is not None]


def _own_values(weights: Weights, network: Network | None) -> tuple[dict[str, int], Floats]:
    """What features of a token itself say: the random field's weights, and behind them the network's vectors."""
    names = [name for name in weights.rows if _OWN.match(name)]
    vectors = network.vectors if network else np.zeros((0, 0), np.float32)
    vector_of = network.rows if network else {}
    rows = {name: row for row, name in enumerate(dict.fromkeys([*names, *vector_of]))}
    count = len(weights.labels)
    values = np.zeros((len(rows), count + vectors.shape[1]), np.float32)
    values[[rows[name] for name in names], :count] = weights.state[[weights.rows[name] for name in names]]
    values[[rows[name] for name in vector_of], count:] = vectors[list(vector_of.values())]
    return rows, values


_OWN = re.compile(r"[a-z]")


def _near_values(weights: Weights) -> tuple[dict[str, int], Floats]:
    """What features of a word say of the tokens around it: the weights of every offset side by side."""
    given = [(row, match) for name, row in weights.rows.items() if (match := _GIVEN.fullmatch(name))]
    rows = {name: row for row, name in enumerate(dict.fromkeys(match[2] for _, match in given))}
    values = np.zeros((len(rows), len(features.NEAR), len(weights.labels)), np.float32)
    for row, match in given:
        offset = int(match[1])
        if abs(offset) < 3 or match[2].startswith(features.FAR):
            values[rows[match[2]], features.NEAR.index(offset)] = weights.state[row]
    return rows, values.reshape(len(values), len(features.NEAR) * len(weights.labels))


_GIVEN = re.compile(r"(-?[1-3])([a-z].*)", re.DOTALL)


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

    def known(self, name: str) -> int:
        """The number of a name, 0 for one that has none."""
        return self._numbers.get(name, 0)

    def number(self, name: str) -> int:
        number = self._numbers.setdefault(name, len(self.names))
        if number == len(self.names):
            self.names.append(name)
        return number
