"""NOTEEVENTS: short neutral notes, or in an identified source notes with known spans of personal text."""

import random
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pyarrow as pa
from faker import Faker
from pyspark.sql import DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import DataType, StructType

from anon_spark.mimic3.generate.course import DAY, HOUR
from anon_spark.mimic3.generate.identity import PERSONAL
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.mimic3.generate.rows import midnight, minute, moment

MOST_NOTES = 8
KINDS = {"Nursing/other": 5, "Radiology": 3, "Nursing": 2, "Physician ": 2, "ECG": 1}
DESCRIPTIONS = {"Radiology": "CHEST (PORTABLE AP)", "Physician ": "Physician Resident Progress Note"}
NEUTRAL = (
    "Pt stable overnight. Lungs clear, abdomen soft.\nPlan: continue current care.",
    "Sinus rhythm. No previous tracing available for comparison.",
    'Portable chest: lines in place, "no acute process", heart size unchanged.',
    "NEURO: alert, follows commands.\nRESP: on nasal cannula, sats 96%.\nGU: foley, good output.",
    "Patient was admitted, treated, and discharged in good condition.\nFollow up with primary care.",
    "Vomiting resolved, tolerating clears. Family updated, questions answered.",
)
SPANS = "array<struct<start:int,end:int,label:string>>"

# A template is text with {fields}; each field is replaced by words whose span and label are known.
Template = tuple[str, ...]
TEMPLATES: dict[str, Template] = {
    "Discharge summary": (
        "Admission Date:  {admitted}     Discharge Date:  {discharged}\n\nPatient: {name}    MRN: {mrn}\n"
        "Service: MEDICINE\n\nAttending: Dr. {doctor}\n\nBrief Hospital Course:\nMs./Mr. {last} was admitted with "
        '"shortness of breath", treated, and improved.\n\nDischarge Instructions:\nPlease call {phone} with '
        "questions, or write to {email}.\nFollow-up with Dr. {doctor2} on {later} at {hospital}.\n",
        "Admission Date:  {admitted}     Discharge Date:  {discharged}\n\nHISTORY OF PRESENT ILLNESS:  {name} is "
        "known to us, lives at {street}, {city}, {state} {zip}, and was transferred from {hospital}.\n\n"
        "Social security number {ssn}, confirmed by family, home phone {phone}.\n\nDictated By:  {doctor}, M.D.\n",
    ),
    "Radiology": (
        '{charted} 4:15 AM\n CHEST (PORTABLE AP)                     Clip # {mrn}\n Reason: eval for "infiltrate"\n'
        "______\n FINAL REPORT\n Comparison is made to {earlier}.  Lines, tubes unchanged.  Dr. {doctor} was paged.\n",
    ),
    "Nursing/other": (
        'NPN 7p-7a\nPt {last} slept well, VSS, "no pain".\nSocial: daughter {relative} called, reached at {phone}.\n'
        "Plan: OR on {later} with Dr. {doctor}.\n",
        "Respiratory Care: {name} remains intubated, sxn for thick, tan secretions.  See CareVue, plan to wean.\n",
    ),
    "Nursing": (
        "Title: Family meeting\nWith {relative}, {relative2}, and Dr. {doctor} on {charted}.\n"
        'Wishes of {name}: "full code".  Contact: {phone}, {email}\n',
    ),
    "Physician ": (
        "TITLE: Progress note {charted}\nChief Complaint: hypotension\n24 Hour Events: transferred from {hospital}\n"
        "MRN {mrn}, {name}.  Seen with Dr. {doctor}, agree with plan.\n",
    ),
    "ECG": ("Sinus rhythm. Compared to the previous tracing of {earlier}, no change.\nRead by {doctor}.\n",),
}


