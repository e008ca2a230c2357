"""Put something else where personal text was found: a tag, a mask, nothing, or a surrogate of the same form.

A surrogate is drawn by a keyed hash of what it stands for, so a name becomes the same name in every note of a person
(or of everybody, where the notes are not said to be somebody's), and nobody without the key can tell which it was.
"""

import dataclasses
import hashlib
import hmac
import random
import re
from collections.abc import Callable, Container, Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from importlib import import_module
from typing import NamedTuple

import numpy as np
from faker.providers.address.en_AU import Provider as AustralianPlaces
from faker.providers.address.en_CA import Provider as CanadianPlaces
from faker.providers.address.en_US import Provider as Places
from faker.providers.person.en_US import Provider
from numpy.typing import NDArray

from anon_spark.detect.notes.labels import HINTS, YOUNGER_AGE
from anon_spark.detect.notes.lexicon import ANNOUNCING, lexicon
from anon_spark.detect.notes.spans import Span

TREATMENTS = ("tag", "mask", "remove", "surrogate")
MASK = "*"
OLDEST = 90
TRIES = 20  # draws until a surrogate is neither what it stands for nor to be avoided; then a tag


@dataclass(frozen=True, kw_only=True)
class Replacing:
    """How to replace.

    ``days``: the person's own offset; without one, surrogates of dates are tags. ``avoid``: what no surrogate may be:
    real people's names and numbers.
    """

    treatment: str = "tag"
    key: bytes = b""
    person: str = ""
    days: int | None = None
    hints: bool = True  # religions and younger ages are replaced too
    avoid: Container[str] = frozenset()
    attempt: int = 0  # how many surrogates before were not to be had
    year: int = 2000  # of dates that say none
    day_first: bool = False  # in dates of numbers, where both could be the day


def bare(words: str) -> str:
    """Letters and digits alone, the letters small.

    >>> bare("MRN 990-017"), bare("O'Brien, Ann")
    ('mrn990017', 'obrienann')
    """
    return "".join(re.findall(r"[^\W_]+", words.lower()))


class Real(Container[str]):
    """Real people's names and numbers, by their hashes alone: in any order of words, case and marks."""

    def __init__(self, hashes: NDArray[np.int64]) -> None:
        """
        Args:
            hashes: of each name or number, by :meth:`hashed`, in any order.
        """
        self._hashes = np.unique(hashes)

    @staticmethod
    def hashed(words: str) -> list[int]:
        """Numbers for the words as they stand, and in the order of the alphabet."""
        parts = re.findall(r"[^\W_]+", words.lower())
        digests = (hashlib.sha256("".join(order).encode()).hexdigest() for order in (parts, sorted(parts)))
        return [int(digest[:HEX_DIGITS], 16) for digest in digests]

    def __contains__(self, words: object) -> bool:
        numbers = np.array(self.hashed(str(words)))
        begin, end = (np.searchsorted(self._hashes, numbers, side) for side in ("left", "right"))
        return bool((begin < end).any())


HEX_DIGITS = 15  # of a hash: as many as a whole number of Spark's holds


def replace(text: str, spans: Sequence[Span], how: Replacing) -> str:
    """``text`` with every span replaced; spans are in order and apart.

    Where dates move, so do the names of weekdays. The year of birth of somebody over 89 becomes a tag: a year so long
    before the latest of its text.
    """
    days = how.days if how.treatment == "surrogate" else None
    latest = _latest_year(text, spans) if days is not None else 0
    too_old = latest - OLDEST
    if days is not None:
        how = dataclasses.replace(how, year=latest or how.year, day_first=_says_days_first(text, spans))
    parts, at, last = [], 0, ""
    for span in spans:
        if span.label in HINTS and not how.hints:
            continue
        between = text[at : span.start]
        parts.append(between if days is None else _weekdays(between, days, last, span.label))
        born = 0 < _year(text, span) <= too_old
        parts.append(f"[{span.label}]" if born else _instead(text[span.start : span.end], span.label, how))
        at, last = span.end, span.label
    rest = text[at:]
    return "".join(parts) + (rest if days is None else _weekdays(rest, days, last, ""))


_FULL_YEAR = re.compile(r"(?<!\d)(?:1[89]|2[0-3])\d{2}(?!\d)")


def _year(text: str, span: Span) -> int:
    """The year that a date says in full; 0 for none."""
    found = _FULL_YEAR.search(text, span.start, span.end) if span.label == "DATE" else None
    return int(found.group()) if found else 0


