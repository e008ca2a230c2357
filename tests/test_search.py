"""The search against brute force, and its parts against definitions in plain Python."""

import itertools
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pyarrow as pa
import pytest

from anon_spark.anonymize import rollup
from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Budget, Infeasible, Solution, search, whole_input
from anon_spark.anonymize.patterns import PatternTable, build_patterns, domains_of, from_histogram, strides
from anon_spark.anonymize.rollup import Cells, Rollup, coarsen
from anon_spark.anonymize.suppression import evaluator, suppress
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.errors import InputError, PolicyError
from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.beta_likeness import BetaLikeness
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.delta_presence import DeltaPresence
from anon_spark.privacy.ground_distance import ValueDistance
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity, RecursiveLDiversity
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.utility.losses import LOSSES, make_loss
from tests.brute_force import AGE, COLOUR, FOUR, OF_ROWS, TREES, Person, Rule, World, random_people
from tests.mutants.engines import SEARCHES, SUPPRESSIONS

ONE_TUPLE = (
    Rule("k", a=3),
    Rule("l", "ILL", 2),
    Rule("entropy_l", "ILL", 1.7),
    Rule("recursive_l", "ILL", 2, 2.0),
    Rule("t", "ILL", 0.3),
    Rule("t_value", "ILL", 0.25),
    Rule("alpha_k", "ILL", 0.7, 2),
    Rule("beta", "ILL", 0.8),
    Rule("delta", "JOB", 1.1),
    Rule("delta_held", "ILL", 1.5),
    Rule("k_map", a=4),
    Rule("presence", a=0.2, b=0.8),
    Rule("presence", a=0.0, b=0.6),
)


def criterion_of(rule: Rule) -> Criterion:
    name, attribute, a, b = rule.name, rule.attribute or "", rule.a, rule.b
    make = {
        "k": lambda: KAnonymity(int(a)),
        "l": lambda: DistinctLDiversity(int(a), attribute),
        "entropy_l": lambda: EntropyLDiversity(a, attribute),
        "recursive_l": lambda: RecursiveLDiversity(b, int(a), attribute),
        "t": lambda: TCloseness(a, attribute),
        "t_value": lambda: TCloseness(a, attribute, ValueDistance()),
        "alpha_k": lambda: AlphaK(a, int(b), attribute),
        "beta": lambda: BetaLikeness(a, attribute),
        "delta": lambda: DeltaDisclosurePrivacy(a, attribute),
        "delta_held": lambda: DeltaDisclosurePrivacy(a, attribute, absent_fails=False),
        "k_map": lambda: KMap(int(a)),
        "presence": lambda: DeltaPresence(a, b),
    }
    return make[name]()


def table_of(world: World) -> PatternTable:
    """Patterns as the cluster would collect them: people with the same rows and values, counted."""
    sets = {
        name: any(len(p.sensitive[name]) != 1 for p in world.people)
        for name in (world.people[0].sensitive if world.people else {})
    }
    trees = world.trees
    weight, codes = strides(domains_of(trees)), [leaf_codes(h) for h in trees.values()]

    def packed(row: Sequence[str | None]) -> int:
        return sum(c[v] * w for c, v, w in zip(codes, row, weight, strict=True))

    counted = Counter(
        (tuple(sorted(packed(row) for row in p.rows)), tuple(p.sensitive[name] for name in sets))
        for p in world.people
    )
    columns: dict[str, pa.Array] = {
        "pattern": pa.array([list(key) for key, _ in counted], pa.list_(pa.int64())),
        "people": pa.array(list(counted.values()), pa.int64()),
    }
    for i, (name, is_set) in enumerate(sets.items()):
        values = [own[i] for _, own in counted]
        columns[name] = (
            pa.array([list(v) for v in values], pa.list_(pa.string()))
            if is_set
            else pa.array([v[0] for v in values], pa.string())
        )
    return build_patterns(pa.table(columns), trees, list(sets), world.of_rows)


def histogram_of(world: World) -> pa.Table:
    """One row a person, and the population's rows beside them."""
    names, own = list(world.trees), list(world.people[0].sensitive)
    rows = [(*p.rows[0], *(p.sensitive[name][0] for name in own), 1, 0) for p in world.people]
    rows += [(*row, *(None for _ in own), 0, 1) for row in world.population]
    types = [pa.string()] * (len(names) + len(own)) + [pa.int64()] * 2
    columns = [pa.array(list(x), t) for x, t in zip(zip(*rows, strict=True), types, strict=True)]
    table = pa.Table.from_arrays(columns, names=[*names, *own, "people", "population"])
    return table if world.population else table.drop_columns("population")


