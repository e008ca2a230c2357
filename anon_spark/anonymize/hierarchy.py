"""Generalization hierarchies: each value of a quasi-identifier, and the ever coarser labels above it (Eq. 3).

A file has one line a value, as in ARX: ``leaf;level 1;...;*``, separated by ``;``, without a header.
"""

import csv
import re
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from anon_spark.errors import InputError, PolicyError

TOP = "*"
_INTERVAL = re.compile(r"(\d{1,9})(?:-(\d{1,9})|(\+))?")


@dataclass(frozen=True)
class Hierarchy:
    """A tree over the values of one quasi-identifier; level 0 is the value itself, the top is ``*``.

    ``levels`` holds one row a leaf: its labels from level 0 to the top. Null: a row whose leaf is empty
    (``None``) says what null becomes. Without such a row null is a branch of its own: null below the top,
    ``*`` at the top.

    >>> sex = Hierarchy("sex", (("M", "*"), ("F", "*")))
    >>> sex.height, sex.label("M", 0), sex.label("M", 1), sex.label(None, 0)
    (1, 'M', '*', None)
    >>> sex.share(0)
    {'M': 0.5, 'F': 0.5, None: 0.5}
    """

    name: str
    levels: tuple[tuple[str | None, ...], ...]

    @property
    def height(self) -> int:
        """Index of the top level."""
        return len(self.levels[0]) - 1

    @property
    def domain_size(self) -> int:
        """Number of rows of the file, null's row included."""
        return len(self.levels)

    @cached_property
    def leaves(self) -> tuple[str, ...]:
        """The values that are not null, in the file's order."""
        return tuple(row[0] for row in self.levels if row[0] is not None)

    @property
    def has_null_row(self) -> bool:
        """Whether the file says what null becomes."""
        return None in self._row_of

    @cached_property
    def _row_of(self) -> dict[str | None, tuple[str | None, ...]]:
        return {row[0]: row for row in self.levels}

    def label(self, leaf: str | None, level: int) -> str | None:
        """Label of ``leaf`` at ``level``; null follows the null rule of the class.

        Raises:
            InputError: ``leaf`` is not in the hierarchy; the message does not hold it.
        """
        row = self._row_of.get(leaf)
        if row is not None:
            return row[level]
        if leaf is not None:
            raise InputError(f"hierarchy {self.name}: a value is not among its {len(self.leaves)} leaves")
        return TOP if level == self.height else None

    def mapping(self, level: int) -> dict[str, str | None]:
        """Label at ``level`` of every value that is not null; for null ask ``label(None, level)``."""
        return {row[0]: row[level] for row in self.levels if row[0] is not None}

    def share(self, level: int) -> dict[str | None, float]:
        """Leaves under each label of ``level``, as a share of ``domain_size``; null's branch is one leaf."""
        counts: Counter[str | None] = Counter(row[level] for row in self.levels)
        if not self.has_null_row and level < self.height:
            counts[None] = 1
        return {label: count / self.domain_size for label, count in counts.items()}

    def bounds(self, label: str | None) -> tuple[int, int] | None:
        """Lower and upper end, both inside, of a number or an interval; None for any other label.

        An open interval (``90+``) ends at the greatest number among the leaves: above it none differ.

        >>> ages = Hierarchy("age", (("88", "80-89", "*"), ("90+", "90+", "*")))
        >>> ages.bounds("80-89"), ages.bounds("88"), ages.bounds("90+"), ages.bounds("*")
        ((80, 89), (88, 88), (90, 90), None)
        """
        interval = _interval(label)
        if interval is None:
            return None
        lower, upper = interval
        return lower, (max(lower, self._greatest) if upper is None else upper)

    @cached_property
    def _greatest(self) -> int:
        intervals = [interval for leaf in self.leaves if (interval := _interval(leaf))]
        return max((lower if upper is None else upper for lower, upper in intervals), default=0)


def _interval(label: str | None) -> tuple[int, int | None] | None:
    """Ends of ``7``, ``5-9`` or ``90+`` (no upper end)."""
    match = _INTERVAL.fullmatch(label or "")
    if match is None:
        return None
    lower, upper, is_open = match.groups()
    return int(lower), None if is_open else int(upper or lower)


