"""Checked patterns: what its form alone gives away, and forms that need the words around them.

A *certain* hit is personal wherever it stands; an uncertain one (``3/4``, five digits) is a hint to the model only.
Sources: social security numbers as issued, 20 CFR 422.103, and taxpayers' numbers, which begin with 9 and are written
alike, 26 CFR 301.6109-1; payment cards' check digit, ISO/IEC 7812-1 (Luhn);
account numbers' check digits, ISO 13616 (IBAN); vehicle numbers, 49 CFR 565.
"""

import re
from collections.abc import Callable, Iterable, Iterator
from ipaddress import ip_address
from typing import NamedTuple

from anon_spark.detect.notes.announced import ACCOUNT_NAME, DASHES, PHONE, PLATFORMS, Hit, find_announced
from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.tokens import Tokens

Check = Callable[[str], bool]


class Pattern(NamedTuple):
    """A form of text that is of kind ``label`` if ``check`` agrees and none of ``not_after`` stands before it.

    Expressions tried on every character of every note begin with a class of characters and not with a look behind: so
    they are tried twice as fast.
    """

    label: str
    regex: re.Pattern[str]
    not_after: str = ""  # characters; "w" stands for letters and digits
    certain: bool = True
    check: Check | None = None
    needs: tuple[str, ...] = ()  # the text holds one of these, or the form cannot occur


_NUMBERS = re.compile(r"\d+")


def _real_date(text: str) -> bool:
    """Whether numbers between marks can be a day, a month and a year in some order."""
    parts = [int(part) for part in _NUMBERS.findall(text)]
    if len(parts) == 2:
        month, year = parts
        return 1 <= month <= 12 and 1800 <= year <= 2300
    a, b, c = parts
    if a > 31:
        return (1800 <= a <= 2300 or a < 100) and 1 <= b <= 12 and 1 <= c <= 31
    return (1 <= a <= 12 and 1 <= b <= 31) or (1 <= a <= 31 and 1 <= b <= 12)


def _month_day(text: str) -> bool:
    a, b = (int(part) for part in _NUMBERS.findall(text))
    return (1 <= a <= 12 and 1 <= b <= 31) or (1 <= b <= 12 and 1 <= a <= 31)


def _no_day(text: str) -> bool:
    return not (
        len(text) == 8
        and text[:2] in ("19", "20", "21")
        and "01" <= text[4:6] <= "12"
        and "01" <= text[6:] <= "31"
    )


def _no_trial(text: str) -> bool:
    """No number of a public registry of trials."""
    return not re.fullmatch(r"NCT\d{8}", text)


def _mixed(text: str) -> bool:
    """Letters and at least three digits."""
    digits = sum(map(str.isdigit, text))
    return _no_trial(text) and digits >= 3 and any(map(str.isalpha, text)) and len(text) >= 6


def _real_ssn(text: str) -> bool:
    area, group, serial = (int(part) for part in _NUMBERS.findall(text))
    return area not in (0, 666) and group > 0 and serial > 0


def _luhn(text: str) -> bool:
    digits = [int(c) for c in text if c.isdigit()]
    doubled = [d if i % 2 == 0 else sum(divmod(2 * d, 10)) for i, d in enumerate(reversed(digits))]
    return 13 <= len(digits) <= 19 and sum(doubled) % 10 == 0 and len(set(digits)) > 1


def _iban(text: str) -> bool:
    compact = re.sub(r"[\s-]", "", text)
    turned = compact[4:] + compact[:4]
    return 15 <= len(compact) <= 34 and int("".join(str(int(c, 36)) for c in turned)) % 97 == 1


_VIN_VALUES = dict(
    zip("ABCDEFGHJKLMNPRSTUVWXYZ", [*range(1, 9), *range(1, 6), 7, 9, *range(2, 10)], strict=True)
)
_VIN_WEIGHTS = (8, 7, 6, 5, 4, 3, 2, 10, 0, 9, 8, 7, 6, 5, 4, 3, 2)


def _vin(text: str) -> bool:
    total = sum(
        w * (int(c) if c.isdigit() else _VIN_VALUES[c])
        for w, c in zip(_VIN_WEIGHTS, text.upper(), strict=True)
    )
    return "0123456789X"[total % 11] == text[8].upper()


