"""The MLflow store: what a run of it says and what it does not; skipped where the extra is not installed."""

import importlib.util
import json
from pathlib import Path
from typing import Any

import pytest

from anon_spark.errors import PolicyError
from anon_spark.release.tracking import EXPERIMENT, find_store, track

NEEDED = ("mlflow", "sqlalchemy", "alembic")
installed = pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in NEEDED), reason="the extra 'mlflow' is not installed"
)


def comparison() -> dict[str, Any]:
    def told(value: float) -> dict[str, Any]:
        return {"value": value, "low": value - 0.02, "high": value + 0.02}

    nothing = {"value": None, "low": None, "high": None}
    return {
        "cohort": "mortality",
        "folds": 5,
        "people": 100,
        "positives": "<11",
        "settings": {"xgboost": {"workers": 2, "booster": {"max_depth": 5}}},
        "fairness": [{"by": {"ethnicity": {"groups": {"canary-group": {"auroc": told(0.5)}}}}}],
        "models": [
            {
                "model": "xgboost",
                "learnt_from": "spring's (1)",
                "tested_on": "raw",
                "metrics": {"auroc": told(0.85), "f1": nothing},
                "to_raw": {"auroc": told(-0.01) | {"equivalent": False}},
                "membership": {"loss": {"auroc": told(0.53)}, "shadow": None},
            }
        ],
    }


@installed
def test_a_run_has_settings_metrics_and_the_document(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    file, store = tmp_path / "comparison-mortality.json", tmp_path / "store"
    file.write_text(json.dumps(comparison()))
    for _ in range(2):
        track(store, "compare mortality: spring", comparison(), file)
    client = MlflowClient(tracking_uri=f"sqlite:///{store / 'mlflow.db'}")
    experiment = client.get_experiment_by_name(EXPERIMENT)
    run, other = client.search_runs([experiment.experiment_id])
    place = "xgboost/from spring_s _1_/on raw"
    assert run.data.params == {
        "cohort": "mortality",
        "folds": "5",
        "xgboost.workers": "2",
        "xgboost.booster.max_depth": "5",
    }
    assert run.data.metrics == pytest.approx(
        {
            f"{place}/auroc": 0.85,
            f"{place}/auroc low": 0.83,
            f"{place}/auroc high": 0.87,
            f"{place}/auroc to_raw": -0.01,
            f"{place}/auroc to_raw low": -0.03,
            f"{place}/auroc to_raw high": 0.01,
            f"{place}/membership by loss": 0.53,
            f"{place}/membership by loss low": 0.51,
            f"{place}/membership by loss high": 0.55,
        }
    )
    assert run.info.status == other.info.status == "FINISHED"
    assert set(run.data.tags) <= {"mlflow.runName"}, "neither the machine nor its user"
    kept = list(store.rglob(file.name))
    assert len(kept) == 2
    assert kept[0].read_bytes() == file.read_bytes()
    assert b"canary" not in (store / "mlflow.db").read_bytes()
    assert store.stat().st_mode & 0o777 == 0o700


@installed
def test_training_is_a_run_too(tmp_path: Path) -> None:
    from mlflow import MlflowClient

    file = tmp_path / "metrics.json"
    told = {"value": 0.52, "low": 0.5, "high": 0.54}
    document = {
        "raw": None,
        "release": {"auroc": 0.8, "recall": None},
        "membership": {"auroc": told},
        "settings": {"workers": 2},
        "deaths": "<11",
    }
    file.write_text(json.dumps(document))
    track(tmp_path / "store", "train spring", document, file)
    client = MlflowClient(tracking_uri=f"sqlite:///{tmp_path / 'store' / 'mlflow.db'}")
    (run,) = client.search_runs([client.get_experiment_by_name(EXPERIMENT).experiment_id])
    assert run.data.metrics["xgboost/from release/auroc"] == 0.8
    assert len(run.data.metrics) == 4
    assert run.data.params == {"workers": "2"}


def test_where_mlflow_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "mlflow" else name)
    assert find_store(None, tmp_path) is None
    with pytest.raises(PolicyError, match=r"--mlflow needs mlflow: .* extra 'mlflow'") as error:
        find_store(tmp_path / "store", tmp_path)
    assert error.value.exit_code == 2
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: name)
    assert find_store(None, tmp_path) == tmp_path / "mlflow"
    assert find_store(None, tmp_path / "nowhere") is None
    assert find_store(tmp_path / "store", tmp_path / "nowhere") == tmp_path / "store"
