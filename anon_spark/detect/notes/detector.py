"""Find personal text: the sequence model's spans, joined with what checked patterns are certain of."""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Sequence
from operator import itemgetter
from typing import Any

from anon_spark.detect.notes import features
from anon_spark.detect.notes.announced import Hit
from anon_spark.detect.notes.corrections import (
    drop_credentials,
    drop_departments,
    drop_eponyms,
    drop_shares,
    drop_times,
    join_names,
    name_by_key,
)
from anon_spark.detect.notes.crf import OUTSIDE, Seen, Tagger
from anon_spark.detect.notes.labels import YOUNGER_AGE
from anon_spark.detect.notes.lexicon import ANNOUNCING
from anon_spark.detect.notes.patterns import find_patterns
from anon_spark.detect.notes.repeats import repeat_names
from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.tokens import LINE_BREAK, Tokens, tokenize

BATCH = 64  # texts, at most
BATCH_CHARACTERS = 200_000
LONGEST = 100_000  # characters looked at together
TELLING = 50  # tokens; a text of so many that tells of somebody says something surely
LESSER = 0.6  # of the caution: what is found with so much of it is found surely


def see(text: str) -> tuple[Seen, list[Hit]]:
    """A text as the model sees it, and the patterns' hits in it."""
    tokens = tokenize(text)
    hits = find_patterns(text, tokens)
    modes = features.modes(text, tokens)
    seen = Seen(
        tokens,
        modes,
        features.headers(tokens),
        _pattern_words(tokens, hits),
        features.elsewhere(tokens, modes),
        features.line_forms(tokens),
    )
    return seen, hits


def _pattern_words(tokens: Tokens, hits: Iterable[Hit]) -> list[str]:
    words = [""] * len(tokens.words)
    for span, certain in sorted(hits, key=lambda hit: (hit.certain, hit.span)):
        name = span.label + ("!" if certain else "?")
        for i in range(*token_range(tokens, span.start, span.end)):
            words[i] = name if certain or not words[i] or words[i] == name else f"{words[i]}{name}"[:32]
    return words


def token_range(tokens: Tokens, start: int, end: int) -> tuple[int, int]:
    """Numbers of the first token that characters ``start`` to ``end`` touch, and of the one after the last."""
    return bisect_left(tokens.ends, start + 1), bisect_left(tokens.starts, end)


class Detector:
    """Finds personal text; made once a process."""

    def __init__(self, tagger: Tagger) -> None:
        self._tagger = tagger

    def find(self, texts: Sequence[str], *, patterns: bool = True) -> list[list[Span]]:
        """The spans of each text, in order and apart from each other; ``patterns`` adds what they are certain of.

        A text of ``TELLING`` tokens or more in which nothing would be found with ``LESSER`` of the caution, and no
        pattern is certain of anything, tells of nobody: nothing is found in it.
        """
        return self.find_at(texts, [self._tagger.caution], patterns=patterns)[0]

    def find_at(
        self, texts: Sequence[str], cautions: Sequence[float], *, patterns: bool = True
    ) -> list[list[list[Span]]]:
        """As :meth:`find`, as cautious as each of ``cautions``."""
        pieces = [(n, begin, part) for n, text in enumerate(texts) for begin, part in cut(text)]
        found: list[list[list[Span]]] = [[[] for _ in texts] for _ in cautions]
        tells = [[False] * len(texts) for _ in cautions]
        sizes = [0] * len(texts)
        looked = self._find([part for _, _, part in pieces], cautions, patterns)
        for (n, begin, _), (size, ways) in zip(pieces, looked, strict=True):
            sizes[n] += size
            for whole, telling, (spans, surely) in zip(found, tells, ways, strict=True):
                whole[n] += [Span(begin + start, begin + end, label) for start, end, label in spans]
                telling[n] |= surely
        return [
            [
                spans if telling or size < TELLING else []
                for spans, telling, size in zip(*of_caution, sizes, strict=True)
            ]
            for of_caution in zip(found, tells, strict=True)
        ]

    def _find(
        self, texts: Sequence[str], cautions: Sequence[float], patterns: bool
    ) -> Iterator[tuple[int, list[tuple[list[Span], bool]]]]:
        """Of each text its tokens' number; by caution its spans, and whether it surely tells of somebody."""
        tried = [*cautions, *(LESSER * caution for caution in cautions)]
        for batch in _batches(texts):
            looked = [see(text) for text in batch]
            tagged = self._tagger.tag_at([seen for seen, _ in looked], tried)
            for text, (seen, hits), *ways in zip(batch, looked, *tagged, strict=True):
                told = hits if patterns else []
                certain = any(hit.certain for hit in told)
                surely = (
                    certain or any(label != OUTSIDE for label in labels) for labels in ways[len(cautions) :]
                )
                spans = (_spans(text, seen.tokens, labels, told) for labels in ways[: len(cautions)])
                yield len(seen.tokens.words), list(zip(spans, surely, strict=True))


