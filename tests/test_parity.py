"""The search on Adult against the reference's answers: same loss, same suppression, same levels, same classes."""

import csv
import json
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest
from pyarrow import csv as arrow_csv

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Solution, search
from anon_spark.anonymize.patterns import from_histogram
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.t_closeness import TCloseness

SHARED = Path(__file__).parents[2] / "shared"
EXPECTED = SHARED / "expected" / "arx_adult.json"
ADULT = SHARED / "data" / "adult"
CASES: list[dict[str, Any]] = json.loads(EXPECTED.read_text())["cases"] if EXPECTED.exists() else []

pytestmark = pytest.mark.skipif(
    not CASES or not ADULT.exists(), reason=f"{SHARED.name} is not beside the project"
)


def criteria_of(model: str) -> list[Criterion]:
    further: dict[str, list[Criterion]] = {
        "k5": [],
        "k5_l3": [DistinctLDiversity(3, "occupation")],
        "k5_t0.2_equal": [TCloseness(0.2, "occupation")],
    }
    return [KAnonymity(5), *further[model]]


@cache
def hierarchy(name: str) -> Hierarchy:
    with (ADULT / f"adult_hierarchy_{name}.csv").open(newline="") as file:
        return Hierarchy(name, tuple(tuple(row) for row in csv.reader(file, delimiter=";") if row))


@cache
def histogram(columns: tuple[str, ...]) -> pa.Table:
    rows = arrow_csv.read_csv(ADULT / "adult.csv", parse_options=arrow_csv.ParseOptions(delimiter=";"))
    counted = rows.select(list(columns)).group_by(list(columns)).aggregate([([], "count_all")])
    return counted.rename_columns({"count_all": "people"})


@pytest.mark.parametrize(
    "case", CASES, ids=lambda c: f"{c['privacy_model']}-{c['suppression_limit']}-{c['metric']}"
)
def test_adult_is_answered_as_by_the_reference(case):
    names = case["quasi_identifiers"]
    sensitive = [case["sensitive"]] if case["sensitive"] else []
    trees = {name: hierarchy(name) for name in names}
    found = search(
        from_histogram(histogram((*names, *sensitive)), trees, sensitive),
        trees,
        criteria_of(case["privacy_model"]),
        loss=case["metric"],
        suppression_limit=case["suppression_limit"],
    )
    assert isinstance(found, Solution)
    assert found.optimal
    assert found.loss == pytest.approx(case["loss_value"], rel=1e-9, abs=1e-9)
    assert found.levels == case["levels"]
    assert found.suppressed.people == case["suppressed_records"]
    assert found.suppressed.classes == case["classes_excl_suppressed"]
    assert found.measured[0] == case["min_class"]
    assert found.nodes_total == case["lattice_nodes"]
