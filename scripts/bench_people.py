"""What k, t and the attacker's knowledge cost people: suppressed, loss and search seconds, on a whole source.

Ingests a source (or generates one) by a policy, makes the patterns of its people once an attacker, and searches
for the levels of least loss at every setting of k, with l = 2, with and without t. ``--cap auto`` keeps the
earliest admissions of a person where that costs less than generalizing all their history.
"""

import argparse
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from anon_spark.anonymize.lakehouse import PeopleSearch
from anon_spark.anonymize.patterns import PatternTable
from anon_spark.errors import GateRefusedError
from anon_spark.mimic3.generate import generate
from anon_spark.pipeline import ingest, prepare
from anon_spark.policy.model import Policy
from anon_spark.privacy.criteria import Privacy
from anon_spark.session import get_session


def setting(policy: Policy, k: int, known: object, t: float | None) -> Policy:
    """The policy with another k and t, l = 2, before another attacker."""
    close = {"sensitive": {name: {"t": t} for name in policy.sensitive}} if t else {}
    privacy = Privacy.model_validate({"k": k, "l": 2, **close})
    attacker = policy.attacker.model_copy(update={"admissions": known})
    return policy.model_copy(update={"privacy": privacy, "attacker": attacker})


def row(task: PeopleSearch, table: PatternTable) -> str:
    """Levels, people suppressed, loss and seconds of one search, or what would have to be suppressed."""
    began, cpu = time.monotonic(), time.process_time()
    try:
        found = task.find(table)
    except GateRefusedError as error:
        limit = next(detail for check, detail in error.shortfalls if check == "suppression limit")
        return f"| none: {limit} | | | {time.monotonic() - began:.1f} |"
    levels = "/".join(str(level) for level in found.levels.values())
    people = found.suppressed.people
    share = people / table.total_people
    return (
        f"| {people:,} ({share:.2%}) | {found.loss:.4f} | {levels} "
        f"| {time.monotonic() - began:.1f} ({time.process_time() - cpu:.1f} CPU) |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "source", nargs="?", type=Path, help="folder of the source; generated where none is given"
    )
    parser.add_argument("--policy", default="mimic3")
    parser.add_argument("--patients", type=int, default=50_000)
    parser.add_argument("--k", type=int, nargs="+", default=[2, 5, 10, 25])
    parser.add_argument("--t", type=float, nargs="+", default=[0.3])
    parser.add_argument("--cap", choices=["auto"], help="before an attacker who knows all admissions")
    options = parser.parse_args()
    spark = get_session("bench_people")
    with tempfile.TemporaryDirectory(prefix="anon-spark-bench-") as name:
        folder = Path(name)
        source = options.source or folder / "source"
        if options.source is None:
            generate(spark, source, patients=options.patients, events_per_stay=20)
        job = prepare(spark, options.policy, source, folder / "target")
        ingest(job)
        base = PeopleSearch(job.parsed, job.policy, job.loaded.hierarchies)
        print(
            f"limit {job.policy.suppression_limit}, quasi-identifiers {', '.join(job.policy.quasi_identifiers)}"
        )
        print("| k | admissions known | t | cap | people suppressed | loss_am | levels | search s |")
        print("|---|---|---|---|---|---|---|---|")
        for known in (1, "all"):
            tables: dict[int | None, tuple[PatternTable, float]] = {}
            for k in options.k:
                for t in (None, *options.t):
                    task = replace(base, policy=setting(job.policy, k, known, t))
                    cap = None
                    if options.cap and known == "all":
                        cap = task.choose_cap().cap
                        task = task.with_cap(cap)
                    if cap not in tables:
                        began = time.monotonic()
                        tables[cap] = task.patterns(task.people(task.tuples())), time.monotonic() - began
                    table, _ = tables[cap]
                    print(f"| {k} | {known} | {t or 'off'} | {cap or 'none'} {row(task, table)}", flush=True)
            for cap, (table, seconds) in tables.items():
                print(
                    f"{table.total_people:,} people, admissions known: {known}, cap {cap or 'none'}: "
                    f"{len(table.people):,} patterns in {seconds:.1f} s",
                    flush=True,
                )
    spark.stop()


if __name__ == "__main__":
    main()
