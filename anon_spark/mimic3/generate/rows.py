"""From the generator's frames to a source table's rows."""

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from anon_spark.mimic3.generate.course import DAY, MINUTE
from anon_spark.mimic3.generate.draws import literal
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.policy.schema import SourceTable


def conform(df: DataFrame, table: SourceTable) -> DataFrame:
    """The declared columns in their order and types; those that ``df`` lacks are null."""
    made = set(df.columns)
    return df.select(
        *(
            (F.col(c.name) if c.name in made else F.lit(None)).cast(c.type).alias(c.name)
            for c in table.columns
        )
    )


def moment(seconds: Column | str) -> Column:
    """A timestamp from seconds since 1970."""
    return F.timestamp_seconds(F.col(seconds) if isinstance(seconds, str) else seconds)


def midnight(seconds: Column | str) -> Column:
    """The start of the day, as a timestamp."""
    column = F.col(seconds) if isinstance(seconds, str) else seconds
    return moment(column - F.pmod(column, F.lit(DAY)))


def minute(seconds: Column) -> Column:
    """The first full minute from ``seconds`` on."""
    return (F.ceil(seconds / MINUTE) * MINUTE).cast("bigint")


def spread(frame: DataFrame, plan: Plan, table: str) -> DataFrame:
    """Repeat each stay for its rows of ``table``: ``e`` counts them from 1, ROW_ID is one-to-one."""
    return _repeat(frame, f"n_{table}", plan.most(table))


def spread_charted(frame: DataFrame, plan: Plan) -> DataFrame:
    """Repeat each stay for its rows of CHARTEVENTS."""
    return _repeat(frame, "charted", plan.most_charted)


def _repeat(frame: DataFrame, count: str, most: int) -> DataFrame:
    rows = frame.where(F.col(count) > 0)
    rows = rows.select("*", F.explode(F.sequence(F.lit(1), F.col(count))).alias("e"))
    return rows.withColumn("ROW_ID", F.col("stay") * most + F.col("e"))


def rounded(value: Column, digits: Column) -> Column:
    """``value`` to so many digits; ``F.round`` is slower and wants them to be a constant."""
    scale = F.get(literal([1.0, 10.0, 100.0], "array<double>"), digits)
    return F.floor(value * scale + 0.5) / scale


def typed(value: Column, digits: Column) -> Column:
    """A rounded ``value`` as it is typed in: without a fraction where ``digits`` is 0."""
    return F.when(digits == 0, value.cast("bigint").cast("string")).otherwise(value.cast("string"))
