"""The main job, one call a stage:

SOURCE - ingest - bronze - deidentify - anonymize - candidate - gate - publish - TARGET

Everything identified stays in WORK: bronze, quarantine, vault, candidate. A stage leaves its outcome there,
so a killed run continues where it was; its id is a hash of policy, source, key and code, so the same plan
always continues the same run and a published plan does nothing.
"""

import fcntl
import json
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyspark.sql import DataFrame

from anon_spark import __version__
from anon_spark.anonymize.collect import check_coverage, check_unique
from anon_spark.anonymize.lakehouse import PeopleSearch
from anon_spark.anonymize.lattice import Solution
from anon_spark.anonymize.local_people import LocalSolution
from anon_spark.anonymize.objective import objective_of
from anon_spark.anonymize.parts import PART, Levels
from anon_spark.anonymize.patterns import PATTERN, PatternTable
from anon_spark.deidentify.free_text import avoiding_known, known_of_people, note_settings
from anon_spark.deidentify.maps import CAPPED, QUARANTINED, SUPPRESSED, Maps, make_maps
from anon_spark.deidentify.pseudonyms import key_id, read_vault, write_vault
from anon_spark.deidentify.tables import Context, TablePass, write_candidate
from anon_spark.errors import GateRefusedError, InputError, PolicyError, ResumableError
from anon_spark.ingest.lake import files_reader, fingerprint, work_reader, write_work
from anon_spark.ingest.read import BronzeTable, made_from
from anon_spark.ingest.read import ingest as ingest_tables
from anon_spark.plan import Run, prepare
from anon_spark.policy.model import Policy, Treatment
from anon_spark.privacy.released import WholeInput
from anon_spark.release.gate import Verdict, audit
from anon_spark.release.ledger import read_entry, read_key_ids
from anon_spark.release.publish import check_name, commit, move_candidate, now, published_runs
from anon_spark.session import for_each

__all__ = ["Run", "anonymize", "ingest", "prepare", "publish", "run", "run_stage"]


def run(job: Run) -> dict[str, Any]:
    """Run every stage that is not done yet and return the published release's ledger entry.

    Raises:
        GateRefusedError: no level meets the policy, or the candidate fell short; nothing is published.
        ResumableError: another run is using WORK.
    """
    if check_name(published_runs(job.spark, job.target), run=job.id, name=job.name):
        job.progress(f"release {job.name} is published already; nothing to do")
        return read_entry(job.spark, job.target, job.id, job.name)
    _say_if_linkable(job)
    with _locked(job.work):
        if not (job.moved.exists() and (job.home / "gate.json").exists()):
            ingest(job)
            anonymize(job)
        return publish(job)


def _say_if_linkable(job: Run) -> None:
    """Releases under one key share pseudonyms: whoever has two can put their columns together, below k."""
    published = published_runs(job.spark, job.target)
    keys = read_key_ids(job.spark, job.target) if published else {}
    for name, run_id in published.items():
        if keys.get((run_id, name)) == key_id(job.key):
            job.progress(
                f"release {name} in TARGET was made with this key: who gets both can join them by pseudonym, and"
                " together they may single people out; give each reader one, or another --key-file"
            )


def run_stage(job: Run, name: str) -> None:
    """Run one stage of a run; the others must be run in their order: ingest, anonymize, publish.

    Raises:
        PolicyError: there is no stage of that name.
        ResumableError: an earlier stage has not been run.
    """
    stages: dict[str, Callable[[Run], object]] = {
        "ingest": ingest,
        "anonymize": anonymize,
        "publish": publish,
    }
    if name not in stages:
        raise PolicyError(f"there is no stage '{name}'; stages are {', '.join(stages)}")
    if check_name(published_runs(job.spark, job.target), run=job.id, name=job.name):
        job.progress(f"release {job.name} is published already; nothing to do")
        return
    with _locked(job.work):
        stages[name](job)


def ingest(job: Run) -> dict[str, BronzeTable]:
    """SOURCE to bronze and quarantine."""
    job.progress(f"ingest {len(job.located)} tables")
    with _timed(job, "ingest"):
        tables = ingest_tables(
            job.spark,
            job.located,
            job.loaded.schema,
            job.headers,
            work=job.work,
            fingerprint=job.source_fingerprint,
        )
    if fingerprint(job.located, job.spark) != job.source_fingerprint:
        raise ResumableError("the source changed while it was read; run again")
    return tables


