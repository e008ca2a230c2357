"""What the words beside a found span say against it: names that things bear, shares that look like days."""

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise

from anon_spark.detect.notes.crf import OUTSIDE
from anon_spark.detect.notes.lexicon import ORDINARY, announcing, lexicon
from anon_spark.detect.notes.tokens import LINE_BREAK, Tokens

_BEARS = frozenset(
    "murmur shelf node nodes canal ligament cyst palsy straps sump stain scar incision equation space duct glands patches "
    "cells bodies pouch ring rings spots lesion hernia pupil nevus anomaly shunt splint frame boot brace clamp "
    "forceps antigen antigens antibody antibodies maneuver maneuvers exercise exercises technique stenosis criteria syndrome disease "
    "phenotype score scale grade class method neuroma deformity fracture".split()
)
_OF_PEOPLE = {"title", "relation", "role", "credential"}
_GRADES = frozenset("ii iii iv iia iib iiia iiib".split())
_OUT_OF = frozenset("ns tab tabs tablet tablets mg ml str strength".split())
_GRADED = frozenset(
    "strength power motor grip reflexes iop mmse moca pain gcs recall registration repetition orientation attention session "
    "class lesson module attempt trial index tinetti berg fim score scale".split()
)


def drop_eponyms(tokens: Tokens, labels: list[str]) -> None:
    """Take NAME from names that a disease or tool bears: ``Bell's palsy``, ``Salter-Harris``, not ``Dr. Bell``."""
    words, known, classes = tokens.words, lexicon(), announcing()
    for begin, last in _runs(labels, "NAME"):
        i, end = _with_partner(words, begin, last, known)
        borne = [w.lower() for w in words[i:end] if w[0].isalpha() and w.lower() != "s"]
        graded = [w.lower() for w in (*words[i:end][-1:], *words[end : end + 1])]
        if borne and borne[-1] in _GRADES:
            borne.pop()
        if not borne or "p" not in known.get(borne[-1], ""):
            continue
        before = next((w.lower() for w in reversed(words[max(0, i - 2) : i]) if w[0].isalpha()), "")
        after = next((w.lower() for w in words[end : end + 3] if w[0].isalpha() and w.lower() != "s"), "")
        every = all("p" in known.get(w, "") for w in borne)
        thing = after in _BEARS or (classes.get(after) == "medical" and every)
        graded_one = len(borne) == 1 and not _GRADES.isdisjoint(graded)
        paired = "-" in words[i:end] and every and classes.get(before) != "namekey"
        if classes.get(before) not in _OF_PEOPLE and (thing or graded_one or paired):
            labels[begin:last] = [OUTSIDE] * (last - begin)


def _with_partner(words: Sequence[str], begin: int, end: int, known: Mapping[str, str]) -> tuple[int, int]:
    """A run with what a hyphen joins to it, where that too is a name that things bear: ``Harris`` of ``Harris-Benedict``."""
    if begin > 1 and words[begin - 1] == "-" and "p" in known.get(words[begin - 2].lower(), ""):
        begin -= 2
    if words[end : end + 1] == ["-"] and "p" in known.get(words[min(end + 1, len(words) - 1)].lower(), ""):
        end += 2
    return begin, min(end, len(words))


def drop_shares(tokens: Tokens, labels: list[str]) -> None:
    """Take DATE from ``1/2 NS``, ``strength 4/5``: two small numbers that a word beside them says are no day."""
    words = tokens.words
    for i, end in _runs(labels, "DATE"):
        digits = [w for w in words[i:end] if w.isdecimal()]
        if any(w[0].isalpha() or len(w) > 2 for w in words[i:end]):
            continue
        if _in_a_row(tokens, i, end) or (
            len(digits) < 3 and (words[end - 1] == "/" or _is_decimal(tokens, end))
        ):
            labels[i:end] = [OUTSIDE] * (end - i)
            continue
        if len(digits) > 2:
            continue
        around = {w.lower() for w in words[max(0, i - 3) : i] if w[0].isalpha()}
        after = next((w.lower() for w in words[end : end + 4] if w[0].isalpha()), "")
        told = around & _GRADED or (after in _OUT_OF and words[end : end + 1] != [LINE_BREAK])
        if told or _graded_alike(words, i, end, digits):
            labels[i:end] = [OUTSIDE] * (end - i)


_BEFORE_TIMES = frozenset("at since from until till by before after around about @ ~".split())
_BETWEEN_TIMES = {"to", "and", "-", "\u2013", ","}


def drop_times(tokens: Tokens, labels: list[str]) -> None:
    """Take DATE from ``since 2200`` and ``from 2000 to 2130``, no years of now, where no date of the text is so late; and
    from the end of ``0700-1900``.
    """
    words, runs = tokens.words, _runs(labels, "DATE")
    late = [(i, end) for i, end in runs if any(_is_time(word, "2040", "2360") for word in words[i:end])]
    times = [
        (i, end)
        for i, end in late
        if all(_is_time(w, "2000", "2360") or w in _BETWEEN_TIMES for w in words[i:end])
    ]
    told = [
        (i, end) for i, end in times if i and (words[i - 1].lower() in _BEFORE_TIMES or _is_later(tokens, i))
    ]
    shifts = [(i, end) for i, end in runs if end - i == 1 and _is_shifts_end(tokens, i)]
    for i, end in [*(told if times == late else ()), *shifts]:
        labels[i:end] = [OUTSIDE] * (end - i)


