"""A plain-pandas reader of released files: it shares no code with the engine, so that it can disagree with it."""

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq


def read_delta(folder: Path) -> pd.DataFrame:
    """The rows of a Delta table of one or several commits, by replaying its JSON log."""
    live: dict[str, None] = {}
    for commit in sorted((folder / "_delta_log").glob("*.json")):
        for line in commit.read_text().splitlines():
            action = json.loads(line)
            if "add" in action:
                live[action["add"]["path"]] = None
            if "remove" in action:
                live.pop(action["remove"]["path"], None)
    frames = [pq.read_table(folder / path).to_pandas() for path in live]
    return pd.concat(frames, ignore_index=True) if frames else pd.DataFrame()


def pointers(target: Path) -> pd.DataFrame:
    """Rows of the pointer table; empty where nothing was ever published."""
    return read_delta(target / "_releases") if (target / "_releases").is_dir() else pd.DataFrame()


def read_release(target: Path) -> dict[str, pd.DataFrame]:
    """Every table of the newest release, found through the pointer table."""
    rows = pointers(target)
    newest = rows.sort_values("published_at").iloc[-1]["release"]
    return {row.table: read_delta(target / row.path) for row in rows[rows.release == newest].itertuples()}


def ledger(target: Path) -> dict[str, Any]:
    """Document of the one ledger entry."""
    entries = read_delta(target / "_ledger")
    assert len(entries) == 1
    document: dict[str, Any] = json.loads(entries.iloc[0]["document"])
    return document


def classes(tuples: pd.DataFrame, keys: list[str], person: str, sensitive: str) -> pd.DataFrame:
    """People and distinct sensitive values of each class; null is a value like any other."""
    grouped = tuples.fillna(dict.fromkeys(keys, "<null>")).groupby(keys)
    return grouped.agg(people=(person, "nunique"), values=(sensitive, "nunique"))


def as_sorted_rows(df: pd.DataFrame) -> list[tuple[str, ...]]:
    """Rows as text in a fixed order, to compare two releases cell by cell."""
    columns = sorted(df.columns)
    return sorted(tuple(str(value) for value in row) for row in df[columns].itertuples(index=False))


MIMIC_KEYS = ["GENDER", "AGE", "ETHNICITY", "ADMISSION_TYPE", "INSURANCE", "MARITAL_STATUS"]
# First code of each ICD-9-CM chapter, typed from the classification and not from the engine.
_STARTS = [1, 140, 240, 280, 290, 320, 390, 460, 520, 580, 630, 680, 710, 740, 760, 780, 800]


def mimic_privacy(released: dict[str, pd.DataFrame]) -> dict[str, Any]:
    """k, l, classes and their sizes of a release in MIMIC-III's shape, by the definitions."""
    admissions = released["PATIENTS"][["SUBJECT_ID", "GENDER", "AGE"]].merge(
        released["ADMISSIONS"], on="SUBJECT_ID"
    )
    diagnoses = released["DIAGNOSES_ICD"].query("SEQ_NUM == 1")[["HADM_ID", "ICD9_CODE"]]
    earliest = admissions.sort_values("ADMITTIME").groupby("SUBJECT_ID").head(1)
    first = earliest.merge(diagnoses, on="HADM_ID", how="left")
    first["chapter"] = [_chapter(code if isinstance(code, str) else None) for code in first["ICD9_CODE"]]
    tuples = admissions.merge(first[["SUBJECT_ID", "chapter"]], on="SUBJECT_ID")
    found = classes(tuples, MIMIC_KEYS, "SUBJECT_ID", "chapter")
    sizes = found["people"].value_counts().sort_index()
    return {
        "k": int(found["people"].min()),
        "l": int(found["values"].min()),
        "classes": len(found),
        "class_sizes": [[int(size), int(n)] for size, n in sizes.items()],
    }


def _chapter(code: str | None) -> str:
    if code is None or code == "":
        return "(none)"
    if code[0] in "VE":
        return code[0]
    return str(max(start for start in _STARTS if start <= int(code[:3])))
