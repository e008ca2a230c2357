"""Population uniqueness and re-identification risk: definitions, known parameters, the rule and its edges."""

import math
import random

import numpy as np
import pytest

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Classes
from anon_spark.risk import population, reidentification
from anon_spark.risk.population import SampleSizes, pitman, population_uniqueness, snb, zayatz
from tests import oracles


def sample(sizes: list[int], fraction: float) -> SampleSizes:
    return SampleSizes(np.array(sizes, dtype=np.int64), fraction)


def random_sizes(seed: int) -> list[int]:
    draw = random.Random(seed)
    return [*draw.choices([0, 1, 1, 1, 2, 2, 3, 5, 9], k=draw.choice([3, 10, 40])), 1, 1, 2]


def pitman_partition(seed: int, people: int, theta: float, alpha: float) -> list[int]:
    """Class of each person, one after the other: a new class with chance (theta + alpha u) / (theta + i)."""
    draw, sizes, of = random.Random(seed), [], []
    for i in range(people):
        if draw.random() * (theta + i) < theta + alpha * len(sizes):
            of.append(len(sizes))
            sizes.append(1)
            continue
        while (
            True
        ):  # an earlier person's class, with chance (size - alpha) / size: in proportion to size - alpha
            found = of[draw.randrange(i)]
            if draw.random() * sizes[found] > alpha:
                break
        of.append(found)
        sizes[found] += 1
    return of


def sampled(of: list[int], fraction: float, seed: int) -> list[int]:
    draw = random.Random(seed)
    return np.bincount([c for c in of if draw.random() < fraction]).tolist()


@pytest.mark.parametrize("seed", range(30))
def test_zayatz_is_the_definition(seed):
    sizes, times = random_sizes(seed), random.Random(seed).choice([2, 4, 25])
    wanted = oracles.zayatz(sizes, sum(sizes) * times)
    assert zayatz(sample(sizes, 1 / times)) == pytest.approx(wanted, rel=1e-9)


def test_zayatz_by_hand():
    """One class of one, one of two, half the people: of 6, classes of 1 and 2 give one with 1/2 and 3/5.

    P = 1/2 / (1/2 + 3/5) = 5/11, and 1 * 5/11 * 2 = 10/11.
    """
    assert zayatz(sample([1, 2], 0.5)) == pytest.approx(10 / 11)


@pytest.mark.parametrize("seed", range(10))
def test_pitman_has_the_greatest_likelihood(seed):
    sizes = np.bincount(pitman_partition(seed, 300, 20, 0.4)).tolist()
    found = population._pitman_parameters(sample(sizes, 0.05))
    assert found is not None
    theta, alpha = found
    best = oracles.pitman_likelihood(sizes, theta, alpha)
    for by_theta in (-0.5, -0.05, 0, 0.05, 0.5):
        for by_alpha in (-0.05, -0.005, 0, 0.005, 0.05):
            if (by_theta or by_alpha) and 0 < alpha + by_alpha < 1:
                assert oracles.pitman_likelihood(sizes, theta + by_theta, alpha + by_alpha) < best
    uniques = math.gamma(theta + 1) / math.gamma(theta + alpha) * (sum(sizes) * 20) ** alpha
    assert pitman(sample(sizes, 0.05)) == pytest.approx(uniques, rel=1e-9)


@pytest.mark.parametrize(("theta", "alpha"), [(50, 0.3), (10, 0.6), (500, 0.5)])
def test_pitman_recovers_the_uniques_it_was_drawn_with(theta, alpha):
    ratios = []
    for seed in range(8):
        of = pitman_partition(seed, 10_000, theta, alpha)
        found = population_uniqueness(np.array(sampled(of, 0.1, seed)), 0.1)
        assert found.model == "pitman"
        ratios.append(found.people / int((np.bincount(of) == 1).sum()))
    assert np.mean(ratios) == pytest.approx(1, abs=0.12)


@pytest.mark.parametrize("seed", range(20))
def test_snb_solves_its_equations(seed):
    draw = random.Random(seed)
    fraction, sizes = draw.choice([0.2, 0.5, 0.8]), random_sizes(seed) + [1] * 20 + [2] * 8
    case, classes = sample(sizes, fraction), oracles.shlosser(sizes, fraction)
    assert population._population_classes(case) == pytest.approx(classes)
    solutions = population._snb_parameters(case, classes)
    for alpha, beta in solutions:
        for size in (1, 2):
            expected = oracles.snb_expected(size, classes, fraction, alpha, beta)
            assert expected == pytest.approx(case.of_size(size), rel=1e-6)
    uniques = [u for alpha, beta in solutions if (u := classes * beta**alpha) <= case.population]
    assert snb(case) == (pytest.approx(max(uniques)) if uniques else None)


