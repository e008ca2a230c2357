"""What a release keeps beside models: distributions, associations, counts, measurements and survival.

Every figure is of the release's own people against all of the source's: who was suppressed is missing here, which
is part of the price.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.parts import Levels
from anon_spark.ingest.lake import TableReader
from anon_spark.learn.sides import Side
from anon_spark.mimic3.cohort import hospital_days
from anon_spark.policy.model import Policy
from anon_spark.utility.counts import count_tuples
from anon_spark.utility.fidelity import fidelity
from anon_spark.utility.measurements import measurement_differences
from anon_spark.utility.survival import survival_difference, survival_of


def release_utility(
    source: TableReader,
    release: TableReader,
    policy: Policy,
    hierarchies: Mapping[str, Hierarchy],
    levels: Levels,
    *,
    raw: Side,
    released: Side,
) -> dict[str, Any]:
    """``{"release", "quasi_identifiers", "measurements", "survival"}``; survival is None where it cannot be told.

    Args:
        hierarchies: by the name of their file.
        raw, released: the people of a cohort with their features.
    """
    of_attribute = {name: hierarchies[q.hierarchy] for name, q in policy.quasi_identifiers.items()}
    one = count_tuples(source, policy, of_attribute)
    other = count_tuples(release, policy, of_attribute, levels)
    return {
        "release": released.name,
        "quasi_identifiers": fidelity(one, other, of_attribute),
        "measurements": measurement_differences(raw.people, released.people, _means(raw.numeric)),
        "survival": _survival(source, release, policy.small_cell),
    }


def _means(numeric: Sequence[str]) -> list[str]:
    return [name for name in numeric if name.endswith("_mean")]


def _survival(source: TableReader, release: TableReader, small_cell: int) -> dict[str, Any] | None:
    one, other = hospital_days(source), hospital_days(release)
    if one is None or other is None:
        return None
    return survival_difference(
        survival_of(one, small_cell=small_cell), survival_of(other, small_cell=small_cell)
    )
