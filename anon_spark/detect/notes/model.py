"""The model's file: weights by feature and label, with what they were trained on and how they did."""

import json
import zipfile
from functools import cache
from importlib.resources import as_file, files
from pathlib import Path
from typing import Any

import numpy as np

from anon_spark.detect.notes.crf import Tagger, Weights
from anon_spark.detect.notes.detector import Detector
from anon_spark.errors import InputError

FORMAT = 1
SHIPPED = "data/model.npz"


def save_model(path: Path, weights: Weights, facts: dict[str, Any]) -> None:
    """Write a model; the same weights and facts give the same bytes."""
    used = np.flatnonzero(np.abs(weights.state).max(axis=1) > 0)
    state = weights.state[used]
    names = sorted(weights.rows, key=weights.rows.__getitem__)
    rows, columns = np.nonzero(state)
    kept = "\n".join(names[row] for row in used.tolist())
    arrays: dict[str, Any] = {
        "facts": np.frombuffer(json.dumps({**facts, "format": FORMAT}, sort_keys=True).encode(), np.uint8),
        "labels": np.frombuffer("\n".join(weights.labels).encode(), np.uint8),
        "names": np.frombuffer(kept.encode(), np.uint8),
        "rows": rows.astype(np.uint32),
        "columns": columns.astype(np.uint8),
        "values": state[rows, columns].astype(np.float16),
        "transition": weights.transition.astype(np.float32),
    }
    with path.open("wb") as out:
        np.savez_compressed(out, **arrays)


def load_model(path: Path) -> tuple[Weights, dict[str, Any]]:
    """Read a model and its facts.

    Raises:
        InputError: the file is no model of this version.
    """
    try:
        with np.load(path, allow_pickle=False) as arrays:
            facts = json.loads(arrays["facts"].tobytes())
            if facts["format"] != FORMAT:
                raise InputError(
                    f"'{path.name}' is a model of format {facts['format']}; this version reads {FORMAT}"
                )
            labels = arrays["labels"].tobytes().decode().split("\n")
            names = arrays["names"].tobytes().decode().split("\n")
            state = np.zeros((len(names), len(labels)), np.float32)
            state[arrays["rows"], arrays["columns"]] = arrays["values"]
            rows = {name: row for row, name in enumerate(names)}
            return Weights(labels, rows, state, arrays["transition"]), facts
    except (OSError, ValueError, KeyError, zipfile.BadZipFile, IndexError) as error:
        raise InputError(f"'{path.name}' is no model of notes ({type(error).__name__})") from None


@cache
def _loaded(path: str | None) -> tuple[Weights, dict[str, Any]]:
    if path is not None:
        return load_model(Path(path))
    with as_file(files(__package__).joinpath(SHIPPED)) as shipped:
        return load_model(shipped)


def facts_of(path: Path | None = None) -> dict[str, Any]:
    """What a model says of itself; that of the package where no path is given."""
    return _loaded(str(path) if path else None)[1]


@cache
def _detector(path: str | None) -> Detector:
    weights, facts = _loaded(path)
    return Detector(Tagger(weights, caution=facts.get("caution", 0.0)))


def get_detector(path: Path | None = None) -> Detector:
    """The detector of a model, made once a process."""
    return _detector(str(path) if path else None)
