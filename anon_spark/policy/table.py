"""The policy of one table: its quasi-identifiers, sensitive attributes, criteria and what the search minimizes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import Field, model_validator

from anon_spark.anonymize.hierarchy import Hierarchy, load_hierarchy
from anon_spark.anonymize.rules import Dates, Icd9, Intervals, Prefix, Rule
from anon_spark.anonymize.tradeoff import Goal, RiskName
from anon_spark.errors import InputError, PolicyError, nearest
from anon_spark.policy.load import digest, find_policy, hierarchy_files, read_policy
from anon_spark.policy.model import LossName, Strict
from anon_spark.privacy.criteria import Privacy


class TableQuasiIdentifier(Strict):
    """One column an attacker may know: its hierarchy is a file's name or a rule."""

    hierarchy: str | Intervals | Prefix | Dates | Icd9
    weight: Annotated[float, Field(ge=0)] = 1.0


class SearchBudget(Strict):
    """When the search stops early, and how many patterns the driver may hold."""

    nodes: Annotated[int, Field(ge=1)] | None = None
    seconds: Annotated[float, Field(gt=0)] | None = None
    patterns: Annotated[int, Field(ge=1)] = 5_000_000


class TableObjective(Strict):
    """Which release is wanted of those that meet the criteria: least lambda R - (1 - lambda) U with U >= tau.

    With tau alone it is the least risk that leaves so much utility (Eq. 9), with lambda alone the trade-off (Eq. 10).
    """

    risk: RiskName
    utility: LossName | None = None  # 1 - this loss; the policy's ``loss`` where none is named
    threshold: Annotated[float, Field(ge=0, le=1)] = 0.2  # share_at_risk: of those with a higher chance
    tau: Annotated[float, Field(ge=0, le=1)] | None = None
    weight: Annotated[float, Field(ge=0, le=1)] | None = Field(None, alias="lambda")

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.tau is None and self.weight is None:
            raise ValueError("objective needs tau or lambda")
        return self

    @property
    def goal(self) -> Goal:
        """What is wanted."""
        return Goal(self.tau or 0.0, 1.0 if self.weight is None else self.weight)


class TablePolicy(Strict):
    """Every column of the table is a quasi-identifier, sensitive, kept or dropped; each row is a person."""

    name: str
    description: str = ""
    separator: Annotated[str, Field(min_length=1, max_length=1)] | None = None  # CSV; found out where None
    quasi_identifiers: Annotated[dict[str, TableQuasiIdentifier], Field(min_length=1)]
    sensitive: tuple[str, ...] = ()
    keep: tuple[str, ...] = ()
    drop: tuple[str, ...] = ()
    privacy: Privacy = Privacy()
    suppression_limit: Annotated[float, Field(ge=0, le=1)] = 0.05  # share of people
    loss: LossName = "loss_am"
    objective: TableObjective | None = None  # what the search looks for instead of the least loss
    recoding: Literal["full_domain", "local", "either"] = "full_domain"  # either: as the objective wants
    population: str | None = None  # table of the population, beside the policy: for k_map and presence
    search: SearchBudget = SearchBudget()


@dataclass(frozen=True)
class LoadedTablePolicy:
    """A table's policy with the hierarchies that are files; those by rule are made from the table."""

    policy: TablePolicy
    files: Mapping[str, Hierarchy]  # by name
    path: Path
    sha256: str

    @property
    def rules(self) -> dict[str, Rule]:
        """Rules of the quasi-identifiers whose hierarchy is no file."""
        named = {name: q.hierarchy for name, q in self.policy.quasi_identifiers.items()}
        return {name: rule for name, rule in named.items() if not isinstance(rule, str)}


