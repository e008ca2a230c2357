"""The detector: its parts against plain readings of them, odd texts, and floors for the shipped model."""

import dataclasses
import itertools
import random
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pycrfsuite
import pytest
from faker.providers.person.en_US import Provider

from anon_spark.detect.notes import detector, features, lexicon, tables, train_network, training
from anon_spark.detect.notes.announced import Hit
from anon_spark.detect.notes.corrections import (
    drop_credentials,
    drop_eponyms,
    drop_shares,
    join_names,
    name_by_key,
)
from anon_spark.detect.notes.crf import Seen, Tagger, Weights
from anon_spark.detect.notes.detector import LONGEST, Detector, cut, join, see
from anon_spark.detect.notes.evaluate import evaluate
from anon_spark.detect.notes.grammar.people import TEST, TRAIN, TUNE, draw_person, part_of, seed
from anon_spark.detect.notes.grammar.vocabulary import DRUGS_OF, EPONYMS_OF, namesakes
from anon_spark.detect.notes.grammar.write import rules, write_note
from anon_spark.detect.notes.known import Known, find_known
from anon_spark.detect.notes.labels import HINTS, HIPAA
from anon_spark.detect.notes.model import Model, facts_of, get_detector, load_model, save_model
from anon_spark.detect.notes.network import SHARE, Network, in_columns
from anon_spark.detect.notes.patterns import find_patterns
from anon_spark.detect.notes.presidio import make_recognizer
from anon_spark.detect.notes.repeats import repeat_names
from anon_spark.detect.notes.replace import TREATMENTS, Real, Replacing, replace, shift_date
from anon_spark.detect.notes.spans import Note, Span
from anon_spark.detect.notes.tokens import tokenize
from anon_spark.detect.notes.train import (
    _weights,
    gold_labels,
    made_up,
    near_cues,
    token_features,
    train,
)
from anon_spark.detect.notes.viterbi import best_labels
from anon_spark.errors import AnonError, InputError, PolicyError
from tests.by_hand import notes_by_hand

FEW = 120


@pytest.fixture(scope="module")
def weights():
    return train(made_up(TRAIN, FEW), settings={"max_iterations": 3})


@pytest.fixture(scope="module")
def network(weights):
    made = train_network.train_network(made_up(TRAIN, FEW), rounds=2, progress=print)
    assert set(made.labels) == set(weights.labels)
    return in_columns(made, weights.labels)


def told(text: str) -> set[tuple[str, str]]:
    return {
        (h.span.label, text[h.span.start : h.span.end])
        for h in find_patterns(text, tokenize(text))
        if h.certain
    }


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("ssn 123-45-6789.", "SSN", "123-45-6789"),
        ("ssn 123\u201345\u20136789.", "SSN", "123\u201345\u20136789"),
        ("SSN: 123 - 45 - 6789", "SSN", "123 - 45 - 6789"),
        ("social security no. 123456789", "SSN", "123456789"),
        ("takes 987-65-4321 as hers", "SSN", "987-65-4321"),
        ("SSN ending in 1234", "SSN", "1234"),
        ("last four of her social are 1234.", "SSN", "1234"),
        ("SSN (last4): 1234", "SSN", "1234"),
        ("SSN xxx-xx-1234", "SSN", "xxx-xx-1234"),
        ("SSN (1234)", "SSN", "1234"),
        ("SS# 1234", "SSN", "1234"),
        ("SSN last 4: 1 2 3 4", "SSN", "1 2 3 4"),
        ("SSN 123/45/6789", "SSN", "123/45/6789"),
        ("last four of his/her social 1234", "SSN", "1234"),
        ("ssn# ***1234", "SSN", "1234"),
        ("(123-45-6789\u2014verified)", "SSN", "123-45-6789"),
        ("617-555-0199\u2014she will answer", "PHONE", "617-555-0199"),
        ("call 617\u2013555\u20130199", "PHONE", "617\u2013555\u20130199"),
        ("MRN: 00123456,", "MRN", "00123456"),
        ("call (617) 555-0199 x22 now", "PHONE", "(617) 555-0199 x22"),
        ("London +44 20 7946 0958", "PHONE", "+44 20 7946 0958"),
        ("Ann (617-555-0199)", "PHONE", "617-555-0199"),
        ("fax 617-555-0143", "FAX", "617-555-0143"),
        ("to jane.doe@x.org today", "EMAIL", "jane.doe@x.org"),
        ("see https://a.b/c.", "URL", "https://a.b/c"),
        ("from 10.1.2.3", "IP", "10.1.2.3"),
        ("from fe80::1", "IP", "fe80::1"),
        ("on 2101-04-03T10:22", "DATE", "2101-04-03"),
        ("on 03-Apr-2101", "DATE", "03-Apr-2101"),
        ("the 4th of April", "DATE", "4th of April"),
        ("in Apr '05,", "DATE", "Apr '05"),
        ("seen 12/28/05", "DATE", "12/28/05"),
        ("a 94-year-old man", "AGE", "94"),
        ("ninety-two years old", "AGE", "ninety-two"),
        ("in her 90s", "AGE", "90"),
        ("turned 94 in May", "AGE", "94"),
        ("her 94th birthday", "AGE", "94"),
        ("aged ninety-two", "AGE", "ninety-two"),
        ("a spry nonagenarian", "AGE", "nonagenarian"),
        ("4111 1111 1111 1111", "ACCOUNT", "4111 1111 1111 1111"),
        ("1HGCM82633A004352", "VEHICLE", "1HGCM82633A004352"),
        ("scan 778812345", "OTHER_ID", "778812345"),
    ],
)
def test_forms_that_are_certain(text, label, words):
    assert (label, words) in told(text)


