"""The search over settings: people of folds and of the later test, the same trials again, floors, files."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from pyspark.sql import DataFrame, SparkSession

from anon_spark.errors import InputError, PolicyError
from anon_spark.learn import tune as tuning
from anon_spark.learn.boost import BoostConfig
from anon_spark.learn.logistic import LogisticConfig
from anon_spark.learn.models import MODELS, load_configs
from anon_spark.learn.search_space import Range, load_space, with_values
from anon_spark.learn.sides import RAW, Side
from anon_spark.learn.tune import Search, tune, write_settings
from anon_spark.mimic3.schema import TABLES
from tests.test_cohorts import HEART, Hospital
from tests.test_compare import make_people, side

needs_optuna = pytest.mark.skipif(not find_spec("optuna"), reason="the extra 'tune' is not installed")
SPACE = {"reg_param": Range(low=0.0001, high=10.0, log=True), "elastic_net_param": [0.0, 1.0]}


def search(**changes: Any) -> Search:
    # so much shrinkage that nearly any trial is better
    base = LogisticConfig(workers=1, reg_param=5.0, elastic_net_param=1.0)
    settings = {"base": base, "space": SPACE, "trials": 3, "folds": 2, **changes}
    return Search("logistic", **settings)


@pytest.fixture(scope="module")
def people(spark: SparkSession) -> Side:
    return side(spark, RAW, make_people(400))


def ids(df: DataFrame) -> set[int]:
    return {row["SUBJECT_ID"] for row in df.select("SUBJECT_ID").collect()}


@needs_optuna
def test_a_search_goes_on_and_sees_no_test_people(
    people: Side, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The same seed tries the same settings, interrupted or not, on people of whom none is tested later."""
    held_out = people.people.where("SUBJECT_ID % 5 = 0").select("SUBJECT_ID")
    whole = tune(people, held_out, search())
    assert whole["held_out"] == 80
    assert whole["people"] == 320
    assert whole["best"]["value"] == max(trial["value"] for trial in whole["trials"])
    assert whole["best"]["value"] > 0.7 > whole["default"]["value"]
    assert whole["settings"] == {**search().base.model_dump(), **whole["best"]["values"]}

    seen: list[dict[str, set[int]]] = []
    real, trained = tuning.learnable, []

    def spied(one: Side, raw: Side, split: DataFrame, settings: Any) -> Any:
        made = real(one, raw, split, settings)
        seen.append({fold: ids(made.rows.where(f"fold = '{fold}'")) for fold in ("train", "validation")})
        return made

    def dies(rows: Any, asked: Search, config: Any) -> list[float]:
        if len(trained) == 2:
            raise ConnectionError
        trained.append(config)
        return by_fold(rows, asked, config)

    by_fold = tuning._by_fold
    monkeypatch.setattr(tuning, "learnable", spied)
    monkeypatch.setattr(tuning, "_by_fold", dies)
    with pytest.raises(ConnectionError):
        tune(people, held_out, search(), journals=tmp_path)
    again: list[Any] = []
    monkeypatch.setattr(tuning, "_by_fold", lambda *told: again.append(1) or by_fold(*told))
    assert tune(people, held_out, search(), journals=tmp_path) == whole
    assert len(again) == 2, "the settings as they are and the first trial are not trained again"
    tune(people, held_out, search(seed=8, trials=1), journals=tmp_path)
    assert len(again) == 4, "another seed is another search"

    tested, everybody = ids(held_out), ids(people.people)
    for folds in seen:
        assert folds["train"] | folds["validation"] == everybody - tested
        assert not folds["train"] & folds["validation"]
    one, other = seen[0], seen[1]
    assert one["validation"] == other["train"]

    place = write_settings(whole, tmp_path / "found")
    assert load_configs(["logistic"], tmp_path / "found")["logistic"].model_dump() == whole["settings"]
    assert "4 trials" not in place.read_text()
    assert "3 trials, seed 7, 2 folds of 320 people" in place.read_text()
    with pytest.raises(PolicyError, match="is there already"):
        write_settings(whole, tmp_path / "found")


@needs_optuna
def test_what_cannot_be_searched_is_one_sentence(people: Side) -> None:
    nobody = people.people.where("false").select("SUBJECT_ID")
    with pytest.raises(InputError, match="10 people are not held out; a search needs 20"):
        tune(people, people.people.where("SUBJECT_ID >= 7010").select("SUBJECT_ID"), search())
    ill = Side(RAW, people.people.where("label = 1 or SUBJECT_ID = 7001"), people.numeric, ())
    with pytest.raises(InputError, match="in 2 folds: a fold is empty or has one outcome"):
        tune(ill, nobody, search())


def test_spaces_that_ship_fit_their_models() -> None:
    for model in MODELS:
        base = load_configs([model])[model]
        assert len(load_space(model, base)) >= 2
    shipped = load_space("xgboost", load_configs(["xgboost"])["xgboost"])
    assert shipped["booster.max_depth"].whole
    assert not shipped["booster.min_child_weight"].whole
    assert with_values(BoostConfig(), {"booster.max_depth": 2}).booster.max_depth == 2