def load_table_policy(path: str | Path, *, table: Path | None = None) -> LoadedTablePolicy:
    """Read the policy of one table and its hierarchies: the package's, those beside the policy or the table.

    Raises:
        PolicyError: all problems at once.
    """
    file = find_policy(str(path)).resolve()
    problems: list[str] = []
    policy, document = read_policy(file, TablePolicy, problems)
    files = hierarchy_files(file.parent, *([table.parent] if table else []))
    wanted: dict[str, str] = {}
    for name, item in (document.get("quasi_identifiers") or {}).items():
        hierarchy = item.get("hierarchy") if isinstance(item, Mapping) else None
        if isinstance(hierarchy, str):
            wanted[f"quasi_identifiers.{name}.hierarchy"] = hierarchy
    if policy:
        wanted |= {f"privacy: hierarchy {name}": name for name in policy.privacy.hierarchies}
    hierarchies: dict[str, Hierarchy] = {}
    for place, name in wanted.items():
        if name not in files:
            problems.append(f"{place}: unknown hierarchy '{name}'{nearest(name, files)}")
        elif name not in hierarchies:
            try:
                hierarchies[name] = load_hierarchy(files[name])
            except PolicyError as error:
                problems += error.problems
    if policy:
        problems += _contradictions(policy)
    if policy is None or problems:
        raise PolicyError(list(dict.fromkeys(problems)))
    return LoadedTablePolicy(policy, hierarchies, file, digest(policy, hierarchies))


_RESERVED = re.compile(r"_(tuple|class|from|again|corrupt|[qs][0-9]+)", re.IGNORECASE)
_COUNTED = ("people", "population")


def check_table(policy: TablePolicy, columns: Sequence[str]) -> None:
    """Return if the table has exactly the columns that the policy classifies.

    Raises:
        InputError: columns are missing, or there twice.
        PolicyError: columns are not classified.
    """
    known = _classified(policy)
    if missing := [c for c in known if c not in columns]:
        raise InputError(f"the table has no column {', '.join(f'{c}{nearest(c, columns)}' for c in missing)}")
    taken = [
        c for c in columns if _RESERVED.fullmatch(c) or (c.lower() in _COUNTED and c in policy.sensitive)
    ]
    if taken:
        raise InputError(f"rename column {', '.join(taken)}: the name is the engine's own")
    if unknown := [c for c in columns if c not in known]:
        raise PolicyError(
            [
                f"column {c} is not classified: name it as quasi-identifier, sensitive, keep or drop"
                for c in unknown
            ]
        )


def _classified(policy: TablePolicy) -> list[str]:
    return [*policy.quasi_identifiers, *policy.sensitive, *policy.keep, *policy.drop]


def _contradictions(policy: TablePolicy) -> list[str]:
    columns = _classified(policy)
    problems = [
        f"column {c} is named {columns.count(c)} times"
        for c in dict.fromkeys(columns)
        if columns.count(c) > 1
    ]
    problems += [
        f"privacy.sensitive.{name}: is not among 'sensitive'{nearest(name, policy.sensitive)}"
        for name in policy.privacy.sensitive
        if name not in policy.sensitive
    ]
    if not policy.sensitive and "l" in policy.privacy.model_fields_set and policy.privacy.l > 1:
        problems.append("privacy.l: is about sensitive attributes, and 'sensitive' names none")
    if policy.privacy.needs_population and policy.population is None:
        problems.append("population: k_map and presence compare with a population's table; name it")
    if policy.privacy.needs_population and policy.recoding != "full_domain":
        problems.append(f"recoding: {policy.recoding} does not compare with a population; use full_domain")
    if all(q.weight == 0 for q in policy.quasi_identifiers.values()):
        problems.append("quasi_identifiers: every weight is 0; there is nothing to minimize")
    return problems + _contradictions_of_objective(policy)


def _contradictions_of_objective(policy: TablePolicy) -> list[str]:
    aim = policy.objective
    if aim is None:
        either = "recoding: either is for a policy with an objective, which decides; use full_domain or local"
        return [either] if policy.recoding == "either" else []
    problems = []
    if aim.risk.startswith("journalist") and policy.population is None:
        problems.append(f"objective.risk: {aim.risk} compares with a population's table; name it")
    if aim.risk.startswith("journalist") and policy.recoding != "full_domain":
        problems.append(f"recoding: {policy.recoding} does not compare with a population; use full_domain")
    if aim.risk.startswith("attribute") and not policy.sensitive:
        problems.append(f"objective.risk: {aim.risk} is about sensitive attributes; name them")
    if (aim.utility or policy.loss) == "nuentropy" and policy.recoding != "full_domain":
        problems.append(f"objective.utility: nuentropy is not defined with recoding: {policy.recoding}")
    return problems
