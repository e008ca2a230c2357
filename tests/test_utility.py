"""What a release keeps beside models: distances, associations, counts, measurements, survival, by plain Python."""

import itertools

import numpy as np
import pandas as pd
import pyarrow as pa
import pytest
from pyspark.sql import DataFrame, SparkSession
from scipy.stats import wasserstein_distance
from scipy.stats.contingency import association

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.mimic3.cohort import hospital_days
from anon_spark.release.evidence import released_policy, source_reader
from anon_spark.release.publish import open_release
from anon_spark.utility.counts import Counts, count_tuples, spread_labels
from anon_spark.utility.fidelity import cramers_v, fidelity, query_errors
from anon_spark.utility.measurements import measurement_differences
from anon_spark.utility.survival import kaplan_meier, survival_difference, survival_of
from tests.brute_force import COLOUR, PLACE
from tests.conftest import Published
from tests.test_learn import EPOCH, hours, reader

AGE = Hierarchy("age", tuple((str(n) if n < 9 else "9+", "0-4" if n < 5 else "5+", "*") for n in range(10)))
TREES = {"COLOUR": COLOUR, "PLACE": PLACE, "AGE": AGE}


def counts_of(rows: list[tuple[str | None, ...]], levels: tuple[int, int, int] = (0, 0, 0)) -> Counts:
    """Rows of leaves as a release at these levels states them."""
    labels = [
        tuple(tree.label(leaf, level) for leaf, tree, level in zip(row, TREES.values(), levels, strict=True))
        for row in rows
    ]
    codes, spread = {}, {}
    for place, (name, tree) in enumerate(TREES.items()):
        known = list(dict.fromkeys(label[place] for label in labels))
        codes[name] = np.array([known.index(label[place]) for label in labels])
        spread[name] = spread_labels(tree, [levels[place]], known)
    return Counts(np.ones(len(rows)), codes, spread)


def some_rows(number: int = 300, seed: int = 2) -> list[tuple[str | None, ...]]:
    """Colours that go with ages; a place now and then null."""
    rng = np.random.default_rng(seed)
    ages = rng.integers(0, 10, number)
    colours = [COLOUR.leaves[int(age > 4) * 2 + rng.integers(0, 2)] for age in ages]
    places = [(None, "a", "b")[n] for n in rng.integers(0, 3, number)]
    return [(c, p, AGE.leaves[a]) for c, p, a in zip(colours, places, ages, strict=True)]


def test_a_label_stands_for_its_leaves_alike() -> None:
    rows = some_rows()
    levels = (1, 1, 1)
    released = counts_of(rows, levels)
    red, low = COLOUR.leaves.index("red"), range(3)
    expected = 0.0
    for colour, place, age in rows:
        under = [leaf for leaf in COLOUR.leaves if COLOUR.label(leaf, 1) == COLOUR.label(colour, 1)]
        ages = [leaf for leaf in AGE.leaves if AGE.label(leaf, 1) == AGE.label(age, 1)]
        share = (COLOUR.leaves[red] in under) / len(under)
        share *= sum(leaf in ages for leaf in AGE.leaves[:3]) / len(ages)
        expected += share * (place is not None) / 2
    asked = {
        "COLOUR": np.arange(5) == red,
        "AGE": np.isin(np.arange(11), list(low)),
        "PLACE": np.array([True, False, False]),  # a; null's leaf is the last
    }
    assert released.expected(asked) == pytest.approx(expected)
    joint = released.joint("COLOUR", "AGE")
    assert joint.sum() == pytest.approx(300)
    np.testing.assert_allclose(joint.sum(axis=1) / 300, released.marginal("COLOUR"))
    exact = counts_of(rows)
    shares = [sum(row[0] == leaf for row in rows) / 300 for leaf in COLOUR.leaves]
    np.testing.assert_allclose(exact.marginal("COLOUR")[:4], shares)


