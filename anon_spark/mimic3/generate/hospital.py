"""PATIENTS, ADMISSIONS, ICUSTAYS and how people move through the hospital: TRANSFERS, SERVICES, CALLOUT."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate import vocabulary
from anon_spark.mimic3.generate.course import DAY, HOUR, MINUTE
from anon_spark.mimic3.generate.identity import mention
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.mimic3.generate.rows import midnight, moment

PLACE = ("person", "j")


def describe(admissions: DataFrame, plan: Plan) -> DataFrame:
    """Add ADMISSIONS' own columns and the person's date of birth to every admission."""
    draws = plan.draws
    old = F.col("years") > 70
    born = F.to_date(moment("first_admitted"))
    emergency = F.col("ADMISSION_TYPE") == "EMERGENCY"
    rows = admissions.withColumns(
        {
            "DOB": F.when(F.col("newborn"), born)
            .when(F.col("over_89"), F.add_months(born, -3600))
            .otherwise(F.date_sub(born, F.floor(F.col("age") * 365.25).cast("int")))
            .cast("timestamp"),
            "ADMITTIME": moment("admitted"),
            "DISCHTIME": moment("discharged"),
            "DEATHTIME": F.when(F.col("died"), moment("discharged")),
            "ADMISSION_LOCATION": _arrival(plan),
            "DISCHARGE_LOCATION": F.when(F.col("died"), "DEAD/EXPIRED")
            .when(F.col("newborn"), "HOME")
            .otherwise(draws.pick("leaves for", vocabulary.DISCHARGES, *PLACE)),
            "LANGUAGE": F.when(~draws.chance(0.1, "no language", *PLACE), F.col("language")),
            "RELIGION": F.when(~draws.chance(0.02, "no religion", *PLACE), F.col("religion")),
            "MARITAL_STATUS": F.when(F.col("newborn"), F.lit(None))
            .when(old, draws.pick("marital old", vocabulary.MARITAL_OLD, "person"))
            .otherwise(draws.pick("marital", vocabulary.MARITAL, "person")),
            "ETHNICITY": F.when(
                (F.col("j") > 0) & draws.chance(0.12, "other answer", *PLACE),
                draws.pick("answer", vocabulary.OTHER_ANSWERS, *PLACE),
            ).otherwise(F.col("ethnicity")),
            "waited": F.when(
                emergency & draws.chance(0.8, "waited", *PLACE), draws.whole("wait", 90, 700, *PLACE) * MINUTE
            ),
            "HOSPITAL_EXPIRE_FLAG": F.col("died").cast("int"),
            "HAS_CHARTEVENTS_DATA": F.lit(1),
        }
    )
    text = F.col("presentation.text")
    planted = F.concat(text, F.lit("; "), F.upper(mention(plan, *PLACE)))
    return rows.withColumns(
        {
            "EDREGTIME": moment(F.col("admitted") - F.col("waited")),
            "EDOUTTIME": moment(
                F.col("admitted")
                + F.when(F.col("waited").isNotNull(), draws.whole("kept", 5, 110, *PLACE) * MINUTE)
            ),
            "DIAGNOSIS": F.when(
                ~draws.chance(0.002, "no diagnosis", *PLACE),
                F.when(draws.chance(0.03, "planted diagnosis", *PLACE), F.coalesce(planted, text)).otherwise(
                    text
                ),
            ),
        }
    )


def _arrival(plan: Plan) -> Column:
    place = F.lit(None).cast("string")
    for kind, words in vocabulary.ARRIVALS.items():
        place = F.when(
            F.col("ADMISSION_TYPE") == kind, plan.draws.pick(f"arrival {kind}", words, *PLACE)
        ).otherwise(place)
    return place


def register(admissions: DataFrame, plan: Plan) -> DataFrame:
    """Rows of PATIENTS: each person once, from their last admission."""
    draws = plan.draws
    died, after = F.col("died"), F.exp(5.0 + 1.2 * draws.bell("survives", "person"))
    later = ~died & (draws.uniform("dies later", "person") < F.col("years") / 280)
    death = F.when(died, midnight("discharged")).when(
        later, midnight(F.col("discharged") + F.floor(F.least(after, F.lit(1500.0)) + 1) * DAY)
    )
    known = died & ~draws.chance(0.75, "in registry", "person")
    return admissions.where(F.col("j") == F.col("lived") - 1).withColumns(
        {
            "ROW_ID": F.col("person") + 1,
            "DOD": death,
            "DOD_HOSP": F.when(died, death),
            "DOD_SSN": F.when(~known, death),
            "EXPIRE_FLAG": death.isNotNull().cast("int"),
        }
    )


def number_admissions(admissions: DataFrame, _plan: Plan) -> DataFrame:
    """Rows of ADMISSIONS."""
    return admissions.withColumn("ROW_ID", F.col("admission") + 1)


def number_stays(stays: DataFrame, _plan: Plan) -> DataFrame:
    """Rows of ICUSTAYS."""
    return stays.withColumns(
        {
            "ROW_ID": F.col("stay") + 1,
            "FIRST_CAREUNIT": F.col("care.unit"),
            "LAST_CAREUNIT": F.col("care.unit"),
            "FIRST_WARDID": F.col("care.ward"),
            "LAST_WARDID": F.col("care.ward"),
            "INTIME": moment("start"),
            "OUTTIME": moment("end"),
            "LOS": F.round((F.col("end") - F.col("start")) / DAY, 4),
        }
    )


def transfer(stays: DataFrame, _plan: Plan) -> DataFrame:
    """Rows of TRANSFERS: into intensive care, on to a ward, and out of the hospital after the last stay."""
    unit, ward, on_ward = F.col("care.unit"), F.col("care.ward"), F.col("next_ward")
    goes_on = ~(F.col("last_stay") & F.col("dies_in_care"))
    again = F.col("entered_again")
    until = F.when(F.col("last_stay"), F.col("discharged")).otherwise(again)
    first = F.when(F.col("k") == 0, "admit").otherwise("transfer")
    came_from = F.when(F.col("k") > 0, on_ward)
    moves = F.array(
        _move(0, first, None, unit, came_from, ward, F.col("start"), F.col("end"), stay=F.col("ICUSTAY_ID")),
        F.when(goes_on, _move(1, F.lit("transfer"), unit, None, ward, on_ward, F.col("end"), until)),
        F.when(
            F.col("last_stay"),
            _move(
                2,
                F.lit("discharge"),
                F.when(~goes_on, unit),
                None,
                F.when(goes_on, on_ward).otherwise(ward),
                None,
                F.col("discharged"),
                None,
            ),
        ),
    )
    rows = stays.select("SUBJECT_ID", "HADM_ID", "stay", "DBSOURCE", F.explode(moves).alias("move"))
    rows = rows.where(F.col("move").isNotNull()).select("SUBJECT_ID", "HADM_ID", "stay", "DBSOURCE", "move.*")
    return rows.withColumns(
        {
            "ROW_ID": F.col("stay") * 3 + F.col("step") + 1,
            "LOS": F.round((F.col("until") - F.col("since")) / HOUR, 2),
            "INTIME": moment("since"),
            "OUTTIME": moment("until"),
        }
    )


def _move(
    step: int,
    kind: Column,
    unit_before: Column | None,
    unit: Column | None,
    ward_before: Column | None,
    ward: Column | None,
    since: Column,
    until: Column | None,
    stay: Column | None = None,
) -> Column:
    fields = {
        "step": (F.lit(step), "int"),
        "ICUSTAY_ID": (stay, "bigint"),
        "EVENTTYPE": (kind, "string"),
        "PREV_CAREUNIT": (unit_before, "string"),
        "CURR_CAREUNIT": (unit, "string"),
        "PREV_WARDID": (ward_before, "int"),
        "CURR_WARDID": (ward, "int"),
        "since": (since, "bigint"),
        "until": (until, "bigint"),
    }
    return F.struct(
        *(
            (F.lit(None) if value is None else value).cast(kind).alias(n)
            for n, (value, kind) in fields.items()
        )
    )


def serve(admissions: DataFrame, plan: Plan) -> DataFrame:
    """Rows of SERVICES: the service on arrival, and for some another one later."""
    moved = plan.draws.chance(0.2, "another service", *PLACE)
    rows = admissions.select(
        "*", F.explode(F.sequence(F.lit(0), F.when(moved & ~F.col("newborn"), 1).otherwise(0))).alias("turn")
    )
    service, again = F.col("presentation.service"), F.col("turn") == 1
    other = F.when(service == "MED", "SURG").otherwise("MED")
    return rows.withColumns(
        {
            "ROW_ID": F.col("admission") * 2 + F.col("turn") + 1,
            "TRANSFERTIME": moment(F.when(again, F.col("left")).otherwise(F.col("entered"))),
            "PREV_SERVICE": F.when(again, service),
            "CURR_SERVICE": F.when(again, other).otherwise(service),
        }
    )


def call_out(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of CALLOUT: three in five of the stays that end in a ward."""
    draws, ids = plan.draws, ("ICUSTAY_ID",)
    rows = stays.where(~(F.col("last_stay") & F.col("dies_in_care")) & draws.chance(0.6, "called out", *ids))
    asked = F.col("end") - draws.whole("asked", 1, 36, *ids) * 600
    cancelled = draws.chance(0.08, "cancelled", *ids)
    revised = draws.chance(0.05, "revised", *ids)
    service = F.col("presentation.service")
    return rows.withColumns(
        {
            "ROW_ID": F.col("stay") + 1,
            "SUBMIT_WARDID": F.col("care.ward"),
            "SUBMIT_CAREUNIT": F.when(draws.chance(0.1, "submit unit", *ids), F.col("care.unit")),
            "CURR_WARDID": F.col("next_ward"),
            "CURR_CAREUNIT": F.col("care.unit"),
            "CALLOUT_WARDID": F.when(draws.chance(0.8, "first ward", *ids), 1).otherwise(F.col("next_ward")),
            "CALLOUT_SERVICE": service,
            "REQUEST_TELE": draws.chance(0.45, "tele", *ids).cast("int"),
            "REQUEST_RESP": F.lit(0),
            "REQUEST_CDIFF": draws.chance(0.08, "cdiff", *ids).cast("int"),
            "REQUEST_MRSA": draws.chance(0.2, "mrsa", *ids).cast("int"),
            "REQUEST_VRE": draws.chance(0.1, "vre", *ids).cast("int"),
            "CALLOUT_STATUS": F.lit("Inactive"),
            "CALLOUT_OUTCOME": F.when(cancelled, "Cancelled").otherwise("Discharged"),
            "DISCHARGE_WARDID": F.when(~cancelled, F.col("next_ward")),
            "ACKNOWLEDGE_STATUS": F.when(revised, "Revised").otherwise("Acknowledged"),
            "CREATETIME": moment(asked),
            "UPDATETIME": moment(asked),
            "ACKNOWLEDGETIME": F.when(~revised, moment(asked + draws.whole("noted", 1, 90, *ids) * MINUTE)),
            "OUTCOMETIME": moment("end"),
        }
    )
