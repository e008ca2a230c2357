"""The HTML report: self-contained, complete, escaped, reproducible, and without a value of data."""

import copy
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from anon_spark.policy.load import load_policy
from anon_spark.report.html import attacker_words, render_report
from anon_spark.report.person import PERSON_ID, Example, before_after_table
from anon_spark.report.plots import loss_plot, size_bins

VOID = {"meta", "br"}
LEVELS = {
    "GENDER": 0,
    "AGE": 2,
    "ETHNICITY": 1,
    "ADMISSION_TYPE": 1,
    "INSURANCE": 2,
    "MARITAL_STATUS": 1,
}


def table(rows: int, *, suppressed: int = 0, **more: Any) -> dict[str, Any]:
    account = {
        "in": rows,
        "out": rows - suppressed,
        "quarantined": 0,
        "suppressed": suppressed,
        "capped": 0,
        "reasons": {"class_suppressed": suppressed} if suppressed else {},
        "dropped_columns": ["ROW_ID"],
        "cells_suppressed": {},
    }
    return {**account, **more}


@pytest.fixture
def ledger() -> dict[str, Any]:
    return {
        "run": "3f9a1c77d0e2",
        "release": "spring",
        "published_at": "2026-03-02T04:05:06Z",
        "code_version": "0.1.0",
        "key_id": "0123456789ab",
        "policy": {
            "name": "mimic3_identified",
            "hash": "b1" * 32,
            "profile": "expert",
            "k": 5,
            "l": 2,
            "attacker": {"admissions": 1},
            "suppression_limit": 0.05,
        },
        "source": {"fingerprint": "c2" * 32},
        "people": {"in": 2400, "out": 2331, "suppressed": 66, "quarantined": 3},
        "tables": {
            "PATIENTS": table(2400, suppressed=66, out=2331, quarantined=3, reasons={"does_not_parse": 3}),
            "ADMISSIONS": table(
                3105,
                suppressed=91,
                capped=14,
                out=3000,
                cells_suppressed={"ETHNICITY": 1234},
                dropped_columns=["ROW_ID", "LANGUAGE", "RELIGION"],
            ),
            "CHARTEVENTS": table(1_234_567, suppressed=40_001),
        },
        "suppression": {"people": 66, "rows": 40_158, "cells": 1234, "limit": 0.05},
        "levels": dict(LEVELS),
        "heights": {
            "GENDER": 1,
            "AGE": 5,
            "ETHNICITY": 3,
            "ADMISSION_TYPE": 2,
            "INSURANCE": 2,
            "MARITAL_STATUS": 3,
        },
        "level_losses": {
            "GENDER": 0.0275,
            "AGE": 0.112,
            "ETHNICITY": 0.31,
            "ADMISSION_TYPE": 0.42,
            "INSURANCE": 1.0,
            "MARITAL_STATUS": 0.22,
        },
        "loss": 0.3486,
        "nodes": {"total": 864, "checked": 120, "feasible": 37},
        "privacy": {"k": 6, "l": 3, "classes": 190, "class_sizes": [[6, 20], [7, 15], [11, 100], [19, 55]]},
        "timing": {"people": 2331, "unique": 512, "share": 512 / 2331},
        "checks": [
            {"name": "k-anonymity", "passed": True, "detail": "smallest class has 6 people, 5 are needed"},
            {"name": "PATIENTS: raw ids", "passed": True, "detail": "0 found"},
            {"name": "ADMISSIONS: raw ids", "passed": True, "detail": "0 found"},
        ],
        "seconds": {"ingest": 12.4, "deidentify": 40.2, "anonymize": 3.1, "gate": 9.9, "publish": 1.0},
    }


@pytest.fixture
def metrics() -> dict[str, Any]:
    measures = ("auroc", "auprc", "accuracy", "precision", "recall", "f1")
    return {
        "raw": dict(zip(measures, (0.861, 0.55, 0.881, 0.52, 0.61, 0.561), strict=True)),
        "release": dict(zip(measures, (0.852, 0.54, 0.878, 0.51, None, 0.554), strict=True)),
        "people": {"train": 1864, "test": 467},
        "features": 143,
        "warning": None,
    }


@pytest.fixture(scope="module")
def example() -> Example:
    loaded = load_policy("mimic3_identified")
    return Example(policy=loaded.policy, hierarchies=loaded.hierarchies)


