"""What a stay is given and what leaves the body: INPUTEVENTS, OUTPUTEVENTS, PRESCRIPTIONS, PROCEDUREEVENTS."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.course import DAY, HOUR, MINUTE
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.mimic3.generate.rows import midnight, minute, moment, spread
from anon_spark.mimic3.generate.vocabulary import code_table

IDS = ("ICUSTAY_ID", "e")
ITEM = "itemid string, label string, category string, uom string, mean string"
DRUG = (
    "drug_type string, drug string, generic string, formulary string, gsn string, ndc string, strength string,"
    " dose string, dose_unit string, form string, form_unit string, route string"
)


def _given(stays: DataFrame, plan: Plan, table: str, *, linksto: str | None = None) -> DataFrame:
    """Spread the stays over ``table``, with an ``item`` of the stay's system, a second ``at`` and an ``amount``."""
    draws = plan.draws
    items = [row for row in code_table("other_items") if row["linksto"] == (linksto or table.lower())]
    item: Column = F.lit(None)
    for system in sorted({row["dbsource"] for row in items}):
        of_system = [row for row in items if row["dbsource"] == system]
        drawn = draws.pick_row(f"{table} {system}", of_system, ITEM, "weight", *IDS)
        item = F.when(F.col("DBSOURCE") == system, drawn).otherwise(item)
    rows = spread(stays, plan, table).withColumns(
        {
            "item": item,
            "at": minute(
                F.col("start") + (F.col("end") - F.col("start")) * draws.uniform(f"{table} at", *IDS) * 0.98
            ),
        }
    )
    scale = F.exp(0.5 * draws.bell(f"{table} amount", *IDS))
    return rows.withColumns(
        {
            "ITEMID": F.col("item.itemid"),
            "amount": F.round(F.col("item.mean").cast("double") * scale, 2),
            "CHARTTIME": moment("at"),
            "STORETIME": moment(F.col("at") + draws.whole("stored", 0, 120, *IDS) * MINUTE),
            "CGID": F.when(~draws.chance(0.005, "no giver", *IDS), plan.caregiver(table, *IDS)),
            "ORDERID": F.col("ROW_ID") % 9_000_000 + 1_000_000,
            "LINKORDERID": F.col("ROW_ID") % 9_000_000 + 1_000_000,
        }
    )


