"""The losses by name."""

from collections.abc import Callable, Mapping

from anon_spark.errors import PolicyError, nearest
from anon_spark.utility.attribute_loss import loss_am, loss_gm, nuentropy, precision
from anon_spark.utility.class_loss import AverageClassSize, Discernibility
from anon_spark.utility.loss import Input, Loss, Outcome

LOSSES: dict[str, Callable[[Input, Mapping[str, float] | None], Loss]] = {
    "loss_am": loss_am,
    "loss_gm": loss_gm,
    "nuentropy": nuentropy,
    "discernibility": Discernibility,
    "average_class_size": AverageClassSize,
    "precision": precision,
}


def make_loss(name: str, whole: Input, weights: Mapping[str, float] | None = None) -> Loss:
    """The loss of that name over one input.

    Raises:
        PolicyError: there is no such loss, or the weights are of no use.
    """
    if name not in LOSSES:
        raise PolicyError(f"there is no loss '{name}'{nearest(name, LOSSES)}; losses are {', '.join(LOSSES)}")
    return LOSSES[name](whole, weights)


def all_losses(
    whole: Input, outcome: Outcome, weights: Mapping[str, float] | None = None
) -> dict[str, float]:
    """Every loss of one node, by name."""
    return {name: make_loss(name, whole, weights).value(outcome) for name in LOSSES}