def _is_later(tokens: Tokens, i: int) -> bool:
    """Whether a time stands before: ``at 1800 and 2130``."""
    words = tokens.words
    return i > 1 and words[i - 1] in _BETWEEN_TIMES and _is_time(words[i - 2], "0000", "2360")


def _is_shifts_end(tokens: Tokens, i: int) -> bool:
    starts, ends, words = tokens
    return (
        i > 1
        and words[i - 1] == "-"
        and _is_time(words[i - 2], "0000", "1000")
        and _is_time(words[i], "0000", "2360")
        and starts[i] == ends[i - 2] + 1
    )


def _is_time(word: str, least: str, end: str) -> bool:
    return len(word) == 4 and word.isascii() and word.isdigit() and least <= word < end and word[2] < "6"


_FIELDS = frozenset(
    "medicine medical internal family primary urgent emergency critical intensive acute surgery surgical dermatology "
    "cardiology neurology nephrology oncology hematology gastroenterology endocrinology rheumatology pulmonology pulmonary "
    "urology gynecology obstetrics pediatrics pediatric psychiatry radiology pathology anesthesia anesthesiology "
    "orthopedics orthopedic orthopaedics ophthalmology otolaryngology ent neurosurgery vascular thoracic transplant trauma "
    "pain wound infusion travel allergy geriatrics geriatric palliative hospice rehab rehabilitation physical occupational "
    "respiratory nutrition pharmacy laboratory imaging endoscopy preoperative postoperative admitting outpatient inpatient".split()
)
_UNITS = frozenset(
    "clinic clinics care service services unit ward department dept division section floor lab suite office desk room therapy "
    "waiting team consult consults and & idt".split()
)


def drop_departments(tokens: Tokens, labels: list[str]) -> None:
    """Take HOSPITAL from a department that has no name of its own: ``Internal Medicine``, ``the Pain Clinic``."""
    words = tokens.words
    for i, end in _runs(labels, "HOSPITAL"):
        said = [word.lower() for word in words[i:end] if word[0].isalpha() and word.lower() != "the"]
        if all(word in _FIELDS or word in _UNITS for word in said) and not _FIELDS.isdisjoint(said):
            labels[i:end] = [OUTSIDE] * (end - i)


def _in_a_row(tokens: Tokens, i: int, end: int) -> bool:
    """Whether numbers stand in a row of more than a date has, all with the same mark: ``137 / 4.1 / 107 / 27 / 19``."""
    words = tokens.words
    apart = {_slash(tokens, j) for j in range(i + 1, end - 1)} - {None}
    if len(apart) != 1 or any(word != "/" and not word.isdecimal() for word in words[i:end]):
        return False
    (one,) = apart
    before = i > 1 and words[i - 2].isdecimal() and _slash(tokens, i - 1) == one
    behind = end + 1 < len(words) and words[end + 1].isdecimal() and _slash(tokens, end) == one
    whole = end - i > 5 and all(word == "/" for word in words[i + 1 : end : 2])
    return before or behind or whole


def _slash(tokens: Tokens, j: int) -> tuple[bool, bool] | None:
    """Whether a slash has a space to either side; null for no slash."""
    if tokens.words[j] != "/":
        return None
    return tokens.starts[j] > tokens.ends[j - 1], tokens.starts[j + 1] > tokens.ends[j]


def _is_decimal(tokens: Tokens, end: int) -> bool:
    """Whether a point and more digits stand right behind: ``7 / 1.9``."""
    words, near = tokens.words[end : end + 2], tokens.starts[end : end + 2]
    return len(near) == 2 and words[0] == "." and words[1].isdigit() and near[1] == tokens.ends[end - 1] + 1


def _graded_alike(words: Sequence[str], i: int, end: int, digits: Sequence[str]) -> bool:
    """``DP 2/4, PT 1/4``: behind capitals, with another share of the same whole near."""
    if len(digits) != 2 or digits[1] not in ("4", "5") or int(digits[0]) > int(digits[1]):
        return False
    near = [*words[max(0, i - 6) : i], *words[end : end + 6]]
    alike = any(a == "/" and b == digits[1] for a, b in pairwise(near))
    return alike and i > 0 and words[i - 1].isupper() and len(words[i - 1]) < 5


_LETTERS_BEHIND = frozenset(
    "MD DO RN NP PA MS MA BA BS RD PT OT RT JD MBA DPM PsyD PhD EdD MPH LPN CNA CRNA".split()
)
_PERSONS = frozenset(("NAME", "LOCATION", "ORGANIZATION", "HOSPITAL"))


