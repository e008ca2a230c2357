"""Policies: what is read, what is refused, and that every refusal lists all problems at once."""

import csv
import shutil
from collections.abc import Callable
from copy import deepcopy
from pathlib import Path
from typing import Any

import pytest
import yaml

from anon_spark.errors import InputError, PolicyError
from anon_spark.mimic3.schema import DICTIONARIES, TABLES
from anon_spark.policy.check import check_policy, check_source
from anon_spark.policy.load import LoadedPolicy, conf_dir, load_policy
from anon_spark.policy.model import Role, Treatment
from anon_spark.policy.schema import TYPES

OWN = ["mimic3", "mimic3_demo", "mimic3_identified", "mimic3_notes"]

# A small hospital: enough for every rule of the checks.
SMALL: dict[str, Any] = {
    "name": "small",
    "schema": {
        "PERSON": {"columns": "ID:int! SEX:string BORN:date NAME:string NOTED:string SCORE:double"},
        "VISIT": {
            "columns": "ID:int! VISIT_ID:int! STARTED:timestamp! KIND:string CODE:int FACT:string DX:string",
            "foreign_keys": "ID->PERSON.ID",
        },
    },
    "people": {"table": "PERSON", "id": "ID"},
    "admissions": {"table": "VISIT", "id": "VISIT_ID", "order": ["STARTED", "VISIT_ID"]},
    "domains": {"person": "PERSON.ID", "visit": "VISIT.VISIT_ID"},
    "quasi_identifiers": {
        "SEX": {"unit": "person", "column": "PERSON.SEX", "hierarchy": "gender"},
        "AGE": {
            "unit": "person",
            "derive": "age",
            "birth": "PERSON.BORN",
            "at": "VISIT.STARTED",
            "hierarchy": "age",
        },
        "KIND": {"unit": "admission", "column": "VISIT.KIND", "hierarchy": "admission_type"},
    },
    "sensitive": {"ILLNESS": {"column": "VISIT.DX", "where": {"CODE": 1}}},
    "tables": {
        "PERSON": {
            "derived": ["AGE"],
            "columns": {
                "ID": {"role": "identifier", "treatment": "pseudonym", "domain": "person"},
                "SEX": {"role": "quasi_identifier", "treatment": "generalize"},
                "BORN": {"role": "quasi_identifier", "treatment": "birth", "quasi_identifier": "AGE"},
                "NAME": {"role": "identifier", "treatment": "mask", "pattern": "*"},
                "NOTED": {"role": "free_text", "treatment": "vocabulary", "vocabulary": "mimic3_text"},
                "SCORE": {"role": "sensitive", "treatment": "bounded", "below": 100},
            },
        },
        "VISIT": {
            "columns": {
                "ID": {"role": "identifier", "treatment": "pseudonym", "domain": "person"},
                "VISIT_ID": {"role": "identifier", "treatment": "pseudonym", "domain": "visit"},
                "STARTED": {"role": "timing", "treatment": "shift"},
                "KIND": {"role": "quasi_identifier", "treatment": "generalize"},
                "CODE": {"role": "kept", "treatment": "keep"},
                "FACT": {"role": "free_text", "treatment": "suppress"},
                "DX": {"role": "sensitive", "treatment": "keep"},
            },
            "row_rules": [
                {"name": "kin", "column": "CODE", "codes": [1], "action": "drop"},
                {
                    "name": "sex",
                    "column": "CODE",
                    "codes": [2],
                    "action": "generalize",
                    "value": "FACT",
                    "quasi_identifier": "SEX",
                    "map": {"man": "M"},
                },
            ],
        },
    },
}
Change = Callable[[dict[str, Any]], None]


def save(folder: Path, document: dict[str, Any], name: str = "small.yaml") -> Path:
    path = folder / "policies" / name
    path.parent.mkdir(exist_ok=True)
    path.write_text(yaml.safe_dump(document, sort_keys=False), encoding="utf-8")
    return path


def load_changed(folder: Path, *changes: Change) -> LoadedPolicy:
    document = deepcopy(SMALL)
    for change in changes:
        change(document)
    return load_policy(save(folder, document))


def put(value: Any, *keys: str | int) -> Change:
    """Set the value at ``keys`` of the small policy."""

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in keys[:-1]:
            place = place[key]
        place[keys[-1]] = value

    return change


