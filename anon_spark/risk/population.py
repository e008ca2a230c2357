"""How many people of the population are unique, estimated from a sample's histogram of class sizes.

Three super-population models and the rule between them. u classes, c_i of them of i people, n people in all;
f is the sampling fraction and N = n / f the population.

Zayatz: a sample unique is a population unique by Bayes' rule, class sizes of the population spread as the
sample's, samples drawn without replacement (hypergeometric). Uniques c_1 P / f.

Pitman: sizes follow Pitman's random partition with parameters theta and alpha; they maximize the likelihood

    prod_{i<u} (theta + i alpha) / prod_{i<n} (theta + i) prod_j prod_{i<j} (i - alpha)^c_j,

and the uniques are Gamma(theta + 1) / Gamma(theta + alpha) N^alpha.

Slide negative binomial (SNB): each of K classes has 1 + NB(alpha, beta) people, every one sampled with chance
f. With d = (1 - f)(1 - beta), the expected numbers of sample classes of one and two people are

    K f (beta / (1 - d))^alpha (1 + alpha d / (1 - d))                                                  = c_1
    K f^2 alpha (1 - beta) beta^alpha (2 - (1 - alpha) d) / (2 (1 - d)^(alpha + 2))                     = c_2,

and the uniques K beta^alpha. K is Shlosser's estimate as Haas and Stokes modified it.

Their quotient is a quadratic in alpha with one positive root for every beta, so one equation in beta is left.
Of several solutions the one with the most uniques is taken.

Dankar's rule: Pitman for f <= 0.1, the lower of Zayatz and SNB above; Zayatz where the model has no solution.

Where every person of the sample is unique all models are at their limit, N; where nobody is, 0; where the
sample is the population, its uniques are counted.

Source: L. Zayatz, Estimation of the number of unique population elements using a sample, 1991; N. Hoshino,
Applying Pitman's sampling formula to microdata disclosure risk assessment, J. Official Statistics 17(4), 2001;
G. Chen, S. Keller-McNulty, Estimation of identification disclosure risk in microdata, J. Official Statistics
14(1), 1998; P. Haas, L. Stokes, Estimating the number of classes in a finite population, JASA 93, 1998;
F. Dankar et al., Estimating the re-identification risk of clinical data sets, BMC MIDM 12:66, 2012.
"""

import math
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

import numpy as np
from scipy.optimize import brentq, minimize  # type: ignore[import-untyped]
from scipy.special import digamma, expit, gammaln, logit  # type: ignore[import-untyped]
from scipy.stats import hypergeom  # type: ignore[import-untyped]

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Floats, Ints

Model = Literal["none", "pitman", "zayatz", "snb"]
_SMALL_SAMPLE = 0.1  # up to here Pitman is the most accurate (Dankar et al.)
_SLOPE = 1e-6  # a maximum: what is left of the log-likelihood's slope a person


@dataclass(frozen=True)
class Uniqueness:
    """Population uniques: how many people, what share of the population, by which model (none: see the header)."""

    people: float
    share: float
    model: Model


class SampleSizes:
    """The histogram of a sample's class sizes with its sampling fraction.

    Args:
        sizes: (classes,) people of each class; classes of 0 do not count. People are counted once in each of
            their classes: a partition, one class a person, is what the models describe.
        fraction: f, share of the population that is in the sample.
        classes: (sizes,) how many classes of each size there are, default 1 each.

    Raises:
        PolicyError: f is not in (0, 1].
    """

    def __init__(self, sizes: Ints, fraction: float, classes: Ints | None = None) -> None:
        if not 0 < fraction <= 1:
            raise PolicyError(f"the sampling fraction must lie in (0, 1], got {fraction}")
        self.fraction = fraction
        counted = sizes > 0
        self.size, which = np.unique(sizes[counted], return_inverse=True)
        times = None if classes is None else classes[counted]
        self.number = np.bincount(which, times, len(self.size)).astype(np.int64)

    @cached_property
    def classes(self) -> int:
        """u: classes in the sample."""
        return int(self.number.sum())

    @cached_property
    def people(self) -> int:
        """n: people in the sample."""
        return int(self.size @ self.number)

    @property
    def population(self) -> float:
        """N: people in the population."""
        return self.people / self.fraction

    def of_size(self, size: int) -> int:
        """c_i: classes of ``size`` people."""
        return int(self.number[self.size == size].sum())

    @property
    def known(self) -> float | None:
        """Population uniques where no model is needed (see the header), else None."""
        if self.fraction == 1 or self.of_size(1) == 0:
            return float(self.of_size(1))
        return self.population if self.of_size(1) == self.people else None


def population_uniqueness(sizes: Ints, fraction: float, classes: Ints | None = None) -> Uniqueness:
    """Population uniques by Dankar's rule; ``model`` says which estimate it took.

    Args are those of ``SampleSizes``.

    Raises:
        PolicyError: the fraction is not in (0, 1].
    """
    sample = SampleSizes(sizes, fraction, classes)
    model: Model = "none"
    if sample.known is not None:
        people = sample.known
    elif fraction <= _SMALL_SAMPLE and (by_pitman := pitman(sample)) is not None:
        people, model = by_pitman, "pitman"
    else:
        people, model = zayatz(sample), "zayatz"
        by_snb = snb(sample) if fraction > _SMALL_SAMPLE else None
        if by_snb is not None and by_snb <= people:
            people, model = by_snb, "snb"
    return Uniqueness(people, people / sample.population if sample.people else 0.0, model)


