"""Made-up hospitals and employers, and towns and countries that exist."""

import random

from anon_spark.detect.notes.grammar import numbers
from anon_spark.detect.notes.grammar.people import (
    LOCALES,
    TEST,
    _coined,
    _listed,
    _maker,
    draw_person,
    part_of,
)

STATES = {
    "AL": "Alabama", "AZ": "Arizona", "CA": "California", "CO": "Colorado", "CT": "Connecticut", "DC": "District of Columbia",
    "FL": "Florida", "GA": "Georgia", "HI": "Hawaii", "IL": "Illinois", "IN": "Indiana", "IA": "Iowa", "KS": "Kansas",
    "KY": "Kentucky", "LA": "Louisiana", "ME": "Maine", "MD": "Maryland", "MA": "Massachusetts", "MI": "Michigan",
    "MN": "Minnesota", "MO": "Missouri", "MS": "Mississippi", "MT": "Montana", "NC": "North Carolina", "NE": "Nebraska",
    "NH": "New Hampshire", "NJ": "New Jersey", "NM": "New Mexico", "NV": "Nevada", "NY": "New York", "OH": "Ohio",
    "OK": "Oklahoma", "OR": "Oregon", "PA": "Pennsylvania", "RI": "Rhode Island", "SC": "South Carolina", "TN": "Tennessee",
    "TX": "Texas", "UT": "Utah", "VA": "Virginia", "VT": "Vermont", "WA": "Washington", "WI": "Wisconsin", "WV": "West Virginia",
}  # fmt: skip
COUNTRIES = (
    "Mexico; Brazil; Portugal; Italy; Ireland; Poland; Russia; Ukraine; China; Japan; South Korea; Vietnam; Cambodia; India; "
    "Pakistan; Bangladesh; Iran; Iraq; Syria; Egypt; Ethiopia; Somalia; Nigeria; Ghana; Kenya; Haiti; Jamaica; Cuba; Puerto Rico; "
    "Dominican Republic; Guatemala; El Salvador; Colombia; Peru; Ecuador; Germany; France; Spain; Greece; Turkey; Albania; "
    "Cape Verde; the Philippines; Thailand; Canada; England; Scotland; the UK; the United States; USA; Lebanon; Israel; Armenia"
).split("; ")
TWO_WORDS = (
    "New York; San Antonio; Los Angeles; San Diego; St. Louis; New Bedford; Fall River; Santa Fe; Las Vegas; Baton Rouge; El Paso; "
    "Fort Worth; Salt Lake City; West Roxbury; Jamaica Plain; North Andover; South Boston; Palo Alto; New Haven; Hong Kong; "
    "Rio de Janeiro; Mexico City; Sao Paulo; Cape Town; Kuala Lumpur; Grand Rapids; Long Beach; Des Moines; Cedar Rapids"
).split("; ")
SAINTS = "Mary Joseph Luke Vincent Anne Elizabeth Francis Jude Michael Agnes Clare Anthony Raphael Camillus".split()
TRAIN_HOSPITALS = (
    "{town} Hospital", "{town} General Hospital", "{town} Medical Center", "{last} Memorial Hospital", "St. {saint}'s Hospital",
    "St. {saint} Medical Center", "{town} General", "{town} Community Hospital", "University of {state} Medical Center",
    "{last} Clinic", "{tree} {geo} Health Center", "VA {town}", "{town} VA", "Saint {saint}'s", "{initials}", "{initials}",
    "{town} Eye and Ear Infirmary", "{last} Cancer Institute", "{town} Children's Hospital", "Mt. {tree} Hospital", "{town}",
    "{last}-{last2} Hospital", "{town} Family Medicine", "{last} Medical Associates", "{state} General Hospital",
)  # fmt: skip
TEST_HOSPITALS = (
    "{town} Regional Hospital", "{town} District Hospital", "Our Lady of {geo} Medical Centre", "{last} University Hospital",
    "{town} Health System", "Royal {town} Infirmary", "{town} Surgical Center", "{last} Heart Institute", "Klinikum {town}",
    "{town} Hospital", "{town} Medical Center", "{last} Memorial", "{initials}",
)  # fmt: skip
TRAIN_HOMES = (
    "{tree} Manor", "{tree} {geo} Nursing Home", "{last} House", "{town} Rehab", "{tree}wood Rehabilitation Center", "{last} Rehab",
    "{town} Rehabilitation & Nursing Center", "{tree} Village", "St. {saint}'s Home", "The {last} Center", "{tree} Hill SNF",
)  # fmt: skip
TEST_HOMES = (
    "{tree} Commons",
    "{last} Care Home",
    "{tree}view Nursing & Rehab",
    "{town} Convalescent Home",
    "{geo} Lodge",
)
TRAIN_ORGS = (
    "{last} Inc.", "{last} & Sons", "{last}, {last2} and Co", "{town} High School", "{last} Industries", "{town} Public Schools",
    "{tree} Street Bakery", "{last} Construction", "University of {state}", "{last} Group", "{town} Fire Department", "{last}-{last2}",
    "{tree} Technologies", "{last}'s Diner", "{town} Police Department", "Bank of {town}", "{last} LLC", "{tree} Ambulance",
    "{last} Brothers", "{coined} Corp", "{coined}", "{last} Pharmacy", "{tree} Home Care", "{town} Fabricating", "{last} Ltd",
)  # fmt: skip
TEST_ORGS = (
    "{last} Logistics", "{town} Shipyard", "{last} Partners", "{coined} Foods", "{last} and Daughters", "{town} Transit Authority",
    "{tree} Farms", "{last} Law Offices", "{town} City Hall", "{last} Inc", "{coined} Systems", "{last} PLC", "{last} Drugs",
)  # fmt: skip
NO_ADDRESSES = {
    "ja_JP",
    "zh_CN",
    "yo_NG",
    "en_PK",
    "en_KE",
    "zu_ZA",
    "en_US",
}  # not in Latin letters, or none
GEOGRAPHY = "Hill Valley Park Ridge River Lake Brook Point Grove Harbor Meadow Mercy Hope Grace".split()