def take(*keys: str | int) -> Change:
    """Remove the entry at ``keys`` of the small policy."""

    def change(document: dict[str, Any]) -> None:
        place: Any = document
        for key in keys[:-1]:
            place = place[key]
        del place[keys[-1]]

    return change


def problems_of(call: Callable[[], object], *, file: str | None = "small.yaml") -> list[str]:
    """The problems, without the file's name that stands before each problem of a policy."""
    with pytest.raises(PolicyError) as raised:
        call()
    assert raised.value.exit_code == 2
    assert str(raised.value) == "\n".join(raised.value.problems)
    before = f"policy {file}: " if file else ""
    assert all(problem.startswith(before) for problem in raised.value.problems)
    return [problem.removeprefix(before) for problem in raised.value.problems]


def column(table: str, name: str, **rule: Any) -> Change:
    return put(rule, "tables", table, "columns", name)


# --- the policies that come with the package ---


@pytest.mark.parametrize("name", OWN)
def test_own_policies_pass(name: str) -> None:
    loaded = load_policy(name)
    check_policy(loaded)
    assert loaded.policy.name == name
    check_source(loaded, {table: [c.lower() for c in s.column_names] for table, s in loaded.schema.items()})


def test_every_column_of_mimic3_is_classified() -> None:
    tables = load_policy("mimic3").policy.tables
    assert set(tables) == set(TABLES)
    assert sum(len(rules.columns) for rules in tables.values()) == 324
    for name, rules in tables.items():
        assert list(rules.columns) == list(TABLES[name].column_names)


def test_mimic3_hides_what_it_says() -> None:
    tables = load_policy("mimic3").policy.tables
    for name, rules in tables.items():
        public = name in DICTIONARIES
        assert all(c.treatment is Treatment.KEEP for c in rules.columns.values()) == public
        if not public:
            assert rules.columns["ROW_ID"].treatment is Treatment.DROP
        for key, rule in rules.columns.items():
            if TABLES[name].type_of(key) == "timestamp" and key != "DOB":
                assert rule.treatment is Treatment.SHIFT
            if rule.role is Role.FREE_TEXT:
                assert rule.treatment is not Treatment.KEEP
    stated = {code for rule in tables["CHARTEVENTS"].row_rules for code in rule.codes}
    assert {926, 226543, 226544, 225090, 226545, 226228, 920, 226984, 925, 226381, 225072, 69} <= stated
    assert {code for rule in tables["DATETIMEEVENTS"].row_rules for code in rule.codes} >= {226515, 225083}


def test_the_demo_differs_only_in_k() -> None:
    full, demo = load_policy("mimic3").policy, load_policy("mimic3_demo").policy
    assert (full.privacy.k, demo.privacy.k, demo.privacy.l) == (5, 3, 2)
    named = {"name", "description", "privacy"}
    assert full.model_dump(exclude=named) == demo.model_dump(exclude=named)


def test_the_identified_source_has_one_table_more() -> None:
    loaded = load_policy("mimic3_identified")
    assert set(loaded.schema) - set(TABLES) == {"PATIENT_IDENTITY"}
    identity = loaded.policy.tables["PATIENT_IDENTITY"].columns
    assert identity["SSN"].pattern == "***-**-****"
    released = {name for name, rule in identity.items() if rule.treatment is not Treatment.DROP}
    assert released == {"SUBJECT_ID", "SSN"}


def test_the_vocabulary_states_no_quasi_identifier() -> None:
    path = conf_dir() / "vocabularies" / "mimic3_text.csv"
    with path.open(newline="", encoding="utf-8") as file:
        values = [row[0] for row in csv.reader(file)][1:]
    assert values == sorted(set(values))
    assert "None" in values
    stated = ["M", "F", "S", "W", "D", "White", "Black", "English", "Russian", "Married", "Single", "Widowed"]
    stated += [
        "Jewish",
        "RCA",
        "Roman Catholic",
        "Not specified",
        "Language Barrier",
        "Spouse",
        "Lives alone",
    ]
    stated += ["Scrotal", "4I"]
    assert not set(stated) & set(values)
    hierarchies = load_policy("mimic3").hierarchies
    leaves = {leaf.casefold() for h in hierarchies.values() if h.name != "age" for leaf in h.leaves}
    assert {value for value in values if value.casefold() in leaves} == {"Other"}


# --- reading ---


