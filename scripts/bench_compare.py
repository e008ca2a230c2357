"""What releases of a generated source cost models, beside the best score there can be.

Makes the source, one release for each k and one with every quasi-identifier at its top level (the row that proves
that the comparison can fail), and compares model by model. What is in --out already is used again, so a run that was
stopped goes on; other settings need another --out.
"""

import argparse
import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark import pipeline
from anon_spark.learn.compare import compare_sides
from anon_spark.learn.scoring import Settings
from anon_spark.mimic3.cohort import find_task
from anon_spark.mimic3.cohort.people import first_adult_stays
from anon_spark.mimic3.generate import generate
from anon_spark.mimic3.generate.source import death_probability
from anon_spark.policy.load import load_policy
from anon_spark.release.evidence import comparison_sides, source_reader
from anon_spark.release.publish import open_release
from anon_spark.session import get_session


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--patients", type=int, default=20_000)
    parser.add_argument("--events-per-stay", type=int, default=60)
    parser.add_argument("--k", default="5", help="people a class, with commas between")
    parser.add_argument("--models", default="xgboost,forest,logistic")
    parser.add_argument("--tested", type=int, help="how many of the 5 folds are the test once [all]")
    parser.add_argument("--no-top", action="store_true", help="leave out the release at the top levels")
    parser.add_argument("--driver-memory", default="4g")
    parser.add_argument("--out", type=Path, default=Path("bench-compare"))
    options = parser.parse_args()
    spark = get_session(conf={"spark.driver.memory": options.driver_memory})
    source = options.out / "source"
    if not (options.out / "made").exists():
        with timed("generate"):
            generate(spark, source, patients=options.patients, events_per_stay=options.events_per_stay)
        (options.out / "made").touch()
    wanted = {f"k{k}": int(k) for k in options.k.split(",")}
    if not options.no_top:
        wanted["top"] = options.patients * 9 // 10  # only the top levels put so many people in one class
    for name, k in wanted.items():
        with timed(f"release {name}"):
            print(name, release(spark, source, options.out, name, k)["levels"])
    places = {m: options.out / f"comparison-{m}-{'-'.join(wanted)}.json" for m in options.models.split(",")}
    if missing := [model for model, place in places.items() if not place.exists()]:
        task, releases = find_task("mortality"), [open_release(spark, options.out / name) for name in wanted]
        with timed("features"):
            raw, sides = comparison_sides(
                spark,
                str(source),
                releases,
                [options.out / f"{name}-work" for name in wanted],
                task=task,
                sets=("benchmark", "laboratory"),  # the true probability depends on four laboratory values
                models=missing,
            )
        truth = true_scores(spark, source, options.patients).persist()
        for model in missing:
            with timed(f"compare {model}"):
                settings = Settings(models=(model,), tested=options.tested)
                document = compare_sides(raw, sides, task, settings, truth=truth)
            places[model].write_text(json.dumps(document, indent=1) + "\n")
    for place in places.values():
        show(json.loads(place.read_text()))


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def release(spark, source: Path, out: Path, name: str, k: int) -> dict:
    policy = out / f"{name}.yaml"
    policy.write_text(f"extends: mimic3\nname: {name}\nprivacy: {{k: {k}, l: 2}}\n")
    job = pipeline.prepare(spark, policy, source, out / name, work=out / f"{name}-work", release=name)
    return pipeline.run(job)


def true_scores(spark, source: Path, patients: int) -> DataFrame:
    """(SUBJECT_ID, score): the true probability of death of each adult's first admission with a stay."""
    read = source_reader(spark, str(source), load_policy("mimic3").policy)
    first = first_adult_stays(read).select("SUBJECT_ID", "HADM_ID")
    true = death_probability(spark, patients=patients).select("HADM_ID", F.col("p").alias("score"))
    return first.join(true, on="HADM_ID", how="inner").drop("HADM_ID")


def show(document: dict) -> None:
    print(f"{document['people']} people, {document['positives']} positives; left out {document['left_out']}")
    for row in document["models"]:
        for name, attack in (row.get("membership") or {}).items():
            if attack:
                told = attack["auroc"]
                print(
                    f"    {name} finds members: {told['value']:.3f} ({told['low']:.3f} to {told['high']:.3f})"
                )
        against = row.get("to_raw") or row.get("to_truth")
        auroc = row["metrics"]["auroc"]
        line = f"{row['model']:17} {row['learnt_from']:5} on {row['tested_on']:10} {auroc['value']:.4f}"
        if against:
            d = against["auroc"]
            line += f"  {d['value']:+.4f} ({d['low']:+.4f} to {d['high']:+.4f}) equivalent: {d['equivalent']}"
        print(line)


if __name__ == "__main__":
    main()
