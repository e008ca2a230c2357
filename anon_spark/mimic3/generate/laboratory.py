"""LABEVENTS and MICROBIOLOGYEVENTS."""

from typing import Any

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.course import DAY, HOUR
from anon_spark.mimic3.generate.draws import literal
from anon_spark.mimic3.generate.identity import mention
from anon_spark.mimic3.generate.plan import LABS_ANCHORED, Plan
from anon_spark.mimic3.generate.rows import midnight, minute, moment, rounded, spread, typed
from anon_spark.mimic3.generate.vocabulary import charted_words, code_table

OWN = ("creatinine", "urea_nitrogen", "white_cells", "lactate")  # the first items, in the table's order
ITEM = (
    "itemid int, own int, mean double, spread double, digits int, low double, high double, uom string,"
    " words array<struct<word:string,number:double>>"
)
ROUNDS = 3  # times that the anchored items are taken within the first 24 hours
REMARKS = {
    "See Comments": 6,
    "As of 12/2/08 see Chemistry for D-Dimer results": 2,
    "GREATER THAN 30, DILUTION AVAILABLE UPON REQUEST": 2,
    "COMPUTER NETWORK FAILURE. TEST NOT RESULTED.": 1,
    "UNABLE TO REPORT DUE TO CONTAMINATION": 1,
    "HOLD. DISCARD GREATER THAN 4 HOURS OLD, CALLED TO WARD 3/14/07": 1,
}
REMARK_SHARE, PLANTED_SHARE = 0.012, 0.3
CLINIC_SHARE, CLINIC_ROWS = 0.4, 16  # people with laboratory values from a clinic, before any admission


def _items() -> list[dict[str, Any]]:
    return [
        {
            "itemid": int(row["itemid"]),
            "own": OWN.index(row["latent"]) if row["latent"] else -1,
            **{name: float(row[name] or 0) for name in ("mean", "spread")},
            **{name: None if row[name] is None else float(row[name]) for name in ("low", "high")},
            "digits": int(row["digits"]),
            "uom": row["uom"],
            "words": charted_words(row["words"]),
        }
        for row in code_table("lab_items")
    ]


