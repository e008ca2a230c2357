"""CHARTEVENTS: what is charted at the bedside.

A stay's rows are numbered. First come the vital signs charted together within its first 24 hours, then what is
stated about the person, then anything at any time of the stay.
"""

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.course import DAY, MINUTE
from anon_spark.mimic3.generate.draws import bell_of, lanes, literal
from anon_spark.mimic3.generate.identity import mention
from anon_spark.mimic3.generate.plan import STATED, VITALS_ANCHORED, Plan
from anon_spark.mimic3.generate.rows import minute, moment, rounded, spread_charted, typed
from anon_spark.mimic3.generate.statements import statements
from anon_spark.mimic3.generate.vocabulary import SYSTEMS, charted_words, code_table

VITALS = ("heart_rate", "systolic", "diastolic", "mean_pressure", "respiratory_rate", "spo2", "temperature")
ITEM = (
    "itemid int, vital int, mean double, spread double, most double, factor double, shift double, digits int,"
    " uom string, words array<struct<word:string,number:double>>"
)
# Vital signs charted together, by system, with and without an arterial line.
ANCHORS = {
    ("carevue", True): (211, 51, 8368, 52, 618, 646, 676),
    ("carevue", False): (211, 455, 8441, 456, 618, 646, 678),
    ("metavision", True): (220045, 220050, 220051, 220052, 220210, 220277, 223762),
    ("metavision", False): (220045, 220179, 220180, 220181, 220210, 220277, 223761),
}
FROM_STAY = (
    *("SUBJECT_ID", "HADM_ID", "ICUSTAY_ID", "DBSOURCE", "stay", "charted", "start"),
    *("length", "early", "vitals", "statements", "anchors", "items_from", "items", "mentions"),
)
PLANTED_SHARE = 0.01  # of the rows with words, in an identified source


def _items() -> list[dict[str, Any]]:
    return [
        {
            "itemid": int(row["itemid"]),
            "vital": VITALS.index(row["latent"]) if row["latent"] else -1,
            "mean": float(row["mean"] or 0),
            "spread": float(row["spread"] or 0),
            "most": 100.0 if row["latent"] == "spo2" else None,
            "factor": 1.8 if row["fahrenheit"] == "1" else 1.0,
            "shift": 32.0 if row["fahrenheit"] == "1" else 0.0,
            "digits": int(row["digits"]),
            "uom": row["uom"],
            "words": charted_words(row["words"]),
        }
        for row in code_table("chart_items")
    ]


def prepare(stays: DataFrame, plan: Plan) -> DataFrame:
    """Add to every stay what all its rows of CHARTEVENTS share."""
    return stays.withColumns(
        {
            "vitals": _vitals(),
            "statements": statements(plan),
            "anchors": _anchors(plan),
            "items_from": F.when(F.col("DBSOURCE") == SYSTEMS[0], 0).otherwise(len(_weighted(SYSTEMS[0]))),
            "items": F.when(F.col("DBSOURCE") == SYSTEMS[0], len(_weighted(SYSTEMS[0]))).otherwise(
                len(_weighted(SYSTEMS[1]))
            ),
            "length": F.col("end") - F.col("start"),
            "early": F.least(F.col("end") - F.col("start"), F.lit(DAY)),
        }
    )


def _vitals() -> Column:
    """The stay's vital signs in the order of VITALS; pressures follow the systolic one."""
    systolic = F.col("mean_systolic")
    diastolic = systolic * 0.52
    derived = {"diastolic": diastolic, "mean_pressure": (systolic + 2 * diastolic) / 3}
    return F.array(*(derived.get(name, F.col(f"mean_{name}")) for name in VITALS))


