"""Laws of the engine, whatever the attacker knows: order, coarser levels, suppressing again, people doubled."""

import random
from dataclasses import replace

import pytest

from anon_spark.anonymize.coarsening import Coarsening, Node
from anon_spark.anonymize.lattice import Infeasible, Solution, search
from anon_spark.anonymize.suppression import evaluator, suppress
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.utility.losses import LOSSES
from tests.brute_force import TREES, Rule
from tests.test_people import KNOWN, HistoryWorld, world_of
from tests.test_search import criterion_of

RULES = (
    Rule("k", a=3),
    Rule("l", "ILL", 2),
    Rule("entropy_l", "ILL", 1.7),
    Rule("recursive_l", "ILL", 2, 2.0),
    Rule("t", "ILL", 0.3),
    Rule("alpha_k", "ILL", 0.7, 2),
)


def answer(world: HistoryWorld, loss: str) -> tuple[object, ...]:
    criteria = [criterion_of(rule) for rule in world.rules]
    found = search(world.table(), TREES, criteria, loss=loss, suppression_limit=0.3)
    if isinstance(found, Infeasible):
        return (found.proven,)
    assert isinstance(found, Solution)
    return (
        tuple(found.levels.items()),
        round(found.loss, 9),
        found.suppressed.people,
        found.suppressed.classes,
    )


def smallest(world: HistoryWorld, node: Node) -> int:
    """k of the node, nobody suppressed."""
    table = world.table()
    judge = evaluator(table, Coarsening(table, TREES), [KAnonymity(1)], 0)
    return int(judge.classes(node).sizes.min())


@pytest.mark.parametrize("known", KNOWN)
def test_the_order_of_people_changes_nothing(known):
    for seed, loss in enumerate(LOSSES):
        world = world_of(seed, 30, random.Random(seed).sample(RULES, 2), known)
        mixed = random.Random(seed).sample(list(world.people), len(world.people))
        assert answer(replace(world, people=mixed), loss) == answer(world, loss)


@pytest.mark.parametrize("known", KNOWN)
def test_without_suppression_one_level_up_never_lowers_k(known):
    raised = 0
    for seed in range(3):
        world = world_of(seed, 80, [], known)
        k = {node: smallest(world, node) for node in world.nodes()}
        for node, least in k.items():
            for q in range(len(node)):
                coarser = (*node[:q], node[q] + 1, *node[q + 1 :])
                if coarser in k:
                    assert k[coarser] >= least
                    raised += k[coarser] > least
    assert raised


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("rule", [rule for rule in RULES if rule.name != "t"], ids=lambda rule: rule.name)
def test_suppressing_again_takes_nobody(rule, known):
    """Of criteria that look at a class alone; t compares with all people, of whom there are fewer then."""
    taken = 0
    for seed in range(4):
        world = world_of(seed, 40, [Rule("k", a=2), rule], known)
        criteria = [criterion_of(r) for r in world.rules]
        for node in random.Random(seed).sample(world.nodes(), 6):
            out, _ = world.suppressed(node)
            left = [person for i, person in enumerate(world.people) if i not in out]
            taken += suppress(world.table(), TREES, node, criteria).people
            if left:
                assert suppress(replace(world, people=left).table(), TREES, node, criteria).people == 0
    assert taken


@pytest.mark.parametrize("known", KNOWN)
def test_people_doubled_need_twice_the_k(known):
    """Every class has twice the people: at 2k the same levels, twice as many suppressed."""
    for seed in range(6):
        world = world_of(seed, 30, [Rule("k", a=3), Rule("t", "ILL", 0.4)], known)
        doubled = replace(
            world, people=[*world.people, *world.people], rules=[Rule("k", a=6), world.rules[1]]
        )
        once, twice = answer(world, "loss_am"), answer(doubled, "loss_am")
        if len(once) > 1:
            levels, loss, people, classes = once
            assert twice == (levels, loss, 2 * people, classes)  # type: ignore[operator]
        else:
            assert twice == once
