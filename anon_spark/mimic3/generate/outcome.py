"""Death in hospital: the model that decides it, so that the best reachable AUROC is known.

``p = 1 / (1 + exp(-logit))`` with

    logit = INTERCEPT + AGE_PER_DECADE * (age - 65) / 10 + INSURANCE[.] + ADMISSION_TYPE[.]
            + sum of LATENTS[.].coefficient * z

where z is the admission's latent mean of a measurement over the first 24 hours, standardized within adults or
within newborns. The emitted measurements scatter closely around the latents, so their means recover them.

Measured on 20,000 people of seed 7 (24,079 admissions, 12.9 % of them ending in death) with
``sklearn.metrics.roc_auc_score`` of HOSPITAL_EXPIRE_FLAG: the true p reaches an AUROC of 0.890. With age, insurance
and admission type replaced by their means, which leaves the sum over the latents, it is 0.827; without the latents
it is 0.731. Deaths drawn 20 times anew from the same p give 0.887 and 0.823 on average.
"""

from dataclasses import dataclass

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.draws import literal

INTERCEPT = -2.65
AGE_PER_DECADE = 0.55
MEAN_AGE = 65.0
INSURANCE = {"Medicare": 0.0, "Private": -0.5, "Medicaid": 0.2, "Government": -0.4, "Self Pay": 0.8}
ADMISSION_TYPE = {"EMERGENCY": 0.0, "URGENT": 0.5, "ELECTIVE": -1.5, "NEWBORN": 0.4}


@dataclass(frozen=True)
class Latent:
    """A measurement's mean over the first 24 hours.

    The mean is ``centre + scale * z`` (``linear``), ``exp(centre + scale * z)`` (``log``), or
    ``99.5 - exp(centre + scale * z)`` (``deficit``, which keeps a saturation below 100). ``severity`` is the
    correlation of z with the admission's severity, which all latents share.
    """

    name: str
    shape: str
    adult: tuple[float, float]
    newborn: tuple[float, float]
    severity: float
    coefficient: float

    def mean(self, z: Column, newborn: Column) -> Column:
        """The latent mean in the measurement's own unit."""
        centre = F.when(newborn, self.newborn[0]).otherwise(self.adult[0])
        linear = centre + F.when(newborn, self.newborn[1]).otherwise(self.adult[1]) * z
        if self.shape == "linear":
            return linear
        return F.exp(linear) if self.shape == "log" else F.lit(99.5) - F.exp(linear)


LATENTS = (
    Latent("heart_rate", "linear", (88, 15), (144, 10), 0.4, 0.37),
    Latent("systolic", "linear", (120, 16), (66, 7), -0.4, -0.46),
    Latent("respiratory_rate", "linear", (19, 3.8), (46, 6), 0.4, 0.37),
    Latent("spo2", "deficit", (0.95, 0.45), (0.85, 0.4), 0.3, 0.37),
    Latent("temperature", "linear", (36.9, 0.55), (36.9, 0.3), -0.2, -0.33),
    Latent("creatinine", "log", (0.15, 0.5), (-0.35, 0.2), 0.3, 0.33),
    Latent("urea_nitrogen", "log", (3.1, 0.5), (2.2, 0.3), 0.3, 0.42),
    Latent("lactate", "log", (0.65, 0.45), (0.75, 0.35), 0.5, 0.60),
    Latent("white_cells", "log", (2.35, 0.4), (2.6, 0.3), 0.3, 0.28),
)


def logit(*, age: Column, insurance: Column, admission_type: Column, z: dict[str, Column]) -> Column:
    """The model's linear predictor."""
    return demographic_term(age=age, insurance=insurance, admission_type=admission_type) + latent_term(z)


def demographic_term(*, age: Column, insurance: Column, admission_type: Column) -> Column:
    """Intercept, age, insurance and admission type: what an anonymized release coarsens."""
    of_age = (age - MEAN_AGE) / 10 * AGE_PER_DECADE
    of_insurance = F.element_at(literal(INSURANCE, "map<string,double>"), insurance)
    of_type = F.element_at(literal(ADMISSION_TYPE, "map<string,double>"), admission_type)
    return INTERCEPT + of_age + of_insurance + of_type


def latent_term(z: dict[str, Column]) -> Column:
    """What the measurements of the first 24 hours say."""
    terms = [z[latent.name] * latent.coefficient for latent in LATENTS]
    return sum(terms[1:], terms[0])


def probability(logit: Column) -> Column:
    """The logistic function."""
    return 1 / (1 + F.exp(-logit))


def death_probability(admissions: DataFrame) -> DataFrame:
    """The true probability of death in hospital of every admission.

    Args:
        admissions: as ``cohort.admit`` returns them.

    Returns:
        ``(HADM_ID: int, p: double)``, one row per admission.
    """
    return admissions.select(F.col("HADM_ID").cast("int"), probability(F.col("risk")).alias("p"))
