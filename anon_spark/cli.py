"""The command line: arguments, a session, one call, a table. Everything it does is in the stages it calls."""

import hashlib
import json
import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table
from typer.exceptions import TyperException

from anon_spark import __version__
from anon_spark.detect.notes.commands import notes
from anon_spark.errors import AnonError, GateRefusedError, PolicyError
from anon_spark.learn.commands import learning

app = typer.Typer(
    name="anon-spark",
    help="Anonymize relational clinical tables with Spark, measure privacy over people, publish Delta.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
err = Console(stderr=True)
INTERRUPTED = 130
_CONTINUED = {"run", "stage", "demo"}  # by the same command; the others begin anew
app.add_typer(notes, name="notes")
app.add_typer(learning)  # without a name: its commands stand beside these

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
PolicyArg = Annotated[str, typer.Argument(help="A policy file, or the bare name of one that ships.")]
SourceArg = Annotated[
    str, typer.Argument(help="Folder of CSV, CSV.gz, Parquet or Delta tables, or catalog.schema.")
]
TargetArg = Annotated[Path, typer.Argument(help="Folder that releases are published to.")]
NameOpt = Annotated[
    str | None, typer.Option("--release", help="The release's name [12 digits of the run's id].")
]
KeyFileOpt = Annotated[Path | None, typer.Option(help="File with the secret key.")]
KeyEnvOpt = Annotated[str | None, typer.Option(help="Environment variable with the secret key.")]
ReleaseOpt = Annotated[str | None, typer.Option("--release", help="A release's name; by default the newest.")]
WorkOpt = Annotated[
    Path | None, typer.Option(help="Private folder of identified intermediate data [TARGET-work].")
]


def main(*command: str) -> None:
    """Run a command; whatever goes wrong ends in one sentence on stderr and the right exit code.

    Args:
        command: words that come before the process's own arguments (the entries in jobs/ name their stage).
    """
    if code := _run([*command, *sys.argv[1:]]):
        sys.exit(code)  # a scheduler that runs this in its own process takes any SystemExit for a failure


def _run(arguments: list[str]) -> int:
    asks = not arguments or not {"--help", "--version"}.isdisjoint(arguments)
    out = Console() if asks else _keep_stdout()
    try:
        code = app(arguments, standalone_mode=False, obj=out)
    except typer.Abort:
        return INTERRUPTED
    except TyperException as error:  # wrong usage
        message = error.format_message() if hasattr(error, "format_message") else str(error)
        if message:  # without a command the help has been printed
            _say(f"anon-spark: {message} (see anon-spark --help)", "red")
        return 2
    except GateRefusedError as error:
        err.print(str(error), style="bold red", markup=False, soft_wrap=True)
        err.print(_table("what fell short", ["check", "measured"], error.shortfalls))
        return error.exit_code
    except AnonError as error:
        _say(f"anon-spark: {error}", "red")
        return error.exit_code
    except KeyboardInterrupt:
        return INTERRUPTED
    except Exception as error:  # noqa: BLE001  (a message can quote a cell: only its kind is shown)
        kind = getattr(error, "getCondition", lambda: None)() or type(error).__name__
        goes_on = not _CONTINUED.isdisjoint(arguments[:1])
        _say(
            f"anon-spark: failed ({kind})"
            + ("; running the same command again continues it" if goes_on else ""),
            "red",
        )
        return AnonError.exit_code
    return code if isinstance(code, int) else 0  # Typer gives the code of a command that was interrupted


def _say(sentence: str, style: str) -> None:
    """One sentence on stderr, never cut into lines."""
    err.print(sentence, style=style, markup=False, highlight=False, soft_wrap=True)


def _keep_stdout() -> Console:
    """Keep stdout for results: everything else that would write there, the JVM included, goes to stderr."""
    results = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    sys.stdout = sys.stderr
    return Console(file=results, width=None if results.isatty() else 140)


def _version(asked: bool) -> None:
    if asked:
        Console().print(__version__)
        raise typer.Exit


@app.callback()
def options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """Anonymize relational clinical tables with Spark, measure privacy over people, publish Delta."""


@app.command()
def check(ctx: typer.Context, policy: PolicyArg, source: SourceArg, as_json: JsonFlag = False) -> None:
    """Hold a policy against a source's tables and columns; starts no Spark job."""
    from anon_spark.ingest.lake import locate, read_headers
    from anon_spark.policy.check import check_policy, check_source
    from anon_spark.policy.load import load_policy

    loaded = load_policy(policy)
    check_policy(loaded)
    located = locate(source, loaded.policy.tables)
    needs_spark = any(table.format in {"delta", "catalog"} for table in located.values())
    check_source(loaded, read_headers(located, _session() if needs_spark else None))
    nodes = 1
    for q in loaded.policy.quasi_identifiers.values():
        nodes *= loaded.hierarchies[q.hierarchy].height + 1
    columns = sum(len(rules.columns) for rules in loaded.policy.tables.values())
    document = {
        "policy": loaded.policy.name,
        "hash": loaded.sha256,
        "tables": len(located),
        "columns": columns,
        "quasi_identifiers": list(loaded.policy.quasi_identifiers),
        "nodes": nodes,
        "recoding": loaded.policy.recoding,
    }
    _emit(ctx, document, as_json, lambda: _facts("policy and source fit", document))


@app.command()
def generate(
    ctx: typer.Context,
    patients: Annotated[int, typer.Option(min=1, help="People in the source.")],
    out: Annotated[Path, typer.Option(help="Folder to write to; must be empty.")],
    events_per_stay: Annotated[int, typer.Option(min=1, help="Mean CHARTEVENTS rows of an ICU stay.")] = 200,
    identified: Annotated[
        bool, typer.Option("--identified", help="Add names, numbers and notes with PHI.")
    ] = False,
    seed: Annotated[int, typer.Option(help="The same seed makes the same rows.")] = 7,
    as_json: JsonFlag = False,
) -> None:
    """Write the embedded synthetic source: 26 tables in MIMIC-III's shape."""
    from anon_spark.mimic3.generate import generate as make

    rows = make(
        _session(), out, patients=patients, events_per_stay=events_per_stay, identified=identified, seed=seed
    )
    document = {"out": str(out), "tables": rows, "rows": sum(rows.values())}
    _emit(ctx, document, as_json, lambda: _table("generated", ["table", "rows"], sorted(rows.items())))


@app.command()
def run(
    ctx: typer.Context,
    policy: PolicyArg,
    source: SourceArg,
    target: TargetArg,
    work: WorkOpt = None,
    release: NameOpt = None,
    key_file: KeyFileOpt = None,
    key_env: KeyEnvOpt = None,
    as_json: JsonFlag = False,
) -> None:
    """Anonymize a source and publish it, if what was written passes the gate."""
    began = time.monotonic()
    document = _publish(
        policy, source, target, work=work, release=release, key_file=key_file, key_env=key_env
    )
    document["seconds"] = {**document["seconds"], "total": round(time.monotonic() - began, 2)}
    _emit(ctx, _without_policy(document), as_json, lambda: _show_release(document))


@app.command(hidden=True)
def stage(
    name: Annotated[str, typer.Argument(help="ingest, anonymize or publish.")],
    policy: PolicyArg,
    source: SourceArg,
    target: TargetArg,
    work: WorkOpt = None,
    release: NameOpt = None,
    key_file: KeyFileOpt = None,
    key_env: KeyEnvOpt = None,
) -> None:
    """Run one stage of a run, for schedulers that want a task each."""
    from anon_spark.pipeline import prepare, run_stage

    options: dict[str, Any] = {"work": work, "release": release, "key_file": key_file, "key_env": key_env}
    run_stage(prepare(_session(), policy, source, target, progress=_progress, **options), name)


@app.command()
def anonymize(
    ctx: typer.Context,
    table: Annotated[Path, typer.Argument(help="One table: CSV with any separator, Parquet or Delta.")],
    policy: Annotated[str, typer.Option(help="The table's policy, or the bare name of one that ships.")],
    out: Annotated[
        Path,
        typer.Option(help="What to write: NAME.csv, NAME.parquet, or NAME or NAME.delta for a Delta table."),
    ],
    as_json: JsonFlag = False,
) -> None:
    """Anonymize one table of any schema, and measure what was written."""
    from anon_spark.policy.table import load_table_policy
    from anon_spark.release.destination import check_out
    from anon_spark.table import anonymize_table

    check_out(out)
    loaded = load_table_policy(policy, table=table)
    document = anonymize_table(_session(), table, loaded, out, progress=_progress)
    _emit(ctx, document, as_json, lambda: _show_table(document))
    for sentence in document["warnings"]:
        _say(f"warning: {sentence}", "yellow")


@app.command()
def frontier(
    ctx: typer.Context,
    table: Annotated[Path, typer.Argument(help="One table: CSV with any separator, Parquet or Delta.")],
    policy: Annotated[str, typer.Option(help="The table's policy, or the bare name of one that ships.")],
    k: Annotated[str, typer.Option("--k", help="People a class, e.g. 2,5,10; by default the policy's.")] = "",
    l: Annotated[str, typer.Option("--l", help="Distinct sensitive values a class.")] = "",  # noqa: E741
    t: Annotated[str, typer.Option("--t", help="Distance from the whole table's sensitive values.")] = "",
    tau: Annotated[str, typer.Option(help="Mark the least risk of those with this utility.")] = "",
    weight: Annotated[
        str, typer.Option("--lambda", help="Mark the least lambda x risk - (1 - lambda) x utility.")
    ] = "",
    out: Annotated[Path | None, typer.Option(help="Where to draw it: NAME.html or NAME.svg.")] = None,
    as_json: JsonFlag = False,
) -> None:
    """Risk and utility of all releases of one table: those that none betters in both, and the one wanted."""
    from anon_spark.policy.table import load_table_policy
    from anon_spark.table_frontier import Asked, check_asked, frontier_of_table

    asked = Asked(
        k=_listed("--k", k, int),
        l=_listed("--l", l, int),
        t=_listed("--t", t, float),
        tau=_listed("--tau", tau, float),
        weight=_listed("--lambda", weight, float),
    )
    loaded = load_table_policy(policy, table=table)
    check_asked(loaded.policy, asked, out)
    document = frontier_of_table(_session(), table, loaded, asked, out=out, progress=_progress)
    _emit(ctx, document, as_json, lambda: _show_frontier(document))


def _listed(option: str, text: str, kind: Callable[[str], Any]) -> list[Any]:
    """Numbers between commas.

    Raises:
        PolicyError: something else is.
    """
    try:
        return [kind(part) for part in text.split(",")] if text else []
    except ValueError:
        raise PolicyError(f"{option} takes numbers between commas") from None


@app.command()
def measure(
    ctx: typer.Context,
    target: TargetArg,
    release: ReleaseOpt = None,
    source: Annotated[
        str | None, typer.Option(help="The identified source, to join against the release.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Measure a published release again, from its files."""
    from anon_spark.release.evidence import measure_release
    from anon_spark.release.publish import open_release

    opened = open_release(_session(), target, release)
    _progress(f"measure release {opened.name}" + (" and join the source against it" if source else ""))
    document = measure_release(opened, source=source)
    _emit(ctx, document, as_json, lambda: _show_measures(document))


@app.command()
def report(
    ctx: typer.Context, target: TargetArg, release: ReleaseOpt = None, as_json: JsonFlag = False
) -> None:
    """Write the release's HTML report."""
    from anon_spark.release.evidence import write_report
    from anon_spark.release.publish import open_release

    opened = open_release(_session(), target, release)
    _progress(f"report on release {opened.name}")
    document = {"release": opened.name, "report": str(write_report(opened))}
    _emit(ctx, document, as_json, lambda: _facts("report", document))


@app.command()
def demo(
    ctx: typer.Context,
    patients: Annotated[int, typer.Option(min=1, help="People in the generated source.")] = 2000,
    out: Annotated[Path, typer.Option(help="Folder for source, work and target.")] = Path("demo-run"),
    seed: Annotated[int, typer.Option(help="Seed of the generated source.")] = 7,
    as_json: JsonFlag = False,
) -> None:
    """The whole job on the embedded source: generate, anonymize, publish, train, report."""
    from anon_spark.learn.commands import show_models, warn_of
    from anon_spark.mimic3.generate import generate as make
    from anon_spark.release.evidence import released_policy, train_release, write_report
    from anon_spark.release.publish import open_release
    from anon_spark.report.person import Example, before_after_table

    settings, marker = {"patients": patients, "seed": seed}, out / "demo.json"
    if marker.exists() and json.loads(marker.read_text()) != settings:
        raise PolicyError(f"'{out}' holds a demo with other settings; choose another --out")
    source, target = out / "source", out / "target"
    spark = _session()
    if not marker.exists():
        _progress(f"generate a source of {patients} people")
        make(spark, source, patients=patients, seed=seed)
        marker.write_text(json.dumps(settings))
    document = _publish("mimic3", str(source), target, work=out / "work", key_file=_demo_key(out, seed))
    opened = open_release(spark, target, document["release"])
    _progress("train on the source and on the release")
    metrics = train_release(opened, baseline=str(source), work=out / "work")
    page = write_report(opened)
    policy, hierarchies = released_policy(document)
    lines = before_after_table(Example(policy=policy, hierarchies=hierarchies), document["levels"])
    whole = {"run": _without_policy(document), "train": metrics, "report": str(page)}

    def show() -> list[Any]:
        rows = [(line.table, line.column, line.before, line.after, line.treatment) for line in lines]
        example = _table("a fictitious person", ["table", "column", "before", "after", "treatment"], rows)
        return [example, *_show_release(document), *show_models(metrics), f"report: {page}"]

    _emit(ctx, whole, as_json, show)
    warn_of(metrics)


def _demo_key(out: Path, seed: int) -> Path:
    """A key made from the seed: nobody's data is behind it, and the demo's figures are to be the same everywhere."""
    place = out / "work" / "key"
    place.parent.mkdir(parents=True, exist_ok=True)
    place.write_text(hashlib.sha256(f"anon-spark demo {seed}".encode()).hexdigest())
    place.chmod(0o600)
    return place


def _publish(policy: str, source: str, target: Path, **options: Any) -> dict[str, Any]:
    from anon_spark.pipeline import prepare
    from anon_spark.pipeline import run as run_pipeline

    return run_pipeline(prepare(_session(), policy, source, target, progress=_progress, **options))


def _session() -> Any:
    from anon_spark.session import get_session

    return get_session(f"anon-spark {__version__}")


_BEGAN = time.monotonic()


def _progress(message: str) -> None:
    err.print(f"{time.monotonic() - _BEGAN:6.1f} s  {message}", style="dim", markup=False, highlight=False)


def _emit(ctx: typer.Context, document: Any, as_json: bool, show: Callable[[], Any]) -> None:
    console: Console = ctx.obj
    if as_json:
        console.file.write(json.dumps(document) + "\n")
    else:
        shown = show()
        for part in shown if isinstance(shown, list) else [shown]:
            console.print(part, markup=False, soft_wrap=isinstance(part, str))
    console.file.flush()


def _without_policy(document: dict[str, Any]) -> dict[str, Any]:
    """The ledger's entry without the policy's full text and its hierarchies."""
    policy = {k: v for k, v in document["policy"].items() if k not in {"document", "hierarchies"}}
    return {**document, "policy": policy}


def _table(title: str, columns: list[str], rows: Any) -> Table:
    table = Table(title=title, title_justify="left")
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i == 0 else "right" if column in _NUMERIC else "left")
    for row in rows:
        table.add_row(*("" if cell is None else str(cell) for cell in row))
    return table


_NUMERIC = {
    "rows",
    "in",
    "out",
    "suppressed",
    "quarantined",
    "capped",
    "cells",
    "level",
    "of",
    "loss",
    "risk",
    "utility",
    "classes",
    "raw",
    "release",
}


def _facts(title: str, facts: dict[str, Any]) -> Table:
    rows = [(name, ", ".join(value) if isinstance(value, list) else value) for name, value in facts.items()]
    return _table(title, ["", "value"], rows)


def _show_release(document: dict[str, Any]) -> list[Any]:
    tables = [
        (
            n,
            t["in"],
            t["out"],
            t["suppressed"],
            t["quarantined"],
            t["capped"],
            sum(t["cells_suppressed"].values()),
        )
        for n, t in document["tables"].items()
    ]
    from anon_spark.anonymize.parts import level_range

    levels = [
        (name, level_range(document["levels"], name), height, f"{document['level_losses'][name]:.3f}")
        for name, height in document["heights"].items()
    ]
    gone, people, privacy = document["suppression"], document["people"], document["privacy"]
    timing = document["timing"]
    facts = {
        "release": document["release"],
        "people": f"{people['in']} in, {people['out']} out",
        "k": f"{privacy['k']} ({document['policy']['k']} wanted)",
        "l": f"{privacy['l']} ({document['policy']['l']} wanted)",
        "equivalence classes": privacy["classes"],
        "suppressed": f"{gone['people']} people, {gone['rows']} rows, {gone['cells']} cells",
        "loss": f"{document['loss']:.4f}",
        **_recoding(document),
        "timing attack": f"{timing['unique']} of {timing['people']} people unique by days"
        if timing
        else "no dates",
        "checks passed": f"{sum(c['passed'] for c in document['checks'])} of {len(document['checks'])}",
    }
    columns = ["table", "in", "out", "suppressed", "quarantined", "capped", "cells"]
    return [
        _table("rows by table", columns, tables),
        _table("generalization", ["quasi-identifier", "level", "of", "loss"], levels),
        _facts("privacy over people", facts),
    ]


def _recoding(document: dict[str, Any]) -> dict[str, str]:
    """What local recoding gains on one level vector for all."""
    if "full_domain" not in document:
        return {}
    loss, parts = document["full_domain"]["loss"], len(document["levels"])
    return {"local recoding": f"{parts} parts, loss {loss:.4f} with one level vector for all"}


def _show_table(document: dict[str, Any]) -> list[Any]:
    privacy, nodes = document["privacy"], document["nodes"]
    facts = {
        "written": document["out"],
        "people": f"{document['people']['in']} in, {document['people']['out']} out",
        "suppressed": document["suppressed"],
        "equivalence classes": document["classes"],
        **_population_uniques(privacy),
        "least loss": _optimal(document),
        **({"nodes of the search": f"{nodes['checked']} of {nodes['total']} looked at"} if nodes else {}),
    }
    held = [(name, privacy["wanted"][name], f"{figure:.6g}") for name, figure in privacy["criteria"].items()]
    losses = [
        (name, f"{value:.6g}", "minimized" if name == document["minimized"] else "")
        for name, value in document["loss"].items()
    ]
    shown = [
        _facts("people", facts),
        _table("privacy of the written file", ["criterion", "wanted", "measured"], held),
        _table("information loss, less is better", ["by", "loss", ""], losses),
    ]
    if document["levels"]:
        levels = [(name, level, document["heights"][name]) for name, level in document["levels"].items()]
        shown.insert(0, _table("generalization", ["quasi-identifier", "level", "of"], levels))
    return shown


def _population_uniques(privacy: dict[str, Any]) -> dict[str, str]:
    if "population_uniques" not in privacy:
        return {}
    source, release = (privacy["population_uniques"][of]["people"] for of in ("source", "release"))
    return {"unique in the population": f"about {source:.0f} by the table, {release:.0f} by the release"}


def _optimal(document: dict[str, Any]) -> str:
    if document["optimal"] is True:
        return "proven"
    if document["bound"] is None:
        return "not proven: the classes are made by a heuristic"
    return f"not proven, at least {document['bound']}"


def _show_frontier(document: dict[str, Any]) -> list[Any]:
    from anon_spark.report.frontier_plot import levels_of

    names = document["quasi_identifiers"]
    rows = [
        (
            ", ".join(point["chosen_by"]),
            f"{point['risk']:.6g}",
            f"{point['utility']:.6g}",
            point["setting"],
            "local" if point["levels"] is None else " ".join(levels_of(point, names)),
            point["suppressed"],
            point["classes"],
        )
        for point in document["front"]
    ]
    whole = all(setting["complete"] for setting in document["settings"])
    facts = {
        "people": f"{document['people']}, up to {document['limit']} suppressed",
        "risk": document["risk"]["name"],
        "utility": f"1 - {document['utility']}",
        "levels of": names,
        "nodes": ", ".join(
            f"{s['nodes']['checked']} of {s['nodes']['total']} ({s['name']})" for s in document["settings"]
        ),
        "front": _provenness(document["recoding"], whole=whole),
        **({"drawn": document["out"]} if document["out"] else {}),
    }
    columns = ["chosen", "risk", "utility", "setting", "levels", "suppressed", "classes"]
    return [_table("no release betters these in both", columns, rows), _facts("risk and utility", facts)]


def _provenness(recoding: str, *, whole: bool) -> str:
    """What the points of a front are the best of."""
    nodes = "all nodes" if whole else "the nodes looked at before the budget ran out"
    if recoding == "full_domain":
        return "proven" if whole else f"of {nodes}"
    both = "" if recoding == "local" else f"{nodes} and "
    return f"not proven: of {both}one local recoding a setting, which lowers loss_am by steps"


def _show_measures(document: dict[str, Any]) -> Table:
    privacy, timing, linkage = document["privacy"], document["timing"], document["linkage"]
    facts = {
        "release": document["release"],
        "k": privacy["k"],
        "l": privacy["l"],
        "classes": privacy["classes"],
    }
    if timing:
        facts["timing attack"] = f"{timing['unique']} of {timing['people']} people unique by days"
    if linkage:
        facts["people of the source"] = linkage["people"]
        facts["matched by quasi-identifiers"] = linkage["matched"]
        facts["singled out"] = linkage["singled_out"]
        facts["smallest crowd"] = linkage["fewest"]
    return _facts("measured from the published files", facts)


if __name__ == "__main__":
    main()
