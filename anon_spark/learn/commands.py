"""``anon-spark train``, ``compare`` and ``tune``: models on a release and on its source."""

from pathlib import Path
from typing import Annotated, Any

import typer

from anon_spark.errors import PolicyError

learning = typer.Typer()

JsonFlag = Annotated[
    bool, typer.Option("--json", help="Print one JSON object on stdout and nothing else there.")
]
TargetArg = Annotated[Path, typer.Argument(help="Folder that releases are published to.")]
ReleaseOpt = Annotated[str | None, typer.Option("--release", help="A release's name; by default the newest.")]
WorkOpt = Annotated[
    Path | None, typer.Option(help="Private folder of identified intermediate data [TARGET-work].")
]
CohortOpt = Annotated[str, typer.Option("--cohort", help="mortality, sepsis, long_stay or readmission.")]
SetsOpt = Annotated[str, typer.Option("--variables", help="Sets of variables: benchmark, laboratory, sofa.")]
SettingsOpt = Annotated[
    Path | None,
    typer.Option(
        "--settings", help="Folder of models' settings, NAME.yaml; models without a file keep the package's."
    ),
]
StoreOpt = Annotated[
    Path | None,
    typer.Option("--mlflow", help="Folder of an MLflow store [WORK/mlflow where MLflow is installed]."),
]


@learning.command()
def train(
    ctx: typer.Context,
    target: TargetArg,
    release: ReleaseOpt = None,
    baseline: Annotated[str | None, typer.Option(help="The identified source: the same people, raw.")] = None,
    work: WorkOpt = None,
    max_membership: Annotated[
        float | None,
        typer.Option(
            min=0.5, max=1, help="Keep no model whose membership inference may reach a higher AUROC."
        ),
    ] = None,
    settings: SettingsOpt = None,
    mlflow: StoreOpt = None,
    as_json: JsonFlag = False,
) -> None:
    """Train distributed XGBoost on a release, and on its source beside it."""
    from anon_spark.cli import _emit, _progress, _session
    from anon_spark.learn.models import load_configs
    from anon_spark.release.evidence import METRICS_FILE, train_release
    from anon_spark.release.publish import open_release
    from anon_spark.release.tracking import find_store, track

    config = load_configs(["xgboost"], settings)["xgboost"]
    store = find_store(mlflow, work or Path(f"{target}-work"))
    opened = open_release(_session(), target, release)
    _progress(f"train on release {opened.name}" + (" and on its source" if baseline else ""))
    document = train_release(
        opened, baseline=baseline, work=work, max_membership=max_membership, config=config
    )
    if store:
        track(store, f"train {opened.name}", document, opened.evidence / METRICS_FILE)
    _emit(ctx, document, as_json, lambda: show_models(document))
    warn_of(document)


@learning.command()
def compare(
    ctx: typer.Context,
    source: Annotated[
        str, typer.Argument(help="Folder of CSV, CSV.gz, Parquet or Delta tables, or catalog.schema.")
    ],
    releases: Annotated[list[str], typer.Argument(help="TARGET, or TARGET:NAME for one of its releases.")],
    cohort: CohortOpt = "mortality",
    models: Annotated[str, typer.Option(help="Models, with commas between.")] = "xgboost,forest,logistic",
    variables: SetsOpt = "benchmark",
    folds: Annotated[int, typer.Option(help="Parts that people are split into, by person.")] = 5,
    tested: Annotated[
        int | None, typer.Option(help="How many of the folds serve as test; all where not given.")
    ] = None,
    draws: Annotated[int, typer.Option(help="Resamples of the intervals.")] = 1000,
    inference: Annotated[
        str, typer.Option(help="Time the scoring of the people taken 1,10,... times, with commas between.")
    ] = "1,3,10",
    work: Annotated[
        list[Path] | None, typer.Option(help="WORK of each release, in their order [TARGET-work].")
    ] = None,
    settings: SettingsOpt = None,
    mlflow: StoreOpt = None,
    as_json: JsonFlag = False,
) -> None:
    """Train on a source and on its releases, same people and folds: what privacy costs, with intervals."""
    from anon_spark.cli import _emit, _listed, _progress, _session
    from anon_spark.learn.models import load_configs
    from anon_spark.learn.scoring import Settings
    from anon_spark.mimic3.cohort import find_task
    from anon_spark.release.evidence import COMPARISON_FILE, compare_with_source
    from anon_spark.release.publish import open_release
    from anon_spark.release.tracking import find_store, track

    task = find_task(cohort)
    names = tuple(models.split(","))
    how = Settings(
        names,
        folds=folds,
        tested=tested,
        draws=draws,
        inference=tuple(_listed("--inference", inference, int)),
        configs=load_configs(names, settings),
    )
    named = [_target_and_name(release) for release in releases]
    works = work or [Path(f"{target}-work") for target, _ in named]
    if len(works) != len(named):
        raise PolicyError(f"{len(named)} releases need as many --work, got {len(works)}")
    store = find_store(mlflow, works[0])
    opened = [open_release(_session(), target, name) for target, name in named]
    _progress(f"compare the source with {', '.join(release.name for release in opened)}")
    document = compare_with_source(
        _session(), source, opened, works, task=task, sets=variables.split(","), settings=how
    )
    if store:
        kept = opened[0].evidence / COMPARISON_FILE.format(task.name)
        track(store, f"compare {task.name}: {', '.join(release.name for release in opened)}", document, kept)
    _emit(ctx, document, as_json, lambda: _show_comparison(document))
    warn_of(document)