def infuse_carevue(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of INPUTEVENTS_CV."""
    draws = plan.draws
    drip = draws.chance(0.35, "drip", *IDS)
    return _given(stays, plan, "INPUTEVENTS_CV").withColumns(
        {
            "AMOUNT": F.when(~drip, F.col("amount")),
            "AMOUNTUOM": F.when(~drip, F.col("item.uom")),
            "RATE": F.when(drip, F.round(F.col("amount") / 20, 3)),
            "RATEUOM": F.when(drip, F.when(F.col("item.uom") == "U", "Uhr").otherwise("mcgkgmin")),
            "STOPPED": draws.pick("stopped", {None: 95, "Stopped": 2, "D/C'd": 2, "Restart": 1}, *IDS),
            "NEWBOTTLE": F.when(draws.chance(0.02, "bottle", *IDS), 1),
            "ORIGINALAMOUNT": F.when(draws.chance(0.4, "original", *IDS), F.col("amount")),
            "ORIGINALAMOUNTUOM": F.col("item.uom"),
            "ORIGINALROUTE": F.when(drip, "IV Drip").otherwise("Intravenous Push"),
            "ORIGINALRATE": F.when(drip, F.round(F.col("amount") / 10, 3)),
            "ORIGINALRATEUOM": F.when(drip, "ml/hr"),
        }
    )


def infuse_metavision(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of INPUTEVENTS_MV."""
    draws = plan.draws
    drip = F.col("item.uom").isin("ml", "mg") & draws.chance(0.6, "drip", *IDS)
    rows = _given(stays, plan, "INPUTEVENTS_MV").withColumns(
        {"minutes": F.when(drip, draws.whole("runs", 30, 600, *IDS)).otherwise(1), "drip": drip}
    )
    return rows.withColumns(
        {
            "STARTTIME": moment("at"),
            "ENDTIME": moment(F.col("at") + F.col("minutes") * MINUTE),
            "AMOUNT": F.col("amount"),
            "AMOUNTUOM": F.col("item.uom"),
            "RATE": F.when(F.col("drip"), F.round(F.col("amount") * 60 / F.col("minutes"), 4)),
            "RATEUOM": F.when(
                F.col("drip"), F.when(F.col("item.uom") == "ml", "mL/hour").otherwise("mg/hour")
            ),
            "ORDERCATEGORYNAME": F.when(F.col("item.category") == "Medications", "01-Drips")
            .when(F.col("item.category") == "Antibiotics", "08-Antibiotics (IV)")
            .otherwise("02-Fluids (Crystalloids)"),
            "SECONDARYORDERCATEGORYNAME": F.when(F.col("drip"), "02-Fluids (Crystalloids)"),
            "ORDERCOMPONENTTYPEDESCRIPTION": F.lit("Main order parameter"),
            "ORDERCATEGORYDESCRIPTION": F.when(F.col("drip"), "Continuous Med").otherwise("Drug Push"),
            "PATIENTWEIGHT": F.round(F.coalesce(F.col("height"), F.lit(40.0)) * 2.54 - 90, 1),
            "TOTALAMOUNT": F.when(F.col("drip"), F.col("amount")),
            "TOTALAMOUNTUOM": F.when(F.col("drip"), "ml"),
            "ISOPENBAG": F.lit(0),
            "CONTINUEINNEXTDEPT": F.lit(0),
            **_comments(plan),
            "ORIGINALAMOUNT": F.col("amount"),
            "ORIGINALRATE": F.round(F.col("amount") * 60 / F.col("minutes"), 3),
        }
    )


def _comments(plan: Plan) -> dict[str, Column]:
    """Orders that were rewritten have an editor, cancelled ones a canceller."""
    rewritten = plan.draws.chance(0.1, "rewritten", *IDS)
    cancelled = ~rewritten & plan.draws.chance(0.04, "cancelled", *IDS)
    return {
        "CANCELREASON": F.when(rewritten, 2).when(cancelled, 1).otherwise(0),
        "STATUSDESCRIPTION": F.when(rewritten | cancelled, "Rewritten").otherwise("FinishedRunning"),
        "COMMENTS_EDITEDBY": F.when(rewritten, "RN"),
        "COMMENTS_CANCELEDBY": F.when(cancelled, "RN"),
        "COMMENTS_DATE": F.when(rewritten | cancelled, moment(F.col("at") + HOUR)),
    }


def void(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of OUTPUTEVENTS."""
    return _given(stays, plan, "OUTPUTEVENTS").withColumns(
        {"VALUE": F.round("amount"), "VALUEUOM": F.col("item.uom")}
    )


def operate(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of PROCEDUREEVENTS_MV."""
    lasting = F.col("item.uom") == "min"
    minutes = F.when(lasting, F.floor(F.col("amount"))).otherwise(1)
    line = F.col("item.category").startswith("Access")
    return (
        _given(stays, plan, "PROCEDUREEVENTS_MV")
        .withColumns(
            {
                "STARTTIME": moment("at"),
                "ENDTIME": moment(F.col("at") + minutes * MINUTE),
                "VALUE": minutes,
                "VALUEUOM": F.col("item.uom"),
                "LOCATION": F.when(
                    line,
                    plan.draws.pick("location", ("Right Radial", "Right IJ", "L Antecube", "L Hand"), *IDS),
                ),
                "LOCATIONCATEGORY": F.when(line, "Peripheral - old"),
                "ORDERCATEGORYNAME": F.when(line, "Peripheral Lines").otherwise("Procedures"),
                "ORDERCATEGORYDESCRIPTION": F.when(lasting, "Task").otherwise("Electrolytes"),
                "ISOPENBAG": lasting.cast("int"),
                "CONTINUEINNEXTDEPT": F.lit(0),
                **_comments(plan),
            }
        )
        .withColumns({"ISOPENBAG": F.coalesce("ISOPENBAG", F.lit(0))})
    )


def prescribe(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of PRESCRIPTIONS; a third outside intensive care."""
    draws = plan.draws
    day = draws.index("starts", 4, *IDS) * DAY
    rows = spread(stays, plan, "PRESCRIPTIONS").withColumns(
        {
            "drug": draws.pick_row("drug", code_table("drugs"), DRUG, "weight", *IDS),
            "at": F.col("start") + day,
        }
    )
    entered = draws.chance(0.6, "entered by order", *IDS)
    return rows.withColumns(
        {
            "ICUSTAY_ID": F.when(~draws.chance(0.33, "outside", *IDS), F.col("ICUSTAY_ID")),
            "STARTDATE": F.when(~draws.chance(0.002, "no start", *IDS), midnight("at")),
            "ENDDATE": midnight(F.col("at") + draws.whole("lasts", 0, 6, *IDS) * DAY),
            "DRUG_TYPE": F.col("drug.drug_type"),
            "DRUG_NAME_POE": F.when(entered & F.col("drug.generic").isNotNull(), F.col("drug.drug")),
            "DRUG_NAME_GENERIC": F.when(entered, F.col("drug.generic")),
            "FORMULARY_DRUG_CD": F.col("drug.formulary"),
            "GSN": F.col("drug.gsn"),
            "NDC": F.col("drug.ndc"),
            "PROD_STRENGTH": F.col("drug.strength"),
            "DOSE_VAL_RX": F.col("drug.dose"),
            "DOSE_UNIT_RX": F.col("drug.dose_unit"),
            "FORM_VAL_DISP": F.col("drug.form"),
            "FORM_UNIT_DISP": F.col("drug.form_unit"),
            "ROUTE": F.col("drug.route"),
            "DRUG": F.col("drug.drug"),
        }
    )
