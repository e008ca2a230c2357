"""spark-submit jobs/ingest.py POLICY SOURCE TARGET [options]: source to bronze and quarantine."""

from anon_spark.cli import main

if __name__ == "__main__":
    main("stage", "ingest")
