"""The search against brute force, and its parts against definitions in plain Python."""

import itertools
import random
from collections import Counter, defaultdict

import pytest

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Coarsening, Infeasible, search, suppress_failing
from anon_spark.anonymize.patterns import PatternTable, build_patterns, strides
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.policy.model import Policy
from tests import toy
from tests.mutants.engines import MUTANTS

COLOUR = Hierarchy(
    "colour", (("red", "warm", "*"), ("pink", "warm", "*"), ("blue", "cold", "*"), ("teal", "cold", "*"))
)
SIZE = Hierarchy("size", (("s", "*"), ("m", "*")))
PLACE = Hierarchy("place", ((None, "none", "*"), ("a", "some", "*"), ("b", "some", "*")))
TREES = {"COLOUR": COLOUR, "SIZE": SIZE, "PLACE": PLACE}

Person = tuple[tuple[tuple[str | None, ...], ...], str]  # tuples of (colour, size, place), sensitive value


def policy_of(k: int, distinct_l: int, limit: float) -> Policy:
    import yaml

    document = yaml.safe_load(toy.POLICY)
    document |= {"privacy": {"k": k, "l": distinct_l}, "suppression_limit": limit}
    document["quasi_identifiers"] = {
        "COLOUR": {"unit": "person", "column": "PEOPLE.SEX", "hierarchy": "colour"},
        "SIZE": {"unit": "person", "column": "PEOPLE.SEX", "hierarchy": "size"},
        "PLACE": {"unit": "admission", "column": "VISITS.KIND", "hierarchy": "place"},
    }
    return Policy.model_validate(document)


def random_people(seed: int, count: int) -> list[Person]:
    draw = random.Random(seed)
    people = []
    for _ in range(count):
        colour, size = draw.choices(COLOUR.leaves, [6, 2, 3, 1])[0], draw.choice(SIZE.leaves)
        visits = tuple(
            (colour, size, draw.choice([None, "a", "b"])) for _ in range(draw.choice([1, 1, 1, 2, 3]))
        )
        people.append((visits, draw.choices(["x", "y", "z"], [5, 3, 1])[0]))
    return people


def table_of(people: list[Person]) -> PatternTable:
    weight = strides(list(TREES.values()))
    codes = [leaf_codes(h) for h in TREES.values()]
    packed = Counter(
        (
            tuple(sorted(sum(c[v] * w for c, v, w in zip(codes, t, weight, strict=True)) for t in visits)),
            value,
        )
        for visits, value in people
    )
    rows = sorted(packed.items())
    return build_patterns([k for (k, _), _ in rows], [s for (_, s), _ in rows], [n for _, n in rows], TREES)


def brute_suppressed(people: list[Person], node: tuple[int, ...], k: int, distinct_l: int) -> set[int]:
    """People taken out at a node, by the definition: rounds over sets of people."""
    out: set[int] = set()
    released = [
        {tuple(h.label(v, x) for h, v, x in zip(TREES.values(), t, node, strict=True)) for t in visits}
        for visits, _ in people
    ]
    while True:
        members: dict[tuple[str | None, ...], set[int]] = defaultdict(set)
        for i, tuples in enumerate(released):
            if i not in out:
                for t in tuples:
                    members[t].add(i)
        failing = [
            who for who in members.values() if len(who) < k or len({people[i][1] for i in who}) < distinct_l
        ]
        if not failing:
            return out
        out |= set().union(*failing)


def brute_loss(people: list[Person], node: tuple[int, ...], out: set[int]) -> float:
    """loss_am by its definition: a person's attribute over people, an admission's over admissions."""
    losses = []
    for q, (name, tree) in enumerate(TREES.items()):
        share = tree.share(node[q])
        units = [
            (i, t[q])
            for i, (visits, _) in enumerate(people)
            for t in (visits if name == "PLACE" else visits[:1])
        ]
        total = sum(1.0 if i in out else share[tree.label(v, node[q])] for i, v in units)
        finest = len(units) / tree.domain_size
        losses.append(max((total - finest) / (len(units) - finest), 1e-10))
    return sum(losses) / len(losses)


