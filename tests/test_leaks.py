"""Nothing that identifies a person leaves WORK: every planted value is searched for in everything a run writes.

Controls of the same shape that were never planted must score the same, so that the search itself is tested;
and the search must find what a release would hold if a column were released raw.
"""

import csv
import gzip
import io
import json
import re
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from anon_spark.mimic3.generate import generate
from anon_spark.release.evidence import write_report
from anon_spark.release.publish import open_release
from tests.conftest import KEY
from tests.readers import mimic_privacy, read_release

PATIENTS = 120
ID_COLUMNS = {"SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "CGID"}


def source_rows(source: Path, table: str) -> list[dict[str, str]]:
    rows: list[dict[str, str]] = []
    for part in sorted((source / f"{table}.csv").glob("part-*")):
        with part.open(newline="", encoding="utf-8") as file:
            rows += csv.DictReader(file)
    return rows


def control_of(value: str) -> str:
    """A value of the same shape that was never planted: digits and letters rotated by five."""
    turned = [
        chr((ord(c) - 48 + 5) % 10 + 48) if c.isdigit()
        else chr((ord(c.lower()) - 97 + 5) % 26 + 97) if c.isascii() and c.isalpha()
        else c
        for c in value
    ]  # fmt: skip
    return "".join(turned)


def decoded_text(root: Path) -> str:
    """Everything below a folder as text: cells of Parquet files, text files, unpacked where packed."""
    out = io.StringIO()
    for path in sorted(p for p in root.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            for column in pq.read_table(path).to_pydict().values():
                out.writelines(f"\n{value}" for value in set(column) if value is not None)
            out.write("\n")
        elif path.suffix == ".gz":
            out.write(gzip.decompress(path.read_bytes()).decode("utf-8", "replace"))
        else:
            out.write(path.read_bytes().decode("utf-8", "replace"))
    return out.getvalue()


def found(canaries: set[str], text: str) -> set[str]:
    """Canaries that stand in a text, case apart; digits only where no further digit follows or precedes.

    A canary can only stand where all its words do, which is quick to ask; what is left is searched for whole.
    """
    lowered = text.lower()
    words = set(re.findall(r"[a-z0-9]+", lowered))
    hits = set()
    for canary in canaries:
        low = canary.lower()
        if all(word in words for word in re.findall(r"[a-z0-9]+", low)) and low in lowered:
            hits.add(canary)
    return hits


@pytest.fixture(scope="module")
def identified(spark, tmp_path_factory):
    """An identified source, published by a process of its own with Spark's event log on."""
    import os
    import subprocess
    import sys

    root = tmp_path_factory.mktemp("identified")
    generate(spark, root / "source", patients=PATIENTS, events_per_stay=60, identified=True, seed=11)
    (root / "key").write_bytes(KEY)
    (root / "events").mkdir()
    job = Path(__file__).parents[1] / "jobs" / "run.py"
    submit = Path(sys.executable).parent / "spark-submit"
    from anon_spark.session import delta_jars

    command = [
        str(submit), "--master", "local[2]", "--jars", delta_jars(),
        "--conf", "spark.eventLog.enabled=true", "--conf", f"spark.eventLog.dir={(root / 'events').as_uri()}",
        "--conf", "spark.eventLog.compress=false", "--conf", "spark.sql.shuffle.partitions=2",
        "--conf", "spark.sql.extensions=io.delta.sql.DeltaSparkSessionExtension",
        "--conf", "spark.sql.catalog.spark_catalog=org.apache.spark.sql.delta.catalog.DeltaCatalog",
        str(job), "mimic3_identified", str(root / "source"), str(root / "target"),
        "--key-file", str(root / "key"), "--json",
    ]  # fmt: skip
    env = {**os.environ, "PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False, env=env)
    assert done.returncode == 0, done.stderr[-3000:]
    (root / "logs").mkdir()
    (root / "logs" / "stdout").write_text(done.stdout)
    (root / "logs" / "stderr").write_text(done.stderr)
    write_report(open_release(spark, root / "target"))
    return root


@pytest.fixture(scope="module")
def canaries(identified) -> dict[str, set[str]]:
    people = source_rows(identified / "source", "PATIENT_IDENTITY")
    assert len(people) == PATIENTS
    kinds = {
        c: {row[c] for row in people if row[c]} for c in ("NAME", "SSN", "MRN", "PHONE", "EMAIL", "STREET")
    }
    kinds["KEY"] = {KEY.decode(), KEY.hex()}
    return kinds


def test_planted_values_are_in_the_source_and_the_search_finds_them(identified, canaries):
    text = decoded_text(identified / "source" / "NOTEEVENTS.csv") + decoded_text(
        identified / "source" / "PATIENT_IDENTITY.csv"
    )
    for kind in ("NAME", "SSN", "MRN", "PHONE", "EMAIL", "STREET"):
        assert found(canaries[kind], text) == canaries[kind], kind
    for table in ("CHARTEVENTS", "LABEVENTS", "ADMISSIONS"):
        planted = decoded_text(identified / "source" / f"{table}.csv")
        assert found(canaries["NAME"] | canaries["MRN"] | canaries["PHONE"], planted), table


def test_no_planted_value_in_any_released_file_ledger_report_or_log(identified, canaries):
    released = decoded_text(identified / "target")
    logs = decoded_text(identified / "logs") + decoded_text(identified / "events")
    assert len(released) > 100_000
    assert "<!doctype html>" in released.lower()
    assert "SparkListenerTaskEnd" in logs
    for kind, values in canaries.items():
        controls = {control_of(value) for value in values}
        for name, text in (("release", released), ("logs", logs)):
            assert len(found(values, text)) == len(found(controls, text)) == 0, (kind, name)


def test_no_source_id_in_an_id_column(identified):
    released = read_release(identified / "target")
    for table, df in released.items():
        for column in ID_COLUMNS & set(df.columns):
            originals = {
                int(float(row[column])) for row in source_rows(identified / "source", table) if row[column]
            }
            assert originals
            assert not originals & set(df[column].dropna().astype("int64")), (table, column)


def test_no_note_is_published_and_every_withheld_one_is_accounted(identified):
    notes = read_release(identified / "target")["NOTEEVENTS"]
    assert len(notes) > 0
    assert set(notes["TEXT"]) == {"*"}


def test_k_and_l_of_a_plain_reader_agree_with_the_gate_to_the_person(identified):
    lines = (identified / "logs" / "stdout").read_text().splitlines()
    document = json.loads(next(line for line in reversed(lines) if line.startswith("{")))
    measured = mimic_privacy(read_release(identified / "target"))
    assert {figure: document["privacy"][figure] for figure in measured} == measured
    assert (measured["k"], measured["l"]) >= (5, 2)
