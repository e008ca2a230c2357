"""People with several rows before attackers who know one, some or all of them: search, rounds, gate and cap."""

import itertools
import random
from collections import Counter, defaultdict
from collections.abc import Hashable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path

import pandas as pd
import pytest
from pydantic import ValidationError

from anon_spark.anonymize import histories
from anon_spark.anonymize.cap import Choice, choose_cap
from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histories import ADMITTED, HistoryTable, WholeHistories, known_to
from anon_spark.anonymize.lattice import Infeasible, search, whole_input
from anon_spark.anonymize.suppression import evaluator, suppress
from anon_spark.deidentify.pseudonyms import pseudonym
from anon_spark.errors import PolicyError
from anon_spark.ingest.lake import delta_reader
from anon_spark.policy.check import check_policy
from anon_spark.policy.load import load_policy
from anon_spark.policy.model import Attacker, Policy
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.measure import known_to_attacker, measure
from anon_spark.utility.losses import LOSSES, make_loss
from tests import toy
from tests.brute_force import COLOUR, FOUR, SIZE, TREES, Label, Node, Person, Rule, World, random_people
from tests.conftest import KEY, publish
from tests.mutants.engines import PEOPLE
from tests.readers import read_release
from tests.test_search import ONE_TUPLE, check, criterion_of, table_of

KNOWN = (1, 2, 3, None)  # rows the attacker knows, None being all
RULES = [rule for rule in ONE_TUPLE if rule.name not in ("k_map", "presence")]
ROWS = (1, 1, 1, 2, 2, 3, 4, 5)
Row = tuple[Label, ...]


@dataclass
class HistoryWorld(World):
    """People before an attacker who knows so many of their rows."""

    known: int | None = 1

    def known_of(self, person: Person, node: Node) -> set[Hashable]:
        """All that the attacker may know of a person, each a bag of tuples."""
        rows = [self.released(row, node) for row in person.rows]
        sizes = [len(rows)] if self.known is None else range(1, self.known + 1)
        return {bag(chosen) for size in sizes for chosen in itertools.combinations(rows, size)}

    def suppressed(self, node: Node) -> tuple[set[int], dict[Hashable, set[int]]]:  # type: ignore[override]
        """People taken out by rounds over sets of people, and the classes left."""
        out: set[int] = set()
        mapped = Counter(bag([self.released(row, node)]) for row in self.population)
        told = [self.known_of(person, node) for person in self.people]
        while True:
            members: dict[Hashable, set[int]] = defaultdict(set)
            for i in {*range(len(told))} - out:
                for known in told[i]:
                    members[known].add(i)
            failing = [
                who
                for known, who in members.items()
                if any(self.fails(rule, who, mapped[known]) for rule in self.rules)
            ]
            if not failing:
                return out, dict(members)
            out |= set().union(*failing)

    def table(self) -> HistoryTable:
        """Patterns as the engine has them."""
        return known_to(table_of(self), self.known)


def bag(rows: Sequence[Row]) -> Hashable:
    return frozenset(Counter(rows).items())


def world_of(
    seed: int,
    count: int,
    rules: Sequence[Rule],
    known: int | None,
    trees: Mapping[str, Hierarchy] = TREES,
) -> HistoryWorld:
    people = random_people(random.Random(seed), count, names=tuple(trees), rows=ROWS)
    return HistoryWorld(people, trees, rules, known=known)


def person(*places: Label, value: str = "x") -> Person:
    return Person(tuple(("red", "s", place) for place in places), {"ILL": (value,), "JOB": ("p",)})


def people_out(known: int | None, *people: Person, k: int = 2) -> int:
    return suppress(
        HistoryWorld(people, TREES, [], known=known).table(), TREES, (0, 0, 0), [KAnonymity(k)]
    ).people


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("seed", range(40))
def test_the_search_is_brute_force(seed, known):
    draw = random.Random(seed)
    trees = FOUR if seed % 4 == 0 else TREES
    rules = draw.sample(RULES, draw.choice([1, 1, 2, 3]))
    world = world_of(seed, draw.choice([1, 5, 12, 30]), rules, known, trees)
    check(world, world.table(), draw.choice(list(LOSSES)), draw.choice([0.0, 0.1, 0.5, 1.0]))


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("rule", RULES, ids=lambda r: r.name)
def test_suppression_at_every_node_is_the_definition(rule, known):
    for seed in range(3):
        world = world_of(seed, 40, [Rule("k", a=2), rule], known)
        table, criteria = world.table(), [criterion_of(r) for r in world.rules]
        for node in world.nodes():
            out, left = world.suppressed(node)
            found = suppress(table, TREES, node, criteria)
            assert (found.people, found.classes) == (len(out), len(left)), node


