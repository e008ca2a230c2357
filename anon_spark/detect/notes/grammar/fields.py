"""What each ``{field}`` of a template becomes: words, and what label they bear (none where they are nobody's)."""

import random
import unicodedata
from collections.abc import Callable
from datetime import date, timedelta

from anon_spark.detect.notes.grammar import numbers
from anon_spark.detect.notes.grammar.dates import born, write_date
from anon_spark.detect.notes.grammar.people import NICKNAMES, TRAIN, Person, _coined, _maker, draw_person
from anon_spark.detect.notes.grammar.places import PlaceMaker
from anon_spark.detect.notes.grammar.vocabulary import (
    DRUGS,
    DRUGS_OF,
    EPONYMS_OF,
    WORDS,
    clinical_words,
    namesakes,
    plain_words,
    trade_name,
)
from anon_spark.detect.notes.known import Known

Filled = tuple[str, str | None]
ROLES = ("pt", "dr", "dr2", "dr3", "rn", "rel", "rel2")
RELIGIONS = "Catholic Protestant Jewish Muslim Hindu Buddhist Baptist Methodist Lutheran Mormon Sikh Episcopalian".split()
FOLD = str.maketrans("đĐłŁøØıİßæÆ", "dDlLoOiIsaA")


class Fields:
    """The people, places and days of one note, and how its writer puts them."""

    def __init__(self, draw: random.Random, part: str) -> None:
        self.draw, self.part = draw, part
        self._plain = draw.random() < 0.75  # accents are left out
        self._people: dict[str, Person] = {}
        self._near = date(draw.choice((1995, 2005, 2012, 2019, 2024, 2110, 2150)), 1, 1) + timedelta(
            draw.randint(0, 1500)
        )
        self._age = draw.randint(18, 89)
        self._places = PlaceMaker(draw, part)
        self._makers: dict[str, Callable[[str], Filled]] = {
            "date": lambda form: (write_date(draw, self._near, form, more=part == TRAIN), "DATE"),
            "year": lambda _: (write_date(draw, self._near, "year", more=part == TRAIN), "DATE"),
            "dob": lambda _: (born(draw, self._near, self._age, more=part == TRAIN), "DATE"),
            "age": lambda _: self._aged(draw.randint(1, 89)),
            "age90": lambda _: self._aged(
                draw.randint(90, 104) if draw.random() < 0.5 else draw.randint(18, 89)
            ),
            "ssn": lambda rest: (numbers.ssn(draw)[-4:] if rest == "four" else numbers.ssn(draw), "SSN"),
            "phone": lambda _: (numbers.phone(draw), "PHONE"),
            "fax": lambda _: (numbers.phone(draw), "FAX"),
            "pager": lambda _: (numbers.form_of(draw, "pager"), "PHONE"),
            "email": lambda _: (
                numbers.email(draw, self._name("rel").first, self._name("rel").last),
                "EMAIL",
            ),
            "url": lambda _: (numbers.url(draw, self._name("dr").last), "URL"),
            "ip": lambda _: (numbers.ip(draw), "IP"),
            "card": lambda _: (numbers.card(draw), "ACCOUNT"),
            "iban": lambda _: (_maker("de_DE").iban(), "ACCOUNT"),
            "vin": lambda _: (numbers.vin(draw), "VEHICLE"),
            "plate": lambda _: (numbers.form_of(draw, "plate"), "VEHICLE"),
            "dea": lambda _: (numbers.numerify(draw, "@@#######"), "LICENSE"),
            "npi": lambda _: (numbers.numerify(draw, "1#########"), "LICENSE"),
            "udi": lambda _: (numbers.numerify(draw, "(01)##############(21)########"), "DEVICE"),
            "photo": lambda _: (numbers.photo(draw, self._name("pt").last), "PHOTO"),
            "religion": lambda _: (draw.choice(RELIGIONS), "RELIGION"),
            "initials": self._initials,
            "drug": lambda _: (self._drug(), None),
            "dose": lambda _: (self._dose(), None),
            "time": lambda _: (self._time(), None),
            "word": lambda _: (draw.choice(plain_words()), None),
            "Word": lambda _: (draw.choice(plain_words()).capitalize(), None),
            "WORD": lambda _: (draw.choice(plain_words()).upper(), None),
            "Eponym": lambda _: (self._namesake(), None),
            "Coined": lambda _: (self._nobody(), None),
            "ABBR": lambda _: (
                "".join(draw.choice(numbers.CAPITALS) for _ in range(draw.choice((2, 3, 3, 4)))),
                None,
            ),
            "mr": lambda _: (self._title(), None),
        }
        for kind, label in NUMBERED.items():
            self._makers[kind] = lambda form, kind=kind, label=label: (  # type: ignore[misc]
                numbers.form_of(draw, kind),
                "OTHER_ID" if form == "id" else label,
            )

    def fill(self, field: str) -> Filled:
        """Words for ``name.form``, e.g. ``dr.last``; a trailing ``^`` puts them in capitals."""
        name, _, form = field.rstrip("^").partition(".")
        if name[0] in "nf" and ":" in name:
            return self._figure(field), None
        if name in ROLES:
            words: str = self._person(name, form)
            label: str | None = "NAME"
        elif name in self._places.kinds:
            words, label = self._places.fill(name, form)
        elif name in self._makers:
            words, label = self._makers[name](form)
        else:
            words, label = self._word(name), None
        if self._plain and label:
            words = "".join(
                c
                for c in unicodedata.normalize("NFKD", words.translate(FOLD))
                if not unicodedata.combining(c)
            )
        return (words.upper() if field.endswith("^") else words), label

    def family(self) -> list[Known]:
        """Names of the patient and of relatives, as tables hold them."""
        people = (self._people.get(role) for role in ("pt", "rel", "rel2"))
        return [Known(f"{one.first} {one.last}", "NAME") for one in people if one]

    def _word(self, name: str) -> str:
        if name == "eponym":
            return self.draw.choice(EPONYMS_OF[self.part])
        return self.draw.choice(WORDS[name])

    def _name(self, role: str) -> Person:
        if role not in self._people:
            kin = role.startswith("rel") and self.draw.random() < 0.6
            last = self._name("pt").last if kin else None
            self._people[role] = draw_person(self.draw, self.part, last=last)
        return self._people[role]

    def _person(self, role: str, form: str) -> str:
        person, draw = self._name(role), self.draw
        first, last, middle = person.first, person.last, person.middle
        if form == "any":
            form = draw.choice(
                ("", "", "last", "first" if role.startswith(("rel", "rn", "pt")) else "last", "sig")
            )
        if form in ("first", "last"):
            name = first if form == "first" else last
            return name.lower() if draw.random() < 0.06 else name
        if form == "lf":
            return draw.choice(
                (
                    f"{last}, {first}",
                    f"{last}, {first} {middle}.",
                    f"{last},{first}",
                    f"{last}, {first} {middle}",
                    f"{last.upper()}, {first.upper()}",
                    f"{last.upper()},{first.upper()} {middle}",
                )
            )
        if form == "nick":
            nickname = draw.choice((*NICKNAMES, self._name("rel2").first))
            return draw.choice(
                (
                    f'{first} "{nickname}" {last}',
                    f"{first} ({nickname}) {last}",
                    f'{last}, {first} "{nickname}"',
                )
            )
        if form == "ini":
            return draw.choice((f"{first[0]}.{last[0]}.", f"{first[0]}{last[0]}", f"{first[0]}. {last[0]}."))
        if form == "sig":
            return draw.choice(
                (
                    f"{first[0]}. {last}",
                    f"{first[0]}.{last}",
                    f"{first[0]} {last}",
                    f"{first[0]}.{middle}. {last}",
                    f"{first} {last}",
                    last,
                    f"{last} {first[0]}",
                    f"{last} {first[0]}.",
                    f"{last}, {first[0]}.",
                )
            )
        whole = draw.choices(
            (
                f"{first} {last}",
                f"{first} {middle}. {last}",
                f"{first} {middle} {last}",
                f"{first} {last.upper()}",
                f"{first[0]}. {middle}. {last}",
                f"{first[0]}. {last}",
            ),
            (70, 14, 5, 4, 3, 3),
        )[0]
        return whole + (draw.choice((", Jr.", " Jr.", " III", " Sr.")) if draw.random() < 0.02 else "")

    def _initials(self, form: str) -> Filled:
        person = self._name("dr")
        text = person.first[0] + person.middle + person.last[0]
        return (text.lower() if form == "low" else text), "NAME"

    def _aged(self, age: int) -> Filled:
        return str(age), "AGE" if age > 89 else "YOUNGER_AGE"

    def _title(self) -> str:
        man = self._name("pt").man
        return self.draw.choice(("Mr.", "Mr.", "Mr", "MR.") if man else ("Mrs.", "Ms.", "Ms", "Miss", "Mrs"))

    def _drug(self) -> str:
        if self.draw.random() < 0.15:
            word = self.draw.choice(clinical_words())
            return word.capitalize() if self.draw.random() < 0.5 else word
        drug = self.draw.choice(DRUGS_OF[self.part] if self.draw.random() < 0.5 else DRUGS)
        return self.draw.choice((drug, drug.capitalize() if drug.islower() else drug.lower()))

    def _namesake(self) -> str:
        """Somebody's name that a disease or a tool bears."""
        if self.part == TRAIN and self.draw.random() < 0.35:
            return self.draw.choice(namesakes())
        known = draw_person(self.draw, self.part).last
        return known if self.draw.random() < 0.5 and " " not in known else self._nobody()

    def _nobody(self) -> str:
        """A capitalized word that no list holds and that is nobody's: a trade name, an eponym."""
        if self.draw.random() < 0.4:
            return self.draw.choice(clinical_words()).capitalize()
        return _coined(self.draw, self.part) if self.draw.random() < 0.5 else trade_name(self.draw)

    def _dose(self) -> str:
        return f"{self.draw.choice((1, 2, 2.5, 5, 10, 12.5, 20, 25, 40, 50, 75, 80, 100, 125, 250, 325, 500, 1000))}{self.draw.choice((' ', ''))}{self.draw.choice(('mg', 'mg', 'mcg', 'units', 'mL', 'g', 'mEq'))}"

    def _time(self) -> str:
        hour, minute = self.draw.randint(0, 23), self.draw.randint(0, 59)
        forms = (
            f"{hour:02d}:{minute:02d}",
            f"{hour % 12 + 1}:{minute:02d} {self.draw.choice(('AM', 'PM', 'am', 'p.m.'))}",
            f"{hour % 12 + 1}{self.draw.choice(('am', 'pm', ' PM'))}",
            f"{hour:02d}{minute:02d}",
            f"{hour % 12 + 1}:{minute:02d}{self.draw.choice('ap')}",
        )
        return self.draw.choice(forms)

    def _figure(self, field: str) -> str:
        kind, _, bounds = field.partition(":")
        low, high = (int(part) for part in bounds.split("-"))
        return str(self.draw.randint(low, high)) if kind == "n" else f"{self.draw.uniform(low, high):.1f}"


NUMBERED = {
    "mrn": "MRN", "plan": "HEALTH_PLAN", "account": "ACCOUNT", "license": "LICENSE", "serial": "DEVICE", "lot": "DEVICE",
    "biometric": "BIOMETRIC", "otherid": "OTHER_ID", "accession": "OTHER_ID", "clip": "OTHER_ID", "jobid": "OTHER_ID",
}  # fmt: skip
