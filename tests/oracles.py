"""The definitions of the criteria in plain Python: people and sets, fractions, no arrays, nothing of the engine's.

A table is a list of people. Shares and thresholds are fractions, so that nothing rounds.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import TypeVar

Label = str | None
Value = str | None
Shares = Mapping[Value, Fraction]
T = TypeVar("T")


@dataclass(frozen=True)
class Person:
    """Someone of the input: the classes they are in, the sensitive values they have, and whether they are left."""

    classes: frozenset[Label]
    values: frozenset[Value]
    left: bool = True


Table = Sequence[Person]


def members(table: Table) -> dict[Label, list[Person]]:
    """People who are left, by class; classes that nobody is left in are not there."""
    found: dict[Label, list[Person]] = {}
    for person in table:
        for label in person.classes if person.left else ():
            found.setdefault(label, []).append(person)
    return found


def shares(people: Sequence[Person], values: Iterable[Value]) -> dict[Value, Fraction]:
    """Share of ``people`` who have each of ``values``."""
    return {value: Fraction(sum(value in p.values for p in people), len(people)) for value in values}


def all_values(table: Table) -> set[Value]:
    return {value for person in table for value in person.values}


def by_class(table: Table, figure: Callable[[Shares, Shares], T]) -> dict[Label, T]:
    """A figure of P(s | class) and P(s) for every class."""
    values = all_values(table)
    whole = shares(table, values)
    return {label: figure(shares(people, values), whole) for label, people in members(table).items()}


def k(table: Table) -> dict[Label, int]:
    return {label: len(people) for label, people in members(table).items()}


def distinct_l(table: Table) -> dict[Label, int]:
    return {label: len(all_values(people)) for label, people in members(table).items()}


def counts(people: Sequence[Person]) -> list[int]:
    """People by value, most frequent first."""
    return sorted(Counter(value for p in people for value in p.values).values(), reverse=True)


def meets_entropy_l(table: Table, l: Fraction) -> dict[Label, bool]:  # noqa: E741
    """-sum q log q >= log l, raised to the power n: n^n >= l^n prod n_s^n_s, in whole numbers."""
    result = {}
    for label, people in members(table).items():
        n = len(people)
        spread = math.prod(c**c for c in counts(people))
        result[label] = n**n * l.denominator**n >= l.numerator**n * spread
    return result


def entropy_l(table: Table) -> dict[Label, float]:
    return by_class(table, lambda q, _: math.exp(-sum(x * math.log(x) for x in q.values() if x)))


def recursive_l(table: Table, l: int) -> dict[Label, Fraction | None]:  # noqa: E741
    """r_1 / (r_l + r_(l+1) + ...), None for fewer than l values; (c, l) is met where c is above it."""
    result = {}
    for label, people in members(table).items():
        r = counts(people)
        result[label] = Fraction(r[0], sum(r[l - 1 :])) if len(r) >= l else None
    return result


def total_variation(table: Table) -> dict[Label, Fraction]:
    return by_class(table, lambda q, p: sum((abs(q[s] - p[s]) for s in p), Fraction(0)) / 2)


def ordered_distance(table: Table, order: Sequence[Value]) -> dict[Label, Fraction]:
    """The sum over the order of what is carried on to the next value, over m - 1 (Li et al., section 5.1)."""

    def distance(q: Shares, p: Shares) -> Fraction:
        carried = work = Fraction(0)
        for value in order:
            carried += q.get(value, Fraction(0)) - p.get(value, Fraction(0))
            work += abs(carried)
        return work / (len(order) - 1)

    return by_class(table, distance)


def hierarchical_distance(table: Table, paths: Mapping[Value, Sequence[Value]]) -> dict[Label, Fraction]:
    """Cost of every inner node: height / H times what its children exchange (Li et al., section 5.2).

    Args:
        paths: labels of each value from the leaf to the root.
    """
    height = len(next(iter(paths.values()))) - 1

    def distance(q: Shares, p: Shares) -> Fraction:
        cost = Fraction(0)
        for level in range(1, height + 1):
            children: dict[Value, dict[Value, Fraction]] = {}
            for value in p:
                node, child = paths[value][level], paths[value][level - 1]
                extra = children.setdefault(node, {})
                extra[child] = extra.get(child, Fraction(0)) + p[value] - q[value]
            for extra in children.values():
                above = sum((x for x in extra.values() if x > 0), Fraction(0))
                below = sum((-x for x in extra.values() if x < 0), Fraction(0))
                cost += Fraction(level, height) * min(above, below)
        return cost

    return by_class(table, distance)


def value_distance(table: Table) -> dict[Label, Fraction]:
    return by_class(table, lambda q, p: max(abs(q[s] - p[s]) for s in p))


def greatest_share(table: Table) -> dict[Label, Fraction]:
    return by_class(table, lambda q, _: max(q.values()))


def gain(table: Table) -> dict[Label, Fraction]:
    """Greatest (q - p) / p, for basic beta."""
    return by_class(table, lambda q, p: max((q[s] - p[s]) / p[s] for s in p))


def meets_enhanced_beta(table: Table, beta: Fraction) -> dict[Label, bool]:
    return by_class(
        table,
        lambda q, p: all((q[s] - p[s]) / p[s] <= beta and (q[s] - p[s]) / p[s] <= -math.log(p[s]) for s in p),
    )


def factor(table: Table, *, absent: bool) -> dict[Label, Fraction | None]:
    """Greatest of q/p and p/q, 2^delta; None where a value is absent from the class and that counts."""

    def greatest(q: Shares, p: Shares) -> Fraction | None:
        if absent and not all(q.values()):
            return None
        return max((max(q[s] / p[s], p[s] / q[s]) for s in p if q[s]), default=Fraction(1))

    return by_class(table, greatest)


def kullback_leibler(table: Table) -> dict[Label, float]:
    return by_class(table, lambda q, p: sum(float(q[s]) * math.log2(q[s] / p[s]) for s in p if q[s]))


def jensen_shannon(table: Table) -> dict[Label, float]:
    def half(a: Shares, b: Shares) -> float:
        return sum(float(a[s]) * math.log2(2 * a[s] / (a[s] + b[s])) for s in a if a[s]) / 2

    return by_class(table, lambda q, p: half(q, p) + half(p, q))


def presence(table: Table, population: Mapping[Label, int]) -> dict[Label, Fraction | None]:
    """Share of the population's people that is left, None where the population has none."""
    return {
        label: Fraction(n, population[label]) if population[label] else None for label, n in k(table).items()
    }


