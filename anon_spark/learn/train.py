"""Train on the release and, with the source beside it, on the same people's raw data: what privacy costs."""

import json
import shutil
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.compute as pc
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifierModel

from anon_spark.errors import GateRefusedError, InputError, PolicyError
from anon_spark.ingest.lake import TableReader
from anon_spark.learn.attacks import attack_gains, membership_by_loss
from anon_spark.learn.boost import FOLDS, BoostConfig, fit_boost, split_people
from anon_spark.learn.caveats import small_cell_safe, warning
from anon_spark.learn.evaluate import choose_threshold, measure
from anon_spark.learn.preprocess import FEATURES, feature_count, fit_preprocessing
from anon_spark.learn.rows import fingerprint
from anon_spark.learn.settings import load_settings
from anon_spark.mimic3.cohort import CATEGORICAL, LABEL, first_stays, load_items, numeric_columns

FEWEST_PEOPLE = 20
_DRAWS = 1000


@dataclass(frozen=True)
class Trained:
    """A fitted model, the threshold of its validation people, its six metrics on the test people."""

    preprocessing: PipelineModel
    classifier: SparkXGBClassifierModel
    threshold: float
    metrics: dict[str, float | None]
    membership: dict[str, Any]
    features: int


def train_models(
    spark: SparkSession,
    *,
    release: TableReader,
    baseline: TableReader | None = None,
    subjects: DataFrame | None = None,
    work: str | Path | None = None,
    model_dir: str | Path | None = None,
    config: BoostConfig | None = None,
    small_cell: int = 11,
    max_membership: float | None = None,
) -> dict[str, Any]:
    """Return the metrics of in-hospital mortality models as the document ``metrics.json``.

    Features are computed once and kept as Delta under ``work``; every later step reads that. With a baseline
    only people in both cohorts count, and each is in the same fold in both.

    Args:
        release: tables of a release.
        baseline: tables of the identified source (bronze).
        subjects: the vault's ``(id, pseudonym)`` of people; needed with a baseline.
        work: a private folder that every executor can write to; by default a temporary one, which is enough
            where driver and executors share a disk.
        model_dir: where to save the release's model: ``preprocessing`` (a Spark pipeline), ``booster.json``
            and ``model.json``. The baseline's model is never saved: it knows the source's categories.
        config: by default the package's ``models/xgboost.yaml``.
        small_cell: counts of people below it are not told.
        max_membership: the gate: the upper end of the AUROC of membership inference that the release's model may
            have and still be saved.

    Returns:
        ``{"raw", "release", "people", "features", "deaths", "membership", "settings", "warning"}``: six metrics
        each (``raw`` is None without a baseline, a metric is None where it is undefined), people a fold, length of
        the release's feature vector, deaths among all the people (``<11`` below ``small_cell``), what membership
        inference by loss gains on the release's model, the model's settings, what to say of too few people.

    Raises:
        GateRefusedError: the model tells more of who it was trained on than ``max_membership``; it is not saved.
        InputError: too few people, or a fold without people or with one outcome only where both are needed.
        PolicyError: a baseline without ``subjects``; settings that do not fit.
    """
    if baseline is not None and subjects is None:
        raise PolicyError("a baseline needs the map of people to pseudonyms that the release was made with")
    settings = config or load_settings(BoostConfig, "xgboost")
    with _folder(work) as folder:
        cohort = _store(spark, first_stays(release), folder / "release")
        raw = None
        if baseline is not None and subjects is not None:
            raw = _store(spark, _pseudonymous(first_stays(baseline), subjects), folder / "raw")
            cohort, raw = (
                cohort.join(raw.select("SUBJECT_ID"), on="SUBJECT_ID", how="left_semi"),
                raw.join(cohort.select("SUBJECT_ID"), on="SUBJECT_ID", how="left_semi"),
            )
        people, deaths = _check(split_people(cohort, config=settings), "release")
        if raw is not None:
            _check(split_people(raw, config=settings), "source")
        on_raw = None if raw is None else _train(raw, settings, folder, small_cell).metrics
        trained = _train(cohort, settings, folder, small_cell)
        if max_membership is not None:
            _refuse_what_remembers(trained.membership, max_membership)
        if model_dir is not None:
            _save(trained, Path(model_dir))
    return {
        "raw": on_raw,
        "release": trained.metrics,
        "people": people,
        "features": trained.features,
        "deaths": small_cell_safe(deaths, sum(people.values()), small_cell),
        "membership": trained.membership,
        "settings": settings.model_dump(mode="json"),
        "warning": warning(sum(people.values())),
    }


def _pseudonymous(cohort: DataFrame, subjects: DataFrame) -> DataFrame:
    """The source's cohort under the release's names of people; people without one are not in the release."""
    names = subjects.select(F.col("id").alias("SUBJECT_ID"), "pseudonym")
    joined = cohort.join(names, on="SUBJECT_ID", how="inner")
    return joined.withColumn("SUBJECT_ID", F.col("pseudonym")).drop("pseudonym")


