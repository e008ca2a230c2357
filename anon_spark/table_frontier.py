"""The front of risk and utility of one table: what can be had, before anything is written.

TABLE - histogram - one pass over the lattice for each setting - front, and the release that each goal wants
"""

import itertools
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

from anon_spark.anonymize.frontier import Front, front_of, with_setting
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Budget
from anon_spark.anonymize.nearest import not_feasible
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.anonymize.policy_objective import budget_ended, candidates_of, out_of_reach
from anon_spark.anonymize.tradeoff import Goal, Point, Setting, pareto
from anon_spark.errors import GateRefusedError, PolicyError
from anon_spark.policy.table import LoadedTablePolicy, TablePolicy
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import Privacy, SensitiveDomain, build_criteria
from anon_spark.report.frontier_plot import check_ending, write_frontier
from anon_spark.table import Progress, table_patterns


@dataclass(frozen=True)
class Asked:
    """Thresholds and goals to look at; where none is given, the policy's own."""

    k: Sequence[int] = ()
    l: Sequence[int] = ()  # noqa: E741  (the literature's letter)
    t: Sequence[float] = ()
    tau: Sequence[float] = ()
    weight: Sequence[float] = ()  # lambda

    def settings(self, policy: TablePolicy) -> list[Setting]:
        """Every combination of thresholds."""
        ways = itertools.product(self.k or (policy.privacy.k,), self.l or (None,), self.t or (None,))
        return list(dict.fromkeys(Setting(*way) for way in ways))

    def goals(self, policy: TablePolicy) -> list[Goal]:
        """Each tau (Eq. 9) and each lambda (Eq. 10); without an objective the least loss."""
        given = [*(Goal(tau=x) for x in self.tau), *(Goal(weight=x) for x in self.weight)]
        own = Goal(weight=0.0) if policy.objective is None else policy.objective.goal
        return list(dict.fromkeys(given)) or [own]


def check_asked(
    policy: TablePolicy, asked: Asked, out: Path | None
) -> tuple[list[Setting], list[Goal], list[Privacy]]:
    """Settings, goals, and the policy's criteria by each setting; needs no Spark.

    Raises:
        PolicyError: a threshold or goal is out of range, nothing can be drawn at ``out``, or there is no front.
    """
    if policy.recoding == "microaggregation":
        raise PolicyError("recoding: microaggregation has no levels that risk could be weighed against")
    if out is not None:
        check_ending(out)
    settings, goals = asked.settings(policy), asked.goals(policy)
    return settings, goals, [with_setting(policy.privacy, x, policy.sensitive) for x in settings]


def frontier_of_table(
    spark: SparkSession,
    table: Path,
    loaded: LoadedTablePolicy,
    asked: Asked,
    *,
    out: Path | None = None,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """The front over all settings, and the releases that the goals want; the plot at ``out``.

    Raises:
        PolicyError, InputError: what is wrong with the policy, the table, ``out`` or what is asked for.
        GateRefusedError: a setting is not feasible or no release has utility tau, with the nearest that is;
            nothing is written.
    """
    policy = loaded.policy
    settings, goals, sections = check_asked(policy, asked, out)
    patterns, hierarchies = table_patterns(spark, table, loaded, progress=progress)
    if not isinstance(patterns, PatternTable):
        raise PolicyError("the front needs all patterns on the driver; raise search.patterns")
    domains = {name: SensitiveDomain(values.labels) for name, values in patterns.sensitive.items()}
    criteria = {
        setting: build_criteria(section, domains, loaded.files)
        for setting, section in zip(settings, sections, strict=True)
    }
    document = {
        "policy": {"name": policy.name, "hash": loaded.sha256},
        **explore(policy, patterns, hierarchies, criteria, goals, progress=progress),
    }
    if out is not None:
        write_frontier(document, out)
    return document | {"out": None if out is None else str(out)}


def explore(
    policy: TablePolicy,
    patterns: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Mapping[Setting, Sequence[Criterion]],
    goals: Sequence[Goal],
    *,
    progress: Progress = lambda _: None,
) -> dict[str, Any]:
    """The same from the pattern table on, without Spark.

    Args:
        criteria: by setting.
    """
    began, cpu = time.monotonic(), time.process_time()
    candidates = candidates_of(policy, patterns, hierarchies)
    fronts = []
    for setting, own in criteria.items():
        progress(f"search with {setting}")
        budget = Budget(policy.search.nodes, policy.search.seconds)
        fronts.append(front_of(candidates, own, setting, recoding=policy.recoding, budget=budget))
    lacking = [front for front in fronts if not front.points]
    if early := next((front for front in lacking if not front.complete), None):
        raise budget_ended(early.nodes_checked, early.nodes_total)
    if lacking:
        asked = {front.setting: criteria[front.setting] for front in lacking}
        raise not_feasible(
            candidates.table, candidates.hierarchies, asked, candidates.limit, recoding=policy.recoding
        )
    points = pareto(point for front in fronts for point in front.points)
    choices = {goal: goal.best(points) for goal in goals}
    if missed := [goal for goal, point in choices.items() if point is None]:
        raise _missed(policy, missed, fronts, points[-1], candidates.people)
    chosen = {goal: point for goal, point in choices.items() if point is not None}
    return {
        "people": candidates.people,
        "limit": candidates.limit,
        "quasi_identifiers": list(patterns.names),
        "risk": {"name": candidates.risk.name, "threshold": candidates.risk.threshold},
        "utility": candidates.utility.name,
        "recoding": policy.recoding,
        "settings": [_front(front, patterns.names) for front in fronts],
        "front": [
            _point(point, patterns.names)
            | {"chosen_by": [str(goal) for goal, best in chosen.items() if best == point]}
            for point in points
        ],
        "choices": [
            {
                "name": str(goal),
                "tau": goal.tau or None,
                "lambda": goal.weight,
                "value": goal.value(point),
                "point": _point(point, patterns.names),
            }
            for goal, point in chosen.items()
        ],
        "seconds": {"search": round(time.monotonic() - began, 3)},
        "cpu_seconds": {"search": round(time.process_time() - cpu, 3)},
    }


def _missed(
    policy: TablePolicy, goals: Sequence[Goal], fronts: Sequence[Front], highest: Point, people: int
) -> GateRefusedError:
    """Why no release has the utility of some goals: the budget ended, or there is none."""
    if early := next((front for front in fronts if not front.complete), None):
        taus = ", ".join(f"{goal.tau:g}" for goal in goals)
        return budget_ended(early.nodes_checked, early.nodes_total, f"meets the criteria with utility {taus}")
    return out_of_reach(goals, highest, people, recoding=policy.recoding)


def _front(front: Front, names: Sequence[str]) -> dict[str, Any]:
    return {
        "name": str(front.setting),
        **vars(front.setting),
        "nodes": {
            "total": front.nodes_total,
            "checked": front.nodes_checked,
            "feasible": front.nodes_feasible,
        },
        "complete": front.complete,
        "front": [_point(point, names) for point in front.points],
    }


def _point(point: Point, names: Sequence[str]) -> dict[str, Any]:
    return {
        "setting": str(point.setting),
        "recoding": "local" if point.levels is None else "full_domain",
        "levels": None if point.levels is None else dict(zip(names, point.levels, strict=True)),
        "suppressed": point.suppressed,
        "classes": point.classes,
        "risk": point.risk,
        "utility": point.utility,
    }
