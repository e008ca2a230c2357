"""Small tables in one Spark job: what the engine's own aggregation counts, every criterion and every loss.

All tables are rows of one DataFrame with a column ``case``, which the job counts as one more value of a person. Each
is then compared, at a node drawn for it, with the definitions in ``oracles`` and ``brute_force``: before anybody is
suppressed, and after. A test's name is its case, and a random case's number is its seed.
"""

import math
import random
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from itertools import product
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pytest
from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.collect import count_patterns, person_patterns
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import beside_population, histogram, population_histogram, with_tuples
from anon_spark.anonymize.histories import known_to
from anon_spark.anonymize.lattice import whole_input
from anon_spark.anonymize.patterns import (
    PACKED,
    PATTERN,
    POPULATION,
    PatternTable,
    build_patterns,
    from_tuples,
)
from anon_spark.anonymize.suppression import Evaluator, evaluator
from anon_spark.privacy import divergence
from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.beta_likeness import BetaLikeness
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.delta_presence import DeltaPresence
from anon_spark.privacy.ground_distance import HierarchicalDistance, OrderedDistance, ValueDistance
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity, RecursiveLDiversity
from anon_spark.privacy.t_closeness import EqualDistance, TCloseness
from anon_spark.utility.losses import LOSSES, all_losses
from tests import oracles
from tests.brute_force import FOUR, OF_ROWS, Label, Node, Person, Rule, random_people
from tests.test_criteria import near, two
from tests.test_people import HistoryWorld, bag
from tests.test_search import ONE_TUPLE, criterion_of

CASES = range(600)
KINDS = ("drawn", "nulls", "ties", "one class", "all unique", "several rows")
SENSITIVE = ("ILL", "JOB", "TAGS")
BY_VALUE = [rule for rule in ONE_TUPLE if rule.name not in ("k_map", "presence")]
ILLNESSES = Hierarchy("illnesses", (("x", "xy", "any", "*"), ("y", "xy", "any", "*"), ("z", "z", "any", "*")))
PATHS = {value: [ILLNESSES.label(value, level) for level in range(4)] for value in ("x", "y", "z", None)}
ORDER = ["z", None, "nobody's", "x", "y"]

Content = tuple[Any, ...]
Check = tuple[Criterion, set[Any], float | Fraction]  # classes that fail it, and the weakest figure


@dataclass(frozen=True)
class Case:
    """A small table, the rules people are suppressed by, and the node and weights it is looked at with."""

    world: HistoryWorld
    node: Node
    weights: Mapping[str, float]
    attributes: tuple[str, ...]  # those it has: of ``TAGS`` a person has a set of values

    @property
    def one_row_each(self) -> bool:
        return all(len(person.rows) == 1 for person in self.world.people)