def note(admissions: DataFrame, plan: Plan) -> DataFrame:
    """Rows of NOTEEVENTS and their gold ``SPANS``: a discharge summary per admission and a few notes more."""
    draws, ids = plan.draws, ("HADM_ID", "n")
    most = min(2 + plan.events_per_stay // 40, MOST_NOTES)
    count = draws.whole("notes", 1, most, "HADM_ID").cast("int")
    rows = admissions.select("*", F.explode(F.sequence(F.lit(1), count)).alias("n"))
    last = F.col("n") == 1
    rows = rows.withColumns(
        {
            "ROW_ID": F.col("admission") * MOST_NOTES + F.col("n"),
            "at": minute(
                F.when(last, F.col("discharged")).otherwise(
                    F.col("admitted")
                    + (F.col("discharged") - F.col("admitted")) * draws.uniform("noted", *ids) * 0.95
                )
            ),
            "CATEGORY": F.when(last, "Discharge summary").otherwise(draws.pick("note", KINDS, *ids)),
            "HADM_ID": F.when(last | ~draws.chance(0.03, "no admission", *ids), F.col("HADM_ID")),
            "chosen": draws.bits("text", *ids),
        }
    )
    timed = F.col("CATEGORY") != "Discharge summary"
    described = F.lit("Report")
    for kind, text in DESCRIPTIONS.items():
        described = F.when(F.col("CATEGORY") == kind, text).otherwise(described)
    rows = rows.withColumns(
        {
            "CHARTDATE": midnight("at"),
            "CHARTTIME": F.when(timed, moment("at")),
            "STORETIME": F.when(timed, moment(F.col("at") + HOUR)),
            "DESCRIPTION": described,
            "CGID": F.when(
                F.col("CATEGORY").isin("Nursing", "Nursing/other", "Physician "),
                plan.caregiver("notes", *ids),
            ),
            "ISERROR": F.when(draws.chance(0.002, "error", *ids), "1"),
        }
    )
    if plan.identified:
        return _written(rows)
    return rows.withColumns({"TEXT": draws.pick("neutral", NEUTRAL, *ids), "SPANS": F.lit(None).cast(SPANS)})


def gold(notes: DataFrame) -> DataFrame:
    """``(row_id, spans)`` of the notes: where each note's personal text starts and ends, and what it is."""
    return notes.select(F.col("ROW_ID").cast("int").alias("row_id"), F.col("SPANS").alias("spans"))


def _written(rows: DataFrame) -> DataFrame:
    columns = [
        "ROW_ID",
        "SUBJECT_ID",
        "HADM_ID",
        "CHARTDATE",
        "CHARTTIME",
        "STORETIME",
        "CATEGORY",
        "DESCRIPTION",
    ]
    columns += ["CGID", "ISERROR", "chosen", "at", "admitted", "discharged", *PERSONAL]
    kept = rows.select(*columns)
    schema = StructType([*kept.schema]).add("TEXT", "string").add("SPANS", DataType.fromDDL(SPANS))
    return kept.mapInArrow(_write_batches, schema)


def _write_batches(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    fake = Faker("en_US")
    span = pa.struct([("start", pa.int32()), ("end", pa.int32()), ("label", pa.string())])
    for batch in batches:
        written = [write_note(record, fake) for record in batch.to_pylist()]
        texts = pa.array([text for text, _ in written], pa.string())
        spans = pa.array([spans for _, spans in written], pa.list_(span))
        yield pa.RecordBatch.from_arrays(
            [*batch.columns, texts, spans], [*batch.schema.names, "TEXT", "SPANS"]
        )


def write_note(record: dict[str, Any], fake: Faker) -> tuple[str, list[dict[str, Any]]]:
    """Fill a template of the record's CATEGORY.

    Returns:
        The text, and the spans of what was filled in: ``start``, ``end`` (exclusive) and ``label``.
    """
    fake.seed_instance(int(record["chosen"]))
    draw = random.Random(int(record["chosen"]))  # noqa: S311  reproducible made-up text, nothing secret
    template = draw.choice(TEMPLATES[record["CATEGORY"]])
    fields = _fields(record, fake, draw)
    text, spans, rest = "", [], template
    while rest:
        before, brace, after = rest.partition("{")
        text += before
        name, _, rest = after.partition("}")
        if brace:
            label, words = fields[name]()
            spans.append({"start": len(text), "end": len(text) + len(words), "label": label})
            text += words
    return text, spans


def _fields(
    record: dict[str, Any], fake: Faker, draw: random.Random
) -> dict[str, Callable[[], tuple[str, str]]]:
    """What each field of a template is replaced by: a label and words."""

    def on(second: int, days: int = 0) -> tuple[str, str]:
        when = datetime(1970, 1, 1) + timedelta(seconds=int(second) + days * DAY)
        form = draw.choice(("{0:%Y-%m-%d}", "{0.month}/{0.day}/{0.year}", "{0:%B} {0.day}, {0.year}"))
        return "DATE", form.format(when)

    return {
        "name": lambda: ("NAME", record["NAME"]),
        "last": lambda: ("NAME", record["NAME"].split()[-1]),
        "relative": lambda: ("NAME", f"{fake.first_name()} {record['NAME'].split()[-1]}"),
        "relative2": lambda: ("NAME", fake.first_name()),
        "doctor": lambda: ("NAME", f"{fake.first_name()} {fake.last_name()}"),
        "doctor2": lambda: ("NAME", fake.last_name()),
        "mrn": lambda: ("MRN", record["MRN"]),
        "ssn": lambda: ("SSN", record["SSN"]),
        "phone": lambda: ("PHONE", record["PHONE"]),
        "email": lambda: ("EMAIL", record["EMAIL"]),
        "street": lambda: ("ADDRESS", record["STREET"]),
        "city": lambda: ("LOCATION", record["CITY"]),
        "state": lambda: ("LOCATION", record["STATE"]),
        "zip": lambda: ("ZIP", record["ZIP"]),
        "hospital": lambda: ("HOSPITAL", f"{fake.city()} Hospital"),
        "admitted": lambda: on(record["admitted"]),
        "discharged": lambda: on(record["discharged"]),
        "charted": lambda: on(record["at"]),
        "earlier": lambda: on(record["at"], -draw.randint(1, 60)),
        "later": lambda: on(record["at"], draw.randint(1, 30)),
    }
