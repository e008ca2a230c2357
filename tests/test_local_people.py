"""Local recoding of whole releases: parts of the people against plain Python, and a run read by pandas."""

import csv
import random
from collections import Counter, defaultdict
from collections.abc import Hashable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Infeasible, search
from anon_spark.anonymize.local_people import LocalSolution, recode_people
from anon_spark.anonymize.parts import levels_by_part
from anon_spark.errors import PolicyError
from anon_spark.policy.check import check_policy
from anon_spark.policy.load import conf_dir, load_policy
from anon_spark.release.evidence import measure_release, write_report
from anon_spark.release.publish import open_release
from anon_spark.utility.counts import count_tuples
from tests import toy
from tests.brute_force import FOUR, SIZE, TREES, Person, Rule
from tests.conftest import publish
from tests.mutants.engines import one_level_too_fine
from tests.readers import classes, read_release
from tests.test_people import KNOWN, RULES, HistoryWorld, bag, world_of
from tests.test_search import criterion_of

LOCAL = toy.POLICY.replace("suppression_limit", "recoding: local\nsuppression_limit")


@dataclass(frozen=True)
class Recoded:
    """A local recoding, and the level vector of each person, None where they are suppressed."""

    found: LocalSolution
    levels: list[tuple[int, ...] | None]


def recoded(world: HistoryWorld, limit: float, engine=recode_people) -> Recoded | None:
    """None where no level vector of all people meets the rules."""
    table, criteria = world.table(), [criterion_of(rule) for rule in world.rules]
    full = search(table, world.trees, criteria, suppression_limit=limit)
    if isinstance(full, Infeasible):
        return None
    most = int(limit * len(world.people) + 1e-9)
    found = engine(table, world.trees, criteria, full, limit=most)
    place: dict[Hashable, int] = {}
    patterns = [place.setdefault((bag(p.rows), tuple(p.sensitive.items())), len(place)) for p in world.people]
    vectors = [tuple(part.values()) for part in found.parts]
    part = [int(found.part[pattern]) for pattern in patterns]
    return Recoded(found, [None if number < 0 else vectors[number] for number in part])


def members(world: HistoryWorld, levels: list[tuple[int, ...] | None]) -> dict[Hashable, set[int]]:
    """People of each class, by the labels they are released with."""
    found: dict[Hashable, set[int]] = defaultdict(set)
    for i, (one, node) in enumerate(zip(world.people, levels, strict=True)):
        for known in () if node is None else world.known_of(one, node):
            found[known].add(i)
    return found


def loss_of(world: HistoryWorld, levels: list[tuple[int, ...] | None]) -> float:
    """``loss_am`` of labels, each as wide as the widest that is released with its text."""
    figures = []
    for q, tree in enumerate(world.trees.values()):
        units = world._units(q)
        widest: Counter[str | None] = Counter()
        for i, value in units:
            if (node := levels[i]) is not None:
                label = tree.label(value, node[q])
                widest[label] = max(widest[label], tree.share(node[q])[label])
        stated = [
            1.0 if (node := levels[i]) is None else widest[tree.label(value, node[q])] for i, value in units
        ]
        finest = len(units) / tree.domain_size
        figures.append(max((sum(stated) - finest) / (len(units) - finest), 1e-10))
    return sum(figures) / len(figures)


def holds(world: HistoryWorld, levels: list[tuple[int, ...] | None]) -> bool:
    return not any(
        world.fails(rule, who, 0) for who in members(world, levels).values() for rule in world.rules
    )


@pytest.mark.parametrize("known", KNOWN)
@pytest.mark.parametrize("seed", range(12))
def test_every_class_meets_every_criterion_and_the_loss_is_exact(seed, known):
    """Whatever criteria: those that a merge of classes may break too."""
    draw = random.Random(seed)
    rules = [Rule("k", a=draw.choice([2, 3])), *draw.sample(RULES, draw.choice([0, 1, 2]))]
    trees = FOUR if seed % 3 == 0 else TREES
    world = world_of(seed, draw.choice([5, 12, 30, 60]), rules, known, trees)
    limit = draw.choice([0.0, 0.1, 0.5])
    done = recoded(world, limit)
    if done is None:
        return
    found, levels = done.found, done.levels
    assert holds(world, levels)
    assert found.suppressed.people == levels.count(None) <= int(limit * len(world.people) + 1e-9)
    assert found.suppressed.classes == len(members(world, levels))
    assert list(found.people) == [levels.count(tuple(part.values())) for part in found.parts]
    assert found.loss <= found.full_domain.loss
    if len(found.parts) > 1:
        assert found.loss == pytest.approx(loss_of(world, levels), rel=1e-9, abs=1e-9)


