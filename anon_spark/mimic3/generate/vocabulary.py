"""The words that MIMIC-III uses, with whole weights, and the code tables kept beside this file."""

import csv
from functools import cache
from importlib.resources import files
from typing import Any

SYSTEMS = ("carevue", "metavision")
ETHNICITIES = {
    "WHITE": 140,
    "BLACK/AFRICAN AMERICAN": 18,
    "UNKNOWN/NOT SPECIFIED": 14,
    "HISPANIC OR LATINO": 6,
    "OTHER": 6,
    "ASIAN": 6,
    "UNABLE TO OBTAIN": 3,
    "PATIENT DECLINED TO ANSWER": 2,
    "ASIAN - CHINESE": 2,
    "HISPANIC/LATINO - PUERTO RICAN": 2,
    "BLACK/CAPE VERDEAN": 1,
    "WHITE - RUSSIAN": 1,
    "MULTI RACE ETHNICITY": 1,
    "AMERICAN INDIAN/ALASKA NATIVE": 1,
}
OTHER_ANSWERS = {"UNKNOWN/NOT SPECIFIED": 4, "OTHER": 2, "UNABLE TO OBTAIN": 1}
LANGUAGES = {
    None: 40,
    "ENGL": 48,
    "SPAN": 4,
    "RUSS": 3,
    "PTUN": 2,
    "CANT": 2,
    "PORT": 1,
    "CAPE": 1,
    "HAIT": 1,
}
RELIGIONS = {
    "CATHOLIC": 35,
    "NOT SPECIFIED": 20,
    "UNOBTAINABLE": 14,
    "PROTESTANT QUAKER": 12,
    "JEWISH": 9,
    "OTHER": 5,
    "EPISCOPALIAN": 2,
    "GREEK ORTHODOX": 1,
    "CHRISTIAN SCIENTIST": 1,
    "BUDDHIST": 1,
    "MUSLIM": 1,
    None: 2,
}
MARITAL = {
    "MARRIED": 46,
    "SINGLE": 25,
    "WIDOWED": 14,
    "DIVORCED": 7,
    "SEPARATED": 2,
    "UNKNOWN (DEFAULT)": 1,
    "LIFE PARTNER": 1,
    None: 5,
}
MARITAL_OLD = {"MARRIED": 40, "SINGLE": 10, "WIDOWED": 42, "DIVORCED": 5, "SEPARATED": 1, None: 4}

TYPES = {"EMERGENCY": 83, "ELECTIVE": 14, "URGENT": 3}
INSURANCE_NEWBORN = {"Private": 62, "Medicaid": 33, "Government": 3, "Self Pay": 2}
INSURANCE_OLD = {"Medicare": 84, "Private": 11, "Medicaid": 3, "Government": 1, "Self Pay": 1}
INSURANCE_ADULT = {"Private": 50, "Medicaid": 21, "Medicare": 19, "Government": 5, "Self Pay": 5}
ARRIVALS = {
    "EMERGENCY": {
        "EMERGENCY ROOM ADMIT": 70,
        "CLINIC REFERRAL/PREMATURE": 15,
        "TRANSFER FROM HOSP/EXTRAM": 15,
    },
    "ELECTIVE": {"PHYS REFERRAL/NORMAL DELI": 95, "TRANSFER FROM HOSP/EXTRAM": 5},
    "URGENT": {"TRANSFER FROM HOSP/EXTRAM": 60, "PHYS REFERRAL/NORMAL DELI": 40},
    "NEWBORN": {"PHYS REFERRAL/NORMAL DELI": 70, "CLINIC REFERRAL/PREMATURE": 30},
}
DISCHARGES = {
    "HOME": 35,
    "HOME HEALTH CARE": 23,
    "SNF": 15,
    "REHAB/DISTINCT PART HOSP": 13,
    "LONG TERM CARE HOSPITAL": 5,
    "SHORT TERM HOSPITAL": 2,
    "HOSPICE-HOME": 1,
    "DISC-TRAN CANCER/CHLDRN H": 1,
    "LEFT AGAINST MEDICAL ADVI": 1,
}
UNITS = [
    {"unit": "MICU", "ward": 52, "weight": 18},
    {"unit": "MICU", "ward": 50, "weight": 17},
    {"unit": "SICU", "ward": 33, "weight": 18},
    {"unit": "CSRU", "ward": 14, "weight": 17},
    {"unit": "CCU", "ward": 7, "weight": 8},
    {"unit": "CCU", "ward": 57, "weight": 7},
    {"unit": "TSICU", "ward": 23, "weight": 13},
]
NEWBORN_UNIT = {"unit": "NICU", "ward": 56}
WARDS = ("55", "45", "17", "18", "31", "3", "4", "36", "54", "28")

