"""The paper's networks in Keras on JAX: dense layers, or stacked LSTM layers over the windows of a stay.

Keras is imported where a network is built, which is in Spark's workers: the driver needs no copy of it in memory. A
worker that is used again has its network compiled already.
"""

import importlib.util
import io
import os
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from anon_spark.errors import PolicyError

State = list[npt.NDArray[Any]]
"""Weights, then the optimizer's variables."""


@dataclass(frozen=True)
class Network:
    """A binary classifier of rows of ``shape``: layers with dropout after each, one sigmoid unit at the end."""

    kind: Literal["dense", "lstm"]
    shape: tuple[int, ...]
    layers: tuple[int, ...]
    dropout: float
    learning_rate: float


def require_keras() -> None:
    """Raise PolicyError where the extra ``deep`` is not installed."""
    if absent := [name for name in ("keras", "jax") if importlib.util.find_spec(name) is None]:
        raise PolicyError(f"a network needs {' and '.join(absent)}: install anon-spark with its extra 'deep'")


@cache
def build(network: Network) -> Any:
    """The compiled ``keras.Model``; what it has learnt is in the states that it is given."""
    keras = _keras()
    layers: list[Any] = [keras.Input(network.shape)]
    for place, units in enumerate(network.layers):
        if network.kind == "dense":
            layers.append(keras.layers.Dense(units, activation="relu"))
        else:
            more = place + 1 < len(network.layers)
            layers.append(keras.layers.LSTM(units, return_sequences=more))
        layers.append(keras.layers.Dropout(network.dropout))
    layers.append(keras.layers.Dense(1, activation="sigmoid"))
    model = keras.Sequential(layers)
    model.compile(keras.optimizers.Adam(network.learning_rate), "binary_crossentropy")
    model.optimizer.build(model.trainable_variables)
    return model


def first_state(network: Network, seed: int) -> State:
    """The state before training, drawn by ``seed``."""
    _keras().utils.set_random_seed(seed)
    return _values(build.__wrapped__(network))  # a cached one may have been trained


def train_epoch(
    network: Network, state: State, x: npt.NDArray[Any], y: npt.NDArray[Any], *, batch: int, seed: int
) -> State:
    """The state after one pass over the rows; ``seed`` decides their order and what is dropped out."""
    model = build(network)
    for variable, value in zip(_variables(model), state, strict=True):
        variable.assign(value)
    _keras().utils.set_random_seed(seed)
    for place, variable in enumerate(model.non_trainable_variables):
        if "seed_generator" in variable.path:  # else it would go on from what this process did before
            variable.assign([seed, place])
    order = np.random.default_rng(seed).permutation(
        y.size
    )  # Keras's own depends on what this process did before
    model.fit(x[order], y[order], batch_size=batch, epochs=1, verbose=0, shuffle=False)
    return _values(model)


def predict(network: Network, state: State, x: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """The network's share of each row for outcome 1."""
    model = build(network)
    for variable, value in zip(model.weights, state, strict=False):
        variable.assign(value)
    scores: npt.NDArray[np.float64] = model.predict(x, batch_size=1024, verbose=0)[:, 0].astype(float)
    return scores


def pack(state: State) -> bytes:
    """The state as bytes; ``unpack`` gives it back."""
    buffer = io.BytesIO()
    np.savez(buffer, *state)
    return buffer.getvalue()


def unpack(packed: bytes) -> State:
    """What ``pack`` was given."""
    with np.load(io.BytesIO(packed)) as arrays:
        return [arrays[f"arr_{place}"] for place in range(len(arrays.files))]


def _keras() -> Any:
    os.environ["KERAS_BACKEND"] = "jax"
    import keras  # noqa: PLC0415  (takes seconds, and only workers need it)

    return keras


def _variables(model: Any) -> list[Any]:
    return [*model.weights, *model.optimizer.variables]


def _values(model: Any) -> State:
    return [np.asarray(variable) for variable in _variables(model)]