@pytest.mark.parametrize(
    "text",
    [
        "strength 5/12",
        "Na 140, K 4.1",
        "may 2",
        "BP 120/80",
        "000-12-3456",
        "999.1.2.3",
        "13/45/2020",
        "4111111111111112x",
        "social hx 2019, SSN on file; social work 1230 today",
        "Social history: disabled after L4 laminectomy 2003. Soc: s/p L4 fusion 2012",
        "Given last 4 ss doses 1200 1800; last 4 SS 0600 coverage; last 4 social work notes 2019",
        "SSN 1500 calories, SSN 2019 graduate nurse, SS 120 then 10, Hgb SS, pending transfusion 1500",
        "Social work consult pending 1400, attending notified 1530; moved in with friends 2015",
        "Gabapentin 300\u2013600\u20131200 mg",
        "gabapentin [300] 600-1200 mg, (300) 600 - 1200 mg, ferritin (250) 300 - 1000, refs [212] 345-3456",
        "SS 150/90 1200, SS: 120/80/2020, SS 100/60 - 1400, SS# 2000 ml NS, SS #1250 mg, SS # 3000 Prolene",
        "doses 300/600/1200 and 240/300/1000, SS #2 of 4, SSN (see 2019)",
    ],
)
def test_forms_that_need_words_around_them_are_not_certain(text):
    assert told(text) == set()


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("13/45/2020", "DATE"),
        ("45/13/99", "DATE"),
        ("2020/13/01", "DATE"),
        ("1750/13", "DATE"),
        ("13/2020", "DATE"),
        ("13/45", "DATE"),
        ("0/12", "DATE"),
        ("1/2/3/4/2020", "DATE"),
        ("1.2.12.05.09", "DATE"),
        ("2019 mg", "DATE"),
        ("/2019", "DATE"),
        ("20191301", "DATE"),
        ("20190132", "DATE"),
        ("x12/28/05", "DATE"),
        ("20190131", "OTHER_ID"),
        ("1234567.5", "OTHER_ID"),
        ("-12345678", "OTHER_ID"),
        ("ABCDEF-GH", "OTHER_ID"),
        ("A1-B2-C", "OTHER_ID"),
        (".AB12345", "OTHER_ID"),
        ("NCT01872975", "OTHER_ID"),
        ("4111 1111 1111 1112", "ACCOUNT"),
        ("1111111111111111", "ACCOUNT"),
        ("-4111111111111111", "ACCOUNT"),
        ("GB82 WEST 1234 5698 7654 33", "ACCOUNT"),
        ("xGB82 WEST 1234 5698 7654 32", "ACCOUNT"),
        ("1HGCM82633A004353", "VEHICLE"),
        ("x1HGCM82633A004352", "VEHICLE"),
        ("000-12-3456", "SSN"),
        ("666-12-3456", "SSN"),
        ("123-00-4567", "SSN"),
        ("123-45-0000", "SSN"),
        ("-123-45-6789", "SSN"),
        ("123-45\u20136789", "SSN"),
        ("2345550199", "PHONE"),
        ("x617-555-0199", "PHONE"),
        ("./555-0199", "PHONE"),
        ("x+44 20 7946 0958", "PHONE"),
        ("999.1.2.3", "IP"),
        (".1.2.3.4", "IP"),
        ("1:2:3:4:5:6:7:g", "IP"),
        ("x::1", "IP"),
        ("1::2::3", "IP"),
        ("x00:1A:2b:3c:4d:5e", "DEVICE"),
        (".02139", "ZIP"),
        ("-02139-1234", "ZIP"),
        ("g1:2:3:4:5:6:7:8", "IP"),
        ("1:2:3:4:5:6:7:8:9", "IP"),
        ("1.2.3.4.5", "IP"),
        ("00:1A:2b:3c:4d:5e:6f", "DEVICE"),
        ("(617) 555 - 01999", "PHONE"),
        ("x(617) 555 - 0199", "PHONE"),
        ("[617] 555-01999", "PHONE"),
        ("+12345678901234567", "PHONE"),
        ("617/555/0199/2", "PHONE"),
        ("5/617/555/0199", "PHONE"),
        ("555-0199-1", "PHONE"),
        ("4111111111111111-2", "ACCOUNT"),
        ("123-45-6789-1", "SSN"),
        ("12-345-678/9", "OTHER_ID"),
        ("/12-345-678", "OTHER_ID"),
        (".A12-B34-C56", "OTHER_ID"),
        ("A12-B34-C56x", "OTHER_ID"),
        ("AB123CDx", "OTHER_ID"),
        ("02139-1234-5", "ZIP"),
        ("02139.5", "ZIP"),
        ("2020/1/2/3", "DATE"),
        ("3.1/2/2020", "DATE"),
        ("3-2020/1/2", "DATE"),
        (".3/4", "DATE"),
        ("turned 90 degrees", "AGE"),
        ("turned 3 times", "AGE"),
        ("Aged 91-120", "AGE"),
        ("turned \u00b2", "AGE"),
        ("xSW1A 2AA", "ZIP"),
        ("a@b", "EMAIL"),
        ("a@b.com", "URL"),
    ],
)
def test_what_only_looks_like_a_form_is_none(text, label):
    for padded in (text, f"seen {text} then"):
        assert label not in {hit.span.label for hit in find_patterns(padded, tokenize(padded))}


@pytest.mark.parametrize(
    ("text", "label", "words"),
    [
        ("GB82 WEST 1234 5698 7654 32", "ACCOUNT", "GB82 WEST 1234 5698 7654 32"),
        ("00:1A:2b:3c:4d:5e", "DEVICE", "00:1A:2b:3c:4d:5e"),
        ("A12-B34-C56", "OTHER_ID", "A12-B34-C56"),
        ("AB12345", "OTHER_ID", "AB12345"),
        ("1:2:3:4:5:6:7:8", "IP", "1:2:3:4:5:6:7:8"),
        ("02139-1234", "ZIP", "02139-1234"),
        ("jane (at) x (dot) org", "EMAIL", "jane (at) x (dot) org"),
        ("HEALTH.EXAMPLE.ORG/a", "URL", "HEALTH.EXAMPLE.ORG/a"),
        ("www.example.zz/a", "URL", "www.example.zz/a"),
    ],
)
def test_rarer_forms_are_certain(text, label, words):
    assert (label, words) in told(f"seen {text} then")


