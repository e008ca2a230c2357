"""What training and comparing found, as a run of a local MLflow store: parameters, metrics, and the whole document.

The store is one SQLite file with its artifacts beside it. A run has what the evidence has, which is metrics and their
intervals; neither people nor counts of them are logged as figures, and nothing is said of the machine or its user.
"""

import importlib.util
import logging
import os
import re
import tempfile
import time
import warnings
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from anon_spark.errors import PolicyError

EXPERIMENT = "anon_spark"
_NEEDED = ("mlflow", "sqlalchemy", "alembic")
_AT_ONCE = 500  # metrics; MLflow takes 1,000 in one call, and 100 parameters
_PARAMETERS = 100


def find_store(asked: Path | None, work: Path) -> Path | None:
    """Where to log: the folder that was asked for, else ``mlflow`` in WORK, else nowhere.

    Raises:
        PolicyError: a folder was asked for, and MLflow is not installed.
    """
    absent = [name for name in _NEEDED if importlib.util.find_spec(name) is None]
    if asked and absent:
        raise PolicyError(
            f"--mlflow needs {' and '.join(absent)}: install anon-spark with its extra 'mlflow'"
        )
    if absent or not (asked or work.is_dir()):
        return None
    return asked or work / "mlflow"


def track(store: Path, name: str, document: Mapping[str, Any], file: Path) -> None:
    """Log one run of ``train`` or ``compare``.

    Args:
        store: a folder; the database and the artifacts are in it.
        name: the run's name.
        document: what was found; ``settings`` are the parameters.
        file: where the document is kept; a copy goes with the run.
    """
    os.environ.setdefault("MLFLOW_DISABLE_TELEMETRY", "true")  # nothing leaves the machine
    with warnings.catch_warnings(), tempfile.TemporaryDirectory() as copies:
        warnings.simplefilter("ignore")  # MLflow's own use of SQLAlchemy
        from mlflow import MlflowClient  # noqa: PLC0415  (of the extra)
        from mlflow.entities import Metric, Param  # noqa: PLC0415

        logging.getLogger("mlflow").setLevel(logging.ERROR)
        logging.getLogger("alembic").setLevel(logging.ERROR)
        store.mkdir(mode=0o700, parents=True, exist_ok=True)
        client = MlflowClient(tracking_uri=f"sqlite:///{store.resolve() / 'mlflow.db'}")
        known = client.get_experiment_by_name(EXPERIMENT)
        place = (store.resolve() / "artifacts").as_uri()
        experiment = known.experiment_id if known else client.create_experiment(EXPERIMENT, place)
        run = client.create_run(experiment, run_name=name).info.run_id
        now = int(time.time() * 1000)
        metrics = [Metric(key, value, now, 0) for key, value in _metrics(document)]
        parameters = [Param(key, str(value)) for key, value in _parameters(document)]
        for start in range(0, len(parameters), _PARAMETERS):
            client.log_batch(run, params=parameters[start : start + _PARAMETERS])
        for start in range(0, len(metrics), _AT_ONCE):
            client.log_batch(run, metrics=metrics[start : start + _AT_ONCE])
        copy = Path(copies) / file.name
        copy.write_bytes(file.read_bytes())
        client.log_artifact(run, str(copy))
        client.set_terminated(run)


def _parameters(document: Mapping[str, Any]) -> Iterator[tuple[str, Any]]:
    for name in ("cohort", "folds", "tested"):
        if name in document:
            yield name, document[name]
    yield from _leaves(document["settings"])


def _leaves(settings: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in settings.items():
        if isinstance(value, Mapping):
            yield from _leaves(value, f"{before}{key}.")
        else:
            yield f"{before}{key}", value


def _metrics(document: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    """Every metric that is defined, with the ends of its interval where it has one."""
    for row in document.get("models", ()):
        place = f"{row['model']}/from {row['learnt_from']}/on {row['tested_on']}"
        for name, figure in row["metrics"].items():
            yield from _figure(f"{place}/{name}", figure)
        for against in ("to_raw", "to_truth"):
            for name, figure in row.get(against, {}).items():
                yield from _figure(f"{place}/{name} {against}", figure)
        for attack, gains in row.get("membership", {}).items():
            if gains:
                yield from _figure(f"{place}/membership by {attack}", gains["auroc"])
    for side in ("raw", "release"):  # of train
        for name, value in (document.get(side) or {}).items():
            yield from _figure(f"xgboost/from {side}/{name}", {"value": value})
    if "membership" in document:
        yield from _figure("xgboost/from release/membership by loss", document["membership"]["auroc"])


def _figure(name: str, figure: Mapping[str, Any]) -> Iterator[tuple[str, float]]:
    for end in ("value", "low", "high"):
        if figure.get(end) is not None:
            key = name if end == "value" else f"{name} {end}"
            yield re.sub(r"[^\w\-./ ]", "_", key), float(figure[end])
