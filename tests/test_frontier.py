"""Risk, utility and their Pareto front against brute force in plain Python."""

import itertools
import math
import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from anon_spark.anonymize.frontier import Candidates, choose, front_of, with_setting
from anon_spark.anonymize.lattice import Budget, Solution, search
from anon_spark.anonymize.nearest import nearest_feasible, shortfalls
from anon_spark.anonymize.patterns import from_histogram
from anon_spark.anonymize.tradeoff import Goal, Point, Risk, RiskName, Setting, pareto
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import Closeness, Diversity, Privacy, SensitiveCriteria
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.utility.losses import LOSSES
from tests.brute_force import FOUR, TREES, Node, Person, Rule, World, random_people
from tests.test_search import criterion_of, histogram_of, table_of

K3 = Setting(3)
GOALS = [Goal(tau=x) for x in (0.0, 0.3, 0.6)] + [Goal(weight=x) for x in (0.0, 0.2, 0.5, 0.9, 1.0)]
GOALS += [Goal(tau=0.4, weight=0.5)]
Found = tuple[float, float, Node, int]  # risk, utility, node, people suppressed


def risk_of(world: World, name: str, node: Node, threshold: float = 0.2) -> float:
    """R by its definition, over sets of people."""
    _, classes = world.suppressed(node)
    sizes = {label: len(who) for label, who in classes.items()}
    mapped = Counter(world.released(row, node) for row in world.population)
    crowd = {label: max(mapped[label], size) for label, size in sizes.items()}
    people = sum(sizes.values())
    if name == "prosecutor_highest":
        return max(1 / size for size in sizes.values())
    if name == "prosecutor_average" or (name == "marketer" and not world.population):
        return len(sizes) / people
    if name == "journalist_highest":
        return max(1 / crowd[label] for label in sizes)
    if name in ("journalist_average", "marketer"):
        return sum(size / crowd[label] for label, size in sizes.items()) / people
    if name == "share_at_risk":
        return sum(size for size in sizes.values() if 1 / size > threshold + 1e-9) / people
    whole = {q: Counter(p.sensitive[q][0] for p in world.people) for q in world.people[0].sensitive}
    worst = 0.0
    for who, (q, totals) in itertools.product(classes.values(), whole.items()):
        held = Counter(world.people[i].sensitive[q][0] for i in who)
        gaps = [held[v] / len(who) - totals[v] / len(world.people) for v in totals]
        worst = max(worst, sum(max(x, 0) for x in gaps) if name == "attribute_distance" else max(gaps))
    return worst


def utility_of(world: World, name: str, node: Node, weights: Mapping[str, float]) -> float:
    """U by its definition: the loss of nothing being left at the top, where it has no unit of its own."""
    loss = world.loss(name, node, weights)[0]
    if name in ("loss_am", "loss_gm", "precision"):
        return 1 - loss
    top = tuple(h.height for h in world.trees.values())
    nothing = replace(world, rules=[Rule("k", a=len(world.people) + 1)])
    worst = nothing.loss(name, top, weights)[0]
    return max(1 - loss / worst, 0.0) if worst else 1.0


def all_points(
    world: World, risk: str, utility: str, limit: float, weights: Mapping[str, float]
) -> list[Found]:
    """R and U of every node within the limit."""
    found = []
    for node in world.nodes():
        out = len(world.suppressed(node)[0])
        if out <= int(limit * len(world.people) + 1e-9) and out < len(world.people):
            u = utility_of(world, utility, node, weights)
            found.append((round(risk_of(world, risk, node), 12), round(u, 12), node, out))
    return found


def undominated(found: Sequence[Found]) -> set[tuple[float, float]]:
    """By the definition: no other is as good in both and better in one."""
    pairs = {(r, u) for r, u, *_ in found}
    return {(r, u) for r, u in pairs if not any(a <= r and b >= u and (a, b) != (r, u) for a, b in pairs)}


def wanted(found: Sequence[Found], goal: Goal) -> tuple[float, Node] | None:
    """Value and node by the definition; ties go to less risk, more utility, lower levels."""
    best = None
    for r, u, node, _ in found:
        if u >= goal.tau:
            value = round(goal.weight * r - (1 - goal.weight) * u, 12)
            key = (value, r, -u, sum(node), node)
            best = key if best is None else min(best, key)
    return None if best is None else (best[0], best[-1])