def _latest_year(text: str, spans: Iterable[Span]) -> int:
    """Of all dates, but for a lone number later than those said in full: a time (``2200``) is taken for a year."""
    years = [(s.end - s.start > len("2200"), _year(text, s)) for s in spans if s.label == "DATE"]
    said = max((year for more, year in years if more), default=0)
    return max((year for more, year in years if more or not said or year < max(said + 1, 2040)), default=0)


_DAY_AND_MONTH = re.compile(r"(?<![\d/.-])(\d{1,2})([/.-])(\d{1,2})\2(?:\d{4}|\d{2})(?!\d)")


def _says_days_first(text: str, spans: Sequence[Span]) -> bool:
    """Whether a date of the text can only be read with the day first, and none only with the month."""
    dates = [_DAY_AND_MONTH.search(text, s.start, s.end) for s in spans if s.label == "DATE"]
    read = [(int(date[1]), int(date[3])) for date in dates if date]
    return any(a > 12 >= b for a, b in read) and not any(b > 12 >= a for a, b in read)


_DAYS = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"]
_DAY_NAME = re.compile(r"\b(?:mon|tues|wednes|thurs|fri|satur|sun)day(?=s?\b)", re.IGNORECASE)
_SHORT_DAY = r"\b(?:mon|tues?|weds?|thurs?|thu|fri|sat|sun)\b"
_BEFORE_DATE = re.compile(rf"{_SHORT_DAY}(?=\.?,?\s*(?:the\s)?$)", re.IGNORECASE)
_BEHIND_DATE = re.compile(rf"(?<=^\s)\(?{_SHORT_DAY}|(?<=^\s\(){_SHORT_DAY}", re.IGNORECASE)


def _weekdays(words: str, days: int, before: str, behind: str) -> str:
    """Weekdays between two spans moved as dates are; abbreviations (``Sun``, ``sat``) beside a date alone."""

    def moved(match: re.Match[str]) -> str:
        word = match.group()
        day = next(n for n, name in enumerate(_DAYS) if name.startswith(word.lower().lstrip("(")[:3]))
        name = _DAYS[(day + days) % 7]
        name = name if word.lower().endswith("day") else name[:3]
        return "(" * word.startswith("(") + _cased(name, word.lstrip("("))

    words = _DAY_NAME.sub(moved, words)
    if behind == "DATE":
        words = _BEFORE_DATE.sub(moved, words)
    return _BEHIND_DATE.sub(moved, words) if before == "DATE" else words


def _instead(words: str, label: str, how: Replacing) -> str:
    if how.treatment == "remove":
        return ""
    if how.treatment == "mask":
        return re.sub(r"\w", MASK, words)
    if how.treatment == "tag":
        return f"[{label}]"
    make = _SURROGATES.get(label, _code)
    for attempt in range(TRIES):
        trying = dataclasses.replace(how, attempt=attempt)
        made = make(words, _draw(words, label, trying), trying)
        if label in _KEPT or (bare(made) != bare(words) and made not in how.avoid):
            return made
    return f"[{label}]"


def _draw(words: str, label: str, how: Replacing) -> random.Random:
    """Random choices that follow from the key, the person and the words, whatever their case, spaces and marks.

    Marks tell one address on the net from another.
    """
    told = "" if label in _ON_THE_NET else bare(words)
    same = f"{how.person}\0{label}\0{told or ' '.join(words.lower().split())}" + "\0" * how.attempt
    return random.Random(hmac.new(how.key, same.encode(), "sha256").digest())  # noqa: S311  seeded by the keyed hash


@cache
def _names(letters: str) -> tuple[str, ...]:
    return tuple(
        sorted(
            w
            for w, flags in lexicon().items()
            if set(letters) & set(flags) and "m" not in flags and len(w) > 2 and w.isascii()
        )
    )


@cache
def _firsts(man: bool) -> tuple[str, ...]:
    return tuple(sorted(Provider.first_names_male if man else Provider.first_names_female))


_PARTICLES = re.compile("van|von|der|den|de|del|della|di|da|dos|das|la|le|du|bin|ibn|al|el|ter|ten")
_BEHIND_NAMES = {"Jr", "Sr", "JR", "SR", "II", "III", "IV"}
_PART_OF_NAME = re.compile(r"[^\W\d_]+")