def brute_best(people: list[Person], k: int, distinct_l: int, limit: float):
    best = None
    for node in itertools.product(*(range(h.height + 1) for h in TREES.values())):
        out = brute_suppressed(people, node, k, distinct_l)
        if len(out) > int(limit * len(people) + 1e-9) or len(out) == len(people):
            continue
        found = (round(brute_loss(people, node, out), 12), sum(node), node, len(out))
        best = found if best is None else min(best, found)
    return best


@pytest.mark.parametrize("seed", range(40))
def test_search_finds_what_brute_force_finds(seed):
    draw = random.Random(1000 + seed)
    people = random_people(seed, draw.choice([1, 5, 12, 40, 90]))
    k, distinct_l, limit = draw.choice([2, 3, 5]), draw.choice([1, 2, 3]), draw.choice([0.0, 0.05, 0.2, 1.0])
    found = search(table_of(people), policy_of(k, distinct_l, limit), TREES)
    expected = brute_best(people, k, distinct_l, limit)
    if expected is None:
        assert isinstance(found, Infeasible)
        return
    assert not isinstance(found, Infeasible)
    assert found.loss == pytest.approx(expected[0], abs=1e-11)
    assert tuple(found.levels.values()) == expected[2]
    assert found.suppressed.people == expected[3]


@pytest.mark.parametrize("seed", range(10))
def test_suppression_at_every_node_is_the_definition(seed):
    people = random_people(seed, 30)
    table, coarsening = table_of(people), Coarsening(TREES)
    for node in itertools.product(*(range(h.height + 1) for h in TREES.values())):
        found = suppress_failing(table, coarsening.classes(table, node), k=3, distinct_l=2)
        assert found.people == len(brute_suppressed(people, node, 3, 2)), node


def test_a_person_counts_once_in_a_class_however_many_admissions():
    visits = (("red", "s", "a"),) * 4
    table = table_of([(visits, "x"), ((("red", "s", "a"),), "y")])
    classes = Coarsening(TREES).classes(table, (0, 0, 0))
    assert suppress_failing(table, classes, k=2, distinct_l=2).people == 0
    assert suppress_failing(table, classes, k=3, distinct_l=1).people == 2


def test_suppressing_one_class_breaks_the_next_round():
    two = (("red", "s", "a"), ("red", "s", "b"))
    one = (("red", "s", "a"),)
    table = table_of([(two, "x"), (one, "y"), (one, "x")])
    classes = Coarsening(TREES).classes(table, (0, 0, 0))
    # 'b' has one person; without them 'a' has two
    assert suppress_failing(table, classes, k=2, distinct_l=1).people == 1
    assert suppress_failing(table, classes, k=3, distinct_l=1).people == 3


def test_null_is_a_value_like_any_other():
    table = table_of(
        [((("red", "s", None),), "x"), ((("red", "s", None),), "y"), ((("red", "s", "a"),), "x")]
    )
    classes = Coarsening(TREES).classes(table, (0, 0, 0))
    assert suppress_failing(table, classes, k=2, distinct_l=2).people == 1


def test_patterns_of_disjoint_people_add_up():
    people = random_people(3, 80)
    whole, left, right = table_of(people), table_of(people[:37]), table_of(people[37:])
    merged: Counter[tuple[tuple[int, ...], str]] = Counter()
    for part, group in ((left, people[:37]), (right, people[37:])):
        assert part.total_people == len(group)
    weight, codes = strides(list(TREES.values())), [leaf_codes(h) for h in TREES.values()]
    for visits, value in people:
        packed = sorted(sum(c[v] * w for c, v, w in zip(codes, t, weight, strict=True)) for t in visits)
        merged[tuple(packed), value] += 1
    assert sum(merged.values()) == whole.total_people == left.total_people + right.total_people
    assert len(merged) == len(whole.people)


@pytest.mark.parametrize("name", sorted(MUTANTS))
def test_brute_force_catches_a_wrong_suppression(name):
    """Each seeded wrong engine must differ from the definition somewhere, or this test could not fail."""
    different = 0
    for seed in range(10):
        people = random_people(seed, 40)
        table, coarsening = table_of(people), Coarsening(TREES)
        for node in itertools.product(*(range(h.height + 1) for h in TREES.values())):
            found = MUTANTS[name](table, coarsening.classes(table, node), k=3, distinct_l=2)
            different += found.people != len(brute_suppressed(people, node, 3, 2))
    assert different > 0