def test_small_policy_passes(tmp_path: Path) -> None:
    loaded = load_changed(tmp_path)
    check_policy(loaded)
    assert set(loaded.hierarchies) == {"gender", "age", "admission_type"}
    assert set(loaded.vocabularies) == {"mimic3_text"}
    assert loaded.path == tmp_path / "policies" / "small.yaml"


def test_extends_merges_mappings_replaces_lists_and_removes_nulls(tmp_path: Path) -> None:
    save(tmp_path, SMALL | {"cap": 3, "orphans": {"person": "quarantine"}})
    over = {
        "extends": "small.yaml",
        "name": "over",
        "privacy": {"k": 7},
        "cap": None,
        "admissions": {"order": ["VISIT_ID"]},
        "orphans": {"visit": "keep"},
    }
    policy = load_policy(save(tmp_path, over, "over.yaml")).policy
    assert (policy.name, policy.privacy.k, policy.privacy.l, policy.cap) == ("over", 7, 2, None)
    assert policy.admissions is not None
    assert (policy.admissions.table, policy.admissions.order) == ("VISIT", ["VISIT_ID"])
    assert policy.orphans == {"person": "quarantine", "visit": "keep"}


def test_extends_may_name_a_policy_of_the_package(tmp_path: Path) -> None:
    path = save(tmp_path, {"extends": "mimic3", "name": "ours", "privacy": {"k": 11}}, "ours.yaml")
    loaded = load_policy(path)
    check_policy(loaded)
    assert loaded.policy.privacy.k == 11


def test_hash_is_of_the_content_not_of_the_layout(tmp_path: Path) -> None:
    first = load_changed(tmp_path).sha256
    path = tmp_path / "policies" / "small.yaml"
    path.write_text("# a comment\n" + yaml.safe_dump(SMALL), encoding="utf-8")  # keys in another order
    assert load_policy(path).sha256 != first  # quasi-identifiers in another order can break ties otherwise
    in_order = dict(reversed(SMALL.items()))
    path.write_text("# a comment\n" + yaml.safe_dump(in_order, sort_keys=False), encoding="utf-8")
    assert load_policy(path).sha256 == first
    assert load_changed(tmp_path, put({"k": 6}, "privacy")).sha256 != first


def test_hash_covers_hierarchies_beside_the_policy(tmp_path: Path) -> None:
    first = load_changed(tmp_path).sha256
    (tmp_path / "hierarchies").mkdir()
    own = tmp_path / "hierarchies" / "gender.csv"
    shutil.copy(conf_dir() / "hierarchies" / "gender.csv", own)
    assert load_changed(tmp_path).sha256 == first
    own.write_text("F;*\nM;*\nX;*\n", encoding="utf-8")
    changed = load_changed(tmp_path)
    assert changed.sha256 != first
    assert changed.hierarchies["gender"].leaves == ("F", "M", "X")


def test_all_problems_of_the_yaml_come_in_one_error(tmp_path: Path) -> None:
    problems = problems_of(
        lambda: load_changed(
            tmp_path,
            put("genders", "quasi_identifiers", "SEX", "hierarchy"),
            put("mimic_text", "tables", "PERSON", "columns", "NOTED", "vocabulary"),
            put("identifer", "tables", "PERSON", "columns", "NAME", "role"),
            put({"k": 1, "ell": 2}, "privacy"),
            put("sixty", "suppression_limit"),
            put(["AGE"], "tables", "PERSON", "derive"),
            put(1, "tables", "VISIT", "columns", "STARTED", "treatement"),
            put("keep", "tables", "VISIT", "columns", "VISIT_ID", "treatment"),
            take("tables", "VISIT", "columns", "DX", "role"),
            put("typo", "schema", "VISIT", "colums"),
        )
    )
    text = "\n".join(problems)
    assert len(problems) == 13
    assert sum("is looked for in" in problem for problem in problems) == 2
    for line in [
        "quasi_identifiers.SEX.hierarchy: unknown hierarchy 'genders'; did you mean 'gender'?",
        "columns.NOTED.vocabulary: unknown vocabulary 'mimic_text'; did you mean 'mimic3_text'?",
        "privacy.k: a whole number of at least 2 is wanted, not 1",
        "privacy.ell: unknown key",
        "suppression_limit: a number between 0 and 1 is wanted, not 'sixty'",
        "tables.PERSON.derive: unknown key; did you mean 'derived'?",
        "tables.VISIT.columns.STARTED.treatement: unknown key; did you mean 'treatment'?",
        "tables.VISIT.columns.VISIT_ID: role identifier takes one of",
        "tables.VISIT.columns.DX.role: is missing",
        "schema.VISIT.colums: unknown key; did you mean 'columns'?",
    ]:
        assert line in text
    assert any(
        line.startswith("tables.PERSON.columns.NAME.role:") and line.endswith("did you mean 'identifier'?")
        for line in problems
    )


