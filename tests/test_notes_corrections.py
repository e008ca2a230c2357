"""What is done to the model's spans: corrected by words beside them, found again, joined with what patterns hit."""

import itertools
import random
import re

import pytest

from anon_spark.detect.notes import detector
from anon_spark.detect.notes.announced import Hit
from anon_spark.detect.notes.corrections import (
    drop_credentials,
    drop_departments,
    drop_eponyms,
    drop_shares,
    drop_times,
    join_names,
    name_by_key,
)
from anon_spark.detect.notes.detector import join
from anon_spark.detect.notes.grammar.people import TEST, TRAIN, TUNE
from anon_spark.detect.notes.grammar.vocabulary import DRUGS_OF, EPONYMS_OF, namesakes
from anon_spark.detect.notes.patterns import find_patterns
from anon_spark.detect.notes.repeats import repeat_names
from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.tokens import tokenize


@pytest.mark.parametrize(
    ("text", "label", "kept"),
    [
        ("Bell's palsy noted", "NAME", False),
        ("Salter-Harris II", "NAME", False),
        ("Dr. Bell's note", "NAME", True),
        ("wife Bell palsy", "NAME", True),
        ("Zwackel sign", "NAME", True),
        ("pt w/ Bell palsy", "NAME", False),
        ("Bell III fracture", "NAME", False),
        ("Ann Bell III came", "NAME", True),
        ("Ann Bell murmur", "NAME", False),
        ("Harris-Benedict x 1.4", "NAME", False),
        ("pulses DP 2/4, PT 1/4", "DATE", False),
        ("admitted 2/4, home 3/4", "DATE", True),
        ("Ann Bell test", "NAME", True),
        ("Bell score 10", "NAME", False),
        ("D5 1/2 NS", "DATE", False),
        ("strength 4/5", "DATE", False),
        ("seen 1/2 by us", "DATE", True),
        ("mmse on 4/5/2001", "DATE", True),
    ],
)
def test_words_beside_a_span_speak_against_it(text, label, kept):
    tokens = tokenize(text)
    numbers = [i for i, w in enumerate(tokens.words) if (w[0].isdigit() or w == "/") and text[:2] != "D5"]
    found = {"Ann", "Bell", "Salter", "Harris", "-", "Zwackel"} if label == "NAME" else set()
    marked = [i for i, w in enumerate(tokens.words) if w in found] or numbers or [2, 3, 4]
    labels = [label if i in marked else "O" for i in range(len(tokens.words))]
    drop_eponyms(tokens, labels)
    drop_shares(tokens, labels)
    assert (label in labels) == kept


@pytest.mark.parametrize(
    ("text", "last", "kept"),
    [("7 / 1.9 < 208", 3, False), ("2/10 sites", 2, False), ("2/10. 15 sites", 3, True), ("2/1.", 3, True)],
)
def test_figures_are_no_days(text, last, kept):
    tokens = tokenize(text)
    labels = ["DATE" if i < last else "O" for i in range(len(tokens.words))]
    drop_shares(tokens, labels)
    assert ("DATE" in labels) == kept


@pytest.mark.parametrize(
    ("text", "found", "kept"),
    [
        ("147 / 4.4 / 107 / 27 / 19 / 2.1", "27 / 19", False),
        ("BAL 31/28/22.", "28/22", False),
        ("K 3.8 / 97 / 25", "8 / 97", False),
        ("1 / 96 / 21 / 18", "1 / 96 / 21 / 18", False),
        ("seen 12/3 / 12/5 / 12/9", "12/5", True),
        ("labs 3/13   5/15   3/29", "3/13   5/15   3/29", True),
        ("on 11/14/10-11/24/10", "11/14/10-11/24", True),
        ("NICU 1/5/53-1/16/53", "1/5/53-1/16/53", True),
        ("on 3/4/05", "3/4/05", True),
        ("on 3/4", "3/4", True),
        ("wk 2 / 3/4", "3/4", True),
    ],
)
def test_numbers_of_a_longer_row_are_no_days(text, found, kept):
    tokens, begin = tokenize(text), text.rindex(found)
    labels = ["DATE" if begin <= start < begin + len(found) else "O" for start in tokens.starts]
    drop_shares(tokens, labels)
    assert ("DATE" in labels) == kept


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("Internal Medicine", False),
        ("the Pain Clinic", False),
        ("DERMATOLOGY", False),
        ("Lakeside Family Medicine", True),
        ("Care Clinic", True),
        ("County Hospital", True),
    ],
)
def test_departments_are_no_hospitals(text, kept):
    tokens = tokenize(text)
    labels = ["HOSPITAL"] * len(tokens.words)
    drop_departments(tokens, labels)
    assert ("HOSPITAL" in labels) == kept


