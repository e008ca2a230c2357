"""The whole job on a small hospital: any tables by policy, killed runs, keys, partitions, refusals."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from pathlib import Path

import pandas as pd
import pytest
from pyspark.sql import functions as F

from anon_spark import pipeline
from anon_spark.anonymize.people import person_tuples
from anon_spark.deidentify.pseudonyms import pseudonym
from anon_spark.errors import GateRefusedError, InputError, PolicyError, ResumableError
from anon_spark.ingest.lake import delta_reader
from anon_spark.policy.load import load_policy
from anon_spark.release import publish as publishing
from anon_spark.release.ledger import read_key_ids, write_entry
from anon_spark.release.publish import open_release
from tests import toy
from tests.conftest import KEY, publish
from tests.readers import as_sorted_rows, classes, ledger, pointers, read_delta, read_release

KEYS = ["SEX", "AGE", "TOWN", "KIND"]


def same_rows(left: Path, right: Path) -> bool:
    one, two = read_release(left), read_release(right)
    return one.keys() == two.keys() and all(as_sorted_rows(one[n]) == as_sorted_rows(two[n]) for n in one)


def test_k_and_l_agree_with_a_plain_reader(toy_release):
    released = read_release(toy_release.target)
    visits = released["VISITS"].merge(released["PEOPLE"][["PID", "SEX", "AGE"]], on="PID")
    first = (
        visits.sort_values("BEGAN").groupby("PID").head(1)[["PID", "CODE"]].rename(columns={"CODE": "first"})
    )
    found = classes(visits.merge(first, on="PID"), KEYS, "PID", "first")
    assert int(found["people"].min()) == toy_release.document["privacy"]["k"] >= 3
    assert int(found["values"].min()) == toy_release.document["privacy"]["l"] >= 2


def test_reasons_are_what_the_source_says(toy_release):
    hospital = toy.Hospital.make()
    reasons = toy_release.document["tables"]["EVENTS"]["reasons"]
    faith = sum(row[5] == 7 for row in hospital.rows["EVENTS"])
    assert 0 < reasons["row_rule"] <= faith
    assert toy_release.document["tables"]["PEOPLE"]["reasons"] == {
        "class_suppressed": toy_release.document["suppression"]["people"]
    }
    gone = {row[0] for row in hospital.rows["PEOPLE"]}
    assert len(gone) - toy_release.document["suppression"]["people"] == toy_release.document["people"]["out"]


def test_masked_dropped_and_suppressed_cells(toy_release):
    released = read_release(toy_release.target)
    assert set(released["PEOPLE"]["SSN"]) == {"***-**-****"}
    assert "NAME" not in released["PEOPLE"]
    events = released["EVENTS"]
    assert not (events["ITEM"] == 7).any()
    assert set(events.loc[events["ITEM"] == 8, "TEXT"]) == {"*"}
    assert set(events.loc[events["ITEM"] == 9, "TEXT"]) <= {"NORTH", "SOUTH", "*"}
    assert set(events.loc[events["ITEM"].isin([1, 2]), "TEXT"]) == {"None", "36.6"}


def test_every_date_of_a_person_moves_by_one_offset_of_their_own(toy_release):
    hospital = toy.Hospital.make()
    released = {
        name: df.apply(lambda c: c.dt.tz_localize(None) if c.dtype.kind == "M" else c)
        for name, df in read_release(toy_release.target).items()
    }
    moved = released["VISITS"].assign(at=released["VISITS"]["BEGAN"])[["PID", "VID", "at"]]
    source = {pseudonym(KEY, "visit", row[0]): row[2] for row in hospital.rows["VISITS"]}
    offset = {row.PID: row.at - source[row.VID] for row in moved.itertuples()}
    assert len(set(offset.values())) > 0.8 * len(offset)
    assert all(days.days % 7 == 0 and abs(days.days) >= 364 for days in offset.values())
    ids = {"VISITS": ("VID", "visit", 0), "STAYS": ("SID", "stay", 0)}
    for table, columns in {"VISITS": ["BEGAN", "ENDED"], "STAYS": ["SINCE"]}.items():
        key, domain, place = ids[table]
        rows = {pseudonym(KEY, domain, row[place]): row for row in hospital.rows[table]}
        for column in columns:
            i = toy.HEADERS[table].index(column)
            for pid, own, at in released[table][["PID", key, column]].itertuples(index=False):
                assert at - rows[own][i] == offset[pid]
    at = {(row[1], row[4]) for row in hospital.rows["EVENTS"]}
    people = {pseudonym(KEY, "person", row[0]): row[0] for row in hospital.rows["PEOPLE"]}
    assert all(
        (people[e.PID], e.AT.to_pydatetime() - offset[e.PID]) in at for e in released["EVENTS"].itertuples()
    )


def test_rows_are_sorted_by_pseudonym(toy_release):
    for name in ("VISITS", "EVENTS"):
        people = read_release(toy_release.target)[name]["PID"]
        assert people.is_monotonic_increasing, name


def test_rerunning_a_published_plan_does_nothing(spark, toy_release, toy_policy, key_file):
    before = sorted(p.name for p in (toy_release.target / "_releases" / "_delta_log").glob("*.json"))
    again = publish(spark, toy_policy, toy_release.source, toy_release.target, key_file)
    assert again.document == toy_release.document
    assert sorted(p.name for p in (toy_release.target / "_releases" / "_delta_log").glob("*.json")) == before
    assert any("nothing to do" in message for message in again.messages)


def test_a_published_name_with_another_plan_is_refused_before_anything_runs(
    spark, toy_release, key_file, tmp_path
):
    other = toy.write_policy(tmp_path, toy.POLICY.replace("k: 3", "k: 2"))
    job = pipeline.prepare(
        spark,
        other,
        toy_release.source,
        toy_release.target,
        release=toy_release.document["release"],
        key_file=key_file,
    )
    with pytest.raises(PolicyError, match="published from another plan"):
        pipeline.run(job)


@pytest.mark.parametrize("files", [2, 7])
def test_input_partitions_change_nothing(spark, toy_policy, toy_release, key_file, tmp_path, files):
    source = toy.Hospital.make().write(tmp_path / "source", files=files)
    other = publish(spark, toy_policy, source, tmp_path / "target", key_file)
    assert same_rows(toy_release.target, other.target)
    for figure in ("levels", "loss", "suppression", "privacy", "people", "tables", "timing"):
        assert other.document[figure] == toy_release.document[figure]


def test_another_key_shares_no_pseudonym_and_changes_no_measure(spark, toy_policy, toy_release, tmp_path):
    key = tmp_path / "other-key"
    key.write_bytes(KEY[::-1])
    other = publish(spark, toy_policy, toy_release.source, tmp_path / "target", key)
    one, two = read_release(toy_release.target), read_release(other.target)
    for name, column in (("PEOPLE", "PID"), ("VISITS", "VID"), ("STAYS", "SID")):
        assert not set(one[name][column]) & set(two[name][column])
    assert other.document["key_id"] != toy_release.document["key_id"]
    for figure in ("levels", "loss", "suppression", "privacy"):
        assert other.document[figure] == toy_release.document[figure]


class PollingReader(threading.Thread):
    """Reads the release as another process would, again and again: all of it, or nothing."""

    def __init__(self, target: Path) -> None:
        super().__init__(daemon=True)
        self.target, self.ended = target, threading.Event()
        self.seen: set[int] = set()
        self.wrong: list[str] = []

    def run(self) -> None:
        while not self.ended.wait(0.02):
            self.look()

    def look(self) -> None:
        rows = pointers(self.target)
        self.seen.add(len(rows))
        if len(rows) not in {0, 4}:
            self.wrong.append(f"{len(rows)} of 4 tables")
        if len(rows) and any(table.empty for table in read_release(self.target).values()):
            self.wrong.append("a table without its rows")

    def stop(self) -> None:
        self.ended.set()
        self.join()
        self.look()


class KilledError(Exception):
    """Stands for a process that ends here."""


def test_a_run_killed_at_any_stage_is_continued_to_the_same_release(
    spark, toy_policy, toy_release, key_file, tmp_path, monkeypatch
):
    target = tmp_path / "target"

    def start():
        return pipeline.prepare(spark, toy_policy, toy_release.source, target, key_file=key_file)

    def dies(*_args, **_kwargs):
        raise KilledError

    write = pipeline.write_candidate
    done: list[str] = []
    reader = PollingReader(target)
    reader.start()

    def dies_after_two(bronze, name, context, **options):
        if len(done) >= 2:
            raise KilledError
        done.append(name)
        return write(bronze, name, context, **options)

    for place, name, fault in (
        (pipeline, "write_candidate", dies_after_two),
        (pipeline, "move_candidate", dies),
        (pipeline, "commit", dies),
    ):
        with monkeypatch.context() as patch:
            patch.setattr(place, name, fault)
            with pytest.raises(KilledError):
                pipeline.run(start())
        assert pointers(target).empty
    entry = publishing.write_entry

    def dies_after_the_ledger(*args, **kwargs):
        entry(*args, **kwargs)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(publishing, "write_entry", dies_after_the_ledger)
        with pytest.raises(KilledError):
            pipeline.run(start())
    assert pointers(target).empty
    with pytest.raises(InputError, match="no published release"):
        open_release(spark, target)
    pipeline.run(start())
    reader.stop()
    assert reader.seen >= {0, 4}
    assert reader.wrong == []
    assert len(pointers(target)) == 4
    assert ledger(target)["run"] == pointers(target)["run"].iloc[0]
    assert same_rows(toy_release.target, target)


def test_a_killed_process_leaves_no_part_of_a_release(toy_policy, toy_release, key_file, tmp_path):
    target = tmp_path / "target"
    command = [
        sys.executable, "-m", "anon_spark.cli", "run", str(toy_policy), str(toy_release.source), str(target),
        "--key-file", str(key_file), "--json",
    ]  # fmt: skip
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, start_new_session=True
    )
    deadline = time.monotonic() + 300
    runs = Path(f"{target}-work") / "runs"
    while (
        time.monotonic() < deadline
        and process.poll() is None
        and not list(runs.glob("*/candidate/*/_delta_log"))
    ):
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert process.stdout is not None
    process.stdout.close()
    assert process.returncode == -signal.SIGKILL
    assert pointers(target).empty
    finished = subprocess.run(command, capture_output=True, text=True, timeout=600, check=False)
    assert finished.returncode == 0, finished.stderr[-2000:]
    assert json.loads(finished.stdout)["people"] == toy_release.document["people"]
    assert len(pointers(target)) == 4
    ledger(target)
    assert same_rows(toy_release.target, target)


def test_work_must_lie_outside_target_and_a_second_run_waits_its_turn(
    spark, toy_policy, toy_release, key_file, tmp_path
):
    with pytest.raises(PolicyError, match="outside TARGET"):
        pipeline.prepare(
            spark,
            toy_policy,
            toy_release.source,
            tmp_path / "t",
            work=tmp_path / "t" / "w",
            key_file=key_file,
        )

    def refused(said, source=toy_release.source, target=tmp_path / "t", **options):
        with pytest.raises(PolicyError, match=said):
            pipeline.prepare(spark, toy_policy, source, target, **{"key_file": key_file, **options})

    (tmp_path / "shared").mkdir()
    (tmp_path / "shared" / "theirs.txt").write_text("theirs")
    (tmp_path / "file").write_text("a file")
    (tmp_path / "weak").write_bytes(b"a" * 32)
    refused("holds other files", work=tmp_path / "shared")
    refused("TARGET .* cannot be used", target=tmp_path / "file" / "target", work=tmp_path / "w")
    refused("reads as a pattern", target=tmp_path / "t*")
    refused("different bytes", key_file=tmp_path / "weak")
    refused("begins with a letter", release="..")
    assert (tmp_path / "shared").stat().st_mode & 0o777 != 0o700
    source = toy.Hospital.make(2).write(tmp_path / "s" / "source")
    (tmp_path / "s" / "key").write_bytes(KEY)
    with pytest.raises(PolicyError, match=r"SOURCE .* outside TARGET"):
        pipeline.prepare(spark, toy_policy, source, tmp_path / "s", key_file=key_file)
    with pytest.raises(PolicyError, match=r"key file .* outside TARGET"):
        pipeline.prepare(
            spark, toy_policy, toy_release.source, tmp_path / "s", key_file=tmp_path / "s" / "key"
        )
    job = pipeline.prepare(spark, toy_policy, toy_release.source, tmp_path / "t", key_file=key_file)
    with pipeline._locked(job.work), pytest.raises(ResumableError, match="another run"):
        pipeline.run(job)


def test_a_source_that_changes_while_it_is_read_is_not_released(
    spark, toy_policy, key_file, tmp_path, monkeypatch
):
    source = toy.Hospital.make(5).write(tmp_path / "source")
    read = pipeline.ingest_tables

    def read_and_change(*args, **kwargs):
        tables = read(*args, **kwargs)
        with (source / "stays.csv" / "part-0.csv").open("a") as file:
            file.write("\n")
        return tables

    with monkeypatch.context() as patch:
        patch.setattr(pipeline, "ingest_tables", read_and_change)
        with pytest.raises(ResumableError, match="source changed"):
            publish(spark, toy_policy, source, tmp_path / "target", key_file)
    assert (tmp_path / "target-work").stat().st_mode & 0o777 == 0o700
    job = pipeline.prepare(spark, toy_policy, source, tmp_path / "target", key_file=key_file)
    assert pipeline.ingest(job)["VISITS"].unparsed == 0
    stricter = toy.POLICY.replace("ENDED:timestamp", "ENDED:int")
    other = toy.write_policy(
        tmp_path,
        stricter.replace(
            "ENDED: {role: timing, treatment: shift}", "ENDED: {role: kept, treatment: drop}"
        ).replace(", end: ENDED", ""),
    )
    again = pipeline.prepare(spark, other, source, tmp_path / "target", key_file=key_file)
    assert pipeline.ingest(again)["VISITS"].unparsed == len(toy.Hospital.make(5).rows["VISITS"])


def test_a_source_of_nobody_is_refused(spark, toy_policy, key_file, tmp_path):
    with pytest.raises(InputError, match="nobody to release"):
        publish(
            spark, toy_policy, toy.Hospital.make(0).write(tmp_path / "source"), tmp_path / "target", key_file
        )


def test_the_ledger_entry_that_counts_is_the_published_names(spark, tmp_path):
    entry = {"run": "r", "published_at": "2020", "tables": {}, "key_id": "the key's name"}
    write_entry(spark, tmp_path, entry | {"release": "killed before the pointer"})
    publishing.commit(spark, tmp_path, entry | {"release": "published"}, ["T"])
    assert open_release(spark, tmp_path).ledger["release"] == "published"
    assert read_key_ids(spark, tmp_path)["r", "published"] == "the key's name"


def test_admissions_that_start_at_once_have_one_first_value_whatever_their_ids(spark, toy_policy):
    policy = load_policy(toy_policy).policy
    people = spark.createDataFrame([(1, "F", "N")], "PID bigint, SEX string, AGE string")
    for ids in ((10, 20), (20, 10)):
        visits = [(ids[0], 1, "t", "E", "N", "B"), (ids[1], 1, "t", "E", "N", "A")]
        frames = {
            "PEOPLE": people,
            "VISITS": spark.createDataFrame(
                visits, "VID bigint, PID bigint, BEGAN string, KIND string, TOWN string, CODE string"
            ),
        }
        tuples = person_tuples(frames.__getitem__, policy, released=True)
        assert {row["s_CODE"] for row in tuples.collect()} == {"A"}


def test_values_no_hierarchy_covers_are_counted_not_shown(spark, toy_policy, key_file, tmp_path):
    hospital = toy.Hospital.make()
    hospital.rows["VISITS"][0][5] = "ZZTOWN"
    with pytest.raises(InputError) as caught:
        publish(spark, toy_policy, hospital.write(tmp_path / "source"), tmp_path / "target", key_file)
    assert "hierarchy town" in str(caught.value)
    assert "1 values" in str(caught.value)
    assert "ZZTOWN" not in str(caught.value)


def test_a_person_or_visit_with_two_rows_is_refused_with_a_count(spark, toy_policy, key_file, tmp_path):
    hospital = toy.Hospital.make(5)
    hospital.rows["PEOPLE"].append(hospital.rows["PEOPLE"][0])
    hospital.rows["VISITS"] += [hospital.rows["VISITS"][0]] * 2
    with pytest.raises(InputError) as caught:
        publish(spark, toy_policy, hospital.write(tmp_path / "source"), tmp_path / "target", key_file)
    assert "PEOPLE has 1 rows whose PID" in str(caught.value)
    assert "VISITS has 2 rows whose VID" in str(caught.value)


def test_an_infeasible_policy_publishes_nothing_and_says_what_is_reachable(spark, key_file, tmp_path):
    policy = toy.write_policy(tmp_path, toy.POLICY.replace("k: 3", "k: 61"))
    source = toy.Hospital.make().write(tmp_path / "source")
    with pytest.raises(GateRefusedError, match="k = 61") as caught:
        publish(spark, policy, source, tmp_path / "target", key_file)
    assert caught.value.shortfalls[:2] == [
        ("suppression limit", "no limit would do: nobody would be left"),
        ("k-anonymity", "k = 61 wanted, and the table has 60 people; k = 60 would do with all else as it is"),
    ]
    assert pointers(tmp_path / "target").empty


def test_unparsed_rows_orphans_and_their_children_are_set_aside(spark, toy_policy, key_file, tmp_path):
    hospital = toy.Hospital.make()
    person, visit = hospital.rows["PEOPLE"][0][0], hospital.rows["VISITS"][5]
    hospital.rows["PEOPLE"][0][2] = "notadate"
    visit[2] = "neverbegan"
    hospital.rows["EVENTS"][20][7] = "notanumber"
    hospital.rows["EVENTS"][40][4] = "14:30"  # a time alone would be of today
    never = [row for row in hospital.rows["VISITS"] if row[1] not in {person, visit[1]}][::3]
    for row in never:
        row[3] = "9999-12-31 00:00:00"  # the same for everybody: shifted, it would tell the offset
    hospital.rows["EVENTS"].append([999_999_999, 424_242, "", "", "2015-01-01 00:00:00", 1, "None", ""])
    done = publish(spark, toy_policy, hospital.write(tmp_path / "source"), tmp_path / "target", key_file)
    tables = done.document["tables"]
    assert tables["PEOPLE"]["reasons"]["does_not_parse"] == 1
    assert done.document["people"]["quarantined"] == 1
    assert tables["VISITS"]["reasons"]["does_not_parse"] == 1
    children = sum(row[1] == person or row[2] == visit[0] for row in hospital.rows["EVENTS"])
    reasons = tables["EVENTS"]["reasons"]
    assert reasons["orphan_policy"] == 1
    assert reasons["parent_quarantined"] + reasons["does_not_parse"] in {children, children + 1, children + 2}
    assert reasons["does_not_parse"] == 2
    assert 0 < tables["VISITS"]["cells_suppressed"]["ENDED"] <= len(never)
    ended = read_release(done.target)["VISITS"]["ENDED"]
    assert ended.isna().sum() == tables["VISITS"]["cells_suppressed"]["ENDED"]
    assert ended.dt.year.max() < 2100
    for table in tables.values():
        assert table["in"] == table["out"] + table["quarantined"] + table["suppressed"] + table["capped"]
    kept = read_delta(done.work / "quarantine" / "EVENTS")
    assert set(kept["reason"]) == {"does_not_parse"}
    assert sum("notanumber" in row for row in kept["row"]) == 1
    assert not any(
        "notanumber" in p.read_text(errors="ignore") for p in done.target.rglob("*") if p.is_file()
    )


def test_a_row_that_ties_two_people_together_is_not_released(spark, toy_policy, key_file, tmp_path):
    hospital = toy.Hospital.make()
    one, two = hospital.rows["VISITS"][0], hospital.rows["VISITS"][-1]
    at, stay = "2015-01-01 00:00:00", two[0] + 300_000
    hospital.rows["EVENTS"].append([999_999_998, one[1], two[0], "", at, 1, "None", ""])
    hospital.rows["EVENTS"].append([999_999_997, one[1], one[0], stay, at, 1, "None", ""])
    towns = {row[1]: row[5] for row in hospital.rows["VISITS"]}
    for i, row in enumerate(hospital.rows["VISITS"]):  # a chart that names another town than the visit
        other = "e" if towns[row[1]] in {"ASH", "BIRCH"} else "a"
        hospital.rows["EVENTS"].append([999_000_000 + i, row[1], row[0], "", at, 9, other, ""])
    done = publish(spark, toy_policy, hospital.write(tmp_path / "source"), tmp_path / "target", key_file)
    lost = done.document["tables"]["EVENTS"]["reasons"]
    released = read_release(done.target)
    joined = released["EVENTS"].merge(
        released["VISITS"][["VID", "PID"]], on="VID", suffixes=("", "_of_visit")
    )
    assert (joined["PID"] == joined["PID_of_visit"]).all()
    gone = pseudonym(KEY, "person", one[1]) not in set(released["PEOPLE"]["PID"])
    assert gone or lost["orphan_policy"] == 2
    joined = released["EVENTS"].merge(released["STAYS"][["SID", "PID"]], on="SID", suffixes=("", "_of_stay"))
    assert (joined["PID"] == joined["PID_of_stay"]).all()
    stated = released["EVENTS"].query("ITEM == 9").merge(released["VISITS"][["VID", "TOWN"]], on="VID")
    assert len(stated) > 50
    assert (stated["TEXT"] == stated["TOWN"]).all()


def test_a_missing_table_or_column_is_named_and_nothing_written(spark, toy_policy, key_file, tmp_path):
    source = toy.Hospital.make().write(tmp_path / "source")
    header = source / "visits.csv" / "part-0.csv"
    header.write_text(header.read_text().replace("TOWN", "TOWNE", 1))
    with pytest.raises((InputError, PolicyError), match="TOWN"):
        pipeline.prepare(spark, toy_policy, source, tmp_path / "target", key_file=key_file)
    shutil.rmtree(source / "stays.csv")
    with pytest.raises(InputError, match="STAYS"):
        pipeline.prepare(spark, toy_policy, source, tmp_path / "target", key_file=key_file)
    assert not (tmp_path / "target").exists()


def test_elapsed_clocks_and_the_cap(spark, key_file, tmp_path):
    text = toy.POLICY.replace("suppression_limit: 0.3", "suppression_limit: 0.5\ncap: 1")
    for column in ("BEGAN", "ENDED", "SINCE", "AT"):
        text = text.replace(
            f"{column}: {{role: timing, treatment: shift}}", f"{column}: {{role: timing, treatment: elapsed}}"
        )
    text = text.replace("BORN: {role: quasi_identifier, treatment: birth, quasi_identifier: AGE}",
                        "BORN: {role: quasi_identifier, treatment: suppress}")  # fmt: skip
    text = text.replace(
        "  VISITS:\n    columns:\n      VID: {role",
        "  VISITS:\n    derived: [AGE]\n    columns:\n      VID: {role",
    )
    hospital = toy.Hospital.make()
    at = "2015-01-01 00:00:00"
    hospital.rows["EVENTS"] += [
        [9_000_000 + i, row[0], "", "", at, 77, "None", ""] for i, row in enumerate(hospital.rows["PEOPLE"])
    ]
    source, policy = hospital.write(tmp_path / "source"), toy.write_policy(tmp_path / "conf", text)
    done = publish(spark, policy, source, tmp_path / "target", key_file)
    released = read_release(done.target)
    unplaced = released["EVENTS"].query("ITEM == 77")
    visits = Counter(row[1] for row in hospital.rows["VISITS"])
    once = {pseudonym(KEY, "person", person) for person, n in visits.items() if n == 1}
    assert set(unplaced["PID"]) == once & set(released["PEOPLE"]["PID"])
    released["EVENTS"] = released["EVENTS"].query("ITEM != 77")
    assert released["VISITS"].groupby("PID").size().max() == 1
    assert done.document["tables"]["VISITS"]["capped"] > 0
    assert done.document["tables"]["EVENTS"]["capped"] > 0
    assert set(released["STAYS"]["SINCE"]) == {0}
    assert set(released["VISITS"]["BEGAN"]) == {-120}
    assert set(released["EVENTS"]["AT"]) <= {60 * h for h in range(1, 9)}
    assert released["PEOPLE"]["BORN"].isna().all()
    assert set(released["VISITS"]["AGE"]) == set(released["PEOPLE"]["AGE"])
    spoil = lambda df: df.withColumn("AGE", F.lit("33"))  # noqa: E731
    verdict = verdict_on(spark, policy, done, key_file, tmp_path / "spoiled", [("VISITS", spoil)])
    assert "VISITS: one AGE each" in dict(verdict.shortfalls)


def verdict_on(spark, toy_policy, toy_release, key_file, tmp_path, spoilers):
    """The gate's verdict on the toy release with tables changed by hand."""
    job = pipeline.prepare(spark, toy_policy, toy_release.source, toy_release.target, key_file=key_file)
    copy = tmp_path / "candidate"
    shutil.copytree(job.moved, copy)
    for table, spoil in spoilers:
        written = spark.read.format("delta").load(str(copy / table))
        df = spark.createDataFrame(written.collect(), written.schema)
        spoil(df).write.format("delta").mode("overwrite").option("overwriteSchema", "true").save(
            str(copy / table)
        )
    names = sorted(job.policy.tables)
    return pipeline.audit(
        spark,
        pipeline._context(job),
        **pipeline._promises(job),
        candidate=delta_reader(spark, copy),
        bronze=job.bronze,
        passes={
            n: pipeline.TablePass(**json.loads((job.home / "passes" / f"{n}.json").read_text()))
            for n in names
        },
        ingested={n: t.rows for n, t in pipeline._bronze_counts(job).items()},
    )


