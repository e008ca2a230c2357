"""The detector's parts alone: what each finds without the others, to tell what it adds."""

from collections.abc import Sequence

from anon_spark.detect.notes.crf import OUTSIDE
from anon_spark.detect.notes.detector import Detector, join, see, spans_of
from anon_spark.detect.notes.lexicon import ORDINARY, announcing, lexicon
from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.tokens import tokenize

PARTS = ("all", "patterns", "dictionary", "model")


def find_with(part: str, texts: Sequence[str], detector: Detector) -> list[list[Span]]:
    """Spans of each text by one part of the detector."""
    if part == "patterns":
        return [join(text, [], see(text)[1]) for text in texts]
    if part == "dictionary":
        return [_listed(text) for text in texts]
    return detector.find(texts, patterns=part != "model")


def _listed(text: str) -> list[Span]:
    """Capitalized words that lists of names and places hold and lists of other words do not."""
    tokens = tokenize(text)
    labels = []
    for word in tokens.words:
        flags, small = lexicon().get(word.lower(), ""), word.lower()
        plain = ORDINARY & set(flags) or small in announcing() or not word[0].isupper()
        labels.append(OUTSIDE if plain or not flags else "NAME" if set("SsFf") & set(flags) else "LOCATION")
    return spans_of(tokens, labels)