def anonymize(job: Run) -> None:
    """Bronze to candidate: id maps, the search for the levels, and one pass over every table."""
    job.home.mkdir(parents=True, exist_ok=True)
    if not (job.home / "search.json").exists():
        job.progress("pseudonyms of every id")
        with _timed(job, "vault"):
            write_vault(job.spark, job.policy, job.bronze, key=job.key, vault=job.home / "vault")
        job.progress("search for the levels of least loss")
        with _timed(job, "search"):
            _decide(job)
    context = _context(job)
    context = replace(context, notes=avoiding_known(context.notes, context.known))
    bronze = _bronze_counts(job)
    (job.home / "passes").mkdir(exist_ok=True)
    job.progress(f"de-identify and generalize {len(bronze)} tables")

    def one(name: str) -> None:
        marker = job.home / "passes" / f"{name}.json"
        if not marker.exists():
            seen = write_candidate(
                job.bronze(name), name, context, rows=bronze[name].rows, candidate=job.candidate
            )
            _write_json(marker, asdict(seen))

    largest_first = sorted(bronze, key=lambda name: -bronze[name].rows)
    with _timed(job, "anonymize"):
        for_each(job.spark, largest_first, one)


def publish(job: Run) -> dict[str, Any]:
    """Measure the candidate, and publish it if it keeps every promise of the policy."""
    gate_file = job.home / "gate.json"
    document: dict[str, Any]
    if job.moved.exists() and gate_file.exists():
        document = json.loads(gate_file.read_text())
    else:
        job.progress("gate: measure what was written")
        with _timed(job, "gate"):
            verdict = _audit(job)
        if not verdict.passed:
            raise GateRefusedError(
                f"refused: {len(verdict.shortfalls)} of {len(verdict.checks)} checks failed; nothing was published",
                verdict.shortfalls,
            )
        _write_json(gate_file, _document(job, verdict))
        document = json.loads(gate_file.read_text())
    document["release"] = job.name
    job.progress(f"publish release {job.name}")
    with _locked(job.target, "another run is publishing to TARGET; run again"):
        if not check_name(published_runs(job.spark, job.target), run=job.id, name=job.name):
            move_candidate(job.candidate, job.target, job.id)
            commit(job.spark, job.target, document, job.policy.tables)
    return document


def _decide(job: Run) -> None:
    """Find the levels, and write what every person, admission and stay becomes."""
    check_unique(job.parsed, job.policy)
    task = PeopleSearch(job.parsed, job.policy, job.loaded.hierarchies)
    choice = task.choose_cap() if job.policy.cap == "auto" else None
    if choice is not None:
        job.progress(f"keep the earliest {choice.cap} admissions of a person")
        task = task.with_cap(choice.cap)
    tuples = task.tuples().persist()
    try:
        check_coverage(tuples, job.hierarchies)
        people = task.people(tuples).persist()
        patterns = task.patterns(people)
        if not patterns.total_people:
            raise InputError(
                f"table {job.policy.people.table} has no row that parses: there is nobody to release"
            )
        found = task.find(patterns)
        gone = [(key,) for key in patterns.keys(found.suppressed.patterns)]
        suppressed = job.spark.createDataFrame(gone, f"{PATTERN} array<bigint>").distinct()
        maps = make_maps(
            task.policy,
            job.hierarchies,
            read=job.parsed,
            vault=read_vault(job.spark, job.home / "vault", job.loaded),
            tuples=tuples,
            patterns=people,
            suppressed=suppressed,
            levels=_levels(found),
            placed=_placed(job, patterns, found),
            keep=lambda name, df: _kept(job, name, df),
        )
        people.unpersist()
    finally:
        tuples.unpersist()
    tried = None if choice is None else sorted(choice.tried.items())
    whole = WholeInput(patterns.total_people, patterns.totals())
    record = _search_record(found, whole) | {
        "cap": task.policy.cap,
        "caps_tried": tried,
        "map_rows": max(df.count() for df in (maps.people, maps.admissions, maps.stays) if df is not None),
    }
    _write_json(job.home / "search.json", record)


def _kept(job: Run, name: str, df: DataFrame) -> DataFrame:
    """A map, written and read back."""
    write_work(df.coalesce(4), job.home / "maps" / name)
    return work_reader(job.spark, job.home / "maps")(name)