def _spans(text: str, tokens: Tokens, labels: list[str], hits: Iterable[Hit]) -> list[Span]:
    """What the words around say for and against the model's labels, and the patterns' hits, joined."""
    drop_eponyms(tokens, labels)
    drop_shares(tokens, labels)
    drop_times(tokens, labels)
    drop_departments(tokens, labels)
    drop_credentials(tokens, labels)
    join_names(tokens, labels)
    name_by_key(tokens, labels)
    repeat_names(tokens, labels)
    return join(text, spans_of(tokens, labels), hits)


def cut(text: str) -> Iterator[tuple[int, str]]:
    """A text in parts of bounded size, and where each begins: cut at a line break, else a space, else anywhere."""
    begin = 0
    while len(text) - begin > LONGEST:
        end = begin + LONGEST
        middle = begin + LONGEST // 2
        at = text.rfind("\n", middle, end)
        at = at if at >= 0 else text.rfind(" ", middle, end)
        end = at + 1 if at >= 0 else end
        yield begin, text[begin:end]
        begin = end
    yield begin, text[begin:]


def _batches(texts: Sequence[str]) -> Iterable[list[str]]:
    batch: list[str] = []
    size = 0
    for text in texts:
        if batch and (len(batch) == BATCH or size + len(text) > BATCH_CHARACTERS):
            yield batch
            batch, size = [], 0
        batch.append(text)
        size += len(text)
    if batch:
        yield batch


def spans_of(tokens: Tokens, labels: Sequence[str]) -> list[Span]:
    """Runs of tokens of one label; line breaks at a run's ends are not part of it."""
    spans: list[Span] = []
    i, count = 0, len(labels)
    while i < count:
        label = labels[i]
        begun = i
        while i < count and labels[i] == label:
            i += 1
        if label == OUTSIDE:
            continue
        last = i - 1
        while begun < last and tokens.words[begun] == LINE_BREAK:
            begun += 1
        while last > begun and tokens.words[last] == LINE_BREAK:
            last -= 1
        if tokens.words[begun] != LINE_BREAK:
            spans.append(Span(tokens.starts[begun], tokens.ends[last], label))
    return spans


def _by_number(text: str, span: Span) -> Span:
    """An age over 89 is an identifier, a younger one a hint."""
    if span.label not in ("AGE", YOUNGER_AGE):
        return span
    words = text[span.start : span.end]
    number = re.search(r"\d+", words)
    old = int(number.group()) > 89 if number else bool(re.search(r"(?i)nine?t|hundred|centen|nonagen", words))
    return span._replace(label="AGE" if old else YOUNGER_AGE)


