"""Releases made by wrong engines: the gate refuses each, and names what it falls short of.

That each engine is wrong at all is shown by the definitions: ``test_search`` (suppression, search), ``test_people``
(rows and attackers), ``test_criteria`` and ``test_oracle`` (criteria).

The gate reads the file and counts its classes by their labels, in code that the search has no part in. What it shares
with the search are the criteria themselves: of a wrong criterion the gate is as blind as the search. Of these a plain
reader of the file tells, by the definitions in ``oracles``.
"""

import csv
import json
import shutil
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml

from anon_spark import pipeline
from anon_spark.anonymize import lakehouse, recoded
from anon_spark.errors import GateRefusedError
from anon_spark.policy.table import load_table_policy
from anon_spark.privacy.l_diversity import EntropyLDiversity
from anon_spark.privacy.t_closeness import EqualDistance
from anon_spark.table import anonymize_table
from tests import oracles, toy
from tests.mutants import engines

TOWNS = "ASH;NORTH;*\nBIRCH;NORTH;*\nELM;SOUTH;*\nOAK;SOUTH;*\n"


@dataclass(frozen=True)
class Case:
    """A table on which an engine is wrong.

    Attributes:
        illnesses: by town, a letter a person; the town '' is null.
        privacy: of the policy.
        engine: the wrong one.
        refused: what its release falls short of.
        limit: share of people who may be suppressed.
        population: people of the population by town.
    """

    illnesses: Mapping[str, str]
    privacy: Mapping[str, Any]
    engine: engines.Search
    refused: str
    limit: float = 0.3
    population: Mapping[str, int] = field(default_factory=dict)


# two of nine are suppressed: that loses less than to generalize all
THREE_A_CLASS = {"ASH": "abc", "BIRCH": "ab", "ELM": "abca"}
CASES = {
    "k - 1": Case(THREE_A_CLASS, {"k": 3, "l": 1}, engines.engine_of(engines.one_less), "k-anonymity"),
    "one class unsuppressed": Case(
        THREE_A_CLASS, {"k": 3, "l": 1}, engines.engine_of(engines.one_class_left), "k-anonymity"
    ),
    "null class skipped": Case(
        {"ASH": "abc", "": "ab", "ELM": "abca"},
        {"k": 3, "l": 1},
        engines.engine_of(engines.null_class_skipped),
        "k-anonymity",
    ),
    # four a's of six: exp(entropy) is 2.4
    "entropy truncated": Case(
        {"ASH": "aaaabc", "BIRCH": "abcabc", "ELM": "abcabc"},
        {"k": 2, "l": 1, "sensitive": {"illness": {"l": {"entropy": 2.5}}}},
        engines.engine_of(engines.entropy_truncated, engines.truncated),
        "entropy l-diversity of illness",
    ),
    # of who is left half have x and half y, as in each town; of all a quarter have z
    "t with the wrong base": Case(
        {"ASH": "xyxyxy", "BIRCH": "zz", "ELM": "xyxyxy", "OAK": "zz"},
        {"k": 3, "l": 1, "sensitive": {"illness": {"t": 0.2}}},
        engines.engine_of(engines.t_of_the_released, engines.without_t),
        "t-closeness of illness (EqualDistance)",
    ),
    # all of ASH are in the table, nobody of BIRCH; the two of the south need each other
    "a non-monotone criterion pruned": Case(
        {"ASH": "abab", "ELM": "a", "OAK": "bc"},
        {"k": 3, "l": 1, "presence": {"min": 0.5}},
        engines.engine_of(engines.finest_taken_for_all, engines.monotone),
        "delta-presence",
        limit=0.5,
        population={"ASH": 4, "BIRCH": 16, "ELM": 1, "OAK": 2},
    ),
}


def write(folder: Path, case: Case) -> tuple[Path, Path]:
    """The table and its policy."""
    for place, people in (("people", case.illnesses), ("everybody", case.population)):
        rows = [
            [town, held if isinstance(held, str) else "-"] for town in people for held in each(people[town])
        ]
        with (folder / f"{place}.csv").open("w", newline="") as file:
            csv.writer(file).writerows([["town", "illness"], *rows])
    for name, text in (
        ("hierarchies/town.csv", TOWNS),
        ("policies/people.yaml", yaml.safe_dump(policy(case))),
    ):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    return folder / "people.csv", folder / "policies" / "people.yaml"