def test_parts_lose_less_than_one_level_vector_for_all():
    """By a fifth or more in most of these worlds: an outlier no longer coarsens everybody."""
    ratios = []
    for seed in range(12):
        world = world_of(seed, 80, [Rule("k", a=4), Rule("l", "ILL", 2)], 1, FOUR)
        done = recoded(world, 0.05)
        assert done is not None
        ratios.append(done.found.loss / done.found.full_domain.loss)
    assert max(ratios) <= 1
    assert sorted(ratios)[6] < 0.8


def test_labels_that_coincide_are_one_class():
    """Four of a kind and two more whose label is the same text one level up: six people, told apart by nothing."""
    colour = Hierarchy("colour", (("red", "red", "*"), ("pink", "red", "*"), ("blue", "blue", "*")))
    one = [Person((("red", "s"),), {"ILL": ("x",)})] * 4
    few = [Person((("pink", "s"),), {"ILL": ("x",)}), Person((("pink", "m"),), {"ILL": ("x",)})]
    world = HistoryWorld(
        [*one, *few, *[Person((("blue", "m"),), {"ILL": ("x",)})] * 3],
        {"C": colour, "S": SIZE},
        [Rule("k", a=3)],
    )
    done = recoded(world, 0.0)
    assert done is not None
    assert holds(world, done.levels)
    assert done.found.loss <= done.found.full_domain.loss


def test_the_definition_catches_a_part_that_is_one_level_too_fine():
    wrong = 0
    for seed in range(12):
        world = world_of(seed, 40, [Rule("k", a=3)], 1)
        right, mutant = recoded(world, 0.1), recoded(world, 0.1, one_level_too_fine)
        if right is not None and mutant is not None:
            assert holds(world, right.levels)
            wrong += not holds(world, mutant.levels)
    assert wrong > 3


def test_the_order_of_patterns_changes_nothing():
    world = world_of(5, 60, [Rule("k", a=3)], 1, FOUR)
    people = list(world.people)
    one = recoded(world, 0.1)
    random.Random(1).shuffle(people)
    other = recoded(HistoryWorld(people, FOUR, world.rules), 0.1)
    assert one is not None
    assert other is not None
    assert (one.found.parts, one.found.people, one.found.suppressed.people) == (
        other.found.parts,
        other.found.people,
        other.found.suppressed.people,
    )
    assert one.found.loss == pytest.approx(other.found.loss, rel=1e-12)


# a run


@pytest.fixture(scope="module")
def local_release(spark, key_file, tmp_path_factory, toy_release):
    """The toy hospital by local recoding."""
    root = tmp_path_factory.mktemp("local")
    place = toy.write_policy(root / "conf", LOCAL)
    return publish(spark, place, toy_release.source, root / "target", key_file)


def test_a_plain_reader_finds_k_and_l_and_one_label_a_person(local_release):
    released, document = read_release(local_release.target), local_release.document
    visits = released["VISITS"].merge(released["PEOPLE"][["PID", "SEX", "AGE"]], on="PID")
    first = visits.sort_values("BEGAN").groupby("PID").head(1)[["PID", "CODE"]]
    found = classes(
        visits.merge(first.rename(columns={"CODE": "first"}), on="PID"),
        ["SEX", "AGE", "TOWN", "KIND"],
        "PID",
        "first",
    )
    assert int(found["people"].min()) == document["privacy"]["k"] >= 3
    assert int(found["values"].min()) == document["privacy"]["l"] >= 2
    assert len(found) == document["privacy"]["classes"]
    town = visits.groupby("PID")["TOWN"]
    assert (town.nunique() == 1).all()
    events = released["EVENTS"].query("ITEM == 9 and TEXT != '*'")
    assert len(events)
    assert (events["TEXT"].to_numpy() == events["PID"].map(town.first()).to_numpy()).all()
    levels = levels_by_part(document["levels"])
    assert len(levels) > 1
    assert len({part["TOWN"] for part in levels} | {part["AGE"] for part in levels}) > 1


