"""What the search minimizes and must meet, as a policy states it (Eq. 8-10)."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from anon_spark.anonymize.people import SENSITIVE
from anon_spark.policy.model import Policy
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity


@dataclass(frozen=True)
class Objective:
    """Settings of a search.

    Attributes:
        criteria: all must hold in every class.
        suppression_limit: share of people who may be suppressed.
        loss: name of the loss.
        weights: of quasi-identifiers in the loss.
    """

    criteria: Sequence[Criterion]
    suppression_limit: float
    loss: str = "loss_am"
    weights: dict[str, float] = field(default_factory=dict)


def objective_of(policy: Policy) -> Objective:
    """The policy's k and l; an l of 1 asks for nothing."""
    criteria: list[Criterion] = [KAnonymity(policy.privacy.k)]
    if policy.privacy.l > 1:
        criteria.append(DistinctLDiversity(policy.privacy.l, SENSITIVE))
    return Objective(criteria, policy.suppression_limit)
