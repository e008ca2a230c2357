"""anon-spark notes: scrub, evaluate, train."""

import io
import json
import os
from pathlib import Path

import pytest
from rich.console import Console

from anon_spark.cli import app
from anon_spark.detect.notes import commands
from anon_spark.detect.notes.commands import _named, alike, read_map
from anon_spark.detect.notes.detector import Detector
from anon_spark.detect.notes.replace import Replacing
from anon_spark.detect.notes.scrubber import scrub_texts
from anon_spark.detect.notes.spans import Note, Span, write_gold
from anon_spark.errors import AnonError, PolicyError
from tests.test_cli import anon

TEXT = "Mr. John Smith, MRN 00123456, seen 03-Apr-2101. Call 617-555-0199."
GOLD = Note(TEXT, (Span(4, 14, "PERSON"), Span(20, 28, "ID"), Span(35, 46, "DATE"), Span(53, 65, "PHONE")))


def code(arguments):
    """The exit code of a command run in this process."""
    try:
        return app(arguments, standalone_mode=False, obj=Console(file=io.StringIO())) or 0
    except AnonError as error:
        return error.exit_code


def test_scrub_files_folders_and_lines(tmp_path):
    (tmp_path / "in").mkdir()
    (tmp_path / "in" / "a.txt").write_bytes(TEXT.encode() + b" \xff\xfe")
    (tmp_path / "in" / "b.txt").write_text("")
    done = anon("notes", "scrub", tmp_path / "in", tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["texts"] == 2
    out = (tmp_path / "out" / "a.txt").read_text()
    assert not any(word in out for word in ("Smith", "00123456", "2101", "0199"))
    assert (tmp_path / "out" / "b.txt").read_text() == ""
    (tmp_path / "in.jsonl").write_text(
        json.dumps({"id": 1, "text": TEXT}) + "\n" + json.dumps({"text": None}) + "\n"
    )
    key = tmp_path / "key"
    key.write_text("0123456789abcdef" * 2)
    options = ("--treatment", "surrogate", "--key-file", str(key), "--days", "7")
    assert code(["notes", "scrub", str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl"), *options]) == 0
    first, second = map(json.loads, (tmp_path / "out.jsonl").read_text().splitlines())
    assert first["id"] == 1
    assert "10-Apr-2101" in first["text"]
    assert second["text"] is None
    assert code(["notes", "scrub", str(tmp_path / "in.jsonl"), str(tmp_path / "out.jsonl")]) == 2
    assert code(["notes", "scrub", str(tmp_path / "none.txt"), str(tmp_path / "x.txt")]) == 3
    scrub = ["notes", "scrub", str(tmp_path / "in.jsonl"), str(tmp_path / "z.jsonl")]
    with_key = ["--treatment", "surrogate", "--key-file", str(key)]
    (tmp_path / "short").write_text("k")
    for wrong in (
        [*with_key, "--days", "0"],
        ["--days", "7"],
        [*with_key, "--days", "40000"],
        ["--key-file", str(key)],
        ["--treatment", "surrogate", "--key-file", str(tmp_path / "short")],
    ):
        assert code([*scrub, *wrong]) == 2
    assert code([*scrub[:3], str(tmp_path / "nowhere" / "z.jsonl")]) == 2
    assert code([*scrub, *with_key]) == 0  # no offset: dates are tags
    assert "[DATE]" in (tmp_path / "z.jsonl").read_text()
    for line, right in (('{"note": "Mr. John Smith"}', 3), ('\ufeff{"text": "Mr. John Smith"}', 0)):
        (tmp_path / "one.jsonl").write_text(line)
        (tmp_path / "two.jsonl").unlink(missing_ok=True)
        assert code(["notes", "scrub", str(tmp_path / "one.jsonl"), str(tmp_path / "two.jsonl")]) == right
    assert (
        code(["notes", "scrub", str(tmp_path / "in.jsonl"), str(tmp_path / "y"), "--treatment", "surrogate"])
        == 2
    )


def test_scrub_takes_its_kinds_and_writes_whole(tmp_path, monkeypatch):
    source = tmp_path / "in"
    (source / "sub").mkdir(parents=True)
    for name in ("a.txt", "c.csv"):
        (source / name).write_text(TEXT)
    (source / "B.TXT").write_bytes(TEXT.encode() + b" caf\xe9")
    done = anon("notes", "scrub", source, tmp_path / "out", "--json")
    assert done.returncode == 0, done.stderr
    assert {"texts": 2, "left_out": 2, "not_utf8": 1}.items() <= json.loads(done.stdout).items()
    assert sorted(path.name for path in (tmp_path / "out").iterdir()) == ["B.TXT", "a.txt"]
    (tmp_path / "n.JSONL").write_text(json.dumps({"id": 1, "text": TEXT}))
    for name, out in (
        ("in", "m.txt"),
        ("n.JSONL", "n.txt"),
        ("in/a.txt", "a.jsonl"),
        ("in/c.csv", "c.csv"),
        ("in/c.csv", "c"),
    ):
        assert code(["notes", "scrub", str(tmp_path / name), str(tmp_path / out)]) == 2
    assert code(["notes", "scrub", str(tmp_path / "n.JSONL"), str(tmp_path / "m.jsonl")]) == 0
    assert json.loads((tmp_path / "m.jsonl").read_text())["id"] == 1
    written = Path.write_text

    def broken(path, *words, **options):
        if path.name == "a.txt":
            raise KeyboardInterrupt
        return written(path, *words, **options)

    (tmp_path / "wide.txt").write_text(TEXT, encoding="utf-16")
    (tmp_path / "bare.txt").write_text(TEXT, encoding="utf-16-le")
    for name in ("wide.txt", "bare.txt"):
        assert code(["notes", "scrub", str(tmp_path / name), str(tmp_path / "o.txt")]) == 3
    assert code(["notes", "scrub", str(source), str(source / "sub" / "out")]) == 2
    assert commands._decoded(b"K\xf6ln \x80") == "Köln €"
    assert commands._decoded("Köln ".encode() + b"\xf6") == "Köln \ufffd"
    (tmp_path / "latin.txt").write_bytes(TEXT.encode() + b" caf\xe9")
    (tmp_path / "latin.jsonl").write_bytes(b'{"text": "caf\xe9"}')
    for kind in ("txt", "jsonl"):
        done = anon("notes", "scrub", tmp_path / f"latin.{kind}", tmp_path / f"o.{kind}", "--json")
        assert json.loads(done.stdout)["not_utf8"] == 1
    before = sorted(tmp_path.iterdir())
    monkeypatch.setattr(Path, "write_text", broken)
    assert code(["notes", "scrub", str(source), str(tmp_path / "again")]) == 130
    assert sorted(tmp_path.iterdir()) == before
    monkeypatch.setattr(os, "access", lambda _, mode: mode == os.R_OK)
    assert code(["notes", "scrub", str(source), str(tmp_path / "again")]) == 2


def test_training_takes_the_detectors_labels_alone(tmp_path):
    write_gold([GOLD], tmp_path / "own.jsonl")
    train = ["notes", "train", str(tmp_path / "m.npz"), "--gold", str(tmp_path / "own.jsonl")]
    assert code(train) == 2
    named = _named([GOLD], {"PERSON": "NAME", "ID": None})
    assert [span.label for span in named[0].spans] == ["NAME", "DATE", "PHONE"]
    with pytest.raises(PolicyError, match=r"none of the detector's: ID, PERSON; rename them with --map"):
        _named([GOLD], {})


def test_evaluate_prints_the_promised_object(tmp_path):
    write_gold([GOLD], tmp_path / "gold.jsonl")
    done = anon(
        "notes", "evaluate", tmp_path / "gold.jsonl", "--json", "--map", "PERSON=NAME,ID=MRN,PRESON=NAME"
    )
    assert done.returncode == 0, done.stderr
    assert "--map names labels that stand nowhere: PRESON" in " ".join(done.stderr.split())
    plain = anon("notes", "evaluate", tmp_path / "gold.jsonl", "--json")
    assert "none of the detector's: ID, PERSON; rename them with --map" in " ".join(plain.stderr.split())
    document = json.loads(done.stdout)
    assert document["overall"].keys() >= {"precision", "recall", "f1"}
    assert document["overall"]["recall"] == 1
    assert document["labels"]["NAME"]["recall"] == 1


def test_evaluate_scores_other_detectors(tmp_path):
    write_gold([GOLD], tmp_path / "gold.jsonl")
    write_gold([Note(TEXT, (Span(4, 14, "PER"),))], tmp_path / "told.jsonl")
    options = (
        "--predicted",
        str(tmp_path / "told.jsonl"),
        "--map",
        "PER=PERSON",
        "--misses",
        str(tmp_path / "m"),
    )
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), *options]) == 0
    assert len((tmp_path / "m").read_text().splitlines()) == 3
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), *options]) == 2  # it is there
    (tmp_path / "m").unlink()
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), *options[:2], "--using", "model"]) == 2
    ignoring = [*options[:2], "--map", "PER=PERSON,ID=,DATE=", *options[4:]]
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), *ignoring]) == 0
    assert [json.loads(line)["label"] for line in (tmp_path / "m").read_text().splitlines()] == ["PHONE"]
    nowhere = ["--misses", str(tmp_path / "nowhere" / "m")]
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), *nowhere]) == 2
    write_gold([Note("other")], tmp_path / "told.jsonl")
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), *options[:4]]) == 3
    for part in ("patterns", "dictionary", "model"):
        assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), "--using", part]) == 0
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), "--using", "magic"]) == 2


