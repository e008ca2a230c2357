"""What the words beside a found span say against it: names that things bear, shares that look like days."""

from collections.abc import Sequence

from anon_spark.detect.notes.crf import OUTSIDE
from anon_spark.detect.notes.lexicon import announcing, lexicon
from anon_spark.detect.notes.tokens import LINE_BREAK, Tokens

_BEARS = frozenset(
    "murmur shelf node nodes canal ligament cyst palsy straps sump stain scar incision equation space duct glands patches "
    "cells bodies pouch ring rings spots lesion hernia pupil nevus anomaly shunt splint frame boot brace clamp "
    "forceps".split()
)
_OF_PEOPLE = {"title", "relation", "role", "namekey", "credential"}
_OUT_OF = frozenset("ns tab tabs tablet tablets mg ml str strength".split())
_GRADED = frozenset("strength power motor grip reflexes iop mmse moca pain gcs".split())


def drop_eponyms(tokens: Tokens, labels: list[str]) -> None:
    """Take NAME from names that a disease or tool bears: ``Bell's palsy``, ``Salter-Harris``, not ``Dr. Bell``."""
    words, known, classes = tokens.words, lexicon(), announcing()
    for i, end in _runs(labels, "NAME"):
        borne = [w for w in words[i:end] if w[0].isalpha() and w.lower() != "s"]
        if not borne or any("p" not in known.get(w.lower(), "") for w in borne):
            continue
        before = next((w.lower() for w in reversed(words[max(0, i - 2) : i]) if w[0].isalpha()), "")
        after = next((w.lower() for w in words[end : end + 3] if w[0].isalpha() and w.lower() != "s"), "")
        thing = classes.get(after) == "medical" or after in _BEARS
        if (thing or "-" in words[i:end]) and classes.get(before) not in _OF_PEOPLE:
            labels[i:end] = [OUTSIDE] * (end - i)


def drop_shares(tokens: Tokens, labels: list[str]) -> None:
    """Take DATE from ``1/2 NS``, ``strength 4/5``: two small numbers that a word beside them says are no day."""
    words = tokens.words
    for i, end in _runs(labels, "DATE"):
        digits = [w for w in words[i:end] if w.isdigit()]
        if any(w[0].isalpha() or len(w) > 2 for w in words[i:end]) or len(digits) > 2:
            continue
        around = {w.lower() for w in words[max(0, i - 3) : i] if w[0].isalpha()}
        after = next((w.lower() for w in words[end : end + 4] if w[0].isalpha()), "")
        if around & _GRADED or (after in _OUT_OF and words[end : end + 1] != [LINE_BREAK]):
            labels[i:end] = [OUTSIDE] * (end - i)


def _runs(labels: Sequence[str], label: str) -> list[tuple[int, int]]:
    """Where runs of one label begin and end."""
    marks = [i for i in range(len(labels)) if labels[i] == label]
    begins = [i for i in marks if i == 0 or labels[i - 1] != label]
    ends = [i + 1 for i in marks if i + 1 == len(labels) or labels[i + 1] != label]
    return list(zip(begins, ends, strict=True))
