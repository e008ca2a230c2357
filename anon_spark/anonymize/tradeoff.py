"""Risk R and utility U of a release, both in [0, 1], and what is wanted of them (Eq. 8-10).

A release is theta = (levels, who is suppressed, recoded locally or not). R is measured on the people in it:

    prosecutor_highest   1 / people of the smallest class
    prosecutor_average   classes / people, where each person is in one class
    journalist_highest   1 / people of the population with the labels of a class, at most
    journalist_average   the same, mean over people
    marketer             expected share of right matches: of the population where there is one
    share_at_risk        people in classes of fewer than 1 / threshold, of all people
    attribute_distance   total variation of P(s | class) from P(s) of the input, of the farthest class
    attribute_gain       what P(s | class) exceeds P(s) by, at most, over all classes and values

U is 1 - loss for loss_am, loss_gm and precision, which are in [0, 1] by definition. The others are divided by
their value at the top with everybody suppressed, and that is the largest they can be: nuentropy loses all bits
there, and grows with every unit suppressed; discernibility is n * n and the average class size n. (Where people
are in several classes, discernibility can exceed n * n; U is 0 then.)

Two releases are compared by R and U to 12 decimals, so that what is equal is equal in whatever order sums ran.
Source: Kumar et al. 2025, Eq. 8-10.
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from anon_spark.anonymize.coarsening import Node
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Classes
from anon_spark.privacy.shares import class_shares, input_shares
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.risk.reidentification import journalist_risk, marketer_risk, prosecutor_risk
from anon_spark.utility.loss import Input, Outcome
from anon_spark.utility.losses import make_loss

RiskName = Literal[
    "prosecutor_highest",
    "prosecutor_average",
    "journalist_highest",
    "journalist_average",
    "marketer",
    "share_at_risk",
    "attribute_distance",
    "attribute_gain",
]
_BY_SIZE: dict[str, Callable[[Classes, float], float]] = {
    "prosecutor_highest": lambda classes, threshold: prosecutor_risk(classes, threshold).highest,
    "prosecutor_average": lambda classes, threshold: prosecutor_risk(classes, threshold).average,
    "share_at_risk": lambda classes, threshold: prosecutor_risk(classes, threshold).at_risk,
}
_BY_POPULATION: dict[str, Callable[[Classes, float], float]] = {
    "journalist_highest": lambda classes, threshold: journalist_risk(classes, threshold).highest,
    "journalist_average": lambda classes, threshold: journalist_risk(classes, threshold).average,
}
_IN_UNIT = {"loss_am", "loss_gm", "precision"}
_DECIMALS = 12
_SLACK = 1e-9  # bounds within this are not proof: sums of floats may be off


@dataclass(frozen=True)
class Risk:
    """R by name.

    Attributes:
        threshold: chance of a match from which on a person is at risk, for ``share_at_risk``.
    """

    name: RiskName = "prosecutor_highest"
    threshold: float = 0.2

    def of_sizes(self, table: PatternTable) -> bool:
        """Whether the sizes of classes are all it needs."""
        return self.name in _BY_SIZE or (self.name == "marketer" and table.population is None)

    def check(self, table: PatternTable) -> None:
        """Refuse a risk that the table has no figures for.

        Raises:
            PolicyError: it is about sensitive values, or a population, and there is none.
        """
        if self.name not in get_args(RiskName):
            raise PolicyError(f"there is no risk '{self.name}'; risks are {', '.join(get_args(RiskName))}")
        if self.name.startswith("attribute") and not table.sensitive:
            raise PolicyError(f"risk {self.name} is about sensitive attributes, and there are none")
        if self.name in _BY_POPULATION and table.population is None:
            raise PolicyError(f"risk {self.name} is about a population's table, and there is none")

    def of(self, classes: Classes) -> float:
        """R of the classes of a release, 0 where nobody is left."""
        if self.name == "marketer":
            risk = marketer_risk(classes)
        elif self.name == "attribute_distance":
            risk = max(TCloseness(1.0, name).measured(classes) for name in classes.sensitive)
        elif self.name == "attribute_gain":
            risk = max(_gain(classes, name) for name in classes.sensitive)
        else:
            risk = (_BY_SIZE | _BY_POPULATION)[self.name](classes, self.threshold)
        return _in_unit(risk)


def _gain(classes: Classes, name: str) -> float:
    counts = classes.sensitive[name]
    gain = class_shares(classes.sizes, counts) - input_shares(classes, counts)[counts.value]
    return float(gain.max(initial=0.0))


class Utility:
    """U = 1 - loss / scale.

    Attributes:
        scale: the loss with everybody suppressed at the top.
    """

    def __init__(self, name: str, whole: Input, weights: Mapping[str, float] | None = None) -> None:
        self.name = name
        self.loss = make_loss(name, whole, weights)
        self.scale = 1.0 if name in _IN_UNIT else self.loss.value(_nobody_left(whole)) or 1.0

    def of(self, loss: float) -> float:
        """U at a loss."""
        return _in_unit(1 - loss / self.scale)

    def largest_loss(self, utility: float) -> float:
        """No release with more loss than this reaches the utility."""
        if utility <= 0:
            return float(np.finfo(np.float64).max)
        return (1 - utility + _SLACK) * self.scale


def _nobody_left(whole: Input) -> Outcome:
    nobody = np.zeros(1, dtype=np.int64)
    return Outcome(
        node=tuple(size - 1 for size in whole.shape),
        suppressed=whole.people,
        certain=whole.people,
        more=None,
        sizes=np.array([whole.people], dtype=np.int64),
        left=nobody,
        left_by_certain=nobody,
        gone=lambda: whole.units,
        gone_for_certain=None,
    )


def _in_unit(figure: float) -> float:
    return round(min(max(float(figure), 0.0), 1.0), _DECIMALS)


@dataclass(frozen=True)
class Setting:
    """Thresholds that criteria were given; None where the policy's own stand."""

    k: int
    l: int | None = None  # noqa: E741  (the literature's letter)
    t: float | None = None

    def __str__(self) -> str:
        """Only what is given."""
        given = {"k": self.k, "l": self.l, "t": self.t}
        return ", ".join(f"{name} = {x:g}" for name, x in given.items() if x is not None)


