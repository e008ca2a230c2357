"""The cap where the policy leaves it open (``cap: auto``): how many of a person's earliest admissions are kept.

Admissions tell people apart: one who was admitted more often than others has a history of their own, and must be
suppressed whole where an attacker knows it. Without the later admissions it may be common.

The rule is greedy. Caps are tried upwards from 1. At each, the search finds the levels of least loss over what is
left, and people of failing classes are suppressed in rounds. What a cap loses in all is ``loss_am`` of that, with
every capped admission counted as wholly lost in the loss of each admission's quasi-identifier, as those of
suppressed people are. Two caps in a row that lose more than the best so far end the trial; then the longest history
(no cap) is tried. The cap that loses least is taken, of equal ones the largest. One that was not tried could lose
less.

At one cap nothing is greedy under ``loss_am``: with n rows of which r are left, L_q of all is
(r L_q + n - r) / n for an admission's quasi-identifier, so with its weight times r / n the search minimizes what is
lost in all. Under another loss the levels are those of least such loss.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from anon_spark.anonymize.lattice import Infeasible, Solution
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.anonymize.suppression import unit_weights
from anon_spark.utility.loss import weights_of

_PATIENCE = 2  # caps in a row that may lose more


@dataclass(frozen=True)
class Choice:
    """The cap that was chosen.

    Attributes:
        cap: admissions kept of a person.
        loss: in all, 0 to 1.
        tried: loss by cap, None where no level met the criteria.
    """

    cap: int
    loss: float
    tried: dict[int, float | None]


def choose_cap(
    longest: int,
    patterns: Callable[[int], PatternTable],
    find: Callable[[PatternTable, Mapping[str, float]], Solution | Infeasible],
    *,
    rows: int,
    weights: Mapping[str, float],
    scaled: bool,
) -> Choice | Infeasible:
    """Choose the cap by the rule of this module.

    Args:
        longest: most admissions of a person.
        patterns: of people with no more than so many admissions.
        find: searches for the levels, given the weights of quasi-identifiers in the loss.
        rows: admissions of all people, before any cap.
        weights: of quasi-identifiers.
        scaled: the loss is ``loss_am``: weights of admissions' quasi-identifiers shrink with the rows that are left.

    Returns:
        The choice; the last cap's answer where no cap meets the criteria.
    """
    tried: dict[int, float | None] = {}
    answer: Infeasible | None = None
    for cap in range(1, longest + 1):
        if cap < longest and _went_past_the_best(tried):
            continue
        table = patterns(cap)
        left = round(float(unit_weights(table)[1].sum())) / rows
        shrunk = {n: w * (left if scaled and n in table.of_rows else 1.0) for n, w in weights.items()}
        found = find(table, shrunk)
        if isinstance(found, Infeasible):
            answer, tried[cap] = found, None
        else:
            tried[cap] = _in_all(found, table, left, weights)
    best = _best(tried)
    if best is not None:
        return Choice(*best, tried)
    assert answer is not None  # noqa: S101  (nobody has no history, so the longest was tried)
    return answer


def _best(tried: Mapping[int, float | None]) -> tuple[int, float] | None:
    """The cap that loses least, and how much."""
    found = [(round(loss, 12), -cap, loss) for cap, loss in tried.items() if loss is not None]
    return (-min(found)[1], min(found)[2]) if found else None


def _went_past_the_best(tried: Mapping[int, float | None]) -> bool:
    best = _best(tried)
    return best is not None and max(tried) - best[0] >= _PATIENCE


def _in_all(found: Solution, table: PatternTable, left: float, weights: Mapping[str, float]) -> float:
    """``loss_am`` over all rows, of which the share ``left`` is not capped."""
    weight = weights_of(table.names, weights)
    losses = [
        left * loss + 1 - left if name in table.of_rows else loss for name, loss in found.losses.items()
    ]
    return float(weight @ losses / weight.sum())
