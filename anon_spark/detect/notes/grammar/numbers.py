"""Made-up numbers and addresses that name a person, a thing of theirs, or a place: each in the forms people write."""

import random
import string
from typing import Any

from anon_spark.detect.notes.patterns import _VIN_WEIGHTS, _luhn, _vin

DIGITS = string.digits
CAPITALS = "ABCDEFGHJKLMNPRSTUVWXYZ"


def numerify(draw: random.Random, form: str) -> str:
    """``#`` a digit, ``%`` a digit from 2, ``@`` a capital, ``?`` a digit or capital; the rest as it is."""
    choices = {"#": DIGITS, "%": "23456789", "@": CAPITALS, "?": DIGITS + CAPITALS}
    return "".join(draw.choice(choices[c]) if c in choices else c for c in form)


PHONES = (
    "(%##) %##-####", "(%##)%##-####", "%##-%##-####", "%##-%##-####", "%##.%##.####", "%## %## ####", "1-%##-%##-####",
    "+1 %## %## ####", "%########0", "%##-####", "%##-%##-#### x####", "%##-%##-#### ext. ##", "%##/%##-####",
    "+44 20 #### ####", "+49 30 #######", "+33 # ## ## ## ##", "0## #### ####", "(+91) %####-#####", "%##%##-####",
    "+## ### ### ###", "00## ## ### ####", "%##-%##-####", "(%##) %##-####", "%##-%##-#### ext ####", "1 (%##) %##-####", "%## %##-####",
    "1-8##-%##-####", "%##-%##-####, ext. ###", "+1-%##-%##-####", "+1 (%##) %##-####", "%##-%##-####x###", "%##.%##.####x####",
    "001-%##-%##-####", "0### ######", "0#-## ## ## ##", "+## ## ### ## ##", "%##\u2013%##\u2013####", "(0#) #### ####", "%##- %##- ####",
)  # fmt: skip
FORMS = {
    "mrn": ("#######", "########", "######", "###-##-##", "##-##-##-#", "@#######", "@@######", "##########", "000######", "MRN-######", "H#######", "M-######", "#-###-###", "############", "EMR#####", "#####-##"),
    "pager": ("#####", "####", "%##-####", "x#####", "%#####", "9####"),
    "plan": ("@@@#########", "#########@", "###-##-####@", "@##########", "#@@#-@@#-@@##", "@@@ ### ### ###", "#########", "@@#######-##", "#####-####", "@@@-######", "#########-##", "@@##-####-####", "########01"),
    "account": ("########", "##########", "####-####-##", "@####-#####", "000#########", "#######-#", "@@########"),
    "license": ("@#######", "@@######", "S########", "###-##-###", "@###-####-####", "#########", "@@-######", "MD#####", "@@@@@######@@#@@", "D###-####-####-##", "@@ #######", "RN######", "########"),
    "plate": ("@@@ ####", "@@@-####", "#@@@###", "### @@@", "@##-###", "@@@###", "####@@", "@@ #####"),
    "serial": ("@@@######@", "SN########", "@@-#####-@", "########", "@#@#@####", "@@@##-####", "###-####-##", "PJN######@", "@@########@"),
    "lot": ("@#####", "####@", "##@####", "######", "L-#####"),
    "biometric": ("FP-######", "BIO@####-##", "FPT#######", "RET-#####@", "VP-@@-####", "@@##-####-@@##", "IRIS#####"),
    "otherid": ("@@-####-##", "##-#####", "@@@####", "####-###", "#######", "@##-####", "##@@####", "C-######", "@@@-###-###", "20##-####", "REF######", "@##########", "#########", "##-###-###"),
    "accession": ("S##-#####", "SP-##-#####", "@##-####", "##-@@-#####", "#####-##", "CY##-####", "@########", "##@@######", "@@##-#####", "####-#####"),
    "clip": ("##-####", "##-#####", "##-###"),
    "jobid": ("######", "#######", "#####"),
}  # fmt: skip


def phone(draw: random.Random) -> str:
    """A telephone number; the one of ten digits in a row has no leading zero."""
    return numerify(draw, draw.choice(PHONES)).replace("%", "5")


def form_of(draw: random.Random, kind: str) -> str:
    """A number of a kind that has no check digits."""
    return numerify(draw, draw.choice(FORMS[kind]))


def ssn(draw: random.Random) -> str:
    """A social security number as it is written: mostly with dashes."""
    area, group, serial = (
        draw.choice([*range(1, 666), *range(667, 900)]),
        draw.randint(1, 99),
        draw.randint(1, 9999),
    )
    mark = draw.choices(("-", " ", "", ".", " - ", "\u2013"), (66, 12, 13, 3, 3, 3))[0]
    return f"{area:03d}{mark}{group:02d}{mark}{serial:04d}"


