"""Made-up people of many cultures: no surname is in two of train, tune and test, and some cultures are in test alone."""

import hashlib
import random
from functools import cache
from typing import Any, NamedTuple

from faker import Faker

from anon_spark.detect.notes.lexicon import all_words

TRAIN, TUNE, TEST = "train", "tune", "test"
# Locales by how often a person is of them; en_US stands for the census's own lists.
LOCALES = {
    TRAIN: {
        "en_US": 50, "en_GB": 5, "en_IN": 5, "es_MX": 6, "es_ES": 3, "pt_BR": 4, "fr_FR": 3, "de_DE": 3, "it_IT": 3,
        "pl_PL": 3, "nl_NL": 3, "sv_SE": 2, "vi_VN": 3, "ga_IE": 2, "ro_RO": 2, "yo_NG": 2, "ja_JP": 2, "zh_CN": 3,
        "en_PK": 3,
    },
    TUNE: {
        "en_US": 50, "cs_CZ": 4, "hr_HR": 4, "no_NO": 4, "fr_CA": 4, "tr_TR": 6, "fi_FI": 4, "hu_HU": 4, "id_ID": 4, "en_KE": 4,
        "zu_ZA": 4, "da_DK": 4,
    },
    TEST: {"en_US": 55, "lt_LT": 6, "et_EE": 6, "sk_SK": 6, "sl_SI": 6, "tw_GH": 6, "az_AZ": 5, "es_CO": 5, "sw": 5},
}  # fmt: skip
NICKNAMES = "Bob Bill Jim Joe Mike Tom Dick Tony Steve Dave Liz Beth Kate Peggy Sue Meg Jen Abby Mo Al Ed Hal Ron Pat".split()
PARTICLES = (
    "de la",
    "de",
    "van",
    "van der",
    "von",
    "al",
    "del",
    "da",
    "dos",
    "di",
    "Le",
    "La",
    "bin",
    "St.",
    "El",
    "Mac",
)
# Surnames that are also diseases, signs, months or plain words: a doctor Parkinson is a person.
DOUBLE = (
    "Parkinson Hodgkin Crohn Graves Addison Bell Wilson Turner Murphy Wells Foley Allen Mayo Kelly Thomas Baker Moore "
    "May March June Young Long Short Rich Grant Hope Rose Price Day Brown White Black Green Gray Drew Mark Law Cook "
    "Page Bishop King Fisher Hunt Berg Barrett Hickman Penrose Jackson Pratt Romberg Down Ho Ma An Do Le Li Wu Pain"
).split()
SYLLABLES = (
    "ka ri mo ta li na so be du fra gri hol ken lam mar nor pel quin ros shan tel ul ver wes yam zor bra chi dav el fen "
    "gar hu in jo kul lo mi os pra ra sta tri va wil zan"
).split()
ENDINGS = {
    TRAIN: "son ez ski man ov ini er berg ley ton well ard ova escu ian".split(),
    TUNE: "sen aux holm wicz dottir oglu nen akis quist".split(),
    TEST: "mets vili nik aitis stad more idze".split(),
}


class Person(NamedTuple):
    """A name in parts, and whether its bearer is called he."""

    first: str
    last: str
    middle: str
    man: bool


def part_of(surname: str) -> str:
    """Which of train, tune and test a surname belongs to."""
    bucket = hashlib.sha256(surname.lower().encode()).digest()[0] % 10
    return TEST if bucket == 2 else TUNE if bucket < 2 else TRAIN


@cache
def _listed(letters: str) -> tuple[str, ...]:
    return tuple(
        sorted(word for word, flags in all_words().items() if set(letters) & set(flags) and len(word) > 2)
    )


@cache
def _maker(locale: str) -> Any:
    return Faker(locale)


def seed(number: int) -> None:
    """Make what Faker draws follow from ``number``; makers are shared in a process."""
    Faker.seed(number)


def draw_person(draw: random.Random, part: str, *, last: str | None = None) -> Person:
    """A person whose surname belongs to ``part``; ``last`` where it is given, as relatives have it."""
    locales = LOCALES[part]
    locale = draw.choices(list(locales), list(locales.values()))[0]
    man = draw.random() < 0.5
    first, surname = _american(draw, man) if locale == "en_US" else _foreign(locale, man, draw)
    while last is None and not _belongs(surname, part):
        first, surname = _american(draw, man) if locale == "en_US" else _foreign(locale, man, draw)
    if part == TRAIN and last is None and draw.random() < 0.04:
        surname = draw.choice(DOUBLE)
    if last is None and draw.random() < 0.12:  # names that no list has
        surname = _coined(draw, part)
    if draw.random() < 0.04:
        surname = f"{surname}-{_coined(draw, part)}"
    if last is None and draw.random() < 0.03:
        surname = f"{draw.choice(PARTICLES)} {surname}"
    if draw.random() < 0.05:
        first = draw.choice(NICKNAMES)
    elif draw.random() < 0.03:
        second = _maker("en_US").first_name_male() if man else _maker("en_US").first_name_female()
        first = f"{first}{draw.choice(' -')}{second}"
    return Person(first, last or surname, draw.choice("ABCDEFGHJKLMNPRSTVW"), man)


def _belongs(surname: str, part: str) -> bool:
    words = [word for word in surname.replace("-", " ").split() if len(word) > 3] or [surname]
    return all(part_of(word) == part for word in words)


def _american(draw: random.Random, man: bool) -> tuple[str, str]:
    first = _maker("en_US").first_name_male() if man else _maker("en_US").first_name_female()
    if draw.random() < 0.4:
        first = draw.choice(_listed("Ff")).capitalize()
    surname = draw.choice(_listed(draw.choice(("S", "S", "s", "r")))).capitalize()
    if surname.startswith("Mc") and len(surname) > 4 and draw.random() < 0.8:
        surname = "Mc" + surname[2:].capitalize()
    if draw.random() < 0.02:
        surname = "O'" + surname
    return first, surname


def _foreign(locale: str, man: bool, draw: random.Random) -> tuple[str, str]:
    fake = _maker(locale)
    if locale == "ja_JP":
        return fake.first_romanized_name(), fake.last_romanized_name()
    if locale == "zh_CN":
        *given, family = fake.romanized_name().split()
        return " ".join(given), family
    first = fake.first_name_male() if man else fake.first_name_female()
    surname = fake.last_name()
    if locale.startswith(("es", "pt")) and draw.random() < 0.3:
        surname = f"{surname} {fake.last_name()}"
    return first, surname


def _coined(draw: random.Random, part: str) -> str:
    while True:
        stem = "".join(draw.choice(SYLLABLES) for _ in range(draw.choice((1, 2, 2))))
        name = (stem + draw.choice(ENDINGS[part])).capitalize()
        if part_of(name) == part:
            return name
