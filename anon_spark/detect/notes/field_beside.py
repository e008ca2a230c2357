"""Train the random field in a process of its own, beside the network."""

import os
import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from itertools import chain
from multiprocessing import get_context, parent_process
from multiprocessing.connection import Connection
from typing import Any

from anon_spark.detect.notes.crf import Weights
from anon_spark.detect.notes.grammar.people import TRAIN
from anon_spark.detect.notes.spans import Note
from anon_spark.detect.notes.train import made_up, train
from anon_spark.errors import AnonError

UNREAD, LEAST = 0.3, 4
"""The share of words that the random field sees as no note held them, and the tokens that its features are seen in."""


class Field:
    """The random field, trained by a process of its own."""

    def __init__(self, count: int, own: Sequence[Note], rounds: int) -> None:
        spawn = get_context("spawn")
        self._talk, theirs = spawn.Pipe()
        self._process = spawn.Process(target=_train_field, args=(theirs,), daemon=True)
        with _uninterrupted():
            self._process.start()
        theirs.close()  # the process alone holds it: where that ends, so does what it tells
        self._learned: Any = None
        try:
            self._talk.send((count, own, rounds))
        except (BrokenPipeError, ConnectionResetError):
            self._process.join()
            raise self._ended() from None

    def check(self) -> None:
        """Raise an error where the process has failed or ended before it was done."""
        if self._learned is None and self._talk.poll():
            self.result()

    def result(self) -> Weights:
        """What it learned, once it has."""
        learned: Weights | Exception | None = self._learned
        if learned is None:
            try:
                learned = self._talk.recv()
            except (EOFError, ConnectionResetError):
                self._process.join()
                raise self._ended() from None
            self._learned = learned
        if isinstance(learned, Exception):
            raise learned
        return learned

    def close(self) -> None:
        """End the process, done or not."""
        self._process.kill()
        self._process.join()
        self._talk.close()

    def _ended(self) -> AnonError:
        code = self._process.exitcode or 0
        if code < 0:
            how = f"was ended from outside (signal {-code}); where memory is short, give fewer --notes"
        else:
            how = f"ended with code {code}, and nothing learned; a script that trains needs a __main__ guard"
        return AnonError(f"the process that trains the random field {how}")


@contextmanager
def _uninterrupted() -> Iterator[None]:
    """Processes started here do not hear Ctrl-C: who interrupts the command ends them by its own end."""
    if threading.current_thread() is not threading.main_thread():  # only that one may set it
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)


@contextmanager
def field_beside(count: int, own: Sequence[Note], rounds: int) -> Iterator[Field]:
    """The random field in training on ``count`` made-up notes and ``own``; its process ends with the block."""
    field = Field(count, own, rounds)
    try:
        yield field
    finally:
        field.close()


def _train_field(talk: Connection) -> None:
    threading.Thread(target=_end_with_parent, daemon=True).start()
    settings: dict[str, Any] = {"feature.minfreq": LEAST}
    learned: Weights | Exception
    try:
        count, own, settings["max_iterations"] = talk.recv()
        learned = train(chain(made_up(TRAIN, count), own), settings=settings, unread_share=UNREAD)
    except Exception as error:  # noqa: BLE001  (raised by who waits for the result)
        learned = error
    with suppress(BrokenPipeError):  # nobody waits any more
        talk.send(learned)


def _end_with_parent() -> None:
    parent = parent_process()
    if parent:
        parent.join()
        os._exit(1)
