"""What a run is: checked before any job starts, with the id that the same plan always has."""

import hashlib
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

from anon_spark import __version__
from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.deidentify.pseudonyms import key_id
from anon_spark.errors import PolicyError
from anon_spark.ingest.lake import Located, TableReader, fingerprint, locate, read_headers, work_reader
from anon_spark.ingest.read import REASON
from anon_spark.policy.check import check_policy, check_source
from anon_spark.policy.load import LoadedPolicy, load_policy
from anon_spark.policy.model import Policy

Progress = Callable[[str], None]
KEY_BYTES = 32
_KEY_VALUES = 8  # different bytes that a key has at least
_RELEASE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")


@dataclass(frozen=True)
class Run:
    """A prepared run: what is to be done, from where to where, under which id and name."""

    spark: SparkSession
    loaded: LoadedPolicy
    located: dict[str, Located]
    headers: dict[str, list[str]]
    source_fingerprint: str
    target: Path
    work: Path
    key: bytes = field(repr=False)
    name: str
    progress: Progress

    @property
    def policy(self) -> Policy:
        """The policy itself."""
        return self.loaded.policy

    @cached_property
    def id(self) -> str:
        """Hash of policy, source, key and code: the same plan has the same id."""
        return plan_id(self.loaded, self.source_fingerprint, self.key)

    @property
    def home(self) -> Path:
        """Folder in WORK of what belongs to this run alone."""
        return self.work / "runs" / self.id

    @property
    def candidate(self) -> Path:
        """The candidate's tables."""
        return self.home / "candidate"

    @property
    def moved(self) -> Path:
        """Where the candidate's tables are once they are published."""
        return self.target / "releases" / self.id

    @cached_property
    def bronze(self) -> TableReader:
        """Reader of bronze, unparsed rows included."""
        return work_reader(self.spark, self.work / "bronze")

    @cached_property
    def parsed(self) -> TableReader:
        """Reader of bronze without unparsed rows."""
        return lambda name: self.bronze(name).where(F.col(REASON).isNull())

    @property
    def hierarchies(self) -> dict[str, Hierarchy]:
        """Hierarchy of every quasi-identifier."""
        return {
            name: self.loaded.hierarchies[q.hierarchy] for name, q in self.policy.quasi_identifiers.items()
        }


def prepare(
    spark: SparkSession,
    policy: str | Path,
    source: str | Path,
    target: str | Path,
    *,
    work: str | Path | None = None,
    release: str | None = None,
    key_file: str | Path | None = None,
    key_env: str | None = None,
    progress: Progress = lambda _: None,
) -> Run:
    """Check everything that can be checked before a job starts, and name the run.

    Raises:
        PolicyError: all that is wrong with the policy, the options or the release's name.
        InputError: tables or columns the source lacks.
    """
    loaded = load_policy(Path(policy))
    check_policy(loaded)
    located = locate(str(source), loaded.policy.tables)
    headers = read_headers(located, spark)
    check_source(loaded, headers)
    root, private = Path(target).resolve(), Path(work or f"{str(target).rstrip('/')}-work").resolve()
    if private == root or root in private.parents or private in root.parents:
        raise PolicyError("WORK holds identified data and must lie outside TARGET, and TARGET outside WORK")
    inside = {"SOURCE": Path(source), **({"the key file": Path(key_file)} if key_file else {})}
    for what, place in inside.items():
        if place.exists() and root in (place.resolve(), *place.resolve().parents):
            raise PolicyError(f"{what} is identified or secret and must lie outside TARGET")
    if release is not None and not _RELEASE_NAME.fullmatch(release):
        raise PolicyError(
            "a release's name is at most 100 letters, digits, '.', '_' and '-' and begins with a letter or digit"
        )
    _make_folders(private, root, Path(source))
    key = load_key(private, key_file=key_file, key_env=key_env, progress=progress)
    source_print = fingerprint(located, spark)
    name = release or plan_id(loaded, source_print, key)[:12]
    return Run(spark, loaded, located, headers, source_print, root, private, key, name, progress)


def _make_folders(work: Path, target: Path, source: Path) -> None:
    """Make WORK, which only its owner reads, and TARGET.

    Raises:
        PolicyError: WORK is, or holds, somebody else's; a folder cannot be made; a path holds a pattern.
    """
    for what, place in (("SOURCE", source), ("WORK", work), ("TARGET", target)):
        if set(str(place)) & set("*?[]{}\\"):
            raise PolicyError(
                f"{what}'s path holds one of * ? [ ] {{ }} \\, which Spark reads as a pattern; rename it"
            )
    if source.exists() and source.resolve() in (work, *work.parents):
        raise PolicyError("WORK lies in SOURCE; give it a folder of its own")
    for what, place in (("WORK", work), ("TARGET", target)):
        try:
            if what == "WORK" and place.exists() and not _is_work(place):
                raise PolicyError(
                    f"WORK '{place}' holds other files; give an empty folder or one of an earlier run"
                )
            place.mkdir(parents=True, exist_ok=True)
            if what == "WORK":
                place.chmod(0o700)
        except OSError as error:
            raise PolicyError(f"{what} '{place}' cannot be used ({error.strerror})") from None


def _is_work(place: Path) -> bool:
    """Whether a folder is empty, or what an earlier run left, or holds nothing but a key."""
    found = {entry.name for entry in place.iterdir()}
    return not found or not found.isdisjoint({".lock", "key", "bronze", "runs"})


def plan_id(loaded: LoadedPolicy, source_fingerprint: str, key: bytes) -> str:
    """Hash of policy, source, key and code version: 64 hexadecimal digits."""
    parts = (loaded.sha256, source_fingerprint, key_id(key), __version__)
    return hashlib.sha256("|".join(parts).encode()).hexdigest()


def load_key(
    work: Path, *, key_file: str | Path | None, key_env: str | None, progress: Progress = lambda _: None
) -> bytes:
    """Return the run's secret: from a file, from an environment variable, or made once in WORK.

    Raises:
        PolicyError: both are given, the file or variable is not there, or the key is shorter than 32 bytes.
    """
    if key_file and key_env:
        raise PolicyError("give --key-file or --key-env, not both")
    if key_env:
        key = os.environ.get(key_env, "").encode()
        where = f"environment variable {key_env}"
    elif key_file:
        if not Path(key_file).is_file():
            raise PolicyError(f"there is no key file '{key_file}'")
        key, where = _stripped(Path(key_file).read_bytes()), "the key file"
    else:
        place = work / "key"
        if not place.exists():
            fresh = work / f".key.{os.getpid()}"
            with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
                file.write(secrets.token_hex(KEY_BYTES).encode())
            with suppress(FileExistsError):  # another run was first: its key is the one
                os.link(fresh, place)
            fresh.unlink()
            progress("made a key in WORK; keep it as safe as the source")
        else:
            progress("using the key in WORK")
        key, where = _stripped(place.read_bytes()), "the key in WORK"
    if len(key) >= KEY_BYTES and len(set(key)) < _KEY_VALUES:
        raise PolicyError(
            f"{where} has only {len(set(key))} different bytes; make one with 'openssl rand -hex 32'"
        )
    if len(key) < KEY_BYTES:
        raise PolicyError(f"{where} has {len(key)} bytes; a key has at least {KEY_BYTES}")
    return key


def _stripped(key: bytes) -> bytes:
    """A written key without the line's end; the bytes of a random one stay as they are."""
    return key.strip() if key.isascii() else key