def test_maps_are_files_or_pairs(tmp_path):
    path = tmp_path / "map.json"
    path.write_text('{"PERSON": "NAME", "TITLE": null}')
    assert read_map(str(path)) == read_map("PERSON=NAME,TITLE=") == {"PERSON": "NAME", "TITLE": None}
    path.write_bytes(b'\xef\xbb\xbf{"A": "B", "C": null, "D": " "}')
    assert read_map(str(path)) == {"A": "B", "C": None, "D": None}
    many = {f"LABEL_{n}": "NAME" for n in range(60)}
    assert read_map(",".join(f"{a}={b}" for a, b in many.items())) == many
    for wrong in ("nonsense", "PERSON=NAME=X", "=B", "A=B,A=C"):
        with pytest.raises(PolicyError, match="--map"):
            read_map(wrong)
    for wrong in ('[["A", "B"]]', '{"A": 0}', '{"A": true}', '{"A": ["x"]}', "[" * 100_000):
        path.write_text(wrong)
        with pytest.raises(PolicyError, match="--map"):
            read_map(str(path))


def test_younger_ages_count_only_where_the_gold_marks_them():
    young = [[Span(0, 2, "YOUNGER_AGE")]]
    assert alike([Note("45 yo")], young, {}) == [[]]
    assert alike([Note("45 yo", (Span(0, 2, "AGE"),))], young, {}) == [[Span(0, 2, "AGE")]]