def candidates_of(world: World, risk: str, utility: str, limit: float, **weights: float) -> Candidates:
    return Candidates(
        from_histogram(histogram_of(world), world.trees, list(world.people[0].sensitive)),
        world.trees,
        risk=Risk(risk),  # type: ignore[arg-type]
        utility=utility,
        weights=weights or None,
        suppression_limit=limit,
    )


def a_world(draw: random.Random, *, rows: Sequence[int] = (1,), count: int | None = None) -> World:
    trees = FOUR if draw.random() < 0.5 else TREES
    size = count or draw.choice([2, 5, 12, 40, 80])
    people = random_people(draw, size, names=tuple(trees), rows=rows)
    population = [p.rows[0] for p in random_people(draw, 60, names=tuple(trees), rows=(1,))]
    population += [p.rows[0] for p in people]
    rules = [Rule("k", a=draw.choice([2, 3, 5]))]
    rules += draw.choice(
        [[], [Rule("l", "ILL", 2)], [Rule("t", "ILL", 0.3)], [Rule("entropy_l", "ILL", 1.6)]]
    )
    return World(people, trees, rules, population)


@pytest.mark.parametrize("seed", range(45))
def test_front_and_goals_are_brute_force(seed):
    draw = random.Random(seed)
    world, limit = a_world(draw), draw.choice([0.0, 0.05, 0.3, 1.0])
    risk, utility = draw.choice(get_args(RiskName)), draw.choice(list(LOSSES))
    weights = draw.choice([{}, {"COLOUR": 3.0, "SIZE": 0.0}])
    candidates = candidates_of(world, risk, utility, limit, **weights)
    criteria = [criterion_of(rule) for rule in world.rules]
    found = all_points(world, risk, utility, limit, weights)
    front = front_of(candidates, criteria, K3)
    assert front.complete
    assert front.nodes_feasible == len(found)
    assert {(p.risk, p.utility) for p in front.points} == undominated(found)
    for goal in GOALS:
        chosen, expected = choose(candidates, criteria, K3, goal), wanted(found, goal)
        assert chosen.optimal
        assert goal.best(front.points) == chosen.point
        if expected is None:
            assert chosen.point is None
        else:
            assert chosen.point is not None
            assert (goal.value(chosen.point), chosen.point.levels) == expected
            assert chosen.point in front.points


@pytest.mark.parametrize("seed", range(12))
def test_people_in_several_classes_have_the_same_front(seed):
    draw = random.Random(seed)
    world = replace(a_world(draw, rows=(1, 1, 2, 3)), population=())
    risk = draw.choice(["prosecutor_highest", "prosecutor_average", "share_at_risk", "attribute_gain"])
    utility = draw.choice(list(LOSSES))
    candidates = Candidates(
        table_of(world), world.trees, risk=Risk(risk), utility=utility, suppression_limit=0.3
    )
    front = front_of(candidates, [criterion_of(rule) for rule in world.rules], K3)
    found = all_points(world, risk, utility, 0.3, {})
    assert {(p.risk, p.utility) for p in front.points} == undominated(found)


