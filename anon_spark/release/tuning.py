"""Settings searched on a release or on a source, without the people whom a later test is of."""

import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.learn.boost import BoostConfig, split_people
from anon_spark.learn.models import OF_SEQUENCES
from anon_spark.learn.scoring import Settings, place_in_folds
from anon_spark.learn.sides import prepare_side
from anon_spark.learn.tune import Search, require_optuna, tune
from anon_spark.mimic3.cohort import Task, build_cohort, check_treatments, hidden_items
from anon_spark.policy.model import Policy
from anon_spark.release.evidence import released_policy, source_reader
from anon_spark.release.publish import Release


def tune_release(
    release: Release,
    *,
    task: Task,
    sets: Sequence[str],
    search: Search,
    boost: BoostConfig,
    work: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Search on a release's people, but those whom ``train`` with the settings ``boost`` tests.

    Args:
        work: where features and trials are kept; by default TARGET-work if there is one, else nowhere.

    Raises:
        InputError: a treatment makes the cohort impossible, or there is nothing to learn from.
    """
    require_optuna()
    policy, _ = released_policy(release.ledger)
    check_treatments(policy, task, release=release.name)
    search = replace(search, small_cell=policy.small_cell)
    cohort = build_cohort(release.table, task, sets=sets, hidden=hidden_items(policy))
    beside = Path(f"{release.target}-work")

    def held_out(people: DataFrame) -> DataFrame:
        return split_people(people, config=boost).where("fold = 'test'")

    with _folder(work or (beside if beside.is_dir() else None), task) as (folder, journals):
        side = prepare_side(release.name, cohort, folder, windows=search.model in OF_SEQUENCES)
        return _told(tune(side, held_out(side.people), search, journals=journals, progress=progress), task)


def tune_source(
    spark: SparkSession,
    source: str,
    policy: Policy,
    *,
    task: Task,
    sets: Sequence[str],
    search: Search,
    work: Path | None = None,
    progress: Callable[[str], None] = lambda _: None,
) -> dict[str, Any]:
    """Search on a source's people, but those whom ``compare`` tests first, and alone with ``--tested 1``.

    Args:
        policy: declares the source's tables.
        work: a private folder, where features and trials are kept; by default nowhere.

    Raises:
        InputError: there is nothing to learn from.
    """
    require_optuna()
    cohort = build_cohort(source_reader(spark, source, policy), task, sets=sets)
    with _folder(work, task) as (folder, journals):
        side = prepare_side("the source", cohort, folder, windows=search.model in OF_SEQUENCES)
        held_out = place_in_folds(side.people, Settings()).where(F.col("part") == 0)
        return _told(tune(side, held_out, search, journals=journals, progress=progress), task)


def _told(document: dict[str, Any], task: Task) -> dict[str, Any]:
    return {"cohort": task.name, "outcome": task.label, **document}


@contextmanager
def _folder(work: Path | None, task: Task) -> Iterator[tuple[Path, Path | None]]:
    """The folder of features, and that of trials where they are kept."""
    if work is not None:
        yield work / "tune" / task.name, work / "tune" / task.name / "trials"
        return
    with tempfile.TemporaryDirectory(prefix="anon-spark-tune-") as place:
        yield Path(place), None
