"""Compare the spans found in texts with those that are there: by entity and token, strictly and by overlap.

Strict: the same characters (and, by label, the same label). Overlap: at least one character in common, so recall counts
the true spans that were touched, precision the found spans that touch a true one. Tokens are those of
:func:`~anon_spark.detect.notes.tokens.tokenize`, line breaks left out. Intervals are percentiles of 1,000 bootstrap
samples of whole texts, since spans of one text are not independent; those of recall and precision are never narrower
than the exact ones of so many spans, since a sample of what is all found says nothing of what else there is.
Source: van Rijsbergen 1979 (F-measure); Efron 1979 (bootstrap); Clopper, Pearson 1934 (exact intervals).
"""

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
from scipy.special import betaincinv  # type: ignore[import-untyped]

from anon_spark.detect.notes.spans import Note, Span
from anon_spark.detect.notes.tokens import LINE_BREAK, tokenize

SAMPLES = 1_000
INTERVAL = (2.5, 97.5)
MISSED, SPURIOUS = "(missed)", "(not there)"
OVERALL = ""

# One kind of counts: true spans found, true spans, found spans that are right, found spans.
Counts = tuple[int, int, int, int]
LabelMap = Mapping[str, str | None]


def evaluate(
    gold: Sequence[Note], found: Sequence[Sequence[Span]], *, labels: LabelMap | None = None
) -> dict[str, Any]:
    """Precision, recall, F1 and F2 of ``found`` against ``gold``, overall and by label, with 95 % intervals.

    Args:
        labels: what to call a label, of either side, before comparing; a label mapped to null is ignored: its true
            spans need not be found, and what is found there is neither right nor wrong.

    Returns:
        ``overall`` without regard to labels and ``labels`` by label: ``precision``, ``recall``, ``f1``, ``f2`` by
        entity and overlap, and the same under ``entity_strict``, ``token``; ``over_redaction`` on texts without
        spans, ``confusion`` as true label to found label to count.
    """
    pairs = [_renamed(note, spans, labels or {}) for note, spans in zip(gold, found, strict=True)]
    measured = [_measure(text, true, told) for text, true, told in pairs]
    names = sorted({name for counts in measured for name, _ in counts} - {OVERALL})
    samples = _samples(len(measured))
    overall = _figures(measured, OVERALL, samples)
    return {
        "texts": len(gold),
        "overall": overall,
        "labels": {name: _figures(measured, name, samples) for name in names},
        "over_redaction": _over_redaction(pairs),
        "confusion": _confusion(pairs),
    }


def misses(
    gold: Sequence[Note],
    found: Sequence[Sequence[Span]],
    *,
    labels: LabelMap = MappingProxyType({}),
    around: int = 30,
) -> list[dict[str, str]]:
    """The true spans that nothing touches, and found ones that touch none, with the text around (made-up text only).

    Args:
        labels: what to call labels; a span whose label has no name is not listed.
    """
    listed = []
    for note, spans in zip(gold, found, strict=True):
        text, true, told = _renamed(note, spans, labels)
        for kind, these, others in (("missed", true, told), ("not there", told, true)):
            listed += [
                {
                    "kind": kind,
                    "label": span.label,
                    "text": text[span.start : span.end],
                    "before": text[max(0, span.start - around) : span.start],
                    "after": text[span.end : span.end + around],
                }
                for span in these
                if not any(_overlap(span, other) for other in others)
            ]
    return listed


def _renamed(note: Note, spans: Iterable[Span], labels: LabelMap) -> tuple[str, list[Span], list[Span]]:
    ignored = [span for span in note.spans if labels.get(span.label, span.label) is None]
    true = [Span(s.start, s.end, labels.get(s.label, s.label) or "") for s in note.spans if s not in ignored]
    told = [Span(s.start, s.end, labels.get(s.label, s.label) or "") for s in sorted(set(spans))]
    told = [
        s
        for s in told
        if s.label and (any(_overlap(s, t) for t in true) or not any(_overlap(s, i) for i in ignored))
    ]
    return note.text, true, told