@pytest.mark.parametrize("name", ["loss_am", "loss_gm", "precision", "discernibility", "average_class_size"])
@pytest.mark.parametrize("risk", ["prosecutor_average", "attribute_distance", "attribute_gain"])
def test_local_recoding_is_a_candidate_as_its_labels_say(risk, name):
    draw = random.Random(5)
    world = World(random_people(draw, 60, names=tuple(FOUR), rows=(1,)), FOUR, [])
    criteria: list[Criterion] = [KAnonymity(3), TCloseness(0.5, "ILL")]
    candidates = candidates_of(world, risk, name, 0.1)
    point, found = candidates.recoded_locally(criteria, K3)
    labels = list(zip(*found.tuple_labels(FOUR).values(), strict=True))
    table = candidates.table
    values = [v.labels for v in table.sensitive.values()]
    codes = [v.codes for v in table.sensitive.values()]
    people = [
        Person((labels[i],), {n: (values[j][codes[j][i]],) for j, n in enumerate(table.sensitive)})
        for i in range(len(labels))
        for _ in range(int(table.people[i]))
    ]
    released = World(people, {q: Released(q) for q in FOUR}, [])  # type: ignore[dict-item]
    node = (0,) * len(FOUR)
    assert point.levels is None
    assert point.classes == len({p.rows[0] for p in people})
    assert point.risk == pytest.approx(risk_of(released, risk, node), abs=1e-11)
    sizes = Counter(p.rows[0] for p in people)
    level = [
        [next(x for x in range(h.height + 1) if p.rows[0][q] in h.share(x)) for p in people]
        for q, h in enumerate(FOUR.values())
    ]
    share = [
        [h.share(level[q][i])[p.rows[0][q]] for i, p in enumerate(people)]
        for q, h in enumerate(FOUR.values())
    ]
    n = len(people)
    l_q = [
        (sum(s) - n / h.domain_size) / (n - n / h.domain_size)
        for s, h in zip(share, FOUR.values(), strict=True)
    ]
    loss = {
        "loss_am": sum(l_q) / 4,
        "loss_gm": math.prod(1 + x for x in l_q) ** 0.25 - 1,
        "precision": sum(sum(x) / n / h.height for x, h in zip(level, FOUR.values(), strict=True)) / 4,
        "discernibility": sum(x * x for x in sizes.values()) / n**2,
        "average_class_size": 1 / len(sizes),
    }[name]
    assert point.utility == pytest.approx(1 - loss, abs=1e-9)


class Released:
    """A hierarchy of labels as they are."""

    height = 0

    def __init__(self, name: str) -> None:
        self.name = name

    def label(self, value: str | None, _: int) -> str | None:
        return value


def test_either_recoding_is_on_one_front():
    world = World(random_people(random.Random(8), 60, names=tuple(FOUR), rows=(1,)), FOUR, [])
    candidates = candidates_of(world, "prosecutor_average", "loss_am", 0.0)
    fronts = {
        recoding: front_of(candidates, [KAnonymity(3)], K3, recoding=recoding)
        for recoding in ("full_domain", "local", "either")
    }
    assert [p.levels for p in fronts["local"].points] == [None]
    assert fronts["local"].nodes_checked == 0
    both = [*fronts["full_domain"].points, *fronts["local"].points]
    assert fronts["either"].points == pareto(both)
    for goal in GOALS:
        chosen = choose(candidates, [KAnonymity(3)], K3, goal, recoding="either")
        assert chosen.point == goal.best(both)
        assert (chosen.local is None) == (chosen.point is None or chosen.point.levels is not None)
    with pytest.raises(PolicyError, match="not defined for local recoding"):
        candidates_of(world, "marketer", "nuentropy", 0.0).recoded_locally([KAnonymity(3)], K3)


def test_least_loss_is_the_goal_without_weight_on_risk():
    world = World(random_people(random.Random(3), 80, names=tuple(FOUR), rows=(1,)), FOUR, [])
    for name in LOSSES:
        candidates = candidates_of(world, "marketer", name, 0.1)
        found = search(candidates.table, FOUR, [KAnonymity(4)], loss=name, suppression_limit=0.1)
        assert isinstance(found, Solution)
        chosen = choose(candidates, [KAnonymity(4)], K3, Goal(weight=0.0)).point
        assert chosen is not None
        assert chosen.utility == candidates.utility.of(found.loss)


def test_budget_leaves_a_bound():
    world = World(random_people(random.Random(3), 80, names=tuple(FOUR), rows=(1,)), FOUR, [])
    candidates = candidates_of(world, "prosecutor_highest", "loss_am", 0.1)
    for goal in GOALS:
        best = choose(candidates, [KAnonymity(4)], K3, goal)
        for nodes in (1, 5, 20):
            early = choose(candidates, [KAnonymity(4)], K3, goal, budget=Budget(nodes=nodes))
            if early.nodes_checked < nodes or best.point is None:
                continue
            assert early.bound <= goal.value(best.point)
            assert early.optimal <= (early.point == best.point)
    assert not front_of(candidates, [KAnonymity(4)], K3, budget=Budget(nodes=5)).complete
    assert not front_of(candidates, [KAnonymity(4)], K3, budget=Budget(seconds=0.0)).complete