def each(held: str | int) -> Sequence[str | int]:
    return held if isinstance(held, str) else range(held)


def policy(case: Case) -> dict[str, Any]:
    population = {"population": "../everybody.csv"} if case.population else {}
    return population | {
        "name": "people",
        "quasi_identifiers": {"town": {"hierarchy": "town"}},
        "sensitive": ["illness"],
        "privacy": dict(case.privacy),
        "suppression_limit": case.limit,
    }


@pytest.mark.parametrize("name", CASES)
def test_the_gate_refuses_the_release_of_a_wrong_engine(spark, tmp_path, monkeypatch, name):
    """By the criterion alone: people in the file are as many as the engine says. The right engine's is let through."""
    case = CASES[name]
    table, place = write(tmp_path, case)
    loaded = load_table_policy(place, table=table)
    monkeypatch.setattr(recoded, "search", case.engine)
    with pytest.raises(GateRefusedError, match="the file fails 1 checks; nothing was left") as refused:
        anonymize_table(spark, table, loaded, tmp_path / "wrong.csv")
    assert [check for check, _ in refused.value.shortfalls] == [case.refused]
    monkeypatch.undo()
    anonymize_table(spark, table, loaded, tmp_path / "right.csv")
    assert sorted(x.name for x in tmp_path.glob("*.csv*")) == ["everybody.csv", "people.csv", "right.csv"]


# people with several rows

HOSPITAL = """
name: hospital
schema:
  PEOPLE: {columns: "PID:int! SEX:string BORN:timestamp NAME:string SSN:string"}
  VISITS:
    columns: "VID:int! PID:int! BEGAN:timestamp! ENDED:timestamp KIND:string TOWN:string CODE:string"
    foreign_keys: "PID->PEOPLE.PID"
people: {table: PEOPLE, id: PID}
admissions: {table: VISITS, id: VID, order: [BEGAN, VID], end: ENDED}
domains: {person: PEOPLE.PID, visit: VISITS.VID}
orphans: {person: quarantine, visit: keep}
privacy: {k: 3, l: 1}
suppression_limit: 0.2
quasi_identifiers:
  SEX: {unit: person, column: PEOPLE.SEX, hierarchy: sex}
  KIND: {unit: admission, column: VISITS.KIND, hierarchy: kind}
sensitive:
  CODE: {column: VISITS.CODE}
tables:
  PEOPLE:
    columns:
      PID: {role: identifier, treatment: pseudonym, domain: person}
      SEX: {role: quasi_identifier, treatment: generalize}
      BORN: {role: identifier, treatment: drop}
      NAME: {role: identifier, treatment: drop}
      SSN: {role: identifier, treatment: drop}
  VISITS:
    columns:
      VID: {role: identifier, treatment: pseudonym, domain: visit}
      PID: {role: identifier, treatment: pseudonym, domain: person}
      BEGAN: {role: timing, treatment: shift}
      ENDED: {role: timing, treatment: shift}
      KIND: {role: quasi_identifier, treatment: generalize}
      TOWN: {role: identifier, treatment: drop}
      CODE: {role: sensitive, treatment: keep}
"""
# Unplanned visits: of men by four, so their kinds are generalized; of women by two, with three visits of two kinds.
VISITS = [
    *[("M", ["EMERGENCY"])] * 2,
    *[("M", ["URGENT"])] * 2,
    ("F", ["EMERGENCY", "URGENT"]),
    ("F", ["EMERGENCY"]),
    *[("M", ["ELECTIVE"])] * 3,
    *[("F", ["ELECTIVE"])] * 3,
]


def hospital() -> toy.Hospital:
    at = datetime(2020, 1, 1)
    people = [[i, sex, at, "", ""] for i, (sex, _) in enumerate(VISITS)]
    visits = [
        [10 * i + j, i, at.replace(day=1 + j), at, kind, "", "A"]
        for i, (_, kinds) in enumerate(VISITS)
        for j, kind in enumerate(kinds)
    ]
    return toy.Hospital({"PEOPLE": people, "VISITS": visits})


@pytest.fixture(scope="module")
def job(spark, tmp_path_factory, key_file) -> pipeline.Run:
    """A run whose source is read."""
    folder = tmp_path_factory.mktemp("hospital")
    place = toy.write_policy(folder / "conf", HOSPITAL, "hospital")
    source = hospital().write(folder / "source")
    prepared = pipeline.prepare(spark, place, source, folder / "target", key_file=key_file)
    pipeline.run_stage(prepared, "ingest")
    return prepared


