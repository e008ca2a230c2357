"""Checked patterns: what its form alone gives away, and forms that need the words around them.

A *certain* hit is personal wherever it stands; an uncertain one (``3/4``, five digits) is a hint to the model only.
Sources: social security numbers as issued, 20 CFR 422.103; payment cards' check digit, ISO/IEC 7812-1 (Luhn);
account numbers' check digits, ISO 13616 (IBAN); vehicle numbers, 49 CFR 565.
"""

import re
from collections.abc import Callable
from ipaddress import ip_address
from typing import NamedTuple

from anon_spark.detect.notes.announced import PHONE, Hit, find_announced
from anon_spark.detect.notes.spans import Span
from anon_spark.detect.notes.tokens import Tokens

Check = Callable[[str], bool]


class Pattern(NamedTuple):
    """A form of text that is of kind ``label`` if ``check`` agrees and none of ``not_after`` stands before it.

    Expressions begin with a class of characters and not with a look behind: they are tried on every character of every
    note, and so they are tried twice as fast.
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


def _ten_digits(text: str) -> bool:
    """Telephone numbers of North America: area codes and exchanges begin with 2 to 9; one long row has no mark."""
    return len(_NUMBERS.findall(text)) > 1


def _no_day(text: str) -> bool:
    return not (
        len(text) == 8
        and text[:2] in ("19", "20", "21")
        and "01" <= text[4:6] <= "12"
        and "01" <= text[6:] <= "31"
    )


def _mixed(text: str) -> bool:
    """Letters and at least three digits."""
    digits = sum(map(str.isdigit, text))
    return digits >= 3 and any(map(str.isalpha, text)) and len(text) >= 6


def _real_ssn(text: str) -> bool:
    area, group, serial = (int(part) for part in _NUMBERS.findall(text))
    return area not in (0, 666) and area < 900 and group > 0 and serial > 0


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


PATTERNS = (
    Pattern("EMAIL", re.compile(r"[\w.+%'-]+@[\w-]+(?:\.[\w-]+)+"), needs=("@",)),
    Pattern(
        "EMAIL",
        re.compile(
            r"[\w.+-]+\s?(?:\(at\)|\[at\]|\sat\s)\s?[\w-]+\s?(?:\(dot\)|\[dot\]|\sdot\s)\s?(?:com|org|net|edu)\b"
        ),
        needs=("dot]", "dot)", " dot "),
    ),
    Pattern(
        "URL", re.compile(r"(?:https?|ftp)://[^\s<>\"')\]]*[^\s<>\"')\].,;:]", re.IGNORECASE), needs=("://",)
    ),
    Pattern(
        "URL",
        re.compile(r"www\.[\w-]+(?:\.[\w-]+)+(?:/[^\s<>\"')\].,;]*)?", re.IGNORECASE),
        needs=("www.", "WWW."),
    ),
    Pattern(
        "URL",
        re.compile(
            r"[a-z0-9-]{2,}(?:\.[a-z0-9-]{2,})*\.(?:com|org|net|edu|gov|info|health|io|co\.uk|de|fr)\b(?!\.?[@\w])"
            r"(?:/[^\s<>\"')\].,;]*)?",
            re.IGNORECASE,
        ),
        not_after="w@.",
        needs=tuple(
            f".{end}"
            for low in "com org net edu gov info health io co.uk de fr".split()
            for end in (low, low.upper())
        ),
    ),
    Pattern("IP", re.compile(r"\d{1,3}(?:\.\d{1,3}){3}(?![\d.]*\d)"), "w.", check=_address),
    Pattern(
        "IP",
        re.compile(r"[0-9a-fA-F]{1,4}(?::[0-9a-fA-F]{1,4}){7}(?![\w:])"),
        "w:",
        check=_address,
        needs=(":",),
    ),
    Pattern("IP", re.compile(r"[0-9a-fA-F:]*::[0-9a-fA-F:]*(?![\w:])"), "w:", check=_address, needs=("::",)),
    Pattern(
        "DEVICE", re.compile(r"[0-9a-fA-F]{2}(?:[:-][0-9a-fA-F]{2}){5}(?![\w:-])"), "w:-", needs=(":", "-")
    ),
    Pattern("SSN", re.compile(r"\d{3}-\d{2}-\d{4}(?![\d-])"), "w-", check=_real_ssn, needs=("-",)),
    Pattern("PHONE", re.compile(PHONE), "w-", check=_ten_digits),
    Pattern(
        "PHONE",
        re.compile(r"\+\d{1,3}[\s.\-]?(?:\(\d{1,4}\)[\s.\-]?)?\d(?:[\s.\-]?\d){5,12}(?!\d)"),
        "w",
        needs=("+",),
    ),
    Pattern("PHONE", re.compile(r"\d{3}[\-.]\d{4}(?![\d-])"), "w./-", certain=False),
    Pattern("ACCOUNT", re.compile(r"\d(?:[ -]?\d){12,18}(?![\d-])"), "w-", check=_luhn),
    Pattern(
        "ACCOUNT",
        re.compile(r"[A-Z]{2}\d{2}(?:[ -]?[A-Z0-9]{4}){2,7}(?:[ -]?[A-Z0-9]{1,3})?\b"),
        "w",
        check=_iban,
    ),
    Pattern("VEHICLE", re.compile(r"[A-HJ-NPR-Z0-9]{17}\b"), "w", check=_vin),
    # What is written like a number of something: long rows of digits, letters and digits mixed, groups between dashes.
    Pattern("OTHER_ID", re.compile(r"\d{7,}(?!\w|[.,/]\d)"), "w.,/+-", check=_no_day),
    Pattern("OTHER_ID", re.compile(r"[A-Z]{1,5}-?\d{5,}[A-Z]?(?![\w-]|\.\d)"), "w.-"),
    Pattern(
        "OTHER_ID",
        re.compile(r"[A-Z\d]{1,6}(?:-[A-Z\d]{2,8}){2,4}(?![\w-])"),
        "w./-",
        check=_mixed,
        needs=("-",),
    ),
    Pattern(
        "OTHER_ID",
        re.compile(r"\d{2,4}-\d{2,5}-\d{2,7}(?:-\d{1,7})?(?![\w-]|/\d)"),
        "w./-",
        certain=False,
        needs=("-",),
    ),
    Pattern("OTHER_ID", re.compile(r"[A-Z\d][A-Z\d-]{5,}(?![\w-])"), "w.-", certain=False, check=_mixed),
    Pattern("ZIP", re.compile(r"\d{5}-\d{4}(?![\d-])"), "w-", needs=("-",)),
    Pattern("ZIP", re.compile(r"\d{5}(?![\d,-]|\.\d)"), "w.,-", certain=False),
    Pattern(
        "DATE",
        re.compile(
            r"\d{1,2}(?:([/\-.])\d{1,2}\1(?:\d{4}|\d{2})|[/\-](?:1[89]|2[0-3])\d{2})(?![\d/\-]|\.\d)"
            r"|\d{4}([/\-.])\d{1,2}\2\d{1,2}(?![\d/\-]|\.\d)"
        ),
        "w/.-",
        check=_real_date,
    ),
    Pattern(
        "DATE",
        re.compile(r"\d{1,2}/\d{1,2}(?![\d/]|\.\d)"),
        "w/.-",
        certain=False,
        check=_month_day,
        needs=("/",),
    ),
    Pattern(
        "DATE",
        re.compile(r"(?:19\d\d|20[0-4]\d|21\d\d)(?![\d/.]*\d|\s?(?:mg|ml|cc|kcal|units?)\b)"),
        "w/.-",
        certain=False,
    ),
    Pattern(
        "DATE",
        re.compile(r"(?:19|20|21)\d{2}(?:0[1-9]|1[0-2])(?:0[1-9]|[12]\d|3[01])(?!\d)"),
        "w",
        certain=False,
    ),
)
"""Forms that are found wherever they stand; those after a word are in :mod:`~anon_spark.detect.notes.announced`."""


def find_patterns(text: str, tokens: Tokens) -> list[Hit]:
    """Every hit of every pattern, unordered; hits of different patterns may overlap."""
    found = find_announced(text, tokens)
    for label, regex, not_after, certain, check, needs in PATTERNS:
        if needs and not any(word in text for word in needs):
            continue
        for match in regex.finditer(text):
            start, end = match.span()
            if not_after and start and _follows(text[start - 1], not_after):
                continue
            if check is None or check(match.group()):
                found.append(Hit(Span(start, end, label), certain))
    return found


def _follows(before: str, not_after: str) -> bool:
    return before in not_after or (not_after[0] == "w" and (before.isalnum() or before == "_"))
