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


def out_of_reach(goals: Sequence[Goal], highest: Point, people: int) -> GateRefusedError:
    """No release has so much utility; what would do."""
    would = math.floor(highest.utility * 1e4) / 1e4
    lines = [("tau", f"{goal.tau:g} wanted; {would:g} would do, with {highest.setting}") for goal in goals]
    return GateRefusedError(
        f"refused: no release of {people} people within the suppression limit has utility"
        f" {', '.join(f'{goal.tau:g}' for goal in goals)}; nothing was published",
        lines,
    )
