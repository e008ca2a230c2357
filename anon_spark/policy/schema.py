"""The declared shape of a source: tables, typed columns, keys. MIMIC-III's is in ``mimic3/schema.py``."""

from dataclasses import dataclass, field

from anon_spark.errors import PolicyError

TYPES = ("int", "bigint", "double", "string", "timestamp", "date", "boolean")


@dataclass(frozen=True)
class SourceColumn:
    """A column of a source table; ``nullable=False`` rows that hold null do not parse."""

    name: str
    type: str
    nullable: bool = True


@dataclass(frozen=True)
class ForeignKey:
    """``column`` refers to ``ref_table.ref_column``."""

    column: str
    ref_table: str
    ref_column: str


@dataclass(frozen=True)
class SourceTable:
    """A table of the source, its columns in the source's order."""

    name: str
    columns: tuple[SourceColumn, ...]
    foreign_keys: tuple[ForeignKey, ...] = ()
    multiline: bool = field(default=False)  # CSV cells may hold line breaks

    @property
    def column_names(self) -> tuple[str, ...]:
        """Names in the source's order."""
        return tuple(column.name for column in self.columns)

    def type_of(self, column: str) -> str:
        """Declared type of ``column``."""
        return next(c.type for c in self.columns if c.name == column)


def parse_table(name: str, columns: str, foreign_keys: str = "", *, multiline: bool = False) -> SourceTable:
    """Read a table from its compact form.

    Args:
        columns: ``"ID:int! NAME:string"``; ``!`` marks a column that is never null.
        foreign_keys: ``"ID->PATIENTS.ID"``, separated by spaces.

    Raises:
        PolicyError: naming every column whose type is not one of ``TYPES``.

    >>> parse_table("T", "ID:int! NAME:string", "ID->P.ID").foreign_keys[0].ref_table
    'P'
    """
    parsed, problems = [], []
    for item in columns.split():
        column, _, kind = item.partition(":")
        nullable = not kind.endswith("!")
        kind = kind.rstrip("!")
        if kind not in TYPES:
            problems.append(f"{name}.{column}: type '{kind}' is not one of {', '.join(TYPES)}")
        if column.startswith("_"):
            problems.append(f"{name}.{column}: a column's name does not begin with '_'")
        parsed.append(SourceColumn(column, kind, nullable))
    keys = []
    for item in foreign_keys.split():
        column, _, target = item.partition("->")
        table, _, ref = target.partition(".")
        if not (column and table and ref):
            problems.append(f"{name}: foreign key '{item}' is not of the form COLUMN->TABLE.COLUMN")
        keys.append(ForeignKey(column, table, ref))
    if problems:
        raise PolicyError(problems)
    return SourceTable(name, tuple(parsed), tuple(keys), multiline)
