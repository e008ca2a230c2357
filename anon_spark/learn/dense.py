"""The paper's dense network: layers of 64, 32 and 16 units with dropout."""

from pathlib import Path

from pyspark.sql import DataFrame

from anon_spark.learn.averaging import NetworkModel, TrainingConfig, Units, train_network
from anon_spark.learn.network import Network
from anon_spark.learn.preprocess import feature_count


class DenseConfig(TrainingConfig):
    """Parameters of the dense network."""

    layers: tuple[Units, ...] = (64, 32, 16)


def fit_dense(
    prepared: DataFrame, *, features: str, label: str, config: DenseConfig, checkpoint: Path | None = None
) -> NetworkModel:
    """Return the network of the training fold, stopped by the validation fold (see ``train_network``)."""
    network = Network(
        "dense",
        (feature_count(prepared),),
        config.layers,
        config.dropout,
        config.learning_rate,
    )
    return train_network(prepared, network, config, features=features, label=label, checkpoint=checkpoint)
