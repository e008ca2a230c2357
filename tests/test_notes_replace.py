"""Replacing: tags, masks and surrogates, and dates that move."""

import dataclasses
import re

import numpy as np
import pytest
from faker.providers.person.en_US import Provider

from anon_spark.detect.notes.lexicon import lexicon
from anon_spark.detect.notes.replace import (
    TREATMENTS,
    Real,
    Replacing,
    _gendered,
    _names,
    _wide_places,
    replace,
    shift_date,
)
from anon_spark.detect.notes.spans import Span


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
        ("3/4, 3/5", 40, "4/13, 4/14"),
        ("3/4. 3/5", 40, "4/13. 4/14"),
        ("12/30-1/5", 3, "1/2-1/8"),
        ("12/30/05 - 1/5/06", 365, "12/30/06 - 1/5/07"),
        ("Dec 28 to Jan 3, 2020", 60, "Feb 26 to Mar 3, 2020"),
        ("Feb 28 - Mar 2, 2020", 1, "Feb 29 - Mar 3, 2020"),
        ("2101-04-03--2101-04-09", 30, "2101-05-03--2101-05-09"),
        ("3-4-10-3-9-10", 30, None),
        ("3/4/10 through 3/9", 30, "4/3/10 through 4/8"),
        ("3/4-5/6-7/8", 40, None),
        ("3/4-9/10", 40, None),
        ("13/14-3/5", 40, None),
        ("Easter - 3/5", 40, None),
        ("12/31-1/5/20", 61, "3/1-3/6/20"),
        ("12/30/11 - 3/1", 365, "12/29/12 - 3/1"),
        ("12/9/2023--1/18", 91, "3/9/2024--4/18"),
        ("3/5, 3/4", -7, "2/27, 2/26"),
        ("12/30, 1/5", 5, "1/4, 1/10"),
        ("01/30-02/05", 5, "02/04-02/10"),
        ("28/2-4/3", 3, "2/3-7/3"),
        ("28/2-12/30", 3, None),
        ("2/10-14/05", 3, None),
        ("2/10-12/05", 3, None),
        ("2/10-12/5/05", 3, "2/13-12/8/05"),
        ("3/21-23/06", 3, None),
        ("Mar 5-9/19", 3, None),
        ("Mar 17, 17-Mar 22", 40, None),
        ("Mar 21, 22, Apr 30", 40, None),
        ("3/4/2019, 10:30", 3, None),
        ("Apr 30-May 10", 40, "Jun 9-Jun 19"),
        ("April 30 - May 10", 40, "June 9 - June 19"),
        ("4 Mar 2019 until 9 Mar 2019", 1, "5 Mar 2019 until 10 Mar 2019"),
        ("4.3.2019 -> 9.3.2019", 1, "4.4.2019 -> 9.4.2019"),
        ("2/30-3/2", 1, None),
        ("3/2-2/30", 1, None),
        ("12/3", 40, "1/12"),
        ("5/18/2020", 10, "5/28/2020"),
        ("5/28/2020", 10, "6/7/2020"),
        ("6'2", 3, None),
        ("9/04-3/05", 365, None),
        ("12/08-3/09", 365, None),
        ("9/4-3/5", 3, "9/7-3/8"),
        ("09/14-10/05", 3, "09/17-10/08"),
        ("2/10-10/05", 3, None),
        ("1/5/10-6/12", 1, "1/6/10-6/13"),
        ("12345/1", 3, None),
        ("MAR - 3/14", 3, None),
        ("Jan-3/14", 3, None),
        ("sepsis 3/14", 3, None),
        ("Sept 3", 3, "Sep 6"),
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
    ("words", "form"),
    [
        ("New York, NY", r"(?!New )[A-Z].*, [A-Z]{2}"),
        ("Boston MA", r"[A-Z][a-z ]+ [A-Z]{2}"),
        ("USA", r"[A-Z][a-z].*"),
        ("ma", r"[a-z ]+"),
    ],
)
def test_places_keep_their_form(words, form):
    for key in range(20):
        how = Replacing(treatment="surrogate", key=bytes([key]) * 32)
        assert re.fullmatch(form, replace(words, [Span(0, len(words), "LOCATION")], how))


