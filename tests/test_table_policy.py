"""The policy of one table: what is refused, in one sentence a problem, before Spark starts."""

import io
from copy import deepcopy
from pathlib import Path
from typing import Any, get_args

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError
from rich.console import Console

from anon_spark import cli
from anon_spark.anonymize.hierarchy import TOP
from anon_spark.anonymize.rules import Dates, Icd9, Intervals, Numbers, Prefix, Rule
from anon_spark.errors import AnonError, InputError, PolicyError
from anon_spark.policy.explain import explain
from anon_spark.policy.load import conf_dir, load_policy
from anon_spark.policy.model import Policy
from anon_spark.policy.table import TablePolicy, TableQuasiIdentifier, load_table_policy
from anon_spark.privacy.criteria import Privacy
from anon_spark.release.destination import check_out
from tests.test_policy import SMALL

FORMS = (
    "a hierarchy's name, {intervals: [5, 10], least: 0, greatest: 99}, {prefix: [3, 2]}, {dates: [month, year]}"
    ", {icd9: true} or {numbers: true} is wanted"
)
GOOD: dict[str, Any] = {
    "quasi_identifiers": {
        "sex": {"hierarchy": "gender"},
        "age": {"hierarchy": {"intervals": [5, 10], "least": 0, "greatest": 99}},
        "zip": {"hierarchy": {"prefix": [3, 2]}, "weight": 2},
        "day": {"hierarchy": {"dates": ["month", "year"]}},
        "code": {"hierarchy": {"icd9": True}},
    },
    "sensitive": ["illness"],
    "drop": ["name"],
    "privacy": {"k": 3, "l": 2, "sensitive": {"illness": {"t": {"ordered": 0.2, "order": ["a", "b"]}}}},
    "objective": {"risk": "marketer", "tau": 0.5},
    "search": {"nodes": 10},
}
COLUMNS = ["sex", "age", "zip", "day", "code", "illness", "name"]
INTERNALS = ("Input should", "function-after", "constrained-", "Annotated", "pydantic", "dictionary", "tuple")


def save(folder: Path, document: Any, name: str = "p.yaml") -> Path:
    place = folder / name
    place.write_text(yaml.safe_dump(document, sort_keys=False))
    return place


def header(folder: Path, columns: list[str] = COLUMNS) -> Path:
    place = folder / "people.csv"
    place.write_text(",".join(columns) + "\n")
    return place


def put(document: dict[str, Any], place: tuple[Any, ...], value: Any) -> dict[str, Any]:
    own = deepcopy(document)
    inner = own
    for key in place[:-1]:
        inner = inner[key]
    inner[place[-1]] = value
    return own


def changed(value: Any, *keys: Any) -> dict[str, Any]:
    return put(GOOD, keys, value)


def problems_of(folder: Path, document: Any, table: Path | None = None) -> list[str]:
    """The problems without the file's name, which is before each."""
    with pytest.raises((PolicyError, InputError)) as caught:
        load_table_policy(save(folder, document), table=table)
    lines = str(caught.value).splitlines()
    assert all(line.startswith("policy p.yaml: ") for line in lines)
    assert not [word for word in INTERNALS if word in str(caught.value)]
    return [line.removeprefix("policy p.yaml: ") for line in lines]


def test_a_good_policy_passes(tmp_path):
    assert load_table_policy(save(tmp_path, GOOD), table=header(tmp_path)).policy.privacy.k == 3


@pytest.mark.parametrize(
    ("rule", "said"),
    [
        ({"interval": [5]}, f": {FORMS}, not a mapping with interval; did you mean 'intervals'?"),
        ({}, f": {FORMS}, not an empty mapping"),
        ([5, 10], f": {FORMS}, not a list"),
        (None, f": is missing; {FORMS}"),
        ({"intervals": [5, 10]}, ".greatest: is missing; a whole number is wanted"),
        (
            {"intervals": [5, 12], "greatest": 99},
            ": every interval's width is a multiple of the one before",
        ),
        (
            {"intervals": [5, "x"], "greatest": 99},
            ".intervals.1: a whole number of at least 2 is wanted, not 'x'",
        ),
        (
            {"intervals": [], "greatest": 99},
            ".intervals: a list (at least 1) of a whole number of at least 2 is wanted, not an empty list",
        ),
        ({"intervals": [5], "greatest": 99, "lest": 1}, ".lest: unknown key; did you mean 'least'?"),
        ({"prefix": 3}, ".prefix: a list (at least 1) of a whole number of at least 1 is wanted, not 3"),
        (
            {"dates": ["moth"]},
            ".dates.0: one of month, quarter, year, decade is wanted, not 'moth'; did you mean 'month'?",
        ),
        ({"icd9": "yes"}, ".icd9: true is wanted, not 'yes'"),
    ],
)
def test_a_wrong_rule_is_one_sentence(tmp_path, rule, said):
    (problem,) = problems_of(tmp_path, changed(rule, "quasi_identifiers", "age", "hierarchy"))
    assert problem == f"quasi_identifiers.age.hierarchy{said}"


