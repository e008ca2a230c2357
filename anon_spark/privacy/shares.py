"""Shares of people: what the criteria compare, P(s | class) with P(s) of the whole input.

Comparisons of floats allow for ``TOLERANCE``: sums of some thousands of shares are off by less, and a class
that stands exactly on its threshold is on the side the definition puts it.
"""

import numpy as np

from anon_spark.errors import PolicyError
from anon_spark.privacy.classes import Bools, Classes, Floats, Ints, SensitiveCounts

TOLERANCE = 1e-12


def class_shares(sizes: Ints, counts: SensitiveCounts) -> Floats:
    """(pairs,) P(s | class): people of the class who have the value, of all its people; 0 in an empty class."""
    return counts.people / np.maximum(sizes, 1)[counts.owner]


def input_shares(classes: Classes, counts: SensitiveCounts) -> Floats:
    """(values,) P(s): people of the whole input who have the value, suppressed ones included."""
    return counts.totals / max(classes.people, 1)


def one_value_each(classes: Classes, attribute: str, criterion: str) -> SensitiveCounts:
    """Counts of an attribute of which every person has exactly one value, null included.

    Raises:
        PolicyError: people have sets of values, and P(s | class) is no distribution that ``criterion`` needs.
    """
    counts = classes.sensitive[attribute]
    if (values := int(counts.totals.sum())) != classes.people:
        raise PolicyError(
            f"{criterion} of {attribute} is not defined: {classes.people} people have {values} values of it, "
            "and it needs one each"
        )
    return counts


def sum_by_class(counts: SensitiveCounts, terms: Floats | Ints, classes: int) -> Floats:
    """(classes,) sum of every class's pairs."""
    return np.bincount(counts.owner, weights=terms, minlength=classes).astype(np.float64, copy=False)


def any_pair(counts: SensitiveCounts, pairs: Bools, classes: int) -> Bools:
    """(classes,) True where one of the class's pairs is True."""
    found = np.zeros(classes, dtype=np.bool_)
    found[counts.owner[pairs]] = True
    return found