def _in_order(whole: WholeInput) -> dict[str, list[str | None]]:
    """Values of every sensitive attribute in the order of their codes."""
    return {name: list(people) for name, people in whole.values.items()}


def _levels(found: Solution | LocalSolution) -> Levels:
    """The levels as WORK keeps them, people of parts counted exactly."""
    if isinstance(found, Solution):
        return found.levels
    return [{"levels": x, "people": n} for x, n in zip(found.parts, found.people, strict=True)]


def _placed(job: Run, patterns: PatternTable, found: Solution | LocalSolution) -> DataFrame | None:
    """``(pattern, _part)`` of every pattern that is released, where people are in parts."""
    if isinstance(found, Solution):
        return None
    kept = ~found.suppressed.patterns & (patterns.people > 0)
    rows = pa.table(
        {PATTERN: pa.array(patterns.keys(kept), pa.list_(pa.int64())), PART: pa.array(found.part[kept])}
    )
    return job.spark.createDataFrame(rows).distinct()


def _search_record(found: Solution | LocalSolution, whole: WholeInput) -> dict[str, Any]:
    node = found if isinstance(found, Solution) else found.full_domain
    record = {
        "people": whole.people,
        "sensitive": {name: list(people.items()) for name, people in whole.values.items()},
        "levels": _levels(found),
        "losses": found.losses,
        "loss": found.loss,
        "optimal": isinstance(found, Solution) and found.optimal,
        "nodes": {
            "total": node.nodes_total,
            "checked": node.nodes_checked,
            "feasible": node.nodes_feasible,
        },
        "suppressed": found.suppressed.people,
        "classes": found.suppressed.classes,
    }
    if isinstance(found, Solution):
        return record
    beside = {"levels": node.levels, "loss": node.loss, "suppressed": node.suppressed.people}
    return record | {"full_domain": beside}


def _context(job: Run) -> Context:
    """What the pass and the gate need, read back from WORK."""
    record = _searched(job)
    read = work_reader(job.spark, job.home / "maps")
    maps = Maps(
        read("people"),
        read("admissions") if job.policy.admissions else None,
        read("stays") if job.policy.stays else None,
    )
    vault = read_vault(job.spark, job.home / "vault", job.loaded)
    loaded = replace(job.loaded, policy=_settled(job, record))
    return Context(
        loaded,
        maps,
        vault,
        job.hierarchies,
        record["levels"],
        record["map_rows"],
        note_settings(job.policy, job.key),
        known_of_people(job.policy, job.parsed),
    )


def _searched(job: Run) -> dict[str, Any]:
    """What the search found."""
    if not (job.home / "search.json").exists():
        raise ResumableError("the levels have not been searched for; run anonymize first")
    record: dict[str, Any] = json.loads((job.home / "search.json").read_text())
    return record


def _settled(job: Run, record: Mapping[str, Any]) -> Policy:
    """The policy with the cap that the search chose."""
    return job.policy.model_copy(update={"cap": record["cap"]})


def _audit(job: Run) -> Verdict:
    names = sorted(job.policy.tables)
    if missing := [name for name in names if not (job.home / "passes" / f"{name}.json").exists()]:
        raise ResumableError(
            f"the candidate lacks {len(missing)} of {len(names)} tables; run anonymize again"
        )
    passes = {n: TablePass(**json.loads((job.home / "passes" / f"{n}.json").read_text())) for n in names}
    return audit(
        job.spark,
        _context(job),
        **_promises(job),
        candidate=files_reader(job.spark, job.candidate),
        bronze=job.bronze,
        passes=passes,
        ingested={name: table.rows for name, table in _bronze_counts(job).items()},
    )


def _promises(job: Run) -> dict[str, Any]:
    """The policy's criteria, and the input that the relative ones compare with."""
    record = _searched(job)
    whole = WholeInput(record["people"], {name: dict(pairs) for name, pairs in record["sensitive"].items()})
    aim = objective_of(job.policy, _in_order(whole), job.loaded.hierarchies)
    return {"criteria": aim.criteria, "whole": whole}


def _bronze_counts(job: Run) -> dict[str, BronzeTable]:
    counts = {}
    for name in job.policy.tables:
        marker = job.work / "bronze" / f"{name}.json"
        if not marker.exists():
            raise ResumableError(f"bronze of table {name} is not complete; run ingest again")
        record = json.loads(marker.read_text())
        if record.pop("made_from") != made_from(job.source_fingerprint, job.loaded.schema[name]):
            raise ResumableError(f"bronze of table {name} is of another source or schema; run ingest again")
        counts[name] = BronzeTable(**record)
    return counts