def uncovered(hierarchy: Hierarchy, leaves: Iterable[str | None]) -> int:
    """Count the values that the hierarchy has no row for; null is always covered.

    >>> uncovered(Hierarchy("sex", (("M", "*"),)), ["M", None, "X"])
    1
    """
    known = set(hierarchy.leaves)
    return sum(leaf is not None and leaf not in known for leaf in leaves)


def load_hierarchy(path: Path) -> Hierarchy:
    """Read a hierarchy's file; its name is the file's.

    Raises:
        PolicyError: all that is wrong with the file: it is empty, its rows differ in length, a leaf is there
            twice, a label has two parents, or the top is not just ``*``.
    """
    try:
        with path.open(newline="", encoding="utf-8-sig") as file:
            lines = [tuple(cell or None for cell in line) for line in csv.reader(file, delimiter=";") if line]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PolicyError(f"hierarchy {path.stem}: cannot be read ({type(error).__name__})") from None
    hierarchy = Hierarchy(path.stem, tuple(lines))
    if problems := _shape_problems(hierarchy) or _tree_problems(hierarchy):
        raise PolicyError([f"hierarchy {path.stem}: {problem}" for problem in problems])
    return hierarchy


def _shape_problems(hierarchy: Hierarchy) -> list[str]:
    """What keeps the file from being a table of labels."""
    rows = hierarchy.levels
    if not rows:
        return ["the file is empty"]
    width = len(rows[0])
    problems = []
    if width < 2:
        problems.append(
            f"a row needs a leaf and at least one level, the first has {width} column; cells are cut by ';'"
        )
    if ragged := sum(len(row) != width for row in rows):
        problems.append(f"{ragged} of {len(rows)} rows do not have {width} columns as the first has")
    if twice := sorted(
        leaf or "(empty)" for leaf, count in Counter(row[0] for row in rows).items() if count > 1
    ):
        problems.append(f"level 0: {len(twice)} leaves are there more than once")
    if broken := sum(any("\n" in (label or "") or "\r" in (label or "") for label in row) for row in rows):
        problems.append(f"{broken} rows have a line break in a label")
    if holes := sum(row[0] is not None and None in row for row in rows):
        problems.append(f"{holes} rows have an empty label")
    return problems


def _tree_problems(hierarchy: Hierarchy) -> list[str]:
    """What keeps the table from being a tree with one root."""
    problems = []
    for level in range(hierarchy.height):
        parents = defaultdict(set)
        for row in hierarchy.levels:
            parents[row[level]].add(row[level + 1])
        if split := sorted(label or "(empty)" for label, above in parents.items() if len(above) > 1):
            problems.append(
                f"level {level}: {len(split)} labels have more than one parent at level {level + 1}"
            )
    roots = {row[-1] for row in hierarchy.levels}
    if roots != {TOP}:
        problems.append(
            f"level {hierarchy.height}: the top is one label, '{TOP}', but {len(roots)} labels stand there"
        )
    return problems


def interval_problems(hierarchy: Hierarchy) -> list[str]:
    """Leaves that are no part of the interval above them: harmless in a tree of names, wrong where ages follow from it.

    >>> interval_problems(Hierarchy("age", (("7", "0-9", "*"), ("12", "0-9", "*"))))
    ["hierarchy age: level 1: 1 leaves lie outside their interval '0-9'"]
    """
    problems = []
    for level in range(1, hierarchy.height):
        outside = Counter(row[level] for row in hierarchy.levels if not _inside(row[0], row[level]))
        problems += [
            f"hierarchy {hierarchy.name}: level {level}: {count} leaves lie outside their interval '{label}'"
            for label, count in sorted(outside.items(), key=str)
        ]
    return problems


def _inside(leaf: str | None, label: str | None) -> bool:
    """False only where both are intervals and the leaf's reaches outside the label's."""
    inner, outer = _interval(leaf), _interval(label)
    if inner is None or outer is None:
        return True
    if inner[0] < outer[0]:
        return False
    return outer[1] is None or (inner[1] is not None and inner[1] <= outer[1])