def zayatz(sample: SampleSizes) -> float:
    """Population uniques by the equivalence class model; it always has a solution."""
    if sample.known is not None:
        return sample.known
    population, people = round(sample.population), sample.people
    one_sampled = hypergeom.pmf(1, population, sample.size, people)
    unique = sample.of_size(1) * people / population / float(sample.number @ one_sampled)
    return sample.of_size(1) * unique / sample.fraction


def pitman(sample: SampleSizes) -> float | None:
    """Population uniques by Pitman's model, None where the likelihood has no maximum inside its domain."""
    if sample.known is not None:
        return sample.known
    solution = _pitman_parameters(sample)
    if solution is None:
        return None
    theta, alpha = solution
    uniques = float(np.exp(gammaln(theta + 1) - gammaln(theta + alpha) + alpha * np.log(sample.population)))
    return uniques if 0 < uniques <= sample.population else None


def snb(sample: SampleSizes) -> float | None:
    """Population uniques by the slide negative binomial model, None where its equations have no solution."""
    if sample.known is not None:
        return sample.known
    classes = _population_classes(sample)
    uniques = [classes * beta**alpha for alpha, beta in _snb_parameters(sample, classes)]
    return max((people for people in uniques if people <= sample.population), default=None)


def _pitman_parameters(sample: SampleSizes) -> tuple[float, float] | None:
    """theta and alpha of greatest likelihood; searched as log(theta + alpha) and logit(alpha), both unbounded."""
    people, size, number = sample.people, sample.size, sample.number
    order = np.arange(1, sample.classes, dtype=np.float64)

    def negative(place: Floats) -> tuple[float, Floats]:
        alpha = float(expit(place[1]))
        gap = float(np.exp(place[0]))
        theta = gap - alpha
        steps = theta + order * alpha
        value = (
            np.log(steps).sum()
            - (gammaln(theta + people) - gammaln(theta + 1))
            + number @ (gammaln(size - alpha) - gammaln(1 - alpha))
        )
        by_theta = (1 / steps).sum() - (digamma(theta + people) - digamma(theta + 1))
        by_alpha = (order / steps).sum() - number @ (digamma(size - alpha) - digamma(1 - alpha))
        slope = np.array([by_theta * gap, (by_alpha - by_theta) * alpha * (1 - alpha)])
        return -value / people, -slope / people

    alpha = min(max(sample.of_size(1) / sample.classes, 0.05), 0.95)
    start = np.array([np.log(sample.classes), logit(alpha)])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        found = minimize(negative, start, jac=True, method="BFGS", options={"gtol": 1e-9, "maxiter": 500})
    if not (np.isfinite(found.fun) and float(np.abs(found.jac).max()) < _SLOPE):
        return None
    alpha = float(expit(found.x[1]))
    return float(np.exp(found.x[0])) - alpha, alpha


def _population_classes(sample: SampleSizes) -> float:
    """K, classes of the population: Shlosser's estimator as Haas and Stokes modified it."""
    f, size, number = sample.fraction, sample.size.astype(np.float64), sample.number
    twice = number @ (size * f**2 * (1 - f**2) ** (size - 1))
    once = number @ ((1 - f**2) ** size - (1 - f) ** size)
    missed = number @ (1 - f) ** size
    single = number @ (size * f * (1 - f) ** (size - 1))
    return float(sample.classes + sample.of_size(1) * twice / once * (missed / single) ** 2)


def _snb_parameters(sample: SampleSizes, classes: float) -> list[tuple[float, float]]:
    """Every (alpha, beta) that solves the equations for K ``classes``; searched over logit(beta)."""
    if sample.of_size(2) == 0:
        return []

    def excess(place: float) -> float:
        beta = float(expit(place))
        alpha, d = _snb_alpha(sample, beta), (1 - sample.fraction) * (1 - beta)
        ones = math.log(classes * sample.fraction) + alpha * math.log(beta / (1 - d))
        return ones + math.log1p(alpha * d / (1 - d)) - math.log(sample.of_size(1))

    grid = np.linspace(-30.0, 30.0, 241)
    values = [excess(place) for place in grid]
    places = [
        float(expit(brentq(excess, grid[i], grid[i + 1], xtol=1e-13)))
        for i in range(len(grid) - 1)
        if values[i] * values[i + 1] <= 0
    ]
    return [(_snb_alpha(sample, beta), beta) for beta in places]


def _snb_alpha(sample: SampleSizes, beta: float) -> float:
    """The alpha that gives c_2 / c_1 for a beta: the positive root of a quadratic."""
    f, quotient = sample.fraction, sample.of_size(2) / sample.of_size(1)
    d = (1 - f) * (1 - beta)
    square = f * (1 - beta) * d
    linear = f * (1 - beta) * (2 - d) - 2 * quotient * (1 - d) * d
    constant = -2 * quotient * (1 - d) ** 2
    root = math.sqrt(linear**2 - 4 * square * constant)
    return -2 * constant / (linear + root) if linear > 0 else (root - linear) / (2 * square)
