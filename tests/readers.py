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
