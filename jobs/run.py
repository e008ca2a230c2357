"""spark-submit jobs/run.py POLICY SOURCE TARGET [options]: ingest, anonymize and publish."""

from anon_spark.cli import main

if __name__ == "__main__":
    main("run")
