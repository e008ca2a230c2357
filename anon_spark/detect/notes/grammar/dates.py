"""Dates in the forms of clinical notes."""

import random
import re
from datetime import date, timedelta

FULL = (
    "{d:%Y-%m-%d}", "{d.month}/{d.day}/{d.year}", "{d:%m/%d/%Y}", "{d.month}/{d.day}/{y}", "{d:%m-%d-%Y}", "{d:%d-%b-%Y}",
    "{d:%d %b %Y}", "{d:%B} {d.day}, {d.year}", "{d:%b} {d.day}, {d.year}", "{d:%b}. {d.day}, {d.year}", "{d.day} {d:%B} {d.year}",
    "{d:%m/%d/%y}", "{d.day}.{d.month}.{d.year}", "{d:%d%b%Y}", "{d:%B} {d.day}{th} {d.year}", "{d:%m.%d.%y}", "{d:%Y/%m/%d}",
    "{d:%b} {d.day} {d.year}", "{d:%d/%m/%Y}", "{d.month}-{d.day}-{y}", "{d.day}-{d:%b}-{y}", "{d:%A}, {d:%B} {d.day}, {d.year}",
    "{d:%a} {d.month}/{d.day}/{y}", "{d:%d %B %Y}", "{d:%B} {d.day} {d.year}", "{d:%m/%d/%Y}", "{d:%m/%d/%Y}",
)  # fmt: skip
PART = (
    "{d.month}/{d.day}", "{d.month}/{d.day}", "{d.month}/{d.day}", "{d.month}/{d.day}/{y}", "{d.month}-{d.day}", "{d:%m/%d}",
    "{d:%b} {d.day}", "{d:%B} {d.day}", "{d.day} {d:%b}", "{d.day}-{d:%b}", "{d:%a} {d.month}/{d.day}", "{d:%a}, {d:%b} {d.day}",
)  # fmt: skip
TEXT = (
    "{d:%B} {d.day}", "{d:%B} {d.day}{th}", "the {d.day}{th} of {d:%B}", "{d:%B} {d.day}, {d.year}", "{d:%b} {d.day}{th}",
    "{d:%A}, {d:%B} {d.day}", "{d.day} {d:%B}", "{d.day} {d:%B} {d.year}", "the {d.day}{th} of {d:%B}, {d.year}",
    "{d:%B} the {d.day}{th}", "{d.day}{th} {d:%B} {d.year}", "{d:%B} {d.day}{th}, {d.year}",
)  # fmt: skip
MONTH = (
    "{d:%B} {d.year}", "{d:%b} {d.year}", "{d.month}/{d.year}", "{d:%B} of {d.year}", "{d:%B}, {d.year}", "{d:%b} '{y}", "{d:%b}-{y}",
    "{d:%m/%Y}", "{d.month}/{y}",
)  # fmt: skip
DAY = ("{d.day}{th}", "{d.day}{th}", "{d.day}{th} of {d:%B}", "{d:%B} {d.day}{th}")
RANGE = (
    "{d.month}/{d.day}-{e.month}/{e.day}", "{d.month}/{d.day}-{e.day}", "{d:%B} {d.day}-{e.day}", "{d:%b} {d.day} - {e.day}", "{d:%B} {d.day} to {e.day}",
    "{d.month}/{d.day} - {e.month}/{e.day}", "{d:%b} {d.day} to {e:%b} {e.day}", "{d.month}/{d.day}/{y}-{e.month}/{e.day}/{y}", "{d:%m/%d}-{e:%m/%d}",
)  # fmt: skip
HOLIDAYS = (
    "Christmas", "Thanksgiving", "New Year's Eve", "New Year's Day", "Memorial Day", "Labor Day", "Easter", "Easter Sunday", "July 4th", "Halloween",
    "Christmas Eve", "Mother's Day", "Father's Day", "Valentine's Day", "Independence Day", "Columbus Day", "Veterans Day", "Good Friday",
)  # fmt: skip
SEASON = (
    "spring of {d.year}", "summer {d.year}", "fall of {d.year}", "winter {d.year}", "autumn {d.year}", "Spring {d.year}", "Fall {d.year}", "mid-{d:%B}",
    "early {d:%B}", "late {d:%B}", "{d:%B} '{y}", "{d:%b}/{d.year}", "{d:%b}-{d.year}", "mid {d:%B} {d.year}", "end of {d:%B}", "{d:%B}/{e:%B} {d.year}",
)  # fmt: skip
FORMS = {"day": DAY, "range": RANGE, "season": SEASON, "holiday": HOLIDAYS, "full": FULL, "": (*FULL, *PART, *PART), "text": TEXT, "my": MONTH, "md": ("{d:%m/%d}", "{d.month}/{d.day}"),
         "iso": ("{d:%Y-%m-%d}",), "month": ("{d:%B}", "{d:%B}", "{d:%b}"), "compact": ("{d:%a} {d:%Y-%m-%d}", "{d:%Y-%m-%d}", "{d:%Y%m%d}")}  # fmt: skip