def test_duplicate_keys_are_errors_with_their_lines(tmp_path: Path) -> None:
    path = save(tmp_path, SMALL)
    text = path.read_text(encoding="utf-8") + "name: again\npeople:\n  table: A\n  table: B\n  id: ID\n"
    path.write_text(text, encoding="utf-8")
    problems = problems_of(lambda: load_policy(path))
    last = len(text.splitlines())
    assert problems == [
        f"line {last - 4}: the key 'name' is there twice",
        f"line {last - 3}: the key 'people' is there twice",
        f"line {last - 1}: the key 'table' is there twice",
    ]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("name: [1, 2\n", "line 2, column 1: not YAML"),
        ("name: \x07\n", "not YAML"),
        ("- a\n", "a policy is a mapping of keys"),
        ("", "a policy is a mapping of keys"),
        ("extends: small.yaml\n", "extends: it extends itself"),
        ("extends: mimic4\n", "extends: policy 'mimic4' is no file"),
        ("extends: [mimic3]\n", "extends: the name of one policy file is needed"),
    ],
)
def test_files_that_are_no_policy(tmp_path: Path, text: str, message: str) -> None:
    path = save(tmp_path, {})
    path.write_text(text, encoding="utf-8")
    assert problems_of(lambda: load_policy(path))[0].startswith(message)


def test_unknown_policy_names_the_nearest() -> None:
    (problem,) = problems_of(lambda: load_policy("mimic3_demmo"), file=None)
    assert problem.endswith("did you mean 'mimic3_demo'?")


def test_faults_in_named_files_and_schema_are_listed_too(tmp_path: Path) -> None:
    for kind, name, text in [
        ("hierarchies", "gender", "F;x;*\nF;x;*\n"),
        ("vocabularies", "mimic3_text", "text\nyes\n"),
    ]:
        (tmp_path / kind).mkdir()
        (tmp_path / kind / f"{name}.csv").write_text(text, encoding="utf-8")
    columns = "ID:int! LOW:text"
    problems = problems_of(
        lambda: load_changed(
            tmp_path,
            put({"columns": columns}, "schema", "PERSON"),
            put({"columns": "ID:int ID:int low:int"}, "schema", "EXTRA"),
        )
    )
    assert problems == [
        "hierarchy gender: level 0: 1 leaves are there more than once",
        "vocabulary mimic3_text: the first line is to be the header 'value'",
        "schema.PERSON.LOW: type 'text' is not one of " + ", ".join(TYPES),
        "schema.EXTRA.low: names are upper case",
        "schema.EXTRA: columns that are there twice: ID",
    ]


def test_a_policy_needs_tables(tmp_path: Path) -> None:
    assert "schema: no tables; a policy needs 'base_schema' or 'schema'" in problems_of(
        lambda: load_changed(tmp_path, take("schema"))
    )


# --- the policy against its schema ---


def check_changed(folder: Path, *changes: Change) -> list[str]:
    loaded = load_changed(folder, *changes)
    return problems_of(lambda: check_policy(loaded))


def test_unclassified_and_unknown_columns_and_tables(tmp_path: Path) -> None:
    rule = {"role": "kept", "treatment": "drop"}
    assert check_changed(
        tmp_path,
        take("tables", "PERSON", "columns", "SCORE"),
        put(rule, "tables", "PERSON", "columns", "SCOER"),
        put({"columns": {"X": rule}}, "tables", "VISITS"),
        put({"columns": "A:int"}, "schema", "WARD"),
    ) == [
        "tables.PERSON.columns.SCORE: the column is not classified",
        "tables.WARD: the table is not classified",
        "tables.PERSON: PERSON has no column 'SCOER'; did you mean 'SCORE'?",
        "tables.VISITS: unknown table 'VISITS'; did you mean 'VISIT'?",
    ]


