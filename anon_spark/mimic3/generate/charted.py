"""CHARTEVENTS and DATETIMEEVENTS: what is charted at the bedside.

A stay's rows are numbered. First come the vital signs charted together within its first 24 hours, then what is
stated about the person, then anything at any time of the stay.
"""

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate import vocabulary
from anon_spark.mimic3.generate.course import DAY
from anon_spark.mimic3.generate.draws import literal, mapped
from anon_spark.mimic3.generate.identity import mention
from anon_spark.mimic3.generate.plan import STATED, VITALS_ANCHORED, Plan
from anon_spark.mimic3.generate.rows import midnight, minute, moment, number, spread, spread_charted
from anon_spark.mimic3.generate.vocabulary import charted_words, code_table

SYSTEMS = ("carevue", "metavision")
VITALS = ("heart_rate", "systolic", "diastolic", "mean_pressure", "respiratory_rate", "spo2", "temperature")
ITEM = (
    "itemid int, vital int, mean double, spread double, digits int, fahrenheit int, uom string,"
    " words array<struct<word:string,number:double>>"
)
# Vital signs charted together, by system, with and without an arterial line.
ANCHORS = {
    ("carevue", True): (211, 51, 8368, 52, 618, 646, 676),
    ("carevue", False): (211, 455, 8441, 456, 618, 646, 678),
    ("metavision", True): (220045, 220050, 220051, 220052, 220210, 220277, 223762),
    ("metavision", False): (220045, 220179, 220180, 220181, 220210, 220277, 223761),
}
STATEMENT = "struct<itemid:int,value:string,valuenum:double,uom:string>"
STATED_SHARE = 0.85
PLANTED_SHARE = 0.01  # of the rows with words, in an identified source
BIRTHS_SHARE = 0.7


def _items() -> list[dict[str, Any]]:
    return [
        {
            "itemid": int(row["itemid"]),
            "vital": VITALS.index(row["latent"]) if row["latent"] else -1,
            "mean": float(row["mean"] or 0),
            "spread": float(row["spread"] or 0),
            "digits": int(row["digits"]),
            "fahrenheit": int(row["fahrenheit"]),
            "uom": row["uom"],
            "words": charted_words(row["words"]),
        }
        for row in code_table("chart_items")
    ]