def labelled(text: str, marks: dict[str, str]) -> tuple[list[str], list[str]]:
    """The words of a text, and labels of those in ``marks``."""
    tokens = tokenize(text)
    return tokens, [marks.get(word, "O") for word in tokens.words]


@pytest.mark.parametrize(
    ("text", "found", "label"),
    [
        ("Facsimile | 617", "PHONE", "FAX"),
        ("faxed to 617", "PHONE", "FAX"),
        ("Driver's license no. 617", "MRN", "LICENSE"),
        ("policy number: 617", "OTHER_ID", "HEALTH_PLAN"),
        ("phone and room 617", "MRN", "MRN"),
        ("Fax:\n617", "PHONE", "PHONE"),
    ],
)
def test_a_number_is_called_what_the_word_before_it_says(text, found, label):
    tokens, labels = labelled(text, {"617": found})
    name_by_key(tokens, labels)
    assert labels[-1] == label


def test_both_halves_of_a_name_with_a_hyphen_are_one():
    text = "WEINSTEIN-BRAUN, Obi-Wanek, Lee-catheter, Lee - Braun, Ann-ER, Braun-Lee"
    tokens, labels = labelled(text, dict.fromkeys(("WEINSTEIN", "Obi", "Lee", "Ann"), "NAME"))
    join_names(tokens, labels)
    named = [
        word for word, label in zip(tokens.words, labels, strict=True) if label == "NAME" and word != "-"
    ]
    assert named == ["WEINSTEIN", "BRAUN", "Obi", "Wanek", "Lee", "Lee", "Ann", "Braun", "Lee"]


def test_the_hour_behind_a_day_stays():
    text = "2101-04-03T10:22"
    assert join(text, [Span(0, 13, "DATE")], []) == [Span(0, 10, "DATE")]


def test_a_day_is_found_to_its_end():
    text = "on 2/20-2/24 and 24/7"
    assert join(text, [Span(3, 9, "DATE")], []) == [Span(3, 12, "DATE")]
    both = [Span(3, 9, "DATE"), Span(10, 12, "DATE")]
    assert join(text, both, []) == both


def test_a_day_is_found_from_its_month():
    text = "on 2/20-2/24 and 24/7"
    assert join(text, [Span(5, 12, "DATE")], []) == [Span(3, 12, "DATE")]
    apart = [Span(3, 4, "MRN"), Span(5, 12, "DATE")]
    assert join(text, apart, []) == [Span(3, 4, "MRN"), Span(5, 12, "DATE")]
    assert join("1.2/20 12/2/20", [Span(4, 6, "DATE"), Span(12, 14, "DATE")], []) == [
        Span(4, 6, "DATE"),
        Span(12, 14, "DATE"),
    ]


@pytest.mark.parametrize(
    ("text", "called"),
    [
        ("ext. 4-2231", "PHONE"),
        ("Case 13-1987", "OTHER_ID"),
        ("Case 12-1987", "DATE"),
        ("Rx 3-2052", "OTHER_ID"),
        ("seen 12-1987", "DATE"),
        ("chart 3-4-2019", "DATE"),
    ],
)
def test_a_number_that_looks_like_a_month_is_what_the_word_before_says(text, called):
    tokens, labels = labelled(text, dict.fromkeys(re.findall(r"\d+|-", text), "DATE"))
    name_by_key(tokens, labels)
    assert set(labels) - {"O"} == {called}


