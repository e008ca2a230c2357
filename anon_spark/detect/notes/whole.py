"""Write a file or a folder whole or not at all."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A place beside ``out`` to write to; it takes the place of ``out`` once all is written, and is gone otherwise."""
    partial = out.with_name(f".{out.name}.partial")
    _remove(partial)
    try:
        yield partial
        partial.replace(out)
    finally:
        _remove(partial)


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path)
    else:
        path.unlink(missing_ok=True)