def _name(words: str, _whole: random.Random, how: Replacing) -> str:
    """Each part of a name becomes another of its kind, a first name of the same gender, in the case it was written.

    Beside capitals, particles (``van der``) and what stands behind a name (``Jr``, ``III``) stay.
    """
    capitals = any(part[0].isupper() for part in _PART_OF_NAME.findall(words))

    def other(match: re.Match[str]) -> str:
        part = match.group()
        particle = capitals and _PARTICLES.fullmatch(part) and match.end() < len(words)
        if particle or (part in _BEHIND_NAMES and match.start() > 0):
            return part
        initial = _draw(part[0], "initial", how).choice("ABCDEFGHJKLMNPRSTW")
        if len(part) == 1:
            return initial
        own, pool = _draw(part, "part", how), _beginning(_pool(part), initial.lower())
        return _cased(_other_than(part, own, pool), part)

    return _PART_OF_NAME.sub(other, words)


def _other_than(part: str, draw: random.Random, pool: Sequence[str]) -> str:
    drawn = (draw.choice(pool) for _ in range(TRIES))
    return next((name for name in drawn if bare(name) != bare(part)), "X")


NAMED_LIKE = (
    "en_US", "en_GB", "en_NZ", "es_ES", "es_MX", "pt_BR", "pt_PT", "fr_FR", "it_IT", "de_DE", "de_AT", "nl_NL", "sv_SE",
    "da_DK", "no_NO", "fi_FI", "pl_PL", "cs_CZ", "hu_HU", "ro_RO", "hr_HR", "tr_TR", "ga_IE",
)  # fmt: skip
"""Faker's locales whose first names tell a gender; the earlier one is believed."""


@cache
def _gendered() -> dict[str, bool]:
    """Whether a man bears a first name, in small letters; names of both are left out."""
    genders: dict[str, bool] = {}
    for locale in NAMED_LIKE:
        provider = import_module(f"faker.providers.person.{locale}").Provider
        men, women = (
            {name.lower() for name in getattr(provider, f"first_names_{kind}", ())}
            for kind in ("male", "female")
        )
        for name in men ^ women:
            genders.setdefault(name, name in men)
    return genders


@cache
def _beginning(pool: tuple[str, ...], letter: str) -> tuple[str, ...]:
    """Names that begin with a letter, so that initials are those of the surrogate; all where none does."""
    return tuple(name for name in pool if name[:1].lower() == letter) or pool


def _pool(part: str) -> tuple[str, ...]:
    man, lists = _gendered().get(part.lower()), lexicon().get(part.lower(), "")
    if man is not None:
        return _firsts(man)
    first = "S" not in lists and ("F" in lists or ("f" in lists and "s" not in lists))
    return (*_firsts(True), *_firsts(False)) if first else _names("S")


def _cased(chosen: str, like: str) -> str:
    return chosen.upper() if like.isupper() else chosen.lower() if like.islower() else chosen.capitalize()


def _code(words: str, draw: random.Random, _how: Replacing) -> str:
    """A digit or letter drawn for every one, in the case it was written; marks and lengths stay.

    Any may be drawn, its own too: were it left out, the surrogates of many people would tell what they have in common.
    """
    return "".join(_character(c, draw) for c in words)


def _character(c: str, draw: random.Random) -> str:
    if c.isdigit():
        return str(draw.randrange(10))
    letter = draw.choice("ABCDEFGHJKLMNPRSTUVWXYZ") if c.isalpha() else c
    return letter.lower() if c.islower() else letter


def _telephone(words: str, draw: random.Random, how: Replacing) -> str:
    """As :func:`_code`; what announces an extension stays."""
    parts = re.split(r"(?i)(\b(?:ext|extension|x)(?![^\W\d_]))", words)
    return "".join(part if n % 2 else _code(part, draw, how) for n, part in enumerate(parts))


_INSTITUTION = re.compile(
    r"\b(?:medical center|health center|hospital|clinic|rehab|hospice|center|inc|llc|corp|company)\b",
    re.IGNORECASE,
)
_STREET = re.compile(
    r"(?<=[^\W\d_]\s)(?:street|st|avenue|ave|road|rd|drive|dr|lane|ln|boulevard|blvd|court|ct|way|place|highway)\b",
    re.IGNORECASE,
)
_UNIT = re.compile(
    r"(?:\b(?:apt|apartment|suite|ste|unit|flat|floor|room|rm|box)\b\.?|#)\s*#?\s*[\w-]*\d[\w-]*",
    re.IGNORECASE,
)
_UNIT_WORD = re.compile(r"[^\W\d_]{2,}\.?|#|\s")


