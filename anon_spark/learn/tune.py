"""A search over a model's settings by person-wise folds, with Optuna's tree-structured Parzen estimator.

Features are made once a fold. A trial's figure is the mean over the folds of AUROC or of log loss on people whom its
models were not fitted to (early stopping sees them: the figures are for choosing, not for reporting). People held
out for a later test are not in the data. The same seed gives the same trials, resumed or not.

Source: Bergstra et al. 2011, Algorithms for hyper-parameter optimization, NeurIPS; Akiba et al. 2019, Optuna, KDD.
"""

import importlib.util
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import yaml
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.metrics import log_loss, roc_auc_score

from anon_spark.errors import InputError, PolicyError
from anon_spark.learn.caveats import small_cell_safe, warning
from anon_spark.learn.models import MODELS
from anon_spark.learn.rows import fingerprint
from anon_spark.learn.scoring import Learnable, Settings, learnable, scores_by_part
from anon_spark.learn.search_space import Space, suggest, with_values
from anon_spark.learn.sides import Side
from anon_spark.mimic3.cohort import LABEL
from anon_spark.policy.model import Strict

FEWEST_PEOPLE = 20
MEASURES = ("auroc", "logloss")


@dataclass(frozen=True)
class Search:
    """What is searched, and how long."""

    model: str
    base: Strict  # the settings that are not searched, and the ones to better
    space: Space
    trials: int = 30
    folds: int = 4
    seed: int = 7
    measure: Literal["auroc", "logloss"] = "auroc"
    windows: int = 48
    small_cell: int = 11

    def __post_init__(self) -> None:
        problems = []
        if self.trials < 1:
            problems.append(f"trials must be at least 1, got {self.trials}")
        if self.folds < 2:
            problems.append(f"folds must be at least 2 (training, validation), got {self.folds}")
        if self.measure not in MEASURES:
            problems.append(f"measure is one of {', '.join(MEASURES)}, got '{self.measure}'")
        if problems:
            raise PolicyError(problems)


def require_optuna() -> None:
    """Raise PolicyError where the extra ``tune`` is not installed."""
    if importlib.util.find_spec("optuna") is None:
        raise PolicyError("a search needs optuna: install anon-spark with its extra 'tune'")


