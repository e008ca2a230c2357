"""Settings near an infeasible one that are feasible: of each criterion alone, and of the suppression limit.

A laxer threshold fails fewer classes, so fewer people are suppressed at every node: where a threshold is
feasible, laxer ones are too, and the strictest feasible one is found by halving. (Where people are in several
classes that holds for the monotone criteria; elsewhere what is found is feasible, but maybe not the strictest.)

Every trial looks at the coarsest nodes only, up to a number of them: what is said to be feasible is, and on
larger lattices a still nearer setting may be, too.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from anon_spark.anonymize.coarsening import Coarsening
from anon_spark.anonymize.frontier import Pass
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Budget, Infeasible
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.anonymize.suppression import evaluator
from anon_spark.anonymize.tradeoff import Setting
from anon_spark.errors import GateRefusedError
from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.beta_likeness import BetaLikeness
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import describe, wanted
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.delta_presence import DeltaPresence
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.k_map import KMap
from anon_spark.privacy.l_diversity import DistinctLDiversity, EntropyLDiversity, RecursiveLDiversity
from anon_spark.privacy.t_closeness import TCloseness

_NODES = 200  # looked at in one trial
_DECIMALS = 4
# threshold of each criterion, and its laxest value, given the people
_THRESHOLDS: dict[type, tuple[str, Callable[[int], float]]] = {
    KAnonymity: ("k", lambda _: 2),
    KMap: ("k", lambda _: 2),
    DeltaPresence: ("delta_max", lambda _: 1.0),
    DistinctLDiversity: ("l", lambda _: 1),
    EntropyLDiversity: ("l", lambda _: 1.0),
    RecursiveLDiversity: ("c", lambda people: people + 1.0),
    TCloseness: ("t", lambda _: 1.0),
    AlphaK: ("alpha", lambda _: 1.0),
    BetaLikeness: ("beta", float),
    DeltaDisclosurePrivacy: ("delta", lambda people: math.log2(people) + 1),
}


@dataclass(frozen=True)
class Nearest:
    """What would be feasible.

    Attributes:
        criteria: by place of the criterion, the strictest that is feasible with all else as it was asked for;
            None where no threshold of it alone helps.
        alone: the same with no other criterion asked for.
        suppressed: people that a limit must allow with the criteria as they are; None where no limit helps.
    """

    criteria: tuple[Criterion | None, ...]
    alone: tuple[Criterion | None, ...]
    suppressed: int | None


def nearest_feasible(
    table: PatternTable, hierarchies: Mapping[str, Hierarchy], criteria: Sequence[Criterion], limit: int
) -> Nearest:
    """The nearest feasible settings of criteria that no node meets with up to ``limit`` people suppressed."""
    lattice = _Lattice(table, Coarsening(table, hierarchies), limit)
    return Nearest(
        tuple(_relaxed(lattice, criteria, i) for i in range(len(criteria))),
        tuple(_relaxed(lattice, [criterion], 0) for criterion in criteria),
        lattice.least_suppressed(criteria),
    )


def not_feasible(
    table: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Mapping[Setting, Sequence[Criterion]],
    limit: int,
    *,
    recoding: str = "full_domain",
) -> GateRefusedError:
    """No release meets the criteria; the nearest settings that are feasible, of each criterion and of the limit.

    Args:
        recoding: ``local`` suppresses nobody, and can do what all people as one class can.
    """
    people = table.total_people
    lines, asked = [], []
    for setting, own in criteria.items():
        asked.append(", ".join(f"{describe(criterion)} ({wanted(criterion)})" for criterion in own))
        near = nearest_feasible(table, hierarchies, own, 0 if recoding == "local" else limit)
        said = shortfalls(near, own, table)
        if recoding == "local":
            said[0] = (said[0][0], f"local recoding suppresses nobody; with full_domain {said[0][1]}")
        lines += said if len(criteria) == 1 else [(f"{setting}: {check}", x) for check, x in said]
    within = "" if recoding == "local" else f" within the suppression limit of {limit} people"
    kind = "local recoding" if recoding == "local" else "generalization"
    return GateRefusedError(
        f"refused: no {kind} of {people} people meets {'; or '.join(asked)}{within}", lines
    )


def in_reach(found: Infeasible, criteria: Sequence[Criterion], people: int) -> GateRefusedError:
    """What is asked for, and what the search has seen that would do: every trial of another setting would be jobs."""
    asked = ", ".join(f"{describe(criterion)} ({wanted(criterion)})" for criterion in criteria)
    shortfalls = [
        ("suppression limit", f"the least that must be suppressed is {found.least} of {people} people")
    ]
    shortfalls += [
        (
            describe(criterion),
            f"{wanted(criterion)} wanted, {figure:.6g} with everything generalized and nobody suppressed",
        )
        for criterion, figure in zip(criteria, found.attainable, strict=True)
    ]
    return GateRefusedError(
        f"refused: no generalization of {people} people meets {asked} within the suppression limit of {found.limit}"
        " people",
        shortfalls,
    )


def shortfalls(nearest: Nearest, criteria: Sequence[Criterion], table: PatternTable) -> list[tuple[str, str]]:
    """What is asked for and what would do, a line for the limit and one for each criterion."""
    lines = [("suppression limit", _limit(nearest.suppressed, table.total_people))]
    for i, (asked, near) in enumerate(zip(criteria, nearest.criteria, strict=True)):
        said = f"{wanted(asked)} wanted{_of_table(asked, table)}"
        if near is not None:
            would = f"{wanted(near)} would do with all else as it is"
        else:
            would = _alone(
                asked, nearest.alone[i], [x for j, x in enumerate(nearest.alone) if j != i], criteria
            )
        lines.append((describe(asked), f"{said}; {would}"))
    return lines


def _alone(
    asked: Criterion, own: Criterion | None, others: Sequence[Criterion | None], criteria: Sequence[Criterion]
) -> str:
    """What can be said of a criterion that no other value of its own would help."""
    if own is None:
        return "no other value would do"
    if own != asked:
        return f"{wanted(own)} would do if nothing else were asked for"
    if all(other in criteria for other in others):
        return "it can be met, but not together with the others"
    return "it can be met; what cannot is another"


def _of_table(asked: Criterion, table: PatternTable) -> str:
    """The count of the table that a threshold is above, as more than which nothing can be had."""
    if isinstance(asked, KAnonymity) and asked.k > table.total_people:
        return f", and the table has {table.total_people} people"
    if isinstance(asked, DistinctLDiversity | EntropyLDiversity | RecursiveLDiversity):
        values = len(table.totals()[asked.attribute])
        if asked.l > values:
            return f", and {asked.attribute} has {values} value{'s' if values > 1 else ''}"
    return ""


def _limit(suppressed: int | None, people: int) -> str:
    if suppressed is None:
        return "no limit would do: nobody would be left"
    share = math.ceil(suppressed / people * 10**_DECIMALS) / 10**_DECIMALS
    return f"{share:g} would do: {suppressed} of {people} people"


@dataclass(frozen=True)
class _Lattice:
    """Trials of criteria over one lattice."""

    table: PatternTable
    coarsening: Coarsening
    limit: int

    def feasible(self, criteria: Sequence[Criterion]) -> bool:
        """Whether one of the coarsest nodes meets the criteria within the limit."""
        return any(True for _ in self._nodes(criteria, self.limit))

    def least_suppressed(self, criteria: Sequence[Criterion]) -> int | None:
        """Fewest people suppressed at one of the coarsest nodes with somebody left."""
        least = None
        nodes = self._nodes(criteria, self.table.total_people - 1)
        for outcome in nodes:
            least = outcome.suppressed
            nodes.limit = least - 1
        return least

    def _nodes(self, criteria: Sequence[Criterion], limit: int) -> Pass:
        judge = evaluator(self.table, self.coarsening, criteria, limit)
        return Pass(judge, self.coarsening.shape, self.table.total_people, limit, Budget(nodes=_NODES))


def _relaxed(lattice: _Lattice, criteria: Sequence[Criterion], place: int) -> Criterion | None:
    """The strictest feasible criterion of the same kind at one place, the others as they are; None without one."""
    asked = criteria[place]
    name, laxest = _THRESHOLDS[type(asked)]
    strict: float = getattr(asked, name)
    lax = laxest(lattice.table.total_people)

    def criterion(threshold: float) -> Any:
        return replace(asked, **{name: threshold})  # type: ignore[type-var]

    def feasible(threshold: float) -> bool:
        return lattice.feasible([*criteria[:place], criterion(threshold), *criteria[place + 1 :]])

    if feasible(strict):
        return asked
    if (lax > strict) != _grows_laxer(asked) or not feasible(lax):
        return None
    return criterion(_halve(feasible, lax, strict))  # type: ignore[no-any-return]


def _grows_laxer(criterion: Criterion) -> bool:
    """Whether a larger threshold asks for less."""
    return not isinstance(criterion, KAnonymity | KMap | DistinctLDiversity | EntropyLDiversity)


def _halve(feasible: Callable[[float], bool], lax: float, strict: float) -> float:
    """The feasible threshold nearest to an infeasible one: exact for whole numbers, else to four decimals."""
    step = 1 if isinstance(strict, int) and isinstance(lax, int) else 10**-_DECIMALS
    near, far = round(lax / step), round(strict / step)
    while abs(far - near) > 1:
        middle = (near + far) // 2
        if feasible(_of_steps(middle, step)):
            near = middle
        else:
            far = middle
    return _of_steps(near, step)


def _of_steps(steps: int, step: float) -> float:
    return steps if isinstance(step, int) else round(steps * step, _DECIMALS)