def _document(job: Run, verdict: Verdict) -> dict[str, Any]:
    """The ledger's entry: names, counts, measures and hashes."""
    record = _searched(job)
    tables = {name: _table_entry(job, name, verdict) for name in sorted(job.policy.tables)}
    rows = sum(table["suppressed"] for table in tables.values())
    cells = sum(sum(table["cells_suppressed"].values()) for table in tables.values())
    out = verdict.measured.people
    seconds_file = job.home / "seconds.json"
    return {
        "run": job.id,
        "release": job.name,
        "published_at": now(),
        "code_version": __version__,
        "key_id": key_id(job.key),
        "policy": {
            "name": job.policy.name,
            "hash": job.loaded.sha256,
            "profile": job.policy.profile,
            "k": job.policy.privacy.k,
            "l": job.policy.privacy.l,
            "attacker": job.policy.attacker.model_dump(),
            "suppression_limit": job.policy.suppression_limit,
            "document": _settled(job, record).model_dump(mode="json", by_alias=True),
            "hierarchies": {name: h.levels for name, h in job.loaded.hierarchies.items()},
        },
        "source": {"fingerprint": job.source_fingerprint},
        "people": {
            "in": verdict.people_in,
            "out": out,
            "suppressed": verdict.people_suppressed,
            "quarantined": verdict.people_in - out - verdict.people_suppressed,
        },
        "tables": tables,
        "suppression": {
            "people": verdict.people_suppressed,
            "rows": rows,
            "cells": cells,
            "limit": job.policy.suppression_limit,
        },
        "levels": _shown(record["levels"], job.policy.small_cell),
        "heights": {name: h.height for name, h in job.hierarchies.items()},
        "level_losses": record["losses"],
        "caps_tried": record["caps_tried"],
        "loss": record["loss"],
        "nodes": record["nodes"],
        **({"full_domain": record["full_domain"]} if "full_domain" in record else {}),
        "privacy": verdict.measured.as_dict(),
        "timing": verdict.timing.as_dict() if verdict.timing else None,
        "checks": [asdict(check) for check in verdict.checks],
        "seconds": json.loads(seconds_file.read_text()) if seconds_file.exists() else {},
    }


def _shown(levels: Levels, small_cell: int) -> Levels:
    """The levels as the ledger has them: parts of few people are not counted."""
    if isinstance(levels, Mapping):
        return levels
    few = f"<{small_cell}"
    return [{**part, "people": part["people"] if part["people"] >= small_cell else few} for part in levels]


def _table_entry(job: Run, name: str, verdict: Verdict) -> dict[str, Any]:
    seen = TablePass(**json.loads((job.home / "passes" / f"{name}.json").read_text()))
    rules = job.policy.tables[name].columns
    return {
        "in": seen.rows,
        "out": verdict.rows_out[name],
        "quarantined": sum(seen.reasons.get(reason, 0) for reason in QUARANTINED),
        "suppressed": sum(seen.reasons.get(reason, 0) for reason in SUPPRESSED),
        "capped": seen.reasons.get(CAPPED, 0),
        "reasons": seen.reasons,
        "dropped_columns": [c for c, rule in rules.items() if rule.treatment is Treatment.DROP],
        "cells_suppressed": seen.cells,
        "scrubbed": seen.scrubbed,
    }


@contextmanager
def _timed(job: Run, stage: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    place = job.home / "seconds.json"
    place.parent.mkdir(parents=True, exist_ok=True)
    seconds = json.loads(place.read_text()) if place.exists() else {}
    _write_json(place, seconds | {stage: round(time.monotonic() - began, 2)})


@contextmanager
def _locked(
    folder: Path, busy: str = "another run is using WORK; wait for it or give another --work"
) -> Iterator[None]:
    """Hold a folder for one run at a time; the lock ends with the process, however it ends."""
    with (folder / ".lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            raise ResumableError(busy) from None
        yield


def _write_json(place: Path, document: Any) -> None:
    """Write a whole file or none: a killed process leaves the earlier one."""
    partial = place.with_suffix(".partial")
    partial.write_text(json.dumps(document))
    partial.replace(place)
