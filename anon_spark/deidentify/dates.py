"""Dates: one offset a person, the same in every table; or elapsed minutes instead of a clock; and ages."""

from pyspark.sql import Column
from pyspark.sql import functions as F

TOP_AGE = 90  # ages over 89 are one category
FURTHEST_YEARS = 40  # of a true date from the first admission, before or after


def shift(column: Column, days: Column) -> Column:
    """Move a timestamp by whole days; null where either is null."""
    return F.timestamp_add("DAY", days, column)


def plausible(column: Column, near: Column) -> Column:
    """True for a timestamp within ``FURTHEST_YEARS`` of the person's first admission, and for null.

    A placeholder for "never" or "not known" (9999-12-31, 1900-01-01) is the same in every row: shifted, it would
    tell the person's offset. Where there is no first admission only years from 1800 to 2300 are plausible.
    """
    reach = F.expr(f"INTERVAL {FURTHEST_YEARS} YEARS")
    years = F.year(column)
    own = F.when(years.between(1800, 2300), column.between(near - reach, near + reach))
    return column.isNull() | F.coalesce(own, years.between(1800, 2300))


def elapsed_minutes(column: Column, start: Column) -> Column:
    """Whole minutes from ``start`` to the timestamp: bigint, negative before it, null where either is null."""
    return F.floor((F.unix_timestamp(column) - F.unix_timestamp(start)) / F.lit(60)).cast("bigint")


def age_leaf(birth: Column, at: Column) -> Column:
    """Completed years from ``birth`` to ``at`` as a leaf of the age hierarchy: '0' to '89', or '90+'.

    Dates of birth 300 years back, as MIMIC gives people over 89, are 90+. A birth after ``at`` is null.
    """
    years = F.floor(F.months_between(at, birth) / F.lit(12)).cast("int")
    return (
        F.when(years >= TOP_AGE, F.lit(f"{TOP_AGE}+"))
        .when(years >= 0, years.cast("string"))
        .otherwise(F.lit(None).cast("string"))
    )


def birth_in_band(first_admission: Column, low: Column, high: Column) -> Column:
    """A date of birth that gives an age in the middle of [low, high] years at ``first_admission``.

    A function of what the release tells anyway: band and (shifted) first admission.
    """
    months = F.floor((low + high + F.lit(1)) * F.lit(6)).cast("int")
    return F.add_months(F.to_date(first_admission), -months).cast("timestamp")
