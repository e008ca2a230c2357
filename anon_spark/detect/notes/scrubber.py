"""Find and replace in many texts, so that one bad text is withheld and harms no other."""

from collections import Counter
from collections.abc import Sequence
from typing import NamedTuple

from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.known import Known, find_known, merge
from anon_spark.detect.notes.labels import HINTS
from anon_spark.detect.notes.replace import Replacing, replace
from anon_spark.detect.notes.spans import Span


class Scrubbed(NamedTuple):
    """Texts with personal text replaced, null where a text was null or withheld; counts of what was replaced."""

    texts: list[str | None]
    withheld: int
    replaced: Counter[str]


def scrub_texts(texts: Sequence[str | None], detector: Detector, how: Replacing) -> Scrubbed:
    """Each text with what the detector finds replaced; equal texts are looked at once."""
    distinct = sorted({text for text in texts if text})
    found = dict(zip(distinct, find_or_withhold(distinct, detector), strict=True))
    done: list[str | None] = []
    replaced: Counter[str] = Counter()
    withheld = 0
    for text in texts:
        spans = found.get(text) if text else []
        new = None if text is None or spans is None else _replaced(text, spans, how)
        done.append(new)
        if new is None:
            withheld += text is not None
        else:
            replaced.update(s.label for s in spans or () if how.hints or s.label not in HINTS)
    return Scrubbed(done, withheld, replaced)


def _replaced(text: str, spans: Sequence[Span], how: Replacing) -> str | None:
    try:
        return replace(text, spans, how)
    except Exception:  # noqa: BLE001  as for the detector: one text is withheld and stops no other
        return None


def find_or_withhold(texts: Sequence[str], detector: Detector) -> list[list[Span] | None]:
    """The spans of each text; null for one that breaks the detector."""
    try:
        return list(detector.find(texts))
    except Exception:  # noqa: BLE001  whatever a text does, it must not be published raw nor stop the others
        if len(texts) == 1:
            return [None]
        half = len(texts) // 2
        return [*find_or_withhold(texts[:half], detector), *find_or_withhold(texts[half:], detector)]


class One(NamedTuple):
    """A text scrubbed, null where it is withheld; spans replaced; places that still said what is known."""

    text: str | None
    replaced: int
    left: int


def scrub_known(text: str, spans: Sequence[Span] | None, known: Sequence[Known], how: Replacing) -> One:
    """Replace what was found and what is known; withhold a text that breaks a step or still says what is known."""
    if spans is None:
        return One(None, 0, 0)
    try:
        whole = merge(spans, find_known(text, known))
        replaced = replace(text, whole, how)
        left = len(find_known(replaced, known)) if known else 0
    except Exception:  # noqa: BLE001  a text that breaks any step is withheld and stops no other
        return One(None, 0, 0)
    return One(None if left else replaced, len(whole), left)
