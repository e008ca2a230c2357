"""The command line: exit codes, one sentence, JSON and nothing else on stdout."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests import toy
from tests.conftest import DEMO


def anon(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "anon_spark.cli", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)


def test_check_accepts_the_demo_without_a_spark_job():
    if not DEMO.is_dir():
        pytest.skip("the open MIMIC-III demo is not beside the project")
    done = anon("check", "mimic3_demo", DEMO, "--json")
    assert done.returncode == 0, done.stderr
    document = json.loads(done.stdout)
    assert (document["tables"], document["columns"]) == (26, 324)
    assert document["nodes"] <= 2000


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("k: 3", "k: 1"), "privacy.k"),
        (("suppression_limit: 0.3", "supression_limit: 0.3"), "supression_limit"),
        (("hierarchy: town", "hierarchy: towns"), "did you mean 'town'"),
        (
            ("      NAME: {role: identifier, treatment: drop}\n", ""),
            "PEOPLE.columns.NAME: the column is not classified",
        ),
    ],
)
def test_a_wrong_policy_is_exit_2_with_names(tmp_path, change, said):
    policy = toy.write_policy(tmp_path, toy.POLICY.replace(*change))
    done = anon("check", policy, toy.Hospital.make(3).write(tmp_path / "source"))
    assert done.returncode == 2
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_a_missing_source_is_exit_3_and_wrong_usage_exit_2(tmp_path):
    policy = toy.write_policy(tmp_path)
    assert anon("check", policy, tmp_path / "nowhere").returncode == 3
    assert anon("check", tmp_path / "nowhere.yaml", tmp_path).returncode == 2
    assert anon("run").returncode == 2
    assert anon("frobnicate").returncode == 2


def test_an_interrupted_command_is_exit_130(tmp_path):
    script = (
        "import signal\n"
        "from anon_spark import cli\n"
        "from anon_spark.detect.notes import training\n"
        "training.train_model = lambda *_, **__: signal.raise_signal(signal.SIGINT)\n"
        "cli.main('notes', 'train')\n"
    )
    command = [sys.executable, "-c", script, str(tmp_path / "model.npz")]
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


def test_run_measure_and_report_as_commands(tmp_path):
    policy, source = toy.write_policy(tmp_path), toy.Hospital.make().write(tmp_path / "source")
    target = tmp_path / "target"
    done = anon("run", policy, source, target, "--release", "first", "--json")
    assert done.returncode == 0, done.stderr[-3000:]
    document = json.loads(done.stdout)
    assert document["release"] == "first"
    assert set(document["tables"]["EVENTS"]) >= {"in", "out", "quarantined", "suppressed", "capped"}
    assert {"people", "privacy", "levels", "loss", "seconds"} <= set(document)
    assert (tmp_path / "target-work" / "key").stat().st_mode & 0o777 == 0o600
    measured = anon("measure", target, "--source", source, "--json")
    assert measured.returncode == 0, measured.stderr[-3000:]
    figures = json.loads(measured.stdout)
    for figure in ("k", "l", "classes", "class_sizes"):
        assert figures["privacy"][figure] == document["privacy"][figure]
    assert document["privacy"]["t_compared_with"] == "input"
    assert figures["privacy"]["t_compared_with"] == "release"  # who has the release alone knows no other
    assert figures["linkage"]["singled_out"] == 0
    assert figures["linkage"]["people"] == 60
    report = anon("report", target, "--json")
    assert report.returncode == 0, report.stderr[-3000:]
    assert "first" in Path(json.loads(report.stdout)["report"]).read_text()
    assert anon("measure", target, "--release", "second").returncode == 3
    refused = toy.write_policy(tmp_path / "other", toy.POLICY.replace("k: 3", "k: 99"))
    strict = anon("run", refused, source, tmp_path / "target2")
    assert strict.returncode == 4
    assert "suppression limit" in strict.stderr
    assert not (tmp_path / "target2" / "_releases").exists()


def test_sparks_own_log_quotes_no_cell(tmp_path):
    """A task that fails on a cell, and a write that is aborted for it, in a process of its own."""
    script = f"""
from anon_spark.session import get_session
spark = get_session()
rows = spark.range(3).selectExpr("cast(concat('Jane Doe ', id) as int) as x")
try:
    rows.write.parquet({str(tmp_path / "out")!r})
except Exception as error:
    assert "Jane Doe" in str(error)
else:
    raise AssertionError("the write did not fail")
"""
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, timeout=300, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert "Jane Doe" not in done.stdout + done.stderr
    assert "\tat " not in done.stderr
