"""Every metric by subgroup, and the gap between the best and the worst served, with intervals.

A gap is the largest less the smallest figure of an attribute's groups. In a resample the groups differ by chance as
well, so a gap's interval lies above the gap of groups that are served alike; what matters is the difference of two
gaps on the same people, where this cancels.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from anon_spark.learn.bootstrap import MEASURES, Array, Scores, estimate, resampled

Resampled = dict[str, dict[str, dict[str, Array]]]
"""Attribute, group, metric to its resamples."""
Groups = Sequence[Mapping[str, Array]]
"""For every fold: attribute to the group of each person, in the order of the fold's scores."""


def by_group(folds: Sequence[Scores], groups: Groups, *, draws: int, seed: int, small_cell: int) -> Resampled:
    """Resampled metrics by attribute and group; the same people and seed give the same resamples.

    Groups with fewer than ``small_cell`` people of either outcome are left out: a figure of so few would say more
    of them than of the model.
    """
    found: Resampled = {}
    for attribute in groups[0] if groups else ():
        names = np.unique(np.concatenate([fold[attribute] for fold in groups]))
        of_attribute = {}
        for name in names:
            part = [
                _only(fold, of_fold[attribute] == name) for fold, of_fold in zip(folds, groups, strict=True)
            ]
            ill = sum(int(fold.labels.sum()) for fold in part)
            if min(ill, sum(fold.labels.size for fold in part) - ill) >= small_cell:
                of_attribute[str(name)] = resampled(part, draws=draws, seed=seed)
        found[attribute] = of_attribute
    return found


def fairness(values: Resampled, base: Resampled | None = None) -> dict[str, Any]:
    """``{attribute: {"groups": {name: metrics}, "gaps": {metric: figure}, "gaps_to_raw": ...}}``.

    Args:
        base: the raw model's, on the same people and resamples.
    """
    document: dict[str, Any] = {}
    for attribute, groups in values.items():
        gaps = {metric: _gap(groups, metric) for metric in MEASURES} if len(groups) > 1 else {}
        document[attribute] = {
            "groups": {
                name: {metric: estimate(metrics[metric]).as_dict() for metric in MEASURES}
                for name, metrics in groups.items()
            },
            "gaps": {metric: estimate(gap).as_dict() for metric, gap in gaps.items()},
        }
        if base is not None:
            document[attribute]["gaps_to_raw"] = {
                metric: estimate(gap - _gap(base[attribute], metric)).as_dict()
                for metric, gap in gaps.items()
            }
    return document


def _only(fold: Scores, kept: Array) -> Scores:
    return Scores(fold.labels[kept], fold.scores[kept], fold.threshold)


def _gap(groups: Mapping[str, Mapping[str, Array]], metric: str) -> Array:
    figures = np.stack([group[metric] for group in groups.values()])
    gap: Array = figures.max(axis=0) - figures.min(axis=0)
    return gap
