"""The price of privacy: the same models on the source and on releases of it, on the same people and folds.

Each fold is once the test; the next one chooses when to stop and the threshold; the others train. A model that
has learnt from a release is tested on the release's own people and on their raw data, which is what a hospital
would give it: raw categories are then named as the release names them, by what it made of the training people's.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import reduce
from typing import Any

import numpy as np
import pyarrow.compute as pc
from pyspark.ml import Model
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.errors import InputError, PolicyError, nearest
from anon_spark.learn.boost import fit_boost, load_boost_config
from anon_spark.learn.bootstrap import RANKED, Scores, compare_paired, estimate, resampled
from anon_spark.learn.caveats import small_cell_safe, warning
from anon_spark.learn.evaluate import choose_threshold
from anon_spark.learn.forest import fit_forest, load_forest_config
from anon_spark.learn.logistic import fit_logistic, load_logistic_config
from anon_spark.learn.preprocess import FEATURES, SMALL_CELL, fit_preprocessing
from anon_spark.learn.sides import RAW, Side
from anon_spark.mimic3.cohort import CATEGORICAL, LABEL, Task

FEWEST_PEOPLE = 20
_SLICES = 10_000
_VALIDATION, _OWN, _ON_RAW = "validation", "own", "raw"

Fit = Callable[[DataFrame], Model]


@dataclass(frozen=True)
class Settings:
    """How models are compared."""

    models: tuple[str, ...] = ("xgboost", "forest", "logistic")
    folds: int = 5
    tested: int | None = None  # so many of the folds are the test once; None: all
    seed: int = 20250101
    draws: int = 1000
    margin: float = 0.01
    small_cell: int = SMALL_CELL

    def __post_init__(self) -> None:
        problems = [
            f"unknown model '{name}'; known: {', '.join(MODELS)}{nearest(name, MODELS)}"
            for name in self.models
            if name not in MODELS
        ]
        if self.folds < 3:
            problems.append(f"folds must be at least 3 (training, validation, test), got {self.folds}")
        if self.draws < 100:
            problems.append(f"draws must be at least 100, got {self.draws}")
        if problems:
            raise PolicyError(problems)


@dataclass
class Tested:
    """Scores of one model that learnt from one side, fold by fold, on its own people and on their raw data."""

    own: list[Scores] = field(default_factory=list)
    raw: list[Scores] = field(default_factory=list)


def _boost() -> Fit:
    config = load_boost_config()
    return lambda rows: fit_boost(rows, features=FEATURES, label=LABEL, config=config)


def _forest() -> Fit:
    config = load_forest_config()
    return lambda rows: fit_forest(rows, features=FEATURES, label=LABEL, config=config)


def _logistic() -> Fit:
    config = load_logistic_config()
    return lambda rows: fit_logistic(rows, features=FEATURES, label=LABEL, config=config)


MODELS: dict[str, Callable[[], Fit]] = {"xgboost": _boost, "forest": _forest, "logistic": _logistic}


def compare_sides(
    raw: Side, releases: Sequence[Side], task: Task, settings: Settings, *, truth: DataFrame | None = None
) -> dict[str, Any]:
    """Return the comparison as a document.

    Args:
        truth: ``(SUBJECT_ID, score: double)``: the best score there can be, where the source is generated.

    Returns:
        ``{"cohort", "outcome", "people", "positives", "left_out", "folds", "models", "notes", "warning"}``.
        ``models`` has a row a model, data set that it learnt from and kind of test: eight metrics with their
        intervals of 95 %, and for releases their difference to the model of the raw data.

    Raises:
        InputError: too few people in common, or a part without both outcomes.
    """
    sides = [raw, *releases]
    common = reduce(
        lambda one, other: one.join(other, on="SUBJECT_ID", how="left_semi"),
        (side.people.select("SUBJECT_ID") for side in sides),
    )
    placed = _folds(common, settings).persist()
    try:
        counts = _check(raw, placed, settings)
        tested = _test_models(raw, releases, placed, settings)
        best = _truth_scores(truth, raw, placed, settings) if truth is not None else None
    finally:
        placed.unpersist()
    people, positives = sum(n for n, _ in counts.values()), sum(n for _, n in counts.values())
    return {
        "cohort": task.name,
        "outcome": task.label,
        "people": people,
        "positives": small_cell_safe(positives, people, settings.small_cell),
        "left_out": {side.name: side.people.count() - people for side in sides},
        "folds": settings.folds,
        "tested": settings.tested or settings.folds,
        "models": _rows(tested, best, [side.name for side in releases], settings),
        "notes": [note for side in sides for note in side.notes],
        "warning": warning(people),
    }


def _folds(common: DataFrame, settings: Settings) -> DataFrame:
    """(SUBJECT_ID, part): a function of the person and the seed alone."""
    place = F.pmod(F.xxhash64(F.lit(settings.seed), F.col("SUBJECT_ID").cast("bigint")), F.lit(_SLICES))
    return common.select("SUBJECT_ID", F.floor(place * settings.folds / _SLICES).cast("int").alias("part"))


def _check(raw: Side, placed: DataFrame, settings: Settings) -> dict[int, tuple[int, int]]:
    """People and positives of every fold; raises where a fold cannot serve."""
    rows = (
        raw.people.select("SUBJECT_ID", LABEL)
        .join(placed, on="SUBJECT_ID", how="inner")
        .groupBy("part")
        .agg(F.count(F.lit(1)).alias("people"), F.sum(LABEL).alias("positives"))
        .collect()
    )
    counts = {row["part"]: (row["people"], row["positives"]) for row in rows}
    total = sum(people for people, _ in counts.values())
    if total < FEWEST_PEOPLE:
        raise InputError(f"the data sets have {total} people in common; comparing needs {FEWEST_PEOPLE}")
    missing = settings.folds - len(counts)
    single = [part for part, (people, positives) in counts.items() if positives in (0, people)]
    if missing or single:
        raise InputError(
            f"{missing + len(single)} of {settings.folds} folds of {total} people lack one of the outcomes;"
            " take fewer folds or more people"
        )
    return counts


def _test_models(
    raw: Side, releases: Sequence[Side], placed: DataFrame, settings: Settings
) -> dict[tuple[str, str], Tested]:
    """Scores by (model, side) of every fold that is tested."""
    tested = {(model, side.name): Tested() for model in settings.models for side in [raw, *releases]}
    fits = {model: MODELS[model]() for model in settings.models}
    for test in range(settings.tested or settings.folds):
        validation = (test + 1) % settings.folds
        part = F.when(F.col("part") == test, "test").when(F.col("part") == validation, _VALIDATION)
        split = placed.select("SUBJECT_ID", part.otherwise("train").alias("fold"))
        for side in [raw, *releases]:
            rows = _learnable(side, raw, split, settings)
            try:
                for model, fit in fits.items():
                    _add(tested[model, side.name], _scores(fit(rows), rows))
            finally:
                rows.unpersist()
    return tested


def _learnable(side: Side, raw: Side, split: DataFrame, settings: Settings) -> DataFrame:
    """``(SUBJECT_ID, fold, part, label, features)``: the side's people, and the test people's raw data as well."""
    own = side.people.join(split, on="SUBJECT_ID", how="inner")
    train = own.where("fold = 'train'")
    pipeline = fit_preprocessing(
        train,
        numeric=side.numeric,
        categorical=CATEGORICAL,
        # what is summarized of a variable is absent together: one flag is enough
        flagged=[name for name in side.numeric if name == "AGE" or name.endswith("_mean")],
        small_cell=settings.small_cell,
    )
    parts = own.withColumn("part", F.when(F.col("fold") == "test", _OWN).otherwise(F.col("fold")))
    if side is not raw:
        of_raw = raw.people.join(split.where("fold = 'test'"), on="SUBJECT_ID", how="inner")
        parts = parts.unionByName(_renamed(of_raw, raw.people, train).withColumn("part", F.lit(_ON_RAW)))
    return pipeline.transform(parts).select("SUBJECT_ID", "fold", "part", LABEL, FEATURES).persist()


def _renamed(rows: DataFrame, raw: DataFrame, train: DataFrame) -> DataFrame:
    """Raw rows with each category as the release names it: what most training people with it have there."""
    released = train.select("SUBJECT_ID", *(F.col(name).alias(f"_{name}") for name in CATEGORICAL))
    both = raw.select("SUBJECT_ID", *CATEGORICAL).join(released, on="SUBJECT_ID", how="inner")
    for name in CATEGORICAL:
        counted = both.groupBy(name, f"_{name}").count()
        names = counted.groupBy(name).agg(F.max_by(f"_{name}", F.struct("count", f"_{name}")).alias("_named"))
        rows = rows.join(F.broadcast(names), on=name, how="left").withColumn(name, F.coalesce("_named", name))
        rows = rows.drop("_named")
    return rows


def _scores(model: Model, rows: DataFrame) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Labels and scores by part, in the order of SUBJECT_ID: two numbers a person come to the driver, no id."""
    scored = model.transform(rows.where("part != 'train'").drop("fold"))
    positive = vector_to_array(F.col("probability"))[1].alias("score")
    table = (
        scored.select("SUBJECT_ID", "part", LABEL, positive)
        .orderBy("SUBJECT_ID")
        .drop("SUBJECT_ID")
        .toArrow()
    )
    found = {}
    for part in (_VALIDATION, _OWN, _ON_RAW):
        of_part = table.filter(pc.field("part") == part)
        found[part] = (of_part[LABEL].to_numpy(), of_part["score"].to_numpy().astype(float))
    return found


