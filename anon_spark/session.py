"""The only place that builds a SparkSession: local, under spark-submit, and on Databricks.

Every session has Delta, UTC, ANSI SQL and the driver's own interpreter for Python workers. Under
``spark-submit`` and on Databricks the JVM is already running with its own settings, so only settings that
can change at run time are applied there.
"""

import atexit
import importlib.metadata
import os
import shutil
import sys
import tempfile
import warnings
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from delta import configure_spark_with_delta_pip
from pyspark.logger import PySparkLogger
from pyspark.sql import SparkSession

from anon_spark.errors import AnonError

# The versions are tested together (see pyproject.toml); pyspark warns of every newer pandas.
warnings.filterwarnings("ignore", "PySpark does not yet fully support pandas", FutureWarning)

# PySpark writes the message of every exception it raises to stderr, and such a message can quote a cell.
for _name in ("DataFrameQueryContextLogger", "SQLQueryContextLogger"):
    PySparkLogger.getLogger(_name).disabled = True

T = TypeVar("T")
TABLES_AT_ONCE = 4
TASK_TRIES = 4  # as on a cluster: a worker that dies is started again
_IVY = Path(sys.prefix) / "share" / "anon-spark" / "ivy"
LOG_CONF = Path(__file__).parent / "log4j2.properties"

RUNTIME_CONF = {
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.ansi.enabled": "true",
    # Spark's default INT96 timestamps have no statistics and overflow in other readers.
    "spark.sql.parquet.outputTimestampType": "TIMESTAMP_MICROS",
    "spark.sql.execution.arrow.pyspark.enabled": "true",
    # One snapshot partition: a Delta log of a few commits does not need 50 tasks to be read.
    "spark.databricks.delta.snapshotPartitions": "1",
}
LAUNCH_CONF = {
    "spark.sql.extensions": "io.delta.sql.DeltaSparkSessionExtension",
    "spark.sql.catalog.spark_catalog": "org.apache.spark.sql.delta.catalog.DeltaCatalog",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "4",
    "spark.scheduler.mode": "FAIR",  # small tables are written while a large one is
    # Without call sites of every expression, building a plan of hundreds of columns makes a third of the calls.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
}


def get_session(app: str = "anon_spark", *, conf: Mapping[str, str] | None = None) -> SparkSession:
    """Return the running session, or start one.

    Without a master in the environment (``spark-submit``, Databricks) the session is ``local[*,4]``.

    Args:
        app: the application's name, as shown by a cluster.
        conf: further settings; they win over the defaults here.

    Raises:
        AnonError: when Java cannot be started.
    """
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    settings = {**LAUNCH_CONF, **RUNTIME_CONF, **(conf or {})}
    active = SparkSession.getActiveSession()
    if active is None and not _launched_by_spark():
        active = _start_local(app, settings)
    elif active is None:
        builder = SparkSession.builder.appName(app)
        for name, value in settings.items():
            builder = builder.config(name, value)
        active = builder.getOrCreate()
    for name, value in RUNTIME_CONF.items():
        active.conf.set(name, (conf or {}).get(name, value))
    return active


def _launched_by_spark() -> bool:
    """True under spark-submit and on Databricks, where master and jars are already decided."""
    return "PYSPARK_GATEWAY_PORT" in os.environ or "DATABRICKS_RUNTIME_VERSION" in os.environ


def _start_local(app: str, settings: Mapping[str, str]) -> SparkSession:
    # The one-pass projection of a wide table compiles to more than the 8,000 bytes the JVM compiles by default.
    java = f"-XX:-DontCompileHugeMethods -Dlog4j2.configurationFile={LOG_CONF.as_uri()}"
    local = {
        "spark.master": f"local[*,{TASK_TRIES}]",
        "spark.driver.memory": "4g",
        "spark.driver.host": "127.0.0.1",
        "spark.driver.bindAddress": "127.0.0.1",
        "spark.driver.extraJavaOptions": java,
        "spark.ui.enabled": "false",
        "spark.local.dir": _private_folder(),
        "spark.sql.shuffle.partitions": "4",
        "spark.sql.warehouse.dir": tempfile.gettempdir() + "/anon-spark-warehouse",
    }
    builder = SparkSession.builder.appName(app)
    for name, value in {**local, **settings}.items():
        builder = builder.config(name, value)
    try:
        return _with_delta(builder).getOrCreate()
    except Exception as error:
        raise AnonError(
            f"Spark could not start ({type(error).__name__}): Java 17 must be on the PATH or in JAVA_HOME,"
            " and Delta's jars must be resolved once with Maven Central in reach"
        ) from error


def _private_folder() -> str:
    """Where Spark spills identified rows: only the owner reads it, and it goes with the process."""
    folder = tempfile.mkdtemp(prefix="anon-spark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _with_delta(builder: SparkSession.Builder) -> SparkSession.Builder:
    """Add Delta's jars: resolved once into the environment's own folder, from then on without a resolver."""
    if jars := delta_jars():
        return builder.config("spark.jars", jars)
    if os.access(sys.prefix, os.W_OK):
        builder = builder.config("spark.jars.ivy", str(_IVY))
    return configure_spark_with_delta_pip(builder)


def delta_jars() -> str:
    """Paths of Delta's jars as spark-submit takes them, empty while they have not been resolved."""
    wanted = f"io.delta_delta-spark_*-{importlib.metadata.version('delta-spark')}.jar"
    if not any((_IVY / "jars").glob(wanted)):
        return ""
    return ",".join(str(jar) for jar in sorted((_IVY / "jars").glob("*.jar")))


def for_each(spark: SparkSession, names: Sequence[str], work: Callable[[str], T]) -> dict[str, T]:
    """Do ``work`` for every name, several at a time, so that small tables do not wait for each other.

    Each name runs in its own scheduler pool. The first error is raised after the running ones have ended;
    names not yet begun are left.
    """

    def one(name: str) -> T:
        spark.sparkContext.setLocalProperty("spark.scheduler.pool", name)
        return work(name)

    with ThreadPoolExecutor(max_workers=TABLES_AT_ONCE) as pool:
        futures = {name: pool.submit(one, name) for name in names}
        try:
            return {name: future.result() for name, future in futures.items()}
        except BaseException:
            pool.shutdown(wait=False, cancel_futures=True)
            raise
