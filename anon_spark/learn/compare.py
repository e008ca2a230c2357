"""The price of privacy: the same models on the source and on releases of it, on the same people and folds."""

from collections.abc import Mapping, Sequence
from functools import reduce
from typing import Any

import numpy as np
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.errors import InputError, PolicyError
from anon_spark.learn.attacks import attack_gains, membership_by_loss, membership_by_shadows
from anon_spark.learn.bootstrap import MEASURES, Scores, compare_paired, estimate, resampled
from anon_spark.learn.caveats import small_cell_safe, warning
from anon_spark.learn.fairness import Groups, Resampled, by_group, fairness
from anon_spark.learn.importance import rank_correlations
from anon_spark.learn.scoring import Settings, Tested, place_in_folds, score_models
from anon_spark.learn.sides import RAW, Side
from anon_spark.mimic3.cohort import LABEL, MISSING, Task

FEWEST_PEOPLE = 20
GROUPED = ("sex", "age", "ethnicity", "insurance", "language")


def compare_sides(
    raw: Side, releases: Sequence[Side], task: Task, settings: Settings, *, truth: DataFrame | None = None
) -> dict[str, Any]:
    """Return the comparison as a document.

    Args:
        truth: ``(SUBJECT_ID, score: double)``: the best score there can be, where the source is generated.

    Returns:
        ``{"cohort", "outcome", "people", "positives", "left_out", "folds", "tested", "settings", "models", "fairness",
        "importance", "curves", "inference", "notes", "warning"}``.
        ``models`` has a row a model, data set that it learnt from and kind of test: eight metrics with their
        intervals of 95 %, and for releases their difference to the model of the raw data. ``fairness`` has them
        by sex, age, ethnicity, insurance and language, of raw test people. ``membership`` is what attacks on
        the model gain, ``shadow`` is None unless every fold is tested; ``attributes`` is what the first fold's
        model tells of a person's other values. ``importance`` has gain and SHAP by column of boosted models, and
        the correlation of their ranks; ``curves`` the validation loss by round of models that have one;
        ``inference`` the seconds of scoring ever more people, where ``settings`` ask for it.

    Raises:
        InputError: too few people in common, or a part without both outcomes.
        PolicyError: two of the data sets have one name.
    """
    sides = [raw, *releases]
    names = [side.name for side in sides]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        raise PolicyError(f"two data sets of the comparison have the name {', '.join(twice)}")
    common = reduce(
        lambda one, other: one.join(other, on="SUBJECT_ID", how="left_semi"),
        (side.people.select("SUBJECT_ID") for side in sides),
    )
    placed = place_in_folds(common, settings).persist()
    try:
        counts = _check(raw, placed, settings)
        tested = score_models(raw, releases, placed, settings)
        groups = _groups(raw, placed, settings)
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
        "settings": {name: config.model_dump(mode="json") for name, config in settings.all_configs.items()},
        "models": _rows(tested, best, [side.name for side in releases], settings),
        "fairness": _fairness_rows(tested, groups, [side.name for side in releases], settings),
        "importance": _importance_rows(tested, [side.name for side in releases]),
        "curves": [
            {"model": model, "learnt_from": name, "validation_loss": list(found.curve)}
            for (model, name), found in tested.items()
            if found.curve
        ],
        "inference": [
            {"model": model, **row} for (model, _), found in tested.items() for row in found.seconds
        ],
        "notes": [note for side in sides for note in side.notes],
        "warning": warning(people),
    }


def _check(raw: Side, placed: DataFrame, settings: Settings) -> dict[int, tuple[int, int]]:
    """People and positives of every fold; raises where a fold is empty or leaves one outcome to learn from."""
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
    single = 0
    for test in range(settings.tested or settings.folds):
        others = [counts[part] for part in counts if part not in (test, (test + 1) % settings.folds)]
        positives = sum(number for _, number in others)
        single += positives in (0, sum(people for people, _ in others))
    if single or len(counts) < settings.folds:
        raise InputError(
            f"{total} people in {settings.folds} folds: a fold is empty, or its training people have one outcome;"
            " take fewer folds or more people"
        )
    return counts