def _add(tested: Tested, found: Mapping[str, tuple[np.ndarray, np.ndarray]]) -> None:
    threshold = choose_threshold(*found[_VALIDATION])
    own = Scores(*found[_OWN], threshold)
    tested.own.append(own)
    tested.raw.append(Scores(*found[_ON_RAW], threshold) if found[_ON_RAW][0].size else own)


def _truth_scores(truth: DataFrame, raw: Side, placed: DataFrame, settings: Settings) -> list[Scores]:
    """The true probabilities of every tested fold's people."""
    known = raw.people.select("SUBJECT_ID", LABEL).join(placed, on="SUBJECT_ID", how="inner")
    table = known.join(truth, on="SUBJECT_ID", how="inner").orderBy("SUBJECT_ID").drop("SUBJECT_ID").toArrow()
    parts = [table.filter(pc.field("part") == part) for part in range(settings.tested or settings.folds)]
    return [Scores(part[LABEL].to_numpy(), part["score"].to_numpy(), 0.5) for part in parts]


def _rows(
    tested: Mapping[tuple[str, str], Tested],
    best: list[Scores] | None,
    releases: Sequence[str],
    settings: Settings,
) -> list[dict[str, Any]]:
    """A row a model, side and kind of test."""

    def draw(folds: Sequence[Scores]) -> dict[str, np.ndarray]:
        return resampled(folds, draws=settings.draws, seed=settings.seed)

    truth = draw(best) if best else None
    rows = []
    for model in settings.models:
        base = draw(tested[model, RAW].own)
        rows.append(_row(model, RAW, RAW, base, truth, "to_truth", settings))
        for name in releases:
            for on, folds in ((RAW, tested[model, name].raw), ("anonymized", tested[model, name].own)):
                rows.append(_row(model, name, on, draw(folds), base, "to_raw", settings))
    if truth is not None:
        rows.append(_row("true probability", RAW, RAW, truth, None, "to_raw", settings))
    return rows


def _row(
    model: str,
    learnt_from: str,
    tested_on: str,
    values: Mapping[str, np.ndarray],
    base: Mapping[str, np.ndarray] | None,
    key: str,
    settings: Settings,
) -> dict[str, Any]:
    row: dict[str, Any] = {
        "model": model,
        "learnt_from": learnt_from,
        "tested_on": tested_on,
        "metrics": {name: estimate(values[name]).as_dict() for name in RANKED},
    }
    if base is not None:
        row[key] = {name: compare_paired(values[name], base[name], margin=settings.margin) for name in RANKED}
    return row
