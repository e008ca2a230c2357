"""A local recoding of a pattern table as a release: its classes as criteria and risks see them, and its losses."""

from collections.abc import Mapping, Sequence

import numpy as np

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.local import LocalRecoding, recode_locally
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Classes, Criterion, SensitiveCounts
from anon_spark.utility.loss import weights_of

LOCAL_LOSSES = ("loss_am", "loss_gm", "precision", "discernibility", "average_class_size")


def recode_patterns(
    table: PatternTable,
    hierarchies: Mapping[str, Hierarchy],
    criteria: Sequence[Criterion],
    weights: Mapping[str, float] | None = None,
) -> LocalRecoding:
    """Recode each pattern of people with one row and one value of each sensitive attribute.

    Raises:
        PolicyError: a person has several, there is nobody, or all people together fail a criterion.
    """
    if not (table.one_class_each and table.one_value_each):
        raise PolicyError("local recoding needs one row a person, and one value of each sensitive attribute")
    return recode_locally(
        np.stack([table.leaves(i) for i in range(len(table.names))], axis=1),
        table.people,
        hierarchies=hierarchies,
        criteria=criteria,
        sensitive={name: values.codes.astype(np.int64) for name, values in table.sensitive.items()},
        weights=weights_of(table.names, weights).tolist(),
    )


def released_classes(table: PatternTable, found: LocalRecoding) -> Classes:
    """The classes of the recoding, with the people of each sensitive value."""
    sensitive = {}
    for name, values in table.sensitive.items():
        size = max(len(values.labels), 1)
        pairs, place = np.unique(found.owner * size + values.codes, return_inverse=True)
        people = np.bincount(place, weights=table.people, minlength=len(pairs)).astype(np.int64)
        totals = np.bincount(values.codes, weights=table.people, minlength=size).astype(np.int64)
        sensitive[name] = SensitiveCounts(pairs // size, pairs % size, people, totals)
    return Classes(found.people, table.total_people, sensitive)


def local_loss(
    name: str,
    found: LocalRecoding,
    hierarchies: Mapping[str, Hierarchy],
    weights: Mapping[str, float] | None = None,
) -> float:
    """A loss of the recoding by its definition in ``utility``, nobody being suppressed.

    Raises:
        PolicyError: there is no such loss where each class has labels of its own.
    """
    if name not in LOCAL_LOSSES:
        raise PolicyError(f"{name} is not defined for local recoding; losses are {', '.join(LOCAL_LOSSES)}")
    weight = weights_of(found.names, weights)
    weight /= weight.sum()
    people = found.people.astype(np.float64)
    shares = np.array(list(found.losses.values()))
    heights = np.array([max(hierarchies[q].height, 1) for q in found.names])
    losses = {
        "loss_am": weight @ shares,
        "loss_gm": np.expm1(weight @ np.log1p(shares)),
        "precision": weight @ (people @ (found.level / heights)) / people.sum(),
        "discernibility": people @ people,
        "average_class_size": people.mean(),
    }
    return float(losses[name])
