"""The policy's section ``privacy``, and the criteria that it names.

    privacy:
      k: 5                          # people a class
      l: 2                          # different values of every sensitive attribute that has no l of its own
      k_map: 20                     # people of the population a class
      presence: {min: 0, max: 0.2}  # share of the population that is in the release
      sensitive:
        DIAGNOSIS:
          l: {entropy: 2.5, recursive: 3, c: 2}
          t: {hierarchical: 0.3, hierarchy: icd9}
          alpha: 0.5                # no value is held by more than half of a class
        INCOME:
          l: 1
          t: {ordered: 0.2, order: [low, middle, high]}
          beta: {enhanced: 1}
          delta: 1.5

A plain number is the simplest kind: ``l: 3`` distinct values, ``t: 0.2`` over equal distances. All that is
named must hold.
"""

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Annotated, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.errors import PolicyError, nearest
from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.beta_likeness import BetaLikeness
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.delta_presence import DeltaPresence
from anon_spark.privacy.ground_distance import HierarchicalDistance, OrderedDistance, ValueDistance
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity, RecursiveLDiversity
from anon_spark.privacy.t_closeness import EqualDistance, TCloseness

Count = Annotated[int, Field(ge=1)]
Share = Annotated[float, Field(ge=0, le=1)]
Positive = Annotated[float, Field(gt=0)]