def test_treatments_fit_types(tmp_path: Path) -> None:
    problems = check_changed(
        tmp_path,
        column("PERSON", "NAME", role="timing", treatment="shift"),
        column("PERSON", "NOTED", role="sensitive", treatment="bounded", below=3),
        column("PERSON", "SCORE", role="identifier", treatment="pseudonym", domain="persons"),
        column("VISIT", "CODE", role="identifier", treatment="mask", pattern="##"),
        column("VISIT", "STARTED", role="kept", treatment="keep"),
        column("VISIT", "FACT", role="timing", treatment="elapsed"),
        column("VISIT", "KIND", role="quasi_identifier", treatment="birth"),
    )
    for line in [
        "tables.PERSON.columns.NAME: treatment shift takes date, timestamp, not string",
        "tables.PERSON.columns.NOTED: treatment bounded takes bigint, double, int, not string",
        "tables.PERSON.columns.SCORE: treatment pseudonym takes bigint, int, string, not double",
        "tables.PERSON.columns.SCORE.domain: unknown domain 'persons'; did you mean 'person'?",
        "tables.VISIT.columns.CODE: treatment mask takes string, not int",
        "tables.VISIT.columns.CODE.pattern: hides nothing; at least one '*' is needed",
        "tables.VISIT.columns.STARTED: a person's date is not kept as it is; shift, round or drop it",
        "tables.VISIT.columns.FACT: treatment elapsed takes date, timestamp, not string",
        "tables.VISIT.columns.FACT: treatment elapsed needs 'stays' and the id of a stay or admission"
        " in the table",
        "tables.VISIT.columns.KIND: treatment birth takes date, timestamp, not string",
        "tables.VISIT.columns.KIND.quasi_identifier: 'KIND' is not an age derived from VISIT.KIND",
        "quasi_identifiers.KIND: is released by no column's treatment generalize",
        "admissions.order: VISIT.STARTED is treated keep; the order of admissions needs shift or elapsed",
    ]:
        assert line in problems
    assert len(problems) == 13


def test_a_table_about_people_keeps_a_pseudonym_of_them(tmp_path: Path) -> None:
    problems = check_changed(
        tmp_path,
        column("VISIT", "ID", role="identifier", treatment="drop"),
        column("VISIT", "VISIT_ID", role="identifier", treatment="drop"),
    )
    assert (
        "tables.VISIT: without a pseudonym of ID or VISIT_ID the rows of suppressed people cannot be told from"
        " the others" in problems
    )


def test_people_without_a_row_are_never_kept(tmp_path: Path) -> None:
    assert check_changed(tmp_path, put({"person": "keep"}, "orphans")) == [
        "orphans.person: a person without a row of their own is in no class; only quarantine"
    ]


def test_elapsed_wants_an_id_of_a_stay_in_the_table(tmp_path: Path) -> None:
    stays = {"table": "VISIT", "id": "VISIT_ID", "start": "STARTED"}
    elapsed = column("VISIT", "STARTED", role="timing", treatment="elapsed")
    assert check_changed(tmp_path, put(stays, "stays"), elapsed) == [
        "tables.PERSON.columns.BORN: a date of birth would tell the day that VISIT.STARTED hides; suppress it"
    ]
    no_birth = column("PERSON", "BORN", role="quasi_identifier", treatment="suppress")
    check_policy(load_changed(tmp_path, put(stays, "stays"), elapsed, no_birth))
    bare = [
        put({"columns": "AT:timestamp"}, "schema", "CLOCK"),
        put({"columns": {"AT": {"role": "timing", "treatment": "elapsed"}}}, "tables", "CLOCK"),
    ]
    (problem,) = check_changed(tmp_path, put(stays, "stays"), *bare)
    assert problem.startswith("tables.CLOCK.columns.AT: treatment elapsed needs 'stays'")
    bare[1] = put({"columns": {"AT": {"role": "timing", "treatment": "shift"}}}, "tables", "CLOCK")
    assert check_changed(tmp_path, *bare) == [
        "tables.CLOCK.columns.AT: treatment shift needs ID in the table"
    ]


