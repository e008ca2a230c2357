"""Spans, tokens and scores: against hand counts."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from anon_spark.detect.notes.evaluate import evaluate, misses
from anon_spark.detect.notes.spans import Note, Span, read_gold, write_gold
from anon_spark.detect.notes.tokens import tokenize
from anon_spark.errors import InputError

TEXT = "Mr. John Smith, seen 3/4 by Dr. Lee."
GOLD = Note(TEXT, (Span(4, 14, "NAME"), Span(21, 24, "DATE"), Span(32, 35, "NAME")))


def test_scores_are_those_counted_by_hand():
    found = [Span(4, 8, "NAME"), Span(21, 24, "AGE"), Span(25, 27, "NAME")]
    scores = evaluate([GOLD], [found])
    overall = scores["overall"]
    assert (overall["recall"], overall["precision"]) == (pytest.approx(2 / 3), pytest.approx(2 / 3))
    assert overall["f1"] == pytest.approx(2 / 3)
    assert overall["entity_strict"]["recall"] == pytest.approx(1 / 3)
    # true tokens: John Smith 3 / 4 Lee; found: John 3 / 4 by
    assert overall["token"]["recall"] == pytest.approx(4 / 6)
    assert overall["token"]["precision"] == pytest.approx(4 / 5)
    assert scores["labels"]["NAME"]["recall"] == pytest.approx(1 / 2)
    assert scores["labels"]["DATE"]["recall"] == 0
    assert scores["confusion"]["DATE"] == {"AGE": 1}
    assert scores["confusion"]["NAME"] == {"NAME": 1, "(missed)": 1}
    assert [m["text"] for m in misses([GOLD], [found])] == ["Lee", "by"]


def test_f2_weighs_recall_and_intervals_hold_the_value():
    notes = [GOLD] * 40
    found = [[Span(4, 14, "NAME")] if n % 2 else list(GOLD.spans) for n in range(40)]
    overall = evaluate(notes, found)["overall"]
    recall, precision = 2 / 3, 1.0
    assert overall["f2"] == pytest.approx(5 * precision * recall / (4 * precision + recall), abs=1e-6)
    low, high = overall["interval"]["recall"]
    assert low < overall["recall"] < high
    assert overall["interval"]["precision"] == [pytest.approx(0.025 ** (1 / overall["found"]), abs=1e-6), 1]


def test_an_interval_is_never_narrower_than_that_of_so_many_spans():
    name, wrong = [Span(4, 14, "NAME")], [Span(16, 20, "NAME")]
    gold = [Note(TEXT, (Span(4, 14, "NAME"),)), Note(TEXT, (Span(4, 14, "NAME"),))]
    exact = [pytest.approx(0.012579, abs=1e-5), pytest.approx(0.987421, abs=1e-5)]  # one of two
    both = [Note(TEXT, (Span(4, 14, "NAME"), Span(21, 24, "NAME")))]
    assert evaluate(both, [name])["overall"]["interval"]["recall"] == exact
    assert evaluate(gold, [name, wrong])["overall"]["interval"]["recall"] == [
        0,
        1,
    ]  # the bootstrap's is wider
    nothing = evaluate(gold, [wrong, wrong])["overall"]["interval"]
    assert nothing["recall"] == [0, pytest.approx(1 - 0.025**0.5, abs=1e-6)]
    assert evaluate(gold, [[], []])["overall"]["interval"]["precision"] is None


def test_texts_of_which_none_is_marked_are_no_gold(tmp_path):
    (tmp_path / "gold.jsonl").write_text('{"text": "Jane"}\n{"text": "Doe"}\n')
    with pytest.raises(InputError, match=r'none of the 2 lines of .* has "spans"'):
        read_gold(tmp_path / "gold.jsonl")
    assert len(read_gold(tmp_path / "gold.jsonl", marked=False)) == 2
    (tmp_path / "gold.jsonl").write_text('{"text": "spans"}\n{"text": "\\"spans\\""}\n')
    with pytest.raises(InputError, match="none of the 2"):
        read_gold(tmp_path / "gold.jsonl")
    (tmp_path / "gold.jsonl").write_text('{"text": "Jane"}\n{"text": "Doe", "spans": []}\n')
    assert len(read_gold(tmp_path / "gold.jsonl")) == 2
    (tmp_path / "brat").mkdir()
    (tmp_path / "brat" / "a.txt").write_text("Jane")
    with pytest.raises(InputError, match=r"holds no \.ann file beside its 1 \.txt"):
        read_gold(tmp_path / "brat")
    assert read_gold(tmp_path / "brat", marked=False) == [Note("Jane")]
    (tmp_path / "brat" / "a.ann").touch()
    assert read_gold(tmp_path / "brat") == [Note("Jane")]


def test_a_map_renames_both_sides_and_null_ignores():
    gold = [Note(TEXT, (Span(4, 14, "PERSON"), Span(21, 24, "WHEN")))]
    found = [[Span(4, 14, "NAME"), Span(21, 24, "DATE")]]
    scores = evaluate(gold, found, labels={"PERSON": "NAME", "WHEN": None})
    assert scores["labels"].keys() == {"NAME"}
    assert (scores["overall"]["recall"], scores["overall"]["precision"]) == (1, 1)


def test_over_redaction_counts_tokens_of_texts_without_spans():
    share = evaluate([Note("Na 140, K 4.1"), GOLD], [[Span(0, 2, "NAME")], []])["over_redaction"]
    assert (share["texts"], share["tokens"], share["hidden"]) == (1, 7, 1)


def test_gold_is_read_as_written_and_from_brat(tmp_path):
    notes = [GOLD, Note("Größe: 1,80 m\nkein Name")]
    write_gold(notes, tmp_path / "gold.jsonl")
    assert read_gold(tmp_path / "gold.jsonl") == notes
    brat = tmp_path / "brat"
    brat.mkdir()
    (brat / "a.txt").write_text(TEXT)
    (brat / "a.ann").write_text("T1\tNAME 4 8;9 14\tJohn Smith\nR1\tof Arg1:T1\nT2\tDATE 21 24\t3/4\n")
    assert read_gold(brat) == [Note(TEXT, (Span(4, 8, "NAME"), Span(9, 14, "NAME"), Span(21, 24, "DATE")))]

    (brat / "a.ann").write_text("T1\tNAME 4 8\tJhon\n")
    with pytest.raises(InputError, match=r"a\.ann, line 1: other words") as error:
        read_gold(brat)
    assert "John" not in str(error.value)


@pytest.mark.parametrize(
    "line",
    [
        "[]",
        "not json",
        json.dumps({"text": "Jane", "spans": [{"start": 0, "end": 9, "label": "NAME"}]}),
        json.dumps({"text": "Jane", "spans": [{"start": "0", "end": 2, "label": "NAME"}]}),
        json.dumps({"text": None}),
    ],
)
def test_a_bad_line_is_named_by_its_number_and_not_quoted(tmp_path, line):
    path = tmp_path / "gold.jsonl"
    path.write_text('{"text": "fine"}\n' + line)
    with pytest.raises(InputError, match="line 2") as error:
        read_gold(path)
    assert "Jane" not in str(error.value)


@given(st.text())
def test_tokens_cover_everything_but_spaces_once(text):
    starts, ends, words = tokenize(text)
    covered = set()
    for start, end, word in zip(starts, ends, words, strict=True):
        assert text[start:end] == word
        assert not covered & set(range(start, end))
        covered |= set(range(start, end))
    assert all(text[i].isspace() and text[i] != "\n" for i in set(range(len(text))) - covered)
