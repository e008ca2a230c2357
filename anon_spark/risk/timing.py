"""The timing attack: lengths of stay and gaps between admissions, in days, as a fingerprint.

Shifting dates by whole weeks leaves intervals as they were. Who knows from another source how long a person
stayed, and when they came back, finds the people whose sequence of days nobody else has. The figure is
printed beside k in every release, and gated where the policy says so.
"""

from dataclasses import asdict, dataclass

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy


@dataclass(frozen=True)
class TimingRisk:
    """People with a timed admission, and how many of them have a sequence of days nobody else has."""

    people: int
    unique: int

    @property
    def share(self) -> float:
        """Unique people as a share, 0 where there are none."""
        return self.unique / self.people if self.people else 0.0

    def as_dict(self) -> dict[str, object]:
        """The figures as plain values."""
        return {**asdict(self), "share": self.share}


def timing_risk(read: TableReader, policy: Policy) -> TimingRisk | None:
    """Measure the day-level attack; None where the tables do not state when admissions begin and end."""
    if policy.admissions is None or policy.admissions.end is None:
        return None
    admissions = read(policy.admissions.table)
    start, end = policy.admissions.order[0], policy.admissions.end
    if not {start, end} <= set(admissions.columns):
        return None
    row = _unique_sequences(admissions, person=policy.people.id, start=start, end=end).first()
    return TimingRisk(int(row["people"] or 0), int(row["unique"] or 0)) if row else None


def _unique_sequences(admissions: DataFrame, *, person: str, start: str, end: str) -> DataFrame:
    """(people, unique): people by how many share their sequence of (days stayed, days since the last one)."""
    begin, finish = _day(admissions, start), _day(admissions, end)
    earlier = F.lag(begin).over(Window.partitionBy(person).orderBy(begin, finish))
    days = admissions.select(
        F.col(person).alias("person"),
        F.struct(begin.alias("day"), (finish - begin).alias("stay"), (begin - earlier).alias("gap")).alias(
            "days"
        ),
    )
    sequence = F.transform(F.sort_array(F.collect_list("days")), lambda d: F.struct(d["stay"], d["gap"]))
    fingerprints = days.groupBy("person").agg(sequence.cast("string").alias("fingerprint"))
    crowds = fingerprints.groupBy("fingerprint").agg(F.count(F.lit(1)).alias("n"))
    return crowds.agg(F.sum("n").alias("people"), F.count_if(F.col("n") == 1).alias("unique"))


def _day(df: DataFrame, column: str) -> Column:
    """Number of the day: of the calendar, or of elapsed minutes."""
    if dict(df.dtypes)[column] == "bigint":
        return F.floor(F.col(column) / F.lit(1440))
    return F.unix_date(F.to_date(column)).cast("bigint")
