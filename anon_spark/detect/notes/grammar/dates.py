"""Dates in the forms of clinical notes."""

import random
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
ANY = ("full", "", "", "text", "my", "year")


def write_date(draw: random.Random, near: date, form: str) -> str:
    """A day within some months of ``near``, in a form: full, text, my (month and year), month, md, day, range, season, holiday, iso, compact, year, any or any of them."""
    if form == "any":
        form = draw.choice(ANY)
    day = near + timedelta(days=draw.randint(-120, 60))
    if form == "year":
        return str(near.year - draw.randint(0, 45))
    style = draw.choice(FORMS[form])
    later = day + timedelta(days=draw.randint(1, 12))
    later = later if later.month == day.month or "e.month" in style or "e:%" in style else day
    return style.format(d=day, e=later, y=f"{day.year % 100:02d}", th=_th(day.day))


WEEKDAYS = {f"{date(2024, 1, n):%A}" for n in range(1, 8)} | {f"{date(2024, 1, n):%a}" for n in range(1, 8)}


def _th(day: int) -> str:
    return "th" if 10 < day < 14 else {1: "st", 2: "nd", 3: "rd"}.get(day % 10, "th")


def born(draw: random.Random, near: date, age: int) -> str:
    """A day of birth, mostly in full."""
    day = near - timedelta(days=int(age * 365.25) + draw.randint(0, 364))
    return draw.choice(FULL).format(d=day, y=f"{day.year % 100:02d}", th=_th(day.day))
