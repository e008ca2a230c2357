"""Search CPU seconds, from histogram to answer, on the 36 cases of Adult and on perturbed Adult.

All threads count (``process_time``). Figures are medians of warm runs, beside the reference's CPU seconds.
``--people N`` searches the histogram of N perturbed people instead: Adult resampled with replacement, age plus
a rounded normal of deviation 3 cut to 17-90, a share of the other cells redrawn from their marginals (or, with
``--evenly``, from the attribute's values). ``--whole N`` writes them as a CSV file and runs ``anon-spark
anonymize`` on it, k and t at limit 0.05: wall seconds of every step, and the peak memory of the driver.
"""

import argparse
import csv
import json
import math
import os
import resource
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
from memory import Memory
from pyarrow import csv as arrow_csv

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.anonymize.lattice import Infeasible, Solution, search
from anon_spark.anonymize.patterns import from_histogram
from anon_spark.policy.table import load_table_policy
from anon_spark.privacy.classes import Criterion
from anon_spark.privacy.k_anonymity import KAnonymity
from anon_spark.privacy.l_diversity import DistinctLDiversity
from anon_spark.privacy.t_closeness import TCloseness
from anon_spark.session import get_session
from anon_spark.table import anonymize_table

PART = 5_000_000  # people made at once
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


def perturbed(
    rows: pa.Table, people: int, redrawn: float, *, evenly: bool = False, seed: int = 7
) -> pa.Table:
    """Perturbed people, a dictionary of values a column."""
    draw = np.random.default_rng(seed)
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
        among = np.arange(len(encoded.dictionary), dtype=codes.dtype) if evenly else codes
        cells[changed] = among[draw.integers(0, len(among), int(changed.sum()))]
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


def write_people(place: Path, rows: pa.Table, people: int, redrawn: float, *, evenly: bool) -> None:
    """Perturbed people as a CSV file, made in parts."""
    options = arrow_csv.WriteOptions(delimiter=";", quoting_style="none")
    with place.open("wb") as file:
        for seed, first in enumerate(range(0, people, PART)):
            part = perturbed(rows, min(PART, people - first), redrawn, evenly=evenly, seed=7 + seed)
            plain = pa.table({name: part[name].cast("string") for name in part.column_names})
            options.include_header = first == 0
            arrow_csv.write_csv(plain, file, options)


def policy(shared: Path, model: str, patterns: int | None) -> dict[str, Any]:
    """The policy of a case: all attributes are quasi-identifiers, but for a sensitive occupation."""
    place = shared / "data" / "adult"
    names = [name for name in adult(place).column_names if name != "occupation" or model == "k5"]
    sensitive = [] if model == "k5" else ["occupation"]
    wanted: dict[str, Any] = {"k": 5}
    if model == "k5_l3":
        wanted["l"] = 3
    if model == "k5_t0.2_equal":
        wanted["sensitive"] = {"occupation": {"t": 0.2}}
    return {
        "name": "bench",
        "quasi_identifiers": {name: {"hierarchy": f"adult_hierarchy_{name}"} for name in names},
        "sensitive": sensitive,
        "privacy": wanted,
        "suppression_limit": 0.05,
        **({"search": {"patterns": patterns}} if patterns else {}),
    }


def whole(options: argparse.Namespace) -> None:
    """The whole command on a CSV file of each size: every step's seconds, and the answer."""
    spark = get_session(
        "bench_privacy", conf={"spark.sql.shuffle.partitions": str(2 * (os.cpu_count() or 2))}
    )
    rows = adult(options.shared / "data" / "adult")
    with tempfile.TemporaryDirectory(prefix="anon-spark-bench-", dir=options.scratch) as name:
        folder = Path(name)
        for file in (options.shared / "data" / "adult").glob("adult_hierarchy_*.csv"):
            shutil.copy(file, folder)
        for people in options.whole:
            table = folder / "people.csv"
            write_people(table, rows, people, options.redrawn, evenly=options.evenly)
            for model in options.models:
                for _ in range(options.runs):
                    memory = Memory()
                    found = one_whole(spark, folder, table, policy(options.shared, model, options.patterns))
                    print(
                        json.dumps({"people": people, "criteria": model, **found, **memory.peak_mib()}),
                        flush=True,
                    )
    spark.stop()


def one_whole(spark, folder: Path, table: Path, wanted: dict[str, Any]) -> dict[str, Any]:
    """One run: seconds by step, and what a reader would compare."""
    place, out = folder / "policy.yaml", folder / "release.csv"
    place.write_text(json.dumps(wanted))
    began = time.monotonic()
    document = anonymize_table(
        spark, table, load_table_policy(place), out, progress=lambda step: print(step, file=sys.stderr)
    )
    took = time.monotonic() - began
    out.unlink()
    seconds = document["seconds"]
    return {
        "seconds": round(took, 1),
        "without_gate": round(took - seconds["gate"], 1),
        "steps": seconds,
        "levels": document["levels"],
        "loss": document["loss"],
        "suppressed": document["suppressed"],
        "optimal": document["optimal"],
        "nodes": document["nodes"],
    }


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
    parser.add_argument(
        "--evenly", action="store_true", help="redraw from the values, not from the marginals"
    )
    parser.add_argument(
        "--whole", type=int, nargs="+", help="run the whole command on so many perturbed people"
    )
    parser.add_argument("--models", nargs="+", default=["k5", "k5_t0.2_equal"], choices=MODELS)
    parser.add_argument("--patterns", type=int, help="most patterns on the driver")
    parser.add_argument("--scratch", type=Path, help="where the files are made")
    options = parser.parse_args()
    if options.whole:
        whole(options)
    elif options.people:
        scale(options.shared, options.people, options.redrawn, options.runs)
    else:
        cases(options.shared, options.runs)


if __name__ == "__main__":
    main()