def analyse(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of LABEVENTS: of the stays, and of a clinic without an admission."""
    keep = ["SUBJECT_ID", "HADM_ID", "stay", "start", "end", "own", "mentions"]
    own = F.array(*(F.col(f"mean_{name}") for name in OWN))
    of_stays = spread(stays.withColumn("own", own).select(*keep, "n_LABEVENTS"), plan, "LABEVENTS")
    early = F.least(F.col("end") - F.col("start"), F.lit(DAY))
    turn = F.floor((F.col("e") - 1) / LABS_ANCHORED)
    draws = plan.draws
    taken = draws.uniform("round of labs", "stay", turn) * 0.9 + 0.02
    any_time = draws.uniform("taken", "stay", F.floor(F.col("e") / 5)) * 0.98
    anchored = F.col("e") <= ROUNDS * LABS_ANCHORED
    of_stays = of_stays.withColumns(
        {
            "at": minute(
                F.col("start")
                + F.when(anchored, early * (turn + taken) / ROUNDS).otherwise(
                    (F.col("end") - F.col("start")) * any_time
                )
            ),
            "place": F.when(anchored, ((F.col("e") - 1) % LABS_ANCHORED).cast("int")),
        }
    )
    from_clinic = _from_clinic(stays.withColumn("own", own), plan, keep)
    return _result(of_stays.drop("n_LABEVENTS").unionByName(from_clinic), plan)


def _from_clinic(stays: DataFrame, plan: Plan, keep: list[str]) -> DataFrame:
    """Values taken before a person's first admission; their ROW_IDs follow those of the stays."""
    draws, e = plan.draws, F.col("e")
    visited = (F.col("j") == 0) & (F.col("k") == 0) & ~F.col("newborn")
    rows = stays.where(visited & draws.chance(CLINIC_SHARE, "clinic", "person"))
    rows = rows.select(
        *keep, "admitted", "person", F.explode(F.sequence(F.lit(1), F.lit(CLINIC_ROWS))).alias("e")
    )
    days = draws.whole("days before", 20, 400, "person", F.floor(e / 8))
    return rows.withColumns(
        {
            "ROW_ID": plan.stays * plan.most("LABEVENTS") + F.col("person") * CLINIC_ROWS + e,
            "HADM_ID": F.lit(None).cast("bigint"),
            "at": minute(F.col("admitted") - days * DAY + draws.whole("visit", 0, 9, "person") * HOUR),
            "place": F.lit(None).cast("int"),
        }
    ).drop("admitted", "person")


def _result(rows: DataFrame, plan: Plan) -> DataFrame:
    draws, ids = plan.draws, ("ROW_ID",)
    table = code_table("lab_items")
    weighted = [place for place, row in enumerate(table) for _ in range(int(row["weight"]))]
    drawn = F.get(literal(weighted, "array<int>"), draws.index("lab item", len(weighted), *ids))
    order = [[row["latent"] for row in table].index(name) for name in OWN]
    anchor = F.get(literal(order, "array<int>"), F.col("place"))
    item = F.get(literal(_items(), f"array<struct<{ITEM}>>"), F.coalesce(anchor, drawn))
    rows = rows.withColumn("item", item)
    words = F.size("item.words")
    own = F.get("own", F.when(F.col("item.own") >= 0, F.col("item.own")))
    value = F.coalesce(own, F.col("item.mean")) * (1 + F.col("item.spread") * draws.bell("lab", *ids))
    rows = rows.withColumns(
        {
            "word": F.get(F.col("item.words"), F.floor(draws.uniform("lab word", *ids) * words).cast("int")),
            "measured": F.when(words == 0, rounded(F.greatest(value, F.lit(0.1)), F.col("item.digits"))),
            "remark": F.when(
                F.col("place").isNull() & draws.chance(REMARK_SHARE, "remark", *ids), _remark(plan)
            ),
        }
    )
    text = F.coalesce(F.col("word.word"), typed(F.col("measured"), F.col("item.digits")))
    beyond = (F.col("VALUENUM") < F.col("item.low")) | (F.col("VALUENUM") > F.col("item.high"))
    lost = F.col("place").isNull() & draws.chance(0.02, "no admission", *ids)
    return rows.withColumns(
        {
            "HADM_ID": F.when(~lost, F.col("HADM_ID")),
            "ITEMID": F.col("item.itemid"),
            "CHARTTIME": moment("at"),
            "VALUE": F.coalesce(F.col("remark"), text),
            "VALUENUM": F.when(F.col("remark").isNull(), F.col("measured")),
            "VALUEUOM": F.col("item.uom"),
        }
    ).withColumn("FLAG", F.when(beyond, "abnormal"))


def _remark(plan: Plan) -> Column:
    planted = F.when(
        plan.draws.chance(PLANTED_SHARE, "planted remark", "ROW_ID"), F.upper(mention(plan, "ROW_ID"))
    )
    return F.coalesce(planted, plan.draws.pick("remark text", REMARKS, "ROW_ID"))


def culture(stays: DataFrame, plan: Plan) -> DataFrame:
    """Rows of MICROBIOLOGYEVENTS: a specimen each, two in five with an organism and an antibiotic's test."""
    draws, ids = plan.draws, ("ICUSTAY_ID", "e")
    grown = {
        kind: [row for row in code_table("other_items") if row["category"] == kind]
        for kind in ("SPECIMEN", "ORGANISM", "ANTIBACTERIUM")
    }
    fields = "itemid string, label string"
    picked = {kind: draws.pick_row(kind, rows, fields, "weight", *ids) for kind, rows in grown.items()}
    found = draws.chance(0.4, "found", *ids)
    tested = found & draws.chance(0.85, "tested", *ids)
    rows = spread(stays, plan, "MICROBIOLOGYEVENTS").withColumns(
        {
            "at": minute(
                F.col("start") + (F.col("end") - F.col("start")) * draws.uniform("sampled", *ids) * 0.98
            ),
            "specimen": picked["SPECIMEN"],
            "organism": F.when(found, picked["ORGANISM"]),
            "agent": F.when(tested, picked["ANTIBACTERIUM"]),
            "dilution": F.when(
                tested,
                F.get(
                    literal([0.25, 0.5, 1, 2, 4, 8, 16], "array<double>"), draws.index("dilution", 7, *ids)
                ),
            ),
        }
    )
    sensitive = F.col("dilution") <= 2
    return rows.withColumns(
        {
            "CHARTDATE": midnight("at"),
            "CHARTTIME": F.when(~draws.chance(0.05, "no time", *ids), moment("at")),
            "SPEC_ITEMID": F.col("specimen.itemid"),
            "SPEC_TYPE_DESC": F.col("specimen.label"),
            "ORG_ITEMID": F.col("organism.itemid"),
            "ORG_NAME": F.col("organism.label"),
            "ISOLATE_NUM": F.when(F.col("organism").isNotNull(), 1),
            "AB_ITEMID": F.col("agent.itemid"),
            "AB_NAME": F.col("agent.label"),
            "DILUTION_TEXT": F.concat(
                F.when(sensitive, "<=").otherwise("=>"),
                F.regexp_replace(F.col("dilution").cast("string"), r"\.0$", ""),
            ),
            "DILUTION_COMPARISON": F.when(sensitive, "<=").when(~sensitive, "=>"),
            "DILUTION_VALUE": F.col("dilution"),
            "INTERPRETATION": F.when(sensitive, "S").when(F.col("dilution") <= 4, "I").when(~sensitive, "R"),
        }
    )