def _town(words: str, draw: random.Random) -> str:
    """A town that exists, in the case ``words`` are written in."""
    return _cased_all(draw.choice(_names("c")), words)


def _cased_all(chosen: str, like: str) -> str:
    return _cased(chosen, like if like.isupper() or like.islower() else "Aa")


def _place(words: str, _draw_of_all: random.Random, how: Replacing) -> str:
    """A town for a town, and another state or country for one; each by itself where a town and its state are said."""

    parts = _WITHIN.split(words)

    def other(n: int) -> str:
        part = parts[n]
        draw, small = _draw(part, "LOCATION", how), part.lower()
        if small in _STATES and (part.isupper() or "," in "".join(parts[n - 1 : n])):
            return _cased(_other_than(part, draw, sorted(_STATES)), part)
        of_state = "".join(parts[n + 2 : n + 3]).lower()
        town = of_state in _STATES or of_state in _wide_places()[0]
        wide = "canada" if small in _SHORT_COUNTRIES else small
        alike = [] if town else [names for names in _wide_places() if wide in names]
        chosen = _other_than(part, draw, sorted(alike[0].values()) if alike else _names("c"))
        if part.islower() or (part.isupper() and small not in _SHORT_COUNTRIES):
            return _cased(chosen, part)
        return chosen.capitalize() if chosen.islower() else chosen

    return "".join(part if n % 2 else other(n) for n, part in enumerate(parts))


_WITHIN = re.compile(r"(\s?,\s{1,3}(?=\w)|(?<=\w) (?=[A-Z]{2}$))")
_STATES = frozenset(word for word in ANNOUNCING["state"].split() if len(word) == 2) - {"pr", "uk"}
_SHORT_COUNTRIES = ("usa", "us", "uk", "u.s.", "u.s.a.", "u.k.")
_NATIONS = (
    "England", "Scotland", "Wales", "Northern Ireland", "Great Britain", "Russia", "Vietnam", "South Korea", "Iran",
    "Syria", "Puerto Rico",
)  # fmt: skip


@cache
def _wide_places() -> tuple[dict[str, str], ...]:
    """By their names in small letters: the United States, Canada's and Australia's provinces, and countries."""
    kinds = (
        [*Places.states],
        [*CanadianPlaces.provinces],
        [*AustralianPlaces.states],
        [*Places.countries, *_NATIONS],
    )
    plain = [[name for name in names if re.fullmatch(r"[A-Za-z ]+", name)] for names in kinds]
    return tuple({name.lower(): name for name in names} for names in plain)


def _hospital(words: str, draw: random.Random, _how: Replacing) -> str:
    return _institution(words, draw, "Hospital")


def _company(words: str, draw: random.Random, _how: Replacing) -> str:
    return _institution(words, draw, "Company")


def _institution(words: str, draw: random.Random, kind: str) -> str:
    """A town's, and of the old words only the last that says what kind it is."""
    kinds = _INSTITUTION.findall(words)
    return f"{_town(words, draw)} {kinds[-1] if kinds else _cased_all(kind, words)}"


def _address(words: str, draw: random.Random, _how: Replacing) -> str:
    """Another number, a town's name, and of the old words only the kind of street and of unit."""
    number = re.match(r"\d+(?=\s)", words)
    kinds, unit = _STREET.findall(words), _UNIT.search(words)
    digits = "".join(_character(c, draw) for c in number.group()) if number else ""
    parts = [draw.choice("123456789") + digits[1:]] if digits else []
    parts += [_town(words, draw), *kinds[-1:]]
    if unit:
        kept = _UNIT_WORD.match(unit.group())
        begin = kept.end() if kept else 0
        parts.append(unit.group()[:begin] + "".join(_character(c, draw) for c in unit.group()[begin:]))
    return " ".join(parts)


def _electronic(words: str, draw: random.Random, _how: Replacing) -> str:
    """An address at a domain that nobody can own (RFC 2606)."""
    token = "".join(draw.choice("abcdefghijkmnopqrstuvwxyz") for _ in range(8))
    return f"{token}@example.org" if "@" in words else f"www.example.org/{token}"


def _internet(_words: str, draw: random.Random, _how: Replacing) -> str:
    return f"192.0.2.{draw.randint(1, 254)}"  # documentation's own, RFC 5737