def _address(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


LONG = 64  # letters of an address before its mark, and of a part of it behind: longer ones are not
ANYWHERE = (
    Pattern("EMAIL", re.compile(rf"[\w.+%'-]{{1,{LONG}}}@[\w-]+(?:\.[\w-]+)+"), needs=("@",)),
    Pattern(
        "EMAIL",
        re.compile(
            rf"[\w.+-]{{1,{LONG}}}\s?(?:\(at\)|\[at\]|\sat\s)\s?[\w-]{{1,{LONG}}}\s?(?:\(dot\)|\[dot\]|\sdot\s)\s?"
            r"(?:com|org|net|edu)\b"
        ),
        needs=("dot]", "dot)", " dot "),
    ),
    Pattern(
        "OTHER_ID",
        re.compile(rf"{ACCOUNT_NAME}(?= (?:on |via )?\(?(?:{'|'.join(PLATFORMS)})\b)", re.IGNORECASE),
        not_after="w.",
        needs=("@",),
    ),
    Pattern(
        "URL", re.compile(r"(?:https?|ftp)://[^\s<>\"')\]]*[^\s<>\"')\].,;:]", re.IGNORECASE), needs=("://",)
    ),
    Pattern(
        "URL",
        re.compile(r"www\.[\w-]+(?:\.[\w-]+)+(?:/(?:[.,;]*[^\s<>\"')\].,;])*)?", re.IGNORECASE),
        needs=("www.", "WWW."),
    ),
    Pattern(
        "URL",
        re.compile(
            rf"[a-z0-9-]{{2,{LONG}}}(?:\.[a-z0-9-]{{2,{LONG}}}){{0,9}}\.(?:com|org|net|edu|gov|info|health|io|co\.uk|de|fr)\b(?!\.?[@\w])"
            r"(?:/(?:[.,;]*[^\s<>\"')\].,;])*)?",
            re.IGNORECASE,
        ),
        not_after="w@.",
        needs=tuple(
            f".{end}"
            for low in "com org net edu gov info health io co.uk de fr".split()
            for end in (low, low.upper())
        ),
    ),
    Pattern(
        "IP",
        re.compile(r"[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}(?![\w:])"),
        "w:",
        needs=(":",),
    ),
    Pattern("IP", re.compile(r"[0-9a-fA-F:]*::[0-9a-fA-F:]*(?![\w:])"), "w:", check=_address, needs=("::",)),
    Pattern(
        "DEVICE", re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}(?![\w:-])"), "w:-", needs=(":", "-")
    ),
    Pattern("PHONE", re.compile(PHONE), "w-"),
    Pattern(
        "PHONE", re.compile(r"\([2-9]\d{2}\) ?[2-9]\d{2} - \d{4}(?!\d)"), "w", certain=False, needs=(" - ",)
    ),
    Pattern(
        "PHONE", re.compile(r"\[[2-9]\d{2}\] ?[2-9]\d{2}[ .-]\d{4}(?!\d)"), "w", certain=False, needs=("[",)
    ),
    Pattern(
        "PHONE",
        re.compile(r"\+\d{1,3}[\s.\-]?(?:\(\d{1,4}\)[\s.\-]?)?\d(?:[\s.\-]?\d){5,12}(?!\d)"),
        "w",
        needs=("+",),
    ),
    Pattern(
        "ACCOUNT",
        re.compile(r"[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b"),
        "w",
        check=_iban,
    ),
    Pattern("VEHICLE", re.compile(r"[A-HJ-NPR-Z0-9]{17}\b"), "w", check=_vin),
    Pattern("ZIP", re.compile(r"[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b"), "w-", certain=False),  # British
    Pattern("ZIP", re.compile(r"[A-Z]\d[A-Z][ -]?\d[A-Z]\d\b"), "w-", certain=False),  # Canadian
)
"""Forms that are found wherever they stand; those after a word are in :mod:`~anon_spark.detect.notes.announced`."""