def _overlap(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _measure(text: str, true: list[Span], told: list[Span]) -> dict[tuple[str, str], Counts]:
    """Counts of one text by (label, way of counting); the empty label is for all without regard to labels."""
    counts: dict[tuple[str, str], Counts] = {}
    tokens = tokenize(text)
    for name in {OVERALL, *(s.label for s in true), *(s.label for s in told)}:
        here = [s for s in true if name in (OVERALL, s.label)]
        there = [s for s in told if name in (OVERALL, s.label)]
        counts[name, "entity"] = _count(here, there, _overlap)
        counts[name, "entity_strict"] = _count(here, there, lambda a, b: a[:2] == b[:2])
        one, other = (_covered(spans, tokens.starts, tokens.ends, tokens.words) for spans in (here, there))
        both = len(one & other)
        counts[name, "token"] = (both, len(one), both, len(other))
    return counts


def _count(true: list[Span], told: list[Span], match: Callable[[Span, Span], bool]) -> Counts:
    hit = sum(any(match(t, f) for f in told) for t in true)
    right = sum(any(match(t, f) for t in true) for f in told)
    return hit, len(true), right, len(told)


def _covered(spans: Iterable[Span], starts: list[int], ends: list[int], words: list[str]) -> set[int]:
    """Numbers of the tokens that a span touches."""
    touched: set[int] = set()
    for span in spans:
        first = bisect_left(ends, span.start + 1)
        last = bisect_left(starts, span.end)
        touched.update(i for i in range(first, last) if words[i] != LINE_BREAK)
    return touched


def _samples(texts: int) -> np.ndarray[Any, np.dtype[np.float64]]:
    """How often each text is drawn: ``(SAMPLES, texts)``."""
    random = np.random.default_rng(0)
    return random.multinomial(texts, np.full(texts, 1 / max(texts, 1)), size=SAMPLES).astype(float)


def _figures(
    measured: Sequence[Mapping[tuple[str, str], Counts]],
    name: str,
    samples: np.ndarray[Any, np.dtype[np.float64]],
) -> dict[str, Any]:
    ways = {}
    for way in ("entity", "entity_strict", "token"):
        table = np.array([counts.get((name, way), (0, 0, 0, 0)) for counts in measured], float).reshape(-1, 4)
        values = _rates(table.sum(axis=0)[None])
        drawn = _rates(samples @ table)
        whole = table.sum(axis=0).astype(int)
        exact = {"recall": _exact(*whole[:2]), "precision": _exact(*whole[2:])}
        ways[way] = {
            **{figure: _number(values[figure][0]) for figure in values},
            "interval": {f: _interval(drawn[f], exact.get(f)) for f in drawn},
            "true": int(whole[1]),
            "found": int(whole[3]),
            "missed": int(whole[1] - whole[0]),
            "wrong": int(whole[3] - whole[2]),
        }
    return {**ways["entity"], "entity_strict": ways["entity_strict"], "token": ways["token"]}


def _rates(table: np.ndarray[Any, np.dtype[np.float64]]) -> dict[str, np.ndarray[Any, np.dtype[np.float64]]]:
    """Rates of every row of counts; nan where nothing is there to be right or found."""
    with np.errstate(invalid="ignore", divide="ignore"):
        recall, precision = table[:, 0] / table[:, 1], table[:, 2] / table[:, 3]
        f1, f2 = ((1 + b * b) * precision * recall / (b * b * precision + recall) for b in (1, 2))
    return {"precision": precision, "recall": recall, "f1": f1, "f2": f2}


def _number(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 6)


def _interval(
    drawn: np.ndarray[Any, np.dtype[np.float64]], exact: tuple[float, float] | None
) -> list[float] | None:
    known = drawn[~np.isnan(drawn)]
    if not known.size:
        return None
    low, high = np.percentile(known, INTERVAL)
    least, most = exact or (low, high)
    return [round(float(min(low, least)), 6), round(float(max(high, most)), 6)]


def _exact(right: int, count: int) -> tuple[float, float] | None:
    """Of a share of so many, that of Clopper and Pearson; null for none."""
    if not count:
        return None
    low, high = (share / 100 for share in INTERVAL)
    return (
        float(betaincinv(right, count - right + 1, low)) if right else 0.0,
        float(betaincinv(right + 1, count - right, high)) if right < count else 1.0,
    )


def _over_redaction(pairs: Iterable[tuple[str, list[Span], list[Span]]]) -> dict[str, Any]:
    """Share of the tokens found to be personal in texts that hold nothing personal."""
    texts = tokens = hidden = 0
    for text, true, told in pairs:
        if not true:
            cut = tokenize(text)
            texts += 1
            tokens += sum(word != LINE_BREAK for word in cut.words)
            hidden += len(_covered(told, cut.starts, cut.ends, cut.words))
    return {"texts": texts, "tokens": tokens, "hidden": hidden, "share": hidden / tokens if tokens else None}


def _confusion(pairs: Iterable[tuple[str, list[Span], list[Span]]]) -> dict[str, dict[str, int]]:
    """True label to found label: that with the most characters in common."""
    table: dict[str, Counter[str]] = {}
    for _, true, told in pairs:
        for span in true:
            table.setdefault(span.label, Counter())[_most_common(span, told) or MISSED] += 1
        for span in told:
            if not any(_overlap(span, t) for t in true):
                table.setdefault(SPURIOUS, Counter())[span.label] += 1
    return {label: dict(row) for label, row in sorted(table.items())}


def _most_common(span: Span, told: Iterable[Span]) -> str | None:
    shared = {s: min(span.end, s.end) - max(span.start, s.start) for s in told if _overlap(span, s)}
    return max(shared, key=shared.__getitem__).label if shared else None
