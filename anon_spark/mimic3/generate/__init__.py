"""The embedded synthetic source: MIMIC-III's shape, made by Spark from a seed."""

from anon_spark.mimic3.generate.identity import IDENTITY_TABLE
from anon_spark.mimic3.generate.source import death_probability, frames, generate

__all__ = ["IDENTITY_TABLE", "death_probability", "frames", "generate"]