def test_snb_has_solutions_to_check():
    solved = [snb(sample(random_sizes(seed) + [1] * 20 + [2] * 8, 0.5)) is not None for seed in range(20)]
    assert sum(solved) >= 10


def test_snb_recovers_the_uniques_it_was_drawn_with():
    rng = np.random.default_rng(3)
    classes = 1 + rng.negative_binomial(0.5, 0.2, 20_000)
    uniques = int((classes == 1).sum())
    assert snb(SampleSizes(rng.binomial(classes, 0.5), 0.5)) == pytest.approx(uniques, rel=0.05)


@pytest.mark.parametrize(
    ("fraction", "by", "expected"),
    [
        (0.1, {"pitman": 7.0}, (7.0, "pitman")),
        (0.1, {"pitman": None, "zayatz": 5.0}, (5.0, "zayatz")),
        (0.11, {"zayatz": 5.0, "snb": 4.0}, (4.0, "snb")),
        (0.11, {"zayatz": 5.0, "snb": 6.0}, (5.0, "zayatz")),
        (0.11, {"zayatz": 5.0, "snb": None}, (5.0, "zayatz")),
    ],
)
def test_the_rule_of_dankar_et_al(monkeypatch, fraction, by, expected):
    for name, people in by.items():
        monkeypatch.setattr(population, name, lambda _, people=people: people)
    found = population_uniqueness(np.array([1, 1, 2, 3]), fraction)
    assert (found.people, found.model) == expected
    assert found.share == pytest.approx(found.people * fraction / 7)


@pytest.mark.parametrize("fraction", [0.01, 0.1, 0.5, 1])
def test_the_edges(fraction):
    for model in (pitman, zayatz, snb):
        assert model(sample([1] * 4, fraction)) == pytest.approx(4 / fraction)  # all unique
        assert model(sample([2, 3], fraction)) == 0  # none unique
        assert model(sample([], fraction)) == 0
        assert model(sample([1, 1, 2, 5, 0], 1)) == 2  # the sample is the population
    assert population_uniqueness(np.array([1, 1]), fraction).share == 1
    assert population_uniqueness(np.zeros(3, dtype=np.int64), fraction).share == 0


def test_no_estimate_leaves_the_population():
    for seed in range(60):
        for fraction in (0.001, 0.05, 0.1, 0.3, 0.99):
            found = population_uniqueness(np.array(random_sizes(seed)), fraction)
            assert 0 <= found.share <= 1


def test_where_the_model_has_no_solution_zayatz_stands_in():
    """A thousand uniques and one pair: the likelihood has no maximum inside its domain."""
    sizes = [1] * 1000 + [2]
    assert pitman(sample(sizes, 0.05)) is None
    assert population_uniqueness(np.array(sizes), 0.05).model == "zayatz"
    assert snb(sample([1, 1, 3], 0.5)) is None  # no class of two
    assert population_uniqueness(np.array([1, 1, 3]), 0.5).model == "zayatz"


@pytest.mark.parametrize("fraction", [0, -0.1, 1.1, math.nan])
def test_a_fraction_is_a_fraction(fraction):
    with pytest.raises(PolicyError, match="sampling fraction"):
        population_uniqueness(np.array([1, 2]), fraction)


def test_risk_by_hand():
    """Classes of 1, 4 and 5 of ten people, in the population 2, 8 and 5; a class nobody is left in.

    A journalist is right with 1/2, 1/8 and 1/5 each: (1/2 + 4/8 + 5/5) / 10, and above 1/5 for one person.
    """
    sizes, reference = np.array([1, 4, 0, 5]), np.array([2, 8, 1, 5])
    released, known = Classes(sizes, 12), Classes(sizes, 12, population=reference)
    found = reidentification.prosecutor_risk(released, 0.2)
    assert (found.highest, found.average, found.at_risk) == pytest.approx((1, 3 / 10, 5 / 10))
    found = reidentification.journalist_risk(known, 0.2)
    assert (found.highest, found.average, found.at_risk) == pytest.approx((0.5, 2 / 10, 1 / 10))
    assert reidentification.marketer_risk(released) == pytest.approx(3 / 10)
    assert reidentification.marketer_risk(known) == pytest.approx(2 / 10)
    lacking = Classes(sizes, 12, population=np.array([0, 2, 1, 5]))
    assert reidentification.marketer_risk(lacking) == pytest.approx(3 / 10)  # the release has more people
    nobody = Classes(np.zeros(2, dtype=np.int64), 3)
    assert reidentification.prosecutor_risk(nobody, 0.2) == reidentification.Risk(0, 0, 0)
    with pytest.raises(PolicyError, match="needs a population table"):
        reidentification.journalist_risk(released, 0.2)
