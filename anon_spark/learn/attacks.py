"""Attacks on a trained model, to be read beside its metrics.

Membership inference by loss: who is told of a person's record and outcome asks the model how likely it finds that
outcome, and says 'was trained on' where it is surer. What the attack gains is its AUROC over the 0.5 of a guess.

Source: Yeom et al. 2018, Privacy risk in machine learning, CSF, for the attack by loss.
"""

import numpy as np

from anon_spark.learn.bootstrap import Array, Scores

GUESS = 0.5


def membership_by_loss(members: tuple[Array, Array], strangers: tuple[Array, Array]) -> Scores:
    """The attack as a test of its own: 1 for a member, scored by how likely the model finds the person's outcome.

    Args:
        members: labels and scores of people that the model was trained on.
        strangers: of people that it has not seen.
    """
    labels = np.concatenate([np.ones(members[0].size, dtype=int), np.zeros(strangers[0].size, dtype=int)])
    surety = np.concatenate([_of_outcome(*members), _of_outcome(*strangers)])
    return Scores(labels, surety, GUESS)


def _of_outcome(labels: Array, scores: Array) -> Array:
    return np.where(labels == 1, scores, 1 - scores)
