"""Free text in the whole job: scrubbed with what the tables hold of each person, measured on the written files."""

from dataclasses import replace

import pytest
from pyspark.sql import functions as F

from anon_spark import pipeline
from anon_spark.deidentify.free_text import _scrub_rows, avoiding_known, known_of_people
from anon_spark.detect.notes.model import get_detector
from anon_spark.errors import PolicyError
from anon_spark.policy.check import check_policy
from anon_spark.policy.load import load_policy
from anon_spark.release import gate
from anon_spark.report.html import render_report
from tests import toy
from tests.readers import read_release

STEMS = ("Zwackel", "Quilfea", "Brontov", "Dwimmer", "Skaldru", "Ploogen")
ENDINGS = ("mann", "thers", "skyne", "gard", "holtz", "qvist", "wycz", "ndaal", "berti", "ssen")
NOTES = (
    "Mr. {last} slept well, wife {first} called {date}.",
    "pt {LAST}, {FIRST} seen; ssn {ssn}; BP 120/80, Na 140",
    "d/w Dr. Murphy re {slip}: 3/5 strength",
    "{first}\n{last} refused meds",
    "BP 120/80, Na 140",
)
RULES = "TEXT: {role: free_text, treatment: vocabulary, vocabulary: toy}"


def policy(replacement="tag", known="{PEOPLE: {NAME: NAME, SSN: SSN}}"):
    lines = 'foreign_keys: "PID->PEOPLE.PID VID->VISITS.VID SID->STAYS.SID"'
    base = toy.POLICY.replace(lines, f"{lines}\n    multiline: true")
    return base.replace(RULES, "TEXT: {role: free_text, treatment: scrub}") + (
        f"free_text: {{replacement: {replacement}, known: {known}}}\n"
    )


@pytest.fixture(scope="module")
def hospital():
    """Everybody has a name that no list holds, and events that say it in some way."""
    made = toy.Hospital.make()
    names = {}
    for i, row in enumerate(made.rows["PEOPLE"]):
        last = STEMS[i % len(STEMS)] + ENDINGS[i // len(STEMS)]
        row[3] = f"Ott{ENDINGS[i % len(ENDINGS)]} {last}"
        names[row[0]] = row[3], row[4]
    for i, row in enumerate(made.rows["EVENTS"]):
        if row[5] not in (7, 8, 9):
            (first, last), ssn = names[row[1]][0].split(), names[row[1]][1]
            row[6] = NOTES[i % len(NOTES)].format(
                first=first,
                last=last,
                FIRST=first.upper(),
                LAST=last.upper(),
                slip=last[:3] + last[4:],
                ssn=ssn.replace("-", " "),
                date="03-Apr-2101",
            )
    return made


@pytest.fixture(scope="module")
def job(spark, hospital, key_file, tmp_path_factory):
    folder = tmp_path_factory.mktemp("scrubbed")
    source = hospital.write(folder / "source")
    written = toy.write_policy(folder, policy("surrogate"))
    made = pipeline.prepare(spark, written, source, folder / "target", key_file=key_file)
    drawn = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(
            pipeline, "avoiding_known", lambda *given: drawn.append(avoiding_known(*given)) or drawn[0]
        )
        pipeline.run(made)
    assert all(hospital.rows["PEOPLE"][0][3] in settings.avoid for settings in drawn)
    assert drawn
    return made


def test_no_name_is_left_and_the_rest_stays(job):
    events = read_release(job.target)["EVENTS"]
    texts = [text for text in events["TEXT"] if text and text != "*"]
    whole = "".join(texts).lower().replace("\n", "")
    assert len(texts) > 50
    assert not any(f"{stem}{ending}".lower() in whole for stem in STEMS for ending in ENDINGS)
    assert "BP 120/80, Na 140" in texts
    assert "slept well" in whole
    assert "03-apr-2101" not in whole
    assert set(events.loc[events["ITEM"] == 8, "TEXT"]) == {"*"}
    assert set(events.loc[events["ITEM"] == 9, "TEXT"]) <= {"NORTH", "SOUTH", "*"}


def test_surrogates_of_a_release_are_nobodys_and_need_an_offset(job):
    """What the pass itself is given: a person's own name, another's, and a person without an offset."""
    context = pipeline._context(job)
    settings = avoiding_known(context.notes, context.known)
    names = [row.NAME for row in job.parsed("PEOPLE").select("NAME").distinct().collect()]
    assert len(names) > 10
    assert all(name in settings.avoid for name in names)
    assert "Nobody Atall" not in settings.avoid
    text, known = "Dr. Murphy called 03-Apr-2101.", None
    rows = [(text, known, days, "1") for days in (7, None)]
    moved, tagged = _scrub_rows(rows, get_detector(), {}, settings)["text"]
    assert "10-Apr-2101" in moved
    assert "[DATE]" in tagged
    taken = replace(settings, avoid=Everybody())
    (out,) = _scrub_rows(rows[:1], get_detector(), {}, taken)["text"]
    assert "[NAME]" in out


class Everybody:
    """Everything is somebody's."""

    def __contains__(self, words):
        return True


def test_the_ledger_tells_texts_and_places_and_the_gate_found_none(job):
    document = pipeline.run(job)
    seen = document["tables"]["EVENTS"]["scrubbed"]["TEXT"]
    assert seen["texts"] > 50
    assert seen["places"] > seen["texts"] / 2
    checks = {check["name"]: check for check in document["checks"]}
    assert checks["EVENTS: known identifiers in TEXT"]["passed"]
    assert document["policy"]["document"]["free_text"]["replacement"] == "surrogate"
    page = render_report(document, None, example=None)
    assert f"<b>EVENTS.TEXT</b>: {seen['texts']:,} texts" in page
    assert "found in 0 places, limit 0" in page


def test_the_gate_counts_what_a_broken_pass_would_leave(job):
    context = pipeline._context(job)
    released = job.spark.read.format("delta").load(str(job.moved / "EVENTS"))
    named = context.known.where(F.col("_known").contains("Zwackelmann")).first()
    person = context.maps.people.where(F.col("_person") == int(named["person"])).first()
    raw = released.withColumn("TEXT", F.lit("seen: ZWACKELMANN"))
    theirs = raw.where(F.col("PID") == person["pseudonym"]).count()
    (check,) = gate._known_left(raw, "EVENTS", context)
    assert (check.passed, check.detail) == (False, f"{theirs} places, limit 0")
    assert theirs > 0
    (check,) = gate._known_left(released, "EVENTS", context)
    assert check.passed


@pytest.mark.parametrize(
    ("known", "problem"),
    [
        ("{PEOPLE: {NAMES: NAME}}", "no column 'NAMES'"),
        ("{FOLK: {NAME: NAME}}", "unknown table 'FOLK'"),
        ("{PEOPLE: {NAME: NAMES}}", "unknown label 'NAMES'"),
    ],
)
def test_a_policy_that_names_what_is_not_there_is_refused(tmp_path, known, problem):
    with pytest.raises(PolicyError, match=problem):
        check_policy(load_policy(toy.write_policy(tmp_path, policy(known=known))))


def test_without_known_identifiers_nothing_is_joined(tmp_path):
    loaded = load_policy(toy.write_policy(tmp_path, policy(known="{}")))
    check_policy(loaded)
    assert known_of_people(loaded.policy, pytest.fail) is None
