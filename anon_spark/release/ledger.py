"""The ledger: one entry a published run, with everything that was counted and measured.

Entries hold names, counts and keyed hashes, never a value of the data. An entry counts only if ``_releases``
has its run and name: it is written first, keyed by both, and a repeated write does nothing.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession
from pyspark.sql import functions as F

LEDGER = "_ledger"
_COLUMNS = "run string, release string, published_at string, document string"


def write_entry(spark: SparkSession, target: Path, document: Mapping[str, Any]) -> None:
    """Append the entry of one run under one name; the same write again is a no-op."""
    row = [(document["run"], document["release"], document["published_at"], json.dumps(document))]
    (
        spark.createDataFrame(row, _COLUMNS)
        .coalesce(1)
        .write.format("delta")
        .mode("append")
        .option("delta.dataSkippingNumIndexedCols", "0")
        .option("txnAppId", f"ledger-{document['run']}-{document['release']}")
        .option("txnVersion", 1)
        .save(str(target / LEDGER))
    )


def read_entry(spark: SparkSession, target: Path, run: str, release: str) -> dict[str, Any]:
    """Return the entry of a run that is published under the name ``release``."""
    entries = spark.read.format("delta").load(str(target / LEDGER))
    rows = entries.where((F.col("run") == run) & (F.col("release") == release)).take(1)
    entry: dict[str, Any] = json.loads(rows[0]["document"])
    return entry


def read_key_ids(spark: SparkSession, target: Path) -> dict[tuple[str, str], str]:
    """Name of the key of every entry, by run and release; one read of the ledger."""
    entries = spark.read.format("delta").load(str(target / LEDGER))
    key = F.get_json_object("document", "$.key_id").alias("key")
    return {
        (row["run"], row["release"]): row["key"] for row in entries.select("run", "release", key).collect()
    }
