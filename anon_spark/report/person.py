"""A fictitious person, before and after: what a release does to one history, without a row of any source.

The raw rows are invented here; names, ids and dates belong to nobody. The release's own levels, treatments
and hierarchies are applied to them. Pseudonyms and the date offset come from a published example key, so that
they look like a release's and are found in none.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from anon_spark.anonymize.hierarchy import Hierarchy
from anon_spark.deidentify.free_text import note_settings
from anon_spark.deidentify.masking import mask_text
from anon_spark.deidentify.pseudonyms import pseudonym, shift_days, text_pseudonym
from anon_spark.detect.notes.model import get_detector
from anon_spark.detect.notes.scrubber import scrub_texts
from anon_spark.errors import InputError
from anon_spark.policy.model import Column, Policy, RowRule, Treatment

EXAMPLE_KEY = b"the example key of the report; it protects nothing"
PERSON_ID = 990017342
FIRST_ADMISSION = datetime(2152, 8, 23, 7, 42)
STAY_START = datetime(2152, 8, 23, 9, 5)
MISSING = "–"  # noqa: RUF001  (an en dash reads as "nothing here")


@dataclass(frozen=True)
class Cell:
    """One raw value of the fictitious person; ``item`` is the chart item of its row."""

    table: str
    column: str
    value: str | int | datetime
    item: int | None = None
    item_name: str = ""


PERSON = (
    Cell("PATIENT_IDENTITY", "NAME", "Imelda Quillfeather"),
    Cell("PATIENT_IDENTITY", "SSN", "990-01-7342"),
    Cell("PATIENT_IDENTITY", "ZIP", "00042"),
    Cell("PATIENTS", "SUBJECT_ID", PERSON_ID),
    Cell("PATIENTS", "GENDER", "F"),
    Cell("PATIENTS", "DOB", datetime(2081, 3, 14)),
    Cell("PATIENTS", "AGE", "71"),
    Cell("ADMISSIONS", "HADM_ID", 990284915),
    Cell("ADMISSIONS", "ADMITTIME", FIRST_ADMISSION),
    Cell("ADMISSIONS", "DISCHTIME", datetime(2152, 8, 29, 15, 10)),
    Cell("ADMISSIONS", "ADMISSION_TYPE", "EMERGENCY"),
    Cell("ADMISSIONS", "INSURANCE", "Medicare"),
    Cell("ADMISSIONS", "LANGUAGE", "SPAN"),
    Cell("ADMISSIONS", "RELIGION", "CATHOLIC"),
    Cell("ADMISSIONS", "MARITAL_STATUS", "WIDOWED"),
    Cell("ADMISSIONS", "ETHNICITY", "HISPANIC/LATINO - PUERTO RICAN"),
    Cell("ADMISSIONS", "DIAGNOSIS", "PNEUMONIA; PT OF DR QUILLFEATHER"),
    Cell("ICUSTAYS", "INTIME", STAY_START),
    Cell("CHARTEVENTS", "CHARTTIME", datetime(2152, 8, 23, 13, 0), 220045, "Heart Rate"),
    Cell("CHARTEVENTS", "VALUENUM", 88, 220045, "Heart Rate"),
    Cell("CHARTEVENTS", "VALUE", "Catholic", 226543, "Religion"),
    Cell("DIAGNOSES_ICD", "ICD9_CODE", "486"),
    Cell("NOTEEVENTS", "TEXT", "Mrs Imelda Quillfeather, MRN 990017342, seen by Dr Ottokar Brandl."),
)


@dataclass(frozen=True, kw_only=True)
class Example:
    """The fictitious person under a policy; ``hierarchies`` by their own names, as ``load_policy`` gives."""

    policy: Policy
    hierarchies: Mapping[str, Hierarchy]
    cells: tuple[Cell, ...] = PERSON


@dataclass(frozen=True)
class BeforeAfter:
    """A line of the table: one value, what became of it and by which treatment."""

    table: str
    column: str
    before: str
    after: str
    treatment: str


def before_after_table(example: Example, levels: Mapping[str, int]) -> list[BeforeAfter]:
    """What a release at ``levels`` makes of each value of the fictitious person.

    Args:
        levels: the released level by quasi-identifier.

    Returns:
        One line a value whose column the policy has or derives.
    """
    lines = []
    for cell in example.cells:
        rules = example.policy.tables.get(cell.table)
        if rules is None:
            continue
        if cell.column in rules.derived:
            after, treatment = _generalized(example, levels, cell.column, str(cell.value))
            treatment = f"derived, then {treatment}"
        elif row_rule := _row_rule(rules.row_rules, cell):
            after, treatment = _by_row_rule(example, levels, row_rule, cell)
        elif cell.column in rules.columns:
            after, treatment = _treated(example, levels, rules.columns[cell.column], cell)
        else:
            continue
        name = f"{cell.column} ({cell.item_name})" if cell.item_name else cell.column
        lines.append(BeforeAfter(cell.table, name, _text(cell.value), after, treatment))
    return lines


def _text(value: object) -> str:
    if not isinstance(value, datetime):
        return str(value)
    return f"{value:%Y-%m-%d %H:%M}".removesuffix(" 00:00")


def _row_rule(rules: list[RowRule], cell: Cell) -> RowRule | None:
    touches = (
        rule
        for rule in rules
        if cell.item is not None
        and {cell.item, str(cell.item)} & {*rule.codes}
        and (rule.action == "drop" or cell.column in (*rule.cells, rule.value))
    )
    return next(touches, None)


def _by_row_rule(example: Example, levels: Mapping[str, int], rule: RowRule, cell: Cell) -> tuple[str, str]:
    if rule.action == "drop":
        return MISSING, "row left out: it states a fact about the person"
    leaf = rule.map.get(str(cell.value)) if cell.column == rule.value else None
    if leaf is None or rule.quasi_identifier is None:
        return "*", "suppressed: it states a fact about the person"
    return _generalized(example, levels, rule.quasi_identifier, leaf)


def _generalized(
    example: Example, levels: Mapping[str, int], quasi_identifier: str, leaf: str
) -> tuple[str, str]:
    hierarchy = _hierarchy(example, quasi_identifier)
    level = levels[quasi_identifier]
    treatment = f"generalized, level {level} of {hierarchy.height}"
    try:
        return hierarchy.label(leaf, level) or MISSING, treatment
    except InputError:  # a policy's own hierarchy need not have the example's value
        return MISSING, f"{treatment}; this hierarchy has no such value"


def _hierarchy(example: Example, quasi_identifier: str) -> Hierarchy:
    return example.hierarchies[example.policy.quasi_identifiers[quasi_identifier].hierarchy]


def _treated(example: Example, levels: Mapping[str, int], rule: Column, cell: Cell) -> tuple[str, str]:
    value = cell.value
    match rule.treatment:
        case Treatment.DROP:
            result = MISSING, "dropped"
        case Treatment.KEEP:
            result = _text(value), "kept"
        case Treatment.PSEUDONYM if rule.domain is not None:
            result = _pseudonym(rule.domain, value), "keyed pseudonym (example)"
        case Treatment.MASK if rule.pattern is not None:
            result = mask_text(str(value), rule.pattern) or MISSING, "masked"
        case Treatment.GENERALIZE:
            result = _generalized(example, levels, rule.quasi_identifier or cell.column, str(value))
        case Treatment.BIRTH:
            result = _birth(example, levels), "a date that fits the age band, or none"
        case Treatment.BOUNDED if rule.below is not None and isinstance(value, int):
            result = (
                str(value) if abs(value) < rule.below else MISSING,
                "kept while no larger than a measurement",
            )
        case Treatment.VOCABULARY:
            result = "*", "numbers and listed words stay, other text is suppressed"
        case Treatment.SCRUB:
            result = _scrubbed(example.policy, _text(value)), "personal text replaced where it was found"
        case _ if isinstance(value, datetime):
            result = _timing(example.policy, rule.treatment, value)
        case _:
            result = "*", "suppressed"
    return result


def _scrubbed(policy: Policy, text: str) -> str:
    how = note_settings(policy, EXAMPLE_KEY).replacing("example", _offset(policy).days)
    return scrub_texts([text], get_detector(), how).texts[0] or "*"


def _pseudonym(domain: str, value: str | int | datetime) -> str:
    if isinstance(value, int):
        return str(pseudonym(EXAMPLE_KEY, domain, value))
    return text_pseudonym(EXAMPLE_KEY, domain, _text(value))


def _timing(policy: Policy, treatment: Treatment, value: datetime) -> tuple[str, str]:
    shifted = value + _offset(policy)
    match treatment:
        case Treatment.SHIFT:
            return _text(shifted), "moved by the person's offset (example)"
        case Treatment.ROUND_HOUR:
            return _text(shifted.replace(minute=0)), "moved (example), cut to the hour"
        case Treatment.ROUND_DAY:
            return f"{shifted:%Y-%m-%d}", "moved (example), cut to the day"
        case Treatment.ELAPSED:
            minutes = (value - STAY_START) // timedelta(minutes=1)
            return str(minutes), "minutes since the start of intensive care"
        case _:
            return MISSING, "suppressed"


def _offset(policy: Policy) -> timedelta:
    return timedelta(days=shift_days(EXAMPLE_KEY, PERSON_ID, policy.shift))


def _birth(example: Example, levels: Mapping[str, int]) -> str:
    """The middle of the age band, counted back from the moved first admission, as the release does."""
    ages = [name for name, each in example.policy.quasi_identifiers.items() if each.derive == "age"]
    leaf = next(str(cell.value) for cell in example.cells if cell.column == "AGE")
    for name in ages:
        bounds = _hierarchy(example, name).bounds(_generalized(example, levels, name, leaf)[0])
        if bounds is not None:
            admitted = FIRST_ADMISSION + _offset(example.policy)
            months = admitted.year * 12 + admitted.month - 1 - (sum(bounds) + 1) * 6
            return f"{datetime(months // 12, months % 12 + 1, min(admitted.day, 28)):%Y-%m-%d}"
    return MISSING