class Balance(HTMLParser):
    """Fails on a tag that is not closed in its place; collects ids and references to them."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.ids: list[str] = []
        self.references: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in VOID:
            self.open.append(tag)
        for name, value in attrs:
            if name == "id":
                self.ids.append(str(value))
            if name in ("href", "xlink:href"):
                self.references.append(str(value).removeprefix("#"))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.handle_starttag(tag, attrs)
        if tag not in VOID:
            self.open.pop()

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_page_is_whole_and_needs_nothing_from_outside(ledger, metrics, example):
    page = render_report(ledger, metrics, example=example)
    parser = Balance()
    parser.feed(page)
    assert parser.open == []
    assert len(parser.ids) == len(set(parser.ids))
    assert set(parser.references) <= set(parser.ids)
    assert not re.search(r"http|//|@import|<script|<link|<img", page)
    assert page.count("<svg") == 4
    assert "#0102" not in page


@pytest.mark.parametrize(
    "figure",
    [
        *("spring", "2026-03-02T04:05:06Z", "mimic3_identified", "0123456789ab", "b1" * 32, "c2" * 32),
        *("3f9a1c77d0e2", "any one of their admissions", "All 3 checks", "smallest class has 6 people"),
        *("2,331", "2.8% of 2,400", "2.8%", "40,158", "5.0%", "1,234,567", "ETHNICITY 1,234"),
        *("864", "120", "37", "0.349", "0.310", "512 of 2,331", "22.0%", "does_not_parse 3", "190"),
        *("1,864", "467", "143", "0.861", "0.852", "not defined", "publish 1.0", "66.6 seconds"),
    ],
)
def test_figure_is_on_the_page(ledger, metrics, example, figure):
    assert figure in render_report(ledger, metrics, example=example)


def test_same_input_gives_the_same_bytes(ledger, metrics, example):
    first = render_report(copy.deepcopy(ledger), metrics, example=example)
    assert render_report(ledger, metrics, example=example) == first


def test_names_are_escaped_in_text_and_in_figures(ledger, metrics):
    bad = "<b>$x_1$ & \"q'"
    ledger["release"] = ledger["policy"]["name"] = bad
    for figures in (ledger["levels"], ledger["heights"], ledger["level_losses"]):
        figures[bad] = 1
    ledger["checks"][0] |= {"name": bad, "detail": bad}
    ledger["seconds"][bad] = 1.0
    ledger["tables"][bad] = table(3, reasons={bad: 1}, cells_suppressed={bad: 2}, dropped_columns=[bad])
    metrics["warning"] = bad
    page = render_report(ledger, metrics, example=None)
    assert "<b>$x" not in page
    parser = Balance()
    parser.feed(page)
    assert parser.open == []


def test_what_the_page_does_not_name_cannot_reach_it(ledger, metrics, example):
    canary = "990555123"
    ledger["sample"] = ledger["tables"]["PATIENTS"]["values"] = canary
    ledger["privacy"]["rarest"] = ledger["timing"]["who"] = ledger["policy"]["comment"] = canary
    metrics["importance"] = {canary: 1.0}
    metrics["release"][canary] = 0.5
    assert canary not in render_report(ledger, metrics, example=example)


def test_parts_of_a_local_recoding_are_told(ledger, example):
    """The example is of the largest part; where parts differ the lowest and highest level are told."""
    name = next(name for name, level in LEVELS.items() if level > 0)
    ledger["levels"] = [
        {"levels": dict(LEVELS), "people": 40},
        {"levels": {**LEVELS, name: LEVELS[name] - 1}, "people": "<11"},
    ]
    ledger["full_domain"] = {"levels": dict(LEVELS), "loss": 0.6543, "suppressed": 0}
    page = render_report(ledger, None, example=example)
    assert "the people are in 2 parts" in page
    assert "would lose 0.654" in page
    assert f'{name}</th><td class="n">{LEVELS[name] - 1} to {LEVELS[name]}</td>' in page
    assert "The levels are those of the largest part" in page
    assert "The search chose these levels" not in page


def test_failed_checks_and_rows_that_do_not_add_up_are_said(ledger):
    ledger["checks"][1]["passed"] = False
    ledger["tables"]["PATIENTS"]["out"] -= 1
    page = render_report(ledger, None, example=None)
    assert "1 of 3 checks failed" in page
    assert "All 3 checks" not in page
    assert '<td class="fail">no</td>' in page
    assert "PATIENTS: raw ids" in page


def test_a_check_that_passed_in_several_tables_is_one_line(ledger):
    page = render_report(ledger, None, example=None)
    assert ">raw ids<" in page
    assert "0 found, in each of 2 tables" in page
    assert "ADMISSIONS: raw ids" not in page


def test_what_was_not_measured_is_said(ledger):
    ledger |= {"timing": None, "seconds": {}}
    page = render_report(ledger, None, example=None)
    assert "It does not apply" in page
    assert "They were not recorded" in page
    assert page.count("<svg") == 2


@pytest.mark.parametrize(("number", "text"), [(0.0, "0.0%"), (0.0004, "&lt;0.1%"), (0.0125, "1.2%")])
def test_a_small_share_is_told_from_none(ledger, number, text):
    ledger["timing"]["share"] = number
    assert f"<dd>{text}<small>of people" in render_report(ledger, None, example=None)


def test_without_models_and_example_their_sections_are_left_out(ledger):
    page = render_report(ledger, None, example=None)
    assert "<h2>Models</h2>" not in page
    assert "Before and after" not in page
    assert page.count("<svg") == 3


def test_raw_side_is_optional(ledger, metrics, example):
    metrics |= {"raw": None, "warning": "too few people for a comparison"}
    page = render_report(ledger, metrics, example=example)
    assert "trained on the release" in page
    assert "too few people for a comparison" in page
    assert "Raw</th>" not in page


@pytest.fixture
def comparison() -> dict[str, Any]:
    def told(value: float) -> dict[str, Any]:
        return {"value": value, "low": value - 0.02, "high": value + 0.02}

    def row(learnt_from: str, tested_on: str, auroc: float) -> dict[str, Any]:
        against = (
            {"to_raw": {"auroc": told(auroc - 0.871) | {"equivalent": False}}} if learnt_from != "raw" else {}
        )
        attack = {"loss": {"auroc": told(0.537)}, "shadow": None}
        return {
            "model": "xgboost",
            "learnt_from": learnt_from,
            "tested_on": tested_on,
            "metrics": {"auroc": told(auroc)},
            "membership": attack,
            **against,
        }

    curve = {"alive": [1.0, 0.9, 0.8], "error": [0.0, 0.1, 0.1]}
    return {
        "cohort": "mortality",
        "outcome": "death in hospital",
        "people": 1234,
        "folds": 5,
        "warning": None,
        "models": [
            row("raw", "raw", 0.871),
            row("spring", "raw", 0.854),
            row("spring", "anonymized", 0.859),
            row("autumn", "raw", 0.111),
            row("autumn", "anonymized", 0.111),
        ],
        "fairness": [{"by": {"ethnicity": {"groups": {"canary-group": {}}}}}],
        "curves": [
            {"model": "xgboost", "learnt_from": name, "validation_loss": [0.5, 0.4]}
            for name in ("raw", "spring", "autumn")
        ],
        "inference": [{"model": "xgboost", "people": 100 * n, "seconds": 0.1 * n} for n in (1, 2)],
        "utility": [{"release": "spring", "survival": {"raw": curve, "release": curve}}],
    }


def test_what_privacy_costs_is_on_the_page_of_its_release(ledger, comparison):
    page = render_report(ledger, None, example=None, comparisons=[comparison])
    for text in (
        "What privacy costs: death in hospital",
        "1,234 people",
        "0.871 (0.851 to 0.891)",
        "0.854 (0.834 to 0.874)",
        "-0.017 (-0.037 to 0.003)",
        "0.537 (0.517 to 0.557)",
        "AUROC of the models of mortality",
        "Survival in hospital, mortality",
        "Training curves of mortality",
        "Inference time of the models of mortality",
    ):
        assert text in page
    assert "0.111" not in page, "another release's line"
    assert "canary-group" not in page
    assert "What privacy costs" not in render_report(ledger, None, example=None)


def test_example_follows_levels_and_treatments(example):
    lines = {(line.table, line.column): line for line in before_after_table(example, LEVELS)}
    assert lines["PATIENTS", "AGE"].after == "70-79"
    assert lines["PATIENTS", "GENDER"].after == "F"
    assert lines["ADMISSIONS", "INSURANCE"].after == "*"
    assert lines["PATIENT_IDENTITY", "SSN"].after == "***-**-****"
    assert lines["PATIENT_IDENTITY", "NAME"].treatment == "dropped"
    assert lines["CHARTEVENTS", "VALUE (Religion)"].after in {"–", "*"}  # noqa: RUF001
    assert lines["CHARTEVENTS", "VALUENUM (Heart Rate)"].after == "88"


def test_example_is_released_without_its_own_identifiers(example):
    lines = before_after_table(example, LEVELS)
    assert lines
    before = {line.before for line in lines if line.treatment.startswith("keyed")}
    assert str(PERSON_ID) in before
    after = " ".join(line.after for line in lines)
    for secret in (*before, "Quillfeather", "2081-03-14", "2152-08-23", "Brandl", "CATHOLIC"):
        assert secret not in after


def test_example_dates_agree_with_the_age_band(example):
    lines = {line.column: line for line in before_after_table(example, LEVELS)}
    birth, admitted = (int(lines[column].after[:4]) for column in ("DOB", "ADMITTIME"))
    assert 70 <= admitted - birth <= 80
    hidden = {line.column: line for line in before_after_table(example, {**LEVELS, "AGE": 5})}
    assert hidden["DOB"].after == "–"  # noqa: RUF001


def test_example_without_its_tables_is_empty(example):
    policy = example.policy.model_copy(update={"tables": {}})
    assert before_after_table(Example(policy=policy, hierarchies={}), {}) == []


@pytest.mark.parametrize(
    ("attacker", "words"),
    [
        (1, "any one of"),
        ({"admissions": 3}, "any 3 of"),
        ("all", "all their"),
        ("a neighbour", "a neighbour"),
    ],
)
def test_attacker_in_words(attacker, words):
    assert words in attacker_words(attacker)


def test_size_bins_keep_every_class():
    sizes = [(size, size % 3 + 1) for size in range(5, 300)]
    assert sum(count for _, count in size_bins(sizes)) == sum(count for _, count in sizes)


def test_figures_take_the_colours_of_the_page():
    drawing = loss_plot({"AGE": 0.5})
    assert "var(--accent)" in drawing
    assert "font-family" not in drawing