@pytest.mark.parametrize(
    ("text", "label"),
    [
        ("3/4", "DATE"),
        ("2019", "DATE"),
        ("20190131", "DATE"),
        ("02139", "ZIP"),
        ("555-0199", "PHONE"),
        ("617/555/0199", "PHONE"),
        ("(617) 555 - 0199", "PHONE"),
        ("[617] 555-0199", "PHONE"),
        ("12-345-678", "OTHER_ID"),
        ("AB123CD", "OTHER_ID"),
        ("94 F", "AGE"),
        ("SW1A 2AA", "ZIP"),
        ("K1A 0B1", "ZIP"),
        ("may 2", "DATE"),
    ],
)
def test_forms_of_many_meanings_are_hints(text, label):
    hits = find_patterns(text, tokenize(text))
    assert {hit.certain for hit in hits if hit.span.label == label} == {False}


def test_scores_and_labels_are_those_of_crfsuite(tmp_path):
    trainer = pycrfsuite.Trainer(
        algorithm="ap", verbose=False, params={"max_iterations": 3, "feature.minfreq": 1}
    )
    notes = list(made_up(TRAIN, 40))
    for note in notes:
        seen, _ = see(note.text)
        trainer.append(token_features(seen), gold_labels(seen, note))
    trainer.train(str(tmp_path / "model"))
    theirs = pycrfsuite.Tagger()
    theirs.open(str(tmp_path / "model"))
    ours = Tagger(_weights(theirs.info()))
    looked = [see(note.text)[0] for note in made_up(TEST, 40)]
    for seen, labels in zip(looked, ours.tag(looked), strict=True):
        assert labels == theirs.tag(token_features(seen))


def test_a_class_counts_where_only_a_place_names_it():
    state = np.array([[0, 5]], np.float32)
    weights = Weights(["O", "NAME"], {"hk=signed|?.Xx": 0}, state, np.zeros((2, 2), np.float32))
    seen, _ = see("Signed: Zwackelmann")
    assert features.describe("Zwackelmann", seen.modes[-1]).kind == "?.Xx"
    assert Tagger(weights).tag([seen]) == [["O", "O", "NAME"]]


def test_a_slip_is_what_one_change_of_a_letter_makes():
    ordinary = [word for word in sorted(lexicon._ordinary()) if word.isascii() and 5 <= len(word) <= 9]
    draw = random.Random(1)
    for word in draw.sample(ordinary, 400):
        i = draw.randrange(len(word) - 1)  # a word without its last letter is often another
        slips = [word[:i] + "q" + word[i + 1 :], word[:i] + "q" + word[i:], word[:i] + word[i + 1 :]]
        slips.append(word[:i] + word[i + 1 : i + 2] + word[i] + word[i + 2 :])
        assert all(lexicon.is_slip(slip) for slip in slips if len(slip) >= lexicon.SLIPS_FROM)
    made = ["".join(draw.choices("aeiounrst", k=9)) for _ in range(400)]
    assert sum(map(lexicon.is_slip, made)) < 20


def test_best_paths_are_those_of_trying_all():
    random_ = np.random.default_rng(1)
    for _ in range(40):
        scores = random_.normal(0, 3, (6, 3)).astype(np.float32)
        moves = random_.normal(0, 1, (3, 3)).astype(np.float32)
        best = max(
            itertools.product(range(3), repeat=6),
            key=lambda p: (
                sum(scores[i, p[i]] for i in range(6)) + sum(moves[a, b] for a, b in itertools.pairwise(p))
            ),
        )
        assert best_labels(scores, moves, np.array([0, 6]), outside=0).tolist() == list(best)


def test_texts_of_a_batch_do_not_see_each_other(weights, network):
    texts = [note.text for note in made_up(TEST, 30)]
    alone = [Detector(Tagger(weights, network)).find([text])[0] for text in texts]
    assert Detector(Tagger(weights, network)).find(texts) == alone


