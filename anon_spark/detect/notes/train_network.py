"""Train the network over tokens on notes with gold spans, by Adam on batches of stretches of text.

Source: Kingma, Ba 2015 (Adam); Srivastava et al. 2014 (dropout).
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_matrix  # type: ignore[import-untyped]

from anon_spark.detect.notes import features
from anon_spark.detect.notes.crf import OUTSIDE
from anon_spark.detect.notes.detector import see
from anon_spark.detect.notes.network import PLACES, Layer, Network, place_names
from anon_spark.detect.notes.spans import Note
from anon_spark.detect.notes.tables import Floats
from anon_spark.detect.notes.train import gold_labels, near_cues, unlisted, unread

SIZE = 96
STEPS = (1, 2, 3, 3)  # of the layers
MARGIN = max(STEPS)  # empty places between notes
LENGTH, STRETCHES = 256, 32  # tokens of a stretch, stretches of a batch
LEAST = 20  # tokens that a feature is seen in
DROPPED = 0.3
UNLISTED, UNLISTED_OUTSIDE, UNREAD = 0.25, 0.06, 0.4
PACE, WARM = 2e-3, 0.06  # of Adam, and the share of the steps until it is reached
VECTORS = "vectors"
Ints = NDArray[np.int32]


class Corpus(NamedTuple):
    """The tokens of all notes in a row; word 0 stands between notes."""

    words: Ints  # (tokens,) number of the word in its line's mode
    labels: Ints
    places: Ints  # (tokens, kinds) features other than the word's own; 0 for none
    known: list[tuple[str, str]]  # word and mode of number 1, 2, ...
    place_names: list[str]  # of number 1, 2, ...
    label_names: list[str]


def gather(notes: Iterable[Note]) -> Corpus:
    """The tokens of ``notes`` as numbers."""
    words: dict[tuple[str, str], int] = {}
    places: dict[str, int] = {}
    labels: dict[str, int] = {OUTSIDE: 0}
    columns: tuple[list[Ints], list[Ints], list[Ints]] = ([], [], [])
    for note in notes:
        seen, _ = see(note.text)
        count = len(seen.tokens.words)
        if not count:
            continue
        own = [
            words.setdefault(key, len(words) + 1) for key in zip(seen.tokens.words, seen.modes, strict=True)
        ]
        told = [labels.setdefault(label, len(labels)) for label in gold_labels(seen, note)]
        described = map(features.describe, seen.tokens.words, seen.modes)
        left, right = near_cues([features.cue_of(word.kind) for word in described])
        around = np.zeros((count + MARGIN, len(PLACES)), np.int32)
        rows = zip(seen.headers, seen.patterns, seen.elsewhere, left, right, seen.lines, strict=True)
        for at, row in enumerate(rows):
            names = place_names(row)
            around[at, : len(names)] = [places.setdefault(name, len(places) + 1) for name in names]
        columns[0].append(np.array(own + [0] * MARGIN, np.int32))
        columns[1].append(np.array(told + [0] * MARGIN, np.int32))
        columns[2].append(around)
    own_words, own_labels, own_places = map(np.concatenate, columns)
    return Corpus(own_words, own_labels, own_places, list(words), list(places), list(labels))


class Inputs(NamedTuple):
    """Which features words and places have."""

    rows: dict[str, int]  # feature to column
    ones: csr_matrix  # (4 * words + places, features): words as they are, unlisted, unread, both; then places


def inputs_of(corpus: Corpus) -> Inputs:
    """The features seen in ``LEAST`` tokens, and who has them."""
    often: Counter[str] = Counter()
    for (word, mode), times in zip(corpus.known, np.bincount(corpus.words)[1:].tolist(), strict=True):
        for name in set(features.describe(word, mode).own):
            often[name] += times
    placed = np.bincount(corpus.places.ravel(), minlength=len(corpus.place_names) + 1)[1:]
    often.update(dict(zip(corpus.place_names, placed.tolist(), strict=True)))
    rows = {name: row for row, name in enumerate(sorted(n for n, times in often.items() if times >= LEAST))}
    views: list[list[Iterable[str]]] = [[()] for _ in range(4)]
    for word, mode in corpus.known:
        whole = features.describe(word, mode)
        bare = unlisted(whole)
        for view, one in zip(views, (whole, bare, unread(whole), unread(bare)), strict=True):
            view.append(one.own)
    lists = [names for view in views for names in view] + [(), *((name,) for name in corpus.place_names)]
    columns = [[rows[name] for name in names if name in rows] for names in lists]
    ends = np.cumsum([0, *map(len, columns)])
    flat = np.fromiter((column for these in columns for column in these), np.int32, int(ends[-1]))
    return Inputs(rows, csr_matrix((np.ones(len(flat), np.float32), flat, ends), (len(columns), len(rows))))


class Batch(NamedTuple):
    """Stretches of text."""

    touched: Ints  # which features it has
    features: csr_matrix  # (different words and places, features it has)
    who: csr_matrix  # (tokens, different words and places)
    labels: Ints
    inside: Floats  # (stretches, LENGTH, 1)


def stretches(corpus: Corpus) -> int:
    """How many hold all tokens."""
    return -(-len(corpus.words) // LENGTH)


def batches(corpus: Corpus, inputs: Inputs, draw: np.random.Generator) -> Iterator[Batch]:
    """All stretches in a drawn order, begun at a drawn place, their words hidden to a drawn share."""
    order, first = draw.permutation(stretches(corpus)), draw.integers(LENGTH)
    letters = np.array([False, *(word[0].isalpha() for word, _ in corpus.known)])
    for begin in range(0, len(order), STRETCHES):
        at = order[begin : begin + STRETCHES, None] * LENGTH + np.arange(first, first + LENGTH)
        at = at.ravel() % len(corpus.words)  # the last stretch goes on at the beginning
        words, labels = corpus.words[at], corpus.labels[at]
        less = draw.random(len(at)) < np.where(labels == 0, UNLISTED_OUTSIDE, UNLISTED)
        view = (less + 2 * (draw.random(len(at)) < UNREAD)) * letters[words]
        told = np.column_stack([view * len(letters) + words, 4 * len(letters) + corpus.places[at]])
        different, numbers = np.unique(told, return_inverse=True)
        ends = np.arange(0, told.size + 1, told.shape[1])
        who = csr_matrix((np.ones(told.size, np.float32), numbers.ravel(), ends), (len(at), len(different)))
        inside = (words > 0).astype(np.float32).reshape(-1, LENGTH, 1)
        ones = inputs.ones[different]
        touched, columns = np.unique(ones.indices, return_inverse=True)
        features = csr_matrix((ones.data, columns, ones.indptr), (len(different), len(touched)))
        yield Batch(touched, features, who, labels, inside)


Parameters = dict[str, Floats]


def started(features_count: int, labels: int, draw: np.random.Generator) -> Parameters:
    """Small random weights."""

    def normal(*shape: int, scale: float) -> Floats:
        return (draw.standard_normal(shape) * scale).astype(np.float32)

    begun = {VECTORS: normal(features_count, SIZE, scale=0.04)}
    for n in range(len(STEPS)):
        begun[f"weights{n}"] = normal(3, SIZE, SIZE, scale=(3 * SIZE) ** -0.5)
        begun[f"bias{n}"] = np.zeros(SIZE, np.float32)
    return {**begun, "out": normal(SIZE, labels, scale=SIZE**-0.5), "out_bias": np.zeros(labels, np.float32)}


def gradients(
    now: Parameters, batch: Batch, draw: np.random.Generator, dropped: float
) -> tuple[float, Parameters]:
    """The mean loss of a batch's tokens and its slope; of the vectors, of those of features it has."""
    shape = (*batch.inside.shape[:2], SIZE)

    def kept() -> Floats:
        return (draw.random(shape, np.float32) >= dropped) * np.float32(1 / (1 - dropped))

    mask = batch.inside * kept()
    hidden = [(batch.who @ (batch.features @ now[VECTORS][batch.touched])).reshape(shape) * mask]
    gates = []
    for n, step in enumerate(STEPS):
        before = _windows(hidden[-1], step) @ now[f"weights{n}"].reshape(-1, SIZE) + now[f"bias{n}"]
        gates.append((before > 0) * batch.inside * kept())
        hidden.append(hidden[-1] + before * gates[-1])
    last = hidden[-1].reshape(-1, SIZE)
    scores = last @ now["out"] + now["out_bias"]
    scores -= scores.max(axis=1, keepdims=True)
    chances = np.exp(scores)
    chances /= chances.sum(axis=1, keepdims=True)
    tokens = np.arange(len(scores))
    weight = batch.inside.reshape(-1) / batch.inside.sum()
    loss = float(-(np.log(chances[tokens, batch.labels] + 1e-12) * weight).sum())
    chances[tokens, batch.labels] -= 1
    chances *= weight[:, None]
    slopes = {"out": last.T @ chances, "out_bias": chances.sum(axis=0)}
    slope = (chances @ now["out"].T).reshape(shape)
    for n in reversed(range(len(STEPS))):
        through = (slope * gates[n]).reshape(-1, SIZE)
        seen = _windows(hidden[n], STEPS[n]).reshape(-1, 3 * SIZE)
        slopes[f"weights{n}"] = (seen.T @ through).reshape(3, SIZE, SIZE)
        slopes[f"bias{n}"] = through.sum(axis=0)
        back = through @ now[f"weights{n}"].reshape(-1, SIZE).T
        slope = slope + _unwindowed(back.reshape(*shape[:2], 3, SIZE), STEPS[n])
    slopes[VECTORS] = batch.features.T @ (batch.who.T @ (slope * mask).reshape(-1, SIZE))
    return loss, slopes