def tune(
    side: Side,
    held_out: DataFrame,
    search: Search,
    *,
    journals: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Return the search as a document; ``settings`` are the best ones, whole, as ``conf/models`` has them.

    Args:
        held_out: ``(SUBJECT_ID)`` of people whom no trial sees.
        journals: a private folder, where trials are kept as they end; the same search on the same features goes on
            from them.

    Returns:
        ``{"model", "measure", "seed", "folds", "people", "positives", "held_out", "default", "best", "settings",
        "trials", "warning"}``. ``default`` and ``best`` have ``value`` and ``by_fold``; ``best`` is the default where
        no trial betters it, then its ``trial`` is None. ``trials`` have their values in order.

    Raises:
        InputError: too few people, or a fold with one outcome.
        PolicyError: Optuna is not installed.
    """
    require_optuna()
    people = side.people.join(held_out, on="SUBJECT_ID", how="left_anti").persist()
    kept = Side(side.name, people, side.numeric, side.notes, side.windows, side.variables)
    person = F.xxhash64(F.lit("tune"), F.lit(search.seed), F.col("SUBJECT_ID").cast("bigint"))
    part = F.pmod(person, F.lit(search.folds)).cast("int").alias("part")
    placed = people.select("SUBJECT_ID", part).persist()
    made: list[Learnable] = []
    try:
        counts = _check(people, placed, search)
        settings = Settings(models=(search.model,), windows=search.windows, small_cell=search.small_cell)
        for number in range(search.folds):
            fold = F.when(F.col("part") == number, "validation").otherwise("train")
            made.append(learnable(kept, kept, placed.withColumn("fold", fold), settings))
        rows = [one.rows for one in made]
        journal = journals / f"{_identity(people, search)}.log" if journals else None
        found = _search(rows, search, journal, progress)
    finally:
        for one in made:
            one.rows.unpersist()
        placed.unpersist()
        people.unpersist()
    total, positives = (sum(numbers) for numbers in zip(*counts, strict=True))
    return {
        "model": search.model,
        "measure": search.measure,
        "seed": search.seed,
        "folds": search.folds,
        "people": total,
        "positives": small_cell_safe(positives, total, search.small_cell),
        "held_out": side.people.count() - total,
        **found,
        "warning": warning(total),
    }


def write_settings(document: Mapping[str, Any], folder: Path) -> Path:
    """Write the best settings as ``<model>.yaml``, which ``--settings`` takes, and return its path.

    Raises:
        PolicyError: there is one already.
    """
    place = settings_place(document["model"], folder)
    folder.mkdir(parents=True, exist_ok=True)
    best, default = document["best"], document["default"]
    words = (
        f"# Found by `anon-spark tune`: {len(document['trials'])} trials, seed {document['seed']},"
        f" {document['folds']} folds of {document['people']} people.\n"
        f"# Mean {document['measure']} of validation people {best['value']:.4f}, {default['value']:.4f} before"
        f"{'' if best['trial'] else ': no trial was better, these are the settings as they were'}.\n"
    )
    place.write_text(words + yaml.safe_dump(document["settings"], sort_keys=False), encoding="utf-8")
    return place


def settings_place(model: str, folder: Path) -> Path:
    """Where the settings are written.

    Raises:
        PolicyError: there are some already.
    """
    place = folder / f"{model}.yaml"
    if place.exists():
        raise PolicyError(f"'{place}' is there already")
    if folder.exists() and not folder.is_dir():
        raise PolicyError(f"'{folder}' is no folder")
    return place


def _check(people: DataFrame, placed: DataFrame, search: Search) -> list[tuple[int, int]]:
    """People and positives of every fold."""
    rows = (
        people.select("SUBJECT_ID", LABEL)
        .join(placed, on="SUBJECT_ID", how="inner")
        .groupBy("part")
        .agg(F.count(F.lit(1)).alias("people"), F.sum(LABEL).alias("positives"))
        .collect()
    )
    counts = [(row["people"], row["positives"]) for row in rows]
    total = sum(number for number, _ in counts)
    if total < FEWEST_PEOPLE:
        raise InputError(f"{total} people are not held out; a search needs {FEWEST_PEOPLE}")
    if len(counts) < search.folds or any(positives in (0, number) for number, positives in counts):
        raise InputError(
            f"{total} people in {search.folds} folds: a fold is empty or has one outcome;"
            " take fewer folds or more people"
        )
    return counts


def _identity(people: DataFrame, search: Search) -> str:
    """A name for the search on these features; how many trials is left out, so that more can follow."""
    space = {
        name: tried if isinstance(tried, list) else tried.model_dump() for name, tried in search.space.items()
    }
    told = [search.base.model_dump(mode="json"), space, search.folds, search.seed, search.measure]
    return f"{search.model}-{fingerprint(people, told)}"


def _search(
    rows: Sequence[DataFrame], search: Search, journal: Path | None, progress: Callable[[str], None]
) -> dict[str, Any]:
    import optuna  # noqa: PLC0415  (of the extra)
    from optuna.storages import JournalStorage  # noqa: PLC0415
    from optuna.storages.journal import JournalFileBackend  # noqa: PLC0415

    optuna.logging.set_verbosity(optuna.logging.WARNING)
    if journal:
        journal.parent.mkdir(parents=True, exist_ok=True)
    study = optuna.create_study(
        study_name=search.model,
        storage=JournalStorage(JournalFileBackend(str(journal))) if journal else None,
        load_if_exists=True,
        direction="maximize" if search.measure == "auroc" else "minimize",
    )
    if "default" not in study.user_attrs:
        progress("the settings as they are")
        study.set_user_attr("default", _by_fold(rows, search, search.base))
    default = study.user_attrs["default"]

    def ended() -> list[Any]:
        return study.get_trials(deepcopy=False, states=(optuna.trial.TrialState.COMPLETE,))[: search.trials]

    for number in range(len(ended()), search.trials):
        # a sampler for each trial: what it picks follows from the trials before, not from this process's past
        study.sampler = optuna.samplers.TPESampler(seed=search.seed + number)
        trial = study.ask()
        values = suggest(trial, search.space)
        by_fold = _by_fold(rows, search, with_values(search.base, values))
        trial.set_user_attr("values", values)
        trial.set_user_attr("by_fold", by_fold)
        study.tell(trial, float(np.mean(by_fold)))
        progress(f"trial {number + 1} of {search.trials}: {search.measure} {np.mean(by_fold):.4f}")
    return _document(search, default, ended())


def _document(search: Search, default: list[float], trials: Sequence[Any]) -> dict[str, Any]:
    sign = 1 if search.measure == "auroc" else -1
    best = max(trials, key=lambda trial: sign * trial.value)
    bettered = sign * best.value > sign * float(np.mean(default))
    values, by_fold = (best.user_attrs["values"], best.user_attrs["by_fold"]) if bettered else ({}, default)
    return {
        "default": {"value": float(np.mean(default)), "by_fold": default},
        "best": {
            "trial": trials.index(best) + 1 if bettered else None,
            "value": float(np.mean(by_fold)),
            "by_fold": by_fold,
            "values": values,
        },
        "settings": with_values(search.base, values).model_dump(mode="json"),
        "trials": [{"value": trial.value, "values": trial.user_attrs["values"]} for trial in trials],
    }


def _by_fold(rows: Sequence[DataFrame], search: Search, config: Strict) -> list[float]:
    """The measure of each fold's validation people."""
    found = []
    for part, of_fold in enumerate(rows):
        model = MODELS[search.model].fit(of_fold, config)
        labels, scores = scores_by_part(model, of_fold.where("fold = 'validation'"))[part]
        score = roc_auc_score if search.measure == "auroc" else log_loss
        found.append(float(score(labels, scores)))
    return found