@pytest.mark.parametrize(
    ("text", "found", "whole"),
    [
        ("Seen between 3 and 9 March 2019.", "9 March 2019", "3 and 9 March 2019"),
        ("Off from 3rd to 9th of March", "9th of March", "3rd to 9th of March"),
        ("In May-June 2019", "June 2019", "May-June 2019"),
        ("Mar/Apr 2019", "Apr 2019", "Mar/Apr 2019"),
        ("Hx: sepsis - 3/14, Dr. Smith", "3/14", "3/14"),
        ("Augmentin/3/14", "3/14", "3/14"),
        ("Per MAR - 3/14", "3/14", "3/14"),
        ("sepsis-June", "June", "June"),
        ("From 12th to 13th of March", "13th of March", "12th to 13th of March"),
        ("In 12/20-12/24", "20-12/24", "12/20-12/24"),
        ("Mayhemstead-June 2", "June 2", "June 2"),
        ("between 3 and 9 drains", "9", "9"),
        ("x 1.3/7/10", "7/10", "7/10"),
    ],
)
def test_both_days_of_a_stretch_are_found(text, found, whole):
    begin = text.index(found)
    (span,) = join(text, [Span(begin, begin + len(found), "DATE")], [])
    assert text[span.start : span.end] == whole


@pytest.mark.parametrize(
    ("text", "dates", "kept"),
    [
        ("Neo off since 2200 . Seen 3/4/2019", ["2200", "2019"], ["2019"]),
        ("Neo off since 2200 .", ["2200"], []),
        ("at 1800 and 2130", ["2130"], []),
        ("MI in 2148 , CABG 2151", ["2148", "2151"], ["2148", "2151"]),
        ("at 2035", ["2035"], ["2035"]),
        ("since 2150 March", ["2150", "March"], ["2150", "March"]),
        ("since 2200 4 2019", ["2200", "4", "2019"], ["2200", "4", "2019"]),
        ("2200", ["2200"], ["2200"]),
        ("-", ["-"], ["-"]),
        ("0700 x 1900", ["1900"], ["1900"]),
        ("0700 - 1900", ["1900"], ["1900"]),
        ("0745-March", ["March"], ["March"]),
        ("0700-1990", ["1990"], ["1990"]),
        ("off from 2000 to 2130", ["2000", "to", "2130"], []),
        ("MI 2015 , CABG 2019", ["2015", "2019"], ["2015", "2019"]),
        ("MI 2148 , seen 3/4/2151", ["2148", "3", "/", "4", "2151"], ["2148", "3", "/", "4", "/", "2151"]),
        ("in 2170", ["2170"], ["2170"]),
        ("shift 0700-1900 , born 1900", ["1900"], ["1900"]),
        ("1900-1930", ["1930"], ["1930"]),
    ],
)
def test_times_are_no_years(text, dates, kept):
    tokens, labels = labelled(text, dict.fromkeys((*dates, *("/" * ("/" in dates))), "DATE"))
    drop_times(tokens, labels)
    assert [word for word, label in zip(tokens.words, labels, strict=True) if label == "DATE"] == kept


def test_letters_behind_a_name_and_a_side_are_nobody():
    tokens, labels = labelled(
        "Ann Lee, MD, FAAD, Al Oz, CDCES; bunion R, now",
        dict.fromkeys(("Ann", "Lee", "Al", "Oz", "MD", "FAAD", "CDCES", "R"), "NAME"),
    )
    drop_credentials(tokens, labels)
    assert [word for word, label in zip(tokens.words, labels, strict=True) if label == "NAME"] == [
        "Ann",
        "Lee",
        "Al",
        "Oz",
    ]
    tokens, labels = labelled("Dr. R called", {"R": "NAME"})
    drop_credentials(tokens, labels)
    assert "NAME" in labels


