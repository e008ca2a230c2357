"""The paper's recurrent network: three stacked LSTM layers over the windows of a stay."""

from pathlib import Path

from pyspark.sql import DataFrame

from anon_spark.learn.averaging import NetworkModel, TrainingConfig, Units, train_network
from anon_spark.learn.network import Network


class LstmConfig(TrainingConfig):
    """Parameters of the recurrent network."""

    layers: tuple[Units, Units, Units] = (32, 32, 32)


def fit_lstm(
    prepared: DataFrame,
    *,
    features: str,
    shape: tuple[int, int],
    label: str,
    config: LstmConfig,
    checkpoint: Path | None = None,
) -> NetworkModel:
    """Return the network of the training fold, stopped by the validation fold (see ``train_network``).

    Args:
        prepared: ``features`` is an array of windows times numbers, flat, of ``shape``.
    """
    network = Network("lstm", shape, config.layers, config.dropout, config.learning_rate)
    return train_network(prepared, network, config, features=features, label=label, checkpoint=checkpoint)