def test_provinces_and_nations_become_their_like():
    def drawn(words):
        how = Replacing(treatment="surrogate", key=b"k" * 32)
        return replace(words, [Span(0, len(words), "LOCATION")], how).lower()

    states, canada, australia, countries = _wide_places()
    assert drawn("Georgia") in states
    assert drawn("Ontario") in canada
    assert drawn("QUEENSLAND") in australia
    assert {drawn("Scotland"), drawn("USA")} <= set(countries)
    assert drawn("Georgia, Vermont").split(", ")[0] not in states
    assert re.fullmatch(r"[a-z ]+, [a-z]{2}", drawn("new york, ny"))
    assert re.fullmatch(r"[a-z ]+", drawn("Boston,  "))


def test_particles_and_suffixes_stay_beside_a_name():
    how = Replacing(treatment="surrogate", key=b"k" * 32)

    def drawn(words):
        return replace(words, [Span(0, len(words), "NAME")], how)

    assert re.fullmatch(r"\w+ van der \w+", drawn("Jan van der Berg"))
    assert re.fullmatch(r"\w+ \w+ III", drawn("Wendell Ostrander III"))
    assert re.fullmatch(r"\w+ Jr\.", drawn("Smith Jr."))
    for alone in ("van", "III", "Jr", "Smith de"):
        assert alone.split()[-1] not in drawn(alone)
    assert not drawn("Jr. Smith").startswith("Jr")
    for small in ("al smith", "bin zhang", "e smith", "van's", "la toya"):
        assert not drawn(small).startswith(re.findall(r"\w+", small)[0])
    both = sorted(
        w for w, lists in lexicon().items() if "S" in lists and "F" in lists and w not in _gendered()
    )
    assert {drawn(word.title()).lower() for word in both} <= set(_names("S"))
    women, men = Provider.first_names_female, Provider.first_names_male
    assert drawn("Linh") in {*women, *men}


def test_stretches_with_the_day_first():
    assert shift_date("3/2-4/3", 3, day_first=True) == "6/2-7/3"
    assert shift_date("12/2 - 2/12/2019", 3, day_first=True) == "15/2 - 5/12/2019"
    assert shift_date("2/28-3/4", 3, day_first=True) == "3/2-3/7"


def test_a_time_taken_for_a_year_is_not_the_latest():
    text = "Neo off since 2200. Admitted 3/4/2019."
    spans = [Span(14, 18, "DATE"), Span(29, 37, "DATE")]
    out = replace(text, spans, Replacing(treatment="surrogate", key=b"k" * 32, days=30))
    assert out.endswith("Admitted 4/3/2019.")


def test_the_year_of_birth_of_the_oldest_is_not_told_whatever_says_the_latest_year():
    text = "Born in 1920. CABG 3/4/1995. Seen in 2012."
    spans = [Span(8, 12, "DATE"), Span(19, 27, "DATE"), Span(37, 41, "DATE")]
    out = replace(text, spans, Replacing(treatment="surrogate", key=b"k" * 32, days=7))
    assert out == "Born in [DATE]. CABG 3/11/1995. Seen in 2012."


def test_states_and_countries_become_their_like():
    text = "Born in New Hampshire, lives in Boston, MA; GERMANY and texas. Sister in Boston."
    places = ("New Hampshire", "Boston, MA", "GERMANY", "texas", "Boston")
    spans, at = [], 0
    for place in places:
        at = text.index(place, at)
        spans.append(Span(at, at + len(place), "LOCATION"))
        at += len(place)
    states, *_, countries = map(set, _wide_places())
    for key in range(20):
        out = replace(text, spans, Replacing(treatment="surrogate", key=bytes([key]) * 32))
        state, town, letters, country, small, again = re.fullmatch(
            r"Born in (.+), lives in (.+), ([A-Z]{2}); (.+) and (.+)\. Sister in (.+)\.", out
        ).groups()
        assert state.lower() in states - {"new hampshire"}
        assert small in states - {"texas"}
        assert country.lower() in countries - {"germany"}
        assert (state[0].isupper(), small.islower(), country.isupper()) == (True, True, True)
        assert town == again != "Boston"
        assert letters != "MA"


