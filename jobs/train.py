"""spark-submit jobs/train.py TARGET [options]: train on a release."""

from anon_spark.cli import main

if __name__ == "__main__":
    main("train")
