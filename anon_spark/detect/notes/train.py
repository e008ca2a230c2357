"""Train the sequence model with CRFsuite, on notes with gold spans.

The averaged perceptron finds as much as L-BFGS with L1 and L2 terms and takes a fraction of its time.
Source: Okazaki 2007 (CRFsuite); Collins 2002 (averaged perceptron); Andrew and Gao 2007 (orthant-wise L-BFGS).
"""

import random
import re
import tempfile
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pycrfsuite

from anon_spark.detect.notes import features
from anon_spark.detect.notes.crf import OUTSIDE, Seen, Weights
from anon_spark.detect.notes.detector import see, token_range
from anon_spark.detect.notes.grammar.write import write_note
from anon_spark.detect.notes.labels import YOUNGER_AGE
from anon_spark.detect.notes.spans import Note

UNLISTED, UNLISTED_OUTSIDE = 0.15, 0.04
MERGED = {YOUNGER_AGE: "AGE"}  # told apart by their number, not by their place
SETTINGS: dict[str, dict[str, Any]] = {
    "ap": {"max_iterations": 12, "feature.minfreq": 6, "feature.possible_transitions": True},
    "lbfgs": {
        "c1": 0.08,
        "c2": 0.02,
        "max_iterations": 60,
        "feature.minfreq": 2,
        "feature.possible_transitions": True,
    },
}


def token_features(seen: Seen) -> list[list[str]]:
    """The names of the features of every token, as :class:`~anon_spark.detect.notes.crf.Tagger` sums them."""
    return features_of(
        seen, [features.describe(w, m) for w, m in zip(seen.tokens.words, seen.modes, strict=True)]
    )


def features_of(seen: Seen, described: list[features.Word]) -> list[list[str]]:
    """As :func:`token_features`, of words that may not be described in full."""
    empty = features.describe("\0", features.MIXED)
    margin = max(features.NEAR)
    padded = [empty] * margin + described + [empty] * margin
    found = []
    left, right = near_cues([features.cue_of(word.kind) for word in described])
    for i, word in enumerate(described, margin):
        names = list(word.own)
        for offset in features.NEAR:
            names += features.beside(padded[i + offset], offset)
        names += features.of_pair(padded[i - 1], word)[0]
        names += features.of_pair(word, padded[i + 1])[1]
        names += features.of_three(padded[i - 1].kind, word.kind, padded[i + 1].kind)
        at = i - margin
        names += features.of_place(seen.headers[at], seen.patterns[at], seen.elsewhere[at], word.kind)
        for side, number in enumerate((left[at], right[at], seen.lines[at])):
            names += features.of_cue(side, number, word.kind)
        found.append(names)
    return found


def near_cues(cues: list[int]) -> tuple[list[int], list[int]]:
    """The nearest class before and behind every token, within reach; 0 for none."""

    def before(these: list[int]) -> list[int]:
        told, last = [], -features.CUE_REACH - 1
        for i, cue in enumerate(these):
            told.append(these[last] if i - last <= features.CUE_REACH else 0)
            last = i if cue else last
        return told

    return before(cues), before(cues[::-1])[::-1]


def hidden(seen: Seen, labels: list[str], draw: random.Random, unread_share: float) -> list[features.Word]:
    """The words of a note, some less known than they are.

    A share of the words, more of the personal ones, is seen as if no list held it, and a share of all words without
    what it says, so that the model learns to do with the rest.
    """
    described = []
    for word, mode, label in zip(seen.tokens.words, seen.modes, labels, strict=True):
        known = features.describe(word, mode)
        if word[0].isalpha():
            if draw.random() < (UNLISTED_OUTSIDE if label == OUTSIDE else UNLISTED):
                known = unlisted(known)
            if draw.random() < unread_share:
                known = unread(known)
        described.append(known)
    return described


_LISTS = re.compile(r"[SsFfclyeEmdap]+(?=\.)")


def unlisted(word: features.Word) -> features.Word:
    """A word as it would be if no list had held it."""
    if not _LISTS.match(word.kind):
        return word
    kind = _LISTS.sub("?", word.kind, count=1)
    own = (*(f for f in word.own if not f.startswith(("x=", "k=", "f=", "b"))), "x=?", f"k={kind}")
    beside = (f"k={kind}" if f.startswith("k=") else f for f in word.beside if not f.startswith("b"))
    return features.Word(word.text, kind, own, tuple(beside))


def unread(word: features.Word) -> features.Word:
    """A word as it would be if no note had held it: its lists and form are known."""
    own = tuple(f for f in word.own if not f.startswith(("w=", "ws=", "e4=")))
    return features.Word("?", word.kind, own, tuple(f for f in word.beside if not f.startswith("w=")))


def gold_labels(seen: Seen, note: Note) -> list[str]:
    """The label of every token of a note."""
    labels = [OUTSIDE] * len(seen.tokens.words)
    for span in note.spans:
        for i in range(*token_range(seen.tokens, span.start, span.end)):
            labels[i] = MERGED.get(span.label, span.label)
    return labels


def train(
    notes: Iterable[Note],
    *,
    algorithm: str = "ap",
    settings: dict[str, Any] | None = None,
    unread_share: float = 0.35,
) -> Weights:
    """Weights learned from ``notes``; the same for the same notes in the same order.

    Args:
        unread_share: how many of the words are seen without what they say, as words no note held.
    """
    trainer = pycrfsuite.Trainer(
        algorithm=algorithm, verbose=False, params={**SETTINGS[algorithm], **(settings or {})}
    )
    hide = random.Random(0)  # noqa: S311  which words are hidden is no secret
    for note in notes:
        seen, _ = see(note.text)
        if seen.tokens.words:
            labels = gold_labels(seen, note)
            trainer.append(features_of(seen, hidden(seen, labels, hide, unread_share)), labels)
    with tempfile.TemporaryDirectory() as folder:
        path = str(Path(folder) / "model")
        trainer.train(path)
        tagger = pycrfsuite.Tagger()
        tagger.open(path)
        learned = tagger.info()
        return _weights(learned)


def _weights(learned: Any) -> Weights:
    labels = sorted({OUTSIDE, *(label for _, label in learned.state_features), *learned.labels})
    column = {label: i for i, label in enumerate(labels)}
    rows: dict[str, int] = {}
    for name, _ in learned.state_features:
        rows.setdefault(name, len(rows))
    state = np.zeros((len(rows), len(labels)), np.float32)
    for (name, label), weight in learned.state_features.items():
        state[rows[name], column[label]] = weight
    transition = np.zeros((len(labels), len(labels)), np.float32)
    for (before, after), weight in learned.transitions.items():
        transition[column[before], column[after]] = weight
    return Weights(labels, rows, state, transition)


def made_up(part: str, count: int, first: int = 0) -> Iterator[Note]:
    """Notes of the grammar."""
    return (write_note(part, number) for number in range(first, first + count))