def drop_credentials(tokens: Tokens, labels: list[str]) -> None:
    """Take a label from letters behind a name, ``Smith, MD, MS``, and from a letter that is nobody's initial."""
    words, classes = tokens.words, announcing()
    for label in _PERSONS:
        for i, end in _runs(labels, label):
            before = words[i - 1] if i else ""
            said = [w for w in words[i:end] if w[0].isalpha()]
            behind = words[i - 2] if i > 1 and before == "," else ""
            named = i > 1 and labels[i - 2] == "NAME"
            letters = (named and all(map(_is_credential, said))) or (
                all(w.isupper() and len(w) < 7 for w in said)
                and (_is_credential(behind) or (named and _is_unlisted(behind, said)))
            )
            alone = (
                label == "NAME"
                and end - i == 1
                and len(words[i]) == 1
                and (i < 2 or classes.get(words[i - 2].lower()) != "title")
                and classes.get(before.lower()) not in _OF_PEOPLE | {"namekey"}
            )
            if (behind and said and letters) or alone:
                labels[i:end] = [OUTSIDE] * (end - i)


def _is_unlisted(name: str, letters: Sequence[str]) -> bool:
    """Whether capitals behind a name that is not in capitals are no word, or an abbreviation: ``Ann Lee, CDCES``."""
    return name.istitle() and len(letters) == 1 and set(lexicon().get(letters[0].lower(), "")) <= {"a"}


def _is_credential(word: str) -> bool:
    return word in _LETTERS_BEHIND or (word.isupper() and announcing().get(word.lower()) == "credential")


def join_names(tokens: Tokens, labels: list[str]) -> None:
    """Make the other half of a name with a hyphen a name: ``Weinstein-Braun``, not ``Foley-catheter``."""
    words = tokens.words
    for begin, end in _runs(labels, "NAME"):
        for hyphen, other in ((end, end + 1), (begin - 1, begin - 2)):
            if not (min(hyphen, other) >= 0 and max(hyphen, other) < len(words)) or words[hyphen] != "-":
                continue
            at = min(hyphen, other), max(hyphen, other)
            apart = (
                tokens.starts[hyphen] - tokens.ends[hyphen - 1]
                or tokens.starts[hyphen + 1] - tokens.ends[hyphen]
            )
            if not apart and labels[at[0]] == labels[at[1]] == OUTSIDE and _is_name(words[other]):
                labels[at[0]] = labels[at[1]] = "NAME"


def _is_name(word: str) -> bool:
    """Whether a capitalized word is no ordinary one and announces nothing."""
    lower = word.lower()
    ordinary = ORDINARY.intersection(lexicon().get(lower, "")) or lower in announcing()
    return len(word) > 2 and word.isalpha() and word[0].isupper() and not ordinary


_KEYS = {
    "FAX": "fax facsimile telefax telecopier faxed refaxed",
    "PHONE": "phone telephone tel cell mobile pager beeper pgr ph ext extension",
    "LICENSE": "license licence lic licensed dea npi",
    "MRN": "mrn record chart",
    "SSN": "ssn security",
    "HEALTH_PLAN": "policy member subscriber payer insurance insurer medicare medicaid beneficiary",
    "ACCOUNT": "account acct invoice iban",
    "VEHICLE": "vin plate plates",
    "DEVICE": "serial sn lot",
    "OTHER_ID": "passport badge accession specimen case claim docket ticket study rx",
}
_LABEL_OF = {key: label for label, keys in _KEYS.items() for key in keys.split()}
_NUMBERED = frozenset((*_KEYS, "ZIP"))
_BETWEEN = frozenset(
    "no num number numbers nr id ids is was to at card code state driver drivers lic".split()
)
KEY_REACH = 7  # tokens
_EXTENSIONS = {"ext", "extension"}
_FEW_AND_FOUR = re.compile(r"\d{1,2}-\d{4}")  # ext 4-2231


def name_by_key(tokens: Tokens, labels: list[str]) -> None:
    """Call a number what the word right before it calls it: ``Facsimile | 617-555-0100`` is a fax number."""
    words = tokens.words
    for label in (_NUMBERED | {"DATE"}).intersection(labels):
        for i, end in _runs(labels, label):
            if label == "DATE" and not _FEW_AND_FOUR.fullmatch("".join(words[i:end])):
                continue
            month = label == "DATE" and 1 <= int(words[i]) <= 12 and "1900" <= words[end - 1] < "2040"
            for j in range(i - 1, max(-1, i - 1 - KEY_REACH), -1):
                word = words[j].lower()
                named = _LABEL_OF.get(word)
                if named and labels[j] == OUTSIDE and not (month and word not in _EXTENSIONS):
                    labels[i:end] = [named] * (end - i)
                if named or (word[0].isalnum() and word not in _BETWEEN) or word == LINE_BREAK:
                    break


def _runs(labels: Sequence[str], label: str) -> list[tuple[int, int]]:
    """Where runs of one label begin and end."""
    if label not in labels:
        return []
    marks = [i for i in range(len(labels)) if labels[i] == label]
    begins = [i for i in marks if i == 0 or labels[i - 1] != label]
    ends = [i + 1 for i in marks if i + 1 == len(labels) or labels[i + 1] != label]
    return list(zip(begins, ends, strict=True))
