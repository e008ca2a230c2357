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


def age_at(draws: Draws, j: Column) -> Column:
    """Age in years at admission ``j``."""
    grown = F.col("age") + (admitted_at(draws, j) - admitted_at(draws, F.lit(0))) / YEAR
    return F.when(F.col("newborn"), 0.0).when(F.col("over_89"), AGE_OVER_89).otherwise(grown)


def insurance(draws: Draws, j: Column, age: Column) -> Column:
    """Who pays; mostly Medicare from 65 on."""
    of_age = [
        draws.pick("insurance", words, "person", j)
        for words in (
            vocabulary.INSURANCE_NEWBORN,
            vocabulary.INSURANCE_OLD,
            vocabulary.INSURANCE_ADULT,
        )
    ]
    return F.when(F.col("newborn"), of_age[0]).when(age >= 65, of_age[1]).otherwise(of_age[2])


def admission_type(draws: Draws, j: Column) -> Column:
    """EMERGENCY, ELECTIVE, URGENT or NEWBORN."""
    return F.when(F.col("newborn"), "NEWBORN").otherwise(
        draws.pick("type", vocabulary.TYPES, "person", j)
    )


def standardized(draws: Draws, j: Column) -> dict[str, Column]:
    """The latents' z values by name: standard, correlated through the admission's severity."""
    severity = draws.bell("severity", "person", j)
    return {
        latent.name: severity * latent.severity
        + draws.bell(latent.name, "person", j) * math.sqrt(1 - latent.severity**2)
        for latent in LATENTS
    }


def risk(draws: Draws, j: Column) -> Column:
    """The outcome model's linear predictor."""
    age = age_at(draws, j)
    return logit(
        age=age,
        insurance=insurance(draws, j, age),
        admission_type=admission_type(draws, j),
        z=standardized(draws, j),
    )


def dies(draws: Draws, j: Column) -> Column:
    """True when the person dies in hospital in admission ``j``, should it come to it."""
    return draws.uniform("dies", "person", j) < probability(risk(draws, j))
