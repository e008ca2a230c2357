"""How many people must fail in every refinement of a class that fails.

Where every person lies in one class, a class E of a node is cut into classes at every finer node. Let phi be the
share of E's people in those of the parts that fail. Each criterion here bounds a mean over people:

    t-closeness         the distance to a fixed distribution is convex, so the parts' mean distance is at least
                        E's distance d; passing parts have at most t, failing ones at most 1:
                        phi >= (d - t) / (1 - t).
      equal distances   better: let A be any set of values. A part's distance is at least what its share of A
                        exceeds the input's, p(A), by, and no share exceeds it by more than 1 - p(A). The mean of
                        the parts' shares is E's, q(A), so q(A) - p(A) <= (1 - phi) t + phi (1 - p(A)):
                        phi >= (q(A) - p(A) - t) / (1 - p(A) - t). A: the values E has too much of, and once
                        phi is known to be at least f, those with q > (1 - f) p, for which the bound is larger.
    entropy l           entropy is concave, so the parts' mean entropy is at most E's, H; passing parts have at
                        least log l, failing ones at least 0:  phi >= 1 - H / log l.
    alpha, beta, delta  E's share q of a value is the mean of the parts' shares; passing parts have at most the
                        highest share allowed, a, failing ones at most 1:  phi >= (q - a) / (1 - a). Where there
                        is a lowest share allowed, b:  phi >= 1 - q / b.

A share is of whole people, and some part fails (``suppression``), so at least max(1, phi |E|) people fail,
rounded up. Classes of a node share nobody: their numbers add up.
"""

import numpy as np
import numpy.typing as npt

from anon_spark.privacy.alpha_k import AlphaK
from anon_spark.privacy.beta_likeness import BetaLikeness
from anon_spark.privacy.classes import Classes, Criterion
from anon_spark.privacy.delta_disclosure import DeltaDisclosurePrivacy
from anon_spark.privacy.l_diversity import EntropyLDiversity
from anon_spark.privacy.shares import class_shares, input_shares
from anon_spark.privacy.t_closeness import EqualDistance, TCloseness

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]

_SAFE = 1e-9  # of a person: sums of shares may be off
_STEPS = 3


def people_failing(criterion: Criterion, classes: Classes, failing: npt.NDArray[np.bool_]) -> Ints:
    """(classes,) people of each failing class who fail at every finer node, 0 for the others."""
    share = least_failing_share(criterion, classes)
    people = np.ceil(share * classes.sizes * (1 - _SAFE) - _SAFE)
    return np.where(failing, np.maximum(people, 1), 0).astype(np.int64)


def least_failing_share(criterion: Criterion, classes: Classes) -> Floats:
    """(classes,) lower bound of the share of a class's people who fail in every refinement of it."""
    if isinstance(criterion, TCloseness) and isinstance(criterion.distance, EqualDistance):
        return _equal_distance(classes, criterion)
    if isinstance(criterion, TCloseness) and criterion.t < 1:
        distance = criterion.distance.between(classes, criterion.attribute)
        return np.asarray((distance - criterion.t) / (1 - criterion.t))
    if isinstance(criterion, EntropyLDiversity) and criterion.l > 1:
        return np.asarray(1 - _entropy(classes, criterion.attribute) / np.log(criterion.l))
    if isinstance(criterion, AlphaK):
        return _outside(classes, criterion.attribute, high=criterion.alpha)
    if isinstance(criterion, BetaLikeness):
        counts = classes.sensitive[criterion.attribute]
        whole = input_shares(classes, counts)
        gain = np.full(len(whole), criterion.beta)
        if criterion.enhanced:
            gain = np.minimum(gain, -np.log(np.where(whole > 0, whole, 1.0)))
        return _outside(classes, criterion.attribute, high=whole * (1 + gain))
    if isinstance(criterion, DeltaDisclosurePrivacy) and criterion.absent_fails:
        whole = input_shares(classes, classes.sensitive[criterion.attribute])
        factor = np.exp2(min(criterion.delta, 1000.0))
        return _outside(classes, criterion.attribute, high=whole * factor, low=whole / factor)
    return np.zeros(len(classes.sizes))


def _equal_distance(classes: Classes, criterion: TCloseness) -> Floats:
    counts = classes.sensitive[criterion.attribute]
    number = len(classes.sizes)
    p = input_shares(classes, counts)[counts.value]
    q = class_shares(classes.sizes, counts)
    share = np.zeros(number)
    for _ in range(_STEPS):
        chosen = q > p * (1 - share[counts.owner])
        owner, held = counts.owner.compress(chosen), p.compress(chosen)
        of_input = np.bincount(owner, weights=held, minlength=number)
        too_much = np.bincount(owner, weights=q.compress(chosen) - held, minlength=number) - criterion.t
        room = 1 - of_input - criterion.t
        share = np.maximum(share, np.where(room > _SAFE, too_much / np.maximum(room, _SAFE), 0.0))
    return share


def _outside(
    classes: Classes, attribute: str, *, high: Floats | float, low: Floats | float | None = None
) -> Floats:
    """The largest bound that any value of a class gives."""
    counts = classes.sensitive[attribute]
    q = class_shares(classes.sizes, counts)
    most = np.broadcast_to(np.asarray(high, dtype=np.float64), len(counts.totals))[counts.value]
    bound = np.where(most < 1, (q - most) / np.where(most < 1, 1 - most, 1.0), 0.0)
    if low is not None:
        least = np.broadcast_to(np.asarray(low, dtype=np.float64), len(counts.totals))[counts.value]
        bound = np.maximum(bound, np.where(least > 0, 1 - q / np.where(least > 0, least, 1.0), 0.0))
    result = np.zeros(len(classes.sizes))
    np.maximum.at(result, counts.owner, bound)
    return result


def _entropy(classes: Classes, attribute: str) -> Floats:
    counts = classes.sensitive[attribute]
    q = class_shares(classes.sizes, counts)
    terms = -q * np.log(np.where(q > 0, q, 1.0))
    return np.bincount(counts.owner, weights=terms, minlength=len(classes.sizes)).astype(np.float64)
