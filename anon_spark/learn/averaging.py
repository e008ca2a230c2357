"""Networks trained where the rows are: every round, each worker passes over its rows once, then states are averaged.

A round is one Spark job. All workers start from the same state; their weights and the optimizer's moments are averaged
by rows, and the next round starts from the mean. So a worker that dies is Spark's to start again (as often as
``spark.task.maxFailures`` or the F of ``local[N,F]`` says), and a run that dies goes on from the last round's state,
with the same result.

Source: McDonald, Hall, Mann 2010, Distributed training strategies for the structured perceptron, NAACL (iterative
parameter mixing); McMahan et al. 2017, Communication-efficient learning, AISTATS, for networks.
"""

import json
import shutil
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
from pydantic import Field
from pyspark import TaskContext
from pyspark.ml.functions import array_to_vector, vector_to_array
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from anon_spark.learn.network import (
    Network,
    State,
    first_state,
    pack,
    predict,
    require_keras,
    train_epoch,
    unpack,
)
from anon_spark.learn.rows import ordered, resumable
from anon_spark.policy.model import Strict

X, Y = "_x", "_y"
_LEAST = 1e-7

Units = Annotated[int, Field(ge=1)]


class TrainingConfig(Strict):
    """How a network is trained; ``batch_size`` rows are of all workers together."""

    workers: Annotated[int, Field(ge=1)] = 2
    epochs: Annotated[int, Field(ge=1)] = 60
    patience: Annotated[int, Field(ge=1)] = 6
    batch_size: Annotated[int, Field(ge=1)] = 64
    learning_rate: Annotated[float, Field(gt=0)] = 0.001
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.2
    seed: int = 7


@dataclass
class _Progress:
    """Where a run stands after a round."""

    state: State
    best: State
    best_loss: float = float("inf")
    losses: tuple[float, ...] = ()
    waited: int = 0


@dataclass(frozen=True)
class NetworkModel:
    """A trained network with its training curve; ``transform`` adds ``probability`` as Spark's models do."""

    network: Network
    state: State
    losses: tuple[float, ...]
    features: str

    def transform(self, df: DataFrame) -> DataFrame:
        """Add ``probability``: a vector of the shares of outcomes 0 and 1."""
        network, state = self.network, self.state

        @pandas_udf("double")  # type: ignore[call-overload, untyped-decorator, unused-ignore]
        def score(batches: Iterator[pd.Series]) -> Iterator[pd.Series]:
            for batch in batches:
                yield pd.Series(predict(network, state, _stacked(batch, network)))

        likely = score(_as_array(df, self.features))
        scored = df.withColumn("_likely", likely)
        both = array_to_vector(F.array(1 - F.col("_likely"), F.col("_likely")))
        return scored.withColumn("probability", both).drop("_likely")


def train_network(
    rows: DataFrame,
    network: Network,
    config: TrainingConfig,
    *,
    features: str,
    label: str,
    checkpoint: Path | None = None,
) -> NetworkModel:
    """Train until the loss of the validation people has not fallen for ``patience`` rounds; the best state is kept.

    Args:
        rows: ``(SUBJECT_ID, fold, label, features)``; features are a vector or an array, flat, of the network's shape.
        checkpoint: a private folder, where the state is saved after each round; a run that finds one goes on from
            it: it must be of the same people and settings.

    Raises:
        PolicyError: Keras or JAX is not installed.
        ResumableError: Spark gave a round up, and there is a checkpoint to go on from.
    """
    require_keras()
    known = rows.where(F.col("fold").isin("train", "validation"))
    known = known.withColumns({X: _as_array(rows, features), Y: F.col(label).cast("double")})
    train = ordered(known.where("fold = 'train'"), config.workers, Y, X).persist()
    validation = ordered(known.where("fold = 'validation'"), config.workers, Y, X).persist()
    try:
        progress = _load(checkpoint) or _start(train, network, config.seed)
        while len(progress.losses) < config.epochs and progress.waited < config.patience:
            with (
                resumable(f"training stopped after {len(progress.losses)} rounds")
                if checkpoint
                else nullcontext()
            ):
                progress = _round(progress, train, validation, network, config)
            _save(progress, checkpoint)
    finally:
        train.unpersist()
        validation.unpersist()
    if checkpoint is not None:
        shutil.rmtree(checkpoint, ignore_errors=True)
    return NetworkModel(network, progress.best, progress.losses, features)


