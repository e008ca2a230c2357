"""People, their admissions and intensive care stays: what all tables are made from.

Each frame keeps the columns of the one before it, so no table needs a join. Columns in lower case are the
generator's own, those in upper case are the source's; times are seconds since 1970.
"""

from datetime import UTC, datetime

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from anon_spark.mimic3.generate import course, vocabulary
from anon_spark.mimic3.generate.course import DAY, HOUR, MINUTE
from anon_spark.mimic3.generate.outcome import LATENTS
from anon_spark.mimic3.generate.plan import EVENTS, SECOND_STAY, Plan
from anon_spark.mimic3.generate.vocabulary import code_table

FIRST_DAY = int(datetime(2100, 6, 1, tzinfo=UTC).timestamp())
BASE_DAYS = 84 * 365
NEWBORN_SHARE, OVER_89_SHARE = 0.095, 0.065
METAVISION_SHARE = 0.42
PRESENTATION = "text string, code string, service string"


def populate(spark: SparkSession, plan: Plan, *, partitions: int | None = None) -> DataFrame:
    """One row per person: who they are, and how many admissions they live to have."""
    draws = plan.draws
    people = spark.range(0, plan.patients, 1, partitions).withColumnRenamed("id", "person")
    people = people.withColumns({"rank": plan.rank(F.col("person"))})
    people = people.withColumns(
        {
            "SUBJECT_ID": plan.subject_ids.of(F.col("person")),
            "planned": plan.admission_count(F.col("rank")),
            "GENDER": draws.pick("gender", {"M": 56, "F": 44}, "person"),
            "base": F.lit(FIRST_DAY) + draws.index("base", BASE_DAYS, "person").cast("bigint") * DAY,
            "step": F.lit(150 * DAY) + draws.index("step", 180, "person").cast("bigint") * DAY,
            "language": draws.pick("language", vocabulary.LANGUAGES, "person"),
            "religion": draws.pick("religion", vocabulary.RELIGIONS, "person"),
            "ethnicity": draws.pick("ethnicity", vocabulary.ETHNICITIES, "person"),
        }
    )
    people = people.withColumns(
        {
            "newborn": (F.col("planned") == 1) & draws.chance(NEWBORN_SHARE, "newborn", "person"),
            "over_89": draws.chance(OVER_89_SHARE, "over 89", "person"),
            "age": F.least(F.greatest(65 + draws.bell("age", "person") * 17, F.lit(18.1)), F.lit(88.9)),
            "height": F.round(
                F.when(F.col("GENDER") == "M", 69).otherwise(64) + 2.8 * draws.bell("height", "person")
            ),
        }
    )
    people = people.withColumn("first_admitted", course.admitted_at(draws, F.lit(0)))
    return people.withColumns(_fate(plan))


def _fate(plan: Plan) -> dict[str, Column]:
    """How many admissions happen: those up to the first one with a death in hospital."""
    places = F.sequence(F.lit(0), F.col("planned") - 1)
    deadly = F.array_position(course.deaths(plan.draws, places), F.lit(True))
    return {
        "lived": F.when(deadly > 0, deadly).otherwise(F.col("planned")),
        "dies_in_hospital": deadly > 0,
    }


def admit(people: DataFrame, plan: Plan) -> DataFrame:
    """One row per admission, with its times, its latent means (``mean_...``) and its ``risk``."""
    draws, j = plan.draws, F.col("j")
    rows = people.select("*", F.explode(F.sequence(F.lit(0), F.col("lived").cast("int") - 1)).alias("j"))
    rows = rows.withColumns(
        {
            "admission": plan.admission_number(F.col("rank"), j),
            "admitted": course.admitted_at(draws, j),
            "died": F.col("dies_in_hospital") & (j == F.col("lived") - 1),
            **course.arrive(draws, j),
        }
    )
    rows = rows.withColumns(course.examine(draws, j, F.col("years"), F.col("severity")))
    rows = rows.withColumns(
        {
            "risk": course.risk({name: F.col(name) for name in rows.columns}),
            **{
                f"mean_{latent.name}": latent.mean(F.col(f"z_{latent.name}"), F.col("newborn"))
                for latent in LATENTS
            },
            "HADM_ID": plan.hadm_ids.of(F.col("admission")),
            "two_stays": F.col("admission") % SECOND_STAY == 3,
            "presentation": F.when(F.col("newborn"), _presentation(plan, "newborn")).otherwise(
                _presentation(plan, "adult")
            ),
        }
    )
    return rows.withColumns(_times(plan)).withColumns(_departure(plan))


def _presentation(plan: Plan, group: str) -> Column:
    """What brought the person in: a text, the primary diagnosis and a service."""
    rows = [row for row in code_table("presentations") if row["group"] == group]
    return plan.draws.pick_row("presentation", rows, PRESENTATION, "weight", "person", "j")