def test_what_people_share_does_not_show_in_their_surrogates():
    words, span = "617-555-0199", [Span(0, 12, "PHONE")]
    drawn = [
        replace(words, span, Replacing(treatment="surrogate", key=b"k" * 32, person=str(n)))
        for n in range(300)
    ]
    assert all({one[i] for one in drawn} == set("0123456789") for i in range(12) if i not in (3, 7))


def test_a_house_keeps_no_zero_before_its_number_and_may_be_of_any_length():
    how = [Replacing(treatment="surrogate", key=bytes([n]) * 32) for n in range(60)]
    houses = [replace("12 Main St", [Span(0, 10, "ADDRESS")], one) for one in how]
    assert not any(house.startswith("0") for house in houses)
    long = "1" * 5000
    assert re.match(r"[1-9]\d{4999} ", replace(f"{long} Main St", [Span(0, 5008, "ADDRESS")], how[0]))


@pytest.mark.parametrize(
    ("text", "days", "moved"),
    [
        ("Seen 2/26/2018, on 2/27 and 28 Feb", 10, "Seen 3/8/2018, on 3/9 and 10 Mar"),
        ("Seen 2/26/2020, on 2/27 and 28 Feb", 10, "Seen 3/7/2020, on 3/8 and 9 Mar"),
        ("geb. 17.08.1949, 02.05.2019", 35, "geb. 21.09.1949, 06.06.2019"),
        ("from 03/04/2019 to 13/04/2019, 2019-04-05", 10, "from 13/04/2019 to 23/04/2019, 2019-04-15"),
        ("from 03/04/2019 to 04/13/2019, 13/04/2019", 10, "from 03/14/2019 to 04/23/2019, 23/04/2019"),
    ],
)
def test_dates_of_a_text_are_read_alike(text, days, moved):
    spans = [
        Span(m.start(), m.end(), "DATE") for m in re.finditer(r"\d+[-/.]\d+([-/.]\d+)?|\d+ [A-Z][a-z]+", text)
    ]
    how = Replacing(treatment="surrogate", key=b"k" * 32, days=days)
    assert replace(text, spans, how) == moved


def test_initials_are_those_of_the_surrogate():
    text = "Philippa Thornquist, P. Thornquist, PT"
    spans = [Span(0, 19, "NAME"), Span(21, 34, "NAME")]
    for key in (b"a" * 32, b"b" * 32, b"c" * 32):
        first, second, _ = replace(text, spans, Replacing(treatment="surrogate", key=key)).split(", ")
        assert second == f"{first[0]}. {first.split()[1]}"


def test_towns_are_written_in_plain_letters():
    how = [Replacing(treatment="surrogate", key=bytes([n]) * 32) for n in range(200)]
    assert all(replace("Boston", [Span(0, 6, "LOCATION")], one).isascii() for one in how)


def test_a_number_has_one_surrogate_in_every_punctuation():
    def replaced(words, label):
        how = Replacing(treatment="surrogate", key=b"k" * 32)
        return re.sub(r"\D", "", replace(words, [Span(0, len(words), label)], how))

    mail = [Span(0, 9, "EMAIL")]
    how = Replacing(treatment="surrogate", key=b"k" * 32)
    assert replace("a.b@c.org", mail, how) != replace("ab@c.o.rg", mail, how)
    for label, forms in (("PHONE", ("(617) 555-0199", "617.555.0199")), ("MRN", ("990-01-7", "990017"))):
        first, second = (replaced(words, label) for words in forms)
        assert first == second != re.sub(r"\D", "", forms[0])


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
        said = {part for part in said if not (part.isdigit() and len(part) < 3)}  # drawn again by chance
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
