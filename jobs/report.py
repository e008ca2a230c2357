"""spark-submit jobs/report.py TARGET [options]: write the HTML report."""

from anon_spark.cli import main

if __name__ == "__main__":
    main("report")
