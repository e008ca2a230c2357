"""Models fitted and scored fold by fold, on people that are in every data set.

Each fold is once the test; the next one chooses when to stop and the threshold; the others train. A model that
has learnt from a release is tested on the release's own people and on their raw data, which is what a hospital
would give it: raw categories are then named as the release names them, by what it made of the training people's.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pyarrow.compute as pc
from pyspark.ml import PipelineModel
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from xgboost.spark import SparkXGBClassifierModel

from anon_spark.errors import PolicyError
from anon_spark.learn.attacks import ByPart
from anon_spark.learn.attribute_inference import infer_attributes
from anon_spark.learn.averaging import NetworkModel
from anon_spark.learn.bootstrap import Scores
from anon_spark.learn.evaluate import Scorer, choose_threshold
from anon_spark.learn.importance import Importance, column_importance
from anon_spark.learn.inference import inference_seconds
from anon_spark.learn.models import MODELS, OF_SEQUENCES, load_configs, unknown_models
from anon_spark.learn.preprocess import FEATURES, QUANTILE, SMALL_CELL, fit_preprocessing
from anon_spark.learn.sequences import SEQUENCE, fit_sequences
from anon_spark.learn.sides import Side
from anon_spark.mimic3.cohort import CATEGORICAL, LABEL
from anon_spark.policy.model import Strict

_SLICES = 10_000
_ON_RAW = -1  # in place of a part: the test people's raw data


@dataclass(frozen=True)
class Settings:
    """How models are compared."""

    models: tuple[str, ...] = ("xgboost", "forest", "logistic")
    folds: int = 5
    tested: int | None = None  # so many of the folds are the test once; None: all
    seed: int = 20250101
    draws: int = 1000
    margin: float = 0.01
    attacked: tuple[str, ...] = CATEGORICAL  # what attribute inference is after
    windows: int = 48  # of a stay, for models that read sequences
    inference: tuple[int, ...] = ()  # how often the people are taken to time the scoring
    small_cell: int = SMALL_CELL
    configs: Mapping[str, Strict] = field(default_factory=dict)  # of models; else the package's

    def __post_init__(self) -> None:
        problems = unknown_models(self.models)
        if self.folds < 3:
            problems.append(f"folds must be at least 3 (training, validation, test), got {self.folds}")
        if self.tested is not None and not 1 <= self.tested <= self.folds:
            problems.append(f"tested must be 1 to {self.folds} of the {self.folds} folds, got {self.tested}")
        if twice := sorted({name for name in self.models if self.models.count(name) > 1}):
            problems.append(f"named twice: {', '.join(twice)}")
        if low := [times for times in self.inference if times < 1]:
            problems.append(
                f"inference takes the people 1 or more times over, got {', '.join(map(str, low))}"
            )
        if self.draws < 100:
            problems.append(f"draws must be at least 100, got {self.draws}")
        if problems:
            raise PolicyError(problems)

    @property
    def all_configs(self) -> dict[str, Strict]:
        """The settings of every model."""
        unset = [name for name in self.models if name not in self.configs]
        return {**load_configs(unset), **self.configs}


@dataclass
class Tested:
    """Fold by fold: scores of a model on the test people of its own side, on their raw data, and on every part."""

    own: list[Scores] = field(default_factory=list)
    raw: list[Scores] = field(default_factory=list)
    by_part: list[ByPart] = field(default_factory=list)
    attributes: dict[str, Any] = field(default_factory=dict)  # of the first fold's model
    importance: Importance | None = None  # of the first fold's boosted model
    curve: tuple[float, ...] = ()  # validation loss by round of the first fold's model
    seconds: list[dict[str, float | int]] = field(
        default_factory=list
    )  # of scoring, the first fold's raw model


@dataclass(frozen=True)
class Learnable:
    """A side's people of one fold, and their features: ``(SUBJECT_ID, fold, part, label, features)``, cached."""

    people: DataFrame
    pipeline: PipelineModel
    rows: DataFrame


def place_in_folds(common: DataFrame, settings: Settings) -> DataFrame:
    """(SUBJECT_ID, part): a function of the person and the seed alone."""
    place = F.pmod(F.xxhash64(F.lit(settings.seed), F.col("SUBJECT_ID").cast("bigint")), F.lit(_SLICES))
    return common.select("SUBJECT_ID", F.floor(place * settings.folds / _SLICES).cast("int").alias("part"))


def score_models(
    raw: Side, releases: Sequence[Side], placed: DataFrame, settings: Settings
) -> dict[tuple[str, str], Tested]:
    """Scores by (model, side) of every fold that is tested."""
    tested = {(model, side.name): Tested() for model in settings.models for side in [raw, *releases]}
    configs = settings.all_configs
    for test in range(settings.tested or settings.folds):
        validation = (test + 1) % settings.folds
        fold = F.when(F.col("part") == test, "test").when(F.col("part") == validation, "validation")
        split = placed.withColumn("fold", fold.otherwise("train"))
        for side in [raw, *releases]:
            made = learnable(side, raw, split, settings)
            try:
                for name in settings.models:
                    model = MODELS[name].fit(made.rows, configs[name])
                    of_model = tested[name, side.name]
                    _add(of_model, scores_by_part(model, made.rows), test, validation)
                    if not test:
                        _look_into(of_model, name, model, made, side is raw, settings)
            finally:
                made.rows.unpersist()
    return tested


