"""spark-submit jobs/publish.py POLICY SOURCE TARGET [options]: gate and publish."""

from anon_spark.cli import main

if __name__ == "__main__":
    main("stage", "publish")
