"""The search over a histogram on the cluster gives the answers of the search over one on the driver."""

import csv
import itertools
import json
import random
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from types import SimpleNamespace

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histogram import Recoding, check_histogram
from anon_spark.anonymize.lattice import Infeasible, Solution, search, whole_input
from anon_spark.anonymize.patterns import PACKED, PEOPLE, POPULATION, domains_of, from_tuples
from anon_spark.anonymize.remote import ClusterHistogram, Survey
from anon_spark.anonymize.remote_parts import SUMS, added_up, summing
from anon_spark.anonymize.remote_search import search_remotely
from anon_spark.errors import GateRefusedError, InputError, PolicyError
from anon_spark.policy.table import SearchBudget, load_table_policy
from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.delta_presence import DeltaPresence
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity
from anon_spark.privacy.released import WholeInput
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.release.one_table import measure_file
from anon_spark.table import anonymize_table
from anon_spark.utility.loss import Input, Outcome
from anon_spark.utility.losses import LOSSES, all_losses
from tests.test_table import ADULT, CASES, HEADER, people, read, run, with_adult

TREES = {
    "town": Hierarchy(
        "town",
        (*((f"t{i}", f"d{i // 2}", f"c{i // 4}", "*") for i in range(9)), (None, "none", "none", "*")),
    ),
    "age": Hierarchy("age", tuple((str(i), f"{i // 3}", f"{i // 6}", "*") for i in range(13))),
    "sex": Hierarchy("sex", (("f", "*"), ("m", "*"))),
}
ILL, JOB = "illness", "job"
CRITERIA: dict[str, tuple[Criterion, ...]] = {
    "k": (KAnonymity(4),),
    "k, l": (KAnonymity(3), DistinctLDiversity(2, ILL)),
    "k, t": (KAnonymity(3), TCloseness(0.35, ILL)),
    "entropy l": (EntropyLDiversity(1.8, ILL),),
    "two attributes": (KAnonymity(3), DistinctLDiversity(2, JOB), TCloseness(0.4, ILL)),
    "not closed": (KAnonymity(2), DeltaDisclosurePrivacy(1.5, ILL, absent_fails=False)),
    "alpha": (AlphaK(0.75, 2, ILL),),
    "population": (KAnonymity(2), KMap(6), DeltaPresence(0.0, 0.8)),
}


class OnTheDriver(ClusterHistogram):
    """A cluster in name only: parts of a table that is here, and a count of what was asked for."""

    def __init__(self, rows: pa.Table, parts: int = 3) -> None:
        self.sensitive = tuple(n for n in rows.column_names if n not in {PACKED, PEOPLE, POPULATION})
        self.rows, self.parts = rows, parts
        self.jobs = {"survey": 0, "part": 0, "table": 0, "sample": 0}

    def mapped(self, work, schema, classes=None, *, rows=0):  # noqa: ARG002
        self.jobs["survey" if classes is None else "part"] += 1
        packed = self.rows[PACKED].to_numpy()
        key = packed if classes is None else classes.classes(packed)
        part = key * 2654435761 % 1009 % self.parts
        made = [b for i in range(self.parts) for b in work(iter(self.rows.filter(part == i).to_batches()))]
        return SimpleNamespace(toArrow=lambda: pa.Table.from_batches(made))

    def class_table(self, classes: Recoding, most: int | None) -> pa.Table | None:
        self.jobs["table"] += 1
        keyed = self.rows.set_column(0, PACKED, pa.array(classes.classes(self.rows[PACKED].to_numpy())))
        counts = [n for n in (PEOPLE, POPULATION) if n in keyed.column_names]
        table = keyed.group_by([PACKED, *self.sensitive]).aggregate([(n, "sum") for n in counts])
        table = table.rename_columns({f"{n}_sum": n for n in counts})
        return None if most is not None and table.num_rows > most else table

    def sample(self, one_of: int) -> pa.Table:
        self.jobs["sample"] += 1
        return self.rows.filter(np.arange(self.rows.num_rows) % one_of == 0)


