"""Numbers that a word before or after them gives away: ``MRN``, ``fax``, ``Apr``, ``year old``.

Looked for only where such a word stands, so most of a note costs one look-up a word.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.tokens import Tokens


class Hit(NamedTuple):
    """A span found by its form; ``certain`` when no context can make it harmless."""

    span: Span
    certain: bool


DASHES = "\u2010\u2011\u2012\u2013\u2014\u2015\u2212-"  # the plain one last, so that they make a class of characters
PHONE = (
    rf"[(2-9+1](?:1?[\s.{DASHES}]{{0,2}}\(?[2-9])?\d{{2}}\)?[\s./{DASHES}]{{0,2}}\d{{3}}[\s.{DASHES}]\d{{4}}"
    rf"(?:\s?(?:x|ext\.?)\s?\d{{1,5}})?(?![\d-]|[{DASHES}]\d|\s?m[gl]\b)"
)
_TAG = r"\.?(?:\s{0,4}(?:numbers?|nos?\b\.?|nbr|num|ids?\b|code|#|is|was|\(s\))){0,6}[\s:#=.\-]{0,4}"
_CODE = r"((?=[A-Z0-9\-/. ]{0,14}\d)[A-Z0-9](?:[A-Z0-9]|[\-/.](?=[A-Z0-9])){3,24})"
_ANY = re.compile(_TAG + _CODE, re.IGNORECASE)
_RECORD = re.compile(_TAG + r"((?:[A-Z]{0,3}-?)\d[\d\-]{4,13}\d)\b", re.IGNORECASE)
_SHORT_RECORD = re.compile(_TAG + r"(\d{4,5})(?![\w/-]|[.,:]\d)", re.IGNORECASE)
_SSN = re.compile(
    _TAG
    + r"(?:sec(?:urity)?\.?)?"
    + _TAG
    + rf"(\d{{3}}[\s.{DASHES}]{{0,3}}\d{{2}}[\s.{DASHES}]{{0,3}}\d{{4}})(?!\d)",
    re.IGNORECASE,
)
_FILL = r"(?:[\s:#().,\-]{1,3}(?:(?:security|sec|numbers?|no|num|card|is|was|are|digits|in|with|the|as|follows|of|his|her)\b)?){0,8}?"
_FOUR = r"(\d{4})(?![\w/\-]|[.,:]\d)"
_SSN_END = re.compile(
    _FILL
    + r"\b(?:last\s?-?(?:four|4)|ending|ends)\b"
    + _FILL
    + rf"(?:{_FOUR}|(\d(?: \d){{3}})(?![\w ]?\d))"
    + rf"|[^\d\n]{{0,8}}?([x*#\u2022]{{3}}[\s{DASHES}]?[x*#\u2022]{{2}}[\s{DASHES}]?\d{{4}})\b",
    re.IGNORECASE,
)
_SSN_FOUR = re.compile(
    r"\s?(?:numbers?|nos?\.?)?(?:[\s:#=x*\u2022\u2026\-]{0,8}?[:#=x*\u2022\u2026\-]\s?"
    + _FOUR
    + r"|\s?\((\d{4})\))",
    re.IGNORECASE,
)
_NUMBER_FOUR = re.compile(r"\s?#\s?:?\s?(\d{4})(?=[.,;)]?\s*$|[.,;)]\s)", re.MULTILINE)
_SSN_SLASHED = re.compile(_TAG + r"(\d{3}/\d{2}/\d{4})(?![\d/])", re.IGNORECASE)
_LAST_FOUR = re.compile(
    r"\blast\s?-?(?:four|4)(?:\sdigits)?(?:\sof)?(?:\s[a-z'/]{2,9}){0,2}\s$", re.IGNORECASE
)
_AFTER_LAST_FOUR = re.compile(_FILL + _FOUR, re.IGNORECASE)
_FAX = re.compile(
    r"(?:\s?(?:no\.?|number|#|at|to))*[\s:#.]{1,4}(\+?[\d(][\d \t\xa0().\-/]{5,16}\d)", re.IGNORECASE
)
_CALL = re.compile(
    r"\.?(?:\s?(?:no\b\.?|number|#|at|on|is|:))*[\s:#]{0,3}(\+?\(?\d[\d \t\xa0().\-]{2,16}\d)(?!\d|\s?m[gl])",
    re.IGNORECASE,
)
ACCOUNT_NAME = r"@[A-Za-z_][\w.-]{1,48}\w"
_HANDLE = re.compile(
    rf"(?: (?:account|handle|id|user|username|name|page|is|as)){{0,4}},?[ :=(\"]{{1,4}}({ACCOUNT_NAME})",
    re.IGNORECASE,
)
_AGED = re.compile(r"(?:\sof)?[\s:=]{1,3}(1[01]\d|\d{1,2})(?![\d/.%-])")

_CODED = {
    "HEALTH_PLAN": "plan policy payer insurer member subscriber medicare medicaid insurance beneficiary mbi hic hicn group",
    "ACCOUNT": "ledger account acct billing invoice iban encounter visit csn fin",
    "LICENSE": "license licence lic permit dea npi certificate cert dl",
    "VEHICLE": "plate plates vin registration tag vehicle",
    "DEVICE": "serial sn device model lot implant udi imei generator pacemaker lead ref",
    "OTHER_ID": "accession specimen case study badge passport employee student prisoner inmate clip protocol ticket docket "
    "record log screening rx",
}
_FOLLOWED: dict[str, list[tuple[str, re.Pattern[str], bool]]] = {}
for _label, _words in _CODED.items():
    for _word in _words.split():
        _FOLLOWED.setdefault(_word, []).append((_label, _ANY, False))
for _word in "mrn mr record records rec chart unit hospital hosp".split():
    _FOLLOWED.setdefault(_word, []).append(("MRN", _RECORD, True))
_FOLLOWED["mrn"].append(("MRN", _SHORT_RECORD, True))
for _word in "ssn ss soc security social".split():
    _FOLLOWED.setdefault(_word, []).extend([("SSN", _SSN, True), ("SSN", _SSN_END, True)])
_FOLLOWED["ssn"] += [("SSN", _SSN_FOUR, True), ("SSN", _SSN_SLASHED, True)]
_FOLLOWED["ss"].append(("SSN", _NUMBER_FOUR, True))
for _word in "fax facsimile telefax f".split():
    _FOLLOWED.setdefault(_word, []).append(("FAX", _FAX, True))
for _word in (
    "phone tel telephone cell mobile pager beeper pgr ph contact call called callback reach reached reachable ext extension"
).split():
    _FOLLOWED.setdefault(_word, []).append(("PHONE", _CALL, False))
PLATFORMS = ("twitter", "instagram", "insta", "tiktok", "snapchat", "facebook", "discord", "venmo")
for _word in PLATFORMS:
    _FOLLOWED.setdefault(_word, []).append(("OTHER_ID", _HANDLE, True))
for _word in ("age", "aged", "ages"):
    _FOLLOWED.setdefault(_word, []).append(("AGE", _AGED, True))

_MONTHS = frozenset(
    "jan january feb february mar march apr april may jun june jul july aug august sep sept september oct october nov "
    "november dec december".split()
)
_DOUBTFUL = {"may", "march", "mar", "dec", "sep", "jan"}
_DAY = r"(?:3[01]|[12]\d|0?[1-9])(?:\s?(?:st|nd|rd|th))?"
_YEAR = r"(?:['\u2019]\d{2}|(?:1[89]|2[0-3])\d{2})(?!\d)"
_BEFORE = re.compile(rf"(?<![\w/:])(?<!\d[.,]){_DAY}(?:\s|\sof\s|[-/.,])?\s?$", re.IGNORECASE)
_YEAR_BEHIND = re.compile(
    rf"\.?[\s,\-/]{{0,3}}(?:of\s)?{_YEAR}|[ \-/]\d{{2}}(?!\d|\s?[a-z%:/.])", re.IGNORECASE
)
_DAY_BEHIND = re.compile(
    rf"\.?[\s,\-/]{{0,2}}(?:the\s)?{_DAY}(?!\d)(?:[\s,\-/]{{1,3}}{_YEAR})?(?!\s?(?:mg|ml|mcg|units?)\b)",
    re.IGNORECASE,
)
_OLD = re.compile(
    r"[\s-]{0,2}(?:y\.?\s?/?\s?o\b|y\.o\.|years?[\s-]*(?:old|of\sage|young)|yrs?\b[\s.-]*(?:old)?|yo[mfw]?\b|y/?o|y\.?\s?[mf]\b)",
    re.IGNORECASE,
)
_SEXED = re.compile(r"\s?(?:[MF]|[WBHA][MF]|(?:fe)?male|(?:wo)?man|gentleman|lady)\b", re.IGNORECASE)
_NUMBERS = re.compile(r"\d+")
_NUMERALS = {"ninety", "hundred", "nineties"}
_OF_NINETY = {"nonagenarian", "nonagenarians", "centenarian", "centenarians"}
_TURNED = {"turned", "turning", "turns"}
_BIRTHDAY = re.compile(r"(?:st|nd|rd|th)\s(?:birthday|bday)\b", re.IGNORECASE)
_DEGREES = re.compile(r"\s?(?:deg|\u00b0|%|percent|times)", re.IGNORECASE)
_IN_NINETIES = re.compile(r"['\u2019]?s\b")


def find_announced(text: str, tokens: Tokens) -> list[Hit]:
    """Hits of patterns that hang on a word."""
    found: list[Hit] = []
    for i, word in enumerate(tokens.words):
        first = word[0]
        if first.isdigit():
            if len(word) <= 3:
                found += _aged(text, tokens, i)
        elif first.isalpha() and (lower := word.lower()) in _ANCHORS:
            end = tokens.ends[i]
            for label, regex, certain in _FOLLOWED.get(lower, ()):
                if match := regex.match(text, end):
                    start, stop = match.span(match.lastindex or 0)
                    sure = certain or (label == "PHONE" and _is_number(lower, text[start:stop]))
                    found.append(Hit(Span(start, stop, label), sure))
            if lower in _SOCIAL and _LAST_FOUR.search(text, max(0, tokens.starts[i] - 40), tokens.starts[i]):
                found += (
                    Hit(Span(*m.span(1), "SSN"), True) for m in [_AFTER_LAST_FOUR.match(text, end)] if m
                )
            if lower in _MONTHS:
                found += _dated(text, tokens.starts[i], end)
            elif lower in _NUMERALS:
                found += _worded(text, tokens, i)
            elif lower in _OF_NINETY:
                found.append(Hit(Span(tokens.starts[i], end, "AGE"), True))
    return found


def _is_number(word: str, number: str) -> bool:
    """Whether digits behind ``word`` are a telephone's or a pager's and can be nothing else."""
    digits = sum(map(str.isdigit, number))
    return digits > 6 or (digits > 3 and word in _PAGERS)


_SOCIAL = {"ssn", "social"}
_PAGERS = {"pager", "beeper", "pgr"}
_ANCHORS = _MONTHS | _NUMERALS | _OF_NINETY | _FOLLOWED.keys()


def _aged(text: str, tokens: Tokens, i: int) -> Iterator[Hit]:
    """``94 yo``, ``in her 90s``, ``94th birthday``, and not certain, as a temperature is written so too, ``94 F``."""
    start, end, word = tokens.starts[i], tokens.ends[i], tokens.words[i]
    turned = i > 0 and tokens.words[i - 1].lower() in _TURNED and word.isdecimal() and 17 < int(word) < 120
    if (
        (_OLD.match(text, end) and text[start - 1 : start] not in ("/", ".", "-"))
        or (word == "90" and _IN_NINETIES.match(text, end))
        or (turned and not _DEGREES.match(text, end))
        or _BIRTHDAY.match(text, end)
    ):
        yield Hit(Span(start, end, "AGE"), True)
    elif len(word) > 1 and _SEXED.match(text, end):
        yield Hit(Span(start, end, "AGE"), False)


def _worded(text: str, tokens: Tokens, i: int) -> Iterator[Hit]:
    """``ninety-two year old``, ``one hundred and one years old``, ``in her nineties``."""
    last = i
    while (
        last + 1 < len(tokens.words)
        and last < i + 3
        and (tokens.words[last + 1] == "-" or tokens.words[last + 1].lower() in _UNITS)
    ):
        last += 1
    aged = i > 0 and tokens.words[i - 1].lower() in _TURNED | {"age", "aged"}
    if tokens.words[i].lower() == "nineties" or aged or _OLD.match(text, tokens.ends[last]):
        yield Hit(Span(tokens.starts[i], tokens.ends[last], "AGE"), True)


_UNITS = set("and one two three four five six seven eight nine ten".split())


def _dated(text: str, start: int, end: int) -> Iterator[Hit]:
    """A date around a month's name; ``may 2`` alone, in small letters, is not certain."""
    before = _BEFORE.search(text, max(0, start - 12), start)
    behind = (
        (_YEAR_BEHIND.match(text, end) or (None if before else _DAY_BEHIND.match(text, end)))
        if end < len(text)
        else None
    )
    if before or behind:
        begun, stop = before.start() if before else start, behind.end() if behind else end
        word = text[start:end]
        numbers = len(_NUMBERS.findall(text, begun, stop))
        sentence = before is not None and behind is None and "." in before.group()  # "ratio 1:5. May repeat"
        certain = numbers > 1 or (word[0].isupper() and not sentence) or word.lower() not in _DOUBTFUL
        yield Hit(Span(begun, stop, "DATE"), certain)
