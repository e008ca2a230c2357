"""anon_spark: a release engine for clinical lakehouses.

The command line and the jobs are the usual way in; from Python, ``prepare`` and ``run`` make a release and
``open_release`` reads one.
"""

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"
__all__ = ["Release", "get_session", "load_policy", "open_release", "prepare", "register_functions", "run"]

if TYPE_CHECKING:
    from anon_spark.deidentify.functions import register_functions
    from anon_spark.pipeline import prepare, run
    from anon_spark.policy.load import load_policy
    from anon_spark.release.publish import Release, open_release
    from anon_spark.session import get_session

_PLACES = {
    "Release": "anon_spark.release.publish",
    "get_session": "anon_spark.session",
    "load_policy": "anon_spark.policy.load",
    "open_release": "anon_spark.release.publish",
    "prepare": "anon_spark.pipeline",
    "register_functions": "anon_spark.deidentify.functions",
    "run": "anon_spark.pipeline",
}


def __getattr__(name: str) -> Any:
    """Load a public name when it is first asked for: ``--help`` and ``check`` need no Spark."""
    if name not in _PLACES:
        raise AttributeError(f"module 'anon_spark' has no attribute '{name}'")
    from importlib import import_module  # noqa: PLC0415

    return getattr(import_module(_PLACES[name]), name)
