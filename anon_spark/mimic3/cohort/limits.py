"""What a release's policy makes impossible for a cohort, said before anything is computed."""

from anon_spark.errors import InputError
from anon_spark.mimic3.cohort.tasks import Task
from anon_spark.policy.model import Policy, Treatment

_GONE = {Treatment.DROP: "dropped", Treatment.SUPPRESS: "suppressed", Treatment.MASK: "masked"}
_EVENTS: dict[str, tuple[str, ...]] = {
    "ICUSTAYS": ("INTIME", "OUTTIME"),
    "CHARTEVENTS": ("CHARTTIME", "ITEMID", "VALUENUM"),
    "LABEVENTS": ("CHARTTIME", "ITEMID", "VALUENUM"),
}
_MORE: dict[str, dict[str, tuple[str, ...]]] = {
    "readmission": {"ADMISSIONS": ("ADMITTIME", "DISCHTIME")},
    "sepsis": {
        "OUTPUTEVENTS": ("CHARTTIME", "ITEMID", "VALUE"),
        "INPUTEVENTS_CV": ("CHARTTIME", "ITEMID", "RATE"),
        "INPUTEVENTS_MV": ("STARTTIME", "ENDTIME", "ITEMID", "RATE"),
        "PRESCRIPTIONS": ("STARTDATE", "DRUG"),
        "MICROBIOLOGYEVENTS": ("CHARTDATE",),
    },
}
_BY_DAY = {"ADMISSIONS", "PRESCRIPTIONS", "MICROBIOLOGYEVENTS"}  # where the day is enough


def check_treatments(policy: Policy, task: Task, *, release: str) -> None:
    """Raise InputError, one sentence, where a treatment takes away what the cohort needs."""
    for table, columns in (_EVENTS | _MORE.get(task.name, {})).items():
        for column in columns:
            rules = policy.tables[table].columns if table in policy.tables else {}
            treatment = rules[column].treatment if column in rules else Treatment.DROP
            reason = _GONE.get(treatment)
            if treatment is Treatment.ROUND_DAY and table not in _BY_DAY:
                reason = "rounded to days"
            if reason:
                raise InputError(
                    f"release {release}: {table}.{column} is {reason}, so the cohort '{task.name}' cannot be told"
                )
    if task.name == "readmission" and policy.cap == 1:
        raise InputError(
            f"release {release}: only a person's first admission is in it (cap: 1), so readmission cannot be told"
        )


def hidden_items(policy: Policy) -> frozenset[int]:
    """Item ids of events whose values the policy suppresses or whose rows it drops."""
    return frozenset(
        int(code)
        for rules in policy.tables.values()
        for rule in rules.row_rules
        if rule.action in {"suppress", "drop"} and rule.column == "ITEMID"
        for code in rule.codes
    )
