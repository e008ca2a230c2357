"""The plot of risk and utility: the front of every setting, that of all, and the releases that are chosen."""

from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from anon_spark.errors import PolicyError
from anon_spark.report.plots import ACCENT, INK, MUTED, QUIET, as_svg, new_figure

_LABEL = "Risk and utility of the releases that no other one betters in both"
_COLOURS = {"--ink": "#1d2125", "--muted": "#5d666f", "--quiet": "#b3b9bf", "--accent": "#2f6690"}
_DARK = {"--ink": "#e4e7ea", "--muted": "#9aa4ad", "--quiet": "#5c666f", "--accent": "#7fb2d9"}
_MARKS = "sD^vPX"


def write_frontier(document: Mapping[str, Any], place: Path) -> None:
    """Write the plot as ``.svg``, or as an ``.html`` page with the front as a table below.

    Raises:
        PolicyError: another ending.
    """
    check_ending(place)
    text = svg_file(document) if place.suffix == ".svg" else page(document)
    place.write_text(text, encoding="utf-8")


def check_ending(place: Path) -> None:
    """Refuse what is neither ``.svg`` nor ``.html``, or is a folder.

    Raises:
        PolicyError: naming both.
    """
    if place.is_dir():
        raise PolicyError(f"'{place}' is a folder; give a file that ends in .svg or .html")
    if place.suffix not in {".svg", ".html"}:
        raise PolicyError(f"'{place}' must end in .svg or .html")


def frontier_plot(document: Mapping[str, Any]) -> str:
    """The figure as an ``<svg>`` element that takes the page's colours."""
    figure, axes = new_figure(3.6)
    for line in document["settings"]:
        ordered = [(p["risk"], p["utility"]) for p in line["front"]]
        axes.plot(*_columns(ordered), color=QUIET, linewidth=0.8, drawstyle="steps-post", zorder=1)
        if ordered:
            axes.annotate(
                line["name"],
                ordered[-1],
                xytext=(-5, 5),
                textcoords="offset points",
                color=MUTED,
                fontsize=8,
                ha="right",
            )
    front = [(p["risk"], p["utility"]) for p in document["front"]]
    axes.plot(*_columns(front), "o", color=ACCENT, markersize=4, zorder=2, label="Pareto front")
    marks = [choice for choice in document["choices"] if choice["point"] is not None]
    for i, choice in enumerate(marks):
        point = choice["point"]
        axes.plot(
            [point["risk"]],
            [point["utility"]],
            _MARKS[i % len(_MARKS)],
            markersize=9,
            markeredgecolor=INK,
            markerfacecolor="none",
            markeredgewidth=1.4,
            zorder=3,
            label=choice["name"],
        )
    for tau in sorted({choice["tau"] for choice in document["choices"]} - {None}):
        axes.axhline(tau, color=MUTED, linewidth=0.8, linestyle=":")
    axes.set_xlabel(f"risk ({document['risk']['name']})")
    axes.set_ylabel(f"utility (1 - {document['utility']})")
    axes.margins(0.08)
    axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=3, borderaxespad=0, fontsize=8)
    return as_svg(figure, _LABEL)


def svg_file(document: Mapping[str, Any]) -> str:
    """The figure as a file of its own, with colours for light paper."""
    drawing = frontier_plot(document)
    for name, colour in _COLOURS.items():
        drawing = drawing.replace(f"var({name})", colour)
    named = 'xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" font-family="sans-serif"'
    return drawing.replace("<svg", f"<svg {named}", 1)


def page(document: Mapping[str, Any]) -> str:
    """A page that needs nothing else: the figure, and the front as a table."""
    title = f"Risk and utility: {document['policy']['name']}"
    head = ["", "risk", "utility", "setting", "suppressed", "classes", *document["quasi_identifiers"]]
    rows = [
        [
            ", ".join(point["chosen_by"]),
            f"{point['risk']:.6g}",
            f"{point['utility']:.6g}",
            point["setting"],
            str(point["suppressed"]),
            str(point["classes"]),
            *levels_of(point, document["quasi_identifiers"]),
        ]
        for point in document["front"]
    ]
    return "\n".join(
        [
            "<!DOCTYPE html>",
            f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
            f"<style>{_style()}</style></head><body>",
            f"<h1>{escape(title)}</h1>",
            f"<p>{document['people']} people, up to {document['limit']} suppressed.</p>",
            f"<figure>{frontier_plot(document)}</figure>",
            "<div><table><thead>",
            _row("th", head),
            "</thead><tbody>",
            *(_row("td", row) for row in rows),
            "</tbody></table></div></body></html>",
        ]
    )


def levels_of(point: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """The level of every quasi-identifier as text; ``local`` where classes have levels of their own."""
    levels = point["levels"]
    return ["local"] * len(names) if levels is None else [str(levels[name]) for name in names]


def _columns(pairs: Sequence[tuple[float, float]]) -> tuple[list[float], list[float]]:
    return [x for x, _ in pairs], [y for _, y in pairs]


def _row(tag: str, cells: Sequence[str]) -> str:
    return "<tr>" + "".join(f"<{tag}>{escape(cell)}</{tag}>" for cell in cells) + "</tr>"


def _style() -> str:
    light, dark = (";".join(f"{k}:{v}" for k, v in colours.items()) for colours in (_COLOURS, _DARK))
    return (
        f":root{{color-scheme:light dark;{light};--paper:#fdfdfb}}"
        f"@media(prefers-color-scheme:dark){{:root{{{dark};--paper:#15181b}}}}"
        "body{margin:0 auto;max-width:75rem;padding:1.5rem 1rem;background:var(--paper);color:var(--ink);"
        "font:1rem/1.5 system-ui,sans-serif}"
        "figure{margin:1rem 0;max-width:44rem}figure svg{display:block;width:100%;height:auto}"
        "div{overflow-x:auto}table{border-collapse:collapse;font-size:.9rem}"
        "td,th{padding:.3rem .7rem .3rem 0;text-align:left;border-bottom:1px solid var(--quiet)}"
    )
