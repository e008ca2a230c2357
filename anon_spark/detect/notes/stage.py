"""Scrub a column of notes in Spark: one detector a worker process, each note with what is known of its person."""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import LongType, StringType, StructField, StructType

from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.known import Known
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.replace import HEX_DIGITS, Real, Replacing
from anon_spark.detect.notes.scrubber import find_or_withhold, scrub_known
from anon_spark.detect.notes.spans import Span

STATUS, REPLACED, LEFT = "_status", "_replaced", "_known_left"
KNOWN, DAYS, PERSON = "_known", "_days", "_person"
HELD = "array<struct<value:string,label:string>>"
SCRUBBED, WITHHELD, EMPTY = "scrubbed", "withheld", "empty"
BYTES = 4_000_000  # of texts looked at together


@dataclass(frozen=True, kw_only=True)
class NoteSettings:
    """How notes are scrubbed; the key is part of the closure, never of a plan."""

    treatment: str = "tag"
    hints: bool = True
    model: Path | None = None
    key: bytes = field(default=b"", repr=False)
    avoid: Container[str] = field(default=frozenset(), repr=False)  # what no surrogate may be

    def replacing(self, person: str, days: int | None) -> Replacing:
        """How texts of one person are replaced."""
        return Replacing(
            treatment=self.treatment,
            key=self.key,
            person=person,
            days=days,
            hints=self.hints,
            avoid=self.avoid,
        )

    def avoiding(self, known: DataFrame | None) -> "NoteSettings":
        """These settings; surrogates are drawn among what ``known``, of :func:`known_identifiers`, does not hold."""
        if self.treatment != "surrogate" or known is None:
            return self
        return replace(self, avoid=real_identifiers(known))


def known_identifiers(tables: Sequence[tuple[DataFrame, str, dict[str, str]]]) -> DataFrame:
    """What tables hold of each person.

    Args:
        tables: a DataFrame, its column with the person's id, and the label of each column that identifies; null
            cells are left out.

    Returns:
        ``(person, _known array<struct<value, label>>)``, one row a person.
    """
    parts = []
    for df, person, columns in tables:
        values = [
            F.struct(F.col(c).cast("string").alias("value"), F.lit(label).alias("label"))
            for c, label in columns.items()
        ]
        held = F.filter(F.array(*values), lambda v: v["value"].isNotNull())
        parts.append(df.select(F.col(person).cast("string").alias("person"), F.explode(held).alias("v")))
    whole = parts[0]
    for part in parts[1:]:
        whole = whole.unionByName(part)
    return whole.groupBy("person").agg(F.array_sort(F.collect_set("v")).alias(KNOWN))


def real_identifiers(known: DataFrame) -> Real:
    """Hashes of what the tables hold of everybody, 8 bytes each, collected: no surrogate may be one of them.

    Args:
        known: of :func:`known_identifiers`.
    """
    words = F.filter(F.split(F.lower("value"), r"[^\p{L}\p{N}]+"), lambda word: word != "")
    orders = F.array(F.array_join(words, ""), F.array_join(F.array_sort(words), ""))
    number = F.conv(F.substring(F.sha2(F.col("order"), 256), 1, HEX_DIGITS), 16, 10).cast("long")
    hashes = (
        known.select(F.explode(F.col(KNOWN)["value"]).alias("value"))
        .select(F.explode(orders).alias("order"))
        .select(number.alias("hash"))
        .distinct()
    )
    return Real(hashes.toArrow()["hash"].to_numpy())


def scrub_notes(
    notes: DataFrame,
    *,
    text: str,
    person: str,
    settings: NoteSettings,
    known: DataFrame | None = None,
    offsets: DataFrame | None = None,
) -> DataFrame:
    """``notes`` with ``text`` scrubbed, and three more columns; one row a note, in no order.

    A note that breaks the detector, or that still says what is known of its person, has a null text and the status
    ``withheld``.

    Args:
        known: of :func:`known_identifiers`. offsets: ``(person, days)``, by which dates are moved for surrogates; dates
            of a person who has none become tags.

    Returns:
        The columns of ``notes``, ``_status`` (scrubbed, withheld, empty), ``_replaced`` and ``_known_left``: how
        many spans were replaced, and how many known values a look at the scrubbed text found (0 unless withheld).
    """
    joined = notes.withColumn(PERSON, F.col(person).cast("string"))
    if known is not None:
        joined = joined.join(known.withColumnRenamed("person", PERSON), on=PERSON, how="left")
    else:
        joined = joined.withColumn(KNOWN, F.lit(None).cast(HELD))
    days = F.lit(None).cast("int").alias(DAYS)
    if offsets is not None:
        moved = offsets.select(
            F.col("person").cast("string").alias(PERSON), F.col("days").cast("int").alias(DAYS)
        )
        joined = joined.join(moved, on=PERSON, how="left")
    else:
        joined = joined.select("*", days)
    counts = [
        StructField(STATUS, StringType()),
        StructField(REPLACED, LongType()),
        StructField(LEFT, LongType()),
    ]
    names = notes.columns
    settings = settings.avoiding(known)

    def scrubbed(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        detector = get_detector(settings.model)
        for batch in batches:
            for part in _bounded(batch, text):
                yield _scrub_batch(part, text, names, detector, settings)

    return joined.mapInArrow(scrubbed, StructType([*notes.schema.fields, *counts]))


def _bounded(batch: pa.RecordBatch, text: str) -> Iterator[pa.RecordBatch]:
    """Parts of a batch with texts of bounded size, or of one text."""
    begin = size = 0
    for row, length in enumerate(pc.binary_length(batch.column(text)).to_pylist()):
        if size + (length or 0) > BYTES and row > begin:
            yield batch.slice(begin, row - begin)
            begin, size = row, 0
        size += length or 0
    yield batch.slice(begin)


def _scrub_batch(
    batch: pa.RecordBatch, text: str, names: list[str], detector: Detector, settings: NoteSettings
) -> pa.RecordBatch:
    """Only the text is read in Python: other columns, whole numbers with nulls among them, pass as they are."""
    # Spark's strings may hold bytes that are no UTF-8: they become the replacement character.
    raw = batch.column(text).cast(pa.binary()).to_pylist()
    texts = [None if words is None else words.decode("utf-8", errors="replace") for words in raw]
    distinct = sorted({words for words in texts if words and words.strip()})
    found = dict(zip(distinct, find_or_withhold(distinct, detector), strict=True))
    people = (batch.column(name).to_pylist() for name in (KNOWN, DAYS, PERSON))
    done = [
        _scrub_one(words, found.get(words or ""), _known(held), settings.replacing(person or "", days))
        for words, held, days, person in zip(texts, *people, strict=True)
    ]
    columns = [
        pa.array([one[0] for one in done], pa.string()) if n == text else batch.column(n) for n in names
    ]
    types = {STATUS: pa.string(), REPLACED: pa.int64(), LEFT: pa.int64()}
    added = [pa.array([one[place] for one in done], kind) for place, kind in enumerate(types.values(), 1)]
    return pa.RecordBatch.from_arrays([*columns, *added], [*names, *types])


def _known(held: Any) -> list[Known]:
    return [] if held is None else [Known(one["value"], one["label"]) for one in held]


def _scrub_one(
    words: str | None,
    spans: list[Span] | None,
    known: list[Known],
    how: Replacing,
) -> tuple[str | None, str, int, int]:
    if not words or not words.strip():
        return words, EMPTY, 0, 0
    done = scrub_known(words, spans, known, how)
    return done.text, WITHHELD if done.text is None else SCRUBBED, done.replaced, done.left
