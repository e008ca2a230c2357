"""The evidence of a release as one HTML page: no outside resource, for a screen, a telephone and paper.

The page is made from the ledger's known keys only. They hold names, counts and hashes; a key that is named
neither here nor in the template cannot reach the page.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from anon_spark.anonymize.parts import Levels, level_range, levels_by_part
from anon_spark.report.comparison import comparison_sections, interval
from anon_spark.report.person import Example, before_after_table
from anon_spark.report.plots import class_size_plot, loss_plot, metrics_plot, seconds_plot

METRICS = {
    "auroc": "Chance that a random positive scores above a random negative.",
    "auprc": "Precision, averaged over all recalls.",
    "accuracy": "Share of people classified rightly.",
    "precision": "Share of the alarms that were right.",
    "recall": "Share of the positives that were found.",
    "f1": "Harmonic mean of precision and recall.",
}


def render_report(
    ledger: Mapping[str, Any],
    metrics: Mapping[str, Any] | None,
    *,
    example: Example | None,
    comparisons: Sequence[Mapping[str, Any]] = (),
) -> str:
    """The report of one release as an HTML document.

    Args:
        ledger: the run's ledger document.
        metrics: what training wrote for the release, if it ran.
        example: the fictitious person under the release's policy; None leaves the section out.
        comparisons: what comparing with the source wrote for the release, a document a cohort.
    """
    levels = ledger["levels"]
    sizes = [(size, classes) for size, classes in ledger["privacy"]["class_sizes"]]
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            ledger=ledger,
            attacker=attacker_words(ledger["policy"]["attacker"]),
            failed=[check["name"] for check in ledger["checks"] if not check["passed"]],
            checks=_checks(ledger["checks"]),
            suppressed_share=_ratio(ledger["people"]["suppressed"], ledger["people"]["in"]),
            levels=stated_levels(levels, ledger["heights"]),
            parts=None if isinstance(levels, Mapping) else levels,
            example=before_after_table(example, levels_by_part(levels)[0]) if example else [],
            tables=_accounts(ledger["tables"], ledger["checks"]),
            metrics=_measures(metrics),
            model=metrics,
            loss_plot=Markup(loss_plot(ledger["level_losses"])),  # noqa: S704  (drawn here; names in it are escaped)
            class_plot=Markup(class_size_plot(sizes, k=ledger["policy"]["k"])) if sizes else None,  # noqa: S704
            seconds_plot=Markup(seconds_plot(ledger["seconds"])) if ledger["seconds"] else None,  # noqa: S704
            metrics_plot=_metrics_figure(metrics),
            comparisons=comparison_sections(comparisons, ledger["release"]),
        )
    )


def stated_levels(levels: Levels, heights: Mapping[str, int]) -> dict[str, str]:
    """The level of every quasi-identifier in words, from the lowest to the highest where parts differ.

    >>> stated_levels([{"levels": {"AGE": 2}}, {"levels": {"AGE": 1}}], {"AGE": 2})
    {'AGE': '1 to 2'}
    >>> stated_levels({"AGE": 2}, {"AGE": 2})
    {'AGE': '2 (hidden)'}
    """
    ranges = {name: level_range(levels, name) for name in levels_by_part(levels)[0]}
    return {name: f"{x} (hidden)" if x == str(heights[name]) else x for name, x in ranges.items()}


def attacker_words(attacker: object) -> str:
    """What the policy's attacker knows, in words.

    >>> attacker_words({"admissions": 1})
    'knows that a person is in the data, their details and those of any one of their admissions'
    """
    known = attacker.get("admissions") if isinstance(attacker, Mapping) else attacker
    which = {
        1: "any one of their admissions",
        "1": "any one of their admissions",
        "all": "all their admissions",
    }
    if known in which:
        details = which[known]
    elif isinstance(known, int):
        details = f"any {known} of their admissions"
    else:
        return str(known)
    return f"knows that a person is in the data, their details and those of {details}"


def _checks(checks: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Every check; those that passed in several tables (``TABLE: label``) are one line."""
    by_label: dict[str, list[Mapping[str, Any]]] = {}
    for check in checks:
        label = check["name"].partition(": ")[2] if check["passed"] else ""
        by_label.setdefault(label or check["name"], []).append(check)
    lines = []
    for label, group in by_label.items():
        name = group[0]["name"] if len(group) == 1 else label
        details = {check["detail"] for check in group}
        where = f"in each of {len(group)} tables" if len(group) > 1 else ""
        detail = ", ".join(part for part in (*(details if len(details) == 1 else ()), where) if part)
        lines.append({"name": name, "passed": group[0]["passed"], "detail": detail})
    return lines


def _ratio(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _scrubbed(
    name: str, table: Mapping[str, Any], checks: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Free text of one table by column: texts, places replaced, texts withheld, and what the gate found left."""
    found = {check["name"]: check["detail"] for check in checks}
    return [
        {
            "column": column,
            **seen,
            "withheld": table["cells_suppressed"].get(column, 0),
            "left": found.get(f"{name}: known identifiers in {column}"),
        }
        for column, seen in sorted(table.get("scrubbed", {}).items())
    ]


def _accounts(
    tables: Mapping[str, Mapping[str, Any]], checks: Sequence[Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """One line a table: where its rows went, and whether they add up."""
    lines = []
    for name, table in sorted(tables.items()):
        gone = table["quarantined"] + table["suppressed"] + table["capped"]
        lines.append(
            {
                "name": name,
                **{field: table[field] for field in ("in", "out", "quarantined", "suppressed", "capped")},
                "balanced": table["in"] == table["out"] + gone,
                "reasons": sorted(table["reasons"].items()),
                "dropped_columns": sorted(table["dropped_columns"]),
                "cells": sorted(table["cells_suppressed"].items()),
                "cells_total": sum(table["cells_suppressed"].values()),
                "scrubbed": _scrubbed(name, table, checks),
            }
        )
    return lines


def _measures(metrics: Mapping[str, Any] | None) -> list[tuple[str, str, float | None, float | None]]:
    """(name, meaning, raw, release) of every measure."""
    if metrics is None:
        return []
    raw = metrics["raw"] or {}
    return [(name, text, raw.get(name), metrics["release"].get(name)) for name, text in METRICS.items()]


def _metrics_figure(metrics: Mapping[str, Any] | None) -> Markup | None:
    if metrics is None:
        return None

    def known(side: Mapping[str, float | None]) -> dict[str, float | None]:
        return {name: side.get(name) for name in METRICS}

    raw = known(metrics["raw"]) if metrics["raw"] else None
    return Markup(metrics_plot(raw, known(metrics["release"])))  # noqa: S704


def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("anon_spark.report", "."),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(count=_count, share=_share, decimal=_decimal, words=_words, interval=interval)
    return environment


def _count(number: int) -> str:
    return f"{number:,}"


def _share(number: float) -> str:
    """A share as per cent, exact enough to tell a small one from none."""
    return f"{number:.1%}" if number == 0 or number >= 0.001 else "<0.1%"


def _decimal(number: float | None) -> str:
    return "not defined" if number is None else f"{number:.3f}"


def _words(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
