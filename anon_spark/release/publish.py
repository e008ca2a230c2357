"""Publishing: the files that were measured become the release, by one commit in the pointer table.

Delta has no transaction over several tables. The candidate's folder is moved to ``TARGET/releases/<run>``,
which nobody reads by itself; one commit of (release, table, path) rows to ``_releases`` then makes all tables
visible at once. A killed or refused run leaves no row there.
"""

import hashlib
import os
import shutil
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.errors import InputError, PolicyError, ResumableError, nearest
from anon_spark.release.ledger import read_entry, write_entry

POINTER = "_releases"
RELEASES = "releases"
_COLUMNS = "release string, run string, `table` string, path string, version bigint, published_at string"


@dataclass(frozen=True)
class Release:
    """A published release: its tables are read from the paths, at the versions, that one commit made visible.

    ``tables`` has (path below TARGET, version) by name.
    """

    name: str
    run: str
    target: Path
    tables: dict[str, tuple[str, int]]
    spark: SparkSession

    def table(self, name: str) -> DataFrame:
        """Return one table of the release.

        Raises:
            InputError: the release has no such table.
        """
        if name not in self.tables:
            raise InputError(f"release {self.name} has no table {name}{nearest(name, self.tables)}")
        path, version = self.tables[name]
        return self.spark.read.format("delta").option("versionAsOf", version).load(str(self.target / path))

    @property
    def ledger(self) -> dict[str, Any]:
        """The run's entry in the ledger."""
        return read_entry(self.spark, self.target, self.run, self.name)

    @property
    def evidence(self) -> Path:
        """Folder of what was measured after publishing: model metrics, the report."""
        return self.target / "evidence" / self.name


def open_release(spark: SparkSession, target: str | Path, release: str | None = None) -> Release:
    """Open a release by name, or the newest.

    Raises:
        InputError: TARGET has no release, or none of that name.
    """
    root = Path(target)
    published = _published(spark, root)
    if not published:
        raise InputError(f"'{target}' has no published release")
    name = release or max(published, key=lambda n: (published[n][0]["published_at"], n))
    if name not in published:
        raise InputError(f"'{target}' has no release '{name}'{nearest(name, published)}")
    rows = published[name]
    tables = {row["table"]: (row["path"], row["version"]) for row in rows}
    return Release(name, rows[0]["run"], root, tables, spark)


def published_runs(spark: SparkSession, target: Path) -> dict[str, str]:
    """Run id of every published release by name."""
    return {name: rows[0]["run"] for name, rows in _published(spark, target).items()}


def check_name(published: Mapping[str, str], *, run: str, name: str) -> bool:
    """Whether this very release is published already.

    Raises:
        PolicyError: the name is taken by another plan, or the plan is published under another name.
    """
    if published.get(name) == run:
        return True
    if name in published:
        raise PolicyError(f"release '{name}' is published from another plan; give this one another name")
    if taken := [other for other, other_run in published.items() if other_run == run]:
        raise PolicyError(f"this plan is published already, as release '{taken[0]}'")
    return False


def move_candidate(candidate: Path, target: Path, run: str) -> None:
    """Move the measured folder to where releases live: a rename, or a copy with equal hashes of every file.

    Raises:
        ResumableError: a copied file differs from the measured one.
    """
    place = target / RELEASES / run
    if place.exists():
        if not candidate.exists():
            return  # an earlier try came as far as this
        shutil.rmtree(place)  # never made visible, and not what was measured now
    place.parent.mkdir(parents=True, exist_ok=True)
    try:
        candidate.rename(place)
    except OSError:
        partial = place.with_name(f".{run}.partial")
        shutil.rmtree(partial, ignore_errors=True)
        shutil.copytree(candidate, partial)
        files = [f.relative_to(candidate) for f in sorted(candidate.rglob("*")) if f.is_file()]
        if different := sum(_sha256(candidate / f) != _sha256(partial / f) for f in files):
            raise ResumableError(
                f"{different} of {len(files)} files differ after copying; run again"
            ) from None
        os.replace(partial, place)


def commit(spark: SparkSession, target: Path, document: Mapping[str, Any], tables: Iterable[str]) -> None:
    """Write the ledger's entry, then make the run visible in one commit; repeating it does nothing."""
    run = document["run"]
    write_entry(spark, target, document)
    rows = [
        (document["release"], run, name, f"{RELEASES}/{run}/{name}", 0, document["published_at"])
        for name in sorted(tables)
    ]
    (
        spark.createDataFrame(rows, _COLUMNS)
        .coalesce(1)
        .write.format("delta")
        .mode("append")
        .option("delta.dataSkippingNumIndexedCols", "0")
        .option("txnAppId", f"releases-{run}")
        .option("txnVersion", 1)
        .save(str(target / POINTER))
    )


def now() -> str:
    """The time as the ledger writes it: UTC, with microseconds."""
    return datetime.now(UTC).isoformat(timespec="microseconds")


def _published(spark: SparkSession, target: Path) -> dict[str, list[dict[str, Any]]]:
    if not (target / POINTER / "_delta_log").is_dir():
        return {}
    rows = spark.read.format("delta").load(str(target / POINTER)).orderBy("release", F.col("table")).collect()
    result: dict[str, list[dict[str, Any]]] = {}
    for row in rows:  # one row a released table
        result.setdefault(row["release"], []).append(row.asDict())
    return result


def _sha256(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
