"""A small hospital of four tables, written as CSV, and a policy for it: any relational tables by policy."""

import csv
import random
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

HIERARCHIES = {
    "sex": "F;*\nM;*\n",
    "kind": "EMERGENCY;UNPLANNED;*\nURGENT;UNPLANNED;*\nELECTIVE;PLANNED;*\n",
    "town": "ASH;NORTH;*\nBIRCH;NORTH;*\nCEDAR;SOUTH;*\nELM;SOUTH;*\n",
}

POLICY = """
name: toy
schema:
  PEOPLE: {columns: "PID:int! SEX:string BORN:timestamp NAME:string SSN:string"}
  VISITS:
    columns: "VID:int! PID:int! BEGAN:timestamp! ENDED:timestamp KIND:string TOWN:string CODE:string"
    foreign_keys: "PID->PEOPLE.PID"
  STAYS: {columns: "SID:int! PID:int! VID:int! SINCE:timestamp", foreign_keys: "PID->PEOPLE.PID VID->VISITS.VID"}
  EVENTS:
    columns: "EID:int! PID:int! VID:int SID:int AT:timestamp ITEM:int TEXT:string NUM:double"
    foreign_keys: "PID->PEOPLE.PID VID->VISITS.VID SID->STAYS.SID"
people: {table: PEOPLE, id: PID}
admissions: {table: VISITS, id: VID, order: [BEGAN, VID], end: ENDED}
stays: {table: STAYS, id: SID, start: SINCE}
domains: {person: PEOPLE.PID, visit: VISITS.VID, stay: STAYS.SID}
orphans: {person: quarantine, visit: keep, stay: keep}
privacy: {k: 3, l: 2}
suppression_limit: 0.3
quasi_identifiers:
  SEX: {unit: person, column: PEOPLE.SEX, hierarchy: sex}
  AGE: {unit: person, derive: age, birth: PEOPLE.BORN, at: VISITS.BEGAN, hierarchy: age}
  TOWN: {unit: person, column: VISITS.TOWN, hierarchy: town}
  KIND: {unit: admission, column: VISITS.KIND, hierarchy: kind}
sensitive:
  CODE: {column: VISITS.CODE}
tables:
  PEOPLE:
    derived: [AGE]
    columns:
      PID: {role: identifier, treatment: pseudonym, domain: person}
      SEX: {role: quasi_identifier, treatment: generalize}
      BORN: {role: quasi_identifier, treatment: birth, quasi_identifier: AGE}
      NAME: {role: identifier, treatment: drop}
      SSN: {role: identifier, treatment: mask, pattern: "***-**-****"}
  VISITS:
    columns:
      VID: {role: identifier, treatment: pseudonym, domain: visit}
      PID: {role: identifier, treatment: pseudonym, domain: person}
      BEGAN: {role: timing, treatment: shift}
      ENDED: {role: timing, treatment: shift}
      KIND: {role: quasi_identifier, treatment: generalize}
      TOWN: {role: quasi_identifier, treatment: generalize}
      CODE: {role: sensitive, treatment: keep}
  STAYS:
    columns:
      SID: {role: identifier, treatment: pseudonym, domain: stay}
      PID: {role: identifier, treatment: pseudonym, domain: person}
      VID: {role: identifier, treatment: pseudonym, domain: visit}
      SINCE: {role: timing, treatment: shift}
  EVENTS:
    columns:
      EID: {role: identifier, treatment: drop}
      PID: {role: identifier, treatment: pseudonym, domain: person}
      VID: {role: identifier, treatment: pseudonym, domain: visit}
      SID: {role: identifier, treatment: pseudonym, domain: stay}
      AT: {role: timing, treatment: shift}
      ITEM: {role: kept, treatment: keep}
      TEXT: {role: free_text, treatment: vocabulary, vocabulary: toy}
      NUM: {role: sensitive, treatment: bounded, below: 1000}
    row_rules:
      - {name: faith, column: ITEM, codes: [7], action: drop}
      - {name: sex, column: ITEM, codes: [8], action: suppress, cells: [TEXT, NUM]}
      - name: town
        column: ITEM
        codes: [9]
        action: generalize
        value: TEXT
        quasi_identifier: TOWN
        map: {a: ASH, b: BIRCH, c: CEDAR, e: ELM}
"""

