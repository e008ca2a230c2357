"""The errors a user can cause, one class for each exit code.

A message is one clear sentence of names and counts. It never carries a cell's value: errors end up in logs,
schedulers' mails and tickets.
"""

from collections.abc import Iterable, Sequence
from difflib import get_close_matches


class AnonError(Exception):
    """Base of every error raised on purpose; ``exit_code`` is what a command ends with."""

    exit_code = 5


class PolicyError(AnonError, ValueError):
    """The policy or a command's options are wrong; no Spark job has started."""

    exit_code = 2

    def __init__(self, problems: str | Sequence[str]) -> None:
        self.problems = [problems] if isinstance(problems, str) else list(problems)
        super().__init__("\n".join(self.problems))


class InputError(AnonError):
    """The source lacks something the policy needs, or holds what cannot be read."""

    exit_code = 3


class GateRefusedError(AnonError):
    """The measured candidate falls short of the policy; nothing was published."""

    exit_code = 4

    def __init__(self, message: str, shortfalls: Sequence[tuple[str, str]] = ()) -> None:
        self.shortfalls = list(shortfalls)
        super().__init__(message)


class ResumableError(AnonError):
    """The run stopped half-way; running the same command again continues it."""

    exit_code = 5


def nearest(name: str, known: Iterable[str]) -> str:
    """Return ``"; did you mean 'X'?"`` for the known name nearest to ``name``, or the empty string.

    >>> nearest("HADM", ["HADM_ID", "SUBJECT_ID"])
    "; did you mean 'HADM_ID'?"
    >>> nearest("x", ["HADM_ID"])
    ''
    """
    by_fold = {candidate.casefold(): candidate for candidate in known}
    close = get_close_matches(name.casefold(), list(by_fold), n=1, cutoff=0.6)
    return f"; did you mean '{by_fold[close[0]]}'?" if close else ""