MORE = {
    "full": (
        "{d:%b} {d.day}/{y}", "{d.day}/{d:%b}/{y}", "{d:%d}-{d:%m}-{d.year}", "{d.day} {d:%b} {y}", "{d.day} {d:%b} '{y}", "{d:%b} {d.day}, '{y}",
        "{d:%A} {d.day} {d:%B} {d.year}", "{d:%a}. {d.month}/{d.day}/{y}", "{d:%B} the {d.day}{th}, {d.year}", "{d:%Y.%m.%d}", "{d.day}/{d.month}/{y}",
        "{d:%d/%m/%y}", "{d:%A} the {d.day}{th} of {d:%B} {d.year}", "{d:%a} {d:%b} {d.day} {d.year}", "{d:%b}-{d:%d}-{d.year}", "{d:%m%d%y}", "{d:%m%d%Y}",
        "{d.month}.{d.day}.{y}", "{d:%d}{th} {d:%b} {d.year}", "{d.month} / {d.day} / {y}", "{d:%m} - {d:%d} - {d.year}", "{d:%d.%m.%y}", "{d:%b}.{d.day}, {d.year}",
        "{d:%B} {ordinal}, {d.year}", "the {ordinal} of {d:%B} {d.year}", "{d:%b} {d.day}{th} '{y}", "{d:%Y} {d:%b} {d.day}", "{d:%Y}-{d:%b}-{d:%d}",
    ),
    "": (
        "{d.month}.{d.day}", "{d:%m-%d}", "{d:%b}. {d.day}", "{d:%b} {d.day}{th}", "{d.day}{th} {d:%b}", "{d.day}/{d:%b}", "{d.day}{d:%b}", "{d:%A} {d.month}/{d.day}",
        "{d:%a} the {d.day}{th}", "{d:%A} the {d.day}{th}", "{d.day}/{d.month}", "{d:%b}/{d.day}", "{d.month}/{d.day}/'{y}", "{d:%a} {d:%b} {d.day}", "{d:%b}. {d.day}{th}",
        "{d.day}.{d.month}.", "{d:%a} {d.month}-{d.day}", "{d:%d-%m}", "{d:%B} {ordinal}",
    ),
    "text": (
        "the {ordinal} of {d:%B}", "{d:%B} {ordinal}", "the {d.day}{th} {d:%B}", "{d:%A} {d.day}{th} {d:%B}", "{d:%A}, the {d.day}{th} of {d:%B}", "{d.day}{th} {d:%b}",
        "{d:%b}. {d.day}", "{d:%a} {d.day} {d:%b}", "{d:%A} {d:%B} {d.day}{th}", "{d:%B} {d.day} of {d.year}", "the {d.day}{th} of {d:%b}", "{d:%A} {d.day} {d:%B}",
    ),
    "my": (
        "{d:%b}. {d.year}", "{d:%b} of {d.year}", "{d:%b} {y}", "{d:%b}{y}", "{d:%b}. '{y}", "{d:%B} '{y}", "{d:%Y-%m}", "{d.month}-{d.year}", "{d.month}/'{y}", "{d:%b}/{y}",
        "{d:%m.%Y}", "{d:%b}, {d.year}", "{d:%B} of '{y}", "{d:%B} {y}",
    ),
    "md": ("{d.month}-{d.day}", "{d:%m-%d}", "{d:%b} {d.day}", "{d:%b}{d.day}"),
    "day": ("{ordinal}", "{ordinal} of {d:%B}", "{d.day}{th}", "{d.day}{th} {d:%b}"),
    "range": (
        "{d.month}/{d.day}/{y} - {e.month}/{e.day}/{y}", "{d.month}/{d.day} to {e.month}/{e.day}", "{d.month}/{d.day} through {e.month}/{e.day}", "{d:%b} {d.day}-{e.day}",
        "{d:%d} to {e:%d} {d:%B} {d.year}", "{d.day}-{e.day} {d:%b} {d.year}", "{d:%B} {d.day} to {e:%B} {e.day}, {d.year}", "{d:%m/%d/%Y} to {e:%m/%d/%Y}",
        "{d:%m/%d/%Y}-{e:%m/%d/%Y}", "{d.month}/{d.day}\u2013{e.month}/{e.day}", "the {d.day}{th} to the {e.day}{th}", "{d:%B} {d.day} through {e.day}", "{d:%b} {d.day}\u2013{e.day}",
        "{d.month}/{d.day}->{e.month}/{e.day}", "{d.month}.{d.day}-{e.month}.{e.day}", "{d:%B} {d.day}-{e.day}, {d.year}",
    ),
    "season": (
        "the spring of {d.year}", "the fall of '{y}", "summer of '{y}", "Xmas {d.year}", "winter of {d.year}", "early {d.year}", "late {d.year}", "mid-{d.year}", "{d:%B}-{e:%B} {d.year}",
        "Q1 {d.year}", "Q3 {d.year}", "the beginning of {d:%B}", "the end of {d:%B}", "mid {d:%b}", "late {d:%b} {d.year}", "{d:%b}/{e:%b} {d.year}", "the first week of {d:%B}",
    ),
    "month": ("{d:%b}", "{d:%b}.", "{d:%B}"),
    "holiday": (
        "Hanukkah", "Passover", "Ramadan", "Eid", "Diwali", "Cinco de Mayo", "St. Patrick's Day", "Patriots' Day", "MLK Day", "Presidents' Day", "Juneteenth", "Boxing Day",
        "Rosh Hashanah", "Yom Kippur", "Ash Wednesday", "Palm Sunday", "Groundhog Day", "Super Bowl Sunday", "the Fourth of July", "Xmas", "New Year's", "Lunar New Year",
        "Guy Fawkes Night", "Canada Day", "Bastille Day", "Lent", "the High Holidays", "Chinese New Year", "Memorial Day weekend", "Labor Day weekend", "Mardi Gras",
    ),
}  # fmt: skip
"""More forms for the notes that are learned from."""
MORE_OFTEN = 0.3
ORDINALS = (
    "first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth "
    "seventeenth eighteenth nineteenth twentieth twenty-first twenty-second twenty-third twenty-fourth twenty-fifth twenty-sixth "
    "twenty-seventh twenty-eighth twenty-ninth thirtieth thirty-first"
).split()
ANY = ("full", "", "", "text", "my", "year")


