"""Write a file or a folder whole or not at all."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory


@contextmanager
def written_whole(out: Path) -> Iterator[Path]:
    """A place beside ``out`` to write to; it takes the place of ``out`` once all is written, and is gone otherwise."""
    with TemporaryDirectory(prefix=".anon-spark-", dir=out.parent) as folder:
        place = Path(folder) / out.name
        yield place
        place.replace(out)
