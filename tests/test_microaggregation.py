"""MDAV against its known properties and the optimum of all groupings on tiny tables."""

import statistics
from collections import Counter

import numpy as np
import pytest

from anon_spark.anonymize.microaggregation import microaggregate
from anon_spark.errors import InputError, PolicyError
from tests.test_local import partitions


def spread(values: np.ndarray, groups: list[list[int]]) -> float:
    """SSE over columns standardized by plain Python."""
    columns = []
    for column in values.T.tolist():
        mean, deviation = statistics.fmean(column), statistics.pstdev(column)
        columns.append([(x - mean) / deviation if deviation else 0.0 for x in column])
    total = 0.0
    for group in groups:
        for column in columns:
            mean = statistics.fmean(column[i] for i in group)
            total += sum((column[i] - mean) ** 2 for i in group)
    return total


def groups_of(owner: np.ndarray) -> list[list[int]]:
    return [np.flatnonzero(owner == g).tolist() for g in range(int(owner.max()) + 1)]


@pytest.mark.parametrize("k", [1, 2, 3, 5, 7])
@pytest.mark.parametrize("rows", [7, 20, 101])
def test_groups_hold_k_to_2k_minus_1(k, rows):
    values = np.random.default_rng(k * rows).normal(size=(rows, 3))
    found = microaggregate(values, k=k)
    assert found.people.min() >= k
    assert found.people.max() <= 2 * k - 1
    assert found.people.sum() == rows
    assert found.within == pytest.approx(spread(values, groups_of(found.owner)))
    assert found.total == pytest.approx(spread(values, [list(range(rows))]))


def test_k_of_one_changes_nothing():
    values = np.random.default_rng(0).normal(size=(30, 2))
    found = microaggregate(values, k=1)
    assert found.within == pytest.approx(0, abs=1e-20)
    assert np.allclose(found.centre[found.owner], values)


def test_near_the_optimum_of_all_groupings():
    ratios = []
    for seed in range(20):
        values = np.random.default_rng(seed).normal(size=(8, 2))
        least = min(spread(values, g) for g in partitions(list(range(8))) if min(map(len, g)) >= 2)
        found = microaggregate(values, k=2).within
        assert found >= least - 1e-9
        ratios.append(found / least)
    assert statistics.fmean(ratios) < 1.4
    assert max(ratios) < 3


def test_planted_clusters_are_found():
    draw = np.random.default_rng(3)
    centres = draw.permutation(np.arange(10)) * 100.0
    values = np.repeat(centres, 4)[:, None] + draw.normal(size=(40, 1))
    found = microaggregate(values, k=4)
    assert sorted(tuple(np.unique(np.repeat(np.arange(10), 4)[g])) for g in groups_of(found.owner)) == [
        (i,) for i in range(10)
    ]


def test_less_spread_than_a_random_grouping():
    draw = np.random.default_rng(5)
    values = draw.normal(size=(500, 3))
    random_groups = np.array_split(draw.permutation(500), 100)
    assert microaggregate(values, k=5).within < 0.5 * spread(values, [g.tolist() for g in random_groups])


@pytest.mark.parametrize("block", [50, 5000])
def test_the_order_of_rows_and_the_unit_of_a_column_change_nothing(block):
    values = np.random.default_rng(6).normal(size=(300, 2))
    found = microaggregate(values, k=4, block=block)
    mixed = np.random.default_rng(7).permutation(300)
    again = microaggregate(values[mixed], k=4, block=block)
    assert again.centre[again.owner] == pytest.approx(found.centre[found.owner][mixed])
    scaled = microaggregate(values * np.array([1024.0, 0.25]), k=4, block=block)
    assert (scaled.owner == found.owner).all()
    assert found.people.min() >= 4


def test_blocks_of_people_who_cannot_be_halved_stay_whole():
    values = np.array([[0.0], [0.0], [1.0], [5.0]])
    found = microaggregate(values, k=4, people=np.array([1, 1, 1, 97]), block=1)
    assert found.people.min() >= 4


@pytest.mark.parametrize("seed", range(10))
def test_tuples_of_several_people_stay_together_and_groups_reach_k(seed):
    draw = np.random.default_rng(seed)
    values, people = draw.normal(size=(60, 2)), draw.integers(1, 12, 60)
    found = microaggregate(values, k=6, people=people)
    assert found.people.min() >= 6
    assert found.people.tolist() == [int(people[g].sum()) for g in groups_of(found.owner)]
    repeated = np.repeat(np.arange(60), people)
    assert found.within == pytest.approx(
        spread(
            values[repeated],
            [np.flatnonzero(found.owner[repeated] == g).tolist() for g in range(len(found.people))],
        )
    )


@pytest.mark.parametrize("centre", ["mean", "median", "mode"])
def test_centres_are_those_of_the_people(centre):
    draw = np.random.default_rng(9)
    values, people = draw.integers(0, 6, (40, 2)).astype(float), draw.integers(1, 4, 40)
    found = microaggregate(values, k=7, people=people, centre=centre)
    for g, members in enumerate(groups_of(found.owner)):
        for q in range(2):
            held = [values[i, q] for i in members for _ in range(people[i])]
            most = max(Counter(held).values())
            expected = {
                "mean": statistics.fmean(held),
                "median": statistics.median_low(held),
                "mode": min(v for v, n in Counter(held).items() if n == most),
            }[centre]
            assert found.centre[g, q] == pytest.approx(expected)


def test_constant_columns_weigh_nothing():
    values = np.random.default_rng(1).normal(size=(50, 1))
    alone = microaggregate(values, k=3)
    beside = microaggregate(np.hstack([values, np.full((50, 1), 0.1)]), k=3)
    assert (alone.owner == beside.owner).all()
    assert microaggregate(np.full((9, 2), 0.1), k=3).loss == 0


def test_refusals_name_counts():
    with pytest.raises(PolicyError, match="the 3 people, got 4"):
        microaggregate(np.zeros((3, 1)), k=4)
    with pytest.raises(PolicyError, match="got 0"):
        microaggregate(np.zeros((3, 1)), k=0)
    with pytest.raises(InputError, match="2 values are missing"):
        microaggregate(np.array([[1.0, np.nan], [np.inf, 1.0]]), k=1)