@pytest.mark.parametrize("known", KNOWN)
def test_rounds_leave_as_many_people_as_can_be(known):
    """For k and distinct l the largest set of people that meets them, found among all sets, is what is left."""
    for seed in range(15):
        rules = [Rule("k", a=2), *([Rule("l", "ILL", 2)] if seed % 2 else [])]
        world = world_of(seed, 8, rules, known)
        table, criteria = world.table(), [criterion_of(rule) for rule in rules]
        for node in random.Random(seed).sample(world.nodes(), 4):
            feasible = max(
                size
                for size in range(9)
                for kept in itertools.combinations(world.people, size)
                if not replace(world, people=kept).suppressed(node)[0]
            )
            assert 8 - suppress(table, TREES, node, criteria).people == feasible


@pytest.mark.parametrize("known", KNOWN)
def test_who_is_certain_to_be_suppressed_is_so_at_every_finer_node(known):
    found = 0
    for seed, rule in itertools.product(range(3), RULES):
        world = world_of(seed, 25, [Rule("k", a=2), rule], known)
        table = world.table()
        judge = evaluator(table, Coarsening(table, TREES), [criterion_of(r) for r in world.rules], 25)
        out = {node: len(world.suppressed(node)[0]) for node in world.nodes()}
        for node in world.nodes():
            certain = judge.outcome(node).certain_in_all
            below = itertools.product(*(range(level + 1) for level in node))
            assert all(certain <= out[finer] for finer in below)
            found += certain > 0
    assert found


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("loss", sorted(LOSSES))
def test_bounds_hold_at_every_node_whatever_was_seen(loss, known):
    for seed in range(6):
        world = world_of(seed, 25, [Rule("k", a=2), Rule("t", "ILL", 0.4)], known)
        table = world.table()
        coarsening = Coarsening(table, TREES)
        judge = evaluator(table, coarsening, [criterion_of(r) for r in world.rules], 25)
        true = {node: world.loss(loss, node, {})[0] for node in world.nodes()}
        bounds = make_loss(loss, whole_input(table, coarsening)).bounds()
        for node in [None, *random.Random(seed).sample(world.nodes(), 8)]:
            if node is not None:
                bounds.learn(judge.outcome(node))
            assert all(bounds.lower[x] <= value + 1e-9 for x, value in true.items())


def test_histories_have_one_number_where_they_are_equal():
    world = world_of(3, 120, [], None, FOUR)
    table = world.table()
    own = [Counter(key) for key in table.keys(table.people > 0)]
    coarsening = Coarsening(table, FOUR)
    whole = WholeHistories(table, coarsening)
    tuple_key = dict(zip(table.packed.tolist(), range(len(table.packed)), strict=False))
    for node in world.nodes():
        label = coarsening.keys(coarsening.members, node)[0]
        histories_ = [bag([label[tuple_key[t]] for t in counts.elements()]) for counts in own]
        numbers, bound = whole.keys(whole.members, node)
        pairs = set(zip(histories_, numbers.tolist(), strict=True))
        assert len(pairs) == len(set(histories_)) == len(set(numbers.tolist()))
        assert numbers.max() < bound


def test_what_each_attacker_finds():
    pair, one, other = person("a", "b"), person("a"), person("b")
    assert people_out(1, pair, one, other) == 0  # 'a' and 'b' have two people each
    assert people_out(2, pair, one, other) == 3  # both visits single out one, and the rounds the others
    assert people_out(2, pair, pair, one, other) == 0  # either visit of theirs is another's too
    assert people_out(None, pair, pair, one, other) == 2  # who has one visit is told by that


def test_how_often_a_tuple_stands_in_a_history_counts():
    twice, thrice = person("a", "a"), person("a", "a", "a")
    assert people_out(1, twice, person("a")) == 0
    assert people_out(2, twice, person("a")) == 2
    assert people_out(2, twice, thrice) == 0
    assert people_out(3, twice, thrice) == 2
    assert people_out(None, twice, thrice) == 2


def test_the_order_of_rows_is_no_part_of_a_history():
    assert people_out(None, person("a", "b", None), person(None, "b", "a")) == 0


