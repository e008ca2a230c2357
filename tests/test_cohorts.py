"""The four cohorts against figures worked out by hand, on clocks and on elapsed minutes, and on the real demo."""

import csv
import gzip
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from anon_spark.errors import InputError, PolicyError
from anon_spark.ingest.lake import TableReader
from anon_spark.mimic3.cohort import TASKS, build_cohort, check_treatments, find_task, hidden_items
from anon_spark.mimic3.cohort.codes import (
    STATISTICS,
    load_antibiotics,
    load_codes,
    load_variables,
    load_words,
)
from anon_spark.mimic3.cohort.measurements import SOURCES
from anon_spark.mimic3.cohort.sepsis import score_windows
from anon_spark.mimic3.schema import TABLES
from anon_spark.policy.load import load_policy
from anon_spark.policy.model import Policy
from anon_spark.release.evidence import source_reader
from tests.test_learn import EPOCH, hours, reader

Tables = dict[str, pd.DataFrame]

DEMO = Path(__file__).parents[2] / "shared" / "data" / "mimic3_demo"
TIMES = {
    "ICUSTAYS": ["INTIME", "OUTTIME"],
    "CHARTEVENTS": ["CHARTTIME"],
    "LABEVENTS": ["CHARTTIME"],
    "OUTPUTEVENTS": ["CHARTTIME"],
    "INPUTEVENTS_CV": ["CHARTTIME"],
    "INPUTEVENTS_MV": ["STARTTIME", "ENDTIME"],
    "PRESCRIPTIONS": ["STARTDATE"],
    "MICROBIOLOGYEVENTS": ["CHARTDATE", "CHARTTIME"],
}
COLUMNS = {
    "PATIENTS": ["SUBJECT_ID", "GENDER", "DOB", "DOD"],
    "ADMISSIONS": [
        *("SUBJECT_ID", "HADM_ID", "ADMITTIME", "DISCHTIME", "DEATHTIME", "ADMISSION_TYPE"),
        *("INSURANCE", "MARITAL_STATUS", "ETHNICITY", "HOSPITAL_EXPIRE_FLAG"),
    ],
    "ICUSTAYS": ["SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "INTIME", "OUTTIME"],
    "CHARTEVENTS": ["HADM_ID", "ICUSTAY_ID", "ITEMID", "CHARTTIME", "VALUE", "VALUENUM", "ERROR"],
    "LABEVENTS": ["HADM_ID", "ITEMID", "CHARTTIME", "VALUENUM"],
    "OUTPUTEVENTS": ["HADM_ID", "ICUSTAY_ID", "ITEMID", "CHARTTIME", "VALUE", "ISERROR"],
    "INPUTEVENTS_CV": ["HADM_ID", "ICUSTAY_ID", "ITEMID", "CHARTTIME", "RATE"],
    "INPUTEVENTS_MV": ["HADM_ID", "ICUSTAY_ID", "ITEMID", "STARTTIME", "ENDTIME", "RATE"],
    "PRESCRIPTIONS": ["HADM_ID", "ICUSTAY_ID", "STARTDATE", "DRUG", "ROUTE"],
    "MICROBIOLOGYEVENTS": ["HADM_ID", "CHARTDATE", "CHARTTIME"],
}
HEART, FAHRENHEIT, REFILL, POUNDS, INCHES, OXYGEN, SATURATION = 211, 678, 223951, 226531, 226707, 223835, 646
PLATELETS, PH, VANCOMYCIN, NOREPINEPHRINE = 51265, 50820, 225798, 221906


class Hospital:
    """A source that grows by people; every clock is told in hours from the person's first stay."""

    def __init__(self) -> None:
        self.rows: dict[str, list[list[Any]]] = {name: [] for name in COLUMNS}
        self.starts: dict[int, pd.Timestamp] = {}

    def person(self, subject: int, *, days: float, died: int = 0, left: float | None = None) -> None:
        """An adult with one stay of so many days, who leaves the hospital ``left`` hours after it begins."""
        start = self.starts[subject] = EPOCH + pd.Timedelta(days=3 * subject)
        out = hours(24 * days)
        gone = hours(left) if left is not None else out + hours(10)
        death = start + gone if died else None
        self.rows["PATIENTS"].append([subject, "F", EPOCH - pd.Timedelta(days=20_000), death])
        self._admission(subject, subject * 10, start - hours(2), start + gone, death, died)
        self.rows["ICUSTAYS"].append([subject, subject * 10, subject * 100, start, start + out])

    def again(self, subject: int, *, after: float) -> None:
        """Another admission of the person, so many hours after the first stay began."""
        at = self.starts[subject] + hours(after)
        self._admission(subject, subject * 10 + 1, at, at + hours(30), None, 0)

    def _admission(self, subject: int, hadm: int, came: Any, left: Any, death: Any, died: int) -> None:
        facts = ["EMERGENCY", "Private", None, "WHITE", died]
        self.rows["ADMISSIONS"].append([subject, hadm, came, left, death, *facts])

    def chart(self, subject: int, item: int, at: float, value: float | None, text: str | None = None) -> None:
        keys = [subject * 10, subject * 100, item, self.starts[subject] + hours(at)]
        self.rows["CHARTEVENTS"].append([*keys, text, value, 0])

    def lab(self, subject: int, item: int, at: float, value: float) -> None:
        self.rows["LABEVENTS"].append([subject * 10, item, self.starts[subject] + hours(at), value])

    def urine(self, subject: int, at: float, value: float) -> None:
        keys = [subject * 10, subject * 100, 226559]
        self.rows["OUTPUTEVENTS"].append([*keys, self.starts[subject] + hours(at), value, 0])

    def infuse(self, subject: int, item: int, at: float, until: float, rate: float | None) -> None:
        start = self.starts[subject]
        keys = [subject * 10, subject * 100, item]
        self.rows["INPUTEVENTS_MV"].append([*keys, start + hours(at), start + hours(until), rate])

    def prescribe(self, subject: int, day: int, drug: str, route: str = "IV") -> None:
        at = (self.starts[subject] + pd.Timedelta(days=day)).normalize()
        self.rows["PRESCRIPTIONS"].append([subject * 10, None, at, drug, route])

    def culture(self, subject: int, at: float) -> None:
        time = self.starts[subject] + hours(at)
        self.rows["MICROBIOLOGYEVENTS"].append([subject * 10, time.normalize(), time])

    def tables(self) -> Tables:
        return {name: pd.DataFrame(rows, columns=COLUMNS[name]) for name, rows in self.rows.items()}


def elapsed(tables: Tables) -> Tables:
    """The same tables in minutes from the stay, those of ADMISSIONS from the person's first stay."""
    made = {name: table.copy() for name, table in tables.items()}
    stays = tables["ICUSTAYS"]

    def minutes(times: pd.Series, start: pd.Series) -> pd.Series:
        since = pd.to_datetime(times) - pd.to_datetime(start)  # a table without rows has no times
        return (since.dt.total_seconds() // 60).astype("Int64")

    of_admission = stays.set_index("HADM_ID")["INTIME"]
    for name, columns in TIMES.items():
        for column in columns:
            made[name][column] = minutes(tables[name][column], tables[name]["HADM_ID"].map(of_admission))
    of_person = stays.set_index("SUBJECT_ID")["INTIME"]
    for column in ("ADMITTIME", "DISCHTIME"):
        start = tables["ADMISSIONS"]["SUBJECT_ID"].map(of_person)
        made["ADMISSIONS"][column] = minutes(tables["ADMISSIONS"][column], start)
    ages = (EPOCH - tables["PATIENTS"]["DOB"]).dt.days // 365.25
    made["PATIENTS"]["AGE"] = ages.astype(int).astype(str)
    made["PATIENTS"] = made["PATIENTS"].drop(columns=["DOB", "DOD"])
    made["ADMISSIONS"] = made["ADMISSIONS"].drop(columns="DEATHTIME")
    return made


def people_of(read: TableReader, name: str) -> pd.DataFrame:
    cohort = build_cohort(read, TASKS[name])
    people: pd.DataFrame = cohort.people.toArrow().to_pandas()
    cohort.release()
    return people.set_index("SUBJECT_ID").sort_index()


@pytest.fixture(scope="module")
def hospital() -> Tables:
    """1 by hand; 11 and 12 charted as 1 is, but for death and discharge inside the window, and one value more."""
    made = Hospital()
    for subject in (1, 11, 12):
        made.person(subject, days=3, died=int(subject > 1), left=20 if subject > 1 else None)
        beats = ((0, 80.0), (0, 80.0), (0.5, 90.0), (47.9, 100.0), (48, 999.0), (-1, 200.0), (20, 9999.0))
        for at, value in beats:
            made.chart(subject, HEART, at, value)
        made.chart(subject, FAHRENHEIT, 1, 98.6)
        made.chart(subject, POUNDS, 1, 200.0)
        made.chart(subject, INCHES, 1, 70.0)
        for at, value in ((1, 50.0), (2, 0.3), (3, 0.1)):
            made.chart(subject, OXYGEN, at, value)
        made.chart(subject, SATURATION, 1, 0.97)
        made.chart(subject, REFILL, 5, None, "Normal <3 Seconds")
        made.chart(subject, REFILL, 6, None, "Abnormal >3 Seconds")
        made.chart(subject, REFILL, 7, None, "Other/Remarks")
        made.lab(subject, PH, 4, 7.3)
    made.chart(11, HEART, 48, 33.0)
    made.chart(12, HEART, 47.98, 33.0)
    made.person(2, days=47.9 / 24)
    made.person(3, days=2, died=1, left=60)
    made.chart(3, HEART, 30, 120.0)
    made.person(4, days=8)
    made.chart(4, HEART, 1, 70.0)
    made.chart(4, HEART, 7.5 * 24, 60.0)
    return made.tables()


@pytest.fixture(scope="module")
def mortality(spark: SparkSession, hospital: Tables) -> pd.DataFrame:
    return people_of(reader(spark, hospital), "mortality")


def test_mortality_by_hand(mortality: pd.DataFrame) -> None:
    assert mortality["label"].to_dict() == {1: 0, 3: 1, 4: 0, 11: 1, 12: 1}, "two days or more, and who died"
    one = mortality.loc[1]
    # hours 0 (80 once, though charted twice, and 90) and 47 (100); not what is before, after or impossible
    heart = {"mean": 92.5, "min": 85.0, "max": 100.0, "last": 100.0, "count": 2.0}
    assert {name: one[f"heart_rate_{name}"] for name in heart} == heart
    assert one["temperature_mean"] == 37.0
    assert one["weight_mean"] == round(200 * 0.45359237, 6)
    assert one["height_mean"] == 177.8
    assert (one["inspired_oxygen_max"], one["inspired_oxygen_last"]) == (0.5, 0.3), "0.1 is no air"
    assert one["oxygen_saturation_mean"] == 97.0
    assert (one["capillary_refill_mean"], one["capillary_refill_last"]) == (0.5, 1.0)
    assert one["ph_mean"] == 7.3
    assert mortality.loc[3, "ph_count"] == 0.0
    assert pd.isna(mortality.loc[3, "ph_mean"]), "not measured is null"
    assert mortality["AGE"].eq(54).all()


def test_death_moves_no_feature(mortality: pd.DataFrame) -> None:
    """Death and discharge inside the window, and what is charted after it, say nothing; what is inside does."""
    features = mortality.drop(columns=["label", "HADM_ID", "ICUSTAY_ID"])
    pd.testing.assert_series_equal(features.loc[11], features.loc[1], check_names=False)
    assert mortality.loc[11, "label"] != mortality.loc[1, "label"]
    assert not features.loc[12].equals(features.loc[1]), "a near miss that must be seen"


@pytest.fixture(scope="module")
def sick() -> Hospital:
    """Nine people around the edges of sepsis; 1 and 9 have it, the others lack one thing each."""
    made = Hospital()
    lacks = {
        1: "",
        2: "score",
        3: "culture",
        4: "antibiotic",
        5: "in time",
        6: "route",
        7: "stays",
        8: "near",
        9: "",
    }
    for subject, what in lacks.items():
        made.person(subject, days=5 if what != "stays" else 1.1, died=int(subject == 9))
        made.lab(subject, PLATELETS, 100 if what == "near" else 6, 110.0 if what == "score" else 90.0)
        made.chart(subject, HEART, 30, 100.0)
        if what != "culture":
            made.culture(subject, 5)
        if subject == 9:
            made.prescribe(subject, 1, "Vancomycin HCl")
        elif what == "route":
            made.prescribe(subject, 0, "Erythromycin 0.5% Ophth Oint", "BOTH EYES")
            made.prescribe(subject, 0, "Acetaminophen")
        elif what != "antibiotic":
            at = 5 + 73 if what == "in time" else 10
            made.infuse(subject, VANCOMYCIN, at, at + 1, None)
    made.infuse(1, NOREPINEPHRINE, 9.5, 13.5, 0.2)
    made.urine(1, 1, 100.0)
    made.urine(1, 2, 50.0)
    return made


def test_sepsis_by_hand_on_clocks_and_on_elapsed_minutes(spark: SparkSession, sick: Hospital) -> None:
    cohort = build_cohort(reader(spark, sick.tables()), TASKS["sepsis"])
    people = cohort.people.toArrow().to_pandas().set_index("SUBJECT_ID").sort_index()
    assert people["label"].to_dict() == {1: 0, 9: 1}
    same = people_of(reader(spark, elapsed(sick.tables())), "sepsis")
    pd.testing.assert_frame_equal(people, same)
    windows = cohort.windows.where("ICUSTAY_ID = 100").toArrow().to_pandas().set_index("window").sort_index()
    # the culture, at hour 5, is in window 1 of the stay, which is window 6 around the onset; 0 to 4 are before it
    assert windows.index.tolist() == [5, 6, 7, 8, 9, 10, 11]
    assert windows["platelets"].dropna().to_dict() == {6: 90.0}
    assert windows["urine"].dropna().to_dict() == {5: 150.0}
    # norepinephrine runs in the hours 9.5 to 13.5, the windows 2 and 3 of the stay: 4 points for a day
    assert windows["norepinephrine"].dropna().to_dict() == {7: 0.2, 8: 0.2}
    # 4 points for 150 mL of urine once a day has passed; a window later it is more than a day ago: not measured
    assert windows["sofa"].tolist() == [0, 2, 6, 6, 6, 10, 6]
    cohort.release()


def test_score_by_hand(spark: SparkSession) -> None:
    """Every organ at its bounds, all as stays of one window of one job."""
    names = [v.name for v in load_variables("benchmark", "laboratory", "sofa")]
    cases: list[tuple[dict[str, float], int]] = [
        ({"oxygen_pressure": 200, "inspired_oxygen": 0.5}, 0),
        ({"oxygen_pressure": 199, "inspired_oxygen": 0.5}, 1),
        ({"oxygen_pressure": 90, "inspired_oxygen": 1.0}, 2),
        ({"oxygen_pressure": 150, "inspired_oxygen": 1.0, "peep": 5}, 3),
        ({"oxygen_pressure": 90, "inspired_oxygen": 1.0, "peep": 5}, 4),
        *(({"platelets": n}, points) for n, points in ((150, 0), (149, 1), (99, 2), (49, 3), (19, 4))),
        *(({"bilirubin": n}, points) for n, points in ((1.1, 0), (1.2, 1), (2, 2), (6, 3), (12, 4))),
        *(({"creatinine": n}, points) for n, points in ((1.1, 0), (1.2, 1), (2, 2), (3.5, 3), (5, 4))),
        *(({"gcs_total": n}, points) for n, points in ((15, 0), (14, 1), (12, 2), (9, 3), (5, 4))),
        ({"gcs_eye": 4, "gcs_verbal": 5, "gcs_motor": 6}, 0),
        ({"gcs_eye": 1, "gcs_verbal": 1, "gcs_motor": 1}, 4),
        ({"gcs_eye": 1, "gcs_verbal": 1}, 0),
        ({"mean_pressure": 70}, 0),
        ({"mean_pressure": 69}, 1),
        ({"mean_pressure": 90, "dobutamine": 3}, 2),
        ({"dopamine": 5}, 2),
        ({"dopamine": 6}, 3),
        ({"dopamine": 16}, 4),
        ({"norepinephrine": 0.1}, 3),
        ({"epinephrine": 0.11, "mean_pressure": 50}, 4),
        ({"platelets": 19, "bilirubin": 12, "creatinine": 5, "gcs_total": 3}, 16),
        ({}, 0),
    ]
    rows = [(number, 0, *(values.get(name) for name in names)) for number, (values, _) in enumerate(cases)]
    schema = "ICUSTAY_ID int, window int, " + ", ".join(f"{name} double" for name in names)
    typed = [(*row[:2], *(None if v is None else float(v) for v in row[2:])) for row in rows]
    stays = spark.range(len(cases)).selectExpr("cast(id as int) ICUSTAY_ID", "240 end")
    scored = score_windows(spark.createDataFrame(typed, schema), stays, 240).collect()
    found = {row["ICUSTAY_ID"]: row["sofa"] for row in scored}
    assert [found[number] for number in range(len(cases))] == [points for _, points in cases]


def test_long_stay_and_readmission_by_hand(spark: SparkSession) -> None:
    made = Hospital()
    made.person(1, days=7.01, left=200)
    made.again(1, after=200 + 30 * 24)
    made.person(2, days=7, left=200)
    made.again(2, after=200 + 30 * 24 + 0.1)
    made.person(3, days=1, died=1, left=30)
    made.person(4, days=0.9, left=30)
    for at in (1, 15, 23.9, 24):
        made.chart(1, HEART, at, 60 + at)
        made.chart(4, HEART, at, 60 + at)
    made.chart(1, HEART, 7 * 24, 90.0)
    read = reader(spark, made.tables())
    stays = people_of(read, "long_stay")
    assert stays["label"].to_dict() == {1: 1, 2: 0, 3: 0}
    assert stays.loc[1, "heart_rate_count"] == 3.0, "of the first day"
    back = people_of(read, "readmission")
    pd.testing.assert_frame_equal(back, people_of(reader(spark, elapsed(made.tables())), "readmission"))
    assert back["label"].to_dict() == {1: 1, 2: 0, 4: 0}, "who died cannot come back"
    assert back["heart_rate_last"].dropna().to_dict() == {1: 90.0, 4: 75.0}, "of the last day, up to leaving"


def test_bad_input_is_one_clear_sentence(spark: SparkSession, hospital: Tables) -> None:
    def explain(tables: Tables, empty: list[str], **options: Any) -> list[str]:
        return build_cohort(reader(spark, tables), TASKS["mortality"], **options).explain(empty)

    strange = hospital | {
        "CHARTEVENTS": hospital["CHARTEVENTS"].assign(ITEMID=1),
        "LABEVENTS": hospital["LABEVENTS"].assign(ITEMID=1),
    }
    with pytest.raises(InputError, match=r"none of the \d+ item ids") as unknown:
        explain(strange, ["heart_rate"])
    assert unknown.value.exit_code == 3
    charted = hospital["CHARTEVENTS"]
    beats = charted["ITEMID"] == HEART
    empty = hospital | {"CHARTEVENTS": charted.assign(VALUENUM=charted["VALUENUM"].mask(beats))}
    with pytest.raises(InputError, match=r"without one usable value: heart_rate \(18 rows\)"):
        explain(empty, ["heart_rate", "glucose"])
    notes = explain(empty, ["heart_rate", "glucose"], hidden=frozenset({HEART}))
    assert notes == [
        "heart_rate is hidden by the release's policy and left out",
        "glucose is not charted and left out",
    ]
    no_end = hospital | {"ICUSTAYS": hospital["ICUSTAYS"].drop(columns="OUTTIME")}
    with pytest.raises(InputError, match="ICUSTAYS lacks OUTTIME"):
        people_of(reader(spark, no_end), "mortality")
    mixed = hospital | {"ADMISSIONS": elapsed(hospital)["ADMISSIONS"].assign(ADMITTIME=EPOCH)}
    with pytest.raises(InputError, match="readmission cannot be told"):
        people_of(reader(spark, mixed), "readmission")
    with pytest.raises(PolicyError, match="did you mean 'sepsis'"):
        find_task("sepsi")
    with pytest.raises(PolicyError, match="unknown set of variables"):
        load_variables("labs")


def test_treatments_that_make_a_cohort_impossible() -> None:
    policy = load_policy("mimic3").policy
    for task in TASKS.values():
        check_treatments(policy, task, release="r")

    def changed(table: str, column: str, treatment: str) -> Policy:
        document = policy.model_dump(mode="json", by_alias=True)
        document["tables"][table]["columns"][column]["treatment"] = treatment
        return Policy.model_validate(document)

    with pytest.raises(InputError, match=r"CHARTEVENTS\.CHARTTIME is rounded to days"):
        check_treatments(changed("CHARTEVENTS", "CHARTTIME", "round_day"), TASKS["mortality"], release="r")
    check_treatments(changed("ADMISSIONS", "ADMITTIME", "round_day"), TASKS["readmission"], release="r")
    with pytest.raises(InputError, match=r"ADMISSIONS\.DISCHTIME is suppressed"):
        check_treatments(changed("ADMISSIONS", "DISCHTIME", "suppress"), TASKS["readmission"], release="r")
    with pytest.raises(InputError, match="cap: 1"):
        check_treatments(policy.model_copy(update={"cap": 1}), TASKS["readmission"], release="r")
    assert {226707, 226730} <= hidden_items(policy)
    assert HEART not in hidden_items(policy)


def dictionary(name: str) -> Iterator[dict[str, str]]:
    with gzip.open(DEMO / f"{name}.csv.gz", "rt", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            yield {key.upper(): value for key, value in row.items()}


def test_codes_are_sound() -> None:
    variables = load_variables("benchmark", "laboratory", "sofa")
    codes = load_codes(variables)
    assert len(load_variables("benchmark")) == 17
    assert len({v.name for v in variables}) == len(variables)
    assert all(v.low < v.high and v.statistic in STATISTICS for v in variables)
    assert len({(code.source, code.itemid) for code in codes}) == len(codes), "a code measures one thing"
    assert {code.variable for code in codes} == {v.name for v in variables}
    assert {code.source for code in codes} == set(SOURCES)
    assert {code.variable for code in codes if code.convert == "words"} == {name for name, _ in load_words()}
    stems, itemids = load_antibiotics()
    assert all(stem == stem.lower() and stem.isalpha() for stem in stems)
    assert len(itemids) > 20


@pytest.mark.skipif(not DEMO.is_dir(), reason="the MIMIC-III demo is not beside the repository")
def test_codes_are_what_the_dictionaries_say() -> None:
    items = {int(row["ITEMID"]): row for row in dictionary("D_ITEMS")}
    labs = {int(row["ITEMID"]): row for row in dictionary("D_LABITEMS")}
    with (Path(__file__).parents[1] / "conf/items/codes.csv").open(encoding="utf-8") as file:
        rows = list(csv.DictReader(line for line in file if not line.startswith("#")))
    for row in rows:
        known = (labs if row["source"] == "LABEVENTS" else items)[int(row["itemid"])]
        assert row["label"] == known["LABEL"]
        if row["source"] == "LABEVENTS":
            assert known["FLUID"] == "Blood"
        else:
            assert (row["source"].lower(), row["system"]) == (known["LINKSTO"], known["DBSOURCE"])
    with_unit = {"fahrenheit": "F", "pounds": "lb", "ounces": "oz"}
    assert all(unit in r["label"] for r in rows for name, unit in with_unit.items() if r["convert"] == name)
    _, itemids = load_antibiotics()
    assert all(items[itemid]["CATEGORY"] == "Antibiotics" for itemid in itemids)


@pytest.fixture(scope="module")
def demo(spark: SparkSession) -> Iterator[TableReader]:
    """The demo's tables, each parsed once."""
    if not DEMO.is_dir():
        pytest.skip("the MIMIC-III demo is not beside the repository")
    read = source_reader(spark, str(DEMO), load_policy("mimic3").policy)
    kept: list[DataFrame] = []

    @cache
    def table(name: str) -> DataFrame:
        kept.append(read(name).persist())
        return kept[-1]

    yield table
    for frame in kept:
        frame.unpersist()


@pytest.mark.parametrize("name", list(TASKS))
def test_the_demo_has_every_cohort(demo: TableReader, name: str) -> None:
    people = people_of(demo, name)
    assert len(people) >= 40
    assert people.index.is_unique
    assert 0 < people["label"].mean() < 1
    for variable in ("heart_rate", "systolic_pressure", "gcs_motor", "temperature"):
        assert people[f"{variable}_mean"].notna().mean() > 0.9, "CareVue and MetaVision codes"
    if name == "mortality":
        check_plainly(people)
    if name == "sepsis":
        assert people["sofa_max"].ge(2).all()


def check_plainly(people: pd.DataFrame) -> None:
    """The demo's heart rates by hour, by plain pandas."""
    stays = pd.read_csv(DEMO / "ICUSTAYS.csv.gz", parse_dates=["INTIME", "OUTTIME"])
    first = stays.sort_values("INTIME").drop_duplicates("SUBJECT_ID")
    first = first[first["OUTTIME"] - first["INTIME"] >= pd.Timedelta(hours=48)]
    assert set(people.index) <= set(first["SUBJECT_ID"])
    wanted = ["ICUSTAY_ID", "ITEMID", "CHARTTIME", "VALUENUM", "ERROR"]
    charted = pd.read_csv(DEMO / "CHARTEVENTS.csv.gz", usecols=wanted, parse_dates=["CHARTTIME"])
    beats = charted[charted["ITEMID"].isin([211, 220045]) & (charted["ERROR"] != 1)]
    beats = beats.merge(first[["SUBJECT_ID", "ICUSTAY_ID", "INTIME"]], on="ICUSTAY_ID")
    minute = (beats["CHARTTIME"] - beats["INTIME"]).dt.total_seconds() // 60
    inside = beats.assign(minute=minute)[(minute >= 0) & (minute < 2880) & beats["VALUENUM"].between(1, 300)]
    once = inside.drop_duplicates(["SUBJECT_ID", "minute", "VALUENUM"])
    by_hour = once.groupby(["SUBJECT_ID", once["minute"] // 60])["VALUENUM"].mean()
    expected = by_hour.groupby("SUBJECT_ID").agg(["mean", "min", "max", "last", "count"])
    known = people.loc[people["heart_rate_count"] > 0]
    assert len(known) > 40
    for summary in expected.columns:
        pd.testing.assert_series_equal(
            known[f"heart_rate_{summary}"].set_axis(known.index.astype("int64")),
            expected.loc[known.index, summary].astype(float),
            check_names=False,
            atol=1e-5,
        )


def test_every_table_of_the_cohorts_is_in_the_schema() -> None:
    for name, source in SOURCES.items():
        columns = set(TABLES[name].column_names)
        assert {source.key, source.time, source.value, "ITEMID"} <= columns
        assert {column for column in (source.end, source.text, source.error) if column} <= columns
