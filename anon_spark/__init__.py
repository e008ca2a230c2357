"""anon_spark: a release engine for clinical lakehouses."""

__version__ = "0.1.0"