@dataclass(frozen=True)
class Point:
    """One release that could be made.

    Attributes:
        setting: under which it meets all criteria.
        levels: of every quasi-identifier; None: recoded locally.
        suppressed: people.
        classes: released.
    """

    setting: Setting
    levels: Node | None
    suppressed: int
    classes: int
    risk: float
    utility: float

    @property
    def rank(self) -> tuple[bool, int, Node, int, tuple[float, ...]]:
        """Decides between equal risks and utilities: levels before classes of their own, the finer node, the laxer."""
        levels, own = self.levels or (), self.setting
        return (
            self.levels is None,
            sum(levels),
            levels,
            self.suppressed,
            (own.k, own.l or 0, -(own.t or 0.0)),
        )


@dataclass(frozen=True)
class Goal:
    """Least lambda R - (1 - lambda) U of those with U >= tau: Eq. 9 with lambda = 1, Eq. 10 with tau = 0.

    Of equal values the one with less risk is wanted, then with more utility: it is never dominated.

    Raises:
        PolicyError: tau or lambda lies outside [0, 1].
    """

    tau: float = 0.0
    weight: float = 1.0  # lambda

    def __post_init__(self) -> None:
        for name, x in (("tau", self.tau), ("lambda", self.weight)):
            if not 0 <= x <= 1:
                raise PolicyError(f"{name} must lie in [0, 1], got {x:g}")

    def __str__(self) -> str:
        """Only what binds."""
        named = {"tau": self.tau} if self.tau > 0 else {}
        named |= {"lambda": self.weight} if self.weight < 1 or not named else {}
        return ", ".join(f"{name} = {x:g}" for name, x in named.items())

    def value(self, point: Point) -> float:
        """What is minimized."""
        return round(self.weight * point.risk - (1 - self.weight) * point.utility, _DECIMALS)

    def best(self, points: Iterable[Point]) -> Point | None:
        """The point wanted, None where no point has utility tau."""
        reached = (p for p in points if p.utility >= self.tau)
        return min(reached, key=lambda p: (self.value(p), p.risk, -p.utility, p.rank), default=None)

    def least_utility(self, best: Point | None) -> float:
        """A point with less utility is not wanted: R is at least 0, so its value is at least -(1 - lambda) U."""
        if best is None or self.weight == 1:
            return self.tau
        return max(self.tau, -self.value(best) / (1 - self.weight))


def pareto(points: Iterable[Point]) -> list[Point]:
    """Points that no other betters in risk or utility without being worse in the other, least risk first.

    Of points with equal risk and utility one is kept.
    """
    front: list[Point] = []
    for point in sorted(points, key=lambda p: (p.risk, -p.utility, p.rank)):
        if not front or point.utility > front[-1].utility:
            front.append(point)
    return front
