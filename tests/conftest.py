"""What the tests share: one Spark session a worker, and releases that several tests look at."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pyspark.sql import SparkSession

from anon_spark import pipeline
from anon_spark.detect.notes.crf import Tagger, Weights
from anon_spark.detect.notes.grammar.people import TRAIN
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.network import Network, in_columns
from anon_spark.detect.notes.train import made_up, train
from anon_spark.detect.notes.train_network import train_network
from anon_spark.session import get_session
from tests import toy

FEW = 120  # notes
KEY = b"0123456789abcdef0123456789abcdef"
DEMO = Path(__file__).resolve().parents[2] / "shared" / "data" / "mimic3_demo"

FAST = {
    "spark.master": "local[2,4]",
    "spark.sql.shuffle.partitions": "2",
    "spark.default.parallelism": "2",
    "spark.driver.memory": "2g",
    "spark.buffer.pageSize": "1m",  # by the heap it would be 32 MB, and each table that a join broadcasts holds a page
}


@dataclass(frozen=True)
class Published:
    """One finished run: where it came from, where it went, and its ledger entry."""

    source: Path
    target: Path
    work: Path
    document: dict[str, Any]
    messages: list[str]


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """One session a worker."""
    session = get_session(conf=FAST)
    yield session
    session.stop()


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A fixed key."""
    place = tmp_path_factory.mktemp("key") / "key"
    place.write_bytes(KEY)
    return place


@pytest.fixture(scope="session")
def toy_policy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The policy of the toy hospital."""
    return toy.write_policy(tmp_path_factory.mktemp("conf"))


@pytest.fixture(scope="session")
def toy_release(
    spark: SparkSession, toy_policy: Path, key_file: Path, tmp_path_factory: pytest.TempPathFactory
) -> Published:
    """The toy hospital, published once."""
    root = tmp_path_factory.mktemp("toy")
    return publish(spark, toy_policy, toy.Hospital.make().write(root / "source"), root / "target", key_file)


@pytest.fixture(scope="session")
def demo_release(spark: SparkSession, key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Published:
    """The open MIMIC-III demo, published once under its policy."""
    if not DEMO.is_dir():
        pytest.skip("the open MIMIC-III demo is not beside the project")
    return publish(spark, "mimic3_demo", DEMO, tmp_path_factory.mktemp("demo") / "target", key_file)


def publish(spark: SparkSession, policy: str | Path, source: Path, target: Path, key_file: Path) -> Published:
    """Run the whole job."""
    messages: list[str] = []
    job = pipeline.prepare(spark, policy, source, target, key_file=key_file, progress=messages.append)
    return Published(source, target, job.work, pipeline.run(job), messages)


@pytest.fixture(scope="session")
def weights() -> Weights:
    """A random field for notes that has seen few of them."""
    return train(made_up(TRAIN, FEW), settings={"max_iterations": 3})


@pytest.fixture(scope="session")
def network(weights: Weights) -> Network:
    """A network for notes that has seen as few."""
    made = train_network(made_up(TRAIN, FEW), rounds=2, progress=print)
    assert set(made.labels) == set(weights.labels)
    return in_columns(made, weights.labels)


@pytest.fixture(scope="session")
def shipped() -> Tagger:
    """The tagger of the package's model."""
    return get_detector()._tagger
