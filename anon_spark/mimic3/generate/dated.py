"""DATETIMEEVENTS: dates of lines and dressings, and the date of birth."""

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.course import DAY
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.mimic3.generate.rows import midnight, minute, moment, spread
from anon_spark.mimic3.generate.vocabulary import SYSTEMS, code_table

BIRTHS_SHARE = 0.7


def date(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of DATETIMEEVENTS: dates of lines and dressings, and the date of birth in MetaVision."""
    draws, ids = plan.draws, ("ICUSTAY_ID", "e")
    rows = spread(stays, plan, "DATETIMEEVENTS")
    items = [row for row in code_table("other_items") if row["linksto"] == "datetimeevents"]
    fields = "itemid string, uom string, mean string"
    of_system = {
        system: draws.pick_row("date", [r for r in items if r["dbsource"] == system], fields, "weight", *ids)
        for system in SYSTEMS
    }
    carevue = F.col("DBSOURCE") == "carevue"
    birth = ~carevue & (F.col("e") == 1) & draws.chance(BIRTHS_SHARE, "birth", "ICUSTAY_ID")
    at = minute(F.col("start") + (F.col("end") - F.col("start")) * draws.uniform("dated", *ids) * 0.98)
    rows = rows.withColumns(
        {
            "item": F.when(carevue, of_system["carevue"]).otherwise(of_system["metavision"]),
            "birth": birth,
            "at": at,
        }
    )
    days = draws.index("days", 6, *ids) * DAY
    line = F.when(F.col("item.uom") == "Date", midnight(F.col("at") - days)).otherwise(
        moment(F.col("at") - days)
    )
    return rows.withColumns(
        {
            "ITEMID": F.when(F.col("birth"), 226515).otherwise(F.col("item.itemid").cast("int")),
            "CHARTTIME": moment("at"),
            "STORETIME": moment(F.col("at") + draws.whole("stored", 0, 90, *ids) * 60),
            "CGID": plan.caregiver("dates", *ids),
            "VALUE": F.when(F.col("birth"), F.col("DOB")).when(~draws.chance(0.01, "undated", *ids), line),
            "VALUEUOM": F.when(F.col("birth"), "Date").otherwise(F.col("item.uom")),
            "WARNING": F.when(~carevue, 0),
            "ERROR": F.when(~carevue, 0),
            "STOPPED": F.when(carevue, "NotStopd"),
        }
    )