def _times(plan: Plan) -> dict[str, Column]:
    """First and second stay: seconds of entry and exit."""
    draws, ids = plan.draws, ("person", "j")
    entry = F.col("admitted") + F.when(
        draws.chance(0.6, "direct", *ids), draws.whole("entry", 20, 240, *ids)
    ).otherwise(draws.whole("entry", 1, 8, *ids) * HOUR + draws.whole("entry second", 0, 3599, *ids))
    first = _stay_length(plan, "first stay")
    second_entry = entry + first + DAY + draws.whole("between", 0, 2 * DAY, *ids)
    return {
        "entered": entry,
        "left": entry + first,
        "entered_again": second_entry,
        "left_again": second_entry + _stay_length(plan, "second stay"),
    }


def _stay_length(plan: Plan, salt: str) -> Column:
    """Lognormal seconds in intensive care: 2.1 days in the median, at most 25."""
    days = F.least(F.exp(0.75 + 0.85 * plan.draws.bell(salt, "person", "j")), F.lit(25.0))
    return F.floor(days * DAY)


def _departure(plan: Plan) -> dict[str, Column]:
    """Second of leaving the hospital; three in four of those who die do so in intensive care."""
    draws, ids = plan.draws, ("person", "j")
    last = F.when(F.col("two_stays"), F.col("left_again")).otherwise(F.col("left"))
    in_care = F.col("died") & draws.chance(0.75, "dies in care", *ids)
    after = F.least(F.exp(1.2 + 0.8 * draws.bell("after", *ids)), F.lit(20.0)) * DAY
    to_minute = F.floor((last + F.when(in_care, 0).otherwise(F.floor(after))) / MINUTE) * MINUTE
    return {"dies_in_care": in_care, "discharged": to_minute + F.when(in_care, MINUTE).otherwise(0)}


def attend(admissions: DataFrame, plan: Plan) -> DataFrame:
    """One row per intensive care stay, with the number of its rows in every table of events."""
    draws, k = plan.draws, F.col("k")
    places = F.sequence(F.lit(0), F.when(F.col("two_stays"), 1).otherwise(0))
    again = plan.admissions + F.floor(F.col("admission") / SECOND_STAY)
    rows = admissions.select("*", F.explode(places).alias("k")).withColumns(
        {
            "stay": F.when(k == 0, F.col("admission")).otherwise(again).cast("bigint"),
            "start": F.when(k == 0, F.col("entered")).otherwise(F.col("entered_again")),
            "end": F.when(k == 0, F.col("left")).otherwise(F.col("left_again")),
            "last_stay": k == F.when(F.col("two_stays"), 1).otherwise(0),
            "DBSOURCE": F.when(
                draws.chance(METAVISION_SHARE, "source", "person", F.floor(F.col("j") / 3)), "metavision"
            ).otherwise("carevue"),
            "care": F.when(
                F.col("newborn"),
                F.struct(
                    F.lit(vocabulary.NEWBORN_UNIT["unit"]).alias("unit"),
                    F.lit(vocabulary.NEWBORN_UNIT["ward"]).alias("ward"),
                ),
            ).otherwise(
                draws.pick_row("unit", vocabulary.UNITS, "unit string, ward int", "weight", "person", "j")
            ),
            "next_ward": draws.pick("next ward", vocabulary.WARDS, "person", "j").cast("int"),
        }
    )
    rows = rows.withColumns({"ICUSTAY_ID": plan.icustay_ids.of(F.col("stay")), "charted": _charted(plan)})
    return rows.withColumns({f"n_{table}": _events(plan, table) for table in EVENTS})


def _charted(plan: Plan) -> Column:
    """Rows of CHARTEVENTS: lognormal, more for long stays, ``events_per_stay`` on average."""
    days = (F.log((F.col("end") - F.col("start")) / DAY) - 0.75) / 0.85
    shape = 0.8 * (0.8 * days + 0.6 * plan.draws.bell("charted", "stay")) - 0.32
    further = max(plan.events_per_stay - plan.fewest_charted, 0) * F.exp(shape)
    return (plan.fewest_charted + F.least(F.floor(further), F.lit(4 * plan.events_per_stay))).cast("int")


def _events(plan: Plan, table: str) -> Column:
    """Rows of ``table``, proportional to the stay's CHARTEVENTS; a system's tables hold its own stays."""
    least, share = EVENTS[table]
    expected = least + share * F.col("charted")
    count = F.floor(expected + plan.draws.uniform(f"rows of {table}", "stay")).cast("int")
    system = {"CV": "carevue", "MV": "metavision"}.get(table[-2:])
    return count if system is None else F.when(F.col("DBSOURCE") == system, count).otherwise(0)
