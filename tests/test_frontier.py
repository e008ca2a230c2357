"""Risk, utility and their Pareto front against brute force in plain Python."""

import io
import itertools
import json
import math
import random
import time
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.console import Console

from anon_spark import cli
from anon_spark.anonymize.frontier import Candidates, choose, front_of, with_setting
from anon_spark.anonymize.lattice import Budget, Infeasible, Solution, search
from anon_spark.anonymize.nearest import Nearest, nearest_feasible, shortfalls
from anon_spark.anonymize.patterns import from_histogram
from anon_spark.anonymize.recoded import FullDomain, Local, Recoded, recode
from anon_spark.anonymize.tradeoff import Goal, Point, Risk, RiskName, Setting, pareto
from anon_spark.errors import GateRefusedError, PolicyError
from anon_spark.policy.table import SearchBudget, TablePolicy, load_table_policy
from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.beta_likeness import BetaLikeness
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import Closeness, Diversity, Privacy, SensitiveCriteria
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.delta_presence import DeltaPresence
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity, RecursiveLDiversity
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.report.frontier_plot import write_frontier
from anon_spark.table import anonymize_table
from anon_spark.table_frontier import Asked, explore
from anon_spark.utility.losses import LOSSES
from tests import test_parity
from tests import test_table as one_table
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


@pytest.mark.parametrize("seed", range(30))
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


def recoded(
    world: World, limit: float = 0.0, criteria: Sequence[Criterion] = (), **policy: object
) -> Recoded:
    """By a policy, from the pattern table on; k alone where no criteria are given."""
    table = candidates_of(world, "marketer", "loss_am", 0.0).table
    given = a_policy().model_dump() | {"sensitive": (), "suppression_limit": limit} | policy
    loaded = TablePolicy.model_validate(given)
    return recode(loaded, table, world.trees, criteria or [KAnonymity(loaded.privacy.k)])


def one_value_too_common() -> tuple[World, list[Criterion]]:
    """Everybody as one class fails; without the three people of one colour the others do not."""
    people = [Person((("red", "s", "a"),), {"ILL": (x,)}) for x in "aab" * 4]
    people += [Person((("blue", "s", "a"),), {"ILL": ("a",)})] * 3
    return World(people, TREES, []), [AlphaK(0.7, 2, "ILL")]


@pytest.mark.parametrize("goal", [{"tau": 0.3}, {"lambda": 0.5}])
def test_a_search_for_an_objective_that_its_budget_ended_is_not_called_infeasible(goal):
    world, criteria = one_value_too_common()
    aim = {"risk": "marketer", **goal}
    with pytest.raises(
        GateRefusedError, match=r"budget of the search ended after 1 of .* nodes, of which none"
    ):
        recoded(world, 0.3, criteria, objective=aim, search={"nodes": 1})
    assert recoded(world, 0.3, criteria, objective=aim).suppressed == 3
    with pytest.raises(GateRefusedError, match="no generalization of 15 people"):
        recoded(world, 0.1, criteria, objective=aim)
    with pytest.raises(GateRefusedError, match=r"has utility 0\.95"):
        recoded(world, 0.3, criteria, objective={"risk": "marketer", "tau": 0.95})


@pytest.mark.parametrize("tau", [0.0, 0.5])
def test_a_front_that_its_budget_ended_is_not_called_infeasible(tau):
    world, criteria = one_value_too_common()
    table = candidates_of(world, "marketer", "loss_am", 0.0).table
    policy = a_policy().model_copy(update={"search": SearchBudget(nodes=1), "suppression_limit": 0.3})
    with pytest.raises(
        GateRefusedError, match=r"budget of the search ended after 1 of .* nodes, of which none meets"
    ):
        explore(policy, table, TREES, {K3: criteria if tau == 0 else [KAnonymity(2)]}, [Goal(tau=tau)])


def test_what_local_recoding_cannot_do_is_told_of_it():
    world, criteria = one_value_too_common()
    with pytest.raises(GateRefusedError, match="no local recoding of 15 people") as refused:
        recoded(world, 0.3, criteria, recoding="local")
    said = dict(refused.value.shortfalls)
    assert said["suppression limit"] == (
        "local recoding suppresses nobody; with full_domain 0.2 would do: 3 of 15 people"
    )
    near = float(said["(alpha,k)-anonymity of ILL"].split("alpha = ")[2].split(",")[0])
    assert near >= 11 / 15
    assert recoded(world, 0.3, [AlphaK(near, 2, "ILL")], recoding="local").suppressed == 0


