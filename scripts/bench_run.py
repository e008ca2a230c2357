"""A run and its anonymize pass against a plain CSV-to-Delta copy of the same tables in the same session.

Copy and run alternate; figures are medians, and ratios are taken pair by pair. Peak memory is the largest
resident size of the driver's JVM and of Python, sampled four times a second.
"""

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path

from memory import Memory

from anon_spark import pipeline
from anon_spark.ingest.lake import locate, read_headers
from anon_spark.ingest.read import read_source
from anon_spark.mimic3.generate import generate
from anon_spark.mimic3.schema import TABLES
from anon_spark.session import for_each, get_session

PEOPLE_PER_MILLION = 4000


def plain_copy(spark, source: Path, out: Path) -> float:
    """Every table read from CSV with its declared types and written as Delta, nothing else; seconds."""
    shutil.rmtree(out, ignore_errors=True)
    began = time.monotonic()
    located = locate(str(source), TABLES)
    headers = read_headers(located)

    def one(name: str) -> None:
        raw = read_source(spark, located[name], TABLES[name], headers[name])
        typed = [raw[c.name].try_cast(c.type).alias(c.name) for c in TABLES[name].columns]
        raw.select(*typed).write.format("delta").save(str(out / name))

    for_each(spark, sorted(located), one)
    return time.monotonic() - began


def whole_run(spark, policy: str, source: Path, out: Path) -> dict[str, float]:
    """The main job from source to release; seconds of each stage and in all."""
    for place in (out, Path(f"{out}-work")):
        shutil.rmtree(place, ignore_errors=True)
    began = time.monotonic()
    document = pipeline.run(pipeline.prepare(spark, policy, source, out))
    return {**document["seconds"], "total": time.monotonic() - began}


def bench(spark, folder: Path, rows: int, rounds: int) -> dict[str, object]:
    """Medians and paired ratios for a source of about ``rows`` CHARTEVENTS rows."""
    source = folder / f"source-{rows}"
    stays = rows * PEOPLE_PER_MILLION // 1_000_000
    made = generate(spark, source, patients=stays, events_per_stay=200)
    copies, runs = [], []
    for _ in range(rounds):
        copies.append(plain_copy(spark, source, folder / "copy"))
        runs.append(whole_run(spark, "mimic3", source, folder / "target"))
        print(f"copy {copies[-1]:.1f} s, run {runs[-1]}", file=sys.stderr, flush=True)
    shutil.rmtree(source)
    stages = {stage: round(statistics.median(run[stage] for run in runs), 1) for stage in runs[0]}
    passes = [run["anonymize"] / copy for run, copy in zip(runs, copies, strict=True)]
    wholes = [run["total"] / copy for run, copy in zip(runs, copies, strict=True)]
    return {
        "chartevents": made["CHARTEVENTS"],
        "rows": sum(made.values()),
        "copy_seconds": round(statistics.median(copies), 1),
        "stages_seconds": stages,
        "pass_over_copy": round(statistics.median(passes), 2),
        "run_over_copy": round(statistics.median(wholes), 2),
        "run_seconds": stages["total"],
        "rounds": rounds,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--rows", type=int, nargs="+", default=[1_000_000, 10_000_000], help="CHARTEVENTS rows"
    )
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    memory = Memory()
    spark = get_session("bench_run", conf={"spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 2))})
    with tempfile.TemporaryDirectory(prefix="anon-spark-bench-") as name:
        results = []
        for rows in options.rows:
            results.append(bench(spark, Path(name), rows, options.rounds))
            print(json.dumps(results[-1]), flush=True)
        if len(results) > 1:
            first, last = results[0], results[-1]
            print(
                json.dumps(
                    {
                        "rows_ratio": round(last["chartevents"] / first["chartevents"], 2),
                        "seconds_ratio": round(last["run_seconds"] / first["run_seconds"], 2),
                    }
                )
            )
        print(json.dumps(memory.peak_mib()))
    spark.stop()


if __name__ == "__main__":
    main()
