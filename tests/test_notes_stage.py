"""Notes scrubbed in Spark, each with what the tables hold of its person."""

from pyspark.sql import Row

from anon_spark.detect.notes.stage import NoteSettings, known_identifiers, real_identifiers, scrub_notes

NAME, NUMBER = "Ottilie Zwackelmann", "990017342"
NOTES = {
    1: f"Mrs {NAME} seen today.",
    2: "ZWACKELMAN refused meds; mrn 990-017-342",
    3: "zwackel-\nmann slept well",
    4: None,
    5: "  ",
    6: "BP 120/80, Na 140.",
    7: "no break here " * 20_000 + NAME,
    8: "\x00 odd \ufffd bytes",
}


def test_every_note_comes_out_once_and_says_nothing_known(spark):
    people = spark.createDataFrame(
        [Row(SUBJECT_ID=1, NAME=NAME, MRN=NUMBER, PHONE=None)],
        "SUBJECT_ID int, NAME string, MRN string, PHONE string",
    )
    known = known_identifiers([(people, "SUBJECT_ID", {"NAME": "NAME", "MRN": "MRN", "PHONE": "PHONE"})])
    rows = [Row(ROW_ID=n, SUBJECT_ID=1 if n != 6 else 2, TEXT=text) for n, text in NOTES.items()]
    notes = spark.createDataFrame(rows, "ROW_ID int, SUBJECT_ID int, TEXT string").repartition(2)
    done = scrub_notes(notes, text="TEXT", person="SUBJECT_ID", settings=NoteSettings(), known=known)
    assert done.columns == ["ROW_ID", "SUBJECT_ID", "TEXT", "_status", "_replaced", "_known_left"]
    out = {row.ROW_ID: row for row in done.collect()}
    assert out.keys() == NOTES.keys()
    assert {n: out[n]["_status"] for n in NOTES} == {n: "empty" if n in (4, 5) else "scrubbed" for n in NOTES}
    whole = "".join(row.TEXT or "" for row in out.values()).lower()
    assert "zwackel" not in whole
    assert "017" not in whole
    assert NOTES[6] == out[6].TEXT
    assert out[4].TEXT is None
    assert all(row["_known_left"] == 0 for row in out.values())


def test_surrogates_are_nobodys_and_dates_need_an_offset(spark):
    names = ["Ottilie Zwackelmann", "O'Brien, Seán", "Müller"]
    people = spark.createDataFrame([Row(id=n, NAME=name, MRN=NUMBER) for n, name in enumerate(names)])
    known = known_identifiers([(people, "id", {"NAME": "NAME", "MRN": "MRN"})])
    real = real_identifiers(known)
    for said in ("ZWACKELMANN, Ottilie", "Seán O'Brien", "MÜLLER", "990-017-342"):
        assert said in real
    assert "Ottilie Smith" not in real
    notes = spark.createDataFrame([Row(id=n, TEXT="Dr. Smith, seen 12/28/2005.") for n in (0, 1)])
    offsets = spark.createDataFrame([Row(person="0", days=7)])
    settings = NoteSettings(treatment="surrogate", key=b"k" * 32)
    done = scrub_notes(
        notes, text="TEXT", person="id", settings=settings, known=known, offsets=offsets
    ).collect()
    moved, tagged = (row.TEXT for row in sorted(done, key=lambda row: row.id))
    assert "01/04/2006" in moved
    assert "seen [DATE]." in tagged
    assert "Smith" not in moved + tagged
