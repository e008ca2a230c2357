"""One table of any schema: what is written is read back by plain Python and holds what was promised."""

import csv
import gzip
import json
import random
from collections import Counter, defaultdict
from dataclasses import asdict
from datetime import date
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import yaml

from anon_spark.errors import GateRefusedError, InputError, PolicyError
from anon_spark.ingest.table import open_table
from anon_spark.policy.table import load_table_policy
from anon_spark.release.destination import check_out
from anon_spark.risk.population import population_uniqueness
from anon_spark.table import anonymize_table

SHARED = Path(__file__).parents[2] / "shared"
ADULT = SHARED / "data" / "adult"
CASES = SHARED / "expected" / "arx_adult.json"
with_adult = pytest.mark.skipif(not CASES.exists(), reason="Adult is not beside the project")

POLICY: dict[str, Any] = {
    "name": "people",
    "quasi_identifiers": {
        "born in": {"hierarchy": "town"},
        "age": {"hierarchy": {"intervals": [10, 50], "least": 0, "greatest": 99}},
        "zip": {"hierarchy": {"prefix": [3, 1]}},
    },
    "sensitive": ["illness"],
    "keep": ["note"],
    "drop": ["name"],
    "privacy": {"k": 3, "l": 2},
    "suppression_limit": 0.2,
}
TOWNS = "ASH;NORTH;*\nBIRCH;NORTH;*\nELM;SOUTH;*\n"
HEADER = ["name", "born in", "age", "zip", "illness", "note"]


def people(count: int = 60) -> list[list[str]]:
    """Rows in an order that would tell who is who; every tenth has no town."""
    return [
        [
            f"Person {i}",
            "" if i % 10 == 0 else ["ASH", "BIRCH", "ELM"][i * i % 3],
            str(20 + 7 * i % 40),
            f"0{2100 + 13 * (i % 4)}",
            ["flu", "gout", "cough"][i % 3],
            f"n{i % 2}",
        ]
        for i in range(count)
    ]


def write(
    folder: Path, rows: list[list[str]], *, header: list[str] = HEADER, **policy: Any
) -> tuple[Path, Path]:
    """The table and its policy; a policy's key given as None is left out."""
    with (folder / "people.csv").open("w", newline="") as file:
        csv.writer(file, delimiter="|").writerows([header, *rows])
    (folder / "hierarchies").mkdir(exist_ok=True)
    (folder / "hierarchies" / "town.csv").write_text(TOWNS)
    (folder / "policies").mkdir(exist_ok=True)
    place = folder / "policies" / "people.yaml"
    place.write_text(
        yaml.safe_dump({k: v for k, v in (POLICY | policy).items() if v is not None}, sort_keys=False)
    )
    return folder / "people.csv", place


def run(spark, folder: Path, rows: list[list[str]], out: str = "out.csv", **policy: Any) -> dict[str, Any]:
    table, place = write(folder, rows, **policy)
    return anonymize_table(spark, table, load_table_policy(place, table=table), folder / out)


def read(place: Path, separator: str = "|") -> list[dict[str, str]]:
    with place.open(newline="") as file:
        return list(csv.DictReader(file, delimiter=separator))


def weakest(rows: list[dict[str, str]], keys: list[str], sensitive: str) -> tuple[int, int]:
    """k and distinct l, by the definition."""
    sizes = Counter(tuple(row[k] for k in keys) for row in rows)
    values = defaultdict(set)
    for row in rows:
        values[tuple(row[k] for k in keys)].add(row[sensitive])
    return min(sizes.values()), min(len(held) for held in values.values())


