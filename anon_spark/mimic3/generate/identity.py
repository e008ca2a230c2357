"""What a hospital's own source has and MIMIC-III does not: names, numbers and addresses."""

from collections.abc import Iterator

import pyarrow as pa
from faker import Faker
from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F
from pyspark.sql.types import StringType, StructField, StructType

from anon_spark.mimic3.generate.draws import numbering
from anon_spark.mimic3.generate.plan import Plan
from anon_spark.policy.schema import parse_table

IDENTITY_TABLE = parse_table(
    "PATIENT_IDENTITY",
    "SUBJECT_ID:int! NAME:string SSN:string MRN:string PHONE:string EMAIL:string STREET:string CITY:string "
    "STATE:string ZIP:string",
    "SUBJECT_ID->PATIENTS.SUBJECT_ID",
)
"""The 27th table of an identified source: who each patient is."""

PERSONAL = tuple(name for name in IDENTITY_TABLE.column_names if name != "SUBJECT_ID")
MADE_UP = tuple(name for name in PERSONAL if name not in ("SSN", "MRN"))
AREAS, GROUPS, SERIALS = 565, 99, 9_999  # social security numbers: 100..664, 01..99, 0001..9999


def identify(people: DataFrame, plan: Plan) -> DataFrame:
    """Give every person the identity columns, and ``mentions``: short texts that give the person away.

    All are made up in an identified source, and null in another.
    """
    if not plan.identified:
        nothing = {name: F.lit(None).cast("string") for name in PERSONAL}
        return people.withColumns({**nothing, "mentions": F.lit(None).cast("array<string>")})
    numbered = people.withColumns(
        {"MRN": _record_number(plan), "SSN": _security_number(plan), "who": plan.draws.bits("who", "person")}
    )
    schema = StructType([*numbered.schema, *(StructField(name, StringType()) for name in MADE_UP)])
    made = numbered.mapInArrow(_make_up, schema).drop("who")
    name, number, phone = F.col("NAME"), F.col("MRN"), F.col("PHONE")
    texts = (
        F.concat(F.lit("spoke with "), name, F.lit(", "), phone),
        F.concat(F.lit("MRN "), number, F.lit(" verified, "), name),
        F.concat(F.lit("call "), phone),
        F.concat(F.lit("pt "), name),
    )
    return made.withColumn("mentions", F.array(*texts))


def mention(plan: Plan, *ids: Column | str) -> Column:
    """One of the person's ``mentions``; null where the source is not identified."""
    return F.get("mentions", plan.draws.index("mention", 4, *ids))


def _record_number(plan: Plan) -> Column:
    """Nine digits, far apart."""
    spread = numbering(plan.draws, "MRN", first=100_000_000, size=899_000_000, count=plan.patients)
    return spread.of(F.col("person")).cast("string")


def _security_number(plan: Plan) -> Column:
    """A number of the form that was given out, ``123-45-6789``."""
    size = AREAS * GROUPS * SERIALS - 1_000
    n = numbering(plan.draws, "SSN", first=0, size=size, count=plan.patients).of(F.col("person"))
    area, group = F.floor(n / (GROUPS * SERIALS)) + 100, F.floor(n / SERIALS) % GROUPS + 1
    return F.format_string("%03d-%02d-%04d", area, group, n % SERIALS + 1)


def _make_up(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    """Names and addresses by Faker, seeded anew for every person."""
    fake = Faker("en_US")
    for batch in batches:
        people = zip(batch["who"].to_pylist(), batch["GENDER"].to_pylist(), strict=True)
        made = [_person(fake, who, gender) for who, gender in people]
        columns = [pa.array([person[name] for person in made], pa.string()) for name in MADE_UP]
        yield pa.RecordBatch.from_arrays([*batch.columns, *columns], [*batch.schema.names, *MADE_UP])


def _person(fake: Faker, who: int, gender: str) -> dict[str, str]:
    fake.seed_instance(int(who))
    first = fake.first_name_male() if gender == "M" else fake.first_name_female()
    last = fake.last_name()
    state = fake.state_abbr(include_territories=False)
    return {
        "NAME": f"{first} {last}",
        "PHONE": fake.numerify("(%##) %##-####"),
        "EMAIL": f"{first}.{last}{fake.random_int(1, 99)}@example.{fake.random_element(('org', 'net', 'com'))}".lower(),
        "STREET": fake.street_address(),
        "CITY": fake.city(),
        "STATE": state,
        "ZIP": fake.zipcode_in_state(state),
    }