def test_units_domains_and_orphans(tmp_path: Path) -> None:
    problems = check_changed(
        tmp_path,
        put({"table": "PERSONS", "id": "ID"}, "people"),
        put(["STARTED", "VISITID"], "admissions", "order"),
        put({"table": "VISIT", "id": "VISIT_ID", "start": "KIND"}, "stays"),
        put({"person": "PERSON.IDD", "visit": "VISIT.KIND"}, "domains"),
        put({"ward": "keep"}, "orphans"),
    )
    for line in [
        "people: unknown table 'PERSONS'; did you mean 'PERSON'?",
        "people: no id domain has PERSONS.ID as its parent",
        "admissions: VISIT has no column 'VISITID'; did you mean 'VISIT_ID'?",
        "admissions: no id domain has VISIT.VISIT_ID as its parent",
        "stays.start: VISIT.KIND is not a timestamp or date",
        "domains.person: PERSON has no column 'IDD'; did you mean 'ID'?",
        "domains.visit: its parent VISIT.KIND is treated generalize, not pseudonym",
        "orphans.ward: unknown domain",
    ]:
        assert line in problems


def test_quasi_identifiers_exist_are_hidden_and_released(tmp_path: Path) -> None:
    problems = check_changed(
        tmp_path,
        put("PERSON.SEXX", "quasi_identifiers", "SEX", "column"),
        put("VISIT.KIND", "quasi_identifiers", "AGE", "at"),
        put("PERSON.SEX", "quasi_identifiers", "KIND", "column"),
        column("VISIT", "KIND", role="quasi_identifier", treatment="generalize", quasi_identifier="AGE"),
        column("PERSON", "BORN", role="timing", treatment="shift"),
        put(["AGES", "SEX"], "tables", "PERSON", "derived"),
    )
    for line in [
        "quasi_identifiers.SEX.column: PERSON has no column 'SEXX'; did you mean 'SEX'?",
        "quasi_identifiers.AGE.birth: PERSON.BORN has role timing, not quasi_identifier",
        "quasi_identifiers.AGE.at: VISIT.KIND is not a timestamp or date",
        "quasi_identifiers.AGE: is released in no table's 'derived'",
        "quasi_identifiers.KIND.column: PERSON.SEX is not in VISIT, where a release tells it of the admission",
        "quasi_identifiers.KIND: is released by no column's treatment generalize",
        "tables.VISIT.columns.KIND.quasi_identifier: 'AGE' is derived; it is released by a table's 'derived'",
        "tables.PERSON.derived: unknown quasi-identifier 'AGES'; did you mean 'AGE'?",
        "tables.PERSON.derived: 'SEX' is a column's own, not derived",
        "tables.PERSON.derived: the table has a column 'SEX' already",
    ]:
        assert line in problems


def test_a_quasi_identifiers_source_is_not_kept(tmp_path: Path) -> None:
    problems = check_changed(tmp_path, column("PERSON", "SEX", role="kept", treatment="keep"))
    assert "quasi_identifiers.SEX.column: PERSON.SEX has role kept, not quasi_identifier" in problems


def test_ids_are_never_kept(tmp_path: Path) -> None:
    keep = {"role": "kept", "treatment": "keep"}
    extra = "PERSON_REF:int VISIT_ID:int"
    assert check_changed(
        tmp_path,
        put({"columns": extra, "foreign_keys": "PERSON_REF->PERSON.ID"}, "schema", "LINK"),
        put({"columns": {"PERSON_REF": keep, "VISIT_ID": keep}}, "tables", "LINK"),
        put("visit", "tables", "VISIT", "columns", "ID", "domain"),
    ) == [
        "domains.visit: VISIT has 2 columns of it; a row is of one, a second would tie two people together: drop it",
        "tables.VISIT.columns.ID.domain: refers to ids of domain 'person', not 'visit'",
        "tables.LINK.columns.PERSON_REF.role: an id of domain 'person' is an identifier, never kept",
        "tables.LINK.columns.VISIT_ID.role: an id of domain 'visit' is an identifier, never kept",
        "tables.LINK: without a pseudonym of PERSON_REF or VISIT_ID the rows of suppressed people cannot be told from"
        " the others",
    ]


