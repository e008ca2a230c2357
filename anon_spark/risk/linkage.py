"""What the identified source finds in a release: its ids, and people whom its quasi-identifiers single out."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass

from pyspark.sql import functions as F

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.people import PERSON, person_tuples
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
    levels: Mapping[str, int],
) -> LinkageRisk:
    """Generalize the source's values as the release has them and count whom each of them fits."""
    keys = [f"q_{name}" for name in policy.quasi_identifiers]
    known = person_tuples(source, policy, released=False).select(
        PERSON,
        *(
            generalize(F.col(k), hierarchies[n], levels[n]).alias(k)
            for n, k in zip(levels, keys, strict=True)
        ),
    )
    crowds = (
        person_tuples(release, policy, released=True)
        .groupBy(*keys)
        .agg(F.count_distinct(PERSON).alias("crowd"))
    )
    same = [known[k].eqNullSafe(crowds[k]) for k in keys]
    joined = known.join(F.broadcast(crowds), same, "left").groupBy(PERSON).agg(F.min("crowd").alias("crowd"))
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
