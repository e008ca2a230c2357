"""What an admission is like, as functions of its person's columns and its place ``j`` among their admissions.

A person's fate is computed from these before their admissions exist as rows, and the admissions' columns from
the same functions afterwards: nothing has to be shuffled to know who dies when.
"""

import math

from pyspark.sql import Column
from pyspark.sql import functions as F

from anon_spark.mimic3.generate import vocabulary
from anon_spark.mimic3.generate.draws import Draws
from anon_spark.mimic3.generate.outcome import LATENTS, logit, probability

MINUTE, HOUR, DAY = 60, 3_600, 86_400
YEAR = 365.25 * DAY
AGE_OVER_89 = 91.4  # the median that MIMIC states for those whose date of birth it moved


def admitted_at(draws: Draws, j: Column) -> Column:
    """Second of admission, to the minute; admissions of a person never overlap."""
    step = F.col("step") * (j + draws.uniform("admitted", "person", j) * 0.4)
    return (F.floor((F.col("base") + step) / MINUTE) * MINUTE).cast("bigint")


def arrive(draws: Draws, j: Column) -> dict[str, Column]:
    """What follows from the person alone: ``years`` of age, ``severity`` and ADMISSION_TYPE."""
    grown = F.col("age") + (admitted_at(draws, j) - F.col("first_admitted")) / YEAR
    kind = draws.pick("type", vocabulary.TYPES, "person", j)
    return {
        "years": F.when(F.col("newborn"), 0.0).when(F.col("over_89"), AGE_OVER_89).otherwise(grown),
        "severity": draws.bell("severity", "person", j),
        "ADMISSION_TYPE": F.when(F.col("newborn"), "NEWBORN").otherwise(kind),
    }


def examine(draws: Draws, j: Column, years: Column, severity: Column) -> dict[str, Column]:
    """INSURANCE, mostly Medicare from 65 on, and the latents' z values as ``z_...``.

    Each z is standard; all are correlated through the severity.
    """
    newborn, old, adult = (
        draws.pick("insurance", words, "person", j)
        for words in (vocabulary.INSURANCE_NEWBORN, vocabulary.INSURANCE_OLD, vocabulary.INSURANCE_ADULT)
    )
    latents = {
        f"z_{latent.name}": severity * latent.severity
        + draws.bell(latent.name, "person", j) * math.sqrt(1 - latent.severity**2)
        for latent in LATENTS
    }
    return {"INSURANCE": F.when(F.col("newborn"), newborn).when(years >= 65, old).otherwise(adult), **latents}


def risk(facts: dict[str, Column]) -> Column:
    """The outcome model's linear predictor from what ``arrive`` and ``examine`` gave."""
    return logit(
        age=facts["years"],
        insurance=facts["INSURANCE"],
        admission_type=facts["ADMISSION_TYPE"],
        z={latent.name: facts[f"z_{latent.name}"] for latent in LATENTS},
    )


def deaths(draws: Draws, places: Column) -> Column:
    """For each of ``places``: whether the person dies in hospital then, should it come to it.

    Each step's array is made once and read by the next: a nested expression would be computed over and over.
    """
    known = ("years", "severity", "ADMISSION_TYPE")
    arrived = F.transform(places, lambda j: _struct({"j": j, **arrive(draws, j)}))
    examined = F.transform(
        arrived,
        lambda a: _struct(
            {"j": a["j"], **{n: a[n] for n in known}, **examine(draws, a["j"], a["years"], a["severity"])}
        ),
    )
    names = (*known, "INSURANCE", *(f"z_{latent.name}" for latent in LATENTS))
    return F.transform(
        examined,
        lambda x: draws.uniform("dies", "person", x["j"]) < probability(risk({n: x[n] for n in names})),
    )


def _struct(fields: dict[str, Column]) -> Column:
    return F.struct(*(value.alias(name) for name, value in fields.items()))
