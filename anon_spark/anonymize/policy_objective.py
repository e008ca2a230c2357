"""A table's releases as its policy measures them, and what is said where none has the utility that it wants."""

import math
from collections.abc import Mapping, Sequence

from anon_spark.anonymize.frontier import Candidates
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.anonymize.tradeoff import Goal, Point, Risk
from anon_spark.errors import GateRefusedError
from anon_spark.policy.table import TablePolicy


def candidates_of(
    policy: TablePolicy, patterns: PatternTable, hierarchies: Mapping[str, Hierarchy]
) -> Candidates:
    """The table's releases, measured by the risk and utility that the policy names."""
    aim = policy.objective
    return Candidates(
        patterns,
        hierarchies,
        risk=Risk() if aim is None else Risk(aim.risk, aim.threshold),
        utility=(aim.utility if aim else None) or policy.loss,
        weights={name: item.weight for name, item in policy.quasi_identifiers.items()},
        suppression_limit=policy.suppression_limit,
    )


def out_of_reach(
    goals: Sequence[Goal], highest: Point, people: int, *, recoding: str = "full_domain"
) -> GateRefusedError:
    """No release has so much utility; what would do. Of local recodings only that none was found can be said."""
    would = math.floor(highest.utility * 1e4) / 1e4
    lines = [("tau", f"{goal.tau:g} wanted; {would:g} would do, with {highest.setting}") for goal in goals]
    found = "" if recoding == "full_domain" else " found"
    return GateRefusedError(
        f"refused: no release{found} of {people} people within the suppression limit has utility"
        f" {', '.join(f'{goal.tau:g}' for goal in goals)}",
        lines,
    )


def budget_ended(checked: int, total: int, lacking: str = "meets the criteria") -> GateRefusedError:
    """What is said where the budget ended before every node was ruled out."""
    return GateRefusedError(
        f"refused: the budget of the search ended after {checked} of {total} nodes, of which none {lacking}; raise"
        " search.nodes or search.seconds"
    )