def break_one_class(df):
    """One person's sex is told from a class of the least size: their class shrinks, another grows or is made."""
    first = df.agg(F.min("PID")).first()[0]
    return df.withColumn("AGE", F.when(F.col("PID") == first, F.lit("33")).otherwise(F.col("AGE")))


def cells(column, wrong, where="true"):
    """Put the value of a wrong expression into the cells of a column."""
    return lambda df: df.withColumn(column, F.when(F.expr(where), F.expr(wrong)).otherwise(F.col(column)))


@pytest.mark.parametrize(
    "spoilers",
    [
        {"k-anonymity": ("PEOPLE", break_one_class)},
        {
            "l-diversity of CODE": ("VISITS", cells("CODE", "'A'")),
            "dates moved by their person's offset": (
                "STAYS",
                cells("SINCE", "SINCE + INTERVAL 7 DAYS"),
            ),
            "PEOPLE: cells that were to be masked, bounded or of a vocabulary": (
                "PEOPLE",
                cells("SSN", "'123-45-6789'"),
            ),
            "EVENTS: cells that were to be masked, bounded or of a vocabulary": (
                "EVENTS",
                cells("TEXT", "'Jane Doe'", "ITEM = 1"),
            ),
            "EVENTS: town rebuilt from rows": ("EVENTS", cells("TEXT", "'ASH'", "ITEM = 9")),
            "EVENTS: row rule sex": ("EVENTS", cells("TEXT", "'F'", "ITEM = 8")),
            "EVENTS: VID refers to VISITS": ("EVENTS", cells("VID", "4503599627370497")),
        },
        {
            "PEOPLE: raw ids": ("PEOPLE", lambda df: df.withColumn("PID", F.col("PID") - F.lit(2**52))),
            "EVENTS: row rule faith": ("EVENTS", cells("ITEM", "7")),
            "VISITS: one TOWN each": ("VISITS", cells("TOWN", "cast(VID as string)")),
        },
        {
            "PEOPLE: columns": ("PEOPLE", lambda df: df.withColumn("NAME", F.lit("x"))),
            "people accounted": ("PEOPLE", lambda df: df.limit(5)),
            "EVENTS: rows accounted": ("EVENTS", lambda df: df.limit(10)),
        },
    ],
    ids=["one class", "values", "ids", "rows"],
)
def test_the_gate_refuses_what_was_broken_by_hand(
    spark, toy_policy, toy_release, key_file, tmp_path, spoilers
):
    verdict = verdict_on(spark, toy_policy, toy_release, key_file, tmp_path, spoilers.values())
    assert not verdict.passed
    assert set(spoilers) <= set(dict(verdict.shortfalls)), verdict.shortfalls
    if len(spoilers) == 1:  # a class of one person has one value: nothing else falls short
        assert set(dict(verdict.shortfalls)) == {"k-anonymity", "l-diversity of CODE"}


def test_an_untouched_copy_passes(spark, toy_policy, toy_release, key_file, tmp_path):
    verdict = verdict_on(spark, toy_policy, toy_release, key_file, tmp_path, [("STAYS", lambda df: df)])
    assert verdict.passed, verdict.shortfalls
    assert pd.Series([check.name for check in verdict.checks]).is_unique