def check(
    world: World, table: PatternTable, loss: str, limit: float, weights: dict[str, float] | None = None
) -> None:
    """The search's answer is the brute force's, levels and ties included."""
    criteria = [criterion_of(rule) for rule in world.rules]
    found = search(table, world.trees, criteria, loss=loss, weights=weights, suppression_limit=limit)
    expected = world.best(loss, limit, weights)
    if expected is None:
        assert isinstance(found, Infeasible)
        assert found.proven
        return
    assert isinstance(found, Solution)
    assert found.optimal
    assert found.loss == pytest.approx(expected[0], rel=1e-10, abs=1e-10)
    assert (tuple(found.levels.values()), found.suppressed.people) == expected[1:]
    assert found.suppressed.classes == len(world.suppressed(expected[1])[1])


def some_rules(draw: random.Random, rules: Sequence[Rule] = ONE_TUPLE) -> list[Rule]:
    return draw.sample(rules, draw.choice([1, 1, 2, 3]))


@pytest.mark.parametrize("seed", range(120))
def test_one_row_a_person_search_is_brute_force(seed):
    draw = random.Random(seed)
    people = random_people(draw, draw.choice([1, 4, 12, 40, 90]), names=tuple(FOUR), rows=(1,))
    rules = some_rules(draw)
    others = random_people(draw, 60, names=tuple(FOUR), rows=(1,))
    needs = any(rule.name in ("k_map", "presence") for rule in rules)
    population = [p.rows[0] for p in (*people, *others)] if needs else []
    world = World(people, FOUR, rules, population)
    table = from_histogram(histogram_of(world), FOUR, ["ILL", "JOB"])
    assert table.one_class_each
    check(world, table, draw.choice(list(LOSSES)), draw.choice([0.0, 0.1, 0.5, 1.0]))


@pytest.mark.parametrize("seed", range(80))
def test_several_rows_a_person_search_is_brute_force(seed):
    draw = random.Random(1000 + seed)
    people = random_people(draw, draw.choice([1, 5, 12, 40]))
    rules = some_rules(draw, [rule for rule in ONE_TUPLE if rule.name not in ("k_map", "presence")])
    world = World(people, TREES, rules)
    check(world, table_of(world), draw.choice(list(LOSSES)), draw.choice([0.0, 0.1, 0.5, 1.0]))


@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_weights_count(loss):
    draw = random.Random(5)
    world = World(random_people(draw, 40), TREES, [Rule("k", a=3)])
    check(world, table_of(world), loss, 0.3, {"COLOUR": 5.0, "SIZE": 0.0})


@pytest.mark.parametrize("seed", range(6))
def test_sets_of_values_are_searched(seed):
    draw = random.Random(2000 + seed)
    people = [
        replace(p, sensitive={"ILL": tuple(draw.sample("uvw", draw.choice([0, 1, 2])))})
        for p in random_people(draw, 30, rows=(1, 1, 2) if seed % 2 else (1,))
    ]
    rules = [Rule("k", a=2), draw.choice([Rule("alpha_k", "ILL", 0.7, 2), Rule("t_value", "ILL", 0.3)])]
    world = World(people, TREES, rules)
    check(world, table_of(world), "loss_am", draw.choice([0.2, 1.0]))


@pytest.mark.parametrize("limit", [0.0, 0.1, 1.0])
@pytest.mark.parametrize("kind", ["all unique", "one class"])
def test_extreme_tables(kind, limit):
    ages = range(8) if kind == "all unique" else [3] * 8
    people = [Person(((str(x), "red", "s", None),), {"ILL": ("x",)}) for x in ages]
    world = World(people, FOUR, [Rule("k", a=2)])
    check(world, from_histogram(histogram_of(world), FOUR), "loss_gm", limit)


def test_no_people_is_infeasible():
    rows = pa.table(
        {name: pa.array([], pa.string()) for name in TREES} | {"people": pa.array([], pa.int64())}
    )
    found = search(from_histogram(rows, TREES), TREES, [KAnonymity(2)], suppression_limit=1.0)
    assert isinstance(found, Infeasible)