@pytest.mark.parametrize("known", KNOWN)
def test_sets_of_values_are_searched(known):
    draw = random.Random(7)
    people = [
        replace(p, sensitive={"ILL": tuple(draw.sample("uvw", draw.choice([0, 1, 2])))})
        for p in random_people(draw, 24, rows=ROWS)
    ]
    for rule in (Rule("alpha_k", "ILL", 0.8, 2), Rule("t_value", "ILL", 0.4)):
        world = HistoryWorld(people, TREES, [Rule("k", a=2), rule], known=known)
        check(world, world.table(), "loss_am", 1.0)


@pytest.mark.parametrize("known", [1, 2, None])
def test_who_has_no_admission_is_never_one_with_who_has(known):
    """At the top level all values are open, but a release still shows who has an admission."""
    trees = {**TREES, ADMITTED.name: ADMITTED}
    visited = [Person((("red", "s", "a", "yes"),), {"ILL": ("x",)})] * 3
    never = Person((("red", "s", None, "no"),), {"ILL": ("x",)})
    for absent, out in ((1, 1), (2, 0)):
        world = HistoryWorld([*visited, *[never] * absent], trees, [Rule("k", a=2)], known=known)
        found = suppress(world.table(), trees, (2, 1, 2, 0), [KAnonymity(2)])
        assert found.people == out
    assert search(world.table(), trees, [KAnonymity(3)], suppression_limit=0.5).suppressed.people == 2


def test_too_many_choices_of_rows_are_refused_by_name(monkeypatch):
    monkeypatch.setattr(histories, "_MOST_SETS", 10)
    table = HistoryWorld([person(*"abab", None)], TREES, [], known=2).table()
    with pytest.raises(PolicyError, match=r"up to 5 admissions make 15 multisets .* lower the cap"):
        suppress(table, TREES, (0, 0, 0), [KAnonymity(2)])


@pytest.mark.parametrize("name", sorted(PEOPLE))
def test_the_definition_catches_a_wrong_engine(name):
    """Each wrong engine must differ from the definition before an attacker it is wrong about, the right one never."""
    known, mutant = PEOPLE[name]
    different = 0
    for seed in range(6):
        world = world_of(seed, 30, [Rule("k", a=3), Rule("l", "ILL", 2)], known)
        table, criteria = world.table(), [KAnonymity(3), DistinctLDiversity(2, "ILL")]
        for node in world.nodes():
            out = len(world.suppressed(node)[0])
            assert suppress(table, TREES, node, criteria).people == out
            different += mutant(table, TREES, node, criteria).people != out
    assert different > 0


# --- the cap ---


def capped(world: HistoryWorld, cap: int) -> HistoryWorld:
    return replace(world, people=[replace(p, rows=p.rows[:cap]) for p in world.people])


def lost_in_all(world: HistoryWorld, cap: int, node: Node, weights: Mapping[str, float]) -> float:
    """loss_am over all rows by its definition: 1 for a capped row and for a suppressed person's."""
    out = capped(world, cap).suppressed(node)[0]
    losses = []
    for i, (name, tree) in enumerate(world.trees.items()):
        share, total, units = tree.share(node[i]), 0.0, 0
        for who, p in enumerate(world.people):
            own = p.rows if name in world.of_rows else p.rows[:1]
            for place, row in enumerate(own):
                gone = who in out or (name in world.of_rows and place >= cap)
                total += 1.0 if gone else share[tree.label(row[i], node[i])]
                units += 1
        finest = units / tree.domain_size
        losses.append(max((total - finest) / (units - finest), 1e-10) * weights[name])
    return sum(losses) / sum(weights.values())


def least_at(world: HistoryWorld, cap: int, limit: float, weights: Mapping[str, float]) -> float | None:
    """Least loss of all nodes at one cap."""
    allowed = int(limit * len(world.people) + 1e-9)
    return min(
        (
            lost_in_all(world, cap, node, weights)
            for node in world.nodes()
            if len(capped(world, cap).suppressed(node)[0]) <= min(allowed, len(world.people) - 1)
        ),
        default=None,
    )


def chosen(
    world: HistoryWorld, limit: float, weights: Mapping[str, float], loss: str = "loss_am"
) -> Choice | Infeasible:
    criteria = [criterion_of(rule) for rule in world.rules]
    return choose_cap(
        max(len(p.rows) for p in world.people),
        lambda cap: capped(world, cap).table(),
        lambda table, shrunk: search(
            table, world.trees, criteria, loss=loss, weights=shrunk, suppression_limit=limit
        ),
        rows=sum(len(p.rows) for p in world.people),
        weights=weights,
        scaled=loss == "loss_am",
    )


CAP_WORLDS = [(seed, known) for seed in range(12) for known in (1, 2, None)]