_OWN_MONTH = re.compile(r"e\.month|e:%[bBm]")  # of the second day of a range


def write_date(draw: random.Random, near: date, form: str, *, more: bool = False) -> str:
    """A day within some months of ``near``, in a form: full, text, my (month and year), month, md, day, range, season, holiday, iso, compact, year, any or any of them; ``more`` draws rarer ones too."""
    if form == "any":
        form = draw.choice(ANY)
    day = near + timedelta(days=draw.randint(-120, 60))
    if form == "year":
        year = str(near.year - draw.randint(0, 45))
        return f"'{year[2:]}" if more and draw.random() < 0.06 else year
    style = draw.choice(MORE[form] if more and form in MORE and draw.random() < MORE_OFTEN else FORMS[form])
    later = day + timedelta(days=draw.randint(1, 12))
    later = later if later.month == day.month or _OWN_MONTH.search(style) else day
    return style.format(
        d=day, e=later, y=f"{day.year % 100:02d}", th=_th(day.day), ordinal=ORDINALS[day.day - 1]
    )


WEEKDAYS = {f"{date(2024, 1, n):%A}" for n in range(1, 8)} | {f"{date(2024, 1, n):%a}" for n in range(1, 8)}


def _th(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def born(draw: random.Random, near: date, age: int, *, more: bool = False) -> str:
    """A day of birth, in full."""
    day = near - timedelta(days=int(age * 365.25) + draw.randint(0, 364))
    forms = MORE["full"] if more and draw.random() < MORE_OFTEN else FULL
    return draw.choice(forms).format(
        d=day, y=f"{day.year % 100:02d}", th=_th(day.day), ordinal=ORDINALS[day.day - 1]
    )
