"""What the search minimizes and must meet, as a policy states it (Eq. 8-10)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.policy.model import Policy
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.criteria import SensitiveDomain, build_criteria


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


def objective_of(
    policy: Policy, values: Mapping[str, Sequence[str | None]], hierarchies: Mapping[str, Hierarchy]
) -> Objective:
    """The policy's criteria, limit and loss.

    Args:
        values: of every sensitive attribute, in the order of their codes.
        hierarchies: by their own names; of ground distances at least.
    """
    domains = {
        name: SensitiveDomain(known, sets=policy.sensitive[name].set) for name, known in values.items()
    }
    return Objective(
        build_criteria(policy.privacy, domains, hierarchies),
        policy.suppression_limit,
        policy.loss,
        {name: item.weight for name, item in policy.quasi_identifiers.items()},
    )
