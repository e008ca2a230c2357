"""What happens to each column and row: the policy that a privacy officer signs, as pydantic models.

A policy is data: nothing here reads files or touches Spark. ``load.py`` reads YAML into these models,
``check.py`` holds them against a schema.
"""

from enum import StrEnum
from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from anon_spark.privacy.criteria import Privacy

LossName = Literal["loss_am", "loss_gm", "nuentropy", "discernibility", "average_class_size", "precision"]


class Strict(BaseModel):
    """Unknown keys are errors; a loaded policy never changes."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class Role(StrEnum):
    """What a column is to an attacker."""

    IDENTIFIER = "identifier"
    QUASI_IDENTIFIER = "quasi_identifier"
    TIMING = "timing"
    SENSITIVE = "sensitive"
    FREE_TEXT = "free_text"
    KEPT = "kept"


class Treatment(StrEnum):
    """What is done to every value of a column."""

    DROP = "drop"  # the released table does not have the column
    SUPPRESS = "suppress"  # the column stays, every cell is suppressed: null, or '*' in text (Eq. 4)
    KEEP = "keep"
    PSEUDONYM = "pseudonym"  # keyed pseudonym of the column's id domain (Eq. 2)
    MASK = "mask"  # part of the characters hidden
    GENERALIZE = "generalize"  # the level the search chose for the quasi-identifier (Eq. 3)
    SHIFT = "shift"  # timestamps move by the person's own offset
    ROUND_HOUR = "round_hour"  # shifted, then cut to the hour
    ROUND_DAY = "round_day"  # shifted, then cut to the day
    ELAPSED = "elapsed"  # whole minutes since the start of the row's intensive care stay (bigint)
    BIRTH = "birth"  # a date of birth consistent with the released age band, or null
    VOCABULARY = "vocabulary"  # numbers and the words of a closed list stay, other text is suppressed
    SCRUB = "scrub"  # personal text in free text is found and replaced
    BOUNDED = "bounded"  # numbers of magnitude `below` or more are suppressed: ids typed as values


ALLOWED: dict[Role, frozenset[Treatment]] = {
    Role.IDENTIFIER: frozenset({Treatment.DROP, Treatment.SUPPRESS, Treatment.PSEUDONYM, Treatment.MASK}),
    Role.QUASI_IDENTIFIER: frozenset(
        {Treatment.DROP, Treatment.SUPPRESS, Treatment.GENERALIZE, Treatment.BIRTH}
    ),
    Role.TIMING: frozenset(
        {
            Treatment.DROP,
            Treatment.SUPPRESS,
            Treatment.SHIFT,
            Treatment.ROUND_HOUR,
            Treatment.ROUND_DAY,
            Treatment.ELAPSED,
        }
    ),
    Role.SENSITIVE: frozenset({Treatment.DROP, Treatment.SUPPRESS, Treatment.KEEP, Treatment.BOUNDED}),
    Role.FREE_TEXT: frozenset({Treatment.DROP, Treatment.SUPPRESS, Treatment.VOCABULARY, Treatment.SCRUB}),
    Role.KEPT: frozenset({Treatment.DROP, Treatment.KEEP, Treatment.BOUNDED}),
}
_PARAMETERS: dict[str, Treatment] = {
    "domain": Treatment.PSEUDONYM,
    "pattern": Treatment.MASK,
    "vocabulary": Treatment.VOCABULARY,
    "below": Treatment.BOUNDED,
}


class Column(Strict):
    """Role and treatment of one column, with the one parameter its treatment needs."""

    role: Role
    treatment: Treatment
    domain: str | None = None  # pseudonym: which ids belong together
    pattern: str | None = None  # mask: '*' hides a character, '#' keeps it, all else stands as it is
    vocabulary: str | None = None  # vocabulary: name of a list under conf/vocabularies
    below: float | None = None  # bounded
    quasi_identifier: str | None = None  # generalize, birth: which one, by default the column's own name

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.treatment not in ALLOWED[self.role]:
            allowed = ", ".join(sorted(ALLOWED[self.role]))
            raise ValueError(f"role {self.role} takes one of {allowed}, not {self.treatment}")
        for parameter, treatment in _PARAMETERS.items():
            if (getattr(self, parameter) is not None) != (self.treatment is treatment):
                verb = "needs" if self.treatment is treatment else "does not take"
                raise ValueError(f"treatment {self.treatment} {verb} '{parameter}'")
        if self.quasi_identifier is not None and self.role is not Role.QUASI_IDENTIFIER:
            raise ValueError(f"role {self.role} does not take 'quasi_identifier'")
        return self


class RowRule(Strict):
    """What happens to the rows whose ``column`` holds one of ``codes``: chart items that state facts."""

    name: str
    column: str
    codes: Annotated[list[int | str], Field(min_length=1)]
    action: Literal["drop", "suppress", "generalize"]
    cells: list[str] = []  # suppress: these columns' cells; generalize: the numbers beside the text
    value: str | None = None  # generalize: the text column that states the quasi-identifier
    quasi_identifier: str | None = None  # generalize: which one
    map: dict[str, str] = {}  # generalize: the source's code to a leaf of the hierarchy

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.action == "suppress" and not self.cells:
            raise ValueError("action suppress needs 'cells'")
        if self.action == "generalize" and not (self.value and self.quasi_identifier and self.map):
            raise ValueError("action generalize needs 'value', 'quasi_identifier' and 'map'")
        return self


class TableRules(Strict):
    """All that happens to one table."""

    columns: dict[str, Column]
    row_rules: list[RowRule] = []
    derived: list[str] = []  # derived quasi-identifiers written to this table as new text columns


class TableSchema(Strict):
    """A source table that the base schema lacks, in the compact form of ``schema.parse_table``."""

    columns: str  # "ID:int! NAME:string"
    foreign_keys: str = ""  # "ID->PATIENTS.ID"
    multiline: bool = False


class People(Strict):
    """The table with one row a person."""

    table: str
    id: str


class Admissions(Strict):
    """The table with one row an admission; ``order`` tells a person's first from the later ones.

    The first column of ``order`` says when an admission begins, ``end`` when it ends.
    """

    table: str
    id: str
    order: Annotated[list[str], Field(min_length=1)]
    end: str | None = None


class Stays(Strict):
    """Intensive care stays: the clock that elapsed times start from."""

    table: str
    id: str
    start: str


class QuasiIdentifier(Strict):
    """One thing an attacker may know: of the person, or of each admission (DESIGN: the unit is a person).

    A person's value that the source holds per admission is that of the first admission.
    ``derive: age`` is completed years from ``birth`` to the first admission's ``at``; above 89 it is 90.
    """

    unit: Literal["person", "admission"]
    hierarchy: str
    column: str | None = None  # TABLE.COLUMN
    derive: Literal["age"] | None = None
    birth: str | None = None  # TABLE.COLUMN
    at: str | None = None  # TABLE.COLUMN
    weight: Annotated[float, Field(ge=0)] = 1.0  # in the loss

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if (self.column is None) == (self.derive is None):
            raise ValueError("exactly one of 'column' and 'derive' is needed")
        if self.derive == "age" and not (self.birth and self.at and self.unit == "person"):
            raise ValueError("derive age needs 'birth', 'at' and unit person")
        return self


class Sensitive(Strict):
    """A sensitive attribute, from the rows where ``where`` holds: one value a person, the first admission's.

    ``set``: all values of all the person's rows instead; then the criteria bound P(value | class).
    """

    column: str  # TABLE.COLUMN
    where: dict[str, int | str] = {}  # column to value, e.g. SEQ_NUM: 1
    group: Literal["icd9_chapter", "none"] = "none"
    set: bool = False


class Attacker(Strict):
    """What the attacker knows: any one admission of a person, any ``n`` of them, or ``all``, their number included."""

    admissions: Annotated[int, Field(ge=1, le=5)] | Literal["all"] = 1

    @property
    def known(self) -> int | None:
        """How many admissions, None being all."""
        return None if self.admissions == "all" else self.admissions


class Shift(Strict):
    """Per-person offset of all dates: between ``min_weeks`` and ``max_weeks`` whole weeks, back or forth."""

    min_weeks: Annotated[int, Field(ge=1)] = 52
    max_weeks: Annotated[int, Field(ge=2, le=2600)] = 520

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.max_weeks <= self.min_weeks:
            raise ValueError("max_weeks must be above min_weeks")
        return self


class Timing(Strict):
    """The day-level attack: length of stay in days and days between admissions, per person."""

    max_unique: Annotated[float, Field(ge=0, le=1)] | None = None  # gate: share of people, None prints only


class FreeText(Strict):
    """How the text of columns with treatment ``scrub`` is replaced, and what the tables hold of each person.

    ``hints``: younger ages and religions in words are replaced too. ``known``: table to column to label, e.g.
    ``PATIENTS: {NAME: NAME}``; the tables have the person's id. ``max_known_left``: gate, places of released text that
    still say what is known of their person.
    """

    replacement: Literal["tag", "mask", "remove", "surrogate"] = "tag"
    hints: bool = True
    known: dict[str, dict[str, str]] = {}
    max_known_left: Annotated[int, Field(ge=0)] = 0


class Policy(Strict):
    """A whole policy: who is protected, from whom, and what each column and row becomes."""

    name: str
    description: str = ""
    profile: Literal["expert"] = "expert"
    base_schema: Literal["mimic3"] | None = None
    schema_: Annotated[dict[str, TableSchema], Field(alias="schema")] = {}
    people: People
    admissions: Admissions | None = None
    stays: Stays | None = None
    domains: dict[str, str]  # id domain to its parent, TABLE.COLUMN
    orphans: dict[str, Literal["keep", "quarantine"]] = {}  # id domain to what an id without a parent becomes
    attacker: Attacker = Attacker()
    privacy: Privacy = Privacy()
    suppression_limit: Annotated[float, Field(ge=0, le=1)] = 0.05  # share of people
    loss: LossName = "loss_am"  # what the search minimizes
    # one level vector for all people, or parts with levels of their own; unsaid it is no part of the policy's hash
    recoding: Annotated[
        Literal["full_domain", "local"], Field(exclude_if=lambda recoding: recoding == "full_domain")
    ] = "full_domain"
    max_nodes: Annotated[int, Field(ge=1)] = 2000  # size of the lattice
    cap: Annotated[int, Field(ge=1)] | Literal["auto"] | None = None  # keep a person's earliest n admissions
    shift: Shift = Shift()
    timing: Timing = Timing()
    free_text: FreeText = FreeText()
    small_cell: Annotated[int, Field(ge=1)] = 11
    quasi_identifiers: Annotated[dict[str, QuasiIdentifier], Field(min_length=1)]
    sensitive: Annotated[dict[str, Sensitive], Field(min_length=1)]
    tables: Annotated[dict[str, TableRules], Field(min_length=1)]


def split_ref(reference: str) -> tuple[str, str]:
    """Split ``TABLE.COLUMN``.

    >>> split_ref("PATIENTS.DOB")
    ('PATIENTS', 'DOB')
    """
    table, _, column = reference.partition(".")
    return table, column
