"""SparkXGBClassifier with two workers against xgboost in one process with two threads: same rows, same parameters.

For each number of rows it prints the median seconds of both from Parquet to a booster, taken in turns, the AUROC of
both on test rows, and where the seconds go: reading (and, on Spark, sorting rows into the workers' partitions), handing
rows to Python, building the histogram matrix with a first tree, and growing the other trees. Rows that are there
already are used again.
"""

import argparse
import json
import subprocess
import sys
import time
from pathlib import Path
from statistics import median

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import xgboost as xgb
from pyspark.ml.functions import vector_to_array
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from sklearn.metrics import roc_auc_score

from anon_spark.learn.boost import BoostConfig, fit_boost
from anon_spark.learn.rows import ordered
from anon_spark.session import get_session

FOLDS = {"train": 0.7, "validation": 0.1, "test": 0.2}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", default="500000,1000000,2000000,4000000")
    parser.add_argument("--features", type=int, default=60)
    parser.add_argument("--trees", type=int, default=100)
    parser.add_argument("--repeats", type=int, default=3)
    parser.add_argument("--driver-memory", default="6g")
    parser.add_argument("--out", type=Path, default=Path("bench-train"))
    parser.add_argument("--one-process", help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one_process:
        print(json.dumps(in_one_process(Path(options.one_process), options.trees)))
        return
    spark = get_session(conf={"spark.driver.memory": options.driver_memory})
    for rows in (int(number) for number in options.rows.split(",")):
        place = options.out / f"{rows}x{options.features}"
        if not (place / "_SUCCESS").exists():
            make(spark, rows, options.features, place)
        found: dict[str, list[dict]] = {"spark": [], "one_process": []}
        for _ in range(options.repeats):
            found["spark"].append(on_spark(spark, place, options.trees))
            told = subprocess.run(
                [sys.executable, __file__, "--one-process", str(place), "--trees", str(options.trees)],
                check=True,
                capture_output=True,
                text=True,
            )
            found["one_process"].append(json.loads(told.stdout))
        times = [
            ours["seconds"] / theirs["seconds"]
            for ours, theirs in zip(found["spark"], found["one_process"], strict=True)
        ]
        middle = {
            who: {
                part: round(median(one[part] for one in runs), 5 if part == "auroc" else 1)
                for part in runs[0]
            }
            for who, runs in found.items()
        }
        of = {
            "rows": rows,
            "features": options.features,
            "times": round(median(times), 2),
            "times_of_each": [round(one, 2) for one in times],
            "auroc_difference": round(middle["spark"]["auroc"] - middle["one_process"]["auroc"], 5),
        }
        print(json.dumps(of | middle), flush=True)


def make(spark, rows: int, features: int, place: Path) -> None:
    """Uniform features; ten of them and two products decide the label."""
    x = F.expr(f"transform(sequence(1, {features}), i -> pmod(xxhash64(id, i), 2000003) / 1000001.5D - 1)")
    table = spark.range(rows).withColumn("x", x)
    logit = F.expr("aggregate(slice(x, 1, 10), 0D, (sum, v) -> sum + v)") + 2 * F.expr(
        "x[10] * x[11] + x[12] * x[13]"
    )
    uniform = F.expr("pmod(xxhash64(id, -1), 1000003) / 1000003.0D")
    place_of = F.expr("pmod(xxhash64(id, -2), 10000) / 10000.0D")
    fold = (
        F.when(place_of < FOLDS["train"], "train")
        .when(place_of < 1 - FOLDS["test"], "validation")
        .otherwise("test")
    )
    table.select(
        F.col("id").alias("SUBJECT_ID"),
        (uniform < 1 / (1 + F.exp(-logit))).cast("int").alias("label"),
        fold.alias("fold"),
        "x",
    ).write.mode("overwrite").parquet(str(place))


def config(trees: int) -> BoostConfig:
    return BoostConfig.model_validate(
        {"workers": 2, "booster": {"n_estimators": trees, "early_stopping_rounds": trees}}
    )


def on_spark(spark, place: Path, trees: int) -> dict:
    rows = spark.read.parquet(str(place))
    known = rows.where("fold <> 'test'")
    sorted_rows = ordered(known, 2, "label", "x")
    read = timed(lambda: sorted_rows.write.format("noop").mode("overwrite").save())
    handed = timed(lambda: counted(sorted_rows))
    first = timed(lambda: fit_boost(rows, features="x", label="label", config=config(1)))
    began = time.monotonic()
    model = fit_boost(rows, features="x", label="label", config=config(trees))
    seconds = time.monotonic() - began
    test = model.transform(rows.where("fold = 'test'"))
    scored = test.select("label", vector_to_array(F.col("probability"))[1].alias("score")).toArrow()
    return {
        "seconds": seconds,
        "read": read,
        "hand_to_python": handed - read,
        "build": first - handed,
        "grow": seconds - first,
        "auroc": float(roc_auc_score(scored["label"].to_numpy(), scored["score"].to_numpy())),
    }


def counted(rows: DataFrame) -> int:
    def count(batches):
        yield pa.RecordBatch.from_pydict({"n": [sum(batch.num_rows for batch in batches)]})

    return sum(row["n"] for row in rows.mapInArrow(count, "n bigint").collect())


def timed(work) -> float:
    began = time.monotonic()
    work()
    return time.monotonic() - began


def in_one_process(place: Path, trees: int) -> dict:
    began = time.monotonic()
    table = pq.read_table(place)
    x = table["x"].combine_chunks().flatten().to_numpy().reshape(table.num_rows, -1)
    y, fold = table["label"].to_numpy(), np.asarray(table["fold"])
    train, validation, test = (fold == name for name in FOLDS)
    read = time.monotonic() - began

    def fit(rounds: int) -> xgb.XGBClassifier:
        model = xgb.XGBClassifier(**config(rounds).booster.model_dump(), n_jobs=2)
        return model.fit(x[train], y[train], eval_set=[(x[validation], y[validation])], verbose=False)

    first = timed(lambda: fit(1))
    began = time.monotonic()
    model = fit(trees)
    seconds = time.monotonic() - began
    return {
        "seconds": read + seconds,
        "read": read,
        "hand_to_python": 0.0,
        "build": first,
        "grow": seconds - first,
        "auroc": float(roc_auc_score(y[test], model.predict_proba(x[test])[:, 1])),
    }


if __name__ == "__main__":
    main()