class PlaceMaker:
    """Places of one note."""

    def __init__(self, draw: random.Random, part: str) -> None:
        self._draw, self._part, self._test = draw, part, part == TEST
        abroad = [locale for locale in LOCALES[part] if locale not in NO_ADDRESSES]
        self._abroad = draw.choice(abroad) if draw.random() < 0.25 else None
        self.kinds = {
            "hospital",
            "org",
            "school",
            "city",
            "state",
            "st",
            "country",
            "zip",
            "street",
            "place",
            "place1",
        }

    def fill(self, kind: str, form: str) -> tuple[str, str]:
        """Words and label of a place."""
        draw = self._draw
        if kind == "hospital":
            names: tuple[str, ...] = (
                (TEST_HOMES if self._test else TRAIN_HOMES)
                if form == "snf"
                else TEST_HOSPITALS
                if self._test
                else TRAIN_HOSPITALS
            )
            return self._named(draw.choice(names)), "HOSPITAL"
        if kind in ("org", "school"):
            forms: tuple[str, ...] = TEST_ORGS if self._test else TRAIN_ORGS
            if kind == "school":
                forms = (
                    "{town} College",
                    "{last} Elementary School",
                    "{town} Community College",
                    "{state} State University",
                )
            return self._named(draw.choice(forms)), "ORGANIZATION"
        if kind == "street":
            return self._street(form), "ADDRESS"
        if kind == "zip" and self._abroad and draw.random() < 0.8:
            return str(_maker(self._abroad).postcode()), "ZIP"
        if kind == "zip":
            code = numbers.numerify(
                draw,
                draw.choices(("0####", "#####", "#####-####", "@@# #@@", "@# #@@"), (40, 40, 10, 5, 3))[0],
            )
            return code, "ZIP"
        if kind == "st":
            return draw.choice(list(STATES)), "LOCATION"
        if kind == "state":
            return draw.choice(list(STATES.values())), "LOCATION"
        if kind == "country":
            return draw.choice(COUNTRIES), "LOCATION"
        if kind == "place1":
            return draw.choice(
                (draw.choice(COUNTRIES), f"{self._town()} County", draw.choice(list(STATES.values())))
            ), "LOCATION"
        if kind == "place" and draw.random() < 0.3:
            return self._named(draw.choice(TEST_HOMES if self._test else TRAIN_HOMES)), "HOSPITAL"
        if kind == "place" and draw.random() < 0.4:
            return self._street(""), "ADDRESS"
        return self._town(), "LOCATION"

    def _street(self, form: str) -> str:
        draw = self._draw
        if self._abroad and draw.random() < 0.8:
            whole = str(_maker(self._abroad).street_address()).replace("\n", ", ")
            return str(_maker(self._abroad).street_name()) if form == "name" else whole
        words = numbers.street(draw, _maker("en_US"), self._last())
        return words.split(" ", 1)[1].split(" Apt")[0].split(",")[0] if form == "name" else words

    def _last(self) -> str:
        return draw_person(self._draw, self._part).last

    def _town(self) -> str:
        draw = self._draw
        if self._abroad and draw.random() < 0.6:
            return str(_maker(self._abroad).city())
        if draw.random() < 0.15:
            return draw.choice(TWO_WORDS)
        if draw.random() < 0.25:
            return str(_maker("en_US").city())
        while True:
            town = draw.choice(_listed(draw.choice("ct"))).capitalize()
            if (part_of(town) == TEST) == self._test:
                return town

    def _named(self, form: str) -> str:
        last = self._last()
        initials = "".join(
            self._draw.choice("BMGHCSWNLVAU") for _ in range(self._draw.choice((2, 3, 3)))
        ) + self._draw.choice("HC")
        return form.format(
            town=self._town(), last=last, last2=self._last(), saint=self._draw.choice(SAINTS), tree=self._draw.choice(numbers.TREES),
            geo=self._draw.choice(GEOGRAPHY), state=self._draw.choice(list(STATES.values())), initials=initials,
            coined=_coined(self._draw, self._part),
        )  # fmt: skip