def _groups(raw: Side, placed: DataFrame, settings: Settings) -> list[dict[str, np.ndarray]]:
    """Of every tested fold: the groups of its people by the raw data, in the order of SUBJECT_ID."""
    age = F.col("AGE")
    first_word = F.trim(F.split("ETHNICITY", r"/| - | OR ")[0])
    described = raw.people.select(
        "SUBJECT_ID",
        F.col("GENDER").alias("sex"),
        F.when(age < 45, "18-44")
        .when(age < 65, "45-64")
        .when(age < 80, "65-79")
        .when(age.isNotNull(), "80+")
        .otherwise(MISSING)
        .alias("age"),
        first_word.alias("ethnicity"),
        F.col("INSURANCE").alias("insurance"),
        F.col("LANGUAGE").alias("language"),
    )
    table = described.join(placed, on="SUBJECT_ID", how="inner").orderBy("SUBJECT_ID").toArrow()
    parts = [table.filter(pc.field("part") == part) for part in range(settings.tested or settings.folds)]
    return [{name: part[name].to_numpy(zero_copy_only=False) for name in GROUPED} for part in parts]


def _fairness_rows(
    tested: Mapping[tuple[str, str], Tested], groups: Groups, releases: Sequence[str], settings: Settings
) -> list[dict[str, Any]]:
    """A row a model and data set that it learnt from."""

    def draw(folds: Sequence[Scores]) -> Resampled:
        return by_group(
            folds, groups, draws=settings.draws, seed=settings.seed, small_cell=settings.small_cell
        )

    rows = []
    for model in settings.models:
        base = draw(tested[model, RAW].own)
        rows.append({"model": model, "learnt_from": RAW, "by": fairness(base)})
        for name in releases:
            by = fairness(draw(tested[model, name].raw), base)
            rows.append({"model": model, "learnt_from": name, "by": by})
    return rows


def _importance_rows(
    tested: Mapping[tuple[str, str], Tested], releases: Sequence[str]
) -> list[dict[str, Any]]:
    """For each release, what its boosted model leans on beside what the raw one does."""
    rows = []
    for (model, name), found in tested.items():
        raw = tested[model, RAW].importance
        if name in releases and found.importance is not None and raw is not None:
            rows.append({"model": model, "learnt_from": name, **rank_correlations(raw, found.importance)})
    return rows


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
        rows[-1] |= _attacks(tested[model, RAW], settings)
        for name in releases:
            for on, folds in ((RAW, tested[model, name].raw), ("anonymized", tested[model, name].own)):
                rows.append(_row(model, name, on, draw(folds), base, "to_raw", settings))
            rows[-1] |= _attacks(tested[model, name], settings)
    if truth is not None:
        rows.append(_row("true probability", RAW, RAW, truth, None, "to_raw", settings))
    return rows


def _attacks(tested: Tested, settings: Settings) -> dict[str, Any]:
    """What attacks gain on the data set that the model learnt from; shadows need a model a fold."""
    parts = settings.folds
    by_loss = []
    for test, scored in enumerate(tested.by_part):
        seen = [scored[part] for part in range(parts) if part not in (test, (test + 1) % parts)]
        labels, scores = (np.concatenate(arrays) for arrays in zip(*seen, strict=True))
        by_loss.append(membership_by_loss((labels, scores), scored[test]))
    by_shadows = membership_by_shadows(tested.by_part) if len(tested.by_part) == parts else None
    membership = {
        name: None if attack is None else attack_gains(attack, draws=settings.draws, seed=settings.seed)
        for name, attack in (("loss", by_loss), ("shadow", by_shadows))
    }
    return {"membership": membership, "attributes": tested.attributes}


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
        "metrics": {name: estimate(values[name]).as_dict() for name in MEASURES},
    }
    if base is not None:
        row[key] = {
            name: compare_paired(values[name], base[name], margin=settings.margin) for name in MEASURES
        }
    return row
