"""The models by name: the settings of each, and how it is fitted to the rows that scoring prepares."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame

from anon_spark.errors import PolicyError, nearest
from anon_spark.learn.boost import BoostConfig, fit_boost
from anon_spark.learn.dense import DenseConfig, fit_dense
from anon_spark.learn.evaluate import Scorer
from anon_spark.learn.forest import ForestConfig, fit_forest
from anon_spark.learn.logistic import LogisticConfig, fit_logistic
from anon_spark.learn.lstm import LstmConfig, fit_lstm
from anon_spark.learn.preprocess import FEATURES
from anon_spark.learn.sequences import SEQUENCE
from anon_spark.learn.settings import load_settings
from anon_spark.mimic3.cohort import LABEL
from anon_spark.policy.model import Strict


@dataclass(frozen=True)
class Model:
    """A kind of model: its settings, and the fit to ``(SUBJECT_ID, fold, label, features)``, or with sequences."""

    config: type[Strict]
    fit: Callable[[DataFrame, Any], Scorer]
    reads_sequences: bool = False


def _of_vectors(fit: Callable[..., Scorer]) -> Callable[[DataFrame, Any], Scorer]:
    return lambda rows, config: fit(rows, features=FEATURES, label=LABEL, config=config)


def _fit_lstm(rows: DataFrame, config: LstmConfig) -> Scorer:
    windows, numbers = rows.schema[SEQUENCE].metadata["shape"]
    return fit_lstm(rows, features=SEQUENCE, shape=(windows, numbers), label=LABEL, config=config)


MODELS: dict[str, Model] = {
    "xgboost": Model(BoostConfig, _of_vectors(fit_boost)),
    "forest": Model(ForestConfig, _of_vectors(fit_forest)),
    "logistic": Model(LogisticConfig, _of_vectors(fit_logistic)),
    "dense": Model(DenseConfig, _of_vectors(fit_dense)),
    "lstm": Model(LstmConfig, _fit_lstm, reads_sequences=True),
}
OF_SEQUENCES = frozenset(name for name, model in MODELS.items() if model.reads_sequences)


def unknown_models(names: Iterable[str]) -> list[str]:
    """A sentence for each name that no model has."""
    return [
        f"unknown model '{name}'; known: {', '.join(MODELS)}{nearest(name, MODELS)}"
        for name in names
        if name not in MODELS
    ]


def load_configs(names: Sequence[str], folder: Path | None = None) -> dict[str, Any]:
    """The settings of models: ``<name>.yaml`` in ``folder``, else the package's own.

    Raises:
        PolicyError: a model or a file in ``folder`` that nobody knows, a folder without any, or wrong settings.
    """
    if unknown := unknown_models(names):
        raise PolicyError(unknown)
    check_settings_folder(folder)
    return {name: load_settings(MODELS[name].config, name, own_file(name, folder)) for name in names}


def check_settings_folder(folder: Path | None) -> None:
    """Raise PolicyError where ``folder`` has no settings of a model, or a YAML file that is none."""
    if folder is None:
        return
    found = sorted({path.stem for pattern in ("*.yaml", "search/*.yaml") for path in folder.glob(pattern)})
    if unknown := unknown_models(found):
        raise PolicyError([f"--settings {folder}: {sentence}" for sentence in unknown])
    if not found and not (folder / "search").is_dir():
        raise PolicyError(f"--settings {folder}: no such folder, or no settings of a model (NAME.yaml) in it")


def own_file(name: str, folder: Path | None) -> Path | None:
    """The file of that name in the folder, None where it has none."""
    own = folder / f"{name}.yaml" if folder else None
    return own if own and own.exists() else None