def _store(spark: SparkSession, cohort: DataFrame, path: Path) -> DataFrame:
    """Write the features as Delta and return them read back."""
    # no statistics: the log would hold the smallest and largest id, and nothing is ever skipped
    (
        cohort.drop("HADM_ID", "ICUSTAY_ID")
        .write.format("delta")
        .mode("overwrite")
        .option("overwriteSchema", "true")
        .option("delta.dataSkippingNumIndexedCols", "0")
        .save(str(path))
    )
    return spark.read.format("delta").load(str(path))


def _check(split: DataFrame, name: str) -> tuple[dict[str, int], int]:
    """People a fold and deaths, or an error where nothing can be learnt."""
    counts = {
        row["fold"]: (row["people"], row["deaths"])
        for row in split.groupBy("fold")
        .agg(F.count(F.lit(1)).alias("people"), F.sum(LABEL).alias("deaths"))
        .collect()
    }
    people = {fold: counts.get(fold, (0, 0))[0] for fold in FOLDS}
    total = sum(people.values())
    if total < FEWEST_PEOPLE:
        raise InputError(
            f"the {name} has {total} adults with an intensive care stay; training needs {FEWEST_PEOPLE}"
        )
    if empty := [fold for fold, number in people.items() if not number]:
        raise InputError(f"the {name} has no one for the {' and '.join(empty)} part of its {total} people")
    if counts["train"][1] in (0, people["train"]):
        raise InputError(f"the training people of the {name} all have one outcome: there is nothing to learn")
    return people, sum(deaths for _, deaths in counts.values())


def _train(cohort: DataFrame, config: BoostConfig, folder: Path, small_cell: int) -> Trained:
    """Fit on training people, choose the threshold on validation people, measure on test people.

    With ``rounds_a_checkpoint`` a run that was stopped goes on from the trees that are saved in ``folder``, where
    people and settings are the same.
    """
    checkpoint = None
    if config.rounds_a_checkpoint:
        checkpoint = folder / "trees" / fingerprint(cohort, config.model_dump(mode="json"))
    split = split_people(cohort, config=config)
    numeric = numeric_columns(load_items())
    preprocessing = fit_preprocessing(
        split.where(F.col("fold") == "train"),
        numeric=numeric,
        categorical=CATEGORICAL,
        # mean, minimum and maximum of a vital sign are absent together: one flag is enough
        flagged=[name for name in numeric if name == "AGE" or name.endswith("_mean")],
        label=LABEL,
        small_cell=small_cell,
    )
    prepared = preprocessing.transform(split).select("SUBJECT_ID", "fold", LABEL, FEATURES).persist()
    try:
        classifier = fit_boost(prepared, features=FEATURES, label=LABEL, config=config, checkpoint=checkpoint)
        scores = _score(classifier, prepared)
    finally:
        prepared.unpersist()
    threshold = choose_threshold(*scores["validation"])
    metrics = measure(*scores["test"], threshold=threshold)
    attack = membership_by_loss(scores["train"], scores["test"])
    membership = attack_gains([attack], draws=_DRAWS, seed=config.split_seed)
    return Trained(preprocessing, classifier, threshold, metrics, membership, feature_count(prepared))


def _refuse_what_remembers(membership: Mapping[str, Any], limit: float) -> None:
    """Raise where the attack may find more than ``limit``, or where that cannot be told."""
    high = membership["auroc"]["high"]
    if high is None or high > limit:
        shown = "not known" if high is None else f"up to {high:.4f}"
        raise GateRefusedError(
            "the model is not saved: it tells whom it was trained on",
            [("AUROC of membership inference", f"{shown}, {limit:.4f} allowed")],
        )


def _score(
    classifier: SparkXGBClassifierModel, prepared: DataFrame
) -> dict[str, tuple[np.ndarray, np.ndarray]]:
    """Labels and scores of the people of every fold: two numbers a person come to the driver, no id."""
    scored = classifier.transform(prepared)
    death = vector_to_array(F.col("probability"))[1]
    rows = scored.select("fold", LABEL, death.alias("score")).toArrow()
    parts = {fold: rows.filter(pc.field("fold") == fold) for fold in FOLDS}
    return {fold: (part[LABEL].to_numpy(), part["score"].to_numpy()) for fold, part in parts.items()}


def _save(trained: Trained, folder: Path) -> None:
    """Write the pipeline, the booster and the threshold; no leaf of the trees is of fewer than 11 people."""
    partial = folder.with_name(f".{folder.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    partial.mkdir(parents=True)
    trained.preprocessing.write().overwrite().save(str(partial / "preprocessing"))
    booster = trained.classifier.get_booster()
    # the rounds after the best one were not measured: no score comes of them
    booster[: booster.best_iteration + 1].save_model(str(partial / "booster.json"))
    document = {"threshold": trained.threshold, "features": trained.features}
    (partial / "model.json").write_text(json.dumps(document) + "\n", encoding="utf-8")
    shutil.rmtree(folder, ignore_errors=True)
    partial.replace(folder)


@contextmanager
def _folder(work: str | Path | None) -> Iterator[Path]:
    """The folder for features: ``train`` in WORK, or a temporary one that is taken away again."""
    if work is not None:
        yield Path(work) / "train"
        return
    with tempfile.TemporaryDirectory(prefix="anon-spark-train-") as folder:
        yield Path(folder)
