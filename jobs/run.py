"""spark-submit jobs/run.py POLICY SOURCE TARGET [options]: the whole main job, as `anon-spark run`."""

from anon_spark.jobs import main

if __name__ == "__main__":
    main("run")
