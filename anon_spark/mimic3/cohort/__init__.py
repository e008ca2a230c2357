"""Cohorts of MIMIC-III: who is in them, what is predicted, and what is known when.

The same code reads a release and the identified source. A release states ``PATIENTS.AGE`` as a band where the
source has a date of birth, and may have minutes since intensive care admission (``bigint``) where the source
has clocks.
"""

from anon_spark.mimic3.cohort.first_day import Item, first_stays, load_items, numeric_columns
from anon_spark.mimic3.cohort.limits import check_treatments, hidden_items
from anon_spark.mimic3.cohort.people import CATEGORICAL, DESCRIPTIVE, LABEL, MISSING, hospital_days
from anon_spark.mimic3.cohort.tasks import TASKS, Cohort, Task, build_cohort, find_task

__all__ = [
    "CATEGORICAL",
    "DESCRIPTIVE",
    "LABEL",
    "MISSING",
    "TASKS",
    "Cohort",
    "Item",
    "Task",
    "build_cohort",
    "check_treatments",
    "find_task",
    "first_stays",
    "hidden_items",
    "hospital_days",
    "load_items",
    "numeric_columns",
]
