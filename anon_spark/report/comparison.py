"""The report's section on what privacy costs: models, attacks and survival, raw beside released, from known keys only.

Groups of people and values of columns that the comparison's document names do not reach the page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup
from matplotlib.axes import Axes
from matplotlib.ticker import MaxNLocator

from anon_spark.report.plots import ACCENT, QUIET, as_svg, new_figure, new_panels

Figure = Mapping[str, float | None]
AT_A_THRESHOLD = ("accuracy", "precision", "recall", "f1")
ATTRIBUTES = ("sex", "age", "ethnicity", "insurance", "language")  # no other reaches the page
INFERRED = {
    "GENDER": "sex",
    "ETHNICITY": "ethnicity",
    "ADMISSION_TYPE": "admission type",
    "INSURANCE": "insurance",
    "MARITAL_STATUS": "marital status",
}
ATTACKS = {"loss": "by loss", "shadow": "by shadow models"}
_STYLES: tuple[Any, ...] = ("solid", "dashed", "dotted", "dashdot", (0, (6, 1, 1, 1, 1, 1)))  # one a model


def comparison_sections(documents: Sequence[Mapping[str, Any]], release: str) -> list[dict[str, Any]]:
    """One entry a cohort that was compared: its facts, a line a model, and its figures.

    Args:
        documents: what ``anon-spark compare`` wrote.
        release: the release that the page is of; lines of others are left out.
    """
    return [_section(document, release) for document in documents]


def _section(document: Mapping[str, Any], release: str) -> dict[str, Any]:
    lines = _lines(document, release)
    survival = next(
        (kept["survival"] for kept in document.get("utility", []) if kept["release"] == release), None
    )
    return {
        "cohort": document["cohort"],
        "outcome": document["outcome"],
        "people": document["people"],
        "folds": document["folds"],
        "warning": document["warning"],
        "lines": lines,
        "attacks": _attacks(document, release),
        "gaps": _gaps(document, release),
        "metrics_plot": Markup(metric_bars(document["cohort"], lines)),  # noqa: S704  (drawn here; names are escaped)
        "curves_plot": _curves(document, release),
        "inference_plot": _inference(document),
        "plot": Markup(auroc_plot(document["cohort"], lines)),  # noqa: S704  (drawn here; names are escaped)
        "survival_plot": Markup(survival_plot(document["cohort"], survival)) if survival else None,  # noqa: S704
    }


def _lines(document: Mapping[str, Any], release: str) -> list[dict[str, Any]]:
    """A line a model that both sides have, tested on raw people."""
    rows = {(row["model"], row["learnt_from"], row["tested_on"]): row for row in document["models"]}
    lines = []
    for model, learnt_from, tested_on in rows:
        released = rows.get((model, release, "raw"))
        if (learnt_from, tested_on) != ("raw", "raw") or released is None:
            continue
        raw, own = rows[model, "raw", "raw"], rows[model, release, "anonymized"]
        lines.append(
            {
                "model": model,
                "raw": raw["metrics"]["auroc"],
                "release": released["metrics"]["auroc"],
                "difference": released["to_raw"]["auroc"],
                "equivalent": released["to_raw"]["auroc"]["equivalent"],
                "membership": own["membership"]["loss"]["auroc"],
                "bars": {
                    name: (raw["metrics"][name], released["metrics"][name])
                    for name in AT_A_THRESHOLD
                    if name in raw["metrics"]
                },
            }
        )
    return lines


def _attacks(document: Mapping[str, Any], release: str) -> list[dict[str, Any]]:
    """A line a model and attack: its gain on the raw model and on the release's, and what a guess has."""
    rows = {(row["model"], row["learnt_from"], row["tested_on"]): row for row in document["models"]}
    lines = []
    for model, learnt_from, tested_on in rows:
        own = rows.get((model, release, "anonymized"))
        if (learnt_from, tested_on) != ("raw", "raw") or own is None:
            continue
        sides = (rows[model, "raw", "raw"], own)
        for attack, words in ATTACKS.items():
            raw, released = (side["membership"].get(attack) for side in sides)
            if raw and released:
                told = {"raw": raw["auroc"], "release": released["auroc"], "guess": 0.5}
                lines.append({"model": model, "attack": f"membership {words}, AUROC", **told})
        for attribute, words in INFERRED.items():
            raw, released = ((side.get("attributes") or {}).get(attribute) for side in sides)
            if raw and released:
                gains = {
                    "raw": raw["members"]["gain"],
                    "release": released["members"]["gain"],
                    "guess": 0,
                }
                lines.append({"model": model, "attack": f"{words}, share guessed above chance", **gains})
    return lines


def _gaps(document: Mapping[str, Any], release: str) -> list[dict[str, Any]]:
    """A line a model and attribute: the gap of AUROC between its groups, raw and released. No group is named."""
    by = {
        (row["model"], row["learnt_from"]): row["by"]
        for row in document.get("fairness", ())
        if "model" in row
    }
    lines = []
    for (model, learnt_from), found in by.items():
        raw = by.get((model, "raw"), {})
        for attribute in ATTRIBUTES if learnt_from == release else ():
            told = found.get(attribute, {})
            gap, before = (
                told.get("gaps", {}).get("auroc"),
                raw.get(attribute, {}).get("gaps", {}).get("auroc"),
            )
            if gap and before:
                change = told["gaps_to_raw"]["auroc"]
                lines.append(
                    {"model": model, "attribute": attribute, "raw": before, "release": gap, "change": change}
                )
    return lines


