"""k^m-anonymity of code sets, checked by plain Python and against all cuts of small hierarchies."""

import itertools
import random
from collections import Counter

import numpy as np
import pytest

from anon_spark.anonymize.code_sets import generalize_code_sets
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.errors import PolicyError

SMALL = Hierarchy(
    "icd",
    (
        ("a1", "a", "*"),
        ("a2", "a", "*"),
        ("b1", "b", "*"),
        ("b2", "b", "*"),
        ("b3", "b", "*"),
        ("c1", "c", "*"),
    ),
)
DEEP = Hierarchy(
    "deep", tuple((f"{a}{b}{c}", f"{a}{b}", a, "*") for a in "xyz" for b in "123" for c in "pqr")
)


def random_sets(seed: int, tree: Hierarchy, people: int, most: int) -> list[set[str | None]]:
    draw = random.Random(seed)
    leaves = list(tree.leaves)
    weights = [1 / (1 + i) for i in range(len(leaves))]
    draw.shuffle(weights)
    return [set(draw.choices(leaves, weights, k=draw.randint(0, most))) for _ in range(people)]


def arrays(sets, tree: Hierarchy):
    number = leaf_codes(tree)
    pairs = [(i, number[code]) for i, codes in enumerate(sets) for code in sorted(codes, key=str)]
    return np.array([p for p, _ in pairs], dtype=np.int64), np.array([c for _, c in pairs], dtype=np.int64)


def released(sets, labels) -> list[set[str | None]]:
    return [{labels[code] for code in codes if code in labels} for codes in sets]


def weakest(sets, m: int) -> int:
    """People of the rarest combination of at most m released codes that occurs."""
    held = Counter(
        combination
        for codes in sets
        for size in range(1, m + 1)
        for combination in itertools.combinations(sorted(codes, key=str), size)
    )
    return min(held.values(), default=10**9)


def loss(sets, labels, tree: Hierarchy) -> float:
    size, total = tree.domain_size, 0.0
    under = Counter(label for row in tree.levels for label in set(row))
    under.setdefault(None, 1)
    pairs = [code for codes in sets for code in codes]
    for code in pairs:
        total += (under[labels[code]] / size - 1 / size) / (1 - 1 / size) if code in labels else 1.0
    return total / len(pairs) if pairs else 0.0


def all_cuts(tree: Hierarchy):
    """Every choice, by branch below the top, of codes, the branch's label or nothing."""
    branches: dict[str, list[str]] = {}
    for leaf, branch, _ in tree.levels:
        branches.setdefault(branch, []).append(leaf)
    for choice in itertools.product(range(3), repeat=len(branches)):
        labels = {}
        for level, (branch, leaves) in zip(choice, branches.items(), strict=True):
            if level < 2:
                labels |= {leaf: (leaf, branch)[level] for leaf in leaves}
        yield labels


@pytest.mark.parametrize("m", [1, 2, 3])
@pytest.mark.parametrize("tree", [SMALL, DEEP], ids=["small", "deep"])
@pytest.mark.parametrize("seed", range(8))
def test_every_combination_that_occurs_is_held_by_k(seed, tree, m):
    k = random.Random(seed).choice([2, 3, 5])
    sets = random_sets(seed, tree, 60, 5)
    found = generalize_code_sets(*arrays(sets, tree), tree, k=k, m=m)
    labels = found.labels(tree)
    assert weakest(released(sets, labels), m) >= k
    assert found.loss == pytest.approx(loss(sets, labels, tree))
    assert found.pairs == sum(map(len, sets))
    assert found.suppressed == sum(code not in labels for codes in sets for code in codes)
    for leaf, label in labels.items():
        assert label in {tree.label(leaf, level) for level in range(tree.height)}


def test_the_check_itself_sees_a_rare_pair():
    sets = [{"a1", "b1"}, {"a1"}, {"b1"}, {"a1", "b2"}, {"b2"}]
    assert weakest(sets, 1) == 2
    assert weakest(sets, 2) == 1


def test_near_the_best_of_all_cuts():
    extra = []
    for seed in range(40):
        draw = random.Random(500 + seed)
        sets = random_sets(seed, SMALL, draw.choice([8, 20, 50]), 4)
        k, m = draw.choice([2, 3, 4]), draw.choice([1, 2, 3])
        cuts = [cut for cut in all_cuts(SMALL) if weakest(released(sets, cut), m) >= k]
        least = min(loss(sets, cut, SMALL) for cut in cuts)
        found = generalize_code_sets(*arrays(sets, SMALL), SMALL, k=k, m=m).loss
        assert found >= least - 1e-12
        extra.append(found - least)
    assert float(np.mean(extra)) < 0.03
    assert float(np.median(extra)) == pytest.approx(0, abs=1e-12)


def test_common_codes_stay_exact_and_repeated_rows_count_once():
    sets = [{"a1", "b1"}] * 3
    person, code = arrays(sets, SMALL)
    found = generalize_code_sets(np.tile(person, 2), np.tile(code, 2), SMALL, k=3, m=2)
    assert found.loss == 0
    assert found.pairs == 6
    assert found.labels(SMALL)["a1"] == "a1"
    assert generalize_code_sets(person, code, SMALL, k=4, m=1).suppressed == 6


def test_a_rare_branch_is_left_out_and_the_others_keep_their_codes():
    sets = [{"a1"}] * 5 + [{"b1"}] * 5 + [{"c1"}]
    found = generalize_code_sets(*arrays(sets, SMALL), SMALL, k=5, m=1)
    assert found.suppressed == 1
    assert found.labels(SMALL)["a1"] == "a1"
    assert "c1" not in found.labels(SMALL)


def test_null_is_a_code_like_any_other():
    sets = [{None}] * 2 + [{"a1"}] * 3
    found = generalize_code_sets(*arrays(sets, SMALL), SMALL, k=3, m=1)
    assert None not in found.labels(SMALL)
    assert found.suppressed == 2


def test_the_order_of_rows_changes_nothing():
    person, code = arrays(random_sets(3, DEEP, 80, 6), DEEP)
    mixed = np.random.default_rng(0).permutation(len(person))
    one = generalize_code_sets(person, code, DEEP, k=4, m=2)
    other = generalize_code_sets(person[mixed], code[mixed], DEEP, k=4, m=2)
    assert (one.level == other.level).all()


def test_nobody_and_wrong_settings():
    none = np.zeros(0, dtype=np.int64)
    assert generalize_code_sets(none, none, SMALL, k=3, m=2).loss == 0
    with pytest.raises(PolicyError, match="k = 0, m = 2"):
        generalize_code_sets(none, none, SMALL, k=0, m=2)


def test_thousands_of_people_in_seconds():
    draw = np.random.default_rng(2)
    tree = Hierarchy("w", tuple((f"{a}.{b}", str(a), "*") for a in range(20) for b in range(10)))
    person = np.repeat(np.arange(3000), 8)
    code = (200 * draw.random(24_000) ** 3).astype(np.int64)
    found = generalize_code_sets(person, code, tree, k=5, m=2)
    number, sets = list(leaf_codes(tree)), [set() for _ in range(3000)]
    for p, c in zip(person.tolist(), code.tolist(), strict=True):
        sets[p].add(number[c])
    assert weakest(released(sets, found.labels(tree)), 2) >= 5
    assert found.loss < 0.2
