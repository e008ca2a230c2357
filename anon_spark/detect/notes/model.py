"""The model's file: weights by feature and label, with what they were trained on and how they did."""

import json
import tempfile
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from anon_spark.detect.notes.crf import OUTSIDE, Tagger, Weights
from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.features import NEAR
from anon_spark.detect.notes.labels import LABELS
from anon_spark.detect.notes.network import Layer, Network
from anon_spark.detect.notes.whole import written_whole
from anon_spark.errors import InputError

FORMAT = 5
SHIPPED = "data/model.npz"
LARGEST = 1e4  # of a model's numbers, beside which those of any that was trained are small
KINDS = {
    "rows": "u",
    "columns": "u",
    "values": "f",
    "transition": "f",
    "steps": "i",
    "vectors": "i",
    "scale": "f",
}
STEPS = 127  # a vector's numbers are kept in so many steps to either side of zero


class Model(NamedTuple):
    """What finds personal text, and the facts of its making."""

    weights: Weights
    network: Network
    facts: dict[str, Any]

    def tagger(self) -> Tagger:
        """Its tagger, as cautious as it was chosen to be."""
        return Tagger(self.weights, self.network, caution=self.facts.get("caution", 0.0))


def save_model(path: Path, model: Model) -> None:
    """Write a model, whole or not at all; the same weights and facts give the same bytes."""
    facts = {**model.facts, "format": FORMAT}
    arrays: dict[str, Any] = {
        "facts": _packed([json.dumps(facts, sort_keys=True)]),
        **_packed_field(model.weights),
        **_packed_network(model.network),
    }
    with written_whole(path) as place, place.open("wb") as out:
        np.savez_compressed(out, **arrays)


def _packed(names: Iterable[str]) -> NDArray[np.uint8]:
    return np.frombuffer("\n".join(names).encode(), np.uint8)


def _unpacked(packed: NDArray[np.uint8]) -> list[str]:
    return packed.tobytes().decode().split("\n")


def _packed_field(weights: Weights) -> dict[str, Any]:
    used = np.flatnonzero(np.abs(weights.state).max(axis=1) > 0)
    state = weights.state[used]
    names = sorted(weights.rows, key=weights.rows.__getitem__)
    rows, columns = np.nonzero(state)
    return {
        "labels": _packed(weights.labels),
        "names": _packed(names[row] for row in used.tolist()),
        "rows": rows.astype(np.uint32),
        "columns": columns.astype(np.uint16),
        "values": state[rows, columns].astype(np.float16),
        "transition": weights.transition.astype(np.float32),
    }


def _packed_network(network: Network) -> dict[str, Any]:
    scale = np.maximum(np.abs(network.vectors).max(axis=1, keepdims=True), 1e-6) / STEPS
    parts = [*((layer.weights, layer.bias) for layer in network.layers), network.out]
    layers = {
        f"layer{n}{part}": values.astype(np.float16)
        for n, pair in enumerate(parts)
        for part, values in zip("wb", pair, strict=True)
    }
    return {
        "steps": np.array([layer.step for layer in network.layers]),
        "network_labels": _packed(network.labels),
        "network_names": _packed(sorted(network.rows, key=network.rows.__getitem__)),
        "vectors": np.round(network.vectors / scale).astype(np.int8),
        "scale": scale.astype(np.float32),
        **layers,
    }


def as_kept(model: Model) -> Model:
    """A model as its file gives it back: its numbers are kept in fewer digits than they were learned in."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.npz"
        save_model(path, model)
        return load_model(path)


def load_model(path: Path) -> Model:
    """Read a model and its facts.

    Raises:
        InputError: the file is no model of this version.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            if facts["format"] != FORMAT:
                raise InputError(
                    f"'{path.name}' is a model of another format than {FORMAT}, which this version reads"
                )
            layers = {name: "f" for name in arrays.files if name.startswith("layer")}
            if any(arrays[name].dtype.kind != kind for name, kind in {**KINDS, **layers}.items()):
                raise ValueError("numbers of another kind")
            model = Model(_field_of(arrays), _network_of(arrays), facts)
            _check(model)
            return model
    except InputError:
        raise
    except Exception as error:  # noqa: BLE001  (a damaged file can break its readers in any way)
        raise InputError(f"'{path.name}' is no model of notes ({type(error).__name__})") from None


def _check(model: Model) -> None:
    """A model that cannot tell one label from another would find nothing, and publish what it was to hide."""
    (labels, _, state, transition), network = model.weights, model.network
    count, size = len(labels), network.vectors.shape[1]
    shapes = [transition.shape == (count, count), network.vectors.shape == (len(network.rows), size)]
    shapes += [w.shape == (3, size, size) and b.shape == (size,) for w, b, _ in network.layers]
    shapes += [1 <= layer.step <= max(NEAR) for layer in network.layers]  # no farther than texts stand apart
    shapes += [network.out[0].shape == (size, count), network.out[1].shape == (count,)]
    layers = [*(v for layer in network.layers for v in (layer.weights, layer.bias)), *network.out]
    sane = all((np.abs(values) <= LARGEST).all() for values in (state, transition, network.vectors, *layers))
    caution = model.facts.get("caution", 0.0)
    chosen = type(caution) in (int, float) and 0 <= caution <= LARGEST
    known = OUTSIDE in labels and set(labels) <= {OUTSIDE, *LABELS} and network.labels == labels
    once = len(set(labels)) == count > 1 and 0 < len(model.weights.rows) == len(state)
    if not (all(shapes) and sane and chosen and known and once and state.any() and network.vectors.any()):
        raise ValueError("arrays that do not fit together")


def _field_of(arrays: Mapping[str, NDArray[Any]]) -> Weights:
    labels, names = _unpacked(arrays["labels"]), _unpacked(arrays["names"])
    if not arrays["rows"].shape == arrays["columns"].shape == arrays["values"].shape:
        raise ValueError("weights without places")
    state = np.zeros((len(names), len(labels)), np.float32)
    state[arrays["rows"], arrays["columns"]] = arrays["values"]
    return Weights(labels, _numbered(names), state, arrays["transition"])


def _network_of(arrays: Mapping[str, NDArray[Any]]) -> Network:
    steps = arrays["steps"].tolist()
    *layers, out = (
        (arrays[f"layer{n}w"].astype(np.float32), arrays[f"layer{n}b"].astype(np.float32))
        for n in range(len(steps) + 1)
    )
    rows = _numbered(_unpacked(arrays["network_names"]))
    if arrays["scale"].shape != (len(rows), 1):
        raise ValueError("vectors without scales")
    vectors = arrays["vectors"].astype(np.float32) * arrays["scale"]
    stepped = [Layer(*layer, step) for layer, step in zip(layers, steps, strict=True)]
    return Network(_unpacked(arrays["network_labels"]), rows, vectors, stepped, out)


def _numbered(names: Iterable[str]) -> dict[str, int]:
    return {name: row for row, name in enumerate(names)}


@cache
def _loaded(path: str | None) -> Model:
    if path is not None:
        return load_model(Path(path))
    with as_file(files(__package__).joinpath(SHIPPED)) as shipped:
        return load_model(shipped)


def facts_of(path: Path | None = None) -> dict[str, Any]:
    """What a model says of itself; that of the package where no path is given."""
    return _loaded(str(path) if path else None).facts


@cache
def _detector(path: str | None) -> Detector:
    return Detector(_loaded(path).tagger())


def get_detector(path: Path | None = None) -> Detector:
    """The detector of a model, made once a process."""
    return _detector(str(path) if path else None)
