"""Rows that are not released because of what they are: kept in WORK, with a reason, for the data's owner."""

from pathlib import Path

from pyspark.sql import DataFrame


def write_quarantine(rows: DataFrame, work: Path, table: str) -> None:
    """Replace ``WORK/quarantine/<table>`` by ``rows`` (``reason``, ``row``: JSON of the source's cells)."""
    rows.write.format("delta").mode("overwrite").option("delta.dataSkippingNumIndexedCols", "0").save(
        str(work / "quarantine" / table)
    )