def _windows(hidden: Floats, step: int) -> Floats:
    """(stretches, LENGTH, 3 * SIZE): what stands ``step`` before every token, the token, what stands behind."""
    length = hidden.shape[1]
    padded = np.pad(hidden, ((0, 0), (step, step), (0, 0)))
    return np.concatenate([padded[:, n * step : n * step + length] for n in range(3)], axis=2)


def _unwindowed(slopes: Floats, step: int) -> Floats:
    """The turning back of :func:`_windows`: what every token says of itself and of the two others, summed."""
    rows, length, _, size = slopes.shape
    total = np.zeros((rows, length + 2 * step, size), np.float32)
    for n in range(3):
        total[:, n * step : n * step + length] += slopes[:, :, n]
    return total[:, step : step + length]


class Adam:
    """Steps along slopes, each by its own mean and spread.

    Of the vectors, most of which a batch has not, those it has are moved along the slope itself: the mean would move
    them the same way in the steps that follow. Their spreads fade by the steps since they were moved last.
    """

    def __init__(self, parameters: Parameters) -> None:
        self.means = {name: np.zeros_like(value) for name, value in parameters.items() if name != VECTORS}
        self.squares = {name: np.zeros_like(value) for name, value in parameters.items()}
        self.moved = np.zeros(len(parameters[VECTORS]), np.int32)  # the step in which each vector was
        self.steps = 0

    def step(self, parameters: Parameters, slopes: Parameters, touched: Ints, pace: float) -> None:
        """Move ``parameters`` in place; the slopes of vectors are those of ``touched``."""
        self.steps += 1
        first, second = 1 - 0.9**self.steps, 1 - 0.99**self.steps
        for name in self.means:
            slope, mean, square = slopes[name], self.means[name], self.squares[name]
            mean += 0.1 * (slope - mean)
            square += 0.01 * (slope * slope - square)
            parameters[name] -= (pace / first) * mean / (np.sqrt(square / second) + 1e-8)
        slope, fade = slopes[VECTORS], 0.99 ** (self.steps - self.moved[touched]).astype(np.float32)
        square = self.squares[VECTORS][touched] * fade[:, None] + 0.01 * slope * slope
        self.squares[VECTORS][touched], self.moved[touched] = square, self.steps
        parameters[VECTORS][touched] -= pace * slope / (np.sqrt(square / second) + 1e-8)