def random_rows(seed: int, *, values: Sequence[str] = (), population: bool = False) -> pa.Table:
    """A histogram of random people; values and tuples depend on each other, some are null."""
    rng = random.Random(seed)
    domains = domains_of(TREES)
    size = int(np.prod(domains))
    home = [rng.randrange(size) for _ in range(rng.choice([3, 12, 60]))]
    counted: dict[tuple, list[int]] = {}
    for _ in range(rng.choice([30, 120, 400])):
        packed = rng.choice(home) if rng.random() < 0.7 else rng.randrange(size)
        held = tuple(rng.choice([None, "a", "b", "c", "a"][packed % 3 :]) for _ in values)
        counted.setdefault((packed, *held), [0, 0])[0] += 1
    if population:
        for _ in range(500):
            packed = rng.choice(home) if rng.random() < 0.7 else rng.randrange(size)
            counted.setdefault((packed, *(None for _ in values)), [0, 0])[1] += 1
    keys = list(counted)
    columns = {PACKED: pa.array([key[0] for key in keys], pa.int64())}
    columns |= {name: pa.array([key[1 + i] for key in keys], pa.string()) for i, name in enumerate(values)}
    columns[PEOPLE] = pa.array([people for people, _ in counted.values()], pa.int64())
    if population:
        columns[POPULATION] = pa.array([people for _, people in counted.values()], pa.int64())
    return pa.table(columns)


def both(rows: pa.Table, criteria, *, most: int, loss: str = "loss_am", limit: float = 0.05):
    """The answer over the table on the driver, the other one, and what judged it."""
    cluster = OnTheDriver(rows)
    here = search(
        from_tuples(rows, TREES, cluster.sensitive), TREES, criteria, loss=loss, suppression_limit=limit
    )
    remote = Survey.of(cluster, TREES).patterns(most)
    there, judge = search_remotely(remote, criteria, loss=loss, suppression_limit=limit)
    return here, there, judge, remote, cluster


def check_same(rows: pa.Table, here, there, judge, remote) -> None:
    if isinstance(here, Infeasible):
        assert isinstance(there, Infeasible)
        assert there.proven is here.proven is True
        assert (there.limit, there.attainable) == (here.limit, pytest.approx(here.attainable))
        return
    assert isinstance(here, Solution)
    node = there.outcome.node
    assert there.levels == here.levels
    assert there.loss == pytest.approx(here.loss, rel=1e-9)
    assert there.losses == pytest.approx(here.losses, rel=1e-9)
    assert (there.outcome.suppressed, there.outcome.classes_left) == (
        here.suppressed.people,
        here.suppressed.classes,
    )
    assert there.optimal is here.optimal is True
    recoding = Recoding(TREES, there.levels)
    gone = judge.suppressed(node, recoding)
    gone = gone if isinstance(gone, np.ndarray) else gone.toArrow()["_class"].to_numpy()
    expected = np.unique(recoding.classes(rows[PACKED].to_numpy()[here.suppressed.patterns]))
    assert sorted(gone) == expected.tolist()
    on_driver = Coarsening(from_tuples(rows, TREES, remote.histogram.sensitive), TREES)
    whole = whole_input(from_tuples(rows, TREES, remote.histogram.sensitive), on_driver)
    assert all_losses(remote.whole_input(), there.outcome) == pytest.approx(all_losses(whole, here.outcome))


def values_of(name: str) -> tuple[str, ...]:
    return tuple({c.attribute: None for c in CRITERIA[name] if hasattr(c, "attribute")})


@pytest.mark.parametrize("most", [1, 20])
@pytest.mark.parametrize("limit", [0.0, 0.05, 1.0])
@pytest.mark.parametrize("name", CRITERIA)
def test_the_answer_is_that_of_the_search_on_the_driver(name, limit, most):
    jobs: Counter[str] = Counter()
    for seed, loss in enumerate(("loss_am", "discernibility", sorted(LOSSES)[seed_of(name) % len(LOSSES)])):
        rows = random_rows(seed, values=values_of(name), population=name == "population")
        *found, cluster = both(rows, CRITERIA[name], most=most, loss=loss, limit=limit)
        check_same(rows, *found)
        jobs.update(cluster.jobs)
    assert jobs["survey"] == jobs["sample"] == 3
    assert jobs["part"] > 0 or most > 1


