"""What billing codes: DIAGNOSES_ICD, PROCEDURES_ICD, DRGCODES, CPTEVENTS."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.course import DAY
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.mimic3.generate.rows import midnight, spread
from anon_spark.mimic3.generate.vocabulary import code_table

MOST_DIAGNOSES, MOST_PROCEDURES = 39, 8
BILLED = [
    ("ICU", "99291", "Evaluation and management", "Critical care services", None, 8),
    ("ICU", "99233", "Evaluation and management", "Hospital inpatient services", None, 8),
    ("ICU", "99232", "Evaluation and management", "Hospital inpatient services", None, 8),
    ("ICU", "99254", "Evaluation and management", "Consultations", None, 2),
    ("ICU", "90945", "Medicine", "Dialysis", None, 1),
    ("ICU", "36556", "Surgery", "Cardiovascular system", None, 1),
    ("ICU", "31624", "Surgery", "Respiratory system", None, 1),
    ("Resp", "94003", "Medicine", "Pulmonary", "VENT MGMT;SUBSQ DAYS(INVASIVE)", 5),
    ("Resp", "94002", "Medicine", "Pulmonary", "VENT MGMT, 1ST DAY (INVASIVE)", 1),
]
BILL = "costcenter string, code string, section string, subsection string, description string"


def _codes(plan: Plan, table: str, count: Column, first: list[Column]) -> Column:
    """``first`` and then up to ``count`` drawn codes, none twice."""
    places = F.sequence(F.lit(1), F.greatest(count, F.lit(1)))

    def drawn(group: str) -> Column:
        weights = {row["code"]: int(row["weight"]) for row in code_table(table) if row["group"] == group}
        return F.transform(places, lambda n: plan.draws.pick(f"{table} codes", weights, "HADM_ID", n))

    codes = F.when(F.col("newborn"), drawn("newborn")).otherwise(drawn("adult"))
    return F.array_distinct(F.concat(F.array(*first), codes) if first else codes)


def diagnose(admissions: DataFrame, plan: Plan) -> DataFrame:
    """Rows of DIAGNOSES_ICD: the primary diagnosis fits the admission's text, SEQ_NUM runs from 1."""
    further = F.exp(2.0 + 0.55 * plan.draws.bell("diagnoses", "HADM_ID"))
    count = F.least(
        F.when(F.col("newborn"), further / 3).otherwise(further).cast("int"), F.lit(MOST_DIAGNOSES - 1)
    )
    codes = _codes(plan, "diagnoses", count, [F.col("presentation.code")])
    rows = admissions.select(
        "SUBJECT_ID", "HADM_ID", "admission", F.posexplode(codes).alias("place", "ICD9_CODE")
    )
    return rows.withColumns(
        {
            "ROW_ID": F.col("admission") * (MOST_DIAGNOSES + 1) + F.col("place") + 1,
            "SEQ_NUM": F.col("place") + 1,
        }
    )


def code_procedures(admissions: DataFrame, plan: Plan) -> DataFrame:
    """Rows of PROCEDURES_ICD; one admission in six has none."""
    draws = plan.draws
    rows = admissions.where(~draws.chance(0.16, "no procedure", "HADM_ID"))
    codes = _codes(
        plan, "procedures", draws.whole("procedures", 1, MOST_PROCEDURES, "HADM_ID").cast("int"), []
    )
    rows = rows.select("SUBJECT_ID", "HADM_ID", "admission", F.posexplode(codes).alias("place", "ICD9_CODE"))
    return rows.withColumns(
        {"ROW_ID": F.col("admission") * MOST_PROCEDURES + F.col("place") + 1, "SEQ_NUM": F.col("place") + 1}
    )


def group(admissions: DataFrame, plan: Plan) -> DataFrame:
    """Rows of DRGCODES: one of HCFA or MS, and for most one of APR with its severity."""
    draws = plan.draws
    rows = admissions.select(
        "*", F.explode(F.sequence(F.lit(0), draws.chance(0.7, "graded", "HADM_ID").cast("int"))).alias("turn")
    )
    kinds = (
        F.when(F.col("turn") == 1, "APR").when(draws.chance(0.6, "older", "HADM_ID"), "HCFA").otherwise("MS")
    )
    picked: Column = F.lit(None)
    for kind in ("APR", "HCFA", "MS"):
        for grown in ("adult", "newborn"):
            fitting = [row for row in code_table("drgs") if (row["drg_type"], row["group"]) == (kind, grown)]
            drawn = draws.pick_row(
                f"drg {kind}", fitting, "code string, description string", "weight", "HADM_ID"
            )
            picked = F.when((kinds == kind) & (F.col("newborn") == (grown == "newborn")), drawn).otherwise(
                picked
            )
    apr = F.col("turn") == 1
    severity = draws.whole("severity of illness", 1, 4, "HADM_ID")
    return rows.withColumns({"picked": picked, "kind": kinds}).withColumns(
        {
            "ROW_ID": F.col("admission") * 2 + F.col("turn") + 1,
            "DRG_TYPE": F.when(apr, "APR ").otherwise(F.col("kind")),
            "DRG_CODE": F.when(apr, F.concat(F.col("picked.code"), severity.cast("string"))).otherwise(
                F.col("picked.code")
            ),
            "DESCRIPTION": F.col("picked.description"),
            "DRG_SEVERITY": F.when(apr, severity),
            "DRG_MORTALITY": F.when(apr, draws.whole("risk of mortality", 1, 4, "HADM_ID")),
        }
    )


def bill(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of CPTEVENTS; those of respiratory care have a date and no ticket."""
    draws, ids = plan.draws, ("ICUSTAY_ID", "e")
    names = ("costcenter", "code", "section", "subsection", "description", "weight")
    picked = draws.pick_row(
        "bill", [dict(zip(names, row, strict=True)) for row in BILLED], BILL, "weight", *ids
    )
    rows = spread(stays, plan, "CPTEVENTS").withColumn("billed", picked)
    breathing = F.col("billed.costcenter") == "Resp"
    day = F.floor((F.col("end") - F.col("start")) * draws.uniform("billed on", *ids) / DAY) * DAY
    return rows.withColumns(
        {
            "COSTCENTER": F.col("billed.costcenter"),
            "CHARTDATE": F.when(breathing, midnight(F.col("start") + day)),
            "CPT_CD": F.col("billed.code"),
            "CPT_NUMBER": F.col("billed.code").cast("int"),
            "TICKET_ID_SEQ": F.when(~breathing, F.col("e")),
            "SECTIONHEADER": F.col("billed.section"),
            "SUBSECTIONHEADER": F.col("billed.subsection"),
            "DESCRIPTION": F.col("billed.description"),
        }
    )