def histogram(sizes: Sequence[int]) -> dict[int, int]:
    """Classes by their size; empty ones do not count."""
    return dict(Counter(size for size in sizes if size))


def zayatz(sizes: Sequence[int], population: int) -> float:
    """Population uniques by Bayes' rule, with binomial coefficients; the sampling fraction is n / population."""
    n = sum(sizes)

    def one_of(size: int) -> Fraction:
        return Fraction(size * math.comb(population - size, n - 1), math.comb(population, n))

    found = histogram(sizes)
    chance = found.get(1, 0) * one_of(1) / sum(c * one_of(size) for size, c in found.items())
    return float(found.get(1, 0) * chance * population / n)


def pitman_likelihood(sizes: Sequence[int], theta: float, alpha: float) -> float:
    """Logarithm of the likelihood of a partition, term by term (Hoshino 2001)."""
    found = histogram(sizes)
    classes, people = sum(found.values()), sum(size * c for size, c in found.items())
    return (
        sum(math.log(theta + i * alpha) for i in range(1, classes))
        - sum(math.log(theta + i) for i in range(1, people))
        + sum(c * sum(math.log(i - alpha) for i in range(1, size)) for size, c in found.items())
    )


def shlosser(sizes: Sequence[int], f: float) -> float:
    """Haas and Stokes' modification of Shlosser's estimate of the classes of the population."""
    found = histogram(sizes)
    above = sum(i * f**2 * (1 - f**2) ** (i - 1) * c for i, c in found.items())
    below = sum((1 - f) ** i * ((1 + f) ** i - 1) * c for i, c in found.items())
    missed = sum((1 - f) ** i * c for i, c in found.items())
    single = sum(i * f * (1 - f) ** (i - 1) * c for i, c in found.items())
    return sum(found.values()) + found.get(1, 0) * above / below * (missed / single) ** 2


def snb_expected(size: int, classes: float, f: float, alpha: float, beta: float) -> float:
    """Expected sample classes of ``size``: population classes of 1 + NB(alpha, beta) people, each sampled with f."""
    total = 0.0
    for others in range(20_000):
        log = math.lgamma(alpha + others) - math.lgamma(alpha) - math.lgamma(others + 1)
        chance = math.exp(log + alpha * math.log(beta) + others * math.log1p(-beta))
        total += chance * math.comb(others + 1, size) * f**size * (1 - f) ** (others + 1 - size)
        if others > 50 and chance * others**size < 1e-18:
            break
    return classes * total
