"""The patterns: what they are certain of, what they only hint at, and what is none."""

import re
import time

import pytest

from anon_spark.detect.notes.detector import LONGEST
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.patterns import find_patterns
from anon_spark.detect.notes.tokens import tokenize


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
        ("HR 80 @rest on insulin", "OTHER_ID"),
        ("IG @bedtime, FB @glottis", "OTHER_ID"),
        ("talked of facebook\n@0800 vitals", "OTHER_ID"),
        ("twitter @2nd visit", "OTHER_ID"),
        ("MRN 55/120", "MRN"),
        ("m@jones on twitter", "OTHER_ID"),
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
        ("Patient has MRN 7731 today", "MRN", "7731"),
        ("MRN: 55120.", "MRN", "55120"),
        ("see facebook.com/abdi.warsame.", "URL", "facebook.com/abdi.warsame"),
        ("Fax 01335 555 0143\n12th March", "FAX", "01335 555 0143"),
        ("Instagram handle: @sunny_days99", "OTHER_ID", "@sunny_days99"),
        ("Twitter: @mjones", "OTHER_ID", "@mjones"),
        ('her Facebook, "@m.jones-lee"', "OTHER_ID", "@m.jones-lee"),
        ("username is on tiktok as @mjones", "OTHER_ID", "@mjones"),
        ("wrote as @m.jones on Instagram", "OTHER_ID", "@m.jones"),
        ("paid @Ann-Smith-4 via venmo", "OTHER_ID", "@Ann-Smith-4"),
        ("@kxqq_77 (Snapchat) and", "OTHER_ID", "@kxqq_77"),
        ("insta @mj_4", "OTHER_ID", "@mj_4"),
        ("discord @mj_4", "OTHER_ID", "@mj_4"),
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


ROWS = ("1.", "2001/", "01/02/2003/", "12-", "A1-", "aa.", "twitter user ", "@a.")


@pytest.mark.parametrize(
    "text",
    [
        *("SSN" + row * 20_000 for row in ("#", " is was #", "no ")),
        *(row * (LONGEST // len(row)) for row in ROWS),
        *("a" * LONGEST + end for end in ("@", ".com", " dot ")),
        "aa." * (LONGEST // 3) + ".com",
    ],
    ids=range(15),
)
def test_a_row_of_marks_takes_no_time(text):
    begun = time.process_time()
    told(text)
    assert time.process_time() - begun < 5  # it took an hour


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
