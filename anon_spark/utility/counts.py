"""Quasi-identifiers of tables, counted, as whoever has only the release can read them.

A label stands for every leaf under it, and nothing says which of them a row had: its rows are spread over them
alike. Null has a leaf of its own, as in the hierarchies. The source's leaves stand for themselves, so a raw table and
a release meet on the same leaves.

Source: K. LeFevre, D. DeWitt, R. Ramakrishnan, Mondrian, ICDE 2006, for the uniform spread.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.parts import Levels, levels_of
from anon_spark.anonymize.people import person_tuples
from anon_spark.deidentify.generalization import leaf_codes
from anon_spark.errors import InputError
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Counts:
    """Rows of every combination of labels.

    Attributes:
        rows: (combinations,) how many there are.
        codes: by attribute, (combinations,) the label's number.
        spread: by attribute, (labels, leaves) the share of a label's rows on each leaf; lines sum to 1.
    """

    rows: Floats
    codes: Mapping[str, Ints]
    spread: Mapping[str, Floats]

    @property
    def total(self) -> float:
        """Rows in all."""
        return float(self.rows.sum())

    def marginal(self, name: str) -> Floats:
        """(leaves,) share of the rows on each leaf."""
        labels = np.bincount(self.codes[name], weights=self.rows, minlength=len(self.spread[name]))
        shares: Floats = labels @ self.spread[name] / self.total
        return shares

    def joint(self, one: str, other: str) -> Floats:
        """(leaves of one, leaves of the other) rows."""
        table = np.zeros((len(self.spread[one]), len(self.spread[other])))
        np.add.at(table, (self.codes[one], self.codes[other]), self.rows)
        rows: Floats = self.spread[one].T @ table @ self.spread[other]
        return rows

    def expected(self, inside: Mapping[str, npt.NDArray[np.bool_]]) -> float:
        """Rows expected to have one of the given leaves in each of the attributes."""
        shares = np.ones_like(self.rows)
        for name, leaves in inside.items():
            shares *= (self.spread[name] @ leaves)[self.codes[name]]
        return float(self.rows @ shares)


def count_tuples(
    read: TableReader,
    policy: Policy,
    hierarchies: Mapping[str, Hierarchy],
    levels: Levels | None = None,
) -> Counts:
    """Count the (person, admission) rows of tables by their quasi-identifiers, in one Spark aggregation.

    What comes to the driver is a row a combination that occurs: fewer than the policy's leaves make.

    Args:
        read: tables of the source, or of a release with ``levels``.
        hierarchies: by quasi-identifier.
        levels: of a release, as its ledger has them.

    Raises:
        InputError: there is no row.
    """
    columns = [f"q_{name}" for name in policy.quasi_identifiers]
    tuples = person_tuples(read, policy, released=levels is not None)
    table = tuples.groupBy(*columns).agg(F.count(F.lit(1)).alias("rows")).toArrow()
    if not table.num_rows:
        raise InputError("there is no admission to count")
    codes, spread = {}, {}
    for name, column in zip(policy.quasi_identifiers, columns, strict=True):
        labels = table[column].to_pylist()
        known = {label: number for number, label in enumerate(dict.fromkeys(labels))}
        codes[name] = np.array([known[label] for label in labels])
        stated = [0] if levels is None else levels_of(levels, name)
        spread[name] = spread_labels(hierarchies[name], stated, list(known))
    return Counts(table["rows"].to_numpy().astype(float), codes, spread)


def spread_labels(hierarchy: Hierarchy, levels: Sequence[int], labels: list[str | None]) -> Floats:
    """(labels, leaves) the share of a label's rows on each leaf; a label that is not of the levels, on all alike.

    One that is of several is read as all that it may mean.

    >>> sex = Hierarchy("sex", (("M", "*"), ("F", "*")))
    >>> spread_labels(sex, [0], ["F", None]).tolist(), spread_labels(sex, [1], ["*"]).tolist()
    ([[0.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [[0.5, 0.5, 0.0]])
    """
    places = leaf_codes(hierarchy)
    under: dict[str | None, dict[int, None]] = {}
    for row in hierarchy.levels:
        for level in levels:
            under.setdefault(row[level], {})[places[row[0]]] = None
    under.setdefault(None, {places[None]: None})
    everything = [places[row[0]] for row in hierarchy.levels]
    shares = np.zeros((len(labels), len(places)))
    for number, label in enumerate(labels):
        leaves = list(under.get(label, everything))
        shares[number, leaves] = 1 / len(leaves)
    return shares
