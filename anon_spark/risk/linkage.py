"""What the identified source finds in a release: its ids, and people whom its quasi-identifiers single out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.parts import Levels, levels_by_part, levels_of
from anon_spark.anonymize.people import ADMISSION, PERSON, person_tuples
from anon_spark.deidentify.generalization import generalize
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy


@dataclass(frozen=True)
class LinkageRisk:
    """The prosecutor's join: a source that knows everybody's quasi-identifiers against the released classes.

    Attributes:
        people: people of the source.
        matched: of them, those with an admission whose values stand in the release.
        singled_out: of them, those with an admission that at most one released person matches.
        fewest: released people that the best-matched admission leaves; 0 where nobody matches.
    """

    people: int
    matched: int
    singled_out: int
    fewest: int

    def as_dict(self) -> dict[str, int]:
        """The figures as plain values."""
        return asdict(self)


def linkage_risk(
    source: TableReader,
    release: TableReader,
    policy: Policy,
    *,
    hierarchies: Mapping[str, Hierarchy],
    levels: Levels,
) -> LinkageRisk:
    """Generalize the source's values as the release has them and count whom each of them fits.

    Where people are in parts, an admission's values may be stated at the levels of each: the largest class that fits
    counts, since nothing says which of them the person is in.
    """
    keys = [f"q_{name}" for name in policy.quasi_identifiers]
    tuples = person_tuples(source, policy, released=False)
    known = _as_released(tuples, hierarchies, levels)
    crowds = (
        person_tuples(release, policy, released=True)
        .groupBy(*keys)
        .agg(F.count_distinct(PERSON).alias("crowd"))
    )
    same = [known[k].eqNullSafe(crowds[k]) for k in keys]
    fitting = known.join(F.broadcast(crowds), same, "left")
    best = fitting.groupBy(PERSON, ADMISSION).agg(F.max("crowd").alias("crowd"))
    joined = best.groupBy(PERSON).agg(F.min("crowd").alias("crowd"))
    row = joined.agg(
        F.count(F.lit(1)).alias("people"),
        F.count("crowd").alias("matched"),
        F.count_if(F.col("crowd") <= 1).alias("singled_out"),
        F.min("crowd").alias("fewest"),
    ).first()
    assert row is not None  # noqa: S101  (an aggregate without groups has one row)
    return LinkageRisk(
        int(row["people"]), int(row["matched"]), int(row["singled_out"]), int(row["fewest"] or 0)
    )


def _as_released(tuples: DataFrame, hierarchies: Mapping[str, Hierarchy], levels: Levels) -> DataFrame:
    """``(_person, _admission, q_<quasi-identifiers>)``: a row for each way in which the release may state a tuple."""
    stated = [
        generalize(F.col(f"q_{name}"), hierarchies[name], level).alias(f"{name}_{level}")
        for name in hierarchies
        for level in levels_of(levels, name)
    ]
    vectors = dict.fromkeys(tuple(part[name] for name in hierarchies) for part in levels_by_part(levels))
    ways = [
        F.struct(*(F.col(f"{n}_{x}").alias(f"q_{n}") for n, x in zip(hierarchies, vector, strict=True)))
        for vector in vectors
    ]
    return tuples.select(PERSON, ADMISSION, *stated).select(
        PERSON, ADMISSION, F.inline(F.array_distinct(F.array(*ways)))
    )
