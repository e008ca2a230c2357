"""Hierarchies made by a rule from the values a column holds: intervals, prefixes, dates, ICD-9-CM codes.

A file lists its leaves; a rule makes them: every integer of a range, or the values that occur. Which of the
two it is matters for the loss, whose shares are of all leaves.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import date
from itertools import pairwise
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anon_spark.anonymize.hierarchy import TOP, Hierarchy
from anon_spark.errors import InputError

Row = tuple[str | None, ...]
DateLevel = Literal["month", "quarter", "year", "decade"]

# First code of each chapter of ICD-9-CM (the 2007 tabular list); V and E codes are chapters of their own.
ICD9_CHAPTERS = (
    (140, "001-139"), (240, "140-239"), (280, "240-279"), (290, "280-289"), (320, "290-319"),
    (390, "320-389"), (460, "390-459"), (520, "460-519"), (580, "520-579"), (630, "580-629"),
    (680, "630-679"), (710, "680-709"), (740, "710-739"), (760, "740-759"), (780, "760-779"),
    (800, "780-799"), (1000, "800-999"),
)  # fmt: skip
MOST_LEAVES = 20_000  # each becomes a literal of the query
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d+)?")
_ICD9 = re.compile(r"(E\d{3}|V\d{2}|\d{3})\.?(\d{0,2})")


class _Rule(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    def row(self, value: str) -> Row | None:
        """Labels of one value from itself to the top, None for a value the rule is not for."""
        raise NotImplementedError

    def leaves(self, values: Iterable[str]) -> Iterable[str]:
        """Leaves of the hierarchy, in its order, for the values that occur."""
        return sorted(values)


class Intervals(_Rule):
    """Whole numbers from ``least`` to ``greatest``, in ever wider intervals that start at ``least``.

    >>> Intervals(least=0, greatest=19, intervals=[5, 10]).row("7")
    ('7', '5-9', '0-9', '*')
    """

    model_config = ConfigDict(json_schema_extra={"form": "{intervals: [5, 10], least: 0, greatest: 99}"})

    intervals: Annotated[list[Annotated[int, Field(ge=2)]], Field(min_length=1)]
    least: int = 0
    greatest: int

    @model_validator(mode="after")
    def _fits(self) -> Self:
        widths = [1, *self.intervals]
        if any(wide % narrow for narrow, wide in pairwise(widths)):
            raise ValueError("every interval's width is a multiple of the one before")
        if sorted(set(widths)) != widths:
            raise ValueError("intervals grow from level to level")
        if self.greatest < self.least:
            raise ValueError("greatest is below least")
        if self.greatest - self.least >= MOST_LEAVES:
            raise ValueError(f"from least to greatest there are more than {MOST_LEAVES} numbers")
        return self

    def row(self, value: str) -> Row | None:
        """The number, its intervals, and the top; None outside the range."""
        if not re.fullmatch(r"-?\d{1,18}", value) or not self.least <= int(value) <= self.greatest:
            return None
        number = int(value) - self.least
        labels = []
        for width in self.intervals:
            lower = self.least + number // width * width
            labels.append(f"{lower}-{min(lower + width - 1, self.greatest)}")
        return (value, *labels, TOP)

    def leaves(self, values: Iterable[str]) -> Iterable[str]:  # noqa: ARG002  (the range says them all)
        """Every number of the range."""
        return map(str, range(self.least, self.greatest + 1))


class Prefix(_Rule):
    """Codes of one length (ZIP, postcode) that lose characters from the right, ``steps`` at a time.

    >>> Prefix(prefix=[3, 1]).row("02139")
    ('02139', '021**', '0****', '*')
    """

    model_config = ConfigDict(json_schema_extra={"form": "{prefix: [3, 2]}"})

    prefix: Annotated[list[Annotated[int, Field(ge=1)]], Field(min_length=1)]  # characters kept at each level

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if sorted(set(self.prefix), reverse=True) != self.prefix:
            raise ValueError("each level keeps fewer characters than the one before")
        return self

    def row(self, value: str) -> Row | None:
        """The code, its prefixes, and the top."""
        return (value, *(value[:kept] + "*" * (len(value) - kept) for kept in self.prefix), TOP)


class Dates(_Rule):
    """Days (``2020-03-14``, a time of day is cut off) as month, quarter, year, decade.

    >>> Dates(dates=["month", "year"]).row("2020-03-14")
    ('2020-03-14', '2020-03', '2020', '*')
    """

    model_config = ConfigDict(json_schema_extra={"form": "{dates: [month, year]}"})

    dates: Annotated[list[DateLevel], Field(min_length=1)]

    @model_validator(mode="after")
    def _fits(self) -> Self:
        order: Sequence[DateLevel] = ("month", "quarter", "year", "decade")
        places = [order.index(level) for level in self.dates]
        if sorted(set(places)) != places:
            raise ValueError("levels are each coarser than the one before: month, quarter, year, decade")
        return self

    def row(self, value: str) -> Row | None:
        """The day, its periods, and the top; None for what is no date."""
        try:
            day = date.fromisoformat(value[:10])
        except ValueError:
            return None
        labels = {
            "month": f"{day.year:04d}-{day.month:02d}",
            "quarter": f"{day.year:04d}-Q{(day.month + 2) // 3}",
            "year": f"{day.year:04d}",
            "decade": f"{day.year // 10 * 10:04d}s",
        }
        return (value, *(labels[level] for level in self.dates), TOP)


class Icd9(_Rule):
    """ICD-9-CM diagnosis codes, with or without the dot: code, category, chapter.

    >>> Icd9(icd9=True).row("0389"), Icd9(icd9=True).row("E8490")
    (('0389', '038', '001-139', '*'), ('E8490', 'E849', 'E', '*'))
    """

    model_config = ConfigDict(json_schema_extra={"form": "{icd9: true}"})

    icd9: Literal[True]

    def row(self, value: str) -> Row | None:
        """The code, its category, its chapter, and the top; None for what is no code."""
        match = _ICD9.fullmatch(value)
        if match is None:
            return None
        category = match.group(1)
        if not category.isdigit():
            return (value, category, category[0], TOP)
        chapter = next((name for above, name in ICD9_CHAPTERS if int(category) < above), None)
        return None if chapter is None or category == "000" else (value, category, chapter, TOP)


def is_number(text: str) -> bool:
    """Whether it is a number as files write them: digits, a point, an exponent of ten.

    >>> is_number("-1.5e3"), is_number("1_000"), is_number("nan")
    (True, False, False)
    """
    return _NUMBER.fullmatch(text) is not None


class Numbers(_Rule):
    """Numbers, with or without decimals, that are released as they are or not at all.

    >>> Numbers(numbers=True).row("-1.5"), Numbers(numbers=True).row("high")
    (('-1.5', '*'), None)
    """

    model_config = ConfigDict(json_schema_extra={"form": "{numbers: true}"})

    numbers: Literal[True]

    def row(self, value: str) -> Row | None:
        """The number and the top; None for what is no number."""
        return (value, TOP) if is_number(value) else None


Rule = Intervals | Prefix | Dates | Icd9 | Numbers


def covers(rule: Rule, value: str | None) -> bool:
    """Whether the rule has a row for the value."""
    return value is not None and rule.row(value) is not None


def hierarchy_by_rule(name: str, rule: Rule, values: Iterable[str | None]) -> Hierarchy:
    """Make the hierarchy of a column from a rule and the values that occur; null stays a branch of its own.

    Raises:
        InputError: the rule is not for some of the values; how many, never which.
    """
    known = {value for value in values if value is not None}
    if outside := sum(rule.row(value) is None for value in known):
        raise InputError(
            f"hierarchy {name}: its rule covers {len(known) - outside} of {len(known)} values at level 0;"
            " widen the rule or mend the table (values are never shown)"
        )
    if not known and not isinstance(rule, Intervals):
        return Hierarchy(name, ((None, TOP),))  # of nulls alone
    rows = [row for leaf in rule.leaves(known) if (row := rule.row(leaf)) is not None]
    return Hierarchy(name, tuple(rows))
