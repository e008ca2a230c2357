"""The report's figures: bars drawn by matplotlib, as inline SVG that follows the page's colours and fonts.

Nothing is drawn but numbers and names of columns, stages and measures; the same input gives the same bytes.
"""

import io
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

import matplotlib as mpl
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

# Colours that the page replaces by its own: matplotlib knows no CSS variables.
INK, MUTED, ACCENT, QUIET = "#010203", "#010204", "#010205", "#010206"
_CSS = {INK: "var(--ink)", MUTED: "var(--muted)", ACCENT: "var(--accent)", QUIET: "var(--quiet)"}
_STYLE: Any = {
    "svg.fonttype": "none",
    "text.parse_math": False,
    "font.size": 10,
    "text.color": INK,
    "axes.labelcolor": MUTED,
    "axes.edgecolor": QUIET,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.labelcolor": INK,
    "ytick.labelcolor": INK,
}
_WIDTH = 5.4  # inches: at this width the text is as large as the page's on a telephone
_EXACT_SIZES = 16  # more sizes than these are binned


def loss_plot(losses: Mapping[str, float]) -> str:
    """Bars of the information loss of every quasi-identifier, 0 to 1."""
    return _horizontal_bars(losses, "information loss (0 nothing lost, 1 all)", limit=1.0)


def seconds_plot(seconds: Mapping[str, float]) -> str:
    """Bars of the seconds each stage took, in the order they ran."""
    return _horizontal_bars(seconds, "seconds")


def class_size_plot(class_sizes: Sequence[tuple[int, int]], *, k: int) -> str:
    """Bars of the number of classes of each size, with the policy's k marked."""
    bins = size_bins(class_sizes)
    figure, axes = new_figure(2.5)
    axes.bar(range(len(bins)), [classes for _, classes in bins], color=ACCENT, width=0.8)
    axes.set_xticks(range(len(bins)), [label for label, _ in bins])
    if len(bins) > 8:
        axes.tick_params(axis="x", labelrotation=45)
    axes.set_xlabel(f"people in the class (the policy asks for at least {k})")
    axes.set_ylabel("classes")
    axes.yaxis.set_major_locator(MaxNLocator(integer=True))
    return as_svg(figure, "How many classes there are of each size")


def metrics_plot(raw: Mapping[str, float | None] | None, release: Mapping[str, float | None]) -> str:
    """Bars of every model measure, the release's beside those of the raw data where they are known."""
    names = list(release)
    figure, axes = new_figure(0.9 + 0.42 * len(names))
    sides = [("release", release, ACCENT)] + ([("raw data", raw, QUIET)] if raw else [])
    height = 0.8 / len(sides)
    for row, (label, values, colour) in enumerate(sides):
        places = [place + (row - (len(sides) - 1) / 2) * height for place in range(len(names))]
        axes.barh(places, [values.get(name) or 0.0 for name in names], height, color=colour, label=label)
    axes.set_yticks(range(len(names)), names)
    axes.invert_yaxis()
    axes.set_xlim(0, 1)
    axes.set_xlabel("0 to 1, more is better")
    if len(sides) > 1:
        axes.legend(frameon=False, loc="lower left", bbox_to_anchor=(0, 1), ncols=2, borderaxespad=0)
    return as_svg(figure, "Model measures on the release and on the raw data")


def size_bins(class_sizes: Sequence[tuple[int, int]]) -> list[tuple[str, int]]:
    """Classes by size; sizes are exact while few, else in bins that double in width.

    >>> size_bins([(3, 2), (5, 1)])
    [('3', 2), ('5', 1)]
    >>> size_bins([(size, 1) for size in range(3, 40)])
    [('3', 1), ('4-7', 4), ('8-15', 8), ('16-31', 16), ('32-63', 8)]
    """
    ordered = sorted(class_sizes)
    if len(ordered) <= _EXACT_SIZES:
        return [(str(size), classes) for size, classes in ordered]
    bins: dict[int, int] = {}
    for size, classes in ordered:
        bins[size.bit_length()] = bins.get(size.bit_length(), 0) + classes
    least = ordered[0][0]
    labels = []
    for bits, classes in bins.items():
        low, high = max(least, 1 << (bits - 1)), (1 << bits) - 1
        labels.append((str(low) if low == high else f"{low}-{high}", classes))
    return labels


def _horizontal_bars(values: Mapping[str, float], label: str, *, limit: float | None = None) -> str:
    figure, axes = new_figure(0.6 + 0.28 * len(values))
    axes.barh(range(len(values)), list(values.values()), color=ACCENT, height=0.7)
    axes.set_yticks(range(len(values)), list(values))
    axes.invert_yaxis()
    axes.set_xlabel(label)
    if limit is not None:
        axes.set_xlim(0, limit)
    return as_svg(figure, label)


def new_figure(height: float) -> tuple[Figure, Axes]:
    """A figure of so many inches, in the page's style."""
    figure, (axes,) = new_panels(1, 1, height)
    return figure, axes


def new_panels(rows: int, columns: int, height: float) -> tuple[Figure, list[Axes]]:
    """A figure of several panels, row by row, in the page's style."""
    with mpl.rc_context(_STYLE):
        figure = Figure(figsize=(_WIDTH, height), layout="constrained")
        panels = list(figure.subplots(rows, columns, squeeze=False).flat)
    for axes in panels:
        axes.tick_params(length=0)
    return figure, panels


def as_svg(figure: Figure, label: str) -> str:
    """The figure as an ``<svg>`` element for a page: no metadata, no namespaces, no ids but those in use."""
    buffer = io.StringIO()
    # Ids of two figures of one page must differ; the salt also makes them the same in every run.
    with mpl.rc_context({**_STYLE, "svg.hashsalt": label}):
        figure.savefig(buffer, format="svg", transparent=True, metadata={"Date": None})
    drawing = buffer.getvalue()
    drawing = drawing[drawing.index("<svg") :]
    drawing = re.sub(
        r"<metadata>.*?</metadata>|<defs>\s*<style.*?</style>\s*</defs>", "", drawing, flags=re.DOTALL
    )
    drawing = re.sub(r' xmlns(:\w+)?="[^"]*"|(?<=<g) id="[^"]*"', "", drawing)
    drawing = re.sub(r"font-family:[^;\"]*;", "", drawing)
    drawing = re.sub(
        r'(<svg) width="[^"]*" height="[^"]*"', rf'\1 role="img" aria-label="{escape(label)}"', drawing
    )
    for colour, variable in _CSS.items():
        drawing = drawing.replace(colour, variable)
    return re.sub(r"\n\s*", "\n", drawing)