@learning.command()
def tune(
    ctx: typer.Context,
    data: Annotated[
        str, typer.Argument(help="TARGET, for settings that train takes, or a source, for those of compare.")
    ],
    model: Annotated[str, typer.Option(help="xgboost, forest, logistic, dense or lstm.")],
    cohort: CohortOpt = "mortality",
    variables: SetsOpt = "benchmark",
    trials: Annotated[int, typer.Option(help="Settings to try.")] = 30,
    folds: Annotated[int, typer.Option(help="Parts of the people, by person; each validates once.")] = 4,
    measure: Annotated[str, typer.Option(help="auroc or logloss, of the validation people.")] = "auroc",
    seed: Annotated[int, typer.Option(help="The same seed tries the same settings.")] = 7,
    out: Annotated[
        Path | None, typer.Option(help="Folder to write the best settings to, as MODEL.yaml for --settings.")
    ] = None,
    settings: SettingsOpt = None,
    release: ReleaseOpt = None,
    policy: Annotated[str, typer.Option(help="Declares a source's tables.")] = "mimic3",
    work: Annotated[
        Path | None,
        typer.Option(
            help="Private folder, where an interrupted search goes on [TARGET-work if there is one]."
        ),
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Search for a model's best settings by person-wise folds, without the people that are tested later."""
    from anon_spark.cli import _emit, _progress, _session
    from anon_spark.learn.models import load_configs
    from anon_spark.learn.search_space import load_space
    from anon_spark.learn.tune import Search, require_optuna, settings_place, write_settings
    from anon_spark.mimic3.cohort import find_task
    from anon_spark.policy.load import load_policy
    from anon_spark.release.publish import POINTER, open_release
    from anon_spark.release.tuning import tune_release, tune_source

    require_optuna()
    task = find_task(cohort)
    configs = load_configs([model, "xgboost"], settings)
    search = Search(
        model,
        configs[model],
        load_space(model, configs[model], settings),
        trials=trials,
        folds=folds,
        seed=seed,
        measure=measure,  # type: ignore[arg-type]  # checked there
        windows=task.windows,
    )
    if out:
        settings_place(model, out)
    how: dict[str, Any] = {"task": task, "sets": variables.split(","), "search": search, "work": work}
    how["progress"] = _progress
    if (Path(data) / POINTER).exists():
        opened = open_release(_session(), data, release)
        document = tune_release(opened, boost=configs["xgboost"], **how)
    else:
        document = tune_source(_session(), data, load_policy(policy).policy, **how)
    document = {**document, "out": str(write_settings(document, out)) if out else None}
    _emit(ctx, document, as_json, lambda: _show_search(document))
    warn_of(document)


def _target_and_name(release: str) -> tuple[Path, str | None]:
    """Split TARGET:NAME; a TARGET that is there may have colons of its own."""
    target, colon, name = release.rpartition(":")
    return (Path(target), name) if colon and not Path(release).exists() else (Path(release), None)


def show_models(document: dict[str, Any]) -> list[Any]:
    """The metrics of both sides as a table."""
    from anon_spark.cli import _table

    raw, release = document["raw"] or {}, document["release"]

    def figure(value: float | None) -> str:
        return "–" if value is None else f"{value:.3f}"  # noqa: RUF001

    rows = [(name, figure(raw.get(name)), figure(release[name])) for name in release]
    return [_table("in-hospital mortality, test people", ["metric", "raw", "release"], rows)]


def _show_comparison(document: dict[str, Any]) -> list[Any]:
    from anon_spark.cli import _facts, _table

    def figure(value: dict[str, Any]) -> str:
        if value["value"] is None:
            return "–"  # noqa: RUF001
        return f"{value['value']:.3f} ({value['low']:.3f} to {value['high']:.3f})"

    def difference(row: dict[str, Any]) -> tuple[str, str]:
        against = row.get("to_raw") or row.get("to_truth")
        if against is None:
            return "", ""
        return figure(against["auroc"]), "yes" if against["auroc"]["equivalent"] else "no"

    rows = [
        (
            row["model"],
            row["learnt_from"],
            row["tested_on"],
            *(figure(row["metrics"][name]) for name in ("auroc", "auprc", "brier")),
            *difference(row),
        )
        for row in document["models"]
    ]
    columns = ["model", "learnt from", "tested on", "auroc", "auprc", "brier", "auroc to raw", "equivalent"]
    people = {"people": document["people"], "positives": document["positives"], **document["left_out"]}
    shown = [
        _facts("people in all data sets; left out of each", people),
        _table(document["outcome"], columns, rows),
        *([_show_utility(document["utility"])] if document["utility"] else []),
    ]
    return [*shown, *document["notes"]]


def _show_utility(releases: list[dict[str, Any]]) -> Any:
    """The worst column, pair and gap of each release, and how far answers to counts are off."""
    from anon_spark.cli import _table

    def largest(pairs: list[dict[str, Any]]) -> float:
        known = [pair for pair in pairs if pair["raw"] is not None and pair["release"] is not None]
        return max((abs(pair["raw"] - pair["release"]) for pair in known), default=0.0)

    rows = []
    for release in releases:
        kept, measured, survival = (release[key] for key in ("quasi_identifiers", "measurements", "survival"))
        gaps = [gap["wasserstein"] for gap in measured["columns"].values() if gap["wasserstein"] is not None]
        figures = (
            max(distance["jensen_shannon"] for distance in kept["columns"].values()),
            largest(kept["associations"]),
            kept["queries"]["median"],
            max(gaps, default=0.0),
            largest(measured["correlations"]),
            *([survival["largest_gap"]] if survival else []),
        )
        rows.append((release["release"], *(f"{figure:.3f}" for figure in figures)))
    columns = [
        "release",
        "jensen-shannon",
        "cramér's v",
        "count query",
        "wasserstein",
        "correlation",
        "survival",
    ]
    return _table("differences to the source: the largest, and a count query's median error", columns, rows)


def warn_of(metrics: dict[str, Any]) -> None:
    """Say what too few people do not prove."""
    from anon_spark.cli import _say

    if metrics["warning"]:
        _say(f"warning: {metrics['warning']}", "yellow")


def _show_search(document: dict[str, Any]) -> list[Any]:
    from anon_spark.cli import _facts, _table

    best, default, measure = document["best"], document["default"], document["measure"]

    def figures(told: dict[str, Any]) -> str:
        return f"{told['value']:.4f} ({', '.join(f'{value:.4f}' for value in told['by_fold'])})"

    facts = {
        "people": f"{document['people']} in {document['folds']} folds, {document['held_out']} held out",
        f"{measure} before": figures(default),
        f"{measure} of the best": figures(best) if best["trial"] else "no trial is better",
        "written": document["out"],
    }
    rows = [(name, value) for name, value in best["values"].items()]
    found = [_table(f"trial {best['trial']} of {len(document['trials'])}", ["setting", "value"], rows)]
    return [_facts(f"{document['model']}: {document['outcome']}", facts), *(found if best["trial"] else [])]