def chart(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of CHARTEVENTS."""
    draws, e, anchored = plan.draws, F.col("e"), plan.repeats * VITALS_ANCHORED
    rows = spread_charted(stays.select(*FROM_STAY), plan)
    items = literal(_items(), f"array<struct<{ITEM}>>")
    rows = rows.withColumns(
        {
            "stated": F.when(
                (e > anchored) & (e <= anchored + STATED), F.get("statements", e - 1 - anchored)
            ),
            "item": F.get(items, _item_place(plan, anchored)),
            "at": _charted_at(plan, anchored),
            **{name: draws.bits(name, "ICUSTAY_ID", "e") for name in ("noise", "slips", "clerk")},
        }
    )
    chosen = (F.size("item.words") * lanes(F.col("noise"))[0]).cast("int")
    measured = rounded(_measured(), F.col("item.digits"))
    rows = rows.withColumns(
        {
            "word": F.get("item.words", chosen),
            "measured": F.when(F.size("item.words") == 0, measured),
        }
    )
    return rows.withColumns(_slips(plan, anchored)).withColumns(_value()).withColumns(_clerical(plan))


def _slips(plan: Plan, anchored: int) -> dict[str, Column]:
    """Cells where the person is named, and cells left empty; never among the anchored rows."""
    named, empty = lanes(F.col("slips"))[:2]
    return {
        "planted": F.when(
            (named < PLANTED_SHARE) & F.col("word").isNotNull(), mention(plan, "ICUSTAY_ID", "e")
        ),
        "unset": (empty < 0.004) & (F.col("e") > anchored) & (F.col("DBSOURCE") == "carevue"),
    }


def _value() -> dict[str, Column]:
    """What was stated, or else named, left empty, worded or measured."""
    stated, unset = F.col("stated").isNotNull(), F.col("unset")
    text = F.coalesce(F.col("word.word"), typed(F.col("measured"), F.col("item.digits")))
    numeric = F.when(F.col("planted").isNull() & ~unset, F.coalesce("word.number", "measured"))
    return {
        "ITEMID": F.coalesce(F.col("stated.itemid"), F.col("item.itemid")),
        "VALUE": F.when(stated, F.col("stated.value")).otherwise(F.coalesce("planted", F.when(~unset, text))),
        "VALUENUM": F.when(stated, F.col("stated.valuenum")).otherwise(numeric),
        "VALUEUOM": F.when(stated, F.col("stated.uom")).otherwise(F.col("item.uom")),
    }


def _anchors(plan: Plan) -> Column:
    """Places of the vital signs that the stay charts together."""
    places = {int(row["itemid"]): place for place, row in enumerate(code_table("chart_items"))}
    arterial = plan.draws.chance(0.5, "arterial line", "ICUSTAY_ID")
    chosen: Column = F.lit(None)
    for (system, line), items in ANCHORS.items():
        fits = (F.col("DBSOURCE") == system) & (arterial == F.lit(line))
        chosen = F.when(fits, literal([places[item] for item in items], "array<int>")).otherwise(chosen)
    return chosen


def _weighted(system: str) -> list[int]:
    """Places of the system's items, each as often as its weight."""
    rows = enumerate(code_table("chart_items"))
    return [place for place, row in rows if row["source"] == system for _ in range(int(row["weight"]))]


def _item_place(plan: Plan, anchored: int) -> Column:
    """Which item a row is: the anchored ones in turn, then any of the stay's system by its weight."""
    turn = F.pmod(F.col("e") - 1, F.lit(VITALS_ANCHORED))
    any_item = F.floor(plan.draws.uniform("item", "ICUSTAY_ID", "e") * F.col("items")).cast("int")
    weighted = literal([place for system in SYSTEMS for place in _weighted(system)], "array<int>")
    return F.when(F.col("e") <= anchored, F.get("anchors", turn)).otherwise(
        F.get(weighted, F.col("items_from") + any_item)
    )


def _charted_at(plan: Plan, anchored: int) -> Column:
    """Second of charting: the anchored rounds spread over the first 24 hours, the rest over the stay."""
    draws, e = plan.draws, F.col("e")
    turn = F.floor((e - 1) / VITALS_ANCHORED)
    share = (
        F.when(e <= anchored, (turn + draws.uniform("round", "ICUSTAY_ID", turn) * 0.9 + 0.02) / plan.repeats)
        .when(e <= anchored + STATED, 0.1)
        .otherwise(draws.uniform("charted at", "ICUSTAY_ID", "e") * 0.98)
    )
    span = F.when(e <= anchored + STATED, F.col("early")).otherwise(F.col("length"))
    return minute(F.col("start") + span * share)


def _measured() -> Column:
    """A number close to the stay's own, or to the item's where the stay has none."""
    own = F.coalesce(
        F.get("vitals", F.when(F.col("item.vital") >= 0, F.col("item.vital"))), F.col("item.mean")
    )
    value = own * (1 + F.col("item.spread") * bell_of(F.col("noise")))
    return F.least(value, F.col("item.most")) * F.col("item.factor") + F.col("item.shift")


def _clerical(plan: Plan) -> dict[str, Column]:
    """Who charted and when; the flags that each system keeps."""
    carevue = F.col("DBSOURCE") == "carevue"
    stored, warned, mistaken, moved = lanes(F.col("clerk"))
    nobody = lanes(F.col("slips"))[2]
    return {
        "CHARTTIME": moment("at"),
        "STORETIME": moment(F.col("at") + F.floor(stored * 91) * MINUTE),
        "CGID": F.when(nobody >= 0.003, plan.caregiver("charts", "ICUSTAY_ID", "e")),
        "WARNING": F.when(~carevue, (warned < 0.02).cast("int")),
        "ERROR": F.when(~carevue, (mistaken < 0.002).cast("int")),
        "RESULTSTATUS": F.when(F.col("ITEMID") == 811, "Final"),
        "STOPPED": F.when(carevue & F.col("stated").isNull(), "NotStopd"),
        "ICUSTAY_ID": F.when(moved >= 0.005, F.col("ICUSTAY_ID")),
    }
