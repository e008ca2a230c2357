"""Seconds of the 48-hour features against the number of stay-hours, in a session with a small driver.

Every hour of every stay has a value of each of the 17 variables but the laboratory's. Only the features are timed,
from Parquet to Parquet, after a first small run that warms the session up.
"""

import argparse
import json
import shutil
import time
from pathlib import Path

from pyspark.sql import functions as F

from anon_spark.mimic3.cohort import build_cohort, find_task
from anon_spark.mimic3.cohort.codes import load_codes, load_variables
from anon_spark.session import get_session

HOURS = 48


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--stay-hours", default="250000,500000,1000000,2000000,4000000")
    parser.add_argument("--driver-memory", default="1g")
    parser.add_argument("--out", type=Path, default=Path("bench-features"))
    options = parser.parse_args()
    spark = get_session(conf={"spark.driver.memory": options.driver_memory})
    timed(spark, options.out, hours=20_000)
    for hours in (int(number) for number in options.stay_hours.split(",")):
        print(json.dumps(timed(spark, options.out, hours=hours)), flush=True)


def timed(spark, out: Path, *, hours: int) -> dict:
    """Seconds of the features of about so many stay-hours."""
    source = out / str(hours)
    make(spark, source, stays=-(-hours // HOURS))
    began = time.monotonic()
    cohort = build_cohort(lambda name: spark.read.parquet(str(source / name)), find_task("mortality"))
    cohort.people.write.mode("overwrite").parquet(str(out / "people"))
    seconds = time.monotonic() - began
    cohort.release()
    done = spark.read.parquet(str(out / "people")).count() * HOURS
    shutil.rmtree(source)
    return {
        "stay_hours": done,
        "seconds": round(seconds, 1),
        "per_million": round(seconds / done * 1e6, 1),
    }


def make(spark, source: Path, *, stays: int) -> None:
    """Adults with one stay of 50 hours each, charted every hour."""
    start = F.timestamp_seconds(F.lit(4_100_000_000))
    ids = spark.range(stays).select(
        *(F.col("id").alias(name) for name in ("SUBJECT_ID", "HADM_ID", "ICUSTAY_ID"))
    )
    tables = {
        "PATIENTS": ids.select("SUBJECT_ID", F.lit("F").alias("GENDER"), F.lit("60").alias("AGE")),
        "ADMISSIONS": ids.select(
            "SUBJECT_ID",
            "HADM_ID",
            F.lit("URGENT").alias("ADMISSION_TYPE"),
            (F.col("HADM_ID") % 9 == 0).cast("int").alias("HOSPITAL_EXPIRE_FLAG"),
            start.alias("ADMITTIME"),
        ),
        "ICUSTAYS": ids.select(
            "*", start.alias("INTIME"), F.timestamp_add("HOUR", F.lit(50), start).alias("OUTTIME")
        ),
    }
    codes = [code for code in load_codes(load_variables("benchmark")) if code.source == "CHARTEVENTS"]
    by_variable = {code.variable: code.itemid for code in codes}
    charted = ids.crossJoin(spark.range(HOURS).withColumnRenamed("id", "hour")).withColumn(
        "ITEMID", F.explode(F.array(*(F.lit(itemid) for itemid in by_variable.values())))
    )
    value = F.pmod(F.xxhash64("ICUSTAY_ID", "hour", "ITEMID"), F.lit(40)) + 60.0
    tables["CHARTEVENTS"] = charted.select(
        "HADM_ID",
        "ICUSTAY_ID",
        "ITEMID",
        F.timestamp_add("HOUR", F.col("hour").cast("int"), start).alias("CHARTTIME"),
        F.lit(None).cast("string").alias("VALUE"),
        value.alias("VALUENUM"),
    )
    tables["LABEVENTS"] = ids.select(
        "HADM_ID", F.lit(50931).alias("ITEMID"), start.alias("CHARTTIME"), F.lit(99.0).alias("VALUENUM")
    )
    for name, table in tables.items():
        table.write.mode("overwrite").parquet(str(source / name))


if __name__ == "__main__":
    main()
