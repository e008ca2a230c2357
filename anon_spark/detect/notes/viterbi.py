"""The best labels of many texts at once, by what every label scores and what one label adds to the next.

Source: Viterbi 1967.
"""

import numpy as np
from numpy.typing import NDArray

from anon_spark.detect.notes.tables import Floats

PIECE = 100  # tokens


def best_labels(
    scores: Floats, transition: Floats, texts: NDArray[np.intp], *, outside: int
) -> NDArray[np.intp]:
    """The label path of most score in every text.

    A token is surely outside where no pair of neighbours' labels could make up for what another label lacks; paths are
    sought in the runs between such tokens. Runs of more than ``PIECE`` tokens are cut.

    Args:
        scores: (tokens of all texts, labels). transition: (from, to). texts: where each text begins, and the end.
    """
    # What the neighbours could at most add for a label that they would not add for the outside one.
    into = (transition - transition[:, outside : outside + 1]).max(axis=0)
    out = (transition - transition[outside : outside + 1]).max(axis=1)
    most = np.maximum(into, 0) + np.maximum(out, 0)
    most[outside] = 0
    open_ = np.flatnonzero((scores + most).max(axis=1) > scores[:, outside])
    best = np.full(len(scores), outside, np.intp)
    if not len(open_):
        return best
    first_of_text = np.zeros(len(scores) + 1, bool)
    first_of_text[texts] = True
    begins = np.flatnonzero(np.diff(open_, prepend=-2) > 1)
    begins = np.union1d(begins, np.flatnonzero(first_of_text[open_]))
    lengths = np.diff(begins, append=len(open_))
    whole = [
        (b + step, min(PIECE, n - step))
        for b, n in zip(begins, lengths, strict=True)
        for step in range(0, n, PIECE)
    ]
    starts, sizes = (np.array(column, np.intp) for column in zip(*whole, strict=True))
    starts = open_[starts]
    scores = scores.copy()
    after = starts + sizes
    inner = ~first_of_text[starts] & ~np.isin(starts - 1, open_)
    scores[starts[inner]] += transition[outside]
    inner = ~first_of_text[after] & ~np.isin(after, open_)
    scores[after[inner] - 1] += transition[:, outside]
    _viterbi(scores, transition, starts, sizes, best)
    return best


def _viterbi(
    scores: Floats,
    transition: Floats,
    begins: NDArray[np.intp],
    lengths: NDArray[np.intp],
    best: NDArray[np.intp],
) -> None:
    """Write the best path of every piece into ``best``; the longest pieces go first, so those running are a prefix."""
    order = np.argsort(-lengths, kind="stable")
    begins, lengths = begins[order], lengths[order]
    longest = int(lengths[0])
    running = np.searchsorted(-lengths, -np.arange(longest), side="left")
    reached = [scores[begins]]
    for step in range(1, longest):
        n = running[step]
        ways = reached[-1][:n, :, None] + transition
        reached.append(ways.max(axis=1) + scores[begins[:n] + step])
    label = np.zeros(len(begins), np.intp)
    for step in range(longest - 1, -1, -1):
        n, more = running[step], running[step + 1] if step + 1 < longest else 0
        totals = reached[step][:n].copy()
        totals[:more] += transition[:, label[:more]].T
        label[:n] = totals.argmax(axis=1)
        best[begins[:n] + step] = label[:n]
