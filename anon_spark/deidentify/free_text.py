"""Free text in the pass and at the gate: personal text is replaced, each row with what is known of its person.

A row's text is looked at once a worker process where it is short, so a column of few distinct values costs little.
"""

import hmac
import json
from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Any

import pandas as pd
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.pandas.functions import pandas_udf

from anon_spark.deidentify.suppression import SUPPRESSED_TEXT
from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.known import Known, find_known
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.scrubber import find_or_withhold, scrub_known
from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.stage import HELD, KNOWN, NoteSettings, known_identifiers
from anon_spark.ingest.lake import TableReader
from anon_spark.policy.model import Policy, Treatment

SHORT = 200  # characters of a text whose spans are kept
KEPT = 50_000  # short texts whose spans are kept
STRUCT = "text string, replaced bigint"


def scrubbed_columns(policy: Policy, table: str) -> list[str]:
    """Columns of a table whose free text is scrubbed."""
    return [c for c, rule in policy.tables[table].columns.items() if rule.treatment is Treatment.SCRUB]


def note_settings(policy: Policy, key: bytes) -> NoteSettings:
    """How the policy wants text replaced; surrogates have a key of their own."""
    derived = hmac.new(key, b"surrogates in free text", "sha256").digest()
    return NoteSettings(treatment=policy.free_text.replacement, hints=policy.free_text.hints, key=derived)


def known_of_people(policy: Policy, read: TableReader) -> DataFrame | None:
    """``(person, _known)``: what the policy's tables hold of each person, as JSON; None where it names none."""
    tables = [
        (read(table), policy.people.id, dict(columns)) for table, columns in policy.free_text.known.items()
    ]
    if not tables:
        return None
    return known_identifiers(tables).withColumn(KNOWN, F.to_json(KNOWN))


def avoiding_known(settings: NoteSettings, known: DataFrame | None) -> NoteSettings:
    """``settings``, with no surrogate that :func:`known_of_people` holds of anybody: one small job, for surrogates."""
    return settings.avoiding(None if known is None else known.withColumn(KNOWN, F.from_json(KNOWN, HELD)))


def scrub_column(text: Column, known: Column, days: Column, person: Column, settings: NoteSettings) -> Column:
    """``struct<text, replaced>``: the text with what is personal replaced, and how many spans were.

    Null stays null. A text that breaks the detector, or that still says what is known of its person, becomes ``*``.
    """

    @pandas_udf(STRUCT)  # type: ignore[call-overload,untyped-decorator,unused-ignore]
    def scrub(
        batches: Iterator[tuple[pd.Series, pd.Series, pd.Series, pd.Series]],
    ) -> Iterator[pd.DataFrame]:
        detector = get_detector(settings.model)
        kept: dict[str, list[Span] | None] = {}
        for texts, held, moved, people in batches:
            rows = zip(_decoded(texts), _cells(held), _cells(moved), _cells(people), strict=True)
            yield _scrub_rows(list(rows), detector, kept, settings)

    scrubbed: Column = scrub(text.cast("binary"), known, days, person.cast("string"))
    return scrubbed


def count_known(text: Column, known: Column) -> Column:
    """How many places of a text say what is known of its person; 0 for a null."""

    @pandas_udf("bigint")  # type: ignore[call-overload,untyped-decorator,unused-ignore]
    def count(batches: Iterator[tuple[pd.Series, pd.Series]]) -> Iterator[pd.Series]:
        for texts, held in batches:
            pairs = zip(_decoded(texts), _cells(held), strict=True)
            yield pd.Series(
                [len(find_known(t, _known(k))) if t and k else 0 for t, k in pairs], dtype="int64"
            )

    counted: Column = count(text.cast("binary"), known)
    return counted


def _cells(column: pd.Series) -> list[Any]:
    return [None if pd.isna(cell) else cell for cell in column]


def _decoded(column: pd.Series) -> list[str | None]:
    """Spark's strings may hold bytes that are no UTF-8: they become the replacement character."""
    return [
        None if cell is None else bytes(cell).decode("utf-8", errors="replace") for cell in _cells(column)
    ]


@lru_cache(maxsize=10_000)
def _known(held: str | None) -> tuple[Known, ...]:
    return tuple(Known(one["value"], one["label"]) for one in json.loads(held)) if held else ()


def _scrub_rows(
    rows: Sequence[tuple[str | None, str | None, int | None, str | None]],
    detector: Detector,
    kept: dict[str, list[Span] | None],
    settings: NoteSettings,
) -> pd.DataFrame:
    """Each row's text scrubbed; spans of short texts are added to ``kept``, up to a bound."""
    texts = sorted({text for text, *_ in rows if text and text.strip() and text not in kept})
    found = dict(zip(texts, find_or_withhold(texts, detector), strict=True))
    done = []
    for text, held, days, person in rows:
        if text is None or not text.strip():
            done.append((text, 0))
            continue
        how = settings.replacing(person or "", None if days is None else int(days))
        out = scrub_known(text, found[text] if text in found else kept[text], _known(held), how)
        done.append((SUPPRESSED_TEXT if out.text is None else out.text, out.replaced))
    if len(kept) < KEPT:
        kept.update((text, spans) for text, spans in found.items() if len(text) <= SHORT)
    return pd.DataFrame(done, columns=["text", "replaced"]).astype({"replaced": "int64"})