def card(draw: random.Random) -> str:
    """A payment card's number that passes its check."""
    body = draw.choice(("4", "51", "37", "6011"))
    size = 15 if body == "37" else 16
    body += "".join(draw.choice(DIGITS) for _ in range(size - 1 - len(body)))
    number = next(body + d for d in DIGITS if _luhn(body + d))
    mark = draw.choice(("", " ", "-"))
    return mark.join(number[i : i + 4] for i in range(0, size, 4))


def vin(draw: random.Random) -> str:
    """A vehicle's number that passes its check."""
    body = [draw.choice(CAPITALS.replace("Q", "") + DIGITS) for _ in _VIN_WEIGHTS]
    return next(
        "".join(body[:8]) + check + "".join(body[9:])
        for check in "0123456789X"
        if _vin("".join(body[:8]) + check + "".join(body[9:]))
    )


def ip(draw: random.Random) -> str:
    """An internet address of either version."""
    if draw.random() < 0.15:
        return ":".join(f"{draw.randint(1, 65535):x}" for _ in range(8))
    return ".".join(str(draw.randint(1, 254)) for _ in range(4))


def photo(draw: random.Random, last: str) -> str:
    """A picture's file or number."""
    base = draw.choice(
        (
            f"IMG_{draw.randint(1000, 9999)}",
            f"{last.lower()}_face{draw.randint(1, 9)}",
            f"PHOTO-{draw.randint(10000, 99999)}",
            f"DSC0{draw.randint(1000, 9999)}",
            f"face_{draw.randint(100, 999)}",
        )
    )
    return base + draw.choice((".jpg", ".JPG", ".png", ".jpeg", ".tif"))


def email(draw: random.Random, first: str, last: str) -> str:
    """An address made of a name."""
    plain = "".join(c for c in f"{first}.{last}".lower().replace(" ", "") if c.isascii())
    user = draw.choice(
        (
            plain,
            plain.replace(".", ""),
            plain[:1] + plain.split(".")[-1],
            plain.replace(".", "_") + str(draw.randint(1, 99)),
        )
    )
    host = draw.choice(
        (
            "gmail.com",
            "yahoo.com",
            "hotmail.com",
            "example.org",
            "aol.com",
            "partners.org",
            "mail.example.net",
            "hospital.org",
            "comcast.net",
            "outlook.co.uk",
        )
    )
    return f"{user}@{host}"


def url(draw: random.Random, word: str) -> str:
    """An address on the web."""
    word = "".join(c for c in word.lower() if c.isascii() and c.isalnum()) or "clinic"
    host = f"{word}{draw.choice(('', 'health', 'clinic', 'family', '-md'))}.{draw.choice(('com', 'org', 'net', 'health', 'info'))}"
    tail = draw.choice(
        (
            "",
            "",
            "/portal",
            f"/p/{draw.randint(100, 99999)}",
            "/index.html",
            f"/records?id={draw.randint(1000, 9999)}",
        )
    )
    return draw.choice(("https://", "http://", "www.", "https://www.", "")) + host + tail


def street(draw: random.Random, fake: Any, surname: str) -> str:
    """A house in a street, an apartment, or a post box."""
    kind = draw.choice(
        "Street St St. Ave Avenue Ave. Road Rd Rd. Lane Ln Drive Dr. Blvd Court Ct Way Place Terrace Circle Parkway Highway".split()
    )
    base = draw.choice(
        (
            fake.street_name(),
            f"{surname} {kind}",
            f"{draw.choice(TREES)} {kind}",
            f"{draw.choice(ORDINALS)} {kind}",
            f"{draw.choice('NSEW')}. {draw.choice(TREES)} {kind}",
        )
    )
    number = draw.choice(
        (
            str(draw.randint(1, 9999)),
            str(draw.randint(1, 400)),
            f"{draw.randint(1, 99)}-{draw.randint(1, 99)}",
            f"{draw.randint(1, 99)}{draw.choice('AB')}",
        )
    )
    flat = draw.choice(
        (
            "",
            "",
            "",
            f" Apt {draw.randint(1, 40)}{draw.choice(('', 'B', 'C'))}",
            f", Apt. {draw.randint(1, 99)}",
            f" #{draw.randint(1, 900)}",
            f", Unit {draw.randint(1, 30)}",
            f" Suite {draw.randint(100, 900)}",
        )
    )
    if draw.random() < 0.08:
        box = draw.choice(
            ("PO Box", "P.O. Box", "P.O. BOX", "RR 2 Box", "Box", "Unit 41 Box", "PSC 7, Box", "HC 3 Box")
        )
        return f"{box} {draw.randint(1, 9999)}"
    if draw.random() < 0.08:  # the number behind, as elsewhere
        return f"{base} {draw.randint(1, 400)}"
    return f"{number} {base}{flat}"


TREES = (
    "Oak Maple Cedar Elm Pine Walnut Chestnut Willow Birch Main High Park Washington Lincoln Church Mill River Lake Hill "
    "Spring Summer Union Prospect Highland Franklin Beacon Center Pleasant Forest Meadow Sunset Ridge Valley Garden"
).split()
ORDINALS = "First Second Third 5th 7th 12th 23rd 42nd 101st 2nd Fourth".split()