def test_a_name_is_found_again_but_not_the_word_it_is_written_like():
    text = "Tell Zwackel and Mrs. Rose. ZWACKEL, zwackel: saw Rose today. Rose of skin, a rose. Zwackel sign."
    tokens = tokenize(text)
    labels = ["NAME" if i in (1, 5) else "O" for i in range(len(tokens.words))]
    repeat_names(tokens, labels)
    named = [i for i, label in enumerate(labels) if label == "NAME"]
    assert [tokens.words[i] for i in named] == ["Zwackel", "Rose", "ZWACKEL", "zwackel", "Rose"]


def test_names_that_things_bear_and_drugs_are_apart_too():
    assert not set(EPONYMS_OF[TRAIN]) & {*EPONYMS_OF[TUNE], *EPONYMS_OF[TEST]}
    assert not set(DRUGS_OF[TRAIN]) & {*DRUGS_OF[TUNE], *DRUGS_OF[TEST]}
    kept = {word for part in (TUNE, TEST) for name in EPONYMS_OF[part] for word in re.findall(r"\w+", name)}
    assert not kept & set(namesakes())


def test_what_a_pattern_is_certain_of_is_never_lost():
    text = "call 617-555-0199 now"
    phone = Hit(Span(5, 17, "PHONE"), True)
    assert join(text, [], [phone]) == [phone.span]
    beside = [Span(0, 5, "NAME"), Span(17, 20, "DATE")]
    assert join(text, beside, [phone]) == [beside[0], phone.span, beside[1]]
    assert join(text, [Span(0, 8, "NAME")], [phone]) == [Span(0, 17, "NAME")]
    assert join(text, [Span(0, 21, "NAME")], [phone]) == [Span(0, 21, "NAME")]
    both = [Span(0, 7, "NAME"), Span(9, 10, "ZIP"), Span(18, 21, "DATE")]
    assert join(text, both, [phone]) == [Span(0, 17, "PHONE"), Span(18, 21, "DATE")]
    assert join(text, [Span(5, 8, "ZIP"), Span(8, 17, "FAX")], [phone]) == [
        Span(5, 8, "ZIP"),
        Span(8, 17, "FAX"),
    ]
    assert join(text, both, [phone._replace(certain=False)]) == both


def test_hits_and_spans_are_joined_as_one_by_one():
    draw = random.Random(5)
    for _ in range(300):
        ends = sorted(draw.sample(range(60), 12))
        spans = [
            Span(a, b, "NAME") for a, b in zip(ends[::2], ends[1::2], strict=True) if draw.random() < 0.7
        ]
        begins = [draw.randrange(55) for _ in range(5)]
        hits = [Hit(Span(a, a + draw.randint(1, 5), "PHONE"), True) for a in begins]
        joined = join("x" * 60, spans, hits)
        held = [set(range(s.start, s.end)) for s in (*spans, *(hit.span for hit in hits))]
        assert set().union(*held) == {i for s in joined for i in range(s.start, s.end)}
        assert all(a.end <= b.start for a, b in itertools.pairwise(joined))


def test_spans_are_corrected_repeated_and_joined():
    text = (
        "Dr. Zwackel, MD saw Bell's palsy, 1/2 NS; fax 617-555-0143 and 94 yo; zwackel agreed. "
        "[**Name 3**] SSN 123-45-6789"
    )
    tokens = tokenize(text)
    marks = {
        **dict.fromkeys(("Zwackel", "MD", "Bell", "Name"), "NAME"),
        **dict.fromkeys(("1", "/", "2"), "DATE"),
        **dict.fromkeys(("617", "-", "555", "0143"), "PHONE"),
    }
    labels = [marks.get(word, "O") for word in tokens.words]
    at = tokens.words.index("SSN")
    labels[at:] = ["O"] * (len(labels) - at)
    found = detector._spans(text, tokens, labels, find_patterns(text, tokens))
    assert [(s.label, text[s.start : s.end]) for s in found] == [
        ("NAME", "Zwackel"),
        ("FAX", "617-555-0143"),
        ("AGE", "94"),
        ("NAME", "zwackel"),
        ("SSN", "123-45-6789"),
    ]