def test_nothing_is_proven_of_what_local_recoding_could_better():
    world = World(random_people(random.Random(8), 60, names=tuple(TREES), rows=(1,)), TREES, [])
    goals = [{"risk": "prosecutor_highest", "lambda": x} for x in (0.0, 0.5, 1.0)]
    goals += [{"risk": "prosecutor_average", "tau": 0.01}]
    kinds = set()
    for goal, recoding in itertools.product(goals, ("full_domain", "local", "either")):
        found = recoded(world, objective=goal, recoding=recoding)
        kinds.add((recoding, type(found)))
        proven = recoding == "full_domain"
        assert (found.proof["optimal"] is True) == proven
        assert (found.proof["bound"] is not None) == proven
        assert found.proof["optimal"] is proven
    assert kinds >= {("either", Local), ("either", FullDomain)}
    plain = recoded(world, recoding="local")
    assert (plain.proof["optimal"], plain.proof["bound"]) == (False, None)
    early = recoded(world, 0.1, search={"nodes": 3})
    assert early.proof["optimal"] == early.proof["bound"] < early.losses["loss_am"]
    assert set(plain.losses) == set(LOSSES) - {"nuentropy"}


def test_either_is_proven_where_no_local_recoding_is_possible():
    world, criteria = one_value_too_common()
    candidates = candidates_of(world, "marketer", "loss_am", 0.3)
    found = choose(candidates, criteria, K3, Goal(weight=0.0), recoding="either")
    assert found.point is not None
    assert found.point.suppressed == 3
    assert found.optimal


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


def test_of_equal_values_less_risk_is_wanted_then_more_utility():
    low, high = Point(K3, (1,), 0, 1, 0.25, 0.5), Point(K3, (0,), 0, 1, 0.5, 0.75)
    assert Goal(weight=0.5).best([high, low]) == low
    assert Goal(weight=0.0).best([replace(low, utility=0.75), high]).risk == 0.25
    assert Goal(tau=0.1).best([low, replace(low, utility=0.6)]).utility == 0.6
    local, coarse = replace(low, levels=None), replace(low, levels=(2,))
    assert Goal(tau=0.1).best([local, coarse, low]) == low
    assert pareto([local, coarse, low]) == [low]


@pytest.mark.parametrize("seed", range(40))
def test_nearest_limit_is_the_fewest_suppressed_at_any_node(seed):
    draw = random.Random(seed)
    people = random_people(draw, draw.choice([9, 15, 25]), rows=(1,))
    world = World(people, TREES, [Rule("k", a=2), Rule("entropy_l", "JOB", draw.choice([1.97, 1.995]))])
    table = candidates_of(world, "marketer", "loss_am", 0.0).table
    found = nearest_feasible(table, TREES, [criterion_of(rule) for rule in world.rules], 0)
    outs = [len(world.suppressed(node)[0]) for node in world.nodes()]
    assert found.suppressed == min((x for x in outs if x < len(people)), default=None)


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
    plain = SensitiveCriteria(l=4, t=0.4)
    privacy = Privacy(k=5, l=2, sensitive={"ILL": own, "JOB": plain})
    kept = with_setting(privacy, Setting(9), ["ILL", "JOB"])
    assert kept.k == 9
    assert kept.sensitive == {"ILL": own, "JOB": plain}
    changed = with_setting(privacy, Setting(5, 3, 0.1), ["ILL", "JOB"]).sensitive
    assert changed["ILL"].l == Diversity(distinct=3, entropy=2.0)
    assert changed["ILL"].t == Closeness(ordered=0.1, order=["a", "b"])
    assert changed["ILL"].alpha == 0.5
    assert (changed["JOB"].l, changed["JOB"].t) == (3, 0.1)
    assert with_setting(Privacy(), Setting(5, t=0.1), ["JOB"]).sensitive["JOB"].t == 0.1
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
    said = dict(shortfalls(nearest_feasible(table, TREES, criteria, 3), criteria, table))
    assert said["suppression limit"] == "no limit would do: nobody would be left"
    of_table = "k = 31 wanted, and the table has 30 people"
    assert said["k-anonymity"] == f"{of_table}; k = 30 would do with all else as it is"
    assert said["l-diversity of ILL"] == "l = 2 wanted; it can be met; what cannot is another"
    rare = [DistinctLDiversity(9, "ILL"), KAnonymity(31)]
    said = dict(shortfalls(nearest_feasible(table, TREES, rare, 3), rare, table))
    values = len(table.totals()["ILL"])
    assert said["l-diversity of ILL"] == (
        f"l = 9 wanted, and ILL has {values} values; l = {values} would do if nothing else were asked for"
    )
    assert said["k-anonymity"] == f"{of_table}; k = 30 would do if nothing else were asked for"