HEADERS = {
    "PEOPLE": ["pid", "SEX", "BORN", "NAME", "SSN"],
    "VISITS": ["VID", "PID", "BEGAN", "ENDED", "KIND", "TOWN", "CODE"],
    "STAYS": ["SID", "PID", "VID", "SINCE"],
    "EVENTS": ["EID", "PID", "VID", "SID", "AT", "ITEM", "TEXT", "NUM"],
}


@dataclass
class Hospital:
    """Rows of the four tables, to be changed by a test before they are written."""

    rows: dict[str, list[list[Any]]] = field(default_factory=dict)

    @classmethod
    def make(cls, people: int = 60, seed: int = 1) -> "Hospital":
        """Rows drawn with a fixed seed: skewed towns, one to three visits, events with what row rules are about."""
        draw = random.Random(seed)
        rows: dict[str, list[list[Any]]] = {name: [] for name in HEADERS}
        for i in range(people):
            pid = 1000 + 7 * i
            sex = draw.choice("FM")
            born = datetime(1950, 1, 1) + timedelta(days=draw.randrange(20000))
            rows["PEOPLE"].append([pid, sex, born, f"Person {i}", f"{100 + i}-22-{4000 + i}"])
            town = draw.choices(["ASH", "BIRCH", "CEDAR", "ELM"], [6, 4, 2, 1])[0]
            for j in range(draw.choices([1, 2, 3], [7, 2, 1])[0]):
                vid = 50000 + 100 * i + j
                began = datetime(2015, 1, 1) + timedelta(days=400 * j, minutes=draw.randrange(400_000))
                days = draw.randrange(1, 9)
                kind = draw.choices(["EMERGENCY", "URGENT", "ELECTIVE", ""], [6, 1, 3, 1])[0]
                code = draw.choice(["A", "B", "C", "D"])
                rows["VISITS"].append([vid, pid, began, began + timedelta(days=days), kind, town, code])
                sid = vid + 300_000
                rows["STAYS"].append([sid, pid, vid, began + timedelta(hours=2)])
                for e in range(draw.randrange(3, 9)):
                    item = draw.choice([1, 2, 7, 8, 9])
                    text = {1: "None", 2: "36.6", 7: "catholic", 8: sex, 9: town[0].lower()}[item]
                    number = 36.6 if item == 2 else ""
                    at = began + timedelta(hours=3 + e)
                    rows["EVENTS"].append([vid * 10 + e, pid, vid, sid, at, item, text, number])
        return cls(rows)

    def write(self, folder: Path, *, files: int = 1) -> Path:
        """Write every table as ``files`` CSV files in a folder of its own."""
        for name, rows in self.rows.items():
            place = folder / f"{name.lower()}.csv"
            place.mkdir(parents=True)
            for part in range(files):
                with (place / f"part-{part}.csv").open("w", newline="") as file:
                    writer = csv.writer(file)
                    writer.writerow(HEADERS[name])
                    writer.writerows(rows[part::files])
        return folder


def write_policy(folder: Path, text: str = POLICY, name: str = "toy") -> Path:
    """Write the policy with its hierarchies and vocabulary and return its path."""
    for kind, files in (("hierarchies", HIERARCHIES), ("vocabularies", {"toy": "value\nNone\n"})):
        (folder / kind).mkdir(parents=True, exist_ok=True)
        for file, content in files.items():
            (folder / kind / f"{file}.csv").write_text(content)
    (folder / "policies").mkdir(exist_ok=True)
    place = folder / "policies" / f"{name}.yaml"
    place.write_text(text)
    return place