@pytest.mark.parametrize("seed", range(10))
def test_suppression_at_every_node_is_the_definition(seed):
    world = World(random_people(random.Random(seed), 30), TREES, [Rule("k", a=3), Rule("l", "ILL", 2)])
    table, criteria = table_of(world), [criterion_of(rule) for rule in world.rules]
    for node in world.nodes():
        assert suppress(table, TREES, node, criteria).people == len(world.suppressed(node)[0]), node


def visits(*places: str | None, value: str = "x") -> Person:
    return Person(tuple(("red", "s", place) for place in places), {"ILL": (value,)})


def people_out(people: list[Person], *criteria: Criterion) -> int:
    return suppress(table_of(World(people, TREES, [])), TREES, (0, 0, 0), criteria).people


def test_a_person_counts_once_in_a_class_however_many_admissions():
    people = [visits(*["a"] * 4), visits("a", value="y")]
    assert people_out(people, KAnonymity(2), DistinctLDiversity(2, "ILL")) == 0
    assert people_out(people, KAnonymity(3)) == 2


def test_suppressing_one_class_breaks_the_next_round():
    people = [visits("a", "b"), visits("a", value="y"), visits("a")]
    # 'b' has one person; without them 'a' has two
    assert people_out(people, KAnonymity(2)) == 1
    assert people_out(people, KAnonymity(3)) == 3


def test_null_is_a_value_like_any_other():
    people = [visits(None), visits(None, value="y"), visits("a")]
    assert people_out(people, KAnonymity(2), DistinctLDiversity(2, "ILL")) == 1


def test_patterns_are_given_back_as_collected():
    people = [visits("b", "a", "a"), visits("a"), visits("a")]
    table = table_of(World(people, TREES, []))
    keys = table.keys(table.people > 0)
    assert sorted(len(key) for key in keys) == [1, 3]
    assert all(key == sorted(key) for key in keys)


def test_uncovered_values_are_named_and_counted():
    rows = pa.table(
        {"COLOUR": ["red", "ecru", "puce"], "SIZE": ["s", "s", "m"], "PLACE": ["a"] * 3, "people": [1, 2, 3]}
    )
    with pytest.raises(
        InputError, match=r"colour \(level 0\) does not cover 2 values of COLOUR \(5 people\)"
    ):
        from_histogram(rows, TREES)


def test_a_budget_gives_a_bound_that_holds():
    draw = random.Random(8)
    world = World(random_people(draw, 90, names=tuple(FOUR), rows=(1,)), FOUR, [Rule("k", a=4)])
    table = from_histogram(histogram_of(world), FOUR)
    best = world.best("nuentropy", 1.0)
    assert best is not None
    stopped = 0
    for nodes in range(1, 40):
        found = search(
            table, FOUR, [KAnonymity(4)], loss="nuentropy", suppression_limit=1.0, budget=Budget(nodes=nodes)
        )
        if isinstance(found, Infeasible):
            assert not found.proven
            continue
        assert found.bound <= best[0] + 1e-9 <= found.loss + 2e-9
        assert not found.optimal or found.loss == pytest.approx(best[0])
        stopped += not found.optimal
    assert stopped


def test_infeasible_says_what_would_be_feasible():
    people = [visits("a"), visits("b"), visits(None)]
    table = table_of(World(people, TREES, []))
    found = search(table, TREES, [KAnonymity(4)], suppression_limit=0.5)
    assert isinstance(found, Infeasible)
    assert (found.limit, found.least, found.attainable) == (1, 3, (3.0,))
    assert isinstance(search(table, TREES, [KAnonymity(3)]), Solution)


@pytest.mark.parametrize("seed", range(40))
def test_what_would_be_feasible_is(seed):
    """Where sizes alone rule a node out, what else must be suppressed there is not known and not told."""
    draw = random.Random(seed)
    people = random_people(draw, 30, names=tuple(FOUR), rows=(1,))
    most = max(Counter(p.sensitive["ILL"] for p in people).values()) / 30
    world = World(people, FOUR, [Rule("k", a=6), Rule("alpha_k", "ILL", most - 0.02, 2)])
    table = from_histogram(histogram_of(world), FOUR, ["ILL"])
    found = search(table, FOUR, [criterion_of(r) for r in world.rules], suppression_limit=0.1)
    if isinstance(found, Infeasible):
        assert found.least == len(world.suppressed(tuple(found.least_levels.values()))[0])
        assert found.least >= min(len(world.suppressed(node)[0]) for node in world.nodes())