def _start(train: DataFrame, network: Network, seed: int) -> _Progress:
    def make(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield _one(pack(first_state(network, seed)), 1)

    one = train.sparkSession.range(1, numPartitions=1)
    state = unpack(one.mapInArrow(make, _SCHEMA).toArrow()["state"][0].as_py())
    return _Progress(state, state)


def _round(
    progress: _Progress, train: DataFrame, validation: DataFrame, network: Network, config: TrainingConfig
) -> _Progress:
    """One pass of every worker over its rows, the mean of their states, and its loss on the validation people."""
    state, number = progress.state, len(progress.losses)
    share = max(1, config.batch_size // config.workers)  # as many steps a round, whatever the workers

    def one_epoch(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        x, y = _read(batches, network)
        if y.size:
            seed = config.seed + 1000 * number + _partition()
            yield _one(pack(train_epoch(network, state, x, y, batch=share, seed=seed)), y.size)

    parts = train.mapInArrow(one_epoch, _SCHEMA).toArrow()
    mean = _average([unpack(part.as_py()) for part in parts["state"]], parts["rows"].to_numpy())
    loss = _loss(mean, validation, network)
    better = loss < progress.best_loss
    return _Progress(
        mean,
        mean if better else progress.best,
        loss if better else progress.best_loss,
        (*progress.losses, loss),
        0 if better else progress.waited + 1,
    )


def _average(states: list[State], rows: npt.NDArray[Any]) -> State:
    shares = rows / rows.sum()
    return [
        np.tensordot(shares, np.stack(values).astype(float), axes=1).astype(values[0].dtype)
        for values in zip(*states, strict=True)
    ]


def _loss(state: State, validation: DataFrame, network: Network) -> float:
    """Mean binary cross-entropy."""

    def losses(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        x, y = _read(batches, network)
        if y.size:
            p = np.clip(predict(network, state, x), _LEAST, 1 - _LEAST)
            total = -float((y * np.log(p) + (1 - y) * np.log(1 - p)).sum())
            yield pa.RecordBatch.from_pydict({"loss": [total], "rows": [y.size]})

    parts = validation.mapInArrow(losses, "loss double, rows bigint").toArrow()
    return float(sum(parts["loss"].to_pylist()) / max(1, sum(parts["rows"].to_pylist())))


_SCHEMA = "state binary, rows bigint"


def _one(state: bytes, rows: int) -> pa.RecordBatch:
    return pa.RecordBatch.from_pydict({"state": [state], "rows": [rows]})


def _read(
    batches: Iterator[pa.RecordBatch], network: Network
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """A worker's rows, all of them."""
    table = [(batch[X], batch[Y]) for batch in batches]
    y = np.concatenate([labels.to_numpy() for _, labels in table]) if table else np.empty(0)
    flat = [values.flatten().to_numpy(zero_copy_only=False) for values, _ in table]
    x = np.concatenate(flat) if flat else np.empty(0)
    return x.astype("float32").reshape(-1, *network.shape), y.astype("float32")


def _stacked(batch: pd.Series, network: Network) -> npt.NDArray[np.float32]:
    return np.stack(batch.to_list()).astype("float32").reshape(-1, *network.shape)


def _partition() -> int:
    context = TaskContext.get()
    return context.partitionId() if context else 0


def _as_array(df: DataFrame, name: str) -> Column:
    return F.col(name) if df.schema[name].dataType.typeName() == "array" else vector_to_array(F.col(name))


def _save(progress: _Progress, folder: Path | None) -> None:
    if folder is None:
        return
    folder.mkdir(parents=True, exist_ok=True)
    whole = asdict(progress) | {"state": pack(progress.state).hex(), "best": pack(progress.best).hex()}
    partial = folder / "partial.json"
    partial.write_text(json.dumps(whole))
    partial.replace(folder / "progress.json")


def _load(folder: Path | None) -> _Progress | None:
    if folder is None or not (folder / "progress.json").exists():
        return None
    whole = json.loads((folder / "progress.json").read_text())
    state, best = (unpack(bytes.fromhex(whole[name])) for name in ("state", "best"))
    return _Progress(state, best, whole["best_loss"], tuple(whole["losses"]), whole["waited"])