def test_nodes_are_looked_at_many_at_once():
    rows = random_rows(5, values=(ILL,))
    *found, cluster = both(rows, CRITERIA["k, t"], most=20)
    check_same(rows, *found)
    assert found[1].nodes_checked > 3 * (cluster.jobs["part"] + cluster.jobs["table"])


def test_one_table_serves_all_nodes_where_it_fits():
    rows = random_rows(5, values=(ILL,))
    *found, cluster = both(rows, CRITERIA["k, l"], most=rows.num_rows)
    check_same(rows, *found)
    assert cluster.jobs == {"survey": 1, "sample": 1, "table": 1, "part": 0}


@pytest.mark.parametrize("most", [1, 20])
def test_what_no_node_meets_is_said_with_what_is_in_reach(most):
    rows = random_rows(2, values=(ILL,))
    for criteria in ([KAnonymity(10_000)], [KAnonymity(2), DistinctLDiversity(9, ILL)]):
        *found, _ = both(rows, criteria, most=most, limit=0.0)
        assert isinstance(found[0], Infeasible)
        check_same(rows, *found)


def test_figures_of_parts_add_up_at_every_node():
    for name, criteria in CRITERIA.items():
        rows = random_rows(3, values=values_of(name), population=name == "population")
        cluster = OnTheDriver(rows, parts=5)
        remote = Survey.of(cluster, TREES).patterns(20)
        nodes = list(itertools.product(*(range(x.height + 1) for x in remote.frame.levels)))
        judge = remote.frame.judge(remote.frame.table(rows), criteria)
        for apart in nodes[::3]:
            chosen = [node for node in nodes if all(a <= b for a, b in zip(node, apart, strict=True))]
            made = cluster.mapped(summing(remote.frame, chosen, criteria), SUMS, remote.recoding(apart))
            for i, node in enumerate(chosen):
                of_node = made.toArrow().filter(pc.field("node") == i)
                found = added_up(of_node, node, criteria, remote.total_people, len(remote.units))
                check_outcome(found, judge.outcome(node), remote.whole_input())


def check_outcome(found: Outcome, expected: Outcome, whole: Input) -> None:
    names = ("sizes", "left", "left_by_certain", "more")
    more = np.zeros_like(expected.sizes) if expected.more is None else expected.more
    of_classes = zip(expected.sizes, expected.left, expected.left_by_certain, more, strict=True)
    counted: Counter[tuple[int, ...]] = Counter()
    for *figures, times in zip(*(getattr(found, x) for x in names), found.times, strict=True):
        counted[tuple(figures)] += times
    assert counted == Counter(tuple(map(int, figures)) for figures in of_classes)
    assert (found.suppressed, found.certain_in_all, found.classes_left, found.complete) == (
        expected.suppressed,
        expected.certain_in_all,
        expected.classes_left,
        expected.complete,
    )
    for i, (level, x) in enumerate(zip(found.node, whole.levels, strict=True)):
        own = slice(whole.offsets[i], whole.offsets[i + 1])
        for a, b in (
            (found.gone_units, expected.gone_units),
            (found.certain_units, expected.certain_units),
        ):  # by label: any leaf stands for all that share it
            by_label = [np.bincount(x.labels[level], units[own]).tolist() for units in (a, b)]
            assert by_label[0] == by_label[1]


def test_tuples_that_rows_do_not_have_are_counted_and_left_out():
    rows = random_rows(1, values=(ILL,))
    people_ = int(np.sum(rows[PEOPLE]))
    problems = pa.table({PACKED: [-1, -2, -2], ILL: ["a", None, "b"], PEOPLE: [3, 4, 5]})
    survey = Survey.of(OnTheDriver(pa.concat_tables([rows, problems.cast(rows.schema)])), TREES)
    counted = survey.tuples()
    found = dict(zip(counted[PACKED].to_pylist(), counted[PEOPLE].to_pylist(), strict=True))
    assert found == {-1: 3, -2: 9, 0: people_}
    with pytest.raises(InputError, match=f"3 of {people_ + 12} rows have too few or too many cells"):
        check_histogram(counted, None, TREES)


def seed_of(name: str) -> int:
    return sum(map(ord, name))


