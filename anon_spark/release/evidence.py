"""What is measured after publishing, from the release's own files and ledger: privacy, models, the report."""

import json
import shutil
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F
from sklearn.metrics import cohen_kappa_score

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.people import PERSON
from anon_spark.errors import GateRefusedError, InputError
from anon_spark.ingest.lake import TableReader, locate, read_headers, work_reader
from anon_spark.ingest.read import REASON, parse, read_source
from anon_spark.learn.boost import BoostConfig
from anon_spark.learn.compare import compare_sides
from anon_spark.learn.models import OF_SEQUENCES
from anon_spark.learn.scoring import Settings
from anon_spark.learn.sides import RAW, Side, prepare_side
from anon_spark.learn.train import train_models
from anon_spark.mimic3.cohort import LABEL, TASKS, Task, build_cohort, check_treatments, hidden_items
from anon_spark.policy.load import build_schema
from anon_spark.policy.model import Policy
from anon_spark.privacy.measure import measure
from anon_spark.release.publish import Release
from anon_spark.release.utility import release_utility
from anon_spark.report.html import render_report
from anon_spark.report.person import Example
from anon_spark.risk.linkage import linkage_risk
from anon_spark.risk.timing import timing_risk

METRICS_FILE = "metrics.json"
LEAST_AGREEMENT = 0.5  # Cohen's kappa
COMPARISON_FILE = "comparison-{}.json"
REPORT_FILE = "report.html"


def released_policy(ledger: Mapping[str, Any]) -> tuple[Policy, dict[str, Hierarchy]]:
    """The policy a release was made with, and its hierarchies by their own names."""
    policy = Policy.model_validate(ledger["policy"]["document"])
    files = ledger["policy"]["hierarchies"]
    return policy, {name: Hierarchy(name, tuple(map(tuple, rows))) for name, rows in files.items()}


def measure_release(release: Release, *, source: str | None = None) -> dict[str, Any]:
    """Measure a published release again: k, l, classes, the timing attack, and the source's own join.

    Args:
        source: the identified source; with it, how many of its people the release singles out.

    Returns:
        ``{"release", "privacy", "timing", "linkage"}``; ``linkage`` is None without a source.
    """
    ledger = release.ledger
    policy, files = released_policy(ledger)
    timing = timing_risk(release.table, policy)
    linkage = None
    if source is not None:
        hierarchies = {name: files[q.hierarchy] for name, q in policy.quasi_identifiers.items()}
        linkage = linkage_risk(
            source_reader(release.spark, source, policy),
            release.table,
            policy,
            hierarchies=hierarchies,
            levels=ledger["levels"],
        ).as_dict()
    return {
        "release": release.name,
        "privacy": measure(release.table, policy).as_dict(),
        "timing": timing.as_dict() if timing else None,
        "linkage": linkage,
    }


def train_release(
    release: Release,
    *,
    baseline: str | None = None,
    work: Path | None = None,
    max_membership: float | None = None,
    config: BoostConfig | None = None,
) -> dict[str, Any]:
    """Train on a release, and on its source with the same people and folds; keep the metrics as evidence.

    Args:
        baseline: the identified source.
        work: the run's WORK, which knows who is who; by default TARGET-work.
        max_membership, config: see ``train_models``.

    Raises:
        GateRefusedError: the model tells too much of whom it was trained on; nothing is kept, of earlier runs neither.
        InputError: WORK does not know the release's people, or there is nothing to learn from.
    """
    policy, _ = released_policy(release.ledger)
    raw = subjects = None
    private = work or Path(f"{release.target}-work")
    if baseline is not None:
        subjects = subjects_of(release, private)
        raw = source_reader(release.spark, baseline, policy)
    model = release.evidence / "model"
    try:
        metrics = train_models(
            release.spark,
            release=release.table,
            baseline=raw,
            subjects=subjects,
            work=private if private.is_dir() else None,
            model_dir=model,
            config=config,
            small_cell=policy.small_cell,
            max_membership=max_membership,
        )
    except GateRefusedError:
        shutil.rmtree(model, ignore_errors=True)  # an earlier run's, that no gate or a laxer one let through
        (release.evidence / METRICS_FILE).unlink(missing_ok=True)
        raise
    release.evidence.mkdir(parents=True, exist_ok=True)
    (release.evidence / METRICS_FILE).write_text(json.dumps(metrics, indent=1) + "\n", encoding="utf-8")
    return metrics