def test_rows_are_accounted_and_keys_hold(local_release):
    released, document = read_release(local_release.target), local_release.document
    for name, table in document["tables"].items():
        assert table["in"] == table["out"] + table["quarantined"] + table["suppressed"] + table["capped"]
        assert table["out"] == len(released[name])
        assert released[name]["PID"].isin(released["PEOPLE"]["PID"]).all()
    assert released["EVENTS"]["VID"].dropna().isin(released["VISITS"]["VID"]).all()
    assert document["suppression"]["people"] == document["people"]["in"] - document["people"]["out"]
    assert document["suppression"]["people"] <= 0.3 * document["people"]["in"]


def test_the_loss_of_the_files_is_the_ledgers_and_below_full_domains(local_release, toy_release):
    """Loss of each released label by its leaves in the hierarchy's file; what is not there is lost."""
    released, document = read_release(local_release.target), local_release.document
    rows = toy.Hospital.make().rows
    columns = {
        "SEX": (released["PEOPLE"]["SEX"], len(rows["PEOPLE"])),
        "AGE": (released["PEOPLE"]["AGE"], len(rows["PEOPLE"])),
        "TOWN": (released["VISITS"].drop_duplicates("PID")["TOWN"], len(rows["PEOPLE"])),
        "KIND": (released["VISITS"]["KIND"], len(rows["VISITS"])),
    }
    files = {
        name: list(csv.reader(text.splitlines(), delimiter=";")) for name, text in toy.HIERARCHIES.items()
    }
    with (conf_dir() / "hierarchies" / "age.csv").open(newline="") as file:
        files["age"] = list(csv.reader(file, delimiter=";"))
    losses = {}
    for name, (labels, units) in columns.items():
        lines = files[name.lower()]
        leaves = Counter(label for line in lines for label in set(line))
        # null has a leaf of its own, beside those of the file
        open_ = sum(1 / len(lines) if pd.isna(x) else leaves[x] / len(lines) for x in labels)
        finest = units / len(lines)
        losses[name] = (open_ + units - len(labels) - finest) / (units - finest)
    assert losses == pytest.approx(document["level_losses"], abs=1e-9)
    assert document["loss"] == pytest.approx(np.mean(list(losses.values())))
    assert document["loss"] < document["full_domain"]["loss"] == toy_release.document["loss"]
    assert document["full_domain"]["levels"] == toy_release.document["levels"]


def test_ledger_and_report_tell_the_parts(spark, local_release):
    parts = local_release.document["levels"]
    counted = [part["people"] for part in parts if part["people"] != "<11"]
    assert all(n >= 11 for n in counted)
    assert counted == sorted(counted, reverse=True)
    assert sum(counted) <= local_release.document["people"]["out"]
    release = open_release(spark, local_release.target)
    page = write_report(release).read_text()
    assert f"the people are in {len(parts)} parts" in page


def test_counts_and_the_sources_join_read_the_parts(spark, local_release):
    """Rows counted are those released; nobody of the source is singled out, and all who are released are found."""
    release = open_release(spark, local_release.target)
    policy = load_policy(Path(local_release.target.parent / "conf" / "policies" / "toy.yaml"))
    trees = {name: policy.hierarchies[q.hierarchy] for name, q in policy.policy.quasi_identifiers.items()}
    counts = count_tuples(release.table, policy.policy, trees, release.ledger["levels"])
    assert counts.total == release.ledger["tables"]["VISITS"]["out"]
    assert all(np.allclose(spread.sum(axis=1), 1) for spread in counts.spread.values())
    linkage = measure_release(release, source=str(local_release.source))["linkage"]
    assert linkage["people"] == release.ledger["people"]["in"]
    assert linkage["matched"] >= release.ledger["people"]["out"]
    assert linkage["singled_out"] == 0
    assert linkage["fewest"] >= 3


def test_a_policy_that_does_not_say_how_it_recodes_keeps_its_hash(tmp_path, toy_policy):
    said = load_policy(toy.write_policy(tmp_path / "a", LOCAL.replace("local", "full_domain", 1)))
    local = load_policy(toy.write_policy(tmp_path / "b", LOCAL))
    unsaid = load_policy(toy_policy)
    assert said.sha256 == unsaid.sha256 != local.sha256
    assert "recoding" not in unsaid.policy.model_dump(mode="json")
    assert local.policy.model_dump(mode="json")["recoding"] == "local"


def test_local_recoding_is_of_one_loss(tmp_path):
    loaded = load_policy(toy.write_policy(tmp_path, LOCAL.replace("recoding:", "loss: precision\nrecoding:")))
    with pytest.raises(PolicyError, match="local recoding lowers loss_am, not precision"):
        check_policy(loaded)