def pace_after(steps: int, whole: int) -> float:
    """How far the next step goes, of ``whole`` in all: the more the longer at the beginning, then the less."""
    return PACE * min(1, (steps + 1) / (WARM * whole)) * max(0.02, 1 - steps / whole)


def train_network(
    notes: Iterable[Note], *, rounds: int = 3, progress: Callable[[str], None] = print
) -> Network:
    """A network learned from ``notes``; the same for the same notes in the same order on one kind of processor."""
    corpus = gather(notes)
    inputs = inputs_of(corpus)
    draw = np.random.default_rng(0)
    now = started(len(inputs.rows), len(corpus.label_names), draw)
    adam = Adam(now)
    whole = rounds * -(-stretches(corpus) // STRETCHES)
    for n in range(rounds):
        losses = []
        for batch in batches(corpus, inputs, draw):
            loss, slopes = gradients(now, batch, draw, DROPPED)
            adam.step(now, slopes, batch.touched, pace_after(adam.steps, whole))
            losses.append(loss)
        progress(f"network, round {n + 1} of {rounds}: loss {np.mean(losses):.4f}")
    layers = [Layer(now[f"weights{n}"], now[f"bias{n}"], step) for n, step in enumerate(STEPS)]
    return Network(corpus.label_names, inputs.rows, now[VECTORS], layers, (now["out"], now["out_bias"]))