def _age(words: str, _draw: random.Random, _how: Replacing) -> str:
    if words.lower() == "nineties":
        return f"{OLDEST}s"
    return re.sub(r"\d+", f"{OLDEST}", words, count=1) if re.search(r"\d", words) else f"over {OLDEST - 1}"


def _younger(words: str, _draw: random.Random, _how: Replacing) -> str:
    """A band of ten years."""
    number = re.search(r"\d+", words)
    if not number:
        return f"[{YOUNGER_AGE}]"
    low = int(number.group()) // 10 * 10
    return words[: number.start()] + f"{low}-{low + 9}" + words[number.end() :]


def _date(words: str, _draw: random.Random, how: Replacing) -> str:
    """The day moved by the person's offset in the form it was written; one that cannot be read becomes a tag."""
    if how.days is None:
        return "[DATE]"
    return shift_date(words, how.days, near=how.year, day_first=how.day_first) or "[DATE]"


_MONTHS = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
]
_WORD = re.compile(r"[A-Za-z]{3,}")
_OF_DATES = frozenset(["the", "of", "day", "in", "on", "st", "nd", "rd", "th"])


def shift_date(words: str, days: int, *, near: int = 2000, day_first: bool = False) -> str | None:
    """Move a written date, or the two days of a stretch; null where it has no reading. A date without a year is moved
    as if it were of ``near``.

    Where two numbers could be the day, it is the second, or with ``day_first`` the first. A month without a day is
    moved as if it were its 15th. Words that are no part of a plain date (``Easter``, ``spring``, ``Q3``, a weekday) say
    more than the numbers do: such a date has no reading. Two days have one where each says its month.

    >>> [shift_date(words, 7) for words in ("03-Apr-2101", "the 28th of April", "12/28/05", "3/4", "2/27-3/4/09")]
    ['10-Apr-2101', 'the 5th of May', '01/04/06', '3/11', '3/6-3/11/09']
    """
    day = _read(words, day_first=day_first)
    return _moved(words, day, days, near) if day else _moved_stretch(words, days, near, day_first=day_first)


class _Day(NamedTuple):
    """A written date as it is read: of its numbers where they stand, and which is the year, the month and the day."""

    numbers: list[tuple[int, int]]
    year: int | None
    month: int | None
    day: int | None
    month_word: tuple[int, int] | None
    said: dict[str, int]  # year in full, month and day by number, where they are said


def _month_number(word: str) -> int:
    """1 to 12 for a month's name or its beginning of three letters or more; 0 for another word (``sepsis``)."""
    return next((n for n, name in enumerate(_MONTHS, 1) if name.startswith(word.lower())), 0)


_HEIGHT = re.compile(r"\d['\u2019]\d")  # 6'2


def _read(words: str, *, day_first: bool) -> _Day | None:
    month_word = next((m for m in _WORD.finditer(words) if _month_number(m.group())), None)
    said = {
        m.group().lower()
        for m in re.finditer(r"[^\W\d_]+", words)
        if m.span() != (month_word and month_word.span())
    }
    if not said <= _OF_DATES or _HEIGHT.search(words):
        return None
    numbers = [(m.start(), m.end()) for m in re.finditer(r"\d+", words)]
    if len(numbers) > 4 or any(end - begin > 4 for begin, end in numbers):
        return None
    short = [
        i for i, (begin, _) in enumerate(numbers) if words[begin - 1 : begin] in ("'", "\u2019") and begin
    ]
    if _says_two_days(words, numbers, short, month_word.span() if month_word else None):
        return None
    values = [words[a:b] for a, b in numbers]
    parts = _roles(values, month_word is not None, short, day_first=day_first)
    if parts is None:
        return None
    number = {role: int(values[i]) for role, i in zip("ymd", parts, strict=True) if i is not None}
    if month_word:
        number["m"] = _month_number(month_word.group())
    year = parts[0]
    if year is not None and len(values[year]) != 4:
        number["y"] += 2000 if number["y"] < 50 else 1900
    return _Day(numbers, *parts, month_word.span() if month_word else None, number)