@pytest.mark.parametrize("rule", [Intervals, Prefix, Dates, Icd9, Numbers])
def test_the_form_of_a_rule_that_is_told_is_one(rule):
    form = rule.model_json_schema()["form"]
    values = {Dates: "2020-03-14", Icd9: "0389", Prefix: "02139"}
    assert rule.model_validate(yaml.safe_load(form)).row(values.get(rule, "7"))[-1] == TOP


@pytest.mark.parametrize(
    ("document", "said"),
    [
        (
            changed(2, "privacy", "sensitive", "illness", "t"),
            "privacy.sensitive.illness.t: a number between 0 and 1 or a mapping with keys among equal, ordered, order,"
            " hierarchical, hierarchy is wanted, not 2",
        ),
        (
            changed({"ordred": 0.2}, "privacy", "sensitive", "illness", "t"),
            "privacy.sensitive.illness.t.ordred: unknown key; did you mean 'ordered'?",
        ),
        (changed({"k": 3, "t": 0.2}, "privacy"), "privacy.t: unknown key; its place is privacy.sensitive.NAME.t"),
        (changed(5, "k"), "k: unknown key; its place is privacy.k"),
        (changed({"k": 1}, "privacy"), "privacy.k: a whole number of at least 2 is wanted, not 1"),
        (changed("illness", "sensitive"), "sensitive: a list of text is wanted, not 'illness'"),
        (changed(None, "objective", "tau"), "objective: tau or lambda is needed"),
        (changed(";;", "separator"), "separator: one character is wanted, not ';;'"),
        (
            changed({"hierarchy": "gender"}, "quasi_identifiers", 5),
            "quasi_identifiers.5: a name is text; put it in quotes",
        ),
    ],
)  # fmt: skip
def test_a_wrong_key_or_value_is_one_sentence(tmp_path, document, said):
    assert problems_of(tmp_path, document)[0] == said


VALUES = st.one_of(
    st.none(), st.booleans(), st.integers(-2, 6), st.floats(-1, 2), st.sampled_from(["", "x", "gender"]),
    st.lists(st.integers(0, 3), max_size=2),
    st.dictionaries(st.sampled_from(["k", "t", "prefix", "x"]), st.integers(0, 3)),
)  # fmt: skip