MANY = 20  # digits; a longer number is taken as one of these
_CARD = Pattern("ACCOUNT", re.compile(r"\d(?:[ -]?\d){12,18}(?![\d-])"), "-", check=_luhn)
NUMBERS: tuple[tuple[range, str, Pattern], ...] = (
    (
        range(1, 4),
        ".",
        Pattern("IP", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?!\.{0,3}\d)"), ".", check=_address),
    ),
    (
        range(3, 4),
        DASHES,
        Pattern(
            "SSN",
            re.compile(rf"\d{{3}}([{DASHES}])\d{{2}}\1\d{{4}}(?![\d-]|[{DASHES}]\d)"),
            "-",
            check=_real_ssn,
        ),
    ),
    (
        range(3, 4),
        "/",
        Pattern("PHONE", re.compile(r"[2-9]\d{2}/[2-9]\d{2}/\d{4}(?![\d/])"), "/", certain=False),
    ),
    (range(3, 4), "-.", Pattern("PHONE", re.compile(r"\d{3}[-.]\d{4}(?![\d-])"), "./-", certain=False)),
    (range(1, 13), " -", _CARD),
    (range(13, MANY), "", _CARD),
    (
        range(7, MANY + 1),
        "",
        Pattern("OTHER_ID", re.compile(r"\d{7,}(?!\w|[.,/]\d)"), ".,/+-", check=_no_day),
    ),
    (
        range(2, 5),
        "-",
        Pattern(
            "OTHER_ID", re.compile(r"\d+-\d{2,5}-\d{2,7}(?:-\d{1,7})?(?![\w-]|/\d)"), "./-", certain=False
        ),
    ),
    (range(5, 6), "-", Pattern("ZIP", re.compile(r"\d{5}-\d{4}(?![\d-])"), "-")),
    (range(5, 6), "", Pattern("ZIP", re.compile(r"\d{5}(?![,-]|\.\d)"), ".,-", certain=False)),
    (
        range(1, 3),
        "/-.",
        Pattern(
            "DATE",
            re.compile(r"\d+(?:([/\-.])\d{1,2}\1(?:\d{4}|\d{2})|[/\-](?:1[89]|2[0-3])\d{2})(?![\d/\-]|\.\d)"),
            "/.-",
            check=_real_date,
        ),
    ),
    (
        range(4, 5),
        "/-.",
        Pattern(
            "DATE",
            re.compile(r"\d+([/\-.])\d{1,2}\1\d{1,2}(?![\d/\-]|\.\d)"),
            "/.-",
            check=_real_date,
        ),
    ),
    (
        range(1, 3),
        "/",
        Pattern("DATE", re.compile(r"\d+/\d{1,2}(?![\d/]|\.\d)"), "/.-", certain=False, check=_month_day),
    ),
    (
        range(4, 5),
        "",
        Pattern(
            "DATE",
            re.compile(r"(?:19\d\d|20[0-4]\d|21\d\d)(?![/.]{0,3}\d|\s?(?:mg|ml|cc|kcal|units?)\b)"),
            "/.-",
            certain=False,
        ),
    ),
    (
        range(8, 9),
        "",
        Pattern(
            "DATE",
            re.compile(r"(?:19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])"),
            certain=False,
        ),
    ),
)
"""Forms that begin with a number no letter stands before: its digits, the marks one of which follows it, the form."""

CODES = (
    Pattern("OTHER_ID", re.compile(r"[A-Z]{1,5}-?\d{5,}[A-Z]?(?![\w-]|\.\d)"), ".-", check=_no_trial),
    Pattern("OTHER_ID", re.compile(r"[A-Z\d]{1,6}(?:-[A-Z\d]{2,8}){2,4}(?![\w-])"), "./-", check=_mixed),
    Pattern("OTHER_ID", re.compile(r"[A-Z\d][A-Z\d-]{5,}(?![\w-])"), ".-", certain=False, check=_mixed),
)
"""Forms that begin with a row of capitals, digits and dashes no letter stands before: written like a number of something."""

_CODE = re.compile(r"[A-Z\d][A-Z\d-]{5,}")
_MARKS = frozenset("".join(marks for _, marks, _ in NUMBERS))
_BY_NUMBER = {
    (size, mark): tuple(p for sizes, marks, p in NUMBERS if size in sizes and (not marks or mark in marks))
    for size in range(1, MANY + 1)
    for mark in ("", *_MARKS)
}


def find_patterns(text: str, tokens: Tokens) -> list[Hit]:
    """Every hit of every pattern, unordered; hits of different patterns may overlap."""
    found = find_announced(text, tokens)
    for pattern in ANYWHERE:
        if not pattern.needs or any(word in text for word in pattern.needs):
            for match in pattern.regex.finditer(text):
                found += _checked(text, pattern, match)
    for start, end, word in zip(*tokens, strict=True):
        if word.isdigit():
            mark = text[end : end + 1]
            tried = _BY_NUMBER[min(end - start, MANY), mark if mark in _MARKS else ""]
            found += _begun(text, start, tried)
    for match in _CODE.finditer(text):
        if not match.group().isalpha():
            found += _begun(text, match.start(), CODES)
    return found


def _begun(text: str, start: int, patterns: Iterable[Pattern]) -> Iterator[Hit]:
    """Hits of ``patterns`` that begin at ``start``, if no letter or digit stands before it."""
    if not (start and _follows(text[start - 1], "w")):
        for pattern in patterns:
            if match := pattern.regex.match(text, start):
                yield from _checked(text, pattern, match)


OPENING, CLOSING = "([", ")]"


def _checked(text: str, pattern: Pattern, match: re.Match[str]) -> Iterator[Hit]:
    start, end = match.span()
    if match.group()[0] in OPENING and not any(c in CLOSING for c in match.group()):
        start += 1  # "(617-555-0199)": the bracket is the sentence's
    follows = pattern.not_after and start and _follows(text[start - 1], pattern.not_after)
    if not follows and (pattern.check is None or pattern.check(match.group())):
        yield Hit(Span(start, end, pattern.label), pattern.certain)


def _follows(before: str, not_after: str) -> bool:
    return before in not_after or (not_after[0] == "w" and (before.isalnum() or before == "_"))