def case_of(seed: int) -> Case:
    draw, kind = random.Random(seed), KINDS[seed % len(KINDS)]
    rows = (1, 2, 2, 3, 4) if kind == "several rows" else (1,)
    people = random_people(draw, draw.choice([1, 2, 5, 12, 12, 30]), names=tuple(FOUR), rows=rows)
    with_sets = draw.random() < 0.25
    people = [drawn_again(draw, p, i, kind, with_sets=with_sets) for i, p in enumerate(people)]
    population: list[tuple[Label, ...]] = []
    if kind != "several rows" and not with_sets and draw.random() < 0.5:
        known = draw.sample(people, draw.randint(len(people) // 2, len(people)))
        others = random_people(draw, 20, names=tuple(FOUR), rows=(1,))
        population = [p.rows[0] for p in (*known, *others)]
    rules = ONE_TUPLE if population else BY_VALUE
    rules = [rule for rule in rules if not (with_sets and rule.attribute == "ILL")]
    return Case(
        HistoryWorld(
            people, FOUR, draw.sample(rules, draw.choice([0, 1, 1, 2])), population,
            known=draw.choice([1, 1, 2, None]) if kind == "several rows" else 1,
        ),
        node=tuple(draw.randint(0, tree.height) for tree in FOUR.values()),
        weights={name: draw.choice([0.5, 1.0, 3.0]) for name in FOUR},
        attributes=("JOB", "TAGS") if with_sets else ("ILL", "JOB"),
    )  # fmt: skip


def drawn_again(draw: random.Random, person: Person, i: int, kind: str, *, with_sets: bool) -> Person:
    rows = person.rows
    sensitive = {**person.sensitive, "TAGS": tuple(draw.sample("uvw", draw.randint(0, 3)))}
    if kind == "nulls":
        rows = tuple(tuple(None if draw.random() < 0.3 else x for x in row) for row in rows)
        sensitive["ILL"] = draw.choice([sensitive["ILL"], (None,)])
    elif kind == "ties":
        rows = ((str(i % 2), "red", "s", "a"),)
        sensitive["ILL"] = (["x", "y", None, "z"][i // 2 % 4],)
    elif kind == "one class":
        rows = (("3", "teal", "m", None),)
    elif kind == "all unique":
        rows = (list(product(AGES, COLOURS, ("s", "m"), (None, "a")))[i * 7 % 128],)
    elif kind == "several rows" and draw.random() < 0.3:
        rows = tuple((None, *row[1:]) for row in rows)
    if with_sets:
        del sensitive["ILL"]
    else:
        del sensitive["TAGS"]
    return Person(rows, sensitive)


AGES, COLOURS = (tuple(tree.leaves) for tree in list(FOUR.values())[:2])


# the job


@pytest.fixture(scope="module")
def cases() -> dict[str, Case]:
    return {str(seed): case_of(seed) for seed in CASES} | HAND_MADE


@pytest.fixture(scope="module")
def counted(spark: SparkSession, cases: dict[str, Case]) -> pa.Table:
    """People by case and pattern; and, where they have one row each, by case and tuple, the population beside them."""
    source = spark.createDataFrame(rows_of(cases))
    stated = [F.col(name).alias(f"q_{name}") for name in FOUR]
    of_people = source.where("part = 'table'")
    people = person_patterns(
        of_people.select("_person", "case", *SENSITIVE, *stated),
        FOUR,
        {name: name for name in ("case", *SENSITIVE)},
    )
    single = histogram(with_tuples(of_people.where("single"), FOUR), ["case", "ILL", "JOB"])
    population = population_histogram(with_tuples(source.where("part = 'population'"), FOUR), ["case"])
    tuples = beside_population(single, population).withColumn(PATTERN, F.array(PACKED))
    both = count_patterns(people, ["case", *SENSITIVE]).unionByName(tuples, allowMissingColumns=True)
    return both.toArrow()


def rows_of(cases: Mapping[str, Case]) -> pa.Table:
    rows = []
    for name, case in cases.items():
        for i, person in enumerate(case.world.people):
            held = {a: values[0] for a, values in person.sensitive.items() if a != "TAGS"}
            own = {"case": name, "part": "table", "_person": f"{name}/{i}", "single": case.one_row_each}
            own |= held | {"TAGS": sorted(person.sensitive.get("TAGS", ()))}
            rows += [own | dict(zip(FOUR, row, strict=True)) for row in person.rows]
        rows += [
            {"case": name, "part": "population", **dict(zip(FOUR, row, strict=True))}
            for row in case.world.population
        ]
    random.Random(0).shuffle(rows)
    text = [(c, pa.string()) for c in ("case", "part", "_person", "ILL", "JOB", *FOUR)]
    return pa.Table.from_pylist(
        rows, pa.schema([*text, ("TAGS", pa.list_(pa.string())), ("single", pa.bool_())])
    )


def tables_of(counted: pa.Table, name: str, case: Case) -> Iterator[PatternTable]:
    """The case's patterns as the product arranges them: by person, and by tuple where that is all there is."""
    own = counted.filter(pc.field("case") == name)
    by_tuple = own[PACKED].is_valid()
    if not case.world.population:
        patterns = build_patterns(own.filter(pc.invert(by_tuple)), FOUR, case.attributes, OF_ROWS)
        yield known_to(patterns, case.world.known)
    if case.one_row_each and "TAGS" not in case.attributes:
        rows = own.filter(by_tuple)
        yield from_tuples(
            rows if case.world.population else rows.drop_columns(POPULATION), FOUR, case.attributes
        )


# the comparison


@pytest.mark.parametrize("seed", CASES)
def test_a_random_table_is_the_definition(cases, counted, seed):
    check_case(counted, str(seed), cases[str(seed)], random.Random(seed))


def check_case(counted: pa.Table, name: str, case: Case, draw: random.Random) -> None:
    rules = [criterion_of(rule) for rule in case.world.rules]
    seen = 0
    for table in tables_of(counted, name, case):
        seen += 1
        coarsening = Coarsening(table, FOUR)
        judge = evaluator(table, coarsening, rules, table.total_people)
        check_classes(case, table, judge.classes(case.node), set(), draw)
        out = case.world.suppressed(case.node)[0]
        assert judge.release(case.node)[0].people == len(out)
        check_classes(case, table, judge.release(case.node)[1], out, draw)
        check_losses(case, table, coarsening, judge)
    assert seen


def check_losses(case: Case, table: PatternTable, coarsening: Coarsening, judge: Evaluator) -> None:
    whole, outcome = whole_input(table, coarsening), judge.outcome(case.node)
    if table.of_rows != case.world.of_rows:
        assert case.one_row_each  # a person's row is all their rows
    found = all_losses(whole, outcome, case.weights)
    wanted = {name: case.world.loss(name, case.node, case.weights)[0] for name in LOSSES}
    assert found == {name: pytest.approx(loss, rel=1e-10, abs=1e-10) for name, loss in wanted.items()}


def check_classes(
    case: Case, table: PatternTable, classes: Classes, out: set[int], draw: random.Random
) -> None:
    """Classes by what is in them, and of each whether it fails and how far it is."""
    people = case.world.people
    told = [frozenset(case.world.known_of(person, case.node)) for person in people]
    mapped = Counter(bag([case.world.released(row, case.node)]) for row in case.world.population)
    own = {
        a: [
            oracles.Person(told[i], frozenset(p.sensitive[a]), i not in out)  # type: ignore[arg-type]
            for i, p in enumerate(people)
        ]
        for a in case.attributes
    }
    wanted = contents_wanted(own, mapped if case.world.population else None)
    found = contents(table, classes)
    assert Counter(filter(None, found)) == Counter(wanted.values())
    population = dict.fromkeys(wanted, 0) | dict(mapped)
    for criterion, failing, figure in checks(case, table, own, population, draw):
        fails = {c for c, x in zip(found, criterion.failing(classes), strict=True) if x}
        assert fails == {wanted[label] for label in failing}, criterion
        assert criterion.measured(classes) == pytest.approx(float(figure), abs=1e-12), criterion
    for name in ("total_variation", "kullback_leibler", "jensen_shannon"):
        for attribute in set(case.attributes) - {"TAGS"}:
            far = dict(zip(found, getattr(divergence, name)(classes, attribute), strict=True))
            by_label = getattr(oracles, name)(own[attribute])
            assert {c: x for c, x in far.items() if c} == {
                wanted[label]: pytest.approx(float(x), abs=1e-12) for label, x in by_label.items()
            }


def contents(table: PatternTable, classes: Classes) -> list[Content | None]:
    """Of every class its people, those of the population, and people by value; None for an empty one."""
    held: dict[str, list[set[tuple[Any, int]]]] = {}
    for name, counts in classes.sensitive.items():
        held[name] = [set() for _ in classes.sizes]
        labels = table.sensitive[name].labels
        for owner, value, people in zip(counts.owner, counts.value, counts.people, strict=True):
            if people:
                held[name][owner].add((labels[value], int(people)))
    return [
        (
            int(size),
            None if classes.population is None else int(classes.population[i]),
            *(frozenset(held[name][i]) for name in sorted(held)),
        )
        if size
        else None
        for i, size in enumerate(classes.sizes)
    ]


def contents_wanted(
    own: Mapping[str, Sequence[oracles.Person]], mapped: Counter[Any] | None
) -> dict[Any, Content]:
    """The same by the definition, by label."""
    by_attribute = [oracles.members(own[name]) for name in sorted(own)]
    return {
        label: (
            len(people),
            None if mapped is None else mapped[label],
            *(
                frozenset(Counter(v for p in members[label] for v in p.values).items())
                for members in by_attribute
            ),
        )
        for label, people in by_attribute[0].items()
    }


def checks(
    case: Case,
    table: PatternTable,
    own: Mapping[str, oracles.Table],
    population: Mapping[Any, int],
    draw: random.Random,
) -> Iterator[Check]:
    """Every criterion at thresholds around the figures that occur."""
    anybody = own[case.attributes[0]]
    sizes = oracles.k(anybody)
    yield KAnonymity(3), {c for c, n in sizes.items() if n < 3}, min(sizes.values(), default=0)
    if case.world.population:
        yield from of_population(anybody, population, draw)
    for attribute, people in own.items():
        if not oracles.all_values(people):
            continue
        yield from of_any(attribute, people, draw)
        if attribute == "TAGS":
            yield from of_distance(attribute, people, draw)
            continue
        yield from of_one_value(attribute, people, draw)
        if attribute == "ILL":
            yield from of_ground(table.sensitive["ILL"].labels, people, draw)


def of_population(
    people: oracles.Table, population: Mapping[Any, int], draw: random.Random
) -> Iterator[Check]:
    sizes, shares = oracles.k(people), oracles.presence(people, population)
    least = draw.randint(1, 6)
    fewest = min((population[c] for c in sizes), default=0)
    yield KMap(least), {c for c in sizes if population[c] < least}, fewest
    most = max((math.inf if x is None else x for x in shares.values()), default=0)
    known = [x for x in shares.values() if x is not None]
    low, high = sorted(two(draw, near(known, low=Fraction(0), high=Fraction(1))))
    wanted = {c for c, x in shares.items() if x is None or not low <= x <= high}
    yield DeltaPresence(float(low), float(high)), wanted, most


def of_any(attribute: str, people: oracles.Table, draw: random.Random) -> Iterator[Check]:
    """What is defined for one value a person and for sets."""
    values = oracles.distinct_l(people)
    yield (
        DistinctLDiversity(2, attribute),
        {c for c, n in values.items() if n < 2},
        min(values.values(), default=0),
    )
    common, gains = oracles.greatest_share(people), oracles.gain(people)
    for alpha in two(draw, near(list(common.values()), low=Fraction(1, 10**9), high=Fraction(1))):
        wanted = {c for c, n in oracles.k(people).items() if n < 3 or common[c] > alpha}
        yield AlphaK(float(alpha), 3, attribute), wanted, max(common.values(), default=0)
    most = max([0, *gains.values()])
    for beta in two(draw, near(list(gains.values()), low=Fraction(1, 10**9), high=Fraction(100))):
        yield BetaLikeness(float(beta), attribute), {c for c, x in gains.items() if x > beta}, most
        wanted = {c for c, ok in oracles.meets_enhanced_beta(people, beta).items() if not ok}
        yield BetaLikeness(float(beta), attribute, enhanced=True), wanted, most
    for absent in (True, False):
        yield from of_factor(attribute, oracles.factor(people, absent=absent), draw, absent=absent)


def of_factor(
    attribute: str, factors: Mapping[Any, Fraction | None], draw: random.Random, *, absent: bool
) -> Iterator[Check]:
    most = max((math.inf if x is None else math.log2(x) for x in factors.values()), default=0)
    known = [x for x in factors.values() if x is not None]
    for x in two(draw, near(known, low=Fraction(101, 100), high=Fraction(100))):
        wanted = {c for c, found in factors.items() if found is None or found >= x}
        yield DeltaDisclosurePrivacy(math.log2(x), attribute, absent_fails=absent), wanted, most


def of_one_value(attribute: str, people: oracles.Table, draw: random.Random) -> Iterator[Check]:
    entropy = min(oracles.entropy_l(people).values(), default=0)
    for least in draw.sample([Fraction(3, 2), Fraction(2), Fraction(5, 2), Fraction(3)], 2):
        meets = oracles.meets_entropy_l(people, least)
        yield EntropyLDiversity(float(least), attribute), {c for c, ok in meets.items() if not ok}, entropy
    for l in (1, 2, 3):  # noqa: E741
        ratios = oracles.recursive_l(people, l)
        most = max((math.inf if r is None else float(r) for r in ratios.values()), default=0)
        known = [r for r in ratios.values() if r is not None]
        for c in two(draw, near(known, low=Fraction(1, 100), high=Fraction(100))):
            wanted = {label for label, r in ratios.items() if r is None or r >= c}
            yield RecursiveLDiversity(float(c), l, attribute), wanted, most
    yield from of_distance(attribute, people, draw)
    far = oracles.total_variation(people)
    for t in two(draw, near(list(far.values()), low=Fraction(0), high=Fraction(1))):
        wanted = {c for c, x in far.items() if x > t}
        yield TCloseness(float(t), attribute, EqualDistance()), wanted, max(far.values(), default=0)


def of_distance(attribute: str, people: oracles.Table, draw: random.Random) -> Iterator[Check]:
    far = oracles.value_distance(people)
    for t in two(draw, near(list(far.values()), low=Fraction(0), high=Fraction(1))):
        wanted = {c for c, x in far.items() if x > t}
        yield TCloseness(float(t), attribute, ValueDistance()), wanted, max(far.values(), default=0)


def of_ground(labels: Sequence[Label], people: oracles.Table, draw: random.Random) -> Iterator[Check]:
    """Distances over an order and a hierarchy of the values, which the table numbers in its own way."""
    ordered = OrderedDistance(tuple(ORDER.index(value) for value in labels), len(ORDER))
    hierarchical = HierarchicalDistance.over(ILLNESSES, labels)
    for distance, far in (
        (ordered, oracles.ordered_distance(people, ORDER)),
        (hierarchical, oracles.hierarchical_distance(people, PATHS)),
    ):
        for t in two(draw, near(list(far.values()), low=Fraction(0), high=Fraction(1))):
            wanted = {c for c, x in far.items() if x > t}
            yield TCloseness(float(t), "ILL", distance), wanted, max(far.values(), default=0)


# worked by hand

FINEST = (0, 0, 0, 0)


def one(place: Label, ill: Label, *, size: Label = "s") -> Person:
    return Person((("0", "red", size, place),), {"ILL": (ill,), "JOB": ("p",)})


def several(*places: Label) -> Person:
    return Person(tuple(("0", "red", "s", place) for place in places), {"ILL": ("x",), "JOB": ("p",)})


def hand_made(
    people: Sequence[Person], rules: Sequence[Rule], node: Node = FINEST, known: int | None = 1
) -> Case:
    world = HistoryWorld(people, FOUR, rules, known=known)
    return Case(world, node, dict.fromkeys(FOUR, 1.0), ("ILL", "JOB"))


# Four people at 'a' have x, x, y and null; two whose place is null have x. Of all six x 4/6, y 1/6, null 1/6.
SIX = [*(one("a", ill) for ill in ("x", "x", "y", None)), one(None, "x"), one(None, "x")]
HAND_MADE = {
    "six": hand_made(SIX, []),
    "six, k = 3": hand_made(SIX, [Rule("k", a=3)]),
    "six, all generalized": hand_made(SIX, [], (3, 2, 1, 2)),
    "twelve of a size": hand_made([one("a", "xyz"[i % 3], size="sm"[i % 2]) for i in range(12)], []),
    "two visits, one is known": hand_made([several("a", "b"), several("a"), several("b")], [Rule("k", a=2)]),
    "two visits are known": hand_made([several("a", "b"), several("a"), several("b")], [Rule("k", a=2)], known=2),
}  # fmt: skip
HALF = math.sqrt(2)
FIGURES: dict[str, dict[str, float]] = {
    # 'a': two of four have x, so c = 2 / (1 + 1); -(1/2 log 1/2 + 2/4 log 1/4) = log 2 sqrt 2
    # x is 1/2 there and 1 where the place is null, of 2/3: total variation 1/6 and 1/3
    # gains: y (1/4 - 1/6) / (1/6) and x (1 - 2/3) / (2/3), a half either way
    "six": {
        "k": 2, "l": 1, "entropy": 1, "recursive": math.inf, "t": 1 / 3, "alpha": 1, "beta": 1 / 2,
        "suppressed": 0, "discernibility": 4 * 4 + 2 * 2, "average_class_size": 3, "precision": 0,
    },
    # the two are gone: a third of all cells, and 6 for each in discernibility; they make one class more
    "six, k = 3": {
        "k": 4, "l": 3, "entropy": 2 * HALF, "recursive": 1, "t": 1 / 6, "alpha": 1 / 2, "beta": 1 / 2,
        "suppressed": 2, "discernibility": 4 * 4 + 6 * 2, "average_class_size": 3, "precision": 1 / 3,
        "loss_am": 1 / 3, "loss_gm": 1 / 3,
    },
    "six, all generalized": {
        "k": 6, "l": 3, "t": 0, "alpha": 2 / 3, "beta": 0, "recursive": 2, "suppressed": 0, "precision": 1,
        "loss_am": 1, "loss_gm": 1, "discernibility": 36, "average_class_size": 6,
        # age, colour and size are the same for all; of six places four are a kind: 6 log 6 - 4 log 4 - 2 log 2
        "nuentropy": 6 * math.log2(6) - 10,
    },
    # by turns s and m, x, y and z: six people a size, two of each illness
    "twelve of a size": {
        "k": 6, "l": 3, "entropy": 3, "recursive": 1 / 2, "t": 0, "alpha": 1 / 3, "beta": 0,
        "suppressed": 0, "discernibility": 72, "average_class_size": 6, "precision": 0,
    },
    # 'a' and 'b' have two people each; whoever knows both visits knows one person, and who is left has nobody
    "two visits, one is known": {"k": 2, "l": 1, "suppressed": 0, "average_class_size": 3 / 2},
    "two visits are known": {"k": 0, "l": 0, "suppressed": 3, "average_class_size": 3},
}  # fmt: skip


@pytest.mark.parametrize("name", FIGURES)
def test_a_table_made_by_hand_has_the_figures_worked_by_hand(cases, counted, name):
    case = cases[name]
    check_case(counted, name, case, random.Random(name))
    for table in tables_of(counted, name, case):
        coarsening = Coarsening(table, FOUR)
        rules = [criterion_of(rule) for rule in case.world.rules]
        judge = evaluator(table, coarsening, rules, table.total_people)
        gone, left = judge.release(case.node)
        measured: dict[str, Criterion] = {
            "k": KAnonymity(1),
            "l": DistinctLDiversity(1, "ILL"),
            "entropy": EntropyLDiversity(1, "ILL"),
            "recursive": RecursiveLDiversity(1, 2, "ILL"),
            "t": TCloseness(1, "ILL"),
            "alpha": AlphaK(1, 1, "ILL"),
            "beta": BetaLikeness(1, "ILL"),
        }
        found = {figure: criterion.measured(left) for figure, criterion in measured.items()}
        found |= all_losses(whole_input(table, coarsening), judge.outcome(case.node))
        found["suppressed"] = gone.people
        wanted = {figure: pytest.approx(x, abs=1e-12) for figure, x in FIGURES[name].items()}
        assert {figure: found[figure] for figure in wanted} == wanted


def test_every_kind_of_case_is_among_them(cases):
    """Or the comparison could be of less than it says."""
    drawn = [cases[str(seed)] for seed in CASES]
    people = [case.world.people for case in drawn]
    cells = [[x for p in own for row in p.rows for x in row] for own in people]
    tuples = [Counter(p.rows for p in own) for own in people]
    assert sum(None in own for own in cells) > 100
    assert sum(any(None in values for p in own for values in p.sensitive.values()) for own in people) > 100
    assert sum(len(own) > 1 and len(found) == 1 for own, found in zip(people, tuples, strict=True)) > 50
    assert (
        sum(len(own) > 1 and set(found.values()) == {1} for own, found in zip(people, tuples, strict=True))
        > 50
    )
    assert sum(not case.one_row_each for case in drawn) > 50
    assert sum(bool(case.world.population) for case in drawn) > 100
    assert sum("TAGS" in case.attributes for case in drawn) > 100
    assert sum(bool(case.world.suppressed(case.node)[0]) for case in drawn) > 100
