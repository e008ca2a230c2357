"""What releases of a generated source cost models, beside the best score there can be.

Makes the source, one release for each k and one with every quasi-identifier at its top level (the row that proves
that the comparison can fail), and compares the models on all of them. What is in --out already is used again, so a
run that was stopped goes on; other settings need another --out.
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
from anon_spark.learn.models import load_configs
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
    parser.add_argument("--seed", type=int, default=7, help="of the generated source")
    parser.add_argument("--k", default="5", help="people a class, with commas between")
    parser.add_argument(
        "--recoding", default="full_domain", help="full_domain, local, or both with a comma between"
    )
    parser.add_argument("--models", default="xgboost,forest,logistic")
    parser.add_argument("--settings", type=Path, help="folder of models' settings")
    parser.add_argument("--tested", type=int, help="how many of the 5 folds are the test once [all]")
    parser.add_argument("--no-top", action="store_true", help="leave out the release at the top levels")
    parser.add_argument("--driver-memory", default="4g")
    parser.add_argument("--out", type=Path, default=Path("bench-compare"))
    options = parser.parse_args()
    spark = get_session(conf={"spark.driver.memory": options.driver_memory})
    source = options.out / "source"
    if not (options.out / "made").exists():
        with timed("generate"):
            generate(
                spark,
                source,
                patients=options.patients,
                events_per_stay=options.events_per_stay,
                seed=options.seed,
            )
        (options.out / "made").touch()
    wanted = {
        f"k{k}" + ("-local" if recoding == "local" else ""): (int(k), recoding)
        for recoding in options.recoding.split(",")
        for k in options.k.split(",")
    }
    if not options.no_top:
        # only the top levels put so many people in one class
        wanted["top"] = (options.patients * 9 // 10, "full_domain")
    for name, (k, recoding) in wanted.items():
        with timed(f"release {name}"):
            print(name, release(spark, source, options.out, name, k, recoding)["loss"])
    place = options.out / f"comparison-{options.models}-{'-'.join(wanted)}.json".replace(",", "-")
    if not place.exists():
        place.write_text(json.dumps(compare(spark, source, options, list(wanted)), indent=1) + "\n")
    show(json.loads(place.read_text()))


def compare(spark, source: Path, options: argparse.Namespace, names: list[str]) -> dict:
    """All models on the source and on the releases of these names."""
    models = tuple(options.models.split(","))
    task, releases = find_task("mortality"), [open_release(spark, options.out / name) for name in names]
    with timed("features"):
        raw, sides = comparison_sides(
            spark,
            str(source),
            releases,
            [options.out / "work"] * len(releases),
            task=task,
            sets=("benchmark", "laboratory"),  # the true probability depends on four laboratory values
            models=models,
        )
    truth = true_scores(spark, source, options.patients, options.seed).persist()
    settings = Settings(models=models, tested=options.tested, configs=load_configs(models, options.settings))
    with timed("compare"):
        return compare_sides(raw, sides, task, settings, truth=truth)


@contextmanager
def timed(what: str) -> Iterator[None]:
    began = time.monotonic()
    yield
    print(f"{what}: {time.monotonic() - began:.1f} s", flush=True)


def release(spark, source: Path, out: Path, name: str, k: int, recoding: str) -> dict:
    policy = out / f"{name}.yaml"
    policy.write_text(f"extends: mimic3\nname: {name}\nrecoding: {recoding}\nprivacy: {{k: {k}, l: 2}}\n")
    job = pipeline.prepare(spark, policy, source, out / name, work=out / "work", release=name)
    return pipeline.run(job)


def true_scores(spark, source: Path, patients: int, seed: int) -> DataFrame:
    """(SUBJECT_ID, score): the true probability of death of each adult's first admission with a stay."""
    read = source_reader(spark, str(source), load_policy("mimic3").policy)
    first = first_adult_stays(read).select("SUBJECT_ID", "HADM_ID")
    true = death_probability(spark, patients=patients, seed=seed).select("HADM_ID", F.col("p").alias("score"))
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