def test_distances_are_of_what_was_changed() -> None:
    rows = some_rows()
    raw = counts_of(rows)
    same = fidelity(raw, counts_of(rows), TREES, queries=50)
    assert all(d["jensen_shannon"] < 1e-6 for d in same["columns"].values())
    assert same["queries"] == {"queries": 50, "median": 0, "of_95_percent": 0}
    assert all(pair["raw"] == pair["release"] for pair in same["associations"])
    older = [(c, p, AGE.leaves[min(9, AGE.leaves.index(a) + 1)]) for c, p, a in rows if a != "9+"]
    younger = [row for row in rows if row[2] != "9+"]
    moved = fidelity(counts_of(younger), counts_of(older), TREES, queries=50)["columns"]
    assert moved["AGE"]["wasserstein"] == pytest.approx(1.0), "a year each"
    assert moved["COLOUR"]["wasserstein"] is None
    reds = [("red", p, a) for _, p, a in rows]
    blues = [("blue", p, a) for _, p, a in rows]
    assert fidelity(counts_of(reds), counts_of(blues), TREES)["columns"]["COLOUR"]["jensen_shannon"] == 1.0
    top = fidelity(raw, counts_of(rows, (2, 2, 2)), TREES)
    linked = next(pair for pair in top["associations"] if pair["columns"] == ["COLOUR", "AGE"])
    assert linked["raw"] > 0.5
    assert linked["release"] == pytest.approx(0, abs=1e-9), "nothing is left of it at the top"
    coarse = [fidelity(raw, counts_of(rows, levels), TREES)["queries"] for levels in ((0, 1, 1), (2, 2, 2))]
    assert 0 < coarse[0]["median"] < coarse[1]["median"]


def test_cramers_v_and_half_a_release() -> None:
    rng = np.random.default_rng(3)
    table = rng.integers(0, 30, (4, 6)) + np.eye(4, 6, dtype=int) * 20
    table[2] = 0
    full = np.delete(table, 2, axis=0)
    assert cramers_v(table.astype(float)) == pytest.approx(association(full, method="cramer"))
    assert cramers_v(np.array([[3.0, 4.0]])) is None
    rows = some_rows(4000)
    errors = query_errors(counts_of(rows), counts_of(rows[::2]), TREES, queries=200, seed=1)
    assert errors["median"] == pytest.approx(0.5, abs=0.05), "half of the people are gone"


def test_measurements_equal_pandas(spark: SparkSession) -> None:
    rng = np.random.default_rng(4)
    x = rng.normal(80, 10, 500)
    raw = pd.DataFrame({"x": x, "y": 2e6 + x * 3 + rng.normal(0, 20, 500), "z": rng.random(500)})
    raw.loc[rng.random(500) < 0.2, "y"] = np.nan
    raw["never"] = np.nan
    release = raw[50:].assign(x=lambda table: table["x"] + 5, z=0.5)

    def frame(table: pd.DataFrame) -> DataFrame:
        arrays = {name: pa.array(table[name], pa.float64(), from_pandas=True) for name in table}
        return spark.createDataFrame(pa.table(arrays)).repartition(3)

    names = list(raw)
    found = measurement_differences(frame(raw), frame(release), names)
    for pair, (one, other) in zip(found["correlations"], itertools.combinations(names, 2), strict=True):
        assert pair["columns"] == [one, other]
        for side, table in (("raw", raw), ("release", release)):
            expected = (
                table[one].corr(table[other]) if table[[one, other]].dropna().std().gt(0).all() else None
            )
            assert pair[side] == (expected if expected is None else pytest.approx(expected, abs=1e-6))
    true = wasserstein_distance(raw["x"], release["x"]) / raw["x"].std()
    assert found["columns"]["x"]["wasserstein"] == pytest.approx(true, rel=0.03)
    assert found["columns"]["never"]["wasserstein"] is None