def test_odd_texts_are_found_in_like_any_other():
    detector = get_detector()
    sentence = "Seen on 03-Apr-2101, ssn 123-45-6789. "
    endless = sentence * (3 * LONGEST // len(sentence))
    texts = ["", "\n\n", "\x00\x1f", "\ud800 x", "e\u0301" * 50, "😀 pt", endless]
    *_, found = detector.find(texts)
    assert sum(s.label == "SSN" for s in found) == endless.count("ssn")
    assert all(endless[s.start : s.end] == "123-45-6789" for s in found if s.label == "SSN")


def test_a_long_text_is_cut_where_nothing_is_lost():
    for text in ("word " * LONGEST, "x" * (2 * LONGEST + 7), "line\n" * LONGEST):
        parts = list(cut(text))
        assert "".join(part for _, part in parts) == text
        assert all(text[begin : begin + len(part)] == part and len(part) <= LONGEST for begin, part in parts)


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


def test_patterns_can_be_left_out():
    nothing = Weights(["NAME", "O"], {}, np.zeros((0, 2), np.float32), np.zeros((2, 2), np.float32))
    sure = Detector(Tagger(nothing, caution=-1.0))
    assert [s.label for s in sure.find(["SSN 123-45-6789"])[0]] == ["SSN"]
    assert sure.find(["SSN 123-45-6789"], patterns=False) == [[]]


def test_sums_made_in_parts_are_those_made_together(weights, network, monkeypatch):
    texts = [note.text for note in made_up(TEST, 10)]
    whole = Detector(Tagger(weights, network)).find(texts)
    monkeypatch.setattr(tables, "MOST_MADE", 3)
    assert Detector(Tagger(weights, network)).find(texts) == whole


def test_a_model_is_written_and_read(tmp_path, weights, network):
    made = Model(weights, network, {"caution": 0.5})
    for name in ("one.npz", "two.npz"):
        save_model(tmp_path / name, made)
    assert (tmp_path / "one.npz").read_bytes() == (tmp_path / "two.npz").read_bytes()
    read = load_model(tmp_path / "one.npz")
    assert read.facts["caution"] == 0.5
    apart = np.abs(read.network.vectors - network.vectors).max(axis=1)
    assert (apart <= np.abs(network.vectors).max(axis=1) / 127).all()
    texts = [note.text for note in made_up(TEST, 20)]
    again, first = (Detector(one.tagger()).find(texts) for one in (read, made))
    alike = sum(set(a) == set(b) for a, b in zip(again, first, strict=True))
    assert alike >= 19  # numbers are kept in steps, so a close call may turn
    (tmp_path / "bad.npz").write_bytes(b"nothing")
    with pytest.raises(InputError, match="no model"):
        load_model(tmp_path / "bad.npz")


def test_the_networks_slopes_are_those_of_its_loss(monkeypatch):
    monkeypatch.setattr(train_network, "STRETCHES", 2)
    corpus = train_network.gather(made_up(TRAIN, 12))
    inputs = train_network.inputs_of(corpus)
    draw = np.random.default_rng(3)
    batch = next(train_network.batches(corpus, inputs, draw))
    begun = train_network.started(len(inputs.rows), len(corpus.label_names), draw)
    now = {name: value.astype(np.float64) for name, value in begun.items()}
    _, slopes = train_network.gradients(now, batch, draw, 0.0)
    for name, value in now.items():
        steepest = np.argsort(-np.abs(slopes[name]).ravel())[:3]
        for at in steepest:
            losses = []
            for step in (1e-6, -1e-6):
                moved = {**now, name: value.copy()}
                rows = batch.touched if name == "vectors" else np.arange(len(value))
                row, *column = np.unravel_index(at, slopes[name].shape)
                moved[name][(rows[row], *column)] += step
                losses.append(train_network.gradients(moved, batch, draw, 0.0)[0])
            assert (losses[0] - losses[1]) / 2e-6 == pytest.approx(slopes[name].flat[at], rel=1e-3)


def test_vectors_move_by_their_own_spread_which_fades():
    now = {"vectors": np.zeros((2, 1), np.float32), "out": np.zeros(1, np.float32)}
    adam, flat = train_network.Adam(now), np.zeros(1, np.float32)
    for row, slope in ((0, 1.0), (1, 1.0), (0, 2.0)):
        adam.step(now, {"vectors": np.array([[slope]], np.float32), "out": flat}, np.array([row]), 0.1)
    first, later = 0.01, 0.01 * 0.99**2 + 0.01 * 2.0**2
    moved = 0.1 * 1 / (first / (1 - 0.99)) ** 0.5 + 0.1 * 2 / (later / (1 - 0.99**3)) ** 0.5
    assert now["vectors"][0, 0] == pytest.approx(-moved, rel=1e-5)
    assert now["vectors"][1, 0] == pytest.approx(-0.1 / (0.01 / (1 - 0.99**2)) ** 0.5, rel=1e-5)


def plainly(network: Network, vectors: np.ndarray) -> np.ndarray:
    """What a network says of the tokens of one text, token by token."""
    now = vectors.astype(np.float64)
    for weights, bias, away in network.layers:
        seen = now
        now = np.array(
            [
                seen[at]
                + np.maximum(
                    sum(
                        seen[at + side * away] @ weights[1 + side]
                        for side in (-1, 0, 1)
                        if 0 <= at + side * away < len(seen)
                    )
                    + bias,
                    0,
                )
                for at in range(len(seen))
            ]
        )
    chances = np.exp(now @ network.out[0] + network.out[1])
    return np.log(chances / chances.sum(axis=1, keepdims=True))


def vectors_of(network: Network, seen: Seen) -> np.ndarray:
    words = [features.describe(w, m) for w, m in zip(seen.tokens.words, seen.modes, strict=True)]
    left, right = near_cues([features.cue_of(word.kind) for word in words])
    sums = []
    for at, word in enumerate(words):
        told = {
            "h": seen.headers[at],
            "P": seen.patterns[at],
            "D": seen.elsewhere[at],
            "L": left[at],
            "R": right[at],
            "T": seen.lines[at],
        }
        names = [*word.own, *(f"{kind}={value}" for kind, value in told.items() if value)]
        sums.append(network.vectors[[network.rows[n] for n in names if n in network.rows]].sum(axis=0))
    return np.array(sums)


@pytest.fixture(scope="module")
def shipped():
    return get_detector()._tagger


def test_the_network_says_what_a_plain_reading_of_it_says(shipped):
    weights, network = shipped.weights, shipped._reader._network
    looked = [see(note.text)[0] for note in made_up(TEST, 25)]
    scores = Tagger(weights, network)._scores(looked) - Tagger(weights)._scores(looked)
    begin = 0
    for seen in looked:
        plain = plainly(network, vectors_of(network, seen))
        ours = scores[begin : begin + len(plain)] / SHARE
        assert np.allclose(ours, plain, atol=0.02)
        begin += len(plain)
    assert begin == len(scores)


def test_training_and_detection_agree_on_what_a_network_says(network, monkeypatch):
    corpus = train_network.gather(made_up(TRAIN, 30))
    for name, value in {"LEAST": 1, "UNLISTED": -1, "UNLISTED_OUTSIDE": -1, "UNREAD": -1}.items():
        monkeypatch.setattr(train_network, name, value)
    monkeypatch.setattr(train_network, "STRETCHES", train_network.stretches(corpus))
    inputs = train_network.inputs_of(corpus)
    columns = [network.labels.index(label) for label in corpus.label_names]
    rows = [network.rows.get(name, -1) for name in inputs.rows]
    now = {
        "vectors": np.vstack([network.vectors, np.zeros((1, network.vectors.shape[1]), np.float32)])[rows],
        "out": network.out[0][:, columns],
        "out_bias": network.out[1][columns],
    }
    for n, layer in enumerate(network.layers):
        now |= {f"weights{n}": layer[0], f"bias{n}": layer[1]}
    draw = np.random.default_rng(0)
    (batch,) = train_network.batches(corpus, inputs, draw)
    loss, _ = train_network.gradients(now, batch, draw, 0.0)
    told = count = 0.0
    for note in made_up(TRAIN, 30):
        seen, _ = see(note.text)
        labels = [network.labels.index(label) for label in gold_labels(seen, note)]
        plain = plainly(network, vectors_of(network, seen))
        told -= plain[np.arange(len(labels)), labels].sum()
        count += len(labels)
    assert loss == pytest.approx(told / count, rel=0.05)  # stretches cut some notes, and a part is seen twice


def test_a_tagger_that_forgets_says_the_same(shipped, monkeypatch):
    looked = [see(note.text)[0] for note in made_up(TEST, 30)]
    whole = [shipped.tag([seen]) for seen in looked]
    monkeypatch.setattr("anon_spark.detect.notes.crf.MOST_KEPT", 50)
    forgetful = Tagger(shipped.weights, shipped._reader._network, caution=float(facts_of()["caution"]))
    assert [forgetful.tag([seen]) for seen in looked] == whole


def test_texts_beside_each_other_do_not_change_what_the_network_says(shipped):
    looked = [see(note.text)[0] for note in made_up(TEST, 20)]
    alone = np.concatenate([shipped._scores([seen]) for seen in looked])
    assert np.allclose(shipped._scores(looked), alone, atol=1e-2)


def test_cautions_are_tried_together_as_they_are_alone(weights, network):
    texts, cautions = [note.text for note in made_up(TEST, 20)], [0.0, 20.0, 60.0]
    together = Detector(Tagger(weights, network)).find_at(texts, cautions)
    alone = [Detector(Tagger(weights, network, caution=caution)).find(texts) for caution in cautions]
    assert together == alone
    assert len({sum(map(len, found)) for found in together}) == 3


def test_raised_digits_are_no_numbers(shipped):
    texts = ["WBC 5 x 10\u2079 /L", "cm \u00b2, 3 \u2460 4/\u00b2 \u00b2/4", "Dr. Smith\u00b9 seen 4/\u00b2"]
    found = Detector(shipped).find(texts)
    assert next(texts[2][s.start : s.end] for s in found[2]).startswith("Smith")
    assert not found[0]


ROWS = ("1.", "2001/", "01/02/2003/", "12-", "A1-", "aa.")


@pytest.mark.parametrize(
    "text",
    [
        *("SSN" + row * 20_000 for row in ("#", " is was #", "no ")),
        *(row * (LONGEST // len(row)) for row in ROWS),
        *("a" * LONGEST + end for end in ("@", ".com", " dot ")),
        "aa." * (LONGEST // 3) + ".com",
    ],
    ids=range(13),
)
def test_a_row_of_marks_takes_no_time(text):
    begun = time.process_time()
    told(text)
    assert time.process_time() - begun < 5  # it took an hour


def test_a_text_of_one_word_is_looked_at():
    assert get_detector().find(["Smith", "Smith ", "x" * 5000, ""])[3] == []


def test_all_of_a_corpus_is_trained_on():
    corpus = train_network.gather(made_up(TRAIN, 9))
    inputs = train_network.inputs_of(corpus)
    seen = [batch.labels for batch in train_network.batches(corpus, inputs, np.random.default_rng(1))]
    times = np.bincount(np.concatenate(seen), minlength=len(corpus.label_names))
    assert (times >= np.bincount(corpus.labels, minlength=len(times))).all()


@pytest.mark.parametrize(
    "change",
    [
        {"layer0w": np.full((3, 96, 96), np.nan, np.float16)},
        {"scale": np.full((1, 1), np.nan, np.float32)},
        {"network_labels": np.frombuffer(b"NAMX\nO", np.uint8)},
        {"transition": np.zeros((3, 3), np.float32)},
        {"layer3w": None},
        {"values": np.ones(1, np.float16)},
        {"rows": np.zeros(1, np.uint32)},
        {"steps": np.array([1])},
        {"steps": np.array([1, 2, 40])},
        {"steps": np.array([1.0, 2.0, 3.0])},
        {"scale": np.full((1, 1), 1e30, np.float32)},
        {"labels": np.frombuffer(b"O", np.uint8)},
        {"labels": np.frombuffer(b"O\nO", np.uint8), "network_labels": np.frombuffer(b"O\nO", np.uint8)},
        {"facts": np.frombuffer(b"[]", np.uint8)},
        {"facts": np.frombuffer(b"[" * 100_000, np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": "x"}', np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": [1.0]}', np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": -1e300}', np.uint8)},
        {"facts": np.frombuffer(b'{"format": 5, "caution": true}', np.uint8)},
    ],
)
def test_a_model_that_would_find_nothing_is_refused(tmp_path, weights, network, change):
    save_model(tmp_path / "good.npz", Model(weights, network, {}))
    with np.load(tmp_path / "good.npz") as kept:
        arrays = {**kept, **change}
    np.savez(tmp_path / "bad.npz", **{name: value for name, value in arrays.items() if value is not None})
    with pytest.raises(InputError, match="no model of notes"):
        load_model(tmp_path / "bad.npz")


@pytest.mark.parametrize("change", ["transition", "values"])
@pytest.mark.parametrize("kind", [np.bool_, np.complex64, np.int32])
def test_a_model_of_other_numbers_is_refused(tmp_path, weights, network, change, kind):
    save_model(tmp_path / "good.npz", Model(weights, network, {}))
    with np.load(tmp_path / "good.npz") as kept:
        arrays = {**kept}
    np.savez(tmp_path / "bad.npz", **{**arrays, change: arrays[change].astype(kind)})
    with pytest.raises(InputError, match="no model of notes"):
        load_model(tmp_path / "bad.npz")


def test_a_damaged_model_is_refused(tmp_path, weights, network):
    save_model(tmp_path / "good.npz", Model(weights, network, {}))
    whole = (tmp_path / "good.npz").read_bytes()
    draw = random.Random(1)
    for _ in range(60):
        at = draw.randrange(len(whole))
        (tmp_path / "bad.npz").write_bytes(whole[:at] + draw.randbytes(40) + whole[at + 40 :])
        with pytest.raises(InputError, match=r"no model of notes|of another format"):
            load_model(tmp_path / "bad.npz")


def test_a_model_is_written_whole_or_not_at_all(tmp_path, weights, network, monkeypatch):
    save_model(tmp_path / "model.npz", Model(weights, network, {}))
    before = (tmp_path / "model.npz").read_bytes()

    def full(out, **_):
        out.write(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(np, "savez_compressed", full)
    with pytest.raises(OSError, match="No space"):
        save_model(tmp_path / "model.npz", Model(weights, network, {}))
    assert (tmp_path / "model.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["model.npz"]


def test_the_least_caution_as_good_as_the_best_is_chosen():
    worths = {0.0: (True, 0.90), 16.0: (True, 0.9496), 32.0: (True, 0.95), 48.0: (False, 0.96)}
    assert training.least_caution(worths) == 16
    assert training.least_caution({**worths, 16.0: (True, 0.94)}) == 32
    assert training.least_caution({64.0: (False, 0.95), 32.0: (False, 0.9498), 0.0: (False, 0.9)}) == 32


@pytest.mark.parametrize("when", ["while the network learns", "at the end"])
def test_a_process_that_was_ended_is_told_in_a_sentence(when):
    with training._field_beside(500_000, [], 1) as field:
        field._process.kill()
        field._process.join()
        ask = field.result if when == "at the end" else field.check
        with pytest.raises(AnonError, match=r"ended from outside .signal 9.; .* give fewer --notes"):
            ask()


def test_what_breaks_the_random_field_breaks_the_training():
    broken = [SimpleNamespace(text="x", spans=None)]
    with training._field_beside(1, broken, 1) as field:
        while not field._talk.poll():
            time.sleep(0.1)
        with pytest.raises(TypeError):
            field.check()
        with pytest.raises(TypeError):
            field.result()


def test_a_process_that_ends_before_it_heard_what_to_learn_is_told(monkeypatch):
    def dead(process):
        started(process)
        process.kill()

    kind = get_context("spawn").Process
    started = kind.start
    monkeypatch.setattr(kind, "start", dead)
    own = [Note("x" * 100_000) for _ in range(100)]
    with (
        pytest.raises(AnonError, match=r"ended from outside .signal 9."),
        training._field_beside(1, own, 1) as field,
    ):
        field.result()


def test_a_model_is_made_of_what_was_asked_for(tmp_path, weights, network, monkeypatch):
    asked: dict[str, object] = {"notes": []}
    own = [Note("Dr. Own came", (Span(4, 7, "NAME"),))]

    @contextmanager
    def beside(count, own, rounds):
        asked["field"] = count, own, rounds
        yield SimpleNamespace(check=lambda: asked.update(checked=True), result=lambda: weights)

    def learn(notes, *, rounds, progress):
        asked["network"] = [note.text for note in notes][-1], rounds
        progress("a round")
        return network

    def measured(_, notes, cautions):
        asked["notes"].append((tuple(notes), tuple(cautions)))
        worth = {
            "overall": dict.fromkeys(("precision", "recall", "f1"), 0.5),
            "over_redaction": {"share": 0.0},
        }
        return {
            c: {**worth, "overall": {**worth["overall"], "f2": 0.9 if c == 48 else 0.8}, "labels": {}}
            for c in cautions
        }

    monkeypatch.setattr(training, "_field_beside", beside)
    monkeypatch.setattr(training, "train_network", learn)
    monkeypatch.setattr(training, "_measured", measured)
    facts = training.train_model(tmp_path / "m.npz", own=own, count=7, rounds=2, held=3, progress=print)
    assert asked["field"] == (round(7 * training.FIELD_SHARE), own, 2)
    assert asked["network"] == ("Dr. Own came", 2)
    assert asked["checked"]
    assert asked["notes"] == [
        (tuple(made_up(TUNE, 3)), training.CAUTIONS),
        (tuple(made_up(TEST, 3)), (48.0,)),
    ]
    assert (facts["caution"], facts["made_up"], facts["own"], facts["test"]["f2"]) == (48.0, 7, 1, 0.9)
    assert load_model(tmp_path / "m.npz").tagger().caution == 48.0


def test_a_process_whose_parent_is_gone_ends(tmp_path):
    parent = tmp_path / "parent.py"
    parent.write_text(
        "import os, sys\n"
        "from anon_spark.detect.notes import training\n"
        "if __name__ == '__main__':\n"
        "    with training._field_beside(100_000, [], 1) as field:\n"
        "        print(field._process.pid, flush=True)\n"
        "        os._exit(9)\n"
    )
    ended = subprocess.run([sys.executable, parent], capture_output=True, text=True, check=False)
    child, until = int(ended.stdout), time.monotonic() + 60
    while Path(f"/proc/{child}").exists() and time.monotonic() < until:
        time.sleep(0.2)
    assert not Path(f"/proc/{child}").exists()
    assert ended.stderr == ""


def test_an_empty_file_is_no_model(tmp_path):
    (tmp_path / "empty.npz").touch()
    with pytest.raises(InputError, match="no model of notes"):
        load_model(tmp_path / "empty.npz")


def test_the_network_learns_and_is_the_same_every_time(network):
    again = train_network.train_network(made_up(TRAIN, FEW), rounds=2, progress=print)
    assert all(np.array_equal(a[0], b[0]) for a, b in zip(network.layers, again.layers, strict=True))
    again = in_columns(again, network.labels)
    assert np.array_equal(network.out[0], again.out[0])
    assert np.array_equal(network.vectors, again.vectors)
    losses: list[str] = []
    train_network.train_network(made_up(TRAIN, 40), rounds=30, progress=losses.append)
    first, *_, last = (float(line.rsplit(" ", 1)[1]) for line in losses)
    assert last < first / 2


def test_grammar_parts_share_no_template_and_no_surname():
    lines = {part: set(itertools.chain(*rules(part).values())) for part in (TRAIN, TUNE, TEST)}
    for one, other in itertools.combinations(lines, 2):
        shared = {line for line in lines[one] & lines[other] if "{" in line and "<" not in line}
        assert not shared
    seed(1)
    draw = random.Random(1)
    for part in (TUNE, TEST):
        people = [draw_person(draw, part) for _ in range(60)]
        assert {part_of(w) for p in people for w in p.last.replace("-", " ").split() if len(w) > 3} == {part}


def test_grammar_writes_all_labels_exactly_and_the_same_every_time():
    notes = [write_note(TRAIN, n) for n in range(1500)]
    assert {s.label for note in notes for s in note.spans} == {*HIPAA, *HINTS}
    assert notes[:20] == [write_note(TRAIN, n) for n in range(20)]
    for text, spans in notes:
        assert all(text[s.start : s.end].strip() for s in spans)
        assert all(a.end <= b.start for a, b in itertools.pairwise(spans))


def test_presidio_calls_the_detector_or_is_asked_for(monkeypatch):
    class Recognizer:
        def __init__(self, *, supported_entities, name):
            self.supported_entities, self.name = supported_entities, name
            self.load()

    with monkeypatch.context() as without:
        without.setitem(sys.modules, "presidio_analyzer", None)
        with pytest.raises(PolicyError, match="presidio"):
            make_recognizer()
    stand_in = SimpleNamespace(EntityRecognizer=Recognizer, RecognizerResult=SimpleNamespace)
    monkeypatch.setitem(sys.modules, "presidio_analyzer", stand_in)
    recognizer = make_recognizer()
    assert "PERSON" in recognizer.supported_entities
    text = "Seen 03-Apr-2101, ssn 123-45-6789."
    found = {r.entity_type: text[r.start : r.end] for r in recognizer.analyze(text, [])}
    assert found == {"DATE_TIME": "03-Apr-2101", "US_SSN": "123-45-6789"}
    assert {r.entity_type for r in recognizer.analyze(text, ["US_SSN"])} == {"US_SSN"}


KNOWN = [
    Known("Margarethe Quillfeather", "NAME"),
    Known("(617) 555-0199", "PHONE"),
    Known("990017342", "MRN"),
]


@pytest.mark.parametrize(
    "text",
    [
        "seen: MARGARETHE QUILLFEATHER",
        "Quillfeather, Margarethe",
        "Quillfeather's wife",
        "Quilfeather was here",
        "Mrs Quillfaether",
        "M. Quillfeather",
        "margarethe\nquillfeather",
        "Quill-feather",
        "Quill\nfeather",
        "MargaretheQuillfeather",
        "617.555.0199",
        "call 617 555 0199.",
        "MRN 990-017-342",
    ],
)
def test_known_identifiers_are_found_however_written(text):
    assert find_known(text, KNOWN)


def test_ordinary_words_are_no_slips_of_a_name():
    assert not find_known(
        "Sinus rhythm, no change; may go home with wife",
        [Known("Sinas Mays", "NAME"), Known("Will Rose", "NAME")],
    )


def test_replacing_leaves_nothing_and_keeps_the_rest():
    text = "Mary SMITH (45) seen 3/4, MRN AB12345."
    spans = [Span(0, 10, "NAME"), Span(12, 14, "YOUNGER_AGE"), Span(21, 24, "DATE"), Span(30, 37, "MRN")]
    for treatment in TREATMENTS:
        out = replace(text, spans, Replacing(treatment=treatment, key=b"k" * 32, days=14))
        assert "SMITH" not in out
        assert "AB12345" not in out
        assert " seen " in out
    out = replace(text, spans, Replacing(treatment="surrogate", key=b"k" * 32, days=14))
    assert out.split()[1].isupper()
    assert "40-49" in out
    assert "3/18" in out
    assert out == replace(text, spans, Replacing(treatment="surrogate", key=b"k" * 32, days=14))
    assert out != replace(text, spans, Replacing(treatment="surrogate", key=b"j" * 32, days=14))
    assert "(45)" in replace(text, spans, Replacing(hints=False))


@pytest.mark.parametrize(
    ("name", "man"),
    [("Robert", True), ("MARGARETHE", False), ("consuelo", False), ("Beatriz", False), ("Giovanni", True)],
)
def test_a_first_name_stays_of_its_gender(name, man):
    for key in (b"a" * 32, b"b" * 32, b"c" * 32):
        drawn = replace(name, [Span(0, len(name), "NAME")], Replacing(treatment="surrogate", key=key))
        assert drawn.capitalize() in (Provider.first_names_male if man else Provider.first_names_female)


@pytest.mark.parametrize(
    ("text", "days", "moved"),
    [
        ("Thursday, 3/4/2021 at 10", 75, "Tuesday, 5/18/2021 at 10"),
        ("Thu 3/4, THU. 3/4 and thurs, 3/4", 8, "Fri 3/12, FRI. 3/12 and fri, 3/12"),
        ("3/4 (Thu) or 3/4 Thu; Mondays, sat 98", 8, "3/12 (Fri) or 3/12 Fri; Tuesdays, sat 98"),
        ("seen Monday. sun 3/4", 7, "seen Monday. sun 3/11"),
        ("3/14/1931 (DOB), 11/02/2021", 7, "[DATE] (DOB), 11/09/2021"),
        ("3/14/1932, 11/02/2021", 7, "3/21/1932, 11/09/2021"),
    ],
)
def test_weekdays_move_with_dates_and_years_of_the_oldest_go(text, days, moved):
    spans = [Span(*m.span(), "DATE") for m in re.finditer(r"\d+/\d+(?:/\d+)?", text)]
    assert replace(text, spans, Replacing(treatment="surrogate", key=b"k" * 32, days=days)) == moved
    untold = replace(text, spans, Replacing(treatment="surrogate", key=b"k" * 32))
    assert untold == re.sub(r"\d+/\d+(?:/\d+)?", "[DATE]", text)


def test_a_name_has_one_surrogate_in_every_case():
    how = Replacing(treatment="surrogate", key=b"k" * 32)
    whole = [Span(0, 10, "NAME")]
    assert len({replace("John Smith", whole, dataclasses.replace(how, person=p)) for p in "123"}) == 3
    one, other = (replace(text, [Span(0, len(text), "NAME")], how) for text in ("John Smith", "SMITH"))
    assert one.split()[1].upper() == other


@pytest.mark.parametrize(
    ("words", "days", "moved"),
    [
        ("12/28/05", 7, "01/04/06"),
        ("2101-04-03", -3, "2101-03-31"),
        ("Feb 28, 2000", 2, "Mar 1, 2000"),
        ("the 28th of April", 7, "the 5th of May"),
        ("20.12.2019", 14, "03.01.2020"),
        ("MAY 2ND", 1, "MAY 3RD"),
        ("May '05", 365, "May '06"),
        ("sometime", 7, None),
        ("March 2018", 30, "April 2018"),
        ("spring of 2009", 30, None),
        ("Easter Monday 2018", 30, None),
        ("Q3 '21", 203, None),
        ("Tuesday, March 3", 10, None),
        ("2/10-14", 40, None),
        ("Mar 5-9", 40, None),
        ("5 - 9 March 2019", 40, None),
        ("March 5th-9th", 40, None),
        ("March 5th-19th", 40, None),
        ("Mar 5, 9", 40, None),
        ("5/9 Mar", 40, None),
        ("Mar 5/9/2019", 40, None),
        ("March 5 & 19", 40, None),
        ("5 Mar 2019 10", 40, None),
        ("3/4, 3/5", 40, None),
        ("Mar 5-2019", 40, "Apr 14-2019"),
        ("Mar-05-2019", 40, "Apr-14-2019"),
        ("3/4, 2019", 40, "4/13, 2019"),
        ("5 Apr 19", 40, "15 May 19"),
        ("4/5/05", 40, "5/15/05"),
        ("03-Apr-2101", 40, "13-May-2101"),
        ("Apr 5/05", 40, "May 15/05"),
        ("4/5/'05", 40, "5/15/'05"),
        ("3 - 4 - 05", 40, "4 - 13 - 05"),
    ],
)
def test_dates_move_in_the_form_they_were_written(words, days, moved):
    found = shift_date(words, days)
    assert (found.upper() if found and words.isupper() else found) == moved


@pytest.mark.parametrize(
    ("words", "label", "form"),
    [
        ("St. Joseph's Hospital", "HOSPITAL", r"[A-Z]\w+ Hospital"),
        ("Medical Center of Aurora", "HOSPITAL", r"[A-Z]\w+ Medical Center"),
        ("Hospital Clínic de Barcelona", "HOSPITAL", r"[A-Z]\w+ Clinic|[A-Z]\w+ Hospital"),
        ("St. Louis", "LOCATION", r"[A-Z]\w+"),
        ("99 St. Charles Avenue", "ADDRESS", r"\d\d [A-Z]\w+ Avenue"),
        ("77 Quinsigamond Ave, Apt 3R, Boston", "ADDRESS", r"\d\d [A-Z]\w+ Ave Apt \d[A-Z]"),
        ("42nd Ave", "ADDRESS", r"[A-Z]\w+ Ave"),
        ("kxr 4471", "VEHICLE", r"[a-z]{3} \d{4}"),
        ("617-555-0199 ext. 12", "PHONE", r"\d{3}-\d{3}-\d{4} ext\. \d\d"),
        ("John O'Brien-SMITH", "NAME", r"[A-Z]\w+ [A-Z]'[A-Z]\w+-[A-Z]+"),
        ("3/4", "DATE", r"\[DATE\]"),
        ("Boeing", "ORGANIZATION", r"[A-Z]\w+ Company"),
        ("BWH", "HOSPITAL", r"[A-Z]{2,} HOSPITAL"),
        ("MN", "LOCATION", "[A-Z]{2}"),
    ],
)
def test_surrogates_keep_the_form_and_nothing_of_the_words(words, label, form):
    kept = {"hospital", "clinic", "medical", "center", "avenue", "ave", "apt", "ext", "o"}
    for key in (b"a" * 32, b"b" * 32, b"c" * 32):
        out = replace(words, [Span(0, len(words), label)], Replacing(treatment="surrogate", key=key))
        assert re.fullmatch(form, out), out
        said = {part.lower() for part in re.findall(r"\w+", words)} - kept
        assert not said & {part.lower() for part in re.findall(r"\w+", out)}


def test_no_surrogate_is_a_real_persons():
    whole, how = [Span(0, 10, "NAME")], Replacing(treatment="surrogate", key=b"k" * 32)
    drawn = [replace("Mary Smith", whole, how)]
    for _ in range(2):  # the next draw is another, and real people are known in any order, case and marks
        first, last = drawn[-1].split()
        real = [f"{last.upper()}, {first}", *drawn]
        avoid = Real(np.array([number for words in real for number in Real.hashed(words)]))
        drawn.append(replace("Mary Smith", whole, dataclasses.replace(how, avoid=avoid)))
    assert len(set(drawn)) == 3

    class Everything(Real):
        def __contains__(self, words):
            return True

    none = dataclasses.replace(how, avoid=Everything(np.array([], np.int64)))
    assert replace("Mary Smith", whole, none) == "[NAME]"


STRANGE = ("note.tz", "note.wa", "note.wb")  # styles of tune that were written to be hard


def test_the_shipped_model_holds_its_floors():
    """Floors below what was measured, so that a worse model or a broken feature is seen."""
    least = {  # recall, precision, over-redaction
        (TUNE, False): (0.98, 0.97, 0.01),
        (TUNE, True): (0.96, 0.88, 0.03),
        (TEST, False): (0.98, 0.95, 0.02),
    }
    for (part, strange), (recall, precision, hidden) in least.items():
        styles = [
            name for name in rules(part) if name.startswith("note.") and name.startswith(STRANGE) == strange
        ]
        notes = [write_note(part, n, rule=styles[n % len(styles)]) for n in range(5000, 5500)]
        scores = evaluate(notes, get_detector().find([n.text for n in notes]), labels=dict.fromkeys(HINTS))
        assert scores["overall"]["recall"] > recall
        assert scores["overall"]["precision"] > precision
        assert (scores["over_redaction"]["share"] or 0) < hidden
    assert 0.95 < facts_of()["test"]["recall"] <= 1
    hand = notes_by_hand()
    assert len(hand) == 100
    scores = evaluate(hand, get_detector().find([n.text for n in hand]), labels=dict.fromkeys(HINTS))
    assert scores["overall"]["recall"] > 0.91
    assert scores["overall"]["precision"] > 0.92


@pytest.mark.parametrize(
    ("text", "days"),
    [
        ("Dr. [**Last Name (STitle) 1234**] saw Mr. [**Known lastname 77**] at [**Hospital1 18**].", []),
        ("Admitted [**2101-4-3**], seen by Dr. Smith.", ["2101-4-3"]),
    ],
)
def test_what_somebody_de_identified_is_left_but_its_days(text, days):
    (found,) = get_detector().find([text])
    inside = [s for s in found if any(a <= s.start < b for a, b in placeholders(text))]
    assert [text[s.start : s.end] for s in inside] == days
    assert ("Smith" in text) == any(text[s.start : s.end] == "Smith" for s in found)


def placeholders(text):
    return [m.span() for m in re.finditer(r"\[\*\*.*?\*\*\]", text)]
