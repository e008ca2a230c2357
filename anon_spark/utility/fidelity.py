"""How far a release's quasi-identifiers are from the source's: distributions, associations, answers to counts.

Jensen-Shannon distance: 0 for equal distributions, 1 for disjoint ones. Wasserstein distance, for numbers: the mean
way in the leaves' own unit. Cramér's V of two attributes: 0 independent, 1 one follows from the other. A random count
query asks for the rows with certain leaves in up to three attributes; its error is relative to the true count, or to
1 % of the rows where that is more.

Source: Lin 1991, IEEE Trans Inf Theory 37:145; Cramér 1946, ch. 21; Xiao, Tao 2006, VLDB, for count queries and a
floor under the true count.
"""

from collections.abc import Mapping
from itertools import combinations
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.spatial.distance import jensenshannon  # type: ignore[import-untyped]
from scipy.stats import wasserstein_distance  # type: ignore[import-untyped]

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.utility.counts import Counts, Floats

_MOST_ATTRIBUTES = 3
_FLOOR = 0.01
QUERIES = 1000


def fidelity(
    raw: Counts,
    release: Counts,
    hierarchies: Mapping[str, Hierarchy],
    *,
    queries: int = QUERIES,
    seed: int = 0,
) -> dict[str, Any]:
    """``{"columns", "associations", "queries"}`` of a release against its source."""
    return {
        "columns": column_distances(raw, release, hierarchies),
        "associations": association_differences(raw, release),
        "queries": query_errors(raw, release, hierarchies, queries=queries, seed=seed),
    }


def column_distances(
    raw: Counts, release: Counts, hierarchies: Mapping[str, Hierarchy]
) -> dict[str, dict[str, float | None]]:
    """Jensen-Shannon distance (base 2) of every attribute, and Wasserstein distance of those that are numbers."""
    found = {}
    for name, hierarchy in hierarchies.items():
        one, other = raw.marginal(name), release.marginal(name)
        found[name] = {
            "jensen_shannon": float(jensenshannon(one, other, base=2)),
            "wasserstein": _wasserstein(hierarchy, one, other),
        }
    return found


def association_differences(raw: Counts, release: Counts) -> list[dict[str, Any]]:
    """Cramér's V of every pair of attributes, raw and released; None where an attribute has one leaf only."""
    return [
        {
            "columns": [one, other],
            "raw": cramers_v(raw.joint(one, other)),
            "release": cramers_v(release.joint(one, other)),
        }
        for one, other in combinations(raw.codes, 2)
    ]


def cramers_v(table: Floats) -> float | None:
    """Cramér's V of a contingency table, empty lines left out.

    >>> cramers_v(np.array([[10.0, 0.0], [0.0, 10.0]])), cramers_v(np.array([[5.0, 5.0], [5.0, 5.0]]))
    (1.0, 0.0)
    """
    filled = table[table.sum(axis=1) > 0][:, table.sum(axis=0) > 0]
    least = min(filled.shape) - 1
    if least < 1:
        return None
    total = filled.sum()
    expected = np.outer(filled.sum(axis=1), filled.sum(axis=0)) / total
    chi_square = ((filled - expected) ** 2 / expected).sum()
    return float(np.sqrt(chi_square / (total * least)))


def query_errors(
    raw: Counts, release: Counts, hierarchies: Mapping[str, Hierarchy], *, queries: int, seed: int
) -> dict[str, float | int]:
    """Relative errors of random count queries that are answered from the release."""
    random = np.random.default_rng(seed)
    errors = []
    for _ in range(queries):
        asked = _random_query(random, hierarchies, raw)
        true = raw.expected(asked)
        errors.append(abs(release.expected(asked) - true) / max(true, _FLOOR * raw.total))
    median, high = np.percentile(errors, [50, 95])
    return {"queries": queries, "median": float(median), "of_95_percent": float(high)}


def _random_query(
    random: np.random.Generator, hierarchies: Mapping[str, Hierarchy], raw: Counts
) -> dict[str, npt.NDArray[np.bool_]]:
    """Leaves of up to three attributes: an interval of numbers, half of the others."""
    names = list(hierarchies)
    width = int(random.integers(1, min(_MOST_ATTRIBUTES, len(names)) + 1))
    chosen = random.choice(len(names), size=width, replace=False)
    asked: dict[str, npt.NDArray[np.bool_]] = {}
    for name in (names[place] for place in sorted(chosen)):
        leaves = raw.spread[name].shape[1]
        if _numbers(hierarchies[name]) is None:
            asked[name] = np.asarray(random.random(leaves) < 0.5)
        else:
            low, high = np.sort(random.integers(0, leaves, 2))
            asked[name] = np.asarray((np.arange(leaves) >= low) & (np.arange(leaves) <= high))
    return asked


def _wasserstein(hierarchy: Hierarchy, one: Floats, other: Floats) -> float | None:
    """Distance over the leaves that are not null; None for attributes that are no numbers."""
    numbers = _numbers(hierarchy)
    if numbers is None:
        return None
    known = len(numbers)
    if not (one[:known].sum() and other[:known].sum()):
        return None
    return float(wasserstein_distance(numbers, numbers, one[:known], other[:known]))


def _numbers(hierarchy: Hierarchy) -> list[int] | None:
    """The leaves in their order, ``90+`` as 90; None unless all are numbers."""
    bounds = [hierarchy.bounds(leaf) for leaf in hierarchy.leaves]
    known = [pair[0] for pair in bounds if pair is not None]
    return known if len(known) == len(bounds) and known == sorted(known) else None