@pytest.mark.parametrize("mutant", [engines.rows_for_people, engines.counted_twice], ids=lambda f: f.__name__)
def test_the_gate_refuses_a_release_that_takes_rows_for_people(job, monkeypatch, mutant):
    """The two women are left in a class of their own, of which three visits and two kinds are known."""
    shutil.rmtree(job.home, ignore_errors=True)
    monkeypatch.setattr(lakehouse, "search", engines.engine_of(mutant))
    pipeline.run_stage(job, "anonymize")
    found = json.loads((job.home / "search.json").read_text())
    assert (found["levels"], found["suppressed"]) == ({"SEX": 0, "KIND": 1}, 0)
    with pytest.raises(GateRefusedError, match=r"1 of .* checks failed; nothing was published") as refused:
        pipeline.run_stage(job, "publish")
    assert [check for check, _ in refused.value.shortfalls] == ["k-anonymity"]
    assert not job.moved.exists()


@pytest.fixture(scope="module")
def local_job(spark, tmp_path_factory, key_file) -> pipeline.Run:
    """The toy hospital under local recoding, read."""
    folder = tmp_path_factory.mktemp("local")
    text = toy.POLICY.replace("suppression_limit", "recoding: local\nsuppression_limit")
    place = toy.write_policy(folder / "conf", text)
    source = toy.Hospital.make().write(folder / "source")
    prepared = pipeline.prepare(spark, place, source, folder / "target", key_file=key_file)
    pipeline.run_stage(prepared, "ingest")
    return prepared


def test_the_gate_refuses_a_part_that_is_one_level_too_fine(local_job, monkeypatch):
    monkeypatch.setattr(lakehouse, "recode_people", engines.one_level_too_fine)
    pipeline.run_stage(local_job, "anonymize")
    with pytest.raises(GateRefusedError, match=r"of .* checks failed; nothing was published") as refused:
        pipeline.run_stage(local_job, "publish")
    assert [check for check, _ in refused.value.shortfalls] == ["k-anonymity", "l-diversity of CODE"]
    assert not local_job.moved.exists()


# criteria that gate and search share


def people_of(place: Path, source: Path) -> list[oracles.Person]:
    """Rows of a file as people, and those of the source who are not in it: they are in no class, and count in P(s)."""

    def rows(csv_file: Path) -> list[tuple[str, ...]]:
        with csv_file.open(newline="") as file:
            return [tuple(row) for row in csv.reader(file)][1:]

    left = [oracles.Person(frozenset([town]), frozenset([illness])) for town, illness in rows(place)]
    gone = Counter(illness for _, illness in rows(source)) - Counter(illness for _, illness in rows(place))
    return left + [oracles.Person(frozenset(), frozenset([value]), left=False) for value in gone.elements()]


def test_a_wrong_criterion_blinds_the_gate_and_not_a_plain_reader_of_entropy(spark, tmp_path, monkeypatch):
    monkeypatch.setattr(
        EntropyLDiversity, "failing", lambda self, classes: engines.truncated([self])[0].failing(classes)
    )
    table, place = write(tmp_path, CASES["entropy truncated"])
    anonymize_table(spark, table, load_table_policy(place, table=table), tmp_path / "out.csv")
    meets = oracles.meets_entropy_l(people_of(tmp_path / "out.csv", table), Fraction(5, 2))
    assert meets == {"ASH": False, "BIRCH": True, "ELM": True}


def test_a_wrong_criterion_blinds_the_gate_and_not_a_plain_reader_of_t(spark, tmp_path, monkeypatch):
    """Of the file alone no class is far from it."""
    right = EqualDistance.between
    monkeypatch.setattr(
        EqualDistance,
        "between",
        lambda self, classes, name: right(self, engines.against_the_released(classes, name), name),
    )
    monkeypatch.setattr(recoded, "search", CASES["t with the wrong base"].engine)
    table, place = write(tmp_path, CASES["t with the wrong base"])
    anonymize_table(spark, table, load_table_policy(place, table=table), tmp_path / "out.csv")
    far = oracles.total_variation(people_of(tmp_path / "out.csv", table))
    assert far == {"ASH": Fraction(1, 4), "ELM": Fraction(1, 4)}
