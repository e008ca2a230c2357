"""How far the sensitive values of classes are from the whole input's: figures that are reported, not gated.

Kullback-Leibler and Jensen-Shannon divergence are in bits. P(s) is that of the whole input, suppressed people
included, so a value that a class holds never has P(s) = 0 and the divergences are finite. None is defined
where people have sets of values.
Source: S. Kullback, R. Leibler, On information and sufficiency, 1951; J. Lin, Divergence measures based on
the Shannon entropy, IEEE Trans. Inf. Theory 37(1), 1991.
"""

from dataclasses import dataclass

import numpy as np

from anon_spark.privacy.classes import Classes, Floats
from anon_spark.privacy.shares import class_shares, input_shares, one_value_each, sum_by_class
from anon_spark.privacy.t_closeness import EqualDistance


@dataclass(frozen=True)
class Spread:
    """A figure over the classes with people in them: its mean over people, and the greatest; 0 without classes."""

    mean: float
    greatest: float


def total_variation(classes: Classes, attribute: str) -> Floats:
    """(classes,) half the sum of \\|P(s | class) - P(s)\\|, in [0, 1]; 0 for an empty class."""
    return EqualDistance().between(classes, attribute)


def kullback_leibler(classes: Classes, attribute: str) -> Floats:
    """(classes,) bits, sum of q log2(q / p) with q = P(s | class), p = P(s); 0 for an empty class."""
    counts = one_value_each(classes, attribute, "Kullback-Leibler divergence")
    own, whole = class_shares(classes.sizes, counts), input_shares(classes, counts)[counts.value]
    return np.maximum(sum_by_class(counts, _bits(own, whole), len(classes.sizes)), 0.0)


def jensen_shannon(classes: Classes, attribute: str) -> Floats:
    """(classes,) bits in [0, 1]: mean divergence of P(s | class) and P(s) from their average; 0 for an empty class.

    A value that the class does not hold adds P(s) / 2: what is left of 1 over the values it holds.
    """
    counts = one_value_each(classes, attribute, "Jensen-Shannon divergence")
    own, whole = class_shares(classes.sizes, counts), input_shares(classes, counts)[counts.value]
    middle = (own + whole) / 2
    terms = (_bits(own, middle) + _bits(whole, middle) - whole) / 2
    sums = sum_by_class(counts, terms, len(classes.sizes)) + 0.5
    return np.where(classes.sizes > 0, np.clip(sums, 0.0, 1.0), 0.0)


def measure_divergence(classes: Classes, attribute: str) -> dict[str, Spread]:
    """Total variation, Kullback-Leibler and Jensen-Shannon divergence of the classes, by name.

    Raises:
        PolicyError: people have sets of values.
    """
    figures = {f.__name__: f(classes, attribute) for f in (total_variation, kullback_leibler, jensen_shannon)}
    people = max(int(classes.sizes.sum()), 1)
    return {
        name: Spread(float((figure * classes.sizes).sum() / people), float(figure.max(initial=0.0)))
        for name, figure in figures.items()
    }


def _bits(share: Floats, other: Floats) -> Floats:
    """share * log2(share / other), 0 where the share is 0."""
    ratio = np.divide(share, other, out=np.ones_like(share), where=share > 0)
    return share * np.log2(ratio)
