#!/usr/bin/env bash
# Cluster init script: the wheel without what it depends on, since Spark, Delta, pandas, pyarrow and scikit-learn are
# the runtime's own and must stay so; then the rest, within the limits of pyproject.toml.
set -euo pipefail
PIP=(/databricks/python/bin/python -m pip install --quiet --disable-pip-version-check)
"${PIP[@]}" --no-deps --force-reinstall "$ANON_SPARK_HOME"/dist/anon_spark-*.whl
"${PIP[@]}" "xgboost==3.2.0" "pydantic>=2.11,<3" "PyYAML>=6.0.2" "typer>=0.29,<0.30" "rich>=14" "Faker>=37" "Jinja2>=3.1"
