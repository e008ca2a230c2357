"""What a lakehouse's policy that no level meets is told, before anything is written: the nearest feasible settings."""

import random
from dataclasses import replace
from pathlib import Path

import pytest

from anon_spark.anonymize.lakehouse import PeopleSearch
from anon_spark.errors import GateRefusedError
from anon_spark.ingest.lake import delta_reader
from anon_spark.policy.load import load_policy
from anon_spark.policy.model import Attacker
from anon_spark.privacy.criteria import Privacy
from tests.brute_force import Person, Rule
from tests.test_people import HistoryWorld


def task_of(toy_policy: Path, admissions: int | str, limit: float, **privacy: int) -> PeopleSearch:
    """The toy hospital's search by other criteria; its tables are never read."""
    loaded = load_policy(toy_policy)
    changed = {
        "attacker": Attacker.model_validate({"admissions": admissions}),
        "privacy": Privacy(**privacy),
        "suppression_limit": limit,
    }
    nowhere = delta_reader(None, Path("nowhere"))  # type: ignore[arg-type]
    return PeopleSearch(nowhere, loaded.policy.model_copy(update=changed), loaded.hierarchies)


def visitors(task: PeopleSearch, people: int) -> HistoryWorld:
    """People of both sexes and one town, with one to three visits of all kinds, and three codes."""
    draw = random.Random(people)
    own = []
    for _ in range(people):
        of_person = (draw.choice("FM"), str(draw.randrange(20, 60)), "ASH")
        kinds = draw.choices(["URGENT", "ELECTIVE", None], k=draw.choice([1, 1, 1, 2, 3]))
        rows = tuple((*of_person, kind, "yes") for kind in kinds)
        own.append(Person(rows, {"CODE": (draw.choice("ABC"),)}))
    return HistoryWorld(own, task.trees, [], of_rows=frozenset({"KIND"}), known=task.policy.attacker.known)


def refusal(task: PeopleSearch, world: HistoryWorld) -> dict[str, str]:
    with pytest.raises(GateRefusedError, match=f"no generalization of {len(world.people)} people") as refused:
        task.find(world.table())
    return dict(refused.value.shortfalls)


def greatest_k(world: HistoryWorld) -> int:
    """Without suppression no level has larger classes than the coarsest."""
    coarsest = tuple(tree.height for tree in world.trees.values())
    return min(len(who) for who in world.suppressed(coarsest)[1].values())


@pytest.mark.parametrize("admissions", [1, 2, "all"])
def test_more_people_or_values_than_there_are(toy_policy, admissions):
    task = task_of(toy_policy, admissions, 0.0, k=31, l=9)
    world = visitors(task, 30)
    k = greatest_k(world)
    said = refusal(task, world)
    assert said["suppression limit"] == "no limit would do: nobody would be left"
    of_table = "k = 31 wanted, and the table has 30 people"
    of_code = "l = 9 wanted, and CODE has 3 values"
    assert said["k-anonymity"] == f"{of_table}; k = {k} would do if nothing else were asked for"
    assert said["l-diversity of CODE"] == f"{of_code}; l = 3 would do if nothing else were asked for"
    said = refusal(task_of(toy_policy, admissions, 0.0, k=31, l=1), world)
    assert said["k-anonymity"] == f"{of_table}; k = {k} would do with all else as it is"
    said = refusal(task_of(toy_policy, admissions, 0.0, k=2, l=9), world)
    assert said["l-diversity of CODE"] == f"{of_code}; l = 3 would do with all else as it is"
    assert said["k-anonymity"] == "k = 2 wanted; it can be met; what cannot is another"


def test_a_suppression_limit_out_of_reach(toy_policy):
    """How often a person was there stays told at every level, so some must be suppressed."""
    k = 1 + greatest_k(visitors(task_of(toy_policy, "all", 0.0, k=2, l=1), 30))
    task = task_of(toy_policy, "all", 0.0, k=k, l=1)
    world = replace(visitors(task, 30), rules=[Rule("k", a=k)])
    fewest = min(len(world.suppressed(node)[0]) for node in world.nodes())
    assert 0 < fewest < 30
    assert refusal(task, world)["suppression limit"].endswith(f"would do: {fewest} of 30 people")
    allowed = task_of(toy_policy, "all", fewest / 30, k=k, l=1)
    assert allowed.find(world.table()).suppressed.people == fewest
