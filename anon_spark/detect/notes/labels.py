"""What personal text is called: one label for each category of HIPAA's Safe Harbor, and two that only hint.

Source: 45 CFR 164.514(b)(2)(i), (A) to (R).
"""

HIPAA = {
    "NAME": "A",
    "ADDRESS": "B",  # street, house number, apartment, post box
    "LOCATION": "B",  # town, county, state, country
    "ZIP": "B",
    "HOSPITAL": "B",
    "ORGANIZATION": "B",  # employers, schools, companies: places of a person, and their names
    "DATE": "C",
    "AGE": "C",  # over 89 only; younger ages are YOUNGER_AGE
    "PHONE": "D",
    "FAX": "E",
    "EMAIL": "F",
    "SSN": "G",
    "MRN": "H",
    "HEALTH_PLAN": "I",
    "ACCOUNT": "J",
    "LICENSE": "K",
    "VEHICLE": "L",
    "DEVICE": "M",
    "URL": "N",
    "IP": "O",
    "BIOMETRIC": "P",
    "PHOTO": "Q",
    "OTHER_ID": "R",
}
"""Label to the letter of its category."""

YOUNGER_AGE = "YOUNGER_AGE"
RELIGION = "RELIGION"
HINTS = (YOUNGER_AGE, RELIGION)
"""Quasi-identifiers in words: no identifier by Safe Harbor, treated as the policy treats the tables' column."""

LABELS = (*HIPAA, *HINTS)