def cap_world(seed: int, known: int | None) -> tuple[HistoryWorld, float, dict[str, float]]:
    draw = random.Random(seed)
    trees = {"COLOUR": COLOUR, "SIZE": SIZE, "PLACE": TREES["PLACE"]}
    world = world_of(seed, draw.choice([10, 16, 24]), [Rule("k", a=draw.choice([2, 3]))], known, trees)
    weights = draw.choice(
        [{"COLOUR": 1.0, "SIZE": 1.0, "PLACE": 1.0}, {"COLOUR": 0.5, "SIZE": 1.0, "PLACE": 4.0}]
    )
    return world, draw.choice([0.2, 0.5]), weights


@pytest.mark.parametrize(("seed", "known"), CAP_WORLDS)
def test_what_a_cap_loses_is_the_least_of_all_levels(seed, known):
    world, limit, weights = cap_world(seed, known)
    found = chosen(world, limit, weights)
    by_cap = {c: least_at(world, c, limit, weights) for c in range(1, 6)}
    if isinstance(found, Infeasible):
        assert not any(loss is not None for loss in by_cap.values())
        return
    assert {c: loss and pytest.approx(loss) for c, loss in found.tried.items()} == {
        c: by_cap[c] for c in found.tried
    }
    assert found.loss == pytest.approx(by_cap[found.cap])
    assert not any(loss is not None and loss < found.loss - 1e-9 for loss in found.tried.values())


def test_the_greedy_cap_is_nearly_always_the_best():
    gaps = []
    for seed, known in CAP_WORLDS:
        world, limit, weights = cap_world(seed, known)
        found = chosen(world, limit, weights)
        every = [least_at(world, cap, limit, weights) for cap in range(1, 6)]
        if isinstance(found, Choice):
            gaps.append(found.loss - min(loss for loss in every if loss is not None))
    assert len(gaps) > 30
    assert min(gaps) >= -1e-9
    assert sum(gap > 1e-9 for gap in gaps) <= 1
    assert max(gaps) < 0.02


def test_a_cap_makes_a_unique_history_common():
    people = [person("a"), person("a"), person("a"), person("a", "b", "b")]
    world = HistoryWorld(people, TREES, [Rule("k", a=2)], known=None)
    weights = dict.fromkeys(TREES, 1.0)
    assert isinstance(search(world.table(), TREES, [KAnonymity(2)]), Infeasible)
    found = chosen(world, 0.0, weights)
    assert isinstance(found, Choice)
    assert (found.cap, found.tried[2], found.tried[3]) == (1, None, None)


def test_no_cap_helps_where_there_are_too_few_people():
    world = HistoryWorld([person("a"), person("b", "a")], TREES, [Rule("k", a=3)], known=1)
    assert isinstance(chosen(world, 0.0, dict.fromkeys(TREES, 1.0)), Infeasible)


def test_under_another_loss_the_levels_are_of_that_loss():
    world, limit, weights = cap_world(0, None)
    found = chosen(world, limit, weights, "discernibility")
    assert isinstance(found, Choice)
    best = capped(world, found.cap).best("discernibility", limit)
    assert best is not None
    assert found.loss == pytest.approx(lost_in_all(world, found.cap, best[1], weights))


# --- the gate and the job ---

STATED = ("SEX", "AGE", "TOWN", "KIND")  # the toy hospital's quasi-identifiers


def policy_for(toy_policy: Path, admissions: int | str) -> Policy:
    attacker = Attacker.model_validate({"admissions": admissions})
    return load_policy(toy_policy).policy.model_copy(update={"attacker": attacker})


@pytest.mark.parametrize("admissions", [1, 2, 3, "all"])
def test_the_gate_counts_people_by_what_the_attacker_knows(spark, toy_policy, admissions):
    policy = policy_for(toy_policy, admissions)
    visited = random_people(random.Random(11), 50, names=tuple(FOUR), rows=ROWS)
    people = [replace(p, rows=tuple((*row, "yes") for row in p.rows)) for p in visited]
    people += [Person(((*p.rows[0][:3], None, "no"),), p.sensitive) for p in visited[:8]]
    world = HistoryWorld(people, {**FOUR, ADMITTED.name: ADMITTED}, [], known=policy.attacker.known)
    rows = [
        (i, 10 * i + place if row[-1] == "yes" else None, place + 1, *row[:-1], *p.sensitive["ILL"])
        for i, p in enumerate(people)
        for place, row in enumerate(p.rows)
    ]
    columns = ", ".join(f"q_{name} string" for name in STATED)
    tuples = spark.createDataFrame(rows, f"_person int, _admission int, _rank int, {columns}, s_CODE string")
    known = known_to_attacker(tuples, policy).toArrow().to_pandas()
    found = Counter(frozenset(who) for _, who in known.groupby("_known")["_person"])
    assert found == Counter(frozenset(who) for who in world.suppressed((0,) * 5)[1].values())