_BY_WORD = rf"(?:{'|'.join(ANNOUNCING['month'].split())})\.?"
_WRITTEN = (
    r"\d{1,2}/\d{1,2}(?:/(?:\d{4}|\d{2}))?",
    r"\d{4}-\d{1,2}-\d{1,2}",
    r"\d{1,2}-\d{1,2}-\d{4}",
    r"\d{1,2}\.\d{1,2}\.\d{4}",
    rf"{_BY_WORD} ?\d{{1,2}}(?:st|nd|rd|th)?(?:,? \d{{4}})?",
    rf"\d{{1,2}}(?:st|nd|rd|th)? (?:of )?{_BY_WORD}(?:,? \d{{4}})?",
)
_FROM_TO = r"\s{0,3}(?:->|--?|[\u2012-\u2014])\s{0,3}|\s{1,3}(?:to|thru|through|until|till)\s{1,3}"
_TWO = r"\s{1,3}and\s{1,3}|\s{0,3}[&,+;]\s{0,3}|\.\s{1,3}"
_STRETCHES = [re.compile(rf"({day})(?:({_FROM_TO})|({_TWO}))({day})", re.IGNORECASE) for day in _WRITTEN]


def _moved_stretch(words: str, days: int, near: int, *, day_first: bool) -> str | None:
    """Two days of one form moved, each of which says its month; over New Year the first is of the year before.

    Both are read in one order. ``2/10-12/05`` may be three days of one month and ``9/04-3/05`` half a year, and so have
    no reading.
    """
    match = next(filter(None, (form.fullmatch(words) for form in _STRETCHES)), None)
    if not match:
        return None
    begun, *between, ended = match.groups()
    if "/" in begun:
        (a, b, *year), (c, d, *_) = (part.split("/") for part in (begun, ended))
        orders = [order for order, months in ((False, (a, c)), (True, (b, d))) if max(map(int, months)) <= 12]
        years = not year and ended.count("/") == 1 and "0" in (b[0], d[0]) and "0" not in (a[0], c[0])
        one_month = years or (len(d) == 2 and int(b) < int(c) and not year and ended.count("/") == 1)
        if not orders or one_month:
            return None
        day_first = day_first if day_first in orders else orders[0]
    first, last = (_read(part, day_first=day_first) for part in (begun, ended))
    if not (first and last and {"m", "d"} <= first.said.keys() & last.said.keys()):
        return None
    later = bool(between[0]) and (first.said["m"], first.said["d"]) > (last.said["m"], last.said["d"])
    year_of_last = last.said.get("y", first.said["y"] + later if "y" in first.said else near)
    moved = [
        _moved(part, day, days, of, like=words)
        for part, day, of in ((begun, first, year_of_last - later), (ended, last, year_of_last))
    ]
    return f"{moved[0]}{between[0] or between[1]}{moved[1]}" if all(moved) else None


def _moved(words: str, day: _Day, days: int, near: int, *, like: str = "") -> str | None:
    """``words`` with the day moved, in the form of ``like``, of which they are a part."""
    numbers, year, month, day_of, month_word, number = day
    values, like = [words[a:b] for a, b in numbers], like or words
    try:
        moved = date(
            number.get("y", near), number.get("m", 7), number.get("d", 15 if "m" in number else 2)
        ) + timedelta(days)
    except (ValueError, OverflowError):
        return None
    padded = month_word is None and not _ONE_DIGIT.search(like)
    new = {
        i: _as(getattr(moved, name), values[i], padded=padded)
        for i, name in ((year, "year"), (month, "month"), (day_of, "day"))
        if i is not None
    }
    out, at = "", 0
    edits: list[tuple[int, int, str]] = [(*numbers[i], text) for i, text in new.items()]
    if month_word:
        edits.append((*month_word, _month(moved.month, words[slice(*month_word)], like)))
    for begin, end, text in sorted(edits):
        out += words[at:begin] + text
        at = end
    out += words[at:]
    return _ordinals(out)