def test_criteria_that_only_conflict_are_told_so():
    world = World(random_people(random.Random(4), 30, rows=(1,)), TREES, [])
    table = candidates_of(world, "marketer", "loss_am", 0.0).table
    criteria: list[Criterion] = [DistinctLDiversity(2, "ILL"), KAnonymity(3)]
    conflict = Nearest((None, None), tuple(criteria), None)
    for _, said in shortfalls(conflict, criteria, table)[1:]:
        assert said.endswith("wanted; it can be met, but not together with the others")


def a_policy(**objective: object) -> TablePolicy:
    names = {name: {"hierarchy": "x"} for name in TREES}
    given = {"name": "p", "quasi_identifiers": names, "sensitive": ["ILL", "JOB"], "suppression_limit": 0.1}
    return TablePolicy.model_validate(given | ({"objective": objective} if objective else {}))


def explored(policy: TablePolicy, asked: Asked, world: World) -> dict[str, Any]:
    own = {setting: [KAnonymity(setting.k)] for setting in asked.settings(policy)}
    table = candidates_of(world, "marketer", "loss_am", 0.0).table
    return explore(policy, table, world.trees, own, asked.goals(policy))


def test_document_marks_what_each_goal_wants_on_the_front_of_all_settings():
    world = World(random_people(random.Random(2), 90, rows=(1,)), TREES, [])
    policy = a_policy(risk="prosecutor_average", utility="precision", tau=0.2)
    done = explored(policy, Asked(k=(2, 4, 9), tau=(0.1, 0.4), weight=(0.5,)), world)
    assert json.loads(json.dumps(done)) == done
    assert (done["risk"]["name"], done["utility"], done["limit"]) == ("prosecutor_average", "precision", 9)
    assert [s["name"] for s in done["settings"]] == ["k = 2", "k = 4", "k = 9"]
    assert all(s["complete"] for s in done["settings"])
    every = [(p["risk"], p["utility"], (), 0) for s in done["settings"] for p in s["front"]]
    assert [(p["risk"], p["utility"]) for p in done["front"]] == sorted(undominated(every))
    assert [c["name"] for c in done["choices"]] == ["tau = 0.1", "tau = 0.4", "lambda = 0.5"]
    for choice in done["choices"]:
        marked = [p for p in done["front"] if choice["name"] in p["chosen_by"]]
        assert [p | {"chosen_by": 0} for p in marked] == [choice["point"] | {"chosen_by": 0}]
    own = explored(policy, Asked(), world)
    assert [c["name"] for c in own["choices"]] == ["tau = 0.2"]
    least = explored(a_policy(), Asked(), world)
    assert [c["name"] for c in least["choices"]] == ["lambda = 0"]
    assert least["front"][-1]["chosen_by"] == ["lambda = 0"]


@pytest.mark.parametrize(
    ("asked", "check", "said"),
    [
        (Asked(tau=(1.0,)), "tau", "1 wanted; 0."),
        (
            Asked(k=(91,)),
            "k-anonymity",
            "k = 91 wanted, and the table has 90 people; k = 90 would do with all else as it is",
        ),
        (
            Asked(k=(2, 91, 95)),
            "k = 91: k-anonymity",
            "k = 91 wanted, and the table has 90 people; k = 90 would do with all else as it is",
        ),
    ],
)
def test_out_of_reach_is_refused_with_the_nearest_that_is_not(asked, check, said):
    world = World(random_people(random.Random(2), 90, rows=(1,)), TREES, [])
    with pytest.raises(GateRefusedError) as refused:
        explored(a_policy(), asked, world)
    assert refused.value.exit_code == 4
    assert dict(refused.value.shortfalls)[check].startswith(said)
    if check == "tau":
        would = float(dict(refused.value.shortfalls)[check].split()[2])
        assert explored(a_policy(), Asked(tau=(would,)), world)["choices"][0]["point"]["utility"] >= would


