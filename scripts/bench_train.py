"""SparkXGBClassifier with two workers against xgboost in one process with two threads: same rows, same parameters.

For each number of rows it prints the seconds of both from Parquet to a booster, the AUROC of both on test rows, and
where Spark's seconds go: reading and sorting rows into the workers' partitions, handing them to Python, and the rest,
which is building the histogram matrix and growing trees in step. Rows that are there already are used again.
"""

import argparse
import json
import shutil
import subprocess
import sys
import time
from pathlib import Path

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
        found = {"rows": rows, "features": options.features, **on_spark(spark, place, options.trees)}
        told = subprocess.run(
            [sys.executable, __file__, "--one-process", str(place), "--trees", str(options.trees)],
            check=True,
            capture_output=True,
            text=True,
        )
        found["one_process"] = json.loads(told.stdout)
        found["times"] = round(found["seconds"] / found["one_process"]["seconds"], 2)
        found["auroc_difference"] = round(found["auroc"] - found["one_process"]["auroc"], 5)
        print(json.dumps(found), flush=True)
    shutil.rmtree(options.out / "part", ignore_errors=True)


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
    began = time.monotonic()
    model = fit_boost(rows, features="x", label="label", config=config(trees))
    seconds = time.monotonic() - began
    test = model.transform(rows.where("fold = 'test'"))
    scored = test.select("label", vector_to_array(F.col("probability"))[1].alias("score")).toArrow()
    return {
        "seconds": round(seconds, 1),
        "read_and_sort": round(read, 1),
        "hand_to_python": round(handed - read, 1),
        "build_and_grow": round(seconds - handed, 1),
        "auroc": round(float(roc_auc_score(scored["label"].to_numpy(), scored["score"].to_numpy())), 5),
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
    settings = config(trees).booster.model_dump()
    model = xgb.XGBClassifier(**settings, n_jobs=2)
    train, validation, test = (fold == name for name in FOLDS)
    loaded = time.monotonic() - began
    model.fit(x[train], y[train], eval_set=[(x[validation], y[validation])], verbose=False)
    seconds = time.monotonic() - began
    return {
        "seconds": round(seconds, 1),
        "load": round(loaded, 1),
        "auroc": round(float(roc_auc_score(y[test], model.predict_proba(x[test])[:, 1])), 5),
    }


if __name__ == "__main__":
    main()