def test_what_is_released_is_measured():
    people = [visits("a"), visits("a", value="y"), visits("a"), visits(None)]
    found = search(table_of(World(people, TREES, [])), TREES, [KAnonymity(2)], suppression_limit=0.25)
    assert isinstance(found, Solution)
    assert (found.suppressed.people, found.measured) == (1, (3.0,))


@pytest.mark.parametrize(
    "weights", [{"AGE": 1.0}, {"SIZE": -1.0}, {"COLOUR": 0.0, "SIZE": 0.0, "PLACE": 0.0}]
)
def test_weights_that_are_of_no_use_are_refused(weights):
    with pytest.raises(PolicyError, match="weights"):
        search(table_of(World([visits("a")], TREES, [])), TREES, [], weights=weights)


def test_an_unknown_loss_is_refused():
    with pytest.raises(PolicyError, match="did you mean 'loss_am'"):
        search(table_of(World([visits("a")], TREES, [])), TREES, [], loss="los_am")


@pytest.mark.parametrize(
    "rule", [r for r in ONE_TUPLE if criterion_of(r).closed_under_union], ids=lambda r: f"{r.name}"
)
def test_closed_criteria_hold_in_the_union_of_classes_that_meet_them(rule):
    draw, met = random.Random(3), 0
    for _ in range(300):
        people = random_people(draw, 24, rows=(1,))
        world = World(people, TREES, [rule])
        order = draw.sample(range(24), 24)
        left, right = set(order[:5]), set(order[5:12])
        if not world.fails(rule, left, 12) and not world.fails(rule, right, 13):
            met += 1
            assert not world.fails(rule, left | right, 25)
    assert met


def one_row_world(
    seed: int, count: int, rules: Sequence[Rule], trees: Mapping[str, Hierarchy] = FOUR
) -> World:
    return World(random_people(random.Random(seed), count, names=tuple(trees), rows=(1,)), trees, rules)


def finer(nodes: Sequence[Node], than: Node) -> list[Node]:
    return [node for node in nodes if all(a <= b for a, b in zip(node, than, strict=True))]


@pytest.mark.parametrize(
    "rule", [r for r in ONE_TUPLE if r.name not in ("k_map", "presence")], ids=lambda r: r.name
)
def test_who_is_certain_to_be_suppressed_is_so_at_every_finer_node(rule):
    found = 0
    for seed in range(8):
        world = one_row_world(seed, 40, [Rule("k", a=2), rule])
        table = from_histogram(histogram_of(world), FOUR, ["ILL", "JOB"])
        judge = evaluator(table, Coarsening(table, FOUR), [criterion_of(r) for r in world.rules], 40)
        out = {node: len(world.suppressed(node)[0]) for node in world.nodes()}
        for node in world.nodes():
            certain = judge.outcome(node).certain_in_all
            assert all(certain <= out[below] for below in finer(world.nodes(), node))
            found += certain > 0
    assert found


@pytest.mark.parametrize("loss", sorted(LOSSES))
@pytest.mark.parametrize("rows", [(1,), (1, 1, 2)])
def test_bounds_hold_at_every_node_whatever_was_seen(loss, rows):
    for seed in range(8):
        draw = random.Random(seed)
        world = World(random_people(draw, 30, rows=rows), TREES, [Rule("k", a=3), Rule("t", "ILL", 0.3)])
        table = table_of(world)
        coarsening = Coarsening(table, TREES)
        judge = evaluator(table, coarsening, [criterion_of(r) for r in world.rules], 30)
        true = {node: world.loss(loss, node, {})[0] for node in world.nodes()}
        bounds = make_loss(loss, whole_input(table, coarsening)).bounds()
        for node in [None, *draw.sample(world.nodes(), 10)]:
            if node is not None:
                bounds.learn(judge.outcome(node))
            assert all(bounds.lower[x] <= value + 1e-9 for x, value in true.items())


def test_a_class_table_is_the_same_from_any_finer_one():
    world = one_row_world(4, 90, [])
    table = from_histogram(histogram_of(world), FOUR, ["ILL"])
    coarsening = Coarsening(table, FOUR)

    def content(cells: Cells, node: Node) -> list[tuple[int, int, int]]:
        assert cells.value is not None
        keys = coarsening.keys(cells.members, node)[0].tolist()
        return sorted(zip(keys, cells.value.tolist(), cells.people.tolist(), strict=True))

    for node in world.nodes():
        leaves = Rollup(table, coarsening).leaves
        direct = coarsen(leaves, node, coarsening, 4)
        for between in random.Random(1).sample(finer(world.nodes(), node), 1):
            way = coarsen(coarsen(leaves, between, coarsening, 4), node, coarsening, 4)
            assert content(way, node) == content(direct, node)


