"""The job on a standalone cluster of a master and two workers gives the release that one machine gives.

The small hospital is quick; ``ANON_SPARK_CLUSTER_PATIENTS=200`` takes a generated source of all 26 tables instead.
"""

import json
import os
import re
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from anon_spark.mimic3.generate import generate
from anon_spark.session import delta_jars
from tests import toy
from tests.conftest import KEY, publish
from tests.readers import as_sorted_rows, read_release

BIN = Path(sys.executable).parent


@pytest.fixture
def master(tmp_path: Path) -> Iterator[str]:
    """A master and two workers on loopback, from the installed pyspark; its address."""
    logs = {name: (tmp_path / f"{name}.log").open("w") for name in ("master", "worker1", "worker2")}
    env = {**os.environ, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_NO_DAEMONIZE": "1"}
    started = []

    def start(log: str, *arguments: str) -> None:
        command = [str(BIN / "spark-class"), *arguments]
        started.append(subprocess.Popen(command, stdout=logs[log], stderr=subprocess.STDOUT, env=env))

    try:
        package = "org.apache.spark.deploy"
        start("master", f"{package}.master.Master", "--host", "127.0.0.1", "--port", "0", "--webui-port", "0")
        address = _wait_for(tmp_path / "master.log", r"Starting Spark master at (spark://127\.0\.0\.1:\d+)")
        for i in (1, 2):
            start(f"worker{i}", f"{package}.worker.Worker", "--host", "127.0.0.1", "--cores", "1", "--memory", "1500m",
                  "--webui-port", "0", "--work-dir", str(tmp_path / f"w{i}"), address)  # fmt: skip
        for i in (1, 2):
            _wait_for(tmp_path / f"worker{i}.log", r"(Successfully registered with master)")
        yield address
    finally:
        for process in started:
            process.terminate()
        for process in started:
            process.wait(timeout=60)
        for log in logs.values():
            log.close()


def _wait_for(log: Path, pattern: str, seconds: float = 120) -> str:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if match := re.search(pattern, log.read_text()):
            return match.group(1)
        time.sleep(0.2)
    raise AssertionError(f"{log.name} never said {pattern}: {log.read_text()[-1000:]}")


def test_a_cluster_makes_the_same_release_as_one_machine(spark, master, toy_policy, key_file, tmp_path):
    policy = toy_policy
    if patients := int(os.environ.get("ANON_SPARK_CLUSTER_PATIENTS", "0")):
        policy = Path("mimic3_demo")
        generate(spark, tmp_path / "source", patients=patients, events_per_stay=60)
    else:
        toy.Hospital.make().write(tmp_path / "source")
    alone = publish(spark, policy, tmp_path / "source", tmp_path / "alone", key_file)
    (tmp_path / "key").write_bytes(KEY)
    command = [
        str(BIN / "spark-submit"), "--master", master, "--jars", delta_jars(),
        "--conf", "spark.driver.host=127.0.0.1", "--conf", "spark.driver.bindAddress=127.0.0.1",
        "--conf", "spark.executor.memory=1g", "--conf", "spark.ui.enabled=false",
        "--conf", "spark.sql.shuffle.partitions=4",
        "--conf", "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
        "--conf", "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
        str(Path(__file__).parents[1] / "jobs" / "run.py"), str(policy), str(tmp_path / "source"),
        str(tmp_path / "cluster"), "--key-file", str(tmp_path / "key"), "--json",
    ]  # fmt: skip
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    done = subprocess.run(command, capture_output=True, text=True, timeout=1200, check=False, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    # spark-submit sends its driver's stderr to stdout as well
    document = json.loads(next(line for line in reversed(done.stdout.splitlines()) if line.startswith("{")))
    assert document["run"] == alone.document["run"]
    for figure in ("levels", "loss", "suppression", "privacy", "people", "tables"):
        assert document[figure] == alone.document[figure]
    one, two = read_release(tmp_path / "alone"), read_release(tmp_path / "cluster")
    assert len(one) == len(two) == (26 if patients else 4)
    for name, table in one.items():
        assert as_sorted_rows(table) == as_sorted_rows(two[name]), name