def _look_into(
    tested: Tested, name: str, model: Scorer, made: Learnable, is_raw: bool, settings: Settings
) -> None:
    """What is looked at once, with the first fold's model: attributes, importance, training curve, seconds."""
    test = made.rows.where("fold = 'test'").where(F.col("part") != _ON_RAW)
    tested.curve = _curve(model)
    if isinstance(model, SparkXGBClassifierModel):
        tested.importance = column_importance(model, test)
    if settings.attacked and name not in OF_SEQUENCES:  # those read no attribute
        tested.attributes = infer_attributes(
            model, made.pipeline, made.people, settings.attacked, small_cell=settings.small_cell
        )
    if is_raw and settings.inference:
        tested.seconds = inference_seconds(model, test, settings.inference)


def _curve(model: Scorer) -> tuple[float, ...]:
    """Validation loss by round; empty for models that do not learn by rounds."""
    if isinstance(model, NetworkModel):
        return model.losses
    if isinstance(model, SparkXGBClassifierModel):
        summary = model.training_summary
        return tuple(next(iter(summary.validation_objective_history.values()), ())) if summary else ()
    return ()


def learnable(side: Side, raw: Side, split: DataFrame, settings: Settings) -> Learnable:
    """The side's people, and in the rows the test people's raw data as well."""
    own = side.people.join(split, on="SUBJECT_ID", how="inner")
    train = own.where("fold = 'train'")
    pipeline = fit_preprocessing(
        train,
        numeric=side.numeric,
        categorical=CATEGORICAL,
        # what is summarized of a variable is absent together: one flag is enough
        flagged=[name for name in side.numeric if name == "AGE" or name.endswith("_mean")],
        label=LABEL,
        small_cell=settings.small_cell,
    )
    everybody = own
    if side is not raw:
        of_raw = raw.people.join(split.where("fold = 'test'"), on="SUBJECT_ID", how="inner")
        everybody = own.unionByName(_renamed(of_raw, raw.people, train).withColumn("part", F.lit(_ON_RAW)))
    columns = ["SUBJECT_ID", "fold", "part", LABEL, FEATURES]
    rows = pipeline.transform(everybody).select(*columns)
    if OF_SEQUENCES & {*settings.models}:
        rows = _with_sequences(rows, side, raw, settings)
    return Learnable(own, pipeline, rows.persist())


def _with_sequences(rows: DataFrame, side: Side, raw: Side, settings: Settings) -> DataFrame:
    """Add every person's windows, scaled by the side's training people; of the raw test people, their raw ones."""
    if side.windows is None or raw.windows is None:
        raise PolicyError("the windows of the stays were not kept, which a model of sequences reads")
    train = rows.where("fold = 'train'").select("SUBJECT_ID")
    fitted = fit_sequences(
        side.windows.join(train, on="SUBJECT_ID", how="left_semi"),
        side.variables,
        windows=settings.windows,
        quantile=QUANTILE,
        small_cell=settings.small_cell,
    )
    own = fitted.transform(rows.where(F.col("part") != _ON_RAW), side.windows)
    both = own.unionByName(fitted.transform(rows.where(F.col("part") == _ON_RAW), raw.windows))
    return both.withMetadata(SEQUENCE, {"shape": list(fitted.shape)})


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


def scores_by_part(model: Scorer, rows: DataFrame) -> dict[int, tuple[np.ndarray, np.ndarray]]:
    """Labels and scores by part, in the order of SUBJECT_ID: two numbers a person come to the driver, no id."""
    scored = model.transform(rows.drop("fold"))
    positive = vector_to_array(F.col("probability"))[1].alias("score")
    table = (
        scored.select("SUBJECT_ID", "part", LABEL, positive)
        .orderBy("SUBJECT_ID")
        .drop("SUBJECT_ID")
        .toArrow()
    )
    found = {}
    for part in pc.unique(table["part"]).to_pylist():
        of_part = table.filter(pc.field("part") == part)
        found[part] = (of_part[LABEL].to_numpy(), of_part["score"].to_numpy().astype(float))
    return found


def _add(tested: Tested, found: dict[int, tuple[np.ndarray, np.ndarray]], test: int, validation: int) -> None:
    threshold = choose_threshold(*found[validation])
    own = Scores(*found[test], threshold)
    on_raw = found.pop(_ON_RAW, None)
    tested.own.append(own)
    tested.raw.append(own if on_raw is None else Scores(*on_raw, threshold))
    tested.by_part.append(found)
