"""A small convolutional network over tokens, beside the random field: what it says of a token's label.

A token is the sum of its features' vectors; each layer adds what it makes of a token's neighbours to the token.
Source: Collobert et al. 2011 (convolutions over words); He et al. 2016 (layers that add to what they see).
"""

from collections.abc import Iterable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import NDArray

from anon_spark.detect.notes.tables import DenseTable, Floats

SHARE = 8.0
"""How much a logarithm of the network's counts beside the random field's score, which a perceptron's weights give."""
PLACES = ("h", "P", "D", "L", "R", "T")
"""What is told of a token's place: header, patterns, its word elsewhere, cues before and behind, its line's form."""


class Network(NamedTuple):
    """A trained network: a vector a feature, and the layers."""

    labels: list[str]
    rows: dict[str, int]
    vectors: Floats  # (features, size)
    layers: list[tuple[Floats, Floats]]  # ((neighbours, size, size), (size,)) each
    out: tuple[Floats, Floats]  # ((size, labels), (labels,))


def place_names(told: Iterable[str | int]) -> list[str]:
    """The features of a token's place, of what is told of it in the order of ``PLACES``; empty and 0 tell nothing."""
    return [f"{kind}={value}" for kind, value in zip(PLACES, told, strict=True) if value]


BLOCK = 1024  # tokens of a layer taken together: their windows stay near the processor


def added_to(hidden: Floats, layer: tuple[Floats, Floats], inside: Floats) -> Floats:
    """What a layer makes of tokens and their neighbours, added to them; (tokens, size) like ``hidden``."""
    (neighbours, size, _), count = layer[0].shape, len(hidden)
    weights, reach = layer[0].reshape(neighbours * size, size), neighbours // 2
    padded = np.zeros((count + 2 * reach, size), np.float32)
    padded[reach : reach + count] = hidden
    windows = sliding_window_view(padded, (neighbours, size))[:, 0]
    total = np.empty_like(hidden)
    for begin in range(0, count, BLOCK):
        part = slice(begin, begin + BLOCK)
        made = windows[part].reshape(-1, neighbours * size) @ weights
        made += layer[1]
        np.maximum(made, 0, out=made)
        made *= inside[part]
        np.add(made, hidden[part], out=total[part])
    return total


def log_probabilities(network: Network, tokens: Floats, inside: Floats) -> Floats:
    """The logarithm of every label's probability.

    Args:
        tokens: (tokens, size), sums of the vectors of each token's features, zero between texts.
        inside: (tokens, 1), 1 for a token, 0 for a place between texts.
    """
    hidden = tokens
    for layer in network.layers:
        hidden = added_to(hidden, layer, inside)
    scores = hidden @ network.out[0] + network.out[1]
    scores -= scores.max(axis=1, keepdims=True)
    logs: Floats = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
    return logs


class Reader:
    """Gives the network the tokens of texts: sums of the vectors of their features, those of places kept."""

    def __init__(self, network: Network) -> None:
        self._network = network
        vectors: Floats = np.concatenate(
            [network.vectors, np.zeros((1, network.vectors.shape[1]), np.float32)]
        )
        self._names: Sequence[Sequence[str] | Sequence[int]] = [()] * len(PLACES)
        self._places = [DenseTable(vectors, partial(self._of_place, n)) for n in range(len(PLACES))]

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
        return log_probabilities(self._network, vectors, inside[:, None].astype(np.float32))[inside]


def in_columns(network: Network, labels: Sequence[str]) -> Network:
    """The network with ``labels`` as its columns: what it does not know is all but impossible, the rest left out."""
    size = network.out[0].shape[0]
    weights, bias = np.zeros((size, len(labels)), np.float32), np.full(len(labels), -30, np.float32)
    for column, label in enumerate(network.labels):
        if label in labels:
            weights[:, labels.index(label)] = network.out[0][:, column]
            bias[labels.index(label)] = network.out[1][column]
    return network._replace(labels=list(labels), out=(weights, bias))