@given(st.lists(st.tuples(st.integers(0, 6), st.integers(0, 6)), min_size=1, max_size=40))
def test_no_point_of_a_front_is_dominated_and_every_goal_is_on_it(pairs):
    points = [Point(K3, (i,), 0, 1, r / 6, u / 6) for i, (r, u) in enumerate(pairs)]
    front = pareto(points)
    assert {(p.risk, p.utility) for p in front} == undominated([(p.risk, p.utility, (), 0) for p in points])
    assert pareto(reversed(points)) == front
    assert [p.risk for p in front] == sorted({p.risk for p in front})
    for goal in GOALS:
        assert goal.best(points) == goal.best(front)
    for taus in itertools.pairwise([Goal(tau=x / 10) for x in range(11)]):
        low, high = (goal.best(points) for goal in taus)
        assert high is None or (low is not None and low.risk <= high.risk)
    for weights in itertools.pairwise([Goal(weight=x / 10) for x in range(11)]):
        low, high = (goal.best(points) for goal in weights)
        assert low is not None
        assert high is not None
        assert high.risk <= low.risk
        assert high.utility <= low.utility
    assert Goal(weight=1.0).best(points) == front[0]
    assert Goal(weight=0.0).best(points) == front[-1]


@settings(max_examples=25, deadline=None)
@given(
    seed=st.integers(0, 10**6),
    count=st.integers(1, 30),
    rows=st.sampled_from([(1,), (1, 2, 3)]),
    limit=st.sampled_from([0.0, 0.3, 1.0]),
    risk=st.sampled_from(["prosecutor_highest", "prosecutor_average", "marketer", "share_at_risk",
                          "attribute_distance", "attribute_gain"]),
    utility=st.sampled_from(list(LOSSES)),
)  # fmt: skip
def test_risk_and_utility_are_in_the_unit_interval(seed, count, rows, limit, risk, utility):
    world = World(random_people(random.Random(seed), count, rows=rows), TREES, [])
    candidates = Candidates(table_of(world), TREES, risk=Risk(risk), utility=utility, suppression_limit=limit)
    criteria: list[Criterion] = [KAnonymity(2)]
    nodes = candidates.nodes(criteria)
    for outcome in nodes:
        loss = candidates.utility.loss.value(outcome)
        point = candidates.generalized(nodes.judge, outcome, K3)
        assert 0 <= point.risk <= 1
        assert 0 <= point.utility <= 1
        if utility != "discernibility" or rows == (1,):
            assert 1 - loss / candidates.utility.scale >= -1e-12


def test_stricter_k_bounds_risk_and_costs_utility():
    world = World(random_people(random.Random(1), 90, names=tuple(FOUR), rows=(1,)), FOUR, [])
    candidates = candidates_of(world, "prosecutor_highest", "loss_am", 0.1)
    fronts = {k: front_of(candidates, [KAnonymity(k)], Setting(k)).points for k in (2, 4, 8, 16)}
    for k, points in fronts.items():
        assert all(p.risk <= 1 / k + 1e-12 for p in points)
        assert {p.setting for p in points} == {Setting(k)}
    most = [points[-1].utility for points in fronts.values()]
    assert most == sorted(most, reverse=True)
    assert len(set(most)) > 1


def test_what_a_risk_needs_must_be_there():
    world = World(random_people(random.Random(1), 9, rows=(1,)), TREES, [])
    for name in ("journalist_highest", "journalist_average"):
        with pytest.raises(PolicyError, match="population's table"):
            candidates_of(world, name, "loss_am", 0.0)
    bare = World([replace(p, sensitive={}) for p in world.people], TREES, [])
    for name in ("attribute_distance", "attribute_gain"):
        with pytest.raises(PolicyError, match="sensitive attributes"):
            candidates_of(bare, name, "loss_am", 0.0)
    with pytest.raises(PolicyError, match="lambda must lie"):
        Goal(weight=1.5)