@pytest.mark.parametrize(
    "policy",
    [
        {},
        {"keep": None, "drop": ["name", "note"], "suppression_limit": 1, "loss": "discernibility"},
        {
            "privacy": {"k": 2, "l": 2, "k_map": 20},
            "population": "crowd.csv",
            "suppression_limit": 1,
        },
    ],
)
def test_a_table_past_the_limit_is_released_as_one_within(spark, tmp_path, policy):
    done = {}
    for patterns in (2, 1_000):
        folder = tmp_path / str(patterns)
        (folder / "policies").mkdir(parents=True)
        with (folder / "policies" / "crowd.csv").open("w", newline="") as file:
            csv.writer(file).writerows([HEADER[:4], *(row[:4] for row in people() for _ in range(4))])
        document = run(spark, folder, people(), **policy, search={"patterns": patterns})
        document["nodes"].pop("checked")
        for changing in ("out", "policy", "seconds", "cpu_seconds"):
            document.pop(changing)
        done[patterns] = document, sorted(map(str, read(folder / "out.csv")))
    assert done[2][1] == done[1_000][1]
    there, here = flat(done[2][0]), flat(done[1_000][0])
    told = {key for key, value in here.items() if isinstance(value, str | list)}
    assert {key: there.pop(key) for key in told} == {key: here.pop(key) for key in told}
    assert there == pytest.approx(here, rel=1e-9)


def flat(document: dict, before: str = "") -> dict:
    found = {}
    for key, value in document.items():
        found |= flat(value, f"{before}{key}.") if isinstance(value, dict) else {f"{before}{key}": value}
    return found


@pytest.mark.parametrize(
    ("rows", "policy", "error", "said"),
    [
        (
            [*people(), ["x", "OAK", "30", "02100", "flu", "n0"]],
            {},
            InputError,
            "does not cover 1 values of born in",
        ),
        (people(), {"privacy": {"k": 61}}, GateRefusedError, r"k-anonymity \(k = 61\)"),
        (
            people(),
            {"recoding": "local", "keep": None, "drop": ["name", "note"]},
            PolicyError,
            "recoding: local holds all .* patterns on the driver, more than the 2 of search.patterns",
        ),
    ],
)
def test_what_is_wrong_past_the_limit_is_said_as_within(spark, tmp_path, rows, policy, error, said):
    with pytest.raises(error, match=said):
        run(spark, tmp_path, rows, **policy, search={"patterns": 2})
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hierarchies", "people.csv", "policies"]


def test_a_file_is_measured_in_parts_as_in_one(spark, tmp_path):
    rows = [row[1:5] for row in people()]
    with (tmp_path / "out.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER[1:5], *rows])
    counts = Counter(row[3] for row in rows)
    criteria = [KAnonymity(3), DistinctLDiversity(2, ILL), EntropyLDiversity(1.5, ILL), TCloseness(0.3, ILL)]
    one, parts = (
        measure_file(
            spark,
            tmp_path / "out.csv",
            criteria,
            separator=",",
            quasi_identifiers=HEADER[1:4],
            whole=WholeInput(len(rows), {"illness": counts}),
            rows=number,
        )
        for number in (None, len(rows))
    )
    assert one.people == parts.people == 60
    assert sum(one.failing) > 0
    assert list(one.failing) == list(parts.failing)
    assert one.figures == pytest.approx(parts.figures)


@with_adult
def test_adult_past_the_limit_is_answered_as_by_the_reference(spark, tmp_path):
    table = ADULT / "adult.csv"
    loaded = load_table_policy("adult", table=table)
    policy = loaded.policy.model_copy(update={"search": SearchBudget(patterns=2_000)})
    done = anonymize_table(spark, table, replace(loaded, policy=policy), tmp_path / "out.csv")
    (expected,) = [
        case
        for case in json.loads(CASES.read_text())["cases"]
        if (case["privacy_model"], case["suppression_limit"], case["metric"]) == ("k5", 0.05, "loss_am")
    ]
    assert done["levels"] == expected["levels"]
    assert done["loss"]["loss_am"] == pytest.approx(expected["loss_value"], rel=1e-9)
    assert (done["suppressed"], done["classes"], done["privacy"]["k"]) == (
        expected["suppressed_records"],
        expected["classes_excl_suppressed"],
        expected["min_class"],
    )