def test_sensitive_lattice_and_foreign_keys(tmp_path: Path) -> None:
    assert check_changed(
        tmp_path,
        put({"CODES": 1}, "sensitive", "ILLNESS", "where"),
        column("VISIT", "DX", role="sensitive", treatment="drop"),
        put(35, "max_nodes"),
        put("ID->PERSONS.ID", "schema", "VISIT", "foreign_keys"),
    ) == [
        "sensitive.ILLNESS.where: VISIT has no column 'CODES'; did you mean 'CODE'?",
        "sensitive.ILLNESS: VISIT.DX is to be sensitive and kept, not sensitive and drop",
        "quasi_identifiers: the lattice has 36 nodes, max_nodes is 35",
        "schema.VISIT.foreign_keys: unknown table 'PERSONS'; did you mean 'PERSON'?",
    ]
    assert check_changed(tmp_path, put("VISITS.DX", "sensitive", "ILLNESS", "column")) == [
        "sensitive.ILLNESS.column: unknown table 'VISITS'; did you mean 'VISIT'?"
    ]


def test_row_rules(tmp_path: Path) -> None:
    rules = [
        {"name": "a", "column": "COD", "codes": [1], "action": "drop"},
        {"name": "b", "column": "CODE", "codes": [1, 2], "action": "suppress", "cells": ["FACTS"]},
        {"name": "b", "column": "CODE", "codes": [2, "x"], "action": "drop"},
        {
            "name": "c",
            "column": "CODE",
            "codes": [3],
            "action": "generalize",
            "value": "FAKT",
            "quasi_identifier": "SEX",
            "map": {"man": "M", "woman": "FF"},
        },
        {
            "name": "d",
            "column": "CODE",
            "codes": [4],
            "action": "generalize",
            "value": "FACT",
            "quasi_identifier": "SEXX",
            "map": {"man": "M"},
        },
    ]
    assert check_changed(tmp_path, put(rules, "tables", "VISIT", "row_rules")) == [
        "tables.VISIT.row_rules.a: VISIT has no column 'COD'; did you mean 'CODE'?",
        "tables.VISIT.row_rules.b: VISIT has no column 'FACTS'; did you mean 'FACT'?",
        "tables.VISIT.row_rules.b.codes: CODE holds numbers, 1 codes are text",
        "tables.VISIT.row_rules.b.codes: some are in rule b too",
        "tables.VISIT.row_rules.c: VISIT has no column 'FAKT'; did you mean 'FACT'?",
        "tables.VISIT.row_rules.c.map.woman: 'FF' is not a leaf of hierarchy gender; did you mean 'F'?",
        "tables.VISIT.row_rules.d.quasi_identifier: unknown 'SEXX'; did you mean 'SEX'?",
        "tables.VISIT.row_rules.b: the name is there 2 times",
    ]


# --- the source against the policy ---


def headers(loaded: LoadedPolicy) -> dict[str, list[str]]:
    return {name.lower(): list(table.column_names) for name, table in loaded.schema.items()}


def test_source_columns_that_nobody_classified(tmp_path: Path) -> None:
    loaded = load_changed(tmp_path)
    source = headers(loaded)
    check_source(loaded, source)
    source["person"] += ["phone", "Fax"]
    source["Billing"] = ["ID"]
    assert problems_of(lambda: check_source(loaded, source), file=None) == [
        "source: column PERSON.PHONE is not classified; add it to the policy, or take it out",
        "source: column PERSON.FAX is not classified; add it to the policy, or take it out",
        "source: table BILLING is not classified; add it to the policy, or take it out",
    ]


def test_what_a_source_lacks_comes_first(tmp_path: Path) -> None:
    loaded = load_changed(tmp_path)
    source = {"PERSON": ["ID", "sex", "SEX", "BORN", "NOTED", "PHONE"]}
    with pytest.raises(InputError) as raised:
        check_source(loaded, source)
    assert raised.value.exit_code == 3
    assert str(raised.value).splitlines() == [
        "source: column PERSON.NAME is missing",
        "source: column PERSON.SCORE is missing",
        "source: column PERSON.SEX is there 2 times",
        "source: table VISIT is missing",
    ]


def test_a_release_needs_what_it_is_measured_by(tmp_path: Path) -> None:
    extra = {"columns": "OTHER:int REF:string NOTED:timestamp", "foreign_keys": "OTHER->PERSON.ID"}
    rules = {
        "OTHER": {"role": "identifier", "treatment": "pseudonym", "domain": "person"},
        "REF": {"role": "identifier", "treatment": "pseudonym", "domain": "person"},
        "NOTED": {"role": "timing", "treatment": "drop"},
    }
    problems = check_changed(
        tmp_path,
        put(extra, "schema", "LINK"),
        put({"columns": rules}, "tables", "LINK"),
        put(1, "cap"),
        column("PERSON", "ID", role="identifier", treatment="drop"),
    )
    for line in [
        "people: PERSON.ID is dropped; a release is measured by people, whose id is a pseudonym",
        "domains.person: LINK.REF hold text, the other 2 columns integers",
        "domains.person: LINK has 2 columns of it; a row is of one, a second would tie two people together: drop it",
    ]:
        assert line in problems


