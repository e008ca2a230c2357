"""An LSTM on two workers and on one: the validation loss of several seeds each, and whether the means agree.

The sequences are generated: 17 variables over 48 hours with a flag each for what was measured. A person's severity
moves five of them up over time, and the outcome follows from severity and its trend. The best loss that is possible
is printed beside.
"""

import argparse
import time
from pathlib import Path

import numpy as np
import pyarrow as pa

from anon_spark.learn.averaging import train_network
from anon_spark.learn.lstm import LstmConfig
from anon_spark.learn.models import load_configs
from anon_spark.learn.network import Network
from anon_spark.session import get_session

WINDOWS, VARIABLES, MOVED = 48, 17, 5


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--stays", type=int, default=3000)
    parser.add_argument("--seeds", default="7,8,9")
    parser.add_argument("--workers", default="1,2")
    parser.add_argument("--epochs", type=int, help="rounds at most [those of the settings]")
    parser.add_argument("--settings", type=Path, help="a folder with lstm.yaml [the package's]")
    options = parser.parse_args()
    config: LstmConfig = load_configs(["lstm"], options.settings)["lstm"]
    spark = get_session("bench_networks")
    table, best = make_stays(options.stays)
    rows = spark.createDataFrame(table).repartition(4).persist()
    rows.count()
    print(f"{options.stays} stays x {WINDOWS} windows x {2 * VARIABLES}; least possible loss {best:.4f}")
    found: dict[int, list[float]] = {}
    for workers in map(int, options.workers.split(",")):
        for seed in map(int, options.seeds.split(",")):
            changes = {"workers": workers, "seed": seed, "epochs": options.epochs or config.epochs}
            used = LstmConfig.model_validate({**config.model_dump(), **changes})
            network = Network("lstm", (WINDOWS, 2 * VARIABLES), used.layers, used.dropout, used.learning_rate)
            began = time.monotonic()
            model = train_network(rows, network, used, features="sequence", label="label")
            seconds = time.monotonic() - began
            found.setdefault(workers, []).append(min(model.losses))
            print(
                f"workers {workers}, seed {seed}: loss {min(model.losses):.4f}, best of"
                f" {len(model.losses)} rounds, {seconds / len(model.losses):.1f} s a round",
                flush=True,
            )
    judge(found)


def judge(found: dict[int, list[float]]) -> None:
    """Print mean and spread of each number of workers, and whether the means differ by less than the spread."""
    for workers, losses in found.items():
        print(f"workers {workers}: mean {np.mean(losses):.4f}, spread {np.ptp(losses):.4f}")
    if len(found) == 2:
        one, two = found.values()
        difference, spread = abs(np.mean(one) - np.mean(two)), max(np.ptp(one), np.ptp(two))
        within = "within" if difference <= spread else "beyond"
        print(f"difference of the means {difference:.4f}, {within} the larger spread of seeds {spread:.4f}")


def make_stays(stays: int) -> tuple[pa.Table, float]:
    """``(SUBJECT_ID, fold, label, sequence)``, and the log loss of the true probabilities of the validation fold."""
    rng = np.random.default_rng(11)
    severity, trend = rng.normal(0, 1, stays), rng.normal(0, 1, stays)
    probability = 1 / (1 + np.exp(1.5 - 1.2 * severity - 1.6 * trend))
    label = (rng.random(stays) < probability).astype(int)
    hours = np.arange(WINDOWS) / WINDOWS
    values = rng.normal(0, 1, (stays, WINDOWS, VARIABLES))
    values[:, :, :MOVED] += (severity[:, None] + trend[:, None] * hours)[:, :, None]
    measured = rng.random(values.shape) < np.linspace(0.9, 0.2, VARIABLES)
    values = filled_forward(np.clip(values / 8 + 0.5, 0, 1), measured)
    flat = np.stack([values, measured], axis=3).reshape(stays, -1)
    fold = np.where(np.arange(stays) % 5 == 0, "validation", "train")
    held, p = label[fold == "validation"], probability[fold == "validation"]
    columns = {
        "SUBJECT_ID": pa.array(np.arange(stays) + 1000),
        "fold": pa.array(fold),
        "label": pa.array(label),
        "sequence": pa.array(list(flat), pa.list_(pa.float64())),
    }
    return pa.table(columns), float(-np.mean(held * np.log(p) + (1 - held) * np.log(1 - p)))


def filled_forward(values: np.ndarray, measured: np.ndarray) -> np.ndarray:
    """Values where they were measured, the last one after that, the middle before."""
    filled, last = np.empty_like(values), np.full((values.shape[0], values.shape[2]), 0.5)
    for window in range(values.shape[1]):
        last = np.where(measured[:, window], values[:, window], last)
        filled[:, window] = last
    return filled


if __name__ == "__main__":
    main()
