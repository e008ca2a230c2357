"""The search over a lakehouse: from the tables of people and their admissions to the levels of least loss."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.cap import Choice, choose_cap
from anon_spark.anonymize.collect import check_coverage, collect_patterns, person_patterns
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.histories import ADMITTED, known_to
from anon_spark.anonymize.lattice import Infeasible, Solution, search
from anon_spark.anonymize.local_people import LocalSolution, recode_people
from anon_spark.anonymize.nearest import not_feasible
from anon_spark.anonymize.objective import Objective, objective_of
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.anonymize.people import ADMISSION, RANK, person_tuples, sensitive_columns
from anon_spark.anonymize.tradeoff import Setting
from anon_spark.errors import GateRefusedError
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy


@dataclass(frozen=True)
class PeopleSearch:
    """What is searched, and how the policy wants it.

    Attributes:
        read: tables without unparsed rows.
        policy: its cap is a number or none, but for ``choose_cap``.
        files: hierarchies by their own names.
    """

    read: TableReader
    policy: Policy
    files: Mapping[str, Hierarchy]

    @property
    def hierarchies(self) -> dict[str, Hierarchy]:
        """Hierarchy of every quasi-identifier of the policy."""
        return {name: self.files[q.hierarchy] for name, q in self.policy.quasi_identifiers.items()}

    @property
    def trees(self) -> dict[str, Hierarchy]:
        """Hierarchy of all that is packed into a tuple."""
        return self.hierarchies | ({ADMITTED.name: ADMITTED} if self.policy.admissions else {})

    def with_cap(self, cap: int | None) -> "PeopleSearch":
        """The same with a person's earliest so many admissions."""
        return replace(self, policy=self.policy.model_copy(update={"cap": cap}))

    def tuples(self) -> DataFrame:
        """``person_tuples``, and whether people have an admission at all: that is told and never generalized."""
        told = F.when(F.col(ADMISSION).isNotNull(), F.lit("yes")).otherwise(F.lit("no"))
        return person_tuples(self.read, self.policy, released=False).withColumn(f"q_{ADMITTED.name}", told)

    def people(self, tuples: DataFrame) -> DataFrame:
        """``person_patterns``: one row a person."""
        return person_patterns(tuples, self.trees, sensitive_columns(self.policy))

    def patterns(self, people: DataFrame) -> PatternTable:
        """The pattern table before the policy's attacker."""
        of_rows = [name for name, q in self.policy.quasi_identifiers.items() if q.unit == "admission"]
        table = collect_patterns(people, self.trees, sensitive=list(self.policy.sensitive), of_rows=of_rows)
        return known_to(table, self.policy.attacker.known)

    def find(self, table: PatternTable) -> Solution | LocalSolution:
        """The levels of least loss, or parts with levels of their own if the policy says so.

        Raises:
            GateRefusedError: none meet the criteria; with the nearest settings that are feasible.
        """
        aim = self._aim(table)
        found = self._search(table, aim)
        if isinstance(found, Infeasible):
            raise self._not_feasible(table, found)
        if self.policy.recoding == "local":
            limit = int(np.floor(aim.suppression_limit * table.total_people + 1e-9))
            parts = recode_people(
                table, self.trees, aim.criteria, found, limit=limit, weights=self._weights(table, aim)
            )
            return replace(
                parts,
                parts=tuple(self._own(levels) for levels in parts.parts),
                losses=self._own(parts.losses),
                full_domain=self._owned(found),
            )
        return self._owned(found)

    def _owned(self, found: Solution) -> Solution:
        return replace(found, levels=self._own(found.levels), losses=self._own(found.losses))

    def choose_cap(self) -> Choice:
        """The cap of least loss, see ``cap``.

        Raises:
            GateRefusedError: no cap meets the criteria; with the nearest settings that are feasible without one.
        """
        everything = self.with_cap(None)
        tuples = everything.tuples()
        check_coverage(tuples, self.hierarchies)
        longest, rows = tuples.agg(F.max(RANK), F.count(F.lit(1))).collect()[0]  # one row

        def patterns(cap: int) -> PatternTable:
            capped = self.with_cap(cap)
            return capped.patterns(capped.people(capped.tuples()))

        def find(table: PatternTable, weights: Mapping[str, float]) -> Solution | Infeasible:
            return self._search(table, replace(self._aim(table), weights=dict(weights)))

        choice = choose_cap(
            longest or 1,
            patterns,
            find,
            rows=max(rows, 1),
            weights=dict.fromkeys(self.trees, 0.0)
            | {name: q.weight for name, q in self.policy.quasi_identifiers.items()},
            scaled=self.policy.loss == "loss_am",
        )
        if isinstance(choice, Infeasible):
            raise self._not_feasible(patterns(longest or 1), choice)
        return choice

    def _aim(self, table: PatternTable) -> Objective:
        values = {name: list(people) for name, people in table.totals().items()}
        return objective_of(self.policy, values, self.files)

    def _weights(self, table: PatternTable, aim: Objective) -> dict[str, float]:
        return {name: aim.weights.get(name, 0.0) for name in table.names}

    def _search(self, table: PatternTable, aim: Objective) -> Solution | Infeasible:
        return search(
            table,
            self.trees,
            aim.criteria,
            loss=aim.loss,
            weights=self._weights(table, aim),
            suppression_limit=aim.suppression_limit,
        )

    def _not_feasible(self, table: PatternTable, found: Infeasible) -> GateRefusedError:
        criteria = self._aim(table).criteria
        return not_feasible(table, self.trees, {Setting(self.policy.privacy.k): criteria}, found.limit)

    def _own(self, figures: Mapping[str, Any]) -> dict[str, Any]:
        """The figures of the policy's own quasi-identifiers."""
        return {name: figures[name] for name in self.policy.quasi_identifiers}
