"""Randomness that depends on names alone: every draw is a hash of (seed, salt, ids).

No draw depends on a row's place, so the same seed gives the same rows whatever the partitioning, and a row's
values can be computed again anywhere.
"""

import hashlib
import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark.sql import Column
from pyspark.sql import functions as F

Id = Column | str | int
LANE = 65_535  # 16 bits
LANES_MEAN = 2 * LANE
LANES_DEVIATION = 65_536 / math.sqrt(3)


@dataclass(frozen=True)
class Draws:
    """Draws of one seed. A salt names what is drawn; ids name whom it is drawn for."""

    seed: int

    def number(self, salt: str) -> int:
        """64 signed bits of (seed, salt), the same in every process."""
        digest = hashlib.blake2b(f"{self.seed}:{salt}".encode(), digest_size=8).digest()
        return int.from_bytes(digest, "big", signed=True)

    def bits(self, salt: str, *ids: Id) -> Column:
        """64 signed bits."""
        return F.xxhash64(F.lit(self.number(salt)), *(_column(i).cast("bigint") for i in ids))

    def uniform(self, salt: str, *ids: Id) -> Column:
        """A number in [0, 1)."""
        return F.shiftrightunsigned(self.bits(salt, *ids), 11).cast("double") * 2.0**-53

    def bell(self, salt: str, *ids: Id) -> Column:
        """A bell-shaped number of mean 0 and variance 1, never beyond 3.47: the sum of four uniforms."""
        return bell_of(self.bits(salt, *ids))

    def whole(self, salt: str, low: int, high: int, *ids: Id) -> Column:
        """A whole number from ``low`` to ``high``, both included."""
        return F.floor(self.uniform(salt, *ids) * (high - low + 1)) + low

    def chance(self, share: float, salt: str, *ids: Id) -> Column:
        """True with probability ``share``."""
        return self.uniform(salt, *ids) < share

    def pick(self, salt: str, values: Sequence[str] | Mapping[Any, int], *ids: Id) -> Column:
        """One of ``values``; a mapping gives whole weights, and its key None draws null."""
        slots = [v for v, n in values.items() for _ in range(n)] if isinstance(values, Mapping) else values
        return F.get(literal(list(slots), "array<string>"), self.index(salt, len(slots), *ids))

    def pick_row(
        self, salt: str, rows: Sequence[Mapping[str, Any]], fields: str, weight: str, *ids: Id
    ) -> Column:
        """One of ``rows`` as a struct of ``fields`` (a DDL list), by the whole weights in field ``weight``."""
        slots = [place for place, row in enumerate(rows) for _ in range(int(row[weight]))]
        place = F.get(literal(slots, "array<int>"), self.index(salt, len(slots), *ids))
        return F.get(literal([dict(row) for row in rows], f"array<struct<{fields}>>"), place)

    def index(self, salt: str, size: int, *ids: Id) -> Column:
        """A place in an array of ``size`` elements, from 0."""
        return F.floor(self.uniform(salt, *ids) * size).cast("int")


def lanes(bits: Column) -> list[Column]:
    """Four numbers in [0, 1) from 64 bits, in steps of 2**-16: cheaper than four hashes."""
    return [F.shiftrightunsigned(bits, 16 * lane).bitwiseAND(F.lit(LANE)) / 65_536.0 for lane in range(4)]


def bell_of(bits: Column) -> Column:
    """The bell-shaped number that 64 bits hold, of mean 0 and variance 1."""
    parts = [F.shiftrightunsigned(bits, 16 * lane).bitwiseAND(F.lit(LANE)) for lane in range(4)]
    return (parts[0] + parts[1] + parts[2] + parts[3] - LANES_MEAN) / F.lit(LANES_DEVIATION)


def _column(name: Id) -> Column:
    """Names are columns, numbers are literals."""
    if isinstance(name, int):
        return F.lit(name)
    return F.col(name) if isinstance(name, str) else name


def literal(value: Any, ddl: str) -> Column:
    """A constant of a nested type. The optimizer folds it to a literal before any row is made."""
    return F.from_json(F.lit(json.dumps(value)), F.lit(ddl))


def mapped(column: Column, words: Mapping[str, str]) -> Column:
    """``words[column]``, null for what is not in ``words``."""
    return F.element_at(literal(dict(words), "map<string,string>"), column)


@dataclass(frozen=True)
class Numbering:
    """A one-to-one map of 0, 1, 2, ... to numbers spread over ``[first, first + prime)``.

    ``n -> first + (n * multiplier + shift) mod prime`` is injective for n < prime, as the multiplier is not a
    multiple of the prime.
    """

    first: int
    prime: int
    multiplier: int
    shift: int

    def of(self, n: Column) -> Column:
        """The number of the ``n``-th thing."""
        return (n.cast("bigint") * self.multiplier + self.shift) % self.prime + self.first


def numbering(draws: Draws, salt: str, *, first: int, size: int, count: int) -> Numbering:
    """Number ``count`` things over about ``size`` numbers from ``first``, or more where they do not fit."""
    prime = next_prime(max(size, 2 * count if count > size else count))
    number = draws.number(salt) % 2**62
    return Numbering(first, prime, prime // 3 + number % (prime // 3), number // 3 % prime)


def next_prime(n: int) -> int:
    """Return the first prime not below ``n``.

    >>> next_prime(99_990)
    99991
    """
    while any(n % divisor == 0 for divisor in range(2, math.isqrt(n) + 1)):
        n += 1
    return n
