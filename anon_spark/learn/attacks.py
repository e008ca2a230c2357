"""Attacks on a trained model, to be read beside its metrics.

Membership inference: who is told of a person's record and outcome says whether the model was trained on it. By loss
(Yeom): the likelier the model finds the outcome, the surer. By shadow models (Shokri): models of the same kind, of
people from the same source, say how hard the person is for a model that has not seen them; what the attacked model
finds likelier than they do was trained on (Watson). The shadow models are those of the other folds: the reference
of each person is the model that they were the validation of, for members and strangers alike.

What an attack gains is its AUROC over the 0.5 of a guess, and the members it finds at 1 % false alarms over 1 %.

Source: Yeom et al. 2018, Privacy risk in machine learning, CSF; Shokri et al. 2017, Membership inference attacks, S&P;
Watson et al. 2022, On the importance of difficulty calibration, ICLR; Carlini et al. 2022, S&P, for the low rate.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anon_spark.learn.bootstrap import Array, Scores, caught_at, estimate, resampled

GUESS = 0.5
FALSE_ALARMS = 0.01
_LEAST = 1e-6

ByPart = Mapping[int, tuple[Array, Array]]
"""Labels and scores of each part's people by one model, in an order that all models share."""


def membership_by_loss(members: tuple[Array, Array], strangers: tuple[Array, Array]) -> Scores:
    """The attack as a test of its own: 1 for a member, scored by how likely the model finds the person's outcome.

    Args:
        members: labels and scores of people that the model was trained on.
        strangers: of people that it has not seen.
    """
    return _as_test(_of_outcome(*members), _of_outcome(*strangers))


def membership_by_shadows(models: Sequence[ByPart]) -> list[Scores]:
    """The attack on the model of every fold, by the models of the others.

    Args:
        models: by fold t, the scores of the model that part t is the test of, part t + 1 the validation of, and the
            others the training.
    """
    return [_by_shadows(models, test) for test in range(len(models))]


def attack_gains(attack: Sequence[Scores], *, draws: int, seed: int) -> dict[str, Any]:
    """AUROC of an attack and members found at 1 % false alarms, with intervals, beside a guess's."""
    auroc = resampled(attack, draws=draws, seed=seed)["auroc"]
    caught = caught_at(attack, FALSE_ALARMS, draws=draws, seed=seed)
    return {
        "auroc": {**estimate(auroc).as_dict(), "guess": GUESS},
        "found_at_1_percent": {**estimate(caught).as_dict(), "guess": FALSE_ALARMS},
    }


def _by_shadows(models: Sequence[ByPart], test: int) -> Scores:
    parts = len(models)
    surer = {
        part: _logit(_of_outcome(*models[test][part])) - _logit(_of_outcome(*models[part - 1][part]))
        for part in range(parts)
        if part != (test + 1) % parts
    }
    strangers = surer.pop(test)
    return _as_test(np.concatenate(list(surer.values())), strangers)


def _as_test(members: Array, strangers: Array) -> Scores:
    labels = np.repeat([1, 0], [members.size, strangers.size])
    return Scores(labels, np.concatenate([members, strangers]), GUESS)


def _of_outcome(labels: Array, scores: Array) -> Array:
    return np.where(labels == 1, scores, 1 - scores)


def _logit(share: Array) -> Array:
    kept = np.clip(share, _LEAST, 1 - _LEAST)
    logit: Array = np.log(kept / (1 - kept))
    return logit