def with_people_never_admitted(people: int = 60) -> toy.Hospital:
    """The toy hospital, and people without a visit: four of one sex, one of the other."""
    hospital = toy.Hospital.make(people)
    for i, sex in enumerate("FFFFM"):
        row = [90_000 + i, sex, datetime(1960, 1, 1), f"Never {i}", f"{900 + i}-33-{8000 + i}"]
        hospital.rows["PEOPLE"].append(row)
    return hospital


def classes_in(released: Mapping[str, pd.DataFrame], known: int | None) -> dict[Hashable, set[int]]:
    """People by what an attacker knows of them, read from the released files."""
    told = released["PEOPLE"][["PID", "SEX", "AGE"]].merge(released["VISITS"], on="PID", how="left")
    told = told.assign(admitted=told["VID"].notna().astype(str)).fillna(dict.fromkeys(STATED, "<null>"))
    people: dict[Hashable, set[int]] = defaultdict(set)
    for pid, own in told.groupby("PID"):
        rows = list(own[[*STATED, "admitted"]].itertuples(index=False, name=None))
        for size in [len(rows)] if known is None else range(1, known + 1):
            for chosen_rows in itertools.combinations(rows, size):
                people[tuple(sorted(chosen_rows))].add(pid)
    return people


@pytest.mark.parametrize(("admissions", "cap"), [("2", None), ("all", "auto")])
def test_a_release_before_attackers_of_several_admissions(spark, key_file, tmp_path, admissions, cap):
    """Admissions weigh so much in the loss that the best cap leaves people two of them."""
    text = toy.POLICY.replace("{k: 3, l: 2}", f"{{k: 3, l: 1}}\nattacker: {{admissions: {admissions}}}")
    text = text.replace("suppression_limit: 0.3", "suppression_limit: 0.6" + (f"\ncap: {cap}" if cap else ""))
    text = text.replace("hierarchy: kind}", "hierarchy: kind, weight: 8}")
    hospital = with_people_never_admitted(120)
    policy = toy.write_policy(tmp_path / "conf", text)
    done = publish(spark, policy, hospital.write(tmp_path / "source"), tmp_path / "target", key_file)
    released = read_release(done.target)
    found = classes_in(released, None if admissions == "all" else 2)
    assert min(len(who) for who in found.values()) == done.document["privacy"]["k"] >= 3
    assert len(found) == done.document["privacy"]["classes"]
    never = {pseudonym(KEY, "person", row[0]) for row in hospital.rows["PEOPLE"][-5:]}
    assert len(never & set(released["PEOPLE"]["PID"])) == (4 if done.document["levels"]["SEX"] == 0 else 5)
    most = released["VISITS"].groupby("PID").size().max()
    if cap is None:
        assert (most, done.document["caps_tried"]) == (3, None)
    else:
        tried = dict(done.document["caps_tried"])
        assert most == done.document["policy"]["document"]["cap"] == min(tried, key=tried.__getitem__) == 2


def test_the_gate_refuses_a_release_made_before_a_weaker_attacker(spark, toy_policy, toy_release):
    """What is k-anonymous to who knows one admission falls short to who knows more."""
    released = delta_reader(spark, next((toy_release.target / "releases").iterdir()))
    for admissions in (2, "all"):
        policy = policy_for(toy_policy, admissions)
        measured = measure(released, policy, criteria=[KAnonymity(3)])
        found = classes_in(read_release(toy_release.target), policy.attacker.known)
        assert measured.k == min(len(who) for who in found.values()) < 3
        assert KAnonymity(3).failing(measured.table).any()


@pytest.mark.parametrize("admissions", [0, 6, "some"])
def test_an_attacker_that_means_nothing_is_refused(admissions):
    with pytest.raises(ValidationError):
        Attacker.model_validate({"admissions": admissions})


def test_an_attacker_of_several_admissions_needs_admissions(toy_policy):
    loaded = load_policy(toy_policy)
    changed = {"admissions": None, "stays": None, "attacker": Attacker(admissions=2), "cap": "auto"}
    with pytest.raises(PolicyError) as caught:
        check_policy(replace(loaded, policy=loaded.policy.model_copy(update=changed)))
    problems = {problem.partition(": ")[2] for problem in caught.value.problems}
    assert {"attacker: needs 'admissions'", "cap: needs 'admissions'"} <= problems