# What the bedside systems call the same things; None is charted without a value.
RELIGION_CAREVUE = {
    "CATHOLIC": "RCA",
    "NOT SPECIFIED": "NSP",
    "UNOBTAINABLE": "U",
    "PROTESTANT QUAKER": "PRO",
    "JEWISH": "JEW",
    "OTHER": "OTR",
    "EPISCOPALIAN": "EPS",
    "GREEK ORTHODOX": "GRK",
    "CHRISTIAN SCIENTIST": "CSC",
    "BUDDHIST": "BUD",
    "MUSLIM": "MOS",
}
RELIGION_METAVISION = {
    "CATHOLIC": "Roman Catholic",
    "NOT SPECIFIED": "Not specified",
    "UNOBTAINABLE": "Unknown",
    "PROTESTANT QUAKER": "Protestant",
    "JEWISH": "Jewish",
    "OTHER": "Other",
    "EPISCOPALIAN": "Episcopalian",
    "GREEK ORTHODOX": "Eastern Orthodox",
    "CHRISTIAN SCIENTIST": "Christian Scientist",
    "BUDDHIST": "Buddhist",
    "MUSLIM": "Muslim",
}
MARITAL_CAREVUE = {
    "MARRIED": "M",
    "SINGLE": "S",
    "WIDOWED": "W",
    "DIVORCED": "D",
    "SEPARATED": "A",
    "LIFE PARTNER": "P",
}
MARITAL_METAVISION = {
    "MARRIED": "Married",
    "SINGLE": "Single",
    "WIDOWED": "Widowed",
    "DIVORCED": "Divored",  # spelled so in the source
    "SEPARATED": "Separated",
    "LIFE PARTNER": "Significant Other",
}
LANGUAGE_METAVISION = {
    "ENGL": "English",
    "SPAN": "Spanish",
    "RUSS": "Russian",
    "PTUN": "Portuguese",
    "PORT": "Portuguese",
    "CANT": "Chinese",
    "CAPE": "Cape Verdean",
    "HAIT": "Haitian",
}
RACE_METAVISION = {
    "WHITE": "White",
    "WHITE - RUSSIAN": "White - Russian",
    "BLACK/AFRICAN AMERICAN": "Black / African American",
    "BLACK/CAPE VERDEAN": "Black / Cape Verdean",
    "UNKNOWN/NOT SPECIFIED": "Unknown / Not Specified",
    "HISPANIC OR LATINO": "Hispanic or Latino",
    "HISPANIC/LATINO - PUERTO RICAN": "Hispanic / Latino - Puerto Rican",
    "OTHER": "Other",
    "ASIAN": "Asian",
    "ASIAN - CHINESE": "Asian - Chinese",
    "UNABLE TO OBTAIN": "Unable to Obtain",
    "PATIENT DECLINED TO ANSWER": "Patient Declined to Answer",
    "MULTI RACE ETHNICITY": "Multi Race Ethnicity",
    "AMERICAN INDIAN/ALASKA NATIVE": "American Indian / Alaska Native",
}


@cache
def code_table(name: str) -> tuple[dict[str, Any], ...]:
    """Rows of ``data/<name>.csv``, empty cells as None."""
    text = files(__package__).joinpath("data", f"{name}.csv").read_text(encoding="utf-8")
    return tuple(
        {column: cell or None for column, cell in row.items()} for row in csv.DictReader(text.splitlines())
    )


def charted_words(text: str | None) -> list[dict[str, Any]]:
    """Spread out the words of an item: ``word=number*weight`` joined by semicolons.

    >>> charted_words("Yes*2;No=0")
    [{'word': 'Yes', 'number': None}, {'word': 'Yes', 'number': None}, {'word': 'No', 'number': 0.0}]
    """
    words: list[dict[str, Any]] = []
    for item in filter(None, (text or "").split(";")):
        rest, _, weight = item.partition("*")
        word, _, number = rest.partition("=")
        words += [{"word": word, "number": float(number) if number else None}] * int(weight or 1)
    return words
