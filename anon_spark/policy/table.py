"""The policy of one table: its quasi-identifiers, sensitive attributes, criteria and what the search minimizes."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self

from pydantic import Field, model_validator

from anon_spark.anonymize.hierarchy import Hierarchy, load_hierarchy
from anon_spark.anonymize.rules import Dates, Icd9, Intervals, Numbers, Prefix, Rule
from anon_spark.anonymize.tradeoff import Goal, RiskName
from anon_spark.errors import InputError, PolicyError, nearest
from anon_spark.ingest.table import columns_of
from anon_spark.policy.load import digest, find_policy, folders, load_each, of_policy, read_policy
from anon_spark.policy.model import LossName, Strict
from anon_spark.privacy.criteria import Privacy


class TableQuasiIdentifier(Strict):
    """One column an attacker may know: its hierarchy is a file's name or a rule."""

    hierarchy: (
        Annotated[str, Field(description="a hierarchy's name")] | Intervals | Prefix | Dates | Icd9 | Numbers
    )
    weight: Annotated[float, Field(ge=0, le=1e6)] = 1.0


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
            raise ValueError("tau or lambda is needed")
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
    # local lowers loss_am; either: as the objective wants; microaggregation: numbers become means of groups of k people
    recoding: Literal["full_domain", "local", "either", "microaggregation"] = "full_domain"
    population: str | None = None  # table of the population, beside the policy: for k_map and presence
    sampling_fraction: Annotated[float, Field(gt=0, le=1)] | None = (
        None  # share of the population in the table
    )
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

    Args:
        table: its columns are held against the policy, where they can be told without Spark.

    Raises:
        InputError: there is no such table, or it lacks columns and nothing else is wrong.
        PolicyError: all problems at once.
    """
    file = find_policy(str(path)).resolve()
    if table is not None and not table.exists():
        raise InputError(f"there is no table '{table}'")
    problems: list[str] = []
    policy, document = read_policy(file, TablePolicy, problems)
    wanted: dict[str, str] = {}
    for name, item in _mapping(document.get("quasi_identifiers")).items():
        hierarchy = _mapping(item).get("hierarchy")
        if isinstance(hierarchy, str):
            wanted[f"quasi_identifiers.{name}.hierarchy"] = hierarchy
    if policy:
        wanted |= {f"privacy: hierarchy {name}": name for name in sorted(policy.privacy.hierarchies)}
    beside = [] if table is None else [table.resolve().parent]
    searched = folders("hierarchies", file.parent, *beside)
    hierarchies = load_each("hierarchy", wanted, searched, load_hierarchy, problems)
    columns = None if table is None or policy is None else columns_of(table, policy.separator)
    if policy:
        problems += _contradictions(policy)
        _refuse(file, policy, columns, problems)
    if policy is None:
        raise PolicyError(of_policy(file, problems))
    return LoadedTablePolicy(policy, hierarchies, file, digest(policy, hierarchies))


def _mapping(section: Any) -> Mapping[str, Any]:
    return section if isinstance(section, Mapping) else {}


_RESERVED = re.compile(r"_(tuple|class|from|again|times|corrupt|[qs][0-9]+)", re.IGNORECASE)
_COUNTED = ("people", "population")


def check_table(loaded: LoadedTablePolicy, columns: Sequence[str]) -> None:
    """Return if the table has exactly the columns that the policy classifies.

    Raises:
        InputError: columns are missing, or have a name of the engine's own.
        PolicyError: columns are not classified.
    """
    _refuse(loaded.path, loaded.policy, columns, [])


def _refuse(file: Path, policy: TablePolicy, columns: Sequence[str] | None, problems: list[str]) -> None:
    """Raise what is wrong with a policy and with a table's columns by it; the table's fault if that is all."""
    lacking, unclassified = ([], []) if columns is None else _misfits(policy, columns)
    if problems or unclassified:
        raise PolicyError(of_policy(file, [*problems, *lacking, *unclassified]))
    if lacking:
        raise InputError("\n".join(of_policy(file, lacking)))


def _misfits(policy: TablePolicy, columns: Sequence[str]) -> tuple[list[str], list[str]]:
    """What the table lacks or may not have, and what the policy lacks.

    Names of a header are shown where it has half of what the policy names: else they may be a row's cells.
    """
    known = _classified(policy)
    missing = [name for name in known if name not in columns]
    unknown = [name for name in columns if name not in known]
    if len(missing) == len(known):
        folded = {name.casefold() for name in columns}
        if folded.issuperset(name.casefold() for name in known):
            return ["the table's names differ from the policy's in the case of letters; write them alike"], []
        return [
            f"none of the {len(known)} columns that the policy names is among the {len(columns)} of the table's first"
            " line; is that line a header, and is 'separator' right?"
        ], []
    named = ", ".join(f"{name}{nearest(name, unknown)}" for name in missing)
    lacking = [f"the table has no column {named}"] if missing else []
    lacking += [
        f"rename column {name} of the table: the name is the engine's own"
        for name in columns
        if _RESERVED.fullmatch(name) or (name.lower() in _COUNTED and name in policy.sensitive)
    ]
    if missing and unknown:
        named = ", ".join(unknown) if 2 * len(missing) <= len(known) else str(len(unknown))
        lacking.append(f"the policy does not name {named} of the table's {len(columns)} columns")
        return lacking, []
    return lacking, [
        f"column {name} is not classified: name it as quasi-identifier, sensitive, keep or drop"
        for name in unknown
    ]


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
    return problems + _contradictions_of_objective(policy) + _contradictions_of_microaggregation(policy)


def _contradictions_of_microaggregation(policy: TablePolicy) -> list[str]:
    if policy.recoding != "microaggregation":
        return []
    problems = []
    if policy.objective is not None:
        problems.append("recoding: microaggregation has no levels that an objective could choose")
    if others := [name for name in ("loss", "search") if name in policy.model_fields_set]:
        problems.append(f"{', '.join(others)}: is not for recoding: microaggregation, which searches nothing")
    if any(q.weight != 1 for q in policy.quasi_identifiers.values()):
        problems.append("quasi_identifiers: weights are not for recoding: microaggregation")
    if policy.privacy.sensitive or (policy.sensitive and policy.privacy.l > 1):
        problems.append(
            "privacy: microaggregation makes groups by k alone; use local or full_domain, or give l: 1 and"
            " nothing under 'sensitive'"
        )
    return problems


def _contradictions_of_objective(policy: TablePolicy) -> list[str]:
    aim = policy.objective
    if aim is None:
        if policy.recoding == "either":
            return [
                "recoding: either is for a policy with an objective, which decides; use full_domain or local"
            ]
        if policy.recoding == "local" and policy.loss != "loss_am":
            return [
                f"loss: local recoding lowers loss_am, not {policy.loss}; leave loss out or use full_domain"
            ]
        return []
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
