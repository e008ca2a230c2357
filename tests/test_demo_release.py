"""The open MIMIC-III demo: accounted for row by row, and measured by a reader that is not the engine."""

import pandas as pd
import pytest

from anon_spark.mimic3.schema import DICTIONARIES, TABLES
from tests.conftest import Published
from tests.readers import ledger, mimic_privacy, read_release

ID_COLUMNS = ("SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "CGID")


@pytest.fixture(scope="module")
def released(demo_release: Published) -> dict[str, pd.DataFrame]:
    return read_release(demo_release.target)


@pytest.fixture(scope="module")
def raw(demo_release: Published) -> dict[str, pd.DataFrame]:
    return {
        name: pd.read_csv(demo_release.source / f"{name}.csv.gz", low_memory=False, keep_default_na=False)
        for name in TABLES
    }


def test_every_row_is_accounted_for(demo_release, released, raw):
    tables = demo_release.document["tables"]
    assert set(tables) == set(TABLES)
    for name, account in tables.items():
        assert account["in"] == len(raw[name]), name
        assert account["out"] == len(released[name]), name
        assert (
            account["in"]
            == account["out"] + account["quarantined"] + account["suppressed"] + account["capped"]
        )
        assert sum(account["reasons"].values()) == account["in"] - account["out"]


def test_k_and_l_of_a_plain_reader_agree_with_the_gate_to_the_person(demo_release, released):
    measured, privacy = mimic_privacy(released), demo_release.document["privacy"]
    assert {figure: privacy[figure] for figure in measured} == measured
    assert (privacy["k"], privacy["l"]) >= (3, 2)


def test_levels_and_suppression_are_what_the_design_measured(demo_release):
    document = demo_release.document
    below = [q for q, level in document["levels"].items() if level < document["heights"][q]]
    assert len(below) >= 3
    assert document["suppression"]["people"] <= 5
    assert document["people"]["in"] == 100
    assert document["people"]["out"] == 100 - document["suppression"]["people"]


def test_no_original_id_is_left_in_an_id_column(released, raw):
    for name, df in released.items():
        for column in set(ID_COLUMNS) & set(df.columns):
            values = df[column].dropna().astype("int64")
            originals = set(pd.to_numeric(raw[name][column]).dropna().astype("int64"))
            assert not originals & set(values), (name, column)
            assert (values >= 2**52).all()
            assert (values < 2**53).all()


def test_ids_map_one_to_one_across_all_tables(released, raw):
    for column in ID_COLUMNS:
        pseudonyms = set().union(*(df[column].dropna() for df in released.values() if column in df.columns))
        sources = set().union(
            *(pd.to_numeric(df[column]).dropna() for df in raw.values() if column in df.columns)
        )
        assert 0 < len(pseudonyms) <= len(sources)
    assert released["PATIENTS"]["SUBJECT_ID"].nunique() == len(released["PATIENTS"])
    assert released["ADMISSIONS"]["HADM_ID"].nunique() == len(released["ADMISSIONS"])


def test_every_foreign_key_that_held_still_holds(released, raw):
    held = 0
    for name, table in TABLES.items():
        for key in table.foreign_keys:
            if key.column not in released[name].columns:
                continue
            before = set(pd.to_numeric(raw[name][key.column]).dropna()) - set(
                pd.to_numeric(raw[key.ref_table][key.ref_column])
            )
            after = set(released[name][key.column].dropna()) - set(released[key.ref_table][key.ref_column])
            if not before:
                held += 1
                assert not after, (name, key.column)
    assert held >= 50


def test_dictionaries_stay_as_they_are(released, raw):
    for name in DICTIONARIES:
        assert len(released[name]) == len(raw[name])
        assert set(released[name].columns) == set(raw[name].columns)


def test_intervals_survive_and_dates_do_not(released, raw):
    stays = released["ICUSTAYS"]
    hours = (stays["OUTTIME"] - stays["INTIME"]).dt.total_seconds().round().sort_values()
    source = raw["ICUSTAYS"]
    original = pd.to_datetime(source["OUTTIME"]) - pd.to_datetime(source["INTIME"])
    assert set(hours) <= set(original.dt.total_seconds().round())
    shared = set(stays["INTIME"].dt.tz_localize(None)) & set(pd.to_datetime(source["INTIME"]))
    assert len(shared) <= 1
    assert set(stays["INTIME"].dt.day_of_week) == set(pd.to_datetime(source["INTIME"]).dt.day_of_week)


def test_row_rules_leave_no_statement_of_who_a_person_is(released):
    chart = released["CHARTEVENTS"]
    assert not chart["ITEMID"].isin([926, 226543, 226544]).any()
    for itemid in (226545, 226228, 226707, 226730):
        assert set(chart.loc[chart["ITEMID"] == itemid, "VALUE"].dropna()) <= {"*"}
    stated = chart.loc[chart["ITEMID"].isin([925, 226381]), ["HADM_ID", "VALUE"]].dropna()
    told = stated[stated["VALUE"] != "*"].merge(
        released["ADMISSIONS"][["HADM_ID", "MARITAL_STATUS"]], on="HADM_ID"
    )
    assert (told["VALUE"] == told["MARITAL_STATUS"]).all()


def test_derived_age_and_dates_of_birth_agree(released):
    people = released["PATIENTS"].merge(
        released["ADMISSIONS"].groupby("SUBJECT_ID")["ADMITTIME"].min().reset_index(), on="SUBJECT_ID"
    )
    known = people.dropna(subset=["DOB"])
    years = (known["ADMITTIME"] - known["DOB"]).dt.days / 365.25
    lower = known["AGE"].str.extract(r"^(\d+)")[0].astype(float)
    upper = known["AGE"].str.extract(r"-(\d+)$")[0].astype(float).fillna(90) + 1
    assert len(known) > 0
    assert ((years >= lower) & (years <= upper)).all()


def test_the_ledger_holds_the_same_document(demo_release):
    entry = ledger(demo_release.target)
    assert entry["run"] == demo_release.document["run"]
    assert all(check["passed"] for check in entry["checks"])
