"""A small convolutional network over tokens, beside the random field: what it says of a token's label.

A token is the sum of its features' vectors; each layer adds to it what it makes of it and of two others, one to either
side and so many places away as the layer's step says.
Source: Collobert et al. 2011 (convolutions over words); He et al. 2016 (layers that add to what they see); Yu and
Koltun 2016 (steps).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from anon_spark.detect.notes.tables import DenseTable, Floats

SHARE = 16.0
"""How much a logarithm of the network's counts beside the random field's score, which a perceptron's weights give."""
PLACES = ("h", "P", "D", "L", "R", "T")
"""What is told of a token's place: header, patterns, its word elsewhere, cues before and behind, its line's form."""


class Layer(NamedTuple):
    """What is made of a token and of two others, ``step`` places before and behind it."""

    weights: Floats  # (before, itself, behind; size; size)
    bias: Floats  # (size,)
    step: int


class Network(NamedTuple):
    """A trained network: a vector a feature, and the layers."""

    labels: list[str]
    rows: dict[str, int]
    vectors: Floats  # (features, size)
    layers: list[Layer]
    out: tuple[Floats, Floats]  # ((size, labels), (labels,))


def place_names(told: Iterable[str | int]) -> list[str]:
    """The features of a token's place, of what is told of it in the order of ``PLACES``; empty and 0 tell nothing."""
    return [f"{kind}={value}" for kind, value in zip(PLACES, told, strict=True) if value]


BLOCK = 1024  # tokens of a layer taken together: they stay near the processor


def added_to(hidden: Floats, layer: Layer) -> Floats:
    """What a layer makes of tokens and those around, added to them; (tokens, size) like ``hidden``."""
    (before, itself, behind), step, (count, size) = layer.weights, layer.step, hidden.shape
    padded = np.zeros((count + 2 * step, size), np.float32)
    padded[step : step + count] = hidden
    total = np.empty_like(hidden)
    for begin in range(0, count, BLOCK):
        part, end = slice(begin, begin + BLOCK), min(begin + BLOCK, count)
        made = hidden[part] @ itself
        made += padded[begin:end] @ before
        made += padded[begin + 2 * step : end + 2 * step] @ behind
        made += layer.bias
        np.maximum(made, 0, out=made)
        np.add(made, hidden[part], out=total[part])
    return total


def log_probabilities(network: Network, tokens: Floats, inside: NDArray[np.bool_]) -> Floats:
    """The logarithm of every label's probability.

    Args:
        tokens: (tokens, size), sums of the vectors of each token's features, zero between texts.
        inside: (tokens,), which of them are none of a place between texts.
    """
    hidden, between = tokens, np.flatnonzero(~inside)
    for layer in network.layers:
        hidden = added_to(hidden, layer)
        hidden[between] = 0
    scores = hidden @ network.out[0] + network.out[1]
    scores -= scores.max(axis=1, keepdims=True)
    logs: Floats = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return logs


class Reader:
    """Gives the network the tokens of texts: sums of the vectors of their features, those of places kept."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._names: Sequence[Sequence[str] | Sequence[int]] = [()] * len(PLACES)
        self._places = [DenseTable(network.vectors, partial(self._of_place, n)) for n in range(len(PLACES))]

    def clear(self) -> None:
        """Forget every place."""
        for table in self._places:
            table.clear()

    def _of_place(self, kind: int, number: int) -> list[int]:
        value = self._names[kind][number]
        row = self._network.rows.get(f"{PLACES[kind]}={value}") if value else None
        return [] if row is None else [row]

    def log_probabilities(
        self,
        words: Floats,
        inside: NDArray[np.bool_],
        places: Sequence[NDArray[np.int64]],
        names: Sequence[Sequence[str] | Sequence[int]],
    ) -> Floats:
        """The network's logarithms of probabilities, of every token inside a text.

        Args:
            words: (tokens, size), sums of the vectors of each word's features; inside: which are tokens.
            places: what is told of each token inside, as numbers in ``names``, in the order of ``PLACES``.
        """
        self._names = names
        vectors = words * inside[:, None]
        at = np.flatnonzero(inside)
        for table, numbers in zip(self._places, places, strict=True):
            told = np.flatnonzero(numbers)
            rows = table.rows(numbers[told])
            vectors[at[told]] += table.values[rows]
        return log_probabilities(self._network, vectors, inside)[inside]


def in_columns(network: Network, labels: Sequence[str]) -> Network:
    """The network with ``labels`` as its columns: what it does not know is all but impossible, the rest left out."""
    size = network.out[0].shape[0]
    weights, bias = np.zeros((size, len(labels)), np.float32), np.full(len(labels), -30, np.float32)
    for column, label in enumerate(network.labels):
        if label in labels:
            weights[:, labels.index(label)] = network.out[0][:, column]
            bias[labels.index(label)] = network.out[1][column]
    return network._replace(labels=list(labels), out=(weights, bias))