def chart(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of CHARTEVENTS."""
    draws, e = plan.draws, F.col("e")
    ids = ("ICUSTAY_ID", "e")
    rows = stays.withColumns(
        {
            "vitals": _vitals(),
            "statements": _statements(plan),
            "arterial": draws.chance(0.5, "arterial line", "ICUSTAY_ID"),
        }
    )
    rows = rows.select(
        *("SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "DBSOURCE", "stay", "charted", "start", "end"),
        *("vitals", "statements", "arterial", "NAME", "MRN", "PHONE"),
    )
    rows = spread_charted(rows, plan)
    anchored = plan.repeats * VITALS_ANCHORED
    statement = F.get("statements", e - 1 - anchored)
    item = F.get(literal(_items(), f"array<struct<{ITEM}>>"), _item_place(plan, anchored))
    rows = rows.withColumns(
        {
            "stated": F.when((e > anchored) & (e <= anchored + STATED), statement),
            "item": item,
            "at": _charted_at(plan, anchored),
            "word": F.get(F.col("item.words"), F.floor(draws.uniform("word", *ids) * F.size("item.words")).cast("int")),
        }
    )
    rows = rows.withColumn("measured", F.when(F.size("item.words") == 0, _measured(plan)))
    text = F.coalesce(F.col("word.word"), number(F.col("measured"), F.col("item.digits")))
    rows = rows.withColumns(
        {
            "planted": F.when(
                draws.chance(PLANTED_SHARE, "planted", *ids) & F.col("word").isNotNull(), mention(plan, *ids)
            ),
            "unset": draws.chance(0.004, "unset", *ids) & (e > anchored) & (F.col("DBSOURCE") == "carevue"),
        }
    )
    rows = rows.withColumns(
        {
            "ITEMID": F.coalesce(F.col("stated.itemid"), F.col("item.itemid")),
            "VALUE": F.when(F.col("stated").isNotNull(), F.col("stated.value")).otherwise(
                F.coalesce(F.col("planted"), F.when(~F.col("unset"), text))
            ),
            "VALUENUM": F.when(F.col("stated").isNotNull(), F.col("stated.valuenum")).otherwise(
                F.when(F.col("planted").isNull() & ~F.col("unset"), _numeric())
            ),
            "VALUEUOM": F.when(F.col("stated").isNotNull(), F.col("stated.uom")).otherwise(F.col("item.uom")),
        }
    )
    return rows.withColumns(_clerical(plan))


def _vitals() -> Column:
    """The stay's vital signs in the order of VITALS; pressures follow the systolic one."""
    systolic = F.col("mean_systolic")
    diastolic = systolic * 0.52
    derived = {"diastolic": diastolic, "mean_pressure": (systolic + 2 * diastolic) / 3}
    return F.array(*(derived.get(name, F.col(f"mean_{name}")) for name in VITALS))


def _item_place(plan: Plan, anchored: int) -> Column:
    """Which item a row is: the anchored ones in turn, then any by its weight."""
    rows = code_table("chart_items")
    places = {int(row["itemid"]): place for place, row in enumerate(rows)}
    turn = ((F.col("e") - 1) % VITALS_ANCHORED).cast("int")
    chosen = {}
    for system in SYSTEMS:
        lines = [literal([places[i] for i in ANCHORS[system, line]], "array<int>") for line in (True, False)]
        weighted = [p for p, row in enumerate(rows) if row["source"] == system for _ in range(int(row["weight"]))]
        chosen[system] = F.when(
            F.col("e") <= anchored,
            F.when(F.col("arterial"), F.get(lines[0], turn)).otherwise(F.get(lines[1], turn)),
        ).otherwise(
            F.get(literal(weighted, "array<int>"), plan.draws.index("item", len(weighted), "ICUSTAY_ID", "e"))
        )
    return F.when(F.col("DBSOURCE") == "carevue", chosen["carevue"]).otherwise(chosen["metavision"])


def _charted_at(plan: Plan, anchored: int) -> Column:
    """Second of charting: the anchored rounds spread over the first 24 hours, the rest over the stay."""
    draws, e = plan.draws, F.col("e")
    early = F.least(F.col("end") - F.col("start"), F.lit(DAY))
    turn = F.floor((e - 1) / VITALS_ANCHORED)
    in_round = draws.uniform("round", "ICUSTAY_ID", turn) * 0.9 + 0.02
    later = draws.uniform("charted at", "ICUSTAY_ID", "e") * 0.98
    return minute(
        F.col("start")
        + F.when(e <= anchored, early * (turn + in_round) / plan.repeats)
        .when(e <= anchored + STATED, early * 0.1)
        .otherwise((F.col("end") - F.col("start")) * later)
    )


def _measured(plan: Plan) -> Column:
    """A number close to the stay's own, or to the item's where the stay has none."""
    own = F.coalesce(F.get("vitals", F.when(F.col("item.vital") >= 0, F.col("item.vital"))), F.col("item.mean"))
    value = own * (1 + F.col("item.spread") * plan.draws.bell("measured", "ICUSTAY_ID", "e"))
    value = F.when(F.col("item.vital") == VITALS.index("spo2"), F.least(value, F.lit(100.0))).otherwise(value)
    return F.when(F.col("item.fahrenheit") == 1, value * 1.8 + 32).otherwise(value)


def _numeric() -> Column:
    rounded = F.when(F.col("item.digits") == 0, F.round("measured")).otherwise(F.round("measured", 1))
    return F.coalesce(F.col("word.number"), rounded)


def _clerical(plan: Plan) -> dict[str, Column]:
    """Who charted and when; the flags that each system keeps."""
    draws, ids = plan.draws, ("ICUSTAY_ID", "e")
    carevue = F.col("DBSOURCE") == "carevue"
    return {
        "ICUSTAY_ID": F.when(~draws.chance(0.005, "no stay", *ids), F.col("ICUSTAY_ID")),
        "CHARTTIME": moment("at"),
        "STORETIME": moment(F.col("at") + draws.whole("stored", 0, 90, *ids) * 60),
        "CGID": F.when(~draws.chance(0.003, "no caregiver", *ids), plan.caregiver("charts", *ids)),
        "WARNING": F.when(~carevue, draws.chance(0.02, "warning", *ids).cast("int")),
        "ERROR": F.when(~carevue, draws.chance(0.002, "error", *ids).cast("int")),
        "RESULTSTATUS": F.when(F.col("ITEMID") == 811, "Final"),
        "STOPPED": F.when(carevue & F.col("stated").isNull(), "NotStopd"),
    }


def _statements(plan: Plan) -> Column:
    """What a share of the stays states about the person, each once, null where it does not."""
    inches, weight = F.col("height"), F.col("height") * 2.54 - 92 + 14 * plan.draws.bell("weight", "person")
    language = mapped(F.col("LANGUAGE"), vocabulary.LANGUAGE_METAVISION)
    grown = ~F.col("newborn")
    carevue = [
        _statement(926, mapped(F.col("RELIGION"), vocabulary.RELIGION_CAREVUE)),
        _statement(925, mapped(F.col("MARITAL_STATUS"), vocabulary.MARITAL_CAREVUE)),
        F.when(grown, _statement(920, number(inches, F.lit(0)), inches, "inches")),
        F.when(grown, _statement(762, number(weight, F.lit(1)), F.round(weight, 1), "kg")),
    ]
    male = F.col("GENDER") == "M"
    metavision = [
        _worded(226543, mapped(F.col("RELIGION"), vocabulary.RELIGION_METAVISION)),
        _worded(226381, mapped(F.col("MARITAL_STATUS"), vocabulary.MARITAL_METAVISION)),
        _worded(226545, mapped(F.col("ETHNICITY"), vocabulary.RACE_METAVISION)),
        _statement(226228, F.col("GENDER"), F.when(male, 1.0).otherwise(0.0)),
        _worded(226544, language),
        F.when(grown, _statement(226707, number(inches, F.lit(0)), inches, "Inch")),
        F.when(grown, _statement(226730, number(inches * 2.54, F.lit(0)), F.round(inches * 2.54), "cm")),
        _worded(225090, F.when(language != "English", "Yes").otherwise("No")),
        F.when(grown, _statement(226512, number(weight, F.lit(1)), F.round(weight, 1), "kg")),
    ]
    chosen = [_shared(plan, slot, *pair) for slot, pair in enumerate(_paired(carevue, metavision))]
    return F.array(*chosen)


def _paired(carevue: list[Column], metavision: list[Column]) -> list[tuple[Column, Column]]:
    nothing = F.lit(None).cast(STATEMENT)
    return [(carevue[i] if i < len(carevue) else nothing, metavision[i]) for i in range(STATED)]


def _shared(plan: Plan, slot: int, carevue: Column, metavision: Column) -> Column:
    stated = F.when(F.col("DBSOURCE") == "carevue", carevue).otherwise(metavision)
    return F.when(plan.draws.chance(STATED_SHARE, f"stated {slot}", "ICUSTAY_ID"), stated)


def _statement(itemid: int, value: Column, valuenum: Column | None = None, uom: str | None = None) -> Column:
    parts = (F.lit(itemid), value, F.lit(None) if valuenum is None else valuenum, F.lit(uom))
    return F.struct(
        *(p.cast(t).alias(n) for p, t, n in zip(parts, ("int", "string", "double", "string"), _NAMES, strict=True))
    )


_NAMES = ("itemid", "value", "valuenum", "uom")


def _worded(itemid: int, value: Column) -> Column:
    return F.when(value.isNotNull(), _statement(itemid, value))


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
    line = F.when(F.col("item.uom") == "Date", midnight(F.col("at") - days)).otherwise(moment(F.col("at") - days))
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