class _Section(BaseModel):
    """Unknown keys are errors; a loaded policy never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Diversity(_Section):
    """Kinds of l-diversity; recursive needs c."""

    distinct: Count | None = None
    entropy: Annotated[float, Field(ge=1)] | None = None
    recursive: Count | None = None
    c: Positive | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.distinct is None and self.entropy is None and self.recursive is None:
            raise ValueError("l needs one of 'distinct', 'entropy' and 'recursive'")
        if (self.recursive is None) != (self.c is None):
            raise ValueError("'recursive' and 'c' come together")
        return self


class Closeness(_Section):
    """t by ground distance. ``ordered`` without ``order`` is the order of numbers, null before all of them."""

    equal: Share | None = None
    ordered: Share | None = None
    order: Annotated[list[str | None], Field(min_length=2)] | None = None
    hierarchical: Share | None = None
    hierarchy: str | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.equal is None and self.ordered is None and self.hierarchical is None:
            raise ValueError("t needs one of 'equal', 'ordered' and 'hierarchical'")
        if self.order is not None and self.ordered is None:
            raise ValueError("'order' is for 'ordered'")
        if self.order is not None and len(set(self.order)) < len(self.order):
            raise ValueError("'order' has a value twice")
        if (self.hierarchical is None) != (self.hierarchy is None):
            raise ValueError("'hierarchical' and 'hierarchy' come together")
        return self


class Likeness(_Section):
    """beta, basic or enhanced."""

    basic: Positive | None = None
    enhanced: Positive | None = None

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.basic is None and self.enhanced is None:
            raise ValueError("beta needs one of 'basic' and 'enhanced'")
        return self


class SensitiveCriteria(_Section):
    """What every class must meet for one sensitive attribute."""

    l: Count | Diversity | None = None  # noqa: E741  (the literature's letter)
    t: Share | Closeness | None = None
    alpha: Annotated[float, Field(gt=0, le=1)] | None = None
    beta: Likeness | None = None
    delta: Positive | None = None  # delta-disclosure, logarithms to base 2

    @property
    def bounds_shares(self) -> bool:
        """Whether anything bounds P(s | class), as attributes with sets of values need."""
        return any(x is not None for x in (self.t, self.alpha, self.beta, self.delta))


class Presence(_Section):
    """delta-presence: bounds on the share of the population that is in the release."""

    min: Share = 0.0
    max: Share = 1.0

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.min > self.max:
            raise ValueError("min must not be above max")
        return self


class Privacy(_Section):
    """The criteria every equivalence class of people must meet."""

    k: Annotated[int, Field(ge=2)] = 5
    l: Count = 2  # noqa: E741  (the literature's letter)
    k_map: Annotated[int, Field(ge=2)] | None = None
    presence: Presence | None = None
    sensitive: dict[str, SensitiveCriteria] = {}

    @property
    def needs_population(self) -> bool:
        """Whether a criterion compares with a population table."""
        return self.k_map is not None or self.presence is not None

    @property
    def hierarchies(self) -> set[str]:
        """Names of the hierarchies over sensitive values that ground distances need."""
        closeness = (criteria.t for criteria in self.sensitive.values())
        return {t.hierarchy for t in closeness if isinstance(t, Closeness) and t.hierarchy}


@dataclass(frozen=True)
class SensitiveDomain:
    """Values of one sensitive attribute.

    Attributes:
        values: value of every code; null is a value like any other.
        sets: whether a person has a set of values rather than one.
    """

    values: Sequence[str | None]
    sets: bool = False


def build_criteria(
    privacy: Privacy,
    sensitive: Mapping[str, SensitiveDomain],
    hierarchies: Mapping[str, Hierarchy] | None = None,
) -> list[Criterion]:
    """All criteria of the policy: k first, then the population's, then attribute by attribute.

    Args:
        privacy: the policy's section.
        sensitive: the sensitive attributes, by the names the counts of ``Classes`` have.
        hierarchies: over sensitive values, those of ``privacy.hierarchies``.

    Raises:
        PolicyError: all that is wrong with it: an unknown attribute or hierarchy, an order that lacks values or
            is of no numbers, a criterion that is not defined where people have sets of values.
        InputError: a hierarchy does not cover some of the values.
    """
    criteria: list[Criterion] = [KAnonymity(privacy.k)]
    if privacy.k_map is not None:
        criteria.append(KMap(privacy.k_map))
    if privacy.presence is not None:
        criteria.append(DeltaPresence(privacy.presence.min, privacy.presence.max))
    problems = [
        f"privacy: {name} is not a sensitive attribute{nearest(name, sensitive)}"
        for name in privacy.sensitive
        if name not in sensitive
    ]
    for name, domain in sensitive.items():
        section = privacy.sensitive.get(name, SensitiveCriteria())
        if section.l is None:
            section = section.model_copy(update={"l": privacy.l})
        try:
            criteria += _criteria_of(name, section, privacy.k, domain, hierarchies or {})
        except PolicyError as error:
            problems += error.problems
    if problems:
        raise PolicyError(problems)
    return criteria


def _criteria_of(
    name: str,
    section: SensitiveCriteria,
    k: int,
    domain: SensitiveDomain,
    hierarchies: Mapping[str, Hierarchy],
) -> Iterator[Criterion]:
    """Criteria of one attribute; an l of 1 asks for nothing."""
    if domain.sets:
        _check_sets(name, section)
    diversity = Diversity(distinct=section.l) if isinstance(section.l, int) else section.l
    if diversity is not None:
        yield from _diversity(name, diversity)
    closeness = (
        section.t if isinstance(section.t, Closeness) or section.t is None else Closeness(equal=section.t)
    )
    if closeness is not None:
        yield from _closeness(name, closeness, domain, hierarchies)
    if section.alpha is not None:
        yield AlphaK(section.alpha, k, name)
    if section.beta is not None and section.beta.basic is not None:
        yield BetaLikeness(section.beta.basic, name)
    if section.beta is not None and section.beta.enhanced is not None:
        yield BetaLikeness(section.beta.enhanced, name, enhanced=True)
    if section.delta is not None:
        yield DeltaDisclosurePrivacy(section.delta, name)


def _check_sets(name: str, section: SensitiveCriteria) -> None:
    """Refuse what has no meaning for sets of values.

    Raises:
        PolicyError: entropy or recursive l, ordered or hierarchical t, or nothing that bounds P(s | class).
    """
    undefined = []
    if isinstance(section.l, Diversity):
        undefined += [
            f"{kind} l" for kind in ("entropy", "recursive") if getattr(section.l, kind) is not None
        ]
    if isinstance(section.t, Closeness):
        undefined += [
            f"{kind} t" for kind in ("ordered", "hierarchical") if getattr(section.t, kind) is not None
        ]
    if undefined:
        raise PolicyError(
            f"privacy: {name} has sets of values, for which {', '.join(undefined)} is not defined"
        )
    if not section.bounds_shares:
        raise PolicyError(
            f"privacy: {name} has sets of values, of which distinct l protects none: everybody in a class may "
            "share one; name alpha, beta, delta or t"
        )


def _diversity(name: str, diversity: Diversity) -> Iterator[Criterion]:
    if diversity.distinct is not None and diversity.distinct > 1:
        yield DistinctLDiversity(diversity.distinct, name)
    if diversity.entropy is not None and diversity.entropy > 1:
        yield EntropyLDiversity(diversity.entropy, name)
    if diversity.recursive is not None and diversity.c is not None:
        yield RecursiveLDiversity(diversity.c, diversity.recursive, name)


def _closeness(
    name: str, closeness: Closeness, domain: SensitiveDomain, hierarchies: Mapping[str, Hierarchy]
) -> Iterator[Criterion]:
    if closeness.equal is not None:
        yield TCloseness(closeness.equal, name, ValueDistance() if domain.sets else EqualDistance())
    if closeness.ordered is not None:
        yield TCloseness(closeness.ordered, name, _ordered(name, closeness.order, domain.values))
    if closeness.hierarchical is not None and closeness.hierarchy is not None:
        if closeness.hierarchy not in hierarchies:
            near = nearest(closeness.hierarchy, hierarchies)
            raise PolicyError(f"privacy: {name} names the unknown hierarchy {closeness.hierarchy}{near}")
        distance = HierarchicalDistance.over(hierarchies[closeness.hierarchy], domain.values)
        yield TCloseness(closeness.hierarchical, name, distance)


def _ordered(name: str, order: Sequence[str | None] | None, values: Sequence[str | None]) -> OrderedDistance:
    """Places of the values in the order the policy lists, else by number.

    Raises:
        PolicyError: the order lacks values, or values are no numbers.
    """
    if order is None:
        if strange := sum(_number(value) is None for value in values):
            raise PolicyError(
                f"privacy: {strange} of {len(values)} values of {name} are no numbers; list them under 'order'"
            )
        order = sorted(values, key=lambda value: (_number(value) or 0.0, value or ""))
    place = {value: i for i, value in enumerate(order)}
    if missing := sum(value not in place for value in values):
        raise PolicyError(f"privacy: the order of {name} lacks {missing} of its {len(values)} values")
    return OrderedDistance(tuple(place[value] for value in values), len(order))


def _number(value: str | None) -> float | None:
    """The finite number a value is, below all others for null; None for anything else.

    >>> _number("2.50"), _number(None), _number("low"), _number("nan")
    (2.5, -inf, None, None)
    """
    if value is None:
        return -math.inf
    try:
        number = float(value)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


_TERMS: dict[type, str] = {
    KAnonymity: "k-anonymity",
    KMap: "k-map",
    DeltaPresence: "delta-presence",
    DistinctLDiversity: "l-diversity",
    EntropyLDiversity: "entropy l-diversity",
    RecursiveLDiversity: "recursive (c,l)-diversity",
    TCloseness: "t-closeness",
    AlphaK: "(alpha,k)-anonymity",
    BetaLikeness: "beta-likeness",
    DeltaDisclosurePrivacy: "delta-disclosure privacy",
}


def describe(criterion: Criterion) -> str:
    """The criterion's term, and the attribute it is about.

    >>> describe(KAnonymity(5)), describe(TCloseness(0.2, "INCOME"))
    ('k-anonymity', 't-closeness of INCOME (EqualDistance)')
    """
    term = _TERMS[type(criterion)]
    attribute = getattr(criterion, "attribute", None)
    if isinstance(criterion, TCloseness):
        return f"{term} of {attribute} ({type(criterion.distance).__name__})"
    if isinstance(criterion, BetaLikeness):
        term = f"{'enhanced' if criterion.enhanced else 'basic'} {term}"
    return f"{term} of {attribute}" if attribute else term


def wanted(criterion: Criterion) -> str:
    """What the criterion asks for, e.g. ``k = 5``."""
    settings = {f.name: getattr(criterion, f.name) for f in fields(criterion)}  # type: ignore[arg-type]
    return ", ".join(
        f"{n} = {x:g}" for n, x in settings.items() if isinstance(x, int | float) and not isinstance(x, bool)
    )
