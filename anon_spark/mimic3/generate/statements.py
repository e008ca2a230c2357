"""What the chart states about a person: religion, marital status, race, gender, language, height, weight."""

from pyspark.sql import Column
from pyspark.sql import functions as F

from anon_spark.mimic3.generate import vocabulary
from anon_spark.mimic3.generate.draws import mapped
from anon_spark.mimic3.generate.plan import STATED, Plan
from anon_spark.mimic3.generate.rows import rounded, typed

STATEMENT = "struct<itemid:int,value:string,valuenum:double,uom:string>"
STATED_SHARE = 0.85
NAMES = ("itemid", "value", "valuenum", "uom")


def statements(plan: Plan) -> Column:
    """What a share of the stays states about the person, each once, null where it does not."""
    whole, tenths = F.lit(0), F.lit(1)
    inches, centimetres = F.col("height"), rounded(F.col("height") * 2.54, whole)
    weight = rounded(F.col("height") * 2.54 - 92 + 14 * plan.draws.bell("weight", "person"), tenths)
    language = mapped(F.col("LANGUAGE"), vocabulary.LANGUAGE_METAVISION)
    grown = ~F.col("newborn")
    carevue = [
        _statement(926, mapped(F.col("RELIGION"), vocabulary.RELIGION_CAREVUE)),
        _statement(925, mapped(F.col("MARITAL_STATUS"), vocabulary.MARITAL_CAREVUE)),
        F.when(grown, _statement(920, typed(inches, whole), inches, "inches")),
        F.when(grown, _statement(762, typed(weight, tenths), weight, "kg")),
    ]
    male = F.col("GENDER") == "M"
    metavision = [
        _worded(226543, mapped(F.col("RELIGION"), vocabulary.RELIGION_METAVISION)),
        _worded(226381, mapped(F.col("MARITAL_STATUS"), vocabulary.MARITAL_METAVISION)),
        _worded(226545, mapped(F.col("ETHNICITY"), vocabulary.RACE_METAVISION)),
        _statement(226228, F.col("GENDER"), F.when(male, 1.0).otherwise(0.0)),
        _worded(226544, language),
        F.when(grown, _statement(226707, typed(inches, whole), inches, "Inch")),
        F.when(grown, _statement(226730, typed(centimetres, whole), centimetres, "cm")),
        _worded(225090, F.when(language != "English", "Yes").otherwise("No")),
        F.when(grown, _statement(226512, typed(weight, tenths), weight, "kg")),
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
        *(
            p.cast(t).alias(n)
            for p, t, n in zip(parts, ("int", "string", "double", "string"), NAMES, strict=True)
        )
    )


def _worded(itemid: int, value: Column) -> Column:
    return F.when(value.isNotNull(), _statement(itemid, value))