def test_plot_marks_the_chosen_and_holds_no_more_than_the_document(tmp_path):
    world = World(random_people(random.Random(2), 90, rows=(1,)), TREES, [])
    done = explored(a_policy(), Asked(k=(2, 9), tau=(0.1,), weight=(0.5,)), world)
    done["policy"] = {"name": "<b>"}
    for ending in ("svg", "html"):
        write_frontier(done, tmp_path / f"front.{ending}")
        text = (tmp_path / f"front.{ending}").read_text()
        assert all(x in text for x in ("tau = 0.1", "lambda = 0.5", "k = 2", "k = 9", "prosecutor_highest"))
        assert "<b>" not in text
        write_frontier(done, tmp_path / f"again.{ending}")
        assert (tmp_path / f"again.{ending}").read_text() == text
    root = ElementTree.parse(tmp_path / "front.svg").getroot()  # noqa: S314  (written here)
    assert root.tag.endswith("svg")
    assert "var(" not in (tmp_path / "front.svg").read_text()
    rows = (tmp_path / "front.html").read_text().count("<tr>")
    assert rows == 1 + len(done["front"])
    with pytest.raises(PolicyError, match=r"\.svg or \.html"):
        write_frontier(done, tmp_path / "front.png")


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"objective": {"risk": "marketer"}}, "tau or lambda"),
        ({"objective": {"risk": "luck", "tau": 0.5}}, "objective.risk"),
        ({"objective": {"risk": "marketer", "lambda": 2}}, "objective.lambda"),
        ({"objective": {"risk": "journalist_highest", "tau": 0.5}}, "name it"),
        (
            {"objective": {"risk": "attribute_gain", "tau": 0.5}, "sensitive": [], "drop": ["ILL"]},
            "name them",
        ),
        (
            {"objective": {"risk": "marketer", "tau": 0.5, "utility": "nuentropy"}, "recoding": "either"},
            "nuentropy",
        ),
        ({"recoding": "either"}, "with an objective"),
    ],
)
def test_objectives_that_cannot_be_are_refused_with_the_policy(tmp_path, change, said):
    (tmp_path / "size.csv").write_text("s;*\nm;*\n")
    given = {"name": "p", "quasi_identifiers": {"SIZE": {"hierarchy": "size"}}, "sensitive": ["ILL"]}
    (tmp_path / "p.yaml").write_text(json.dumps(given | change))
    with pytest.raises(PolicyError, match=said):
        load_table_policy(tmp_path / "p.yaml")
    (tmp_path / "p.yaml").write_text(json.dumps(given | {"objective": {"risk": "marketer", "lambda": 0.5}}))
    assert load_table_policy(tmp_path / "p.yaml").policy.objective.goal == Goal(weight=0.5)


def on_the_command_line(spark, monkeypatch, *arguments: object) -> str:
    monkeypatch.setattr(cli, "_session", lambda: spark)
    shown = io.StringIO()
    cli.app([str(x) for x in arguments], standalone_mode=False, obj=Console(file=shown, width=200))
    return shown.getvalue()


def test_command_prints_and_draws_what_anonymize_then_releases(spark, tmp_path, monkeypatch):
    aim = {"risk": "attribute_gain", "utility": "loss_gm", "tau": 0.3}
    table, policy = one_table.write(tmp_path, one_table.people(), objective=aim)
    command = ("frontier", table, "--policy", policy)
    ways = ("--k", "2,3", "--l", "1,2", "--t", "0.9", "--tau", "0.2,0.3", "--lambda", "0.5")
    out = on_the_command_line(spark, monkeypatch, *command, *ways, "--out", tmp_path / "f.svg", "--json")
    done = json.loads(out)
    assert [s["name"] for s in done["settings"]][::3] == ["k = 2, l = 1, t = 0.9", "k = 3, l = 2, t = 0.9"]
    assert [c["name"] for c in done["choices"]] == ["tau = 0.2", "tau = 0.3", "lambda = 0.5"]
    assert (done["people"], done["limit"], done["utility"]) == (60, 12, "loss_gm")
    assert done["out"] == str(tmp_path / "f.svg")
    assert "<svg" in (tmp_path / "f.svg").read_text()
    assert all(0 <= p["risk"] <= 1 and 0 <= p["utility"] <= 1 for p in done["front"])
    shown = on_the_command_line(spark, monkeypatch, *command)
    assert "tau = 0.3" in shown
    own = json.loads(on_the_command_line(spark, monkeypatch, *command, "--json"))
    (choice,) = own["choices"]
    released = anonymize_table(spark, table, load_table_policy(policy, table=table), tmp_path / "out.csv")
    assert released["levels"] == choice["point"]["levels"]
    assert released["suppressed"] == choice["point"]["suppressed"]
    assert released["classes"] == choice["point"]["classes"]
    assert released["optimal"] is True
    assert released["loss"]["loss_gm"] == pytest.approx(1 - choice["point"]["utility"])
    assert released["objective"] == {
        "risk": {"attribute_gain": choice["point"]["risk"]},
        "utility": {"loss_gm": choice["point"]["utility"]},
        "value": choice["value"],
    }
    with pytest.raises(PolicyError, match="numbers between commas"):
        on_the_command_line(spark, monkeypatch, *command, "--k", "two")