def _says_two_days(
    words: str, numbers: Sequence[tuple[int, int]], short: Sequence[int], month: tuple[int, int] | None
) -> bool:
    """Whether a number is neither of the day and the month nor plainly the year: ``Mar 5-9``, ``2/10-14``.

    Plainly the year is one of four digits, one with an apostrophe, and one of two digits behind the others, with the
    mark that stands between those (``4/5/05``), a month's name (``5-Apr-05``), or ``/`` or a space (``Apr 5/05``).
    """
    years = [i for i, (begin, end) in enumerate(numbers) if end - begin == 4 or i in short]
    rest = [i for i in range(len(numbers)) if i not in years]
    if len(years) > 1 or len(rest) > 3:
        return True
    most = 1 if month else 2
    if len(rest) <= most:
        return False
    if years or len(rest) > most + 1:
        return True
    marks = words[month[1] : numbers[rest[0]][0]] if month and month[1] <= numbers[rest[0]][0] else ""
    if "/" in words and re.search(r"[-\u2013/]", marks):  # MAR - 3/14
        return True
    (_, before), (begin, end) = numbers[rest[-2]], numbers[rest[-1]]
    if end - begin != 2 or words[end : end + 2].lower() in _TH:
        return True
    mark = words[before:begin].strip()
    if month:
        return not (before <= month[0] < begin or mark in {"", "/"})
    first = words[numbers[rest[0]][1] : numbers[rest[1]][0]].strip()
    return mark != first


_TH = {"st", "nd", "rd", "th"}


def _as(value: int, like: str, *, padded: bool) -> str:
    if len(like) == 2 and value > 31:
        return f"{value % 100:02d}"
    return f"{value:02d}" if like.startswith("0") or (len(like) == 2 and padded) else str(value)


_ONE_DIGIT = re.compile(r"(?<!\d)[1-9](?!\d)")
_SHORT_MONTH = re.compile(rf"\b(?!may)(?:{'|'.join(name[:3] for name in _MONTHS)})\b", re.IGNORECASE)


def _month(number: int, written: str, like: str) -> str:
    """A month's name, short where a short one stood; ``May`` is as long as the other in ``like``."""
    name = _MONTHS[number - 1]
    full = len(written) > 4 or (written.lower() in _MONTHS and not _SHORT_MONTH.search(like))
    return _cased(name if full else name[:3], written)


def _ordinals(words: str) -> str:
    def right(match: re.Match[str]) -> str:
        day = int(match[1])
        return match[1] + ("th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th"))

    return re.sub(r"\b(\d{1,2})\s?(?:st|nd|rd|th)\b", right, words, flags=re.IGNORECASE)


def _roles(
    values: Sequence[str], month: bool, short: Sequence[int], *, day_first: bool
) -> tuple[int | None, int | None, int | None] | None:
    """Which of the numbers is the year, the month, the day."""
    years = [i for i, v in enumerate(values) if len(v) == 4 or i in short]
    rest = [i for i in range(len(values)) if i not in years]
    year = years[0] if years else None
    if len(years) > 1 or len(rest) > 3:
        return None
    if month:
        day = next((i for i in rest if 1 <= int(values[i]) <= 31), None)
        left = [i for i in rest if i != day]
        return (year if year is not None else left[0] if left else None), None, day
    if len(rest) == 3 and year is None:
        year, rest = rest[2], rest[:2]
    if not rest:
        return (year, None, None) if year is not None and len(values[year]) == 4 else None
    if len(rest) == 1:
        return (year, rest[0], None) if year is not None and 1 <= int(values[rest[0]]) <= 12 else None
    first, second = rest[:2]
    year_first = year is not None and year < first
    if int(values[first]) > 12 or (day_first and not year_first and int(values[second]) <= 12):
        first, second = second, first
    return (year, first, second) if len(rest) == 2 and int(values[first]) <= 12 else None


def _tagged(label: str) -> "Surrogate":
    return lambda words, draw, how: f"[{label}]"  # noqa: ARG005


Surrogate = Callable[[str, random.Random, Replacing], str]
_SURROGATES: dict[str, Surrogate] = {
    "NAME": _name,
    "LOCATION": _place,
    "HOSPITAL": _hospital,
    "ORGANIZATION": _company,
    "ADDRESS": _address,
    "DATE": _date,
    "AGE": _age,
    YOUNGER_AGE: _younger,
    "PHONE": _telephone,
    "FAX": _telephone,
    "EMAIL": _electronic,
    "URL": _electronic,
    "PHOTO": _tagged("PHOTO"),
    "IP": _internet,
    "RELIGION": _tagged("RELIGION"),
}
_ON_THE_NET = frozenset(("EMAIL", "URL", "IP"))
_KEPT = frozenset(("DATE", "AGE", YOUNGER_AGE))  # may stay as they were: a year moved by days, an age of 90


def replace_all(texts: Iterable[str], spans: Iterable[Sequence[Span]], how: Replacing) -> list[str]:
    """Each text with its spans replaced."""
    return [replace(text, found, how) for text, found in zip(texts, spans, strict=True)]
