"""k and l of tables as an attacker would read them: the gate's own measurement, by Spark, on written files.

It shares no code with the search: classes are grouped by released values, not by codes, and people are
counted distinctly.
"""

from dataclasses import dataclass

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from anon_spark.anonymize.people import PERSON, SENSITIVE, person_tuples, quasi_identifier_columns
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy


@dataclass(frozen=True)
class Measured:
    """Privacy of a release over people.

    k and l are those of the weakest class, 0 where there is no class; ``class_sizes`` has (people, classes).
    """

    k: int
    l: int  # noqa: E741  (the literature's letter)
    classes: int
    people: int
    class_sizes: tuple[tuple[int, int], ...]

    def as_dict(self) -> dict[str, object]:
        """The measures as plain values."""
        sizes = [list(pair) for pair in self.class_sizes]
        return {"k": self.k, "l": self.l, "classes": self.classes, "class_sizes": sizes}


def classes(tuples: DataFrame, policy: Policy) -> DataFrame:
    """People and distinct sensitive values of every equivalence class; null is a value like any other.

    Returns:
        ``(q_<name>..., size: long, distinct: long)``, one row a class.
    """
    keys = list(quasi_identifier_columns(policy).values())
    return tuples.groupBy(*keys).agg(
        F.count_distinct(PERSON).alias("size"), F.count_distinct(SENSITIVE).alias("distinct")
    )


def measure(read: TableReader, policy: Policy) -> Measured:
    """Measure k (Eq. 11) and distinct l (Eq. 12) over people in released tables."""
    tuples = person_tuples(read, policy, released=True)
    by_size = (
        classes(tuples, policy)
        .groupBy("size")
        .agg(F.count(F.lit(1)).alias("classes"), F.min("distinct").alias("distinct"))
        .orderBy("size")
        .collect()  # one row a class size
    )
    people = read(policy.people.table).select(F.count_distinct(policy.people.id)).first()
    return Measured(
        k=int(by_size[0]["size"]) if by_size else 0,
        l=min((int(row["distinct"]) for row in by_size), default=0),
        classes=sum(int(row["classes"]) for row in by_size),
        people=int(people[0]) if people else 0,
        class_sizes=tuple((int(row["size"]), int(row["classes"])) for row in by_size),
    )
