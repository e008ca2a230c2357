"""spark-submit jobs/measure.py TARGET [options]: measure a published release again."""

from anon_spark.cli import main

if __name__ == "__main__":
    main("measure")