def test_local_recoding_is_released_where_the_objective_wants_it(spark, tmp_path):
    aim = {"risk": "prosecutor_average", "lambda": 0.1}
    table, policy = one_table.write(tmp_path, one_table.people(), objective=aim, recoding="either")
    released = anonymize_table(spark, table, load_table_policy(policy, table=table), tmp_path / "out.csv")
    assert released["levels"] is None
    assert released["suppressed"] == 0
    assert released["privacy"]["k"] >= 3
    assert released["optimal"] is False
    assert released["bound"] is None


@pytest.mark.parametrize("recoding", ["full_domain", "local"])
def test_infeasible_policies_say_so_before_writing(spark, tmp_path, recoding):
    wanted_of = {"k": 61, "l": 9}
    table, policy = one_table.write(tmp_path, one_table.people(), privacy=wanted_of, recoding=recoding)
    with pytest.raises(GateRefusedError, match="60 people") as refused:
        anonymize_table(spark, table, load_table_policy(policy, table=table), tmp_path / "out.csv")
    said = dict(refused.value.shortfalls)
    assert said["k-anonymity"].startswith("k = 61 wanted, and the table has 60 people; k = 60 would do if")
    assert said["l-diversity of illness"].startswith(
        "l = 9 wanted, and illness has 3 values; l = 3 would do if"
    )
    assert "no limit" in said["suppression limit"]
    assert ("local recoding suppresses nobody" in said["suppression limit"]) == (recoding == "local")
    aim = {"risk": "prosecutor_highest", "tau": 0.99}
    table, policy = one_table.write(tmp_path, one_table.people(), objective=aim)
    with pytest.raises(GateRefusedError, match=r"utility 0\.99") as refused:
        anonymize_table(spark, table, load_table_policy(policy, table=table), tmp_path / "out.csv")
    assert dict(refused.value.shortfalls)["tau"].startswith("0.99 wanted; 0.")
    assert not [p for p in tmp_path.iterdir() if p.name.startswith("out")]


@pytest.mark.skipif(not test_parity.CASES, reason="Adult is not beside the project")
def test_front_of_adult_ends_in_the_least_loss_and_takes_seconds():
    (case,) = [
        c
        for c in test_parity.CASES
        if (c["privacy_model"], c["metric"], c["suppression_limit"]) == ("k5", "loss_am", 0.05)
    ]
    trees = {name: test_parity.hierarchy(name) for name in case["quasi_identifiers"]}
    table = from_histogram(test_parity.histogram(tuple(trees)), trees)
    candidates = Candidates(table, trees, risk=Risk("prosecutor_average"), suppression_limit=0.05)
    began = time.process_time()
    fronts = {k: front_of(candidates, [KAnonymity(k)], Setting(k)).points for k in (2, 5, 10, 25)}
    assert time.process_time() - began < 60
    least = fronts[5][-1]
    assert dict(zip(trees, least.levels, strict=True)) == case["levels"]
    assert least.utility == pytest.approx(1 - case["loss_value"], abs=1e-9)
    assert least.suppressed == case["suppressed_records"]
    for goal in (Goal(tau=0.7), Goal(weight=0.5)):
        assert choose(candidates, [KAnonymity(5)], Setting(5), goal).point == goal.best(fronts[5])


@pytest.mark.parametrize(
    "asked",
    [
        KAnonymity(99),
        KMap(999),
        DeltaPresence(0.0, 0.001),
        DistinctLDiversity(9, "ILL"),
        EntropyLDiversity(9.0, "ILL"),
        RecursiveLDiversity(0.01, 2, "ILL"),
        AlphaK(0.01, 2, "ILL"),
        BetaLikeness(0.0001, "ILL"),
        BetaLikeness(0.0001, "ILL", enhanced=True),
        DeltaDisclosurePrivacy(0.0001, "JOB"),
        TCloseness(0.0, "ILL"),
    ],
    ids=lambda criterion: type(criterion).__name__,
)
def test_what_is_said_to_be_feasible_is(asked):
    draw = random.Random(11)
    people = random_people(draw, 40, rows=(1,))
    others = [p.rows[0] for p in random_people(draw, 60, rows=(1,))] + [p.rows[0] for p in people]
    table = candidates_of(World(people, TREES, [], others), "marketer", "loss_am", 0.0).table
    (near,) = nearest_feasible(table, TREES, [asked], 4).criteria
    assert near is not None
    assert isinstance(search(table, TREES, [near], suppression_limit=0.1), Solution)
    infeasible = isinstance(search(table, TREES, [asked], suppression_limit=0.1), Infeasible)
    assert infeasible == (near != asked)
