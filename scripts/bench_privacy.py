"""Search CPU seconds, from histogram to answer, on the 36 cases of Adult and on perturbed Adult.

All threads count (``process_time``). Figures are medians of warm runs, beside the reference's CPU seconds.
``--people N`` searches the histogram of N perturbed people instead: Adult resampled with replacement, age plus
a rounded normal of deviation 3 cut to 17-90, a share of the other cells redrawn from their marginals.
"""

import argparse
import csv
import json
import math
import resource
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from pyarrow import csv as arrow_csv

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Infeasible, Solution, search
from anon_spark.anonymize.patterns import from_histogram
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.t_closeness import TCloseness

MODELS: dict[str, list[Criterion]] = {
    "k5": [KAnonymity(5)],
    "k5_l3": [KAnonymity(5), DistinctLDiversity(3, "occupation")],
    "k5_t0.2_equal": [KAnonymity(5), TCloseness(0.2, "occupation")],
}


def adult(place: Path) -> pa.Table:
    return arrow_csv.read_csv(place / "adult.csv", parse_options=arrow_csv.ParseOptions(delimiter=";"))


def hierarchy(place: Path, name: str) -> Hierarchy:
    with (place / f"adult_hierarchy_{name}.csv").open(newline="") as file:
        return Hierarchy(name, tuple(tuple(row) for row in csv.reader(file, delimiter=";") if row))


def histogram(rows: pa.Table, columns: list[str]) -> pa.Table:
    counted = rows.select(columns).group_by(columns).aggregate([([], "count_all")])
    return counted.rename_columns({"count_all": "people"})


def perturbed(rows: pa.Table, people: int, redrawn: float) -> pa.Table:
    """Perturbed people, a dictionary of values a column."""
    draw = np.random.default_rng(7)
    pick = draw.integers(0, len(rows), people)
    columns = {}
    for name in rows.column_names:
        values = rows[name].to_numpy()[pick] if name == "age" else None
        if values is not None:
            ages = np.clip(values + np.rint(draw.normal(0, 3, people)).astype(np.int64), 17, 90)
            columns[name] = pa.array(ages)
            continue
        encoded = rows[name].combine_chunks().dictionary_encode()
        codes = encoded.indices.to_numpy()
        cells = codes[pick]
        changed = draw.random(people) < redrawn
        cells[changed] = codes[draw.integers(0, len(rows), int(changed.sum()))]
        columns[name] = pa.DictionaryArray.from_arrays(pa.array(cells), encoded.dictionary)
    return pa.table(columns)


def timed(run: Callable[[], Solution | Infeasible], runs: int) -> tuple[Solution | Infeasible, float]:
    """The answer, and the median CPU seconds of ``runs`` runs after a first one."""
    answer, seconds = run(), []
    for _ in range(runs):
        began = time.process_time()
        answer = run()
        seconds.append(time.process_time() - began)
    return answer, statistics.median(seconds)


def same(found: Solution | Infeasible, case: dict[str, Any]) -> bool:
    return (
        isinstance(found, Solution)
        and found.optimal
        and abs(found.loss - case["loss_value"]) <= 1e-9 * max(1.0, abs(case["loss_value"]))
        and found.levels == case["levels"]
        and found.suppressed.people == case["suppressed_records"]
        and found.suppressed.classes == case["classes_excl_suppressed"]
    )


def cases(shared: Path, runs: int) -> None:
    place = shared / "data" / "adult"
    rows, seconds, reference = adult(place), [], []
    print("| criteria | limit | loss | same | nodes | reference's | CPU s | reference's | ratio |")
    print("|---|---|---|---|---|---|---|---|---|")
    for case in json.loads((shared / "expected" / "arx_adult.json").read_text())["cases"]:
        names, sensitive = case["quasi_identifiers"], [case["sensitive"]] if case["sensitive"] else []
        trees = {name: hierarchy(place, name) for name in names}
        counted = histogram(rows, [*names, *sensitive])

        def run(
            case: dict[str, Any] = case,
            trees: dict[str, Hierarchy] = trees,
            counted: pa.Table = counted,
            sensitive: list[str] = sensitive,
        ) -> Solution | Infeasible:
            return search(
                from_histogram(counted, trees, sensitive),
                trees,
                MODELS[case["privacy_model"]],
                loss=case["metric"],
                suppression_limit=case["suppression_limit"],
            )

        found, took = timed(run, runs)
        theirs = case["arx_seconds"]["warm_median_thread_cpu_s"]
        seconds.append(took)
        reference.append(theirs)
        print(
            f"| {case['privacy_model']} | {case['suppression_limit']} | {case['metric']} | {same(found, case)} "
            f"| {found.nodes_checked} | {case['nodes_checked']} | {took:.3f} | {theirs:.3f} | {took / theirs:.2f} |"
        )
    ratios = [a / b for a, b in zip(seconds, reference, strict=True)]
    slow = sum(a > max(2 * b, 0.05) for a, b in zip(seconds, reference, strict=True))
    print(f"\nsum {sum(seconds):.2f} s, the reference's {sum(reference):.2f} s")
    print(
        f"geometric mean of ratios {math.exp(statistics.fmean(map(math.log, ratios))):.2f}, worst {max(ratios):.2f}"
    )
    print(f"above the larger of twice the reference's and 50 ms: {slow} of {len(ratios)}")


def scale(shared: Path, people: int, redrawn: float, runs: int) -> None:
    place = shared / "data" / "adult"
    rows = perturbed(adult(place), people, redrawn)
    print("| people | patterns | criteria | nodes | CPU s | loss_am | suppressed | peak GB |")
    print("|---|---|---|---|---|---|---|---|")
    for model, criteria in MODELS.items():
        sensitive = ["occupation"] if model != "k5" else []
        trees = {n: hierarchy(place, n) for n in rows.column_names if n not in sensitive}
        table = from_histogram(histogram(rows, rows.column_names), trees, sensitive)
        found, took = timed(
            lambda table=table, trees=trees, criteria=criteria: search(
                table, trees, criteria, suppression_limit=0.05
            ),
            runs,
        )
        if isinstance(found, Infeasible):
            raise SystemExit(f"{model}: nothing is feasible")
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"| {people:,} | {len(table.people):,} | {model} | {found.nodes_checked} | {took:.2f} | {found.loss:.6f} "
            f"| {found.suppressed.people:,} | {peak:.1f} |"
        )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--shared", type=Path, default=Path(__file__).parents[2] / "shared")
    parser.add_argument("--runs", type=int, default=5, help="warm runs of each case")
    parser.add_argument(
        "--people", type=int, help="search this many perturbed people, k, l and t at limit 0.05"
    )
    parser.add_argument("--redrawn", type=float, default=0.1, help="share of the cells that are redrawn")
    options = parser.parse_args()
    if options.people:
        scale(options.shared, options.people, options.redrawn, options.runs)
    else:
        cases(options.shared, options.runs)


if __name__ == "__main__":
    main()