def test_train_writes_a_model_that_evaluate_takes(tmp_path):
    write_gold([GOLD._replace(spans=(Span(4, 14, "NAME"),))], tmp_path / "own.jsonl")
    options = ("--notes", "80", "--rounds", "3", "--held", "20", "--gold", str(tmp_path / "own.jsonl"))
    assert code(["notes", "train", str(tmp_path / "model.npz"), *options]) == 0
    assert code(["notes", "train", str(tmp_path / "model.npz"), *options]) == 2  # it is there
    write_gold([GOLD], tmp_path / "gold.jsonl")
    model = ("--model", str(tmp_path / "model.npz"))
    assert code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), *model]) == 0
    assert (
        code(["notes", "evaluate", str(tmp_path / "gold.jsonl"), "--model", str(tmp_path / "own.jsonl")]) == 3
    )


def test_a_text_that_breaks_the_detector_is_withheld_alone():
    class Fragile(Detector):
        def __init__(self):
            pass

        def find(self, texts, **_):
            if any("boom" in text for text in texts):
                raise RuntimeError
            return [[Span(0, 1, "NAME")] for _ in texts]

    done = scrub_texts(["ann", "boom", None, "", "bob"], Fragile(), Replacing())
    assert done.texts == ["[NAME]nn", None, None, "", "[NAME]ob"]
    assert done.withheld == 1
