"""spark-submit jobs/anonymize.py POLICY SOURCE TARGET [options]: bronze to candidate."""

from anon_spark.cli import main

if __name__ == "__main__":
    main("stage", "anonymize")
