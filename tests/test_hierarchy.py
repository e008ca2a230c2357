"""Hierarchies: labels, shares and the null rule; and every way in which a file is no tree."""

from pathlib import Path

import pytest

from anon_spark.anonymize.hierarchy import Hierarchy, load_hierarchy, uncovered
from anon_spark.errors import InputError, PolicyError
from anon_spark.policy.load import conf_dir

OWN = sorted((conf_dir() / "hierarchies").glob("*.csv"))


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture
def marital(tmp_path: Path) -> Hierarchy:
    return load_hierarchy(write(tmp_path / "marital.csv", "M;WITH;*\nL;WITH;*\nS;WITHOUT;*\n;UNKNOWN;*\n"))


@pytest.fixture
def age() -> Hierarchy:
    return load_hierarchy(conf_dir() / "hierarchies" / "age.csv")


def test_labels_and_mapping(marital: Hierarchy) -> None:
    assert (marital.name, marital.height, marital.domain_size) == ("marital", 2, 4)
    assert marital.leaves == ("M", "L", "S")
    assert marital.mapping(0) == {"M": "M", "L": "L", "S": "S"}
    assert marital.mapping(1) == {"M": "WITH", "L": "WITH", "S": "WITHOUT"}
    assert set(marital.mapping(2).values()) == {"*"}


def test_null_with_its_own_row(marital: Hierarchy) -> None:
    assert [marital.label(None, level) for level in range(3)] == [None, "UNKNOWN", "*"]
    assert marital.share(0) == {"M": 0.25, "L": 0.25, "S": 0.25, None: 0.25}
    assert marital.share(1) == {"WITH": 0.5, "WITHOUT": 0.25, "UNKNOWN": 0.25}
    assert marital.share(2) == {"*": 1.0}


def test_null_may_share_a_parent(tmp_path: Path) -> None:
    hierarchy = load_hierarchy(write(tmp_path / "h.csv", "A;A;*\nUNKNOWN;NONE;*\n;NONE;*\n"))
    assert hierarchy.label(None, 1) == hierarchy.label("UNKNOWN", 1) == "NONE"
    assert hierarchy.share(1) == {"A": 1 / 3, "NONE": 2 / 3}


def test_null_without_a_row_is_a_branch_of_its_own(tmp_path: Path) -> None:
    hierarchy = load_hierarchy(write(tmp_path / "h.csv", "A;X;*\nB;X;*\n"))
    assert [hierarchy.label(None, level) for level in range(3)] == [None, None, "*"]
    assert hierarchy.share(1) == {"X": 1.0, None: 0.5}
    assert hierarchy.share(2) == {"*": 1.0}


def test_unknown_values_are_counted_and_never_named(marital: Hierarchy) -> None:
    assert uncovered(marital, ["M", None, "Zebra", "Zebra", "S"]) == 2
    with pytest.raises(InputError) as raised:
        marital.label("Zebra", 1)
    assert "Zebra" not in str(raised.value)
    assert "marital" in str(raised.value)


@pytest.mark.parametrize(
    ("label", "bounds"),
    [
        ("7", (7, 7)),
        ("60-69", (60, 69)),
        ("90+", (90, 90)),
        ("60+", (60, 90)),
        ("*", None),
        ("adult", None),
        ("-5", None),
        ("5-", None),
        ("", None),
        (None, None),
    ],
)
def test_bounds(age: Hierarchy, label: str | None, bounds: tuple[int, int] | None) -> None:
    assert age.bounds(label) == bounds


def test_age_bands_hold_exactly_their_ages(age: Hierarchy) -> None:
    assert (age.height, age.domain_size) == (5, 91)
    for level in range(age.height):
        under: dict[str | None, list[int]] = {}
        for leaf, label in age.mapping(level).items():
            under.setdefault(label, []).append(int(leaf.rstrip("+")))
        for label, ages in under.items():
            assert (min(ages), max(ages)) == age.bounds(label)
            assert len(ages) == max(ages) - min(ages) + 1


@pytest.mark.parametrize("path", OWN, ids=lambda path: path.stem)
def test_own_hierarchies_are_trees(path: Path) -> None:
    hierarchy = load_hierarchy(path)
    assert set(hierarchy.share(hierarchy.height)) == {"*"}
    for level in range(hierarchy.height):
        shares = hierarchy.share(level)
        if not hierarchy.has_null_row:
            assert shares.pop(None) == 1 / hierarchy.domain_size
        assert sum(shares.values()) == pytest.approx(1)


@pytest.mark.parametrize(
    ("text", "messages"),
    [
        ("", ["hierarchy h: the file is empty"]),
        ("A\n", ["hierarchy h: a row needs a leaf and at least one level"]),
        ("A;*\nA;*\nB;*\n", ["hierarchy h: level 0: 1 leaves are there more than once"]),
        (";*\n;*\n", ["hierarchy h: level 0: 1 leaves are there more than once"]),
        ("A;X;*\nB;*\nC;X;Y;*\n", ["hierarchy h: 2 of 3 rows do not have 3 columns"]),
        ("A;;*\n", ["hierarchy h: 1 rows have an empty label"]),
        ("A;X;1;*\nB;X;2;*\n", ["hierarchy h: level 1: 1 labels have more than one parent at level 2"]),
        ("A;X\nB;Y\n", ["hierarchy h: level 1: the top is one label, '*', but 2 labels stand there"]),
        ("A;all\n", ["hierarchy h: level 1: the top is one label, '*'"]),
        ("A;X;1;p\nB;X;2;q\n", ["labels have more than one parent", "the top is one label"]),
        ("A;X;*\nA;X;*\nB;*\n", ["rows do not have 3 columns", "leaves are there more than once"]),
    ],
)
def test_every_fault_is_named(tmp_path: Path, text: str, messages: list[str]) -> None:
    with pytest.raises(PolicyError) as raised:
        load_hierarchy(write(tmp_path / "h.csv", text))
    assert len(raised.value.problems) == len(messages)
    for message in messages:
        assert message in str(raised.value)


def test_an_unreadable_file_is_a_policy_error(tmp_path: Path) -> None:
    (tmp_path / "h.csv").write_bytes(b"\xff\xfe;*\n")
    with pytest.raises(PolicyError, match="hierarchy h: cannot be read"):
        load_hierarchy(tmp_path / "h.csv")
    with pytest.raises(PolicyError, match="hierarchy none: cannot be read"):
        load_hierarchy(tmp_path / "none.csv")