def join(text: str, spans: Iterable[Span], hits: Iterable[Hit]) -> list[Span]:
    """The model's spans, widened or added to by certain hits: nothing either of them found is left out."""
    kept = sorted(spans)
    for hit in sorted((hit.span for hit in hits if hit.certain), key=_priority):
        part = _touching(kept, hit)
        touching = kept[part]
        if not touching:
            kept[part] = [hit]
        elif any(s.start > hit.start or s.end < hit.end for s in touching) and not _cover(touching, hit):
            first, last = min(s.start for s in touching), max(s.end for s in touching)
            label = hit.label if len(touching) > 1 else touching[0].label
            kept[part] = [Span(min(first, hit.start), max(last, hit.end), label)]
    spans = outside_placeholders(text, kept)
    apart = [0, *(span.end for span in spans[:-1])], [*(span.start for span in spans[1:]), len(text)]
    return [
        _whole_day(text, _by_number(text, span), *limits)
        for span, *limits in zip(spans, *apart, strict=False)
    ]


_WITH_HOUR = re.compile(r"\d{4}-\d\d-\d\d(?=T\d\d$)")


_MONTHS = rf"\b(?:{'|'.join(ANNOUNCING['month'].split())})\b"
_HEADS = re.compile(
    r"(?<![\d/.])\d{1,2}/\Z|(?:(?<=\bbetween )\d{1,2}(?:st|nd|rd|th)? and|(?<=\bfrom )\d{1,2}(?:st|nd|rd|th)? to) \Z",
    re.IGNORECASE,
)
_MONTH_BEFORE = re.compile(rf"{_MONTHS} ?[-\u2013/] ?\Z", re.IGNORECASE)
_BEGINS = re.compile(rf"\d{{1,2}}[/-]|\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_MONTHS}|({_MONTHS})", re.IGNORECASE)
_REST = re.compile(r"/\d{1,4}(?!\d)")


def _whole_day(text: str, span: Span, begin: int, end: int) -> Span:
    """Of ``2101-04-03T10`` the day: the hour is a part of its token, and the minutes stand behind a colon. Of
    ``2/20-2/24`` all, where only ``2/20-2`` or ``20-2/24`` was found, and of ``between 3 and 9 March`` both days.
    ``begin``, ``end``: of what no other span has.
    """
    if span.label != "DATE":
        return span
    day = _WITH_HOUR.match(text, span.start, span.end)
    rest = _REST.match(text, span.end, end)
    begins, head = _BEGINS.match(text, span.start, span.end), None
    if begins:
        before = _MONTH_BEFORE if begins[1] else _HEADS
        head = before.search(text, max(begin, span.start - 20), span.start)
    return span._replace(
        start=head.start() if head else span.start,
        end=day.end() if day else rest.end() if rest else span.end,
    )


def _touching(spans: Sequence[tuple[Any, ...]], span: Span) -> slice:
    """Of spans in order and apart, those that share a character with ``span``; where they would be, if none does."""
    first = bisect_right(spans, span.start, key=itemgetter(1))
    return slice(first, bisect_left(spans, span.end, lo=first, key=itemgetter(0)))


_PLACEHOLDER = re.compile(r"\[\*\*.{0,80}?\*\*\]", re.DOTALL)


def outside_placeholders(text: str, spans: list[Span]) -> list[Span]:
    """Spans without those in ``[**...**]``, where somebody de-identified the text: there only days say something."""
    if "[**" not in text:
        return spans
    held = [match.span() for match in _PLACEHOLDER.finditer(text)]
    kept = []
    for span in spans:
        inside = held[_touching(held, span)]
        days = span.label == "DATE" and any(c.isdigit() for c in text[span.start : span.end])
        if not inside or days:
            kept.append(span)
        else:  # what of it stands before or after
            kept += [
                Span(a, b, span.label)
                for a, b in ((span.start, inside[0][0]), (inside[-1][1], span.end))
                if a < b and text[a:b].strip()
            ]
    return kept


def _priority(hit: Span) -> tuple[bool, int, int]:
    """Named forms before mere codes, longer before shorter."""
    return hit.label == "OTHER_ID", hit.start - hit.end, hit.start


def _cover(spans: Sequence[Span], hit: Span) -> bool:
    """Whether spans together hold every character of ``hit``."""
    held = {i for s in spans for i in range(max(s.start, hit.start), min(s.end, hit.end))}
    return len(held) == hit.end - hit.start