def test_ages_follow_from_intervals_that_hold_their_leaves(tmp_path: Path) -> None:
    (tmp_path / "hierarchies").mkdir()
    (tmp_path / "hierarchies" / "age.csv").write_text("7;0-9;*\n12;0-9;*\n90+;90-99;*\n")
    problems = check_changed(tmp_path)
    assert [p for p in problems if "interval" in p] == [
        "hierarchy age: level 1: 1 leaves lie outside their interval '0-9'",
        "hierarchy age: level 1: 1 leaves lie outside their interval '90-99'",
    ]


def test_a_policy_finds_what_lies_beside_it_however_its_path_is_written(tmp_path: Path, monkeypatch) -> None:
    place = save(tmp_path, deepcopy(SMALL))
    (tmp_path / "hierarchies").mkdir()
    (place.parent / "hierarchies").mkdir()
    (tmp_path / "hierarchies" / "gender.csv").write_text("F;*\nM;*\nX;*\n")
    (place.parent / "admission_type.csv").write_text("A;*\n")
    monkeypatch.chdir(place.parent)
    for path in ("small.yaml", "./small.yaml", place, "../policies/small.yaml"):
        found = load_policy(path).hierarchies
        assert (found["gender"].domain_size, found["admission_type"].domain_size) == (3, 1)


def test_a_policy_that_extends_another_goes_by_its_own_name(tmp_path: Path) -> None:
    place = save(tmp_path, {"extends": "mimic3.yaml", "cap": 3}, "ours.yaml")
    assert (load_policy(place).policy.name, load_policy(place).policy.description) == ("ours", "")
    with pytest.raises(PolicyError) as caught:
        load_policy(save(tmp_path, {"extends": "mimic4"}, "theirs.yaml"))
    assert len(caught.value.problems) == 1


def test_what_the_gate_measures_by_is_released_and_what_hides_hides(tmp_path: Path) -> None:
    problems = check_changed(
        tmp_path,
        column("VISIT", "VISIT_ID", role="identifier", treatment="drop"),
        column("VISIT", "CODE", role="kept", treatment="drop"),
        column("PERSON", "SCORE", role="sensitive", treatment="bounded", below=-1.0),
        put({"min_weeks": 52, "max_weeks": 53}, "shift"),
    )
    for line in [
        "tables.VISIT.columns.VISIT_ID: is treated drop; the release is measured by it",
        "tables.VISIT.columns.CODE: is treated drop; the release is measured by it",
        "tables.VISIT.row_rules.sex: VISIT.CODE is dropped; a stated value is written there and measured",
        "tables.PERSON.columns.SCORE.below: a finite number above 0 is needed",
        "shift: max_weeks is to be at least 50 above min_weeks, or offsets can be guessed",
    ]:
        assert line in problems


def test_a_date_is_not_kept_where_only_an_admission_says_whose_it_is(tmp_path: Path) -> None:
    rules = {
        "VISIT_ID": {"role": "identifier", "treatment": "pseudonym", "domain": "visit"},
        "AT": {"role": "kept", "treatment": "keep"},
    }
    assert check_changed(
        tmp_path,
        put({"columns": "VISIT_ID:int AT:timestamp"}, "schema", "LINK"),
        put({"columns": rules}, "tables", "LINK"),
    ) == ["tables.LINK.columns.AT: a person's date is not kept as it is; shift, round or drop it"]


def test_what_may_be_a_cell_of_a_file_without_a_header_is_not_shown(tmp_path: Path) -> None:
    loaded = load_changed(tmp_path)
    headers = {name: list(table.column_names) for name, table in loaded.schema.items()}
    headers["PERSON"] += ["100-22-4000", "WARD", "Jane Doe"]
    with pytest.raises(PolicyError) as caught:
        check_source(loaded, headers)
    assert "PERSON.WARD is not classified" in str(caught.value)
    assert "PERSON: 2 columns, at places 7, 9, are not classified" in str(caught.value)
    assert "100-22" not in str(caught.value)
    assert "DOE" not in str(caught.value)