def test_what_is_written_holds_what_was_promised(spark, tmp_path):
    done = run(spark, tmp_path, people())
    rows = read(tmp_path / "out.csv")
    assert list(rows[0]) == ["born in", "age", "zip", "illness", "note"]
    assert len(rows) == 60 - done["suppressed"] == done["people"]["out"]
    k, l = weakest(rows, ["born in", "age", "zip"], "illness")  # noqa: E741
    assert (k, l) == (done["privacy"]["k"], done["privacy"]["l"])
    assert k >= 3
    assert l >= 2
    assert done["optimal"] is True
    assert done["bound"] == done["loss"]["loss_am"]
    assert done["warnings"] == []
    assert {"read", "histogram", "search", "apply", "write", "gate"} == set(done["seconds"])
    assert set(done["levels"]) == set(POLICY["quasi_identifiers"])
    kept = Counter((row["illness"], row["note"]) for row in rows)
    source = Counter((row[4], row[5]) for row in people())
    assert all(kept[pair] <= source[pair] for pair in kept)


def test_formats_and_the_order_of_rows_change_nothing(spark, tmp_path):
    by_kind = {}
    for kind, rows in (("csv", people()), ("parquet", people()[::-1]), ("delta", people())):
        (tmp_path / kind).mkdir()
        done = run(spark, tmp_path / kind, rows, out=f"out.{kind}")
        place = tmp_path / kind / f"out.{kind}"
        if kind == "csv":
            found = [tuple(x or None for x in row.values()) for row in read(place)]
        elif kind == "parquet":
            found = list(zip(*pq.read_table(place).to_pydict().values(), strict=True))
        else:
            found = [tuple(row) for row in spark.read.format("delta").load(str(place)).collect()]
        by_kind[kind] = (done["levels"], done["loss"], sorted(map(str, map(tuple, found))))
    assert by_kind["csv"] == by_kind["parquet"] == by_kind["delta"]


def test_rows_follow_their_classes_not_the_source(spark, tmp_path):
    run(spark, tmp_path, people(), keep=None, drop=["name", "note"])
    rows = [tuple(row.values()) for row in read(tmp_path / "out.csv")]
    classes = [row[:3] for row in rows]
    assert len(set(classes)) == 1 + sum(a != b for a, b in pairwise(classes))


def test_classes_with_labels_of_their_own(spark, tmp_path):
    done = run(spark, tmp_path, people(), recoding="local", keep=None, drop=["name", "note"])
    rows = read(tmp_path / "out.csv")
    assert len(rows) == 60
    assert done["suppressed"] == 0
    k, l = weakest(rows, ["born in", "age", "zip"], "illness")  # noqa: E741
    assert (k, l) == (done["privacy"]["k"], done["privacy"]["l"])
    assert k >= 3
    assert l >= 2
    assert done["levels"] is None
    assert (done["optimal"], done["bound"]) == (False, None)
    assert set(done["loss"]) == {"loss_am", "loss_gm", "precision", "discernibility", "average_class_size"}