def compare_with_source(
    spark: SparkSession,
    source: str,
    releases: Sequence[Release],
    works: Sequence[Path],
    *,
    task: Task,
    sets: Sequence[str],
    settings: Settings,
    truth: DataFrame | None = None,
) -> dict[str, Any]:
    """Compare models that learn from the source with models that learn from its releases; keep it as evidence.

    Args:
        works: the WORK of each release, which knows who is who; features are kept there.
        sets: the variables (see ``build_cohort``).
        truth: ``(SUBJECT_ID, score)``, for a generated source.

    Raises:
        InputError: a policy's treatment makes the cohort impossible, WORK does not know the release's people,
            outcomes show that the source is another, or there is nothing to learn from.
    """
    policies = [released_policy(release.ledger) for release in releases]
    raw, sides = comparison_sides(
        spark, source, releases, works, task=task, sets=sets, models=settings.models
    )
    small_cell = max(policy.small_cell for policy, _ in policies)
    settings = replace(settings, windows=task.windows, small_cell=small_cell)
    for side, release in zip(sides, releases, strict=True):
        _check_same_people(raw, side, release.name)
    document = compare_sides(raw, sides, task, settings, truth=truth)
    read = source_reader(spark, source, policies[0][0])
    document["utility"] = [
        release_utility(read, release.table, policy, files, release.ledger["levels"], raw=raw, released=side)
        for release, (policy, files), side in zip(releases, policies, sides, strict=True)
    ]
    for release in releases:
        release.evidence.mkdir(parents=True, exist_ok=True)
        place = release.evidence / COMPARISON_FILE.format(task.name)
        place.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")
    return document


def _check_same_people(raw: Side, side: Side, name: str) -> None:
    """Raise where outcomes of the source and of the release agree no more than those of strangers.

    No treatment changes many outcomes, and chance gives a kappa near 0 (Cohen 1960). Where one of the two has one
    outcome alone, as when a cap leaves no second admission, nothing can be told.
    """
    one = raw.people.select("SUBJECT_ID", F.col(LABEL).alias("one"))
    both = one.join(side.people.select("SUBJECT_ID", F.col(LABEL).alias("other")), on="SUBJECT_ID")
    rows = both.groupBy("one", "other").agg(F.count(F.lit(1)).alias("n")).collect()  # four rows at most
    ones, others, counts = ([row[column] for row in rows] for column in ("one", "other", "n"))
    if len({*ones}) < 2 or len({*others}) < 2:
        return
    if cohen_kappa_score(ones, others, sample_weight=counts) < LEAST_AGREEMENT:
        raise InputError(
            f"outcomes of the {sum(counts)} people that the source and {name} have in common disagree:"
            " is this the source that the release was made of?"
        )


def comparison_sides(
    spark: SparkSession,
    source: str,
    releases: Sequence[Release],
    works: Sequence[Path],
    *,
    task: Task,
    sets: Sequence[str],
    models: Sequence[str],
) -> tuple[Side, list[Side]]:
    """The features of the source and of its releases, under the source's ids, kept in the releases' WORK.

    Raises:
        InputError: see ``compare_with_source``.
    """
    policies = [released_policy(release.ledger)[0] for release in releases]
    for release, policy in zip(releases, policies, strict=True):
        check_treatments(policy, task, release=release.name)
    maps = [subjects_of(release, work) for release, work in zip(releases, works, strict=True)]
    windows = bool(OF_SEQUENCES & {*models})
    cohort = build_cohort(source_reader(spark, source, policies[0]), task, sets=sets)
    raw = prepare_side(RAW, cohort, works[0] / "compare" / task.name / RAW, windows=windows)
    sides = []
    for release, policy, work, subjects in zip(releases, policies, works, maps, strict=True):
        cohort = build_cohort(release.table, task, sets=sets, hidden=hidden_items(policy))
        place = work / "compare" / task.name / release.run
        sides.append(prepare_side(release.name, cohort, place, subjects=subjects, windows=windows))
    return raw, sides


def subjects_of(release: Release, work: Path) -> DataFrame:
    """The release's people: ``(id, pseudonym)``, from WORK.

    Raises:
        InputError: WORK does not know them.
    """
    place = work / "runs" / release.run / "maps" / "people"
    if not place.is_dir():
        raise InputError(
            f"WORK does not know the people of release {release.name}; name its WORK with --work"
        )
    people = work_reader(release.spark, place.parent)("people")
    return people.select(F.col(PERSON).alias("id"), "pseudonym")


def write_report(release: Release) -> Path:
    """Write the release's report, with model metrics and comparisons if there are any, and return its path."""
    ledger = release.ledger
    policy, hierarchies = released_policy(ledger)
    metrics_file = release.evidence / METRICS_FILE
    metrics = json.loads(metrics_file.read_text(encoding="utf-8")) if metrics_file.exists() else None
    places = [release.evidence / COMPARISON_FILE.format(task) for task in TASKS]
    comparisons = [json.loads(place.read_text(encoding="utf-8")) for place in places if place.exists()]
    example = Example(policy=policy, hierarchies=hierarchies)
    page = render_report(ledger, metrics, example=example, comparisons=comparisons)
    release.evidence.mkdir(parents=True, exist_ok=True)
    place = release.evidence / REPORT_FILE
    place.write_text(page, encoding="utf-8")
    return place


def source_reader(spark: SparkSession, source: str, policy: Policy) -> TableReader:
    """Reader of the identified source's parsed rows under the policy's declared types."""
    schema = build_schema(policy)
    located = locate(source, policy.tables)
    headers = read_headers(located, spark)

    def read(name: str) -> DataFrame:
        header = {column.upper() for column in headers[name]}
        if lacking := [column for column in schema[name].column_names if column not in header]:
            raise InputError(f"table {name} of the source has no column {', '.join(lacking)}")
        rows = parse(read_source(spark, located[name], schema[name], headers[name]), schema[name])
        return rows.where(F.col(REASON).isNull())

    return read