def test_tables_given_up_are_made_again(monkeypatch):
    monkeypatch.setattr(rollup, "_TABLES_KEPT", 3)
    world = one_row_world(6, 60, [Rule("k", a=3)])
    check(world, from_histogram(histogram_of(world), FOUR), "loss_gm", 1.0)


@pytest.mark.parametrize("loss", ["loss_am", "loss_gm", "nuentropy", "precision"])
@pytest.mark.parametrize("seed", range(6))
def test_equal_losses_go_to_the_finer_earlier_quasi_identifier(seed, loss):
    """The table is the same with its columns in any order, so every order of the best levels is as good."""
    draw = random.Random(seed)
    drawn = [[str(draw.randrange(8)) for _ in range(3)] for _ in range(12)]
    people = [Person((tuple(order),)) for row in drawn for order in itertools.permutations(row)]
    trees = {"AGE": AGE, "BORN": AGE, "WAIST": AGE}
    rows = pa.table(dict(zip(trees, zip(*(p.rows[0] for p in people), strict=True), strict=True)))
    counted = rows.append_column("people", pa.array([1] * len(people)))
    found = search(from_histogram(counted, trees), trees, [KAnonymity(4)], loss=loss, suppression_limit=0.3)
    assert isinstance(found, Solution)
    assert list(found.levels.values()) == sorted(found.levels.values())


@pytest.mark.parametrize("seed", range(3))
def test_a_lattice_of_1728_nodes(seed):
    trees = {**FOUR, "BORN": AGE, "WAIST": AGE, "HUE": COLOUR}
    draw = random.Random(seed)
    people = [
        Person(
            ((*p.rows[0], str(draw.randrange(8)), draw.choice("0123"), draw.choice(COLOUR.leaves)),),
            p.sensitive,
        )
        for p in random_people(draw, 30, names=tuple(FOUR), rows=(1,))
    ]
    world = World(people, trees, [Rule("k", a=2), ONE_TUPLE[1 + seed * 3]])
    loss, limit = ("loss_am", "nuentropy", "discernibility")[seed], (0.2, 1.0, 0.5)[seed]
    check(world, from_histogram(histogram_of(world), trees, ["ILL"]), loss, limit)


# what a wrong suppression is wrong about, where that is not k and l
ABOUT = {
    "entropy_truncated": Rule("entropy_l", "ILL", 2.5),
    "t_of_the_released": Rule("t", "ILL", 0.3),
    "finest_taken_for_all": Rule("t", "ILL", 0.3),
}


@pytest.mark.parametrize("name", sorted(SUPPRESSIONS))
def test_the_definition_catches_a_wrong_suppression(name):
    """Each seeded wrong engine must differ from the definition somewhere, or this test could not fail."""
    different, about = 0, ABOUT.get(name, Rule("l", "ILL", 2))
    rows = (1, 1, 1, 2, 3) if about.name == "l" else (1,)
    for seed in range(10):
        people = random_people(random.Random(seed), 40, rows=rows)
        world = World(people, TREES, [Rule("k", a=3), about])
        table, criteria = table_of(world), [criterion_of(rule) for rule in world.rules]
        for node in world.nodes():
            found = SUPPRESSIONS[name](table, TREES, node, criteria)
            different += found.people != len(world.suppressed(node)[0])
    assert different > 0


@pytest.mark.parametrize("name", sorted(SEARCHES))
def test_brute_force_catches_a_wrong_search(name):
    different = 0
    for seed, limit in itertools.product(range(20), (0.1, 0.5)):
        people = random_people(random.Random(seed), 60, names=tuple(FOUR), rows=(1,))
        world = World(people, FOUR, [Rule("k", a=2), Rule("t", "ILL", 0.3)])
        table, criteria = (
            from_histogram(histogram_of(world), FOUR, ["ILL"]),
            [criterion_of(r) for r in world.rules],
        )
        found = SEARCHES[name](table, FOUR, criteria, suppression_limit=limit)
        expected = world.best("loss_am", limit)
        levels = None if isinstance(found, Infeasible) else tuple(found.levels.values())
        different += levels != (None if expected is None else expected[1])
    assert different > 0


def test_admission_values_are_counted_over_rows():
    assert {"PLACE"} == OF_ROWS
    table = table_of(World([visits("a", "b")], TREES, []))
    assert table.of_rows == OF_ROWS