@pytest.mark.parametrize(
    ("model", "space", "said"),
    [
        (
            "forest",
            "min_instances_per_node: {low: 5, high: 60}",
            "min_instances_per_node: 5 is not for Fores",
        ),
        ("forest", "min_instances_per_node: [11, 10]", "min_instances_per_node: 10 is not for ForestConfig"),
        ("xgboost", "booster: {min_child_weight: {low: 1.0, high: 9.0}}", "greater than or equal to 2.75"),
        ("xgboost", "booster: {max_deph: {low: 1, high: 9}}", "booster.max_deph"),
        ("xgboost", "split_seed: [1, 2]", "split_seed: is not searched"),
        ("dense", "dropout: {low: 0.5, high: 0.1}", "low must be below high"),
        ("dense", "learning_rate: {low: 0.0, high: 0.1, log: true}", "needs a low above 0"),
        ("dense", "dropout: 0.5", "dropout: a range {low, high} or a list"),
        ("logistic", "workers: {foo: [1, 2]}", "workers is one value"),
        ("dense", "{}", "names no setting"),
        ("dense", "dropout: {low: 0.1", "cannot be read"),
    ],
)
def test_no_range_leaves_what_a_model_allows(model: str, space: str, said: str, tmp_path: Path) -> None:
    (tmp_path / "search").mkdir()
    (tmp_path / "search" / f"{model}.yaml").write_text(space)
    with pytest.raises(PolicyError) as error:
        load_space(model, load_configs([model], tmp_path)[model], tmp_path)
    assert said in str(error.value)
    assert error.value.exit_code == 2


def test_settings_of_a_folder(tmp_path: Path) -> None:
    with pytest.raises(PolicyError, match="no such folder, or no settings"):
        load_configs(["forest"], tmp_path / "nowhere")
    (tmp_path / "forest.yaml").write_text("num_trees: 7\n")
    found = load_configs(["forest", "logistic"], tmp_path)
    assert found["forest"].num_trees == 7
    assert found["logistic"] == load_configs(["logistic"])["logistic"], "the package's"
    (tmp_path / "forrest.yaml").write_text("num_trees: 7\n")
    with pytest.raises(PolicyError, match=r"unknown model 'forrest'.* did you mean 'forest'"):
        load_configs(["forest"], tmp_path)
    with pytest.raises(PolicyError) as error:
        search(trials=0, folds=1, measure="f1")
    assert len(error.value.problems) == 3


def test_without_optuna_the_command_says_so(tmp_path: Path) -> None:
    script = """
import importlib.util, sys
real = importlib.util.find_spec
importlib.util.find_spec = lambda name, *rest: None if name == "optuna" else real(name, *rest)
sys.argv = ["anon-spark", "tune", sys.argv[1], "--model", "xgboost"]
from anon_spark.cli import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path)],
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 2
    assert "install anon-spark with its extra 'tune'" in done.stderr
    assert "Traceback" not in done.stderr


def write_source(tables: dict[str, pd.DataFrame], folder: Path) -> Path:
    """All 26 tables as CSV; what a table does not say is made up where it must not be null."""
    folder.mkdir()
    made_up = {"int": 1, "bigint": 1, "double": 1.0, "string": "x", "timestamp": "2130-01-01 00:00:00"}
    for name, table in TABLES.items():
        rows = tables.get(name, pd.DataFrame()).copy()
        for column in table.columns:
            if column.name not in rows:
                rows[column.name] = None if column.nullable else made_up[column.type]
        rows[list(table.column_names)].to_csv(folder / f"{name}.csv", index=False)
    return folder


@needs_optuna
def test_bad_input_is_one_sentence_and_exit_3(tmp_path: Path) -> None:
    """Five sources in one process, through the whole of a command."""
    made = Hospital()
    for subject in range(1, 5):
        made.person(subject, days=3, died=subject % 2)
        made.chart(subject, HEART, 1, 80.0 + subject)
    whole = made.tables()
    charted, admitted = whole["CHARTEVENTS"], whole["ADMISSIONS"]
    sources = {
        "few": (whole, r"people are not held out; a search needs 20"),
        "none": (
            whole | {"ICUSTAYS": whole["ICUSTAYS"][:0]},
            r"the source has no stay for the cohort 'mortality'",
        ),
        "one": (
            whole | {"ADMISSIONS": admitted.assign(HOSPITAL_EXPIRE_FLAG=0)},
            r"all 4 people of the source have one outcome \(.*\): there is nothing to learn",
        ),
        "strange": (whole | {"CHARTEVENTS": charted.assign(ITEMID=1)}, r"none of the \d+ item ids"),
        "empty": (
            whole | {"CHARTEVENTS": charted.assign(VALUENUM=None)},
            r"without one usable value: heart_rate \(4 rows\)",
        ),
    }
    places = [str(write_source(tables, tmp_path / name)) for name, (tables, _) in sources.items()]
    script = """
import sys
from anon_spark import cli
for source in sys.argv[1:]:
    print("begins", file=sys.stderr)
    code = cli._run(["tune", source, "--model", "logistic"])
    print("exit", code, file=sys.stderr, flush=True)
"""
    done = subprocess.run(
        [sys.executable, "-c", script, *places], capture_output=True, text=True, timeout=1500, check=False
    )
    assert "Traceback" not in done.stderr
    ends = done.stderr.split("begins\n")[1:]
    for said, (_, pattern) in zip(ends, sources.values(), strict=True):
        (sentence,) = [line for line in said.splitlines() if line.startswith("anon-spark: ")]
        assert re.search(pattern, sentence), sentence
        assert said.splitlines()[-1] == "exit 3"
    assert not done.stdout