def test_the_population_hides_whom_the_table_does_not(spark, tmp_path):
    (tmp_path / "policies").mkdir()
    crowd = [row[:4] for row in people() for _ in range(4)]
    with (tmp_path / "policies" / "crowd.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER[:4], *crowd])
    done = run(spark, tmp_path, people(), privacy={"k": 2, "l": 1, "k_map": 40}, population="crowd.csv", keep=None,
               drop=["name", "note"])  # fmt: skip
    assert done["privacy"]["criteria"]["k-map"] >= 40
    assert done["privacy"]["k"] * 4 >= 40


def test_population_uniques_of_the_table_and_of_the_file(spark, tmp_path):
    rows = [["x", "ASH", str(20 + i), "02100", "flu", "n0"] for i in range(40)] + people()
    done = run(spark, tmp_path, rows, sampling_fraction=0.05)
    sizes = Counter((row[1], row[2], row[3]) for row in rows)
    expected = population_uniqueness(np.array(list(sizes.values())), 0.05)
    uniques = done["privacy"]["population_uniques"]
    assert uniques["source"] == asdict(expected)
    assert expected.people > 0
    assert uniques["release"] == {"people": 0.0, "share": 0.0, "model": "none"}


def test_microaggregation_writes_means_of_groups_of_k_people(spark, tmp_path):
    rows = [[f"p{i}", "ASH", str(20 + i * i % 50), str(60 + i % 37), "flu", "n0"] for i in range(90)]
    numbers = {name: {"hierarchy": {"intervals": [10], "greatest": 99}} for name in ("age", "zip")}
    done = run(spark, tmp_path, rows, quasi_identifiers=numbers, drop=["name", "born in"], keep=None,
               sensitive=["illness", "note"], privacy={"k": 4, "l": 1}, suppression_limit=None,
               recoding="microaggregation")  # fmt: skip
    written = [(float(row["age"]), float(row["zip"])) for row in read(tmp_path / "out.csv")]
    groups = Counter(written)
    assert min(groups.values()) == done["privacy"]["k"] >= 4
    assert done["classes"] == len(groups) > 10
    for column, at in ((0, 2), (1, 3)):  # a group's mean keeps the sum
        assert sum(row[column] for row in written) == pytest.approx(sum(float(row[at]) for row in rows))
    assert 0 < done["loss"]["sse_sst"] < 0.2


def test_microaggregation_is_of_numbers_and_by_k_alone(spark, tmp_path):
    with pytest.raises(PolicyError, match="by k alone"):
        run(spark, tmp_path, people(), recoding="microaggregation", suppression_limit=None)
    with pytest.raises(InputError, match="3 of 3 values of born in are none"):
        run(
            spark,
            tmp_path,
            people(),
            recoding="microaggregation",
            suppression_limit=None,
            privacy={"k": 3, "l": 1},
        )
    ages = {"age": {"hierarchy": {"intervals": [10], "greatest": 99}}}
    rows = [[*row[:2], "", *row[3:]] if i == 5 else row for i, row in enumerate(people())]
    with pytest.raises(InputError, match="age has none for 1 people"):
        run(spark, tmp_path, rows, quasi_identifiers=ages, drop=["name", "born in", "zip"],
            recoding="microaggregation", suppression_limit=None, privacy={"k": 3, "l": 1})  # fmt: skip


def test_a_population_is_no_value_to_ordered_closeness(spark, tmp_path):
    """Population people have no illness: as a value of its own it would shorten every distance of the order."""
    by_town = {"ASH": "1111122233", "BIRCH": "2223333311"}
    rows = [["x", town, "30", "02100", i, "n0"] for town, ill in by_town.items() for i in ill]
    with (tmp_path / "crowd.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER[:4], *(row[:4] for row in rows * 10)])
    wanted = {
        "quasi_identifiers": {"born in": {"hierarchy": "town"}},
        "drop": ["name", "age", "zip", "note"],
        "keep": None,
        "privacy": {"k": 2, "l": 1, "sensitive": {"illness": {"t": {"ordered": 0.12}}}},
        "suppression_limit": 0,
    }
    alone = run(spark, tmp_path, rows, out="alone.csv", **wanted)
    beside = run(spark, tmp_path, rows, out="beside.csv", population="../crowd.csv", **wanted)
    assert beside["levels"] == alone["levels"] == {"born in": 1}
    assert beside["privacy"] == alone["privacy"]


def test_blanks_of_values_stay_and_files_beside_out_too(spark, tmp_path):
    rows = [[*row[:4], illness, row[5]] for row in people() for illness in (" flu", "flu ")]
    (tmp_path / "out.partial.csv").write_text("somebody's")
    done = run(spark, tmp_path, rows, privacy={"k": 3, "l": 2})
    assert done["privacy"]["l"] == 2
    with (tmp_path / "out.csv").open(newline="") as file:
        assert {row["illness"] for row in csv.DictReader(file, delimiter="|")} == {" flu", "flu "}
    assert (tmp_path / "out.partial.csv").read_text() == "somebody's"
    assert {p.name for p in tmp_path.iterdir()} == {
        "out.csv",
        "out.partial.csv",
        "people.csv",
        "hierarchies",
        "policies",
    }


@pytest.mark.parametrize(
    ("name", "said"),
    [("_tuple", "_tuple"), ("_CLASS", "_CLASS"), ("_q0", "_q0"), ("Illness", "1 of 6 columns have a name")],
)
def test_names_of_the_engines_own_columns_are_refused(spark, tmp_path, name, said):
    header = [*HEADER[:5], name]
    table, place = write(tmp_path, people(), header=header, keep=[name])
    with pytest.raises(InputError, match=said):
        anonymize_table(spark, table, load_table_policy(place, table=table), tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()


def test_diversity_without_a_sensitive_attribute_is_refused(tmp_path):
    table, place = write(tmp_path, people(), sensitive=[], drop=["name", "illness"])
    with pytest.raises(PolicyError, match=r"privacy\.l"):
        load_table_policy(place, table=table)


def test_a_search_that_ended_early_is_not_called_infeasible(spark, tmp_path):
    by_town = {"ASH": "xxxxxyyyyy", "BIRCH": "xxxxxxxx"}
    rows = [["x", town, "30", "02100", i, "n0"] for town, ill in by_town.items() for i in ill]
    wanted = {
        "quasi_identifiers": {"born in": {"hierarchy": "town"}},
        "drop": ["name", "age", "zip", "note"],
        "keep": None,
        "privacy": {"k": 2, "l": 1, "sensitive": {"illness": {"alpha": 0.6}}},
        "suppression_limit": 0.9,
    }
    with pytest.raises(GateRefusedError, match="budget of the search ended after 1 of 3 nodes"):
        run(spark, tmp_path, rows, search={"nodes": 1}, **wanted)
    assert run(spark, tmp_path, rows, **wanted)["levels"] == {"born in": 0}


@pytest.mark.parametrize(
    ("rows", "policy", "error", "said"),
    [
        (
            [*people(), ["x", "OAK", "30", "02100", "flu", "n0"]],
            {},
            InputError,
            "does not cover 1 values of born in",
        ),
        ([*people(), ["x", "ASH", "130", "02100", "flu", "n0"]], {}, InputError, "covers 40 of 41 values"),
        ([*people(), ["x", "ASH"]], {}, InputError, "1 of 61 rows have too few or too many cells"),
        ([], {}, InputError, "no rows"),
        (people(), {"drop": None}, PolicyError, "column name is not classified"),
        (people(), {"drop": ["nmae"]}, InputError, "no column nmae; did you mean 'name'"),
        (people(), {"privacy": {"k": 61}}, GateRefusedError, r"k-anonymity \(k = 61\)"),
        (people(), {"privacy": {"k": 2, "l": 4}}, GateRefusedError, "l-diversity of illness"),
        (people(), {"privacy": {"k": 2, "k_map": 5}}, PolicyError, "population"),
        (people(), {"los": "loss_am"}, PolicyError, "unknown key; did you mean 'loss'"),
    ],
)
def test_what_is_wrong_is_one_sentence_and_nothing_is_left(spark, tmp_path, rows, policy, error, said):
    with pytest.raises(error, match=said) as caught:
        run(spark, tmp_path, rows, **policy)
    assert "OAK" not in str(caught.value)
    assert sorted(p.name for p in tmp_path.iterdir()) == ["hierarchies", "people.csv", "policies"]


@pytest.mark.parametrize("packed", [False, True])
def test_cells_that_go_on_in_the_next_line_are_refused(spark, tmp_path, packed):
    """Read line by line, the first table's one long row would be two that nothing is wrong with."""
    place = tmp_path / ("t.csv.gz" if packed else "t.csv")

    def table(text: str) -> Path:
        place.write_bytes(gzip.compress(text.encode()) if packed else text.encode())
        return place

    with pytest.raises(InputError, match="2 lines have a quote without its end") as caught:
        open_table(spark, table('a,b\n1,"x\n2,y"\n3,z\n'))
    assert "x" not in str(caught.value).split("lines")[1].replace("next", "")
    with pytest.raises(InputError, match="3 lines have a quote"):
        open_table(spark, table('a,b\n1,"x\ny",z\n2,y""""\n5,5" pipe\n'))
    rows = open_table(spark, table('a,b\n1,"x, ""y"""\n2,""\n3,\n"4",y\n')).df.select("a", "b").collect()
    assert [tuple(row) for row in rows] == [("1", 'x, "y"'), ("2", None), ("3", None), ("4", "y")]
    with pytest.raises(
        InputError, match="1 lines have a quote"
    ):  # of the header, which seems to have two columns
        open_table(spark, table('a,"b\n1,x\n'))
    named = open_table(spark, table('"a","b, ""c"""\n1,x\n'))
    assert (named.columns, named.df.count()) == (("a", 'b, "c"'), 1)
    if not packed:
        with pytest.raises(InputError, match="has no header"):
            open_table(spark, table(""))


def test_line_breaks_go_to_parquet_and_not_to_csv(spark, tmp_path):
    rows = [[*row[:4], row[4] + ("\n" if i % 2 else "\r"), row[5]] for i, row in enumerate(people())]
    columns = {name: [row[i] or None for row in rows] for i, name in enumerate(HEADER)}
    _, place = write(tmp_path, people())
    table = tmp_path / "people.parquet"
    pq.write_table(pa.table(columns), table)
    loaded = load_table_policy(place, table=table)
    with pytest.raises(InputError, match="cells with a line break: 60 of illness; CSV cannot hold them"):
        anonymize_table(spark, table, loaded, tmp_path / "out.csv")
    done = anonymize_table(spark, table, loaded, tmp_path / "out.parquet")
    assert pq.read_table(tmp_path / "out.parquet").num_rows == done["people"]["out"]


def test_empty_text_and_null_are_one_value_of_a_csv_file(spark, tmp_path):
    """Kept apart they would be two values to l-diversity, and to most readers of the file they are one."""
    rows = people()
    columns = {name: [row[i] or None for row in rows] for i, name in enumerate(HEADER)}
    columns["illness"] = ["" if i % 2 else None for i in range(len(rows))]
    _, place = write(tmp_path, rows, privacy={"k": 3, "l": 2}, keep=None, drop=["name", "note"])
    table = tmp_path / "people.parquet"
    pq.write_table(pa.table(columns), table)
    loaded = load_table_policy(place, table=table)
    with pytest.raises(GateRefusedError, match="the file fails 1 checks"):
        anonymize_table(spark, table, loaded, tmp_path / "out.csv")
    assert not (tmp_path / "out.csv").exists()
    assert anonymize_table(spark, table, loaded, tmp_path / "out.parquet")["privacy"]["l"] == 2


def test_a_release_of_one_class_comes_with_a_warning(spark, tmp_path):
    done = run(spark, tmp_path, people(), privacy={"k": 60, "l": 2}, keep=None, drop=["name", "note"])
    assert (done["classes"], done["privacy"]["k"]) == (1, 60)
    assert done["warnings"] == [
        "all people are in one class: every quasi-identifier is '*' or the same for everybody"
    ]


def test_nothing_that_is_there_is_overwritten(spark, tmp_path):
    (tmp_path / "out.csv").write_text("mine")
    with pytest.raises(PolicyError, match="is there already"):
        run(spark, tmp_path, people())
    assert (tmp_path / "out.csv").read_text() == "mine"


def test_the_example_of_the_readme_runs(spark, tmp_path):
    text = (Path(__file__).parents[1] / "README.md").read_text()
    section = text[text.index("\n## One table\n") : text.index("\n## On a cluster\n")]
    for kind, name in (("csv", "people.csv"), ("yaml", "people.yaml")):
        (tmp_path / name).write_text(section.split(f"```{kind}\n")[1].split("```")[0])
    table = tmp_path / "people.csv"
    done = anonymize_table(
        spark, table, load_table_policy(tmp_path / "people.yaml", table=table), tmp_path / "anonymous.csv"
    )
    rows = read(tmp_path / "anonymous.csv", ",")
    assert list(rows[0]) == ["sex", "age", "zip", "seen", "code", "illness", "ward"]
    assert min(weakest(rows, ["sex", "age", "zip", "seen", "code"], "illness")) >= 2
    assert done["classes"] > 1
    assert done["warnings"] == []


@with_adult
def test_adult_by_its_policy_is_answered_as_by_the_reference(spark, tmp_path):
    table = ADULT / "adult.csv"
    done = anonymize_table(spark, table, load_table_policy("adult", table=table), tmp_path / "out.csv")
    cases = json.loads(CASES.read_text())["cases"]
    by = {
        case["metric"]: case
        for case in cases
        if case["privacy_model"] == "k5" and case["suppression_limit"] == 0.05
    }
    expected = by["loss_am"]
    assert done["levels"] == expected["levels"]
    assert done["loss"]["loss_am"] == pytest.approx(expected["loss_value"], rel=1e-9)
    assert done["loss"]["loss_gm"] == pytest.approx(by["loss_gm"]["loss_value"], rel=1e-9)
    assert done["suppressed"] == expected["suppressed_records"]
    assert done["classes"] == expected["classes_excl_suppressed"]
    rows = read(tmp_path / "out.csv", ";")
    assert len(rows) == 30162 - done["suppressed"]
    sizes = Counter(tuple(row.values()) for row in rows)
    assert (min(sizes.values()), len(sizes)) == (expected["min_class"], expected["classes_excl_suppressed"])
    assert done["privacy"]["k"] == expected["min_class"]


def test_hidden_copies_beside_a_folders_files_are_not_its_rows(spark, tmp_path):
    """Editors' copies and a killed run's private folder: read as well they would double people."""
    for folder in ("", ".ipynb_checkpoints", "_old"):
        (tmp_path / "t" / folder).mkdir(parents=True, exist_ok=True)
        (tmp_path / "t" / folder / "a.csv").write_text("a,b\n1,x\n")
    assert open_table(spark, tmp_path / "t").df.count() == 1


@pytest.mark.parametrize("name", ["d*.csv", "d[1].csv", "d{1}.parquet", "co:lon.csv", "_in.csv", ".in.csv"])
def test_names_that_spark_does_not_take_by_their_letters_are_refused(spark, tmp_path, name):
    (tmp_path / name).write_text("a,b\n1,x\n")
    with pytest.raises(InputError, match="rename it"):
        open_table(spark, tmp_path / name)
    with pytest.raises(PolicyError, match="rename it"):
        check_out(tmp_path / "new" / name)


def test_files_that_are_no_text_or_end_too_early_are_refused(spark, tmp_path):
    place = tmp_path / "t.csv"
    place.write_bytes(b"a,b\n" + b"1,x\n" * 4000 + b"2,M\xfcller\n")
    with pytest.raises(InputError, match=r"t\.csv is not UTF-8"):
        open_table(spark, place)
    place.write_text("a,b\n" + "1,ü\n" * 4000)
    assert open_table(spark, place).df.count() == 4000
    packed = gzip.compress(b"a,b\n1," + random.Random(1).randbytes(200_000).hex().encode())
    (tmp_path / "t.csv.gz").write_bytes(packed[:-200])
    with pytest.raises(InputError, match="to its end"):
        open_table(spark, tmp_path / "t.csv.gz")


def test_lines_of_blanks_alone_are_rows_where_a_blank_separates(spark, tmp_path):
    place = tmp_path / "t.csv"
    place.write_text("a\tb\n1\tx\n\t\n\t\n")
    with pytest.raises(InputError, match="2 lines are blank"):
        open_table(spark, place)
    place.write_text("a,b\n1,x\n,\n\n")
    assert open_table(spark, place).df.count() == 2
    place.write_text("a,b;c\n1,2;3\n")
    with pytest.raises(InputError, match="cut the header into 2 columns each"):
        open_table(spark, place)
    place.write_text("a,b,\n1,2,\n")
    with pytest.raises(InputError, match="1 of 3 columns of table"):
        open_table(spark, place)


def test_one_column_with_nulls_stays_as_many_rows(spark, tmp_path):
    table = tmp_path / "t.parquet"
    pq.write_table(pa.table({"zip": ["02139", None, "02139", None, "02138", "02138"]}), table)
    place = tmp_path / "p.yaml"
    wanted = {"name": "p", "quasi_identifiers": {"zip": {"hierarchy": {"prefix": [3]}}}, "privacy": {"k": 2}}
    place.write_text(yaml.safe_dump(wanted))
    for out in ("out.csv", "out.parquet"):
        done = anonymize_table(spark, table, load_table_policy(place, table=table), tmp_path / out)
        assert (done["people"]["out"], done["levels"]) == (6, {"zip": 0})
    assert sorted((tmp_path / "out.csv").read_text().split()[1:]) == [
        '""',
        '""',
        *(["02138"] * 2),
        *(["02139"] * 2),
    ]


def test_a_column_of_nulls_alone_and_sensitive_values_keep_their_type(spark, tmp_path):
    table = tmp_path / "t.parquet"
    days = [date(2020, 1, 1 + i % 2) for i in range(6)]
    pq.write_table(pa.table({"zip": pa.nulls(6, pa.string()), "n": [1, 2] * 3, "day": days}), table)
    place = tmp_path / "p.yaml"
    wanted = {"name": "p", "quasi_identifiers": {"zip": {"hierarchy": {"prefix": [3]}}}, "sensitive": ["n", "day"],
              "privacy": {"k": 2}}  # fmt: skip
    place.write_text(yaml.safe_dump(wanted))
    anonymize_table(spark, table, load_table_policy(place, table=table), tmp_path / "out.parquet")
    written = pq.read_table(tmp_path / "out.parquet")
    assert sorted(map(str, written["n"].to_pylist())) == list("111222")
    assert written.schema.field("n").type == pa.int64()
    assert sorted(written["day"].to_pylist()) == sorted(days)


def test_a_kept_column_that_tells_people_apart_is_warned_about(spark, tmp_path):
    rows = [[*row[:5], f"visit {i}"] for i, row in enumerate(people())]
    (warning,) = run(spark, tmp_path, rows)["warnings"]
    assert "kept column note has about" in warning
    assert run(spark, tmp_path, people(), out="other.csv")["warnings"] == []


def test_people_of_the_population_count_by_the_label_they_share(spark, tmp_path):
    """A ZIP that only the population has generalizes into a class of the table: presence is 6 of 12."""
    rows = [["x", "ASH", "30", zip_, "flu", "n0"] for zip_ in ("02139", "02138") for _ in range(3)]
    crowd = [[*row[:4]] for row in rows] + [["y", "ASH", "30", "02137"]] * 6
    with (tmp_path / "crowd.csv").open("w", newline="") as file:
        csv.writer(file).writerows([HEADER[:4], *crowd])
    wanted = {"quasi_identifiers": {"zip": {"hierarchy": {"prefix": [3]}}}, "drop": ["name", "born in", "age"],
              "population": "../crowd.csv"}  # fmt: skip
    with pytest.raises(GateRefusedError):
        run(spark, tmp_path, rows, privacy={"k": 6, "l": 1, "presence": {"min": 0.6}}, **wanted)
    done = run(spark, tmp_path, rows, privacy={"k": 2, "l": 1, "k_map": 8}, **wanted)
    assert done["privacy"]["criteria"]["k-map"] == 12


def test_large_numbers_are_microaggregated_exactly_or_refused(spark, tmp_path):
    def of(values: list[str], out: str) -> tuple[list[str], float]:
        rows = [["x", "ASH", value, "0", "flu", "n0"] for value in values]
        numbers = {"age": {"hierarchy": {"numbers": True}}}
        done = run(spark, tmp_path, rows, out=out, quasi_identifiers=numbers, drop=["name", "born in", "zip"],
                   privacy={"k": 3, "l": 1}, recoding="microaggregation")  # fmt: skip
        return [row["age"] for row in read(tmp_path / out)], done["loss"]["sse_sst"]

    released, loss = of([str(10**14 + i) for i in range(9)], "a.csv")
    assert sum(map(int, released)) == sum(10**14 + i for i in range(9))
    assert loss < 0.2
    assert of(["12345678901234"] * 4, "b.csv")[0] == ["12345678901234"] * 4
    assert set(of(["0.1"] * 4, "c.csv")[0]) == {"0.1"}
    with pytest.raises(InputError, match="from 1e-100 to 1e100: age of 4 people is not"):
        of(["1e300", "2e300", "1e-200", "3e200", "1"], "d.csv")
    with pytest.raises(GateRefusedError, match="no generalization of 2 people"):
        of(["1", "2"], "e.csv")