def places(document: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    inner = document.items() if isinstance(document, dict) else []
    return [x for key, value in inner for x in ((*at, key), *places(value, (*at, key)))]


@settings(deadline=None)
@given(
    of=st.one_of(
        st.tuples(st.just((TablePolicy, GOOD)), st.sampled_from(places(GOOD))),
        st.tuples(st.just((Policy, SMALL)), st.sampled_from(places(SMALL))),
    ),
    value=VALUES,
)
def test_whatever_stands_somewhere_is_told_without_internals(of, value):
    (model, good), place = of
    document = {"name": "p"} | put(good, place, value)
    try:
        model.model_validate(document)
    except ValidationError as error:
        lines = explain(error, model, document)
        assert lines
        assert len(lines) <= 3 + (
            len(value) if isinstance(value, dict | list) else 0
        )  # 3: keys that are missing
        assert all(line.startswith(str(place[0])) and "\n" not in line for line in lines)
        assert not [word for word in INTERNALS for line in lines if word in line]


def test_each_policy_of_the_package_is_of_one_kind(tmp_path):
    for file in sorted((conf_dir() / "policies").glob("*.yaml")):
        load, other = (
            (load_table_policy, load_policy) if file.stem == "adult" else (load_policy, load_table_policy)
        )
        with pytest.raises(PolicyError) as caught:
            other(file)
        (problem,) = caught.value.problems
        command = "anonymize" if file.stem == "adult" else "run"
        assert problem.startswith(f"policy {file.name}: this policy is of ")
        assert f"for 'anon-spark {command}'" in problem
        if load is load_policy:
            assert load(file).policy.name == file.stem
    with pytest.raises(PolicyError, match="for 'anon-spark anonymize'"):
        load_policy(save(tmp_path, {"quasi_identifiers": {"a": {"hierarchy": "gender"}}, "sensitive": []}))
    with pytest.raises(PolicyError, match=r"people: is missing"):
        load_policy(save(tmp_path, {"quasi_identifiers": {"a": {"hierarchy": "gender"}}}))


def test_all_that_is_wrong_is_told_at_once(tmp_path):
    document = changed("towns", "quasi_identifiers", "zip", "hierarchy")
    document["quasi_identifiers"]["day"]["hierarchy"] = "days"
    document["privacy"]["sensitive"]["ilness"] = {"alpha": 0.5}
    problems = problems_of(tmp_path, document, header(tmp_path, [*COLUMNS[:5], "ilness", "name"]))
    searched = [
        tmp_path,
        tmp_path / "hierarchies",
        tmp_path.parent / "hierarchies",
        conf_dir() / "hierarchies",
    ]
    assert problems == [
        "quasi_identifiers.zip.hierarchy: unknown hierarchy 'towns'",
        "quasi_identifiers.day.hierarchy: unknown hierarchy 'days'",
        "hierarchy NAME is a file NAME.csv, which is looked for in " + ", then ".join(map(str, searched)),
        "privacy.sensitive.ilness: is not among 'sensitive'; did you mean 'illness'?",
        "the table has no column illness; did you mean 'ilness'?",
        "the policy does not name ilness of the table's 7 columns",
    ]
    document["privacy"]["k"] = "many"
    problems = problems_of(tmp_path, document, header(tmp_path))
    assert problems[0] == "privacy.k: a whole number of at least 2 is wanted, not 'many'"
    assert len(problems) == 4


def test_a_missing_table_is_told_as_such(tmp_path):
    document = changed("towns", "quasi_identifiers", "zip", "hierarchy")
    with pytest.raises(InputError, match=r"^there is no table '.*nowhere\.csv'$"):
        load_table_policy(save(tmp_path, document), table=tmp_path / "nowhere.csv")


@pytest.mark.parametrize("kind", ["csv", "parquet"])
def test_columns_are_held_against_the_policy_without_spark(tmp_path, kind):
    def table(columns: list[str]) -> Path:
        if kind == "csv":
            return header(tmp_path, columns)
        pq.write_table(pa.table({name: ["x"] for name in columns}), tmp_path / "people.parquet")
        return tmp_path / "people.parquet"

    place = save(tmp_path, GOOD)
    with pytest.raises(InputError, match=r"^policy p\.yaml: the table has no column name$"):
        load_table_policy(place, table=table(COLUMNS[:-1]))
    with pytest.raises(PolicyError, match=r"^policy p\.yaml: column phone is not classified: name it as"):
        load_table_policy(place, table=table([*COLUMNS, "phone"]))
    assert load_table_policy(place, table=table(COLUMNS)).policy.drop == ("name",)


def test_a_header_that_differs_in_case_alone_is_told_as_such(tmp_path):
    with pytest.raises(InputError, match="differ from the policy's in the case of letters"):
        load_table_policy(save(tmp_path, GOOD), table=header(tmp_path, [name.upper() for name in COLUMNS]))


def test_a_hint_is_a_column_that_the_policy_does_not_name(tmp_path):
    document = changed({"hierarchy": {"prefix": [3]}}, "quasi_identifiers", "zipcode")
    del document["quasi_identifiers"]["zip"]
    with pytest.raises(InputError, match=r"no column zipcode; did you mean 'zip'\?"):
        load_table_policy(save(tmp_path, document), table=header(tmp_path, COLUMNS))


def test_cells_of_a_table_without_a_header_are_not_shown(tmp_path):
    cells = ["F", "31", "02139", "2020-01-01", "038", "illnes", "Jane Doe"]
    with pytest.raises(InputError) as caught:
        load_table_policy(save(tmp_path, GOOD), table=header(tmp_path, cells))
    assert "none of the 7 columns that the policy names is among the 7 of the table's first line" in str(
        caught.value
    )
    assert not [cell for cell in cells[1:] if cell in str(caught.value).replace("illness", "")]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"recoding": "local", "loss": "loss_gm"}, "loss: local recoding lowers loss_am, not loss_gm"),
        ({"recoding": "either"}, "recoding: either is for a policy with an objective"),
    ],
)
def test_local_recoding_minimizes_no_other_loss(tmp_path, change, said):
    plain = {key: value for key, value in GOOD.items() if key != "objective"}
    (problem,) = problems_of(tmp_path, plain | change)
    assert problem.startswith(said)
    assert load_table_policy(save(tmp_path, plain | {"recoding": "local", "loss": "loss_am"}))


