"""Names found once in a text are found wherever the text says them again."""

from collections.abc import Sequence

from anon_spark.detect.notes.crf import OUTSIDE
from anon_spark.detect.notes.lexicon import ORDINARY, announcing, lexicon
from anon_spark.detect.notes.tokens import Tokens

_AFTER_NAMES = {"medical", "dose", "strength"}


def repeat_names(tokens: Tokens, labels: list[str]) -> None:
    """Label NAME what is written like a name found elsewhere in the same text; words of other meaning stay."""
    known, classes = lexicon(), announcing()
    words = tokens.words
    names: set[str] = set()  # in small letters: meaning nothing else
    plain: set[str] = set()  # as written: ordinary words too
    for word, label in zip(words, labels, strict=True):
        if label == "NAME" and len(word) > 2 and word[0].isalpha():
            small = word.lower()
            if small in classes or ORDINARY.intersection(known.get(small, "")):
                plain.add(word)
            elif len(word) > 3:
                names.add(small)
    if not (names or plain):
        return
    for i, word in enumerate(words):
        if labels[i] != OUTSIDE or not (word.lower() in names or (word in plain and _inside(words, i))):
            continue
        after = words[i + 1].lower() if i + 1 < len(words) else ""
        after = words[i + 3].lower() if after == "'" and i + 3 < len(words) else after
        if classes.get(after) not in _AFTER_NAMES:
            labels[i] = "NAME"


def _inside(words: Sequence[str], i: int) -> bool:
    """Whether a capitalized word stands inside a sentence of small letters, where only a name is capitalized."""
    return (
        words[i].istitle()
        and 0 < i < len(words) - 1
        and words[i - 1].isalpha()
        and words[i - 1].islower()
        and (words[i + 1].islower() or words[i + 1] in {"'", ","})
    )
