"""How large a source is made: the options, and all numbers that follow from them before any row exists."""

import math
from dataclasses import dataclass
from functools import cached_property

from pyspark.sql import Column
from pyspark.sql import functions as F

from anon_spark.errors import PolicyError
from anon_spark.mimic3.generate.draws import Draws, Numbering, literal, numbering

# Share of people with at least 1, 2, 3, ... admissions: 1.27 admissions a person on average, as in MIMIC-III.
ADMISSIONS_AT_LEAST = (
    *(1.0, 0.15, 0.055, 0.026, 0.014, 0.008, 0.005, 0.0035),
    *(0.0025, 0.0018, 0.0013, 0.001, 0.0007, 0.0005, 0.0003),
)
SECOND_STAY = 16  # one admission in so many has a second intensive care stay
CAREGIVER_NUMBERS = 7_573  # prime; MIMIC's CGIDs run from 14001 to 21573
FEWEST_EVENTS = 20
INT_MAX = 2**31 - 1

VITALS_ANCHORED = 7  # kinds of vital sign charted together within the first 24 hours
STATED = 9  # slots of a stay's charted statements on the person: religion, height, ...
LABS_ANCHORED = 4  # kinds of laboratory value taken together within the first 24 hours

# Rows of a stay by table: (at least, share of the stay's CHARTEVENTS).
EVENTS = {
    "LABEVENTS": (14.0, 0.10),
    "INPUTEVENTS_CV": (1.0, 0.08),
    "INPUTEVENTS_MV": (1.0, 0.04),
    "OUTPUTEVENTS": (1.0, 0.04),
    "DATETIMEEVENTS": (1.0, 0.015),
    "PRESCRIPTIONS": (2.0, 0.03),
    "PROCEDUREEVENTS_MV": (0.0, 0.008),
    "MICROBIOLOGYEVENTS": (0.3, 0.006),
    "CPTEVENTS": (1.0, 0.006),
}


@dataclass(frozen=True, kw_only=True)
class Plan:
    """A source to be made.

    Raises:
        PolicyError: when a figure is too small to make a source, or so large that ROW_ID leaves its type.
    """

    patients: int
    events_per_stay: int = 200
    identified: bool = False
    seed: int = 7

    def __post_init__(self) -> None:
        problems = []
        if self.patients < 1:
            problems.append(f"patients must be at least 1, got {self.patients}")
        if self.events_per_stay < FEWEST_EVENTS:
            problems.append(f"events_per_stay must be at least {FEWEST_EVENTS}, got {self.events_per_stay}")
        if not problems and self.stays * self.most_charted > INT_MAX:
            problems.append("patients times events_per_stay is too large: ROW_ID of CHARTEVENTS is an int")
        if problems:
            raise PolicyError(problems)

    @cached_property
    def draws(self) -> Draws:
        """The randomness of this seed."""
        return Draws(self.seed)

    @cached_property
    def admissions_at_least(self) -> tuple[int, ...]:
        """People with at least 1, 2, 3, ... admissions; in 100 people or more, one has the most."""
        fewest = int(self.patients >= 100)
        return tuple(max(round(self.patients * share), fewest) for share in ADMISSIONS_AT_LEAST)

    @property
    def admissions(self) -> int:
        """Admissions planned; those after a death in hospital do not come to be."""
        return sum(self.admissions_at_least)

    @property
    def stays(self) -> int:
        """Numbers that intensive care stays may have."""
        return self.admissions + self.admissions // SECOND_STAY + 1

    @property
    def caregivers(self) -> int:
        """People who chart."""
        return min(200 + self.patients // 8, CAREGIVER_NUMBERS)

    @property
    def repeats(self) -> int:
        """Times that each anchored vital sign is charted within a stay's first 24 hours."""
        return min(max(self.events_per_stay // 12, 1), 5)

    @property
    def fewest_charted(self) -> int:
        """Fewest CHARTEVENTS of a stay."""
        return VITALS_ANCHORED * self.repeats + STATED

    @property
    def most_charted(self) -> int:
        """Most CHARTEVENTS of a stay."""
        return self.fewest_charted + 4 * self.events_per_stay

    def most(self, table: str) -> int:
        """Most rows of ``table`` of one stay: the stride of its ROW_IDs."""
        least, share = EVENTS[table]
        return math.ceil(least + share * self.most_charted) + 1

    @cached_property
    def subject_ids(self) -> Numbering:
        """SUBJECT_ID of a person's number."""
        return numbering(self.draws, "SUBJECT_ID", first=2, size=99_989, count=self.patients)

    @cached_property
    def hadm_ids(self) -> Numbering:
        """HADM_ID of an admission's number."""
        return numbering(self.draws, "HADM_ID", first=100_001, size=99_989, count=self.admissions)

    @cached_property
    def icustay_ids(self) -> Numbering:
        """ICUSTAY_ID of a stay's number."""
        return numbering(self.draws, "ICUSTAY_ID", first=200_001, size=99_989, count=self.stays)

    @cached_property
    def cgids(self) -> Numbering:
        """CGID of a caregiver's number."""
        return numbering(self.draws, "CGID", first=14_001, size=CAREGIVER_NUMBERS, count=self.caregivers)

    def caregiver(self, salt: str, *ids: Column | str) -> Column:
        """CGID of whoever did it."""
        return self.cgids.of(self.draws.index(salt, self.caregivers, *ids))

    def rank(self, person: Column) -> Column:
        """A one-to-one shuffle of people: the first ranks have the most admissions."""
        multiplier = self.patients * 618 // 1000 + 1
        while math.gcd(multiplier, self.patients) > 1:
            multiplier += 1
        return (person * multiplier + abs(self.draws.number("rank")) % self.patients) % self.patients

    def admission_count(self, rank: Column) -> Column:
        """Admissions planned for the person of this rank."""
        return F.size(F.filter(literal(self.admissions_at_least, "array<bigint>"), lambda n: rank < n))

    def admission_number(self, rank: Column, j: Column) -> Column:
        """A number of its own for every admission: those of place ``j`` follow those of lower places."""
        offsets = [sum(self.admissions_at_least[:place]) for place in range(len(ADMISSIONS_AT_LEAST))]
        return F.get(literal(offsets, "array<bigint>"), j) + rank