def _curves(document: Mapping[str, Any], release: str) -> Markup | None:
    curves = [curve for curve in document.get("curves", []) if curve["learnt_from"] in ("raw", release)]
    if not curves:
        return None
    return Markup(curves_plot(document["cohort"], curves))  # noqa: S704  (drawn here; names are escaped)


def _inference(document: Mapping[str, Any]) -> Markup | None:
    timed = document.get("inference", [])
    return Markup(inference_plot(document["cohort"], timed)) if timed else None  # noqa: S704


def curves_plot(cohort: str, curves: Sequence[Mapping[str, Any]]) -> str:
    """Validation loss by round: a line a model, the raw data's quiet."""
    figure, axes = new_figure(2.5 + 0.1 * len(curves))
    models = list(dict.fromkeys(curve["model"] for curve in curves))
    for curve in curves:
        raw = curve["learnt_from"] == "raw"
        axes.plot(
            range(1, len(curve["validation_loss"]) + 1),
            curve["validation_loss"],
            color=QUIET if raw else ACCENT,
            linestyle=_STYLES[models.index(curve["model"]) % len(_STYLES)],
            label=f"{curve['model']}, {'raw data' if raw else 'release'}",
        )
    axes.set_xlabel("round")
    axes.set_ylabel("validation loss")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    return as_svg(figure, f"Training curves of {cohort}")


def inference_plot(cohort: str, timed: Sequence[Mapping[str, Any]]) -> str:
    """Seconds of scoring against people, a line a model."""
    figure, axes = new_figure(2.5)
    models = list(dict.fromkeys(row["model"] for row in timed))
    for number, model in enumerate(models):
        rows = [row for row in timed if row["model"] == model]
        axes.plot(
            [row["people"] for row in rows],
            [row["seconds"] for row in rows],
            color=ACCENT,
            linestyle=_STYLES[number % len(_STYLES)],
            marker="o",
            label=model,
        )
    axes.set_xlabel("people")
    axes.set_ylabel("seconds to score them")
    axes.set_ylim(bottom=0)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0)
    return as_svg(figure, f"Inference time of the models of {cohort}")


def auroc_plot(cohort: str, lines: Sequence[Mapping[str, Any]]) -> str:
    """Bars of AUROC with their intervals of 95 %, the release's under those of the raw data."""
    figure, axes = new_figure(0.9 + 0.5 * len(lines))
    _bars(axes, [(line["model"], line["raw"], line["release"]) for line in lines])
    axes.set_xlabel("AUROC on raw people whom the model has not seen")
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    return as_svg(figure, f"AUROC of the models of {cohort}")


def metric_bars(cohort: str, lines: Sequence[Mapping[str, Any]]) -> str:
    """Bars of accuracy, precision, recall and F1 with their intervals of 95 %, raw beside released."""
    figure, panels = new_panels(2, 2, 1.4 + 0.7 * len(lines))
    for place, (panel, name) in enumerate(zip(panels, AT_A_THRESHOLD, strict=True)):
        _bars(panel, [(line["model"], *line["bars"][name]) for line in lines if name in line["bars"]])
        panel.set_xlabel(name)
        if place % 2:
            panel.set_yticklabels([])
    panels[0].legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    return as_svg(figure, f"Accuracy, precision, recall and F1 of the models of {cohort}")


def _bars(axes: Axes, pairs: Sequence[tuple[str, Figure, Figure]]) -> None:
    """Two bars a model, with their intervals where they are known."""
    for side, shift, colour, label in ((1, -0.2, QUIET, "raw data"), (2, 0.2, ACCENT, "release")):
        told: list[tuple[int, Any]] = [(place, pair[side]) for place, pair in enumerate(pairs)]
        known = [(place, figure) for place, figure in told if figure["low"] is not None]
        axes.barh(
            [place + shift for place, _ in known],
            [figure["value"] for _, figure in known],
            0.36,
            color=colour,
            xerr=[
                [figure["value"] - figure["low"] for _, figure in known],
                [figure["high"] - figure["value"] for _, figure in known],
            ],
            label=label,
        )
    axes.set_yticks(range(len(pairs)), [pair[0] for pair in pairs])
    axes.set_ylim(max(1, len(pairs)) - 0.5, -0.5)  # also where no model has a bar
    axes.set_xlim(0, 1)


def survival_plot(cohort: str, survival: Mapping[str, Any]) -> str:
    """Kaplan and Meier's curves of both sides by day."""
    figure, axes = new_figure(2.5)
    for side, colour, label in (("raw", QUIET, "raw data"), ("release", ACCENT, "release")):
        alive = survival[side]["alive"]
        axes.step(range(len(alive)), alive, where="post", color=colour, label=label)
    axes.set_xlabel("days since admission")
    axes.set_ylabel("share alive in hospital")
    axes.set_ylim(0, 1)
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.legend(frameon=False, loc="lower left")
    return as_svg(figure, f"Survival in hospital, {cohort}")


def interval(figure: Figure) -> str:
    """A figure with its interval.

    >>> interval({"value": 0.8, "low": 0.75, "high": 0.85}), interval({"value": None, "low": None, "high": None})
    ('0.800 (0.750 to 0.850)', 'not defined')
    """
    if figure["value"] is None:
        return "not defined"
    if figure["low"] is None or figure["high"] is None:
        return f"{figure['value']:.3f}"
    return f"{figure['value']:.3f} ({figure['low']:.3f} to {figure['high']:.3f})"