def test_what_the_readme_says_of_policies_is_so():
    text = (Path(__file__).parents[1] / "README.md").read_text()
    blocks = [yaml.safe_load(part.split("```")[0]) for part in text.split("```yaml\n")[1:]]
    (criteria,) = (block["privacy"] for block in blocks if list(block) == ["privacy"])
    assert len(Privacy.model_validate(criteria).sensitive) == 3
    section = text[text.index("\n## One table\n") : text.index("\n## On a cluster\n")]
    rows = [line.split(" | ") for line in section.splitlines() if line.startswith("| `")]
    named = {row[0].strip("| `"): row[1] for row in rows}
    rules = {form: row for form, row in named.items() if form.startswith("{")}
    assert len(rules) == len(get_args(Rule))
    for form, levels in rules.items():
        made = TableQuasiIdentifier.model_validate({"hierarchy": yaml.safe_load(form)}).hierarchy
        labels = [label.strip("`") for label in levels.split(", ")]
        assert list(made.row(labels[0])) == labels
    own = {"name", "description", "quasi_identifiers", "sensitive", "keep", "drop"}
    assert named.keys() >= set(TablePolicy.model_fields) - own


# --- the command's own options ---


@pytest.mark.parametrize("name", ["out.tsv", "out.csv.gz", "out.CSV", "out.txt", "out.2024"])
def test_endings_that_no_format_goes_by_are_refused(tmp_path, name):
    with pytest.raises(
        PolicyError, match=r"NAME\.csv, NAME\.parquet, or NAME or NAME\.delta for a Delta table, not as"
    ):
        check_out(tmp_path / name)


def test_where_nothing_can_be_written_is_told(tmp_path):
    for name in ("out.csv", "out.parquet", "out", "out.delta", "new/folder/out.csv"):
        check_out(tmp_path / name)
    (tmp_path / "file").write_text("")
    (tmp_path / "link.csv").symlink_to(tmp_path / "nowhere")
    with pytest.raises(PolicyError, match="is no folder that can be written to"):
        check_out(tmp_path / "file" / "out.csv")
    for name in ("file", "link.csv"):
        with pytest.raises(PolicyError, match="is there already"):
            check_out(tmp_path / name)


@pytest.mark.parametrize(
    ("command", "said"),
    [
        (["anonymize", "--out", "{}/p.yaml"], "is there already"),
        (["anonymize", "--out", "{}/o.tsv"], "not as .tsv"),
        (["frontier", "--tau", "2"], "tau must lie in"),
        (["frontier", "--k", "1"], "k must be at least 2"),
        (["frontier", "--t", "1.5"], r"t must lie in"),
        (["frontier", "--out", "{}"], "is a folder"),
        (["frontier", "--out", "{}/f.png"], r"must end in \.svg or \.html"),
    ],
)
def test_options_are_refused_before_spark_starts(tmp_path, monkeypatch, command, said):
    def no_session() -> None:
        raise AssertionError("Spark was started")

    monkeypatch.setattr(cli, "_session", no_session)
    name, *options = (part.format(tmp_path) for part in command)
    words = [name, str(header(tmp_path)), "--policy", str(save(tmp_path, GOOD)), *options]
    with pytest.raises(PolicyError, match=said):
        cli.app(words, standalone_mode=False, obj=Console(file=io.StringIO()))


@pytest.mark.parametrize(("command", "goes_on"), [("run", True), ("anonymize", False), ("frontier", False)])
def test_only_what_continues_is_said_to(monkeypatch, capsys, command, goes_on):
    def fails(*_: object, **__: object) -> None:
        raise RuntimeError("a cell")

    monkeypatch.setattr(cli, "app", fails)
    monkeypatch.setattr(cli, "_keep_stdout", lambda: Console(file=io.StringIO()))
    assert cli._run([command, "x"]) == AnonError.exit_code
    said = capsys.readouterr().err
    assert "failed (RuntimeError)" in said
    assert "a cell" not in said
    assert ("continues it" in said) == goes_on