def test_survival_by_hand(spark: SparkSession) -> None:
    # 10 at risk; day 1: 2 die, 1 leaves; day 3: 1 of the 7 dies; day 5: 3 leave; day 40: the last 3 die
    curve = kaplan_meier({1: 2, 3: 1, 40: 3}, {1: 1, 5: 3}, small_cell=11)
    assert curve.alive[[0, 1, 2, 3, 30]].tolist() == pytest.approx([1, 0.8, 0.8, 0.8 * 6 / 7, 0.8 * 6 / 7])
    assert (curve.shown == 1).all(), "three deaths are too few to tell"
    assert curve.mean == pytest.approx(1 + 0.8 * 2 + 0.8 * 6 / 7 * 27)
    days = [(1.5, 1), (1.0, 1), (1.9, 0), (3.2, 1), *[(5.0, 0)] * 3, *[(40.0, 1)] * 3, (None, 1)]
    found = survival_of(spark.createDataFrame(days, "days double, label int"), small_cell=11)
    np.testing.assert_allclose(found.alive, curve.alive)
    worse = survival_difference(curve, kaplan_meier({1: 4, 3: 1, 40: 3}, {1: 1, 5: 1}, small_cell=11))
    assert worse["largest_gap"] == pytest.approx(0.8 * 6 / 7 - 0.6 * 4 / 5, abs=0.001)
    assert worse["mean_days"]["release"] < worse["mean_days"]["raw"]


def test_a_survival_curve_moves_by_eleven_people_or_more() -> None:
    # 200 at risk; 6 die on each of days 1 to 4, then all but 8 leave and 5 of the 8 die on day 6
    curve = kaplan_meier({1: 6, 2: 6, 3: 6, 4: 6, 6: 5}, {4: 168, 9: 3}, small_cell=11)
    assert curve.shown[:7].tolist() == pytest.approx(
        [1, 1, 188 / 200, 188 / 200, 176 / 200, 176 / 200, 176 / 200]
    )
    told = survival_difference(curve, curve)["raw"]
    assert set(told) == {"alive"}
    assert told["alive"][:5] == [1, 1, 0.94, 0.94, 0.88]


def test_hospital_days_of_clocks_and_elapsed_minutes(spark: SparkSession) -> None:
    from tests.test_learn import make_tables

    tables = make_tables(3)
    admitted = tables["ADMISSIONS"]["ADMITTIME"]
    tables["ADMISSIONS"]["DISCHTIME"] = admitted + hours(36)
    clocks = hospital_days(reader(spark, tables))
    assert clocks is not None
    assert [row["days"] for row in clocks.collect()] == [1.5] * 3
    tables["ADMISSIONS"]["ADMITTIME"], tables["ADMISSIONS"]["DISCHTIME"] = -60, 24 * 60 - 60
    elapsed = hospital_days(reader(spark, tables))
    assert elapsed is not None
    assert [row["days"] for row in elapsed.collect()] == [1.0] * 3
    tables["ADMISSIONS"]["ADMITTIME"] = EPOCH
    assert hospital_days(reader(spark, tables)) is None, "a clock and an elapsed time"
    assert (
        hospital_days(reader(spark, tables | {"ADMISSIONS": tables["ADMISSIONS"].drop(columns="DISCHTIME")}))
        is None
    )


def test_a_release_against_its_source(spark: SparkSession, toy_release: Published) -> None:
    release = open_release(spark, toy_release.target)
    policy, files = released_policy(release.ledger)
    trees = {name: files[q.hierarchy] for name, q in policy.quasi_identifiers.items()}
    source = source_reader(spark, str(toy_release.source), policy)
    raw = count_tuples(source, policy, trees)
    released = count_tuples(release.table, policy, trees, release.ledger["levels"])
    visits = release.ledger["tables"]["VISITS"]
    assert released.total == visits["out"]
    assert raw.total > released.total
    found = fidelity(raw, released, trees, queries=100)
    assert set(found["columns"]) == set(trees)
    assert all(0 <= distance["jensen_shannon"] <= 1 for distance in found["columns"].values())
    assert max(distance["jensen_shannon"] for distance in found["columns"].values()) > 0.01
    assert found["queries"]["median"] > 0
