"""The public code tables D_*, and CAREGIVERS."""

from typing import Any

from pyspark.sql import DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.draws import literal
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.mimic3.generate.vocabulary import code_table

CARERS = [
    ("RO", "Read Only", 22),
    ("Res", "Resident/Fellow/PA/NP", 16),
    ("MD", None, 12),
    ("RN", "RN", 16),
    ("RN", None, 10),
    ("MD", "Attending", 5),
    ("Rehab", "Rehabilitation", 3),
    ("MDs", "Resident/Fellow/PA/NP", 3),
    ("RRT", "Respiratory", 3),
    ("PCT", "PCT/NA", 3),
    ("RPH", "Pharmacist", 2),
    ("SW", "Social Worker", 1),
    ("RD", "Dietitian", 1),
    (None, None, 1),
]


def _table(spark: SparkSession, rows: list[dict[str, Any]]) -> DataFrame:
    """A small table of text columns, its ROW_IDs from 1 in the order given."""
    names = list(rows[0])
    ddl = "array<struct<" + ",".join(f"{name}:string" for name in names) + ",ROW_ID:int>>"
    numbered = [{**row, "ROW_ID": place} for place, row in enumerate(rows, start=1)]
    return spark.range(1).select(F.inline(literal(numbered, ddl)))


def items(spark: SparkSession) -> DataFrame:
    """Rows of D_ITEMS."""
    charted = [
        {**row, "dbsource": row["source"], "linksto": "chartevents"} for row in code_table("chart_items")
    ]
    names = ("itemid", "label", "abbreviation", "dbsource", "linksto", "category", "unitname", "param_type")
    known = sorted([*charted, *code_table("other_items")], key=lambda row: int(row["itemid"]))
    return _table(spark, [{name.upper(): row[name] for name in names} for row in known])


def lab_items(spark: SparkSession) -> DataFrame:
    """Rows of D_LABITEMS."""
    names = {
        "itemid": "ITEMID",
        "label": "LABEL",
        "fluid": "FLUID",
        "category": "CATEGORY",
        "loinc": "LOINC_CODE",
    }
    return _table(spark, [{new: row[old] for old, new in names.items()} for row in code_table("lab_items")])


def icd_codes(spark: SparkSession, table: str) -> DataFrame:
    """Rows of D_ICD_DIAGNOSES or D_ICD_PROCEDURES."""
    names = {"code": "ICD9_CODE", "short": "SHORT_TITLE", "long": "LONG_TITLE"}
    known = sorted(code_table(table), key=lambda row: str(row["code"]))
    return _table(spark, [{new: row[old] for old, new in names.items()} for row in known])


def cpt_sections(spark: SparkSession) -> DataFrame:
    """Rows of D_CPT."""
    return _table(spark, list(code_table("cpt_sections")))


def caregivers(spark: SparkSession, plan: Plan) -> DataFrame:
    """Rows of CAREGIVERS."""
    carers = [{"LABEL": label, "DESCRIPTION": text, "weight": weight} for label, text, weight in CARERS]
    picked = plan.draws.pick_row("carer", carers, "LABEL string, DESCRIPTION string", "weight", "id")
    rows = spark.range(plan.caregivers).select("id", picked.alias("carer"))
    return rows.select((F.col("id") + 1).alias("ROW_ID"), plan.cgids.of(F.col("id")).alias("CGID"), "carer.*")