def test_settings_replace_thresholds_alone():
    own = SensitiveCriteria(l=Diversity(entropy=2.0), t=Closeness(ordered=0.3, order=["a", "b"]), alpha=0.5)
    privacy = Privacy(k=5, l=2, sensitive={"ILL": own})
    kept = with_setting(privacy, Setting(9), ["ILL", "JOB"])
    assert kept.k == 9
    assert kept.sensitive["ILL"] == own
    changed = with_setting(privacy, Setting(5, 3, 0.1), ["ILL", "JOB"]).sensitive
    assert changed["ILL"].l == Diversity(distinct=3, entropy=2.0)
    assert changed["ILL"].t == Closeness(ordered=0.1, order=["a", "b"])
    assert changed["ILL"].alpha == 0.5
    assert (changed["JOB"].l, changed["JOB"].t) == (3, 0.1)
    for wrong in (Setting(1), Setting(2, l=0), Setting(2, t=1.5)):
        with pytest.raises(PolicyError, match="must"):
            with_setting(privacy, wrong, ["ILL"])
    with pytest.raises(PolicyError, match="names none"):
        with_setting(privacy, Setting(2, l=2), [])


def feasible(world: World, limit: int) -> bool:
    """By looking at all nodes."""
    gone = [len(world.suppressed(node)[0]) for node in world.nodes()]
    return any(out <= limit and out < len(world.people) for out in gone)


@pytest.mark.parametrize("seed", range(15))
def test_nearest_feasible_settings_are_brute_force(seed):
    draw = random.Random(seed)
    world = World(random_people(draw, draw.choice([5, 12, 30]), rows=(1,)), TREES, [])
    limit = draw.choice([0, 2])
    asked = [
        Rule("k", a=draw.choice([2, 50])),
        Rule("l", "ILL", draw.choice([2, 9])),
        Rule("entropy_l", "JOB", 1.99),
    ]
    table = candidates_of(world, "marketer", "loss_am", 0.0).table
    found = nearest_feasible(table, TREES, [criterion_of(rule) for rule in asked], limit)

    def strictest(i: int, others: Sequence[Rule]) -> float | None:
        steps = range(int(asked[i].a), 1 if asked[i].name == "k" else 0, -1)
        if asked[i].name == "entropy_l":
            return None
        ways = (x for x in steps if feasible(replace(world, rules=[*others, replace(asked[i], a=x)]), limit))
        return next(ways, None)

    for i in (0, 1):
        near, alone = found.criteria[i], found.alone[i]
        others = [rule for rule in asked if rule is not asked[i]]
        name = asked[i].name
        assert (None if near is None else getattr(near, name)) == strictest(i, others)
        assert (None if alone is None else getattr(alone, name)) == strictest(i, [])
    own = replace(world, rules=asked)
    outs = [len(own.suppressed(node)[0]) for node in own.nodes()]
    assert found.suppressed == min((x for x in outs if x < len(world.people)), default=None)
    entropy = found.alone[2]
    assert entropy is not None
    assert feasible(replace(world, rules=[Rule("entropy_l", "JOB", entropy.l - 1e-6)]), limit)
    if entropy.l < 1.99:
        assert not feasible(replace(world, rules=[Rule("entropy_l", "JOB", entropy.l + 1e-3)]), limit)


def test_shortfalls_say_what_would_do():
    world = World(random_people(random.Random(4), 30, rows=(1,)), TREES, [])
    table = candidates_of(world, "marketer", "loss_am", 0.0).table
    criteria: list[Criterion] = [KAnonymity(31), DistinctLDiversity(2, "ILL")]
    said = dict(shortfalls(nearest_feasible(table, TREES, criteria, 3), criteria, 30))
    assert said["suppression limit"] == "no limit would do: nobody would be left"
    assert said["k-anonymity"] == "k = 31 wanted; k = 30 would do with all else as it is"
    assert said["l-diversity of ILL"] == ("l = 2 wanted; l = 2 is in reach alone, not with all else as it is")
    rare = [DistinctLDiversity(9, "ILL"), KAnonymity(31)]
    said = dict(shortfalls(nearest_feasible(table, TREES, rare, 3), rare, 30))
    assert said["l-diversity of ILL"].startswith("l = 9 wanted; l = 4 is in reach alone")
