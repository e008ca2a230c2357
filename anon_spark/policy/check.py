"""Hold a policy against its schema, and the schema against a source's headers, before any job starts."""

import math
import re
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from anon_spark.anonymize.hierarchy import interval_problems
from anon_spark.detect.notes.labels import HIPAA
from anon_spark.errors import InputError, PolicyError, nearest
from anon_spark.policy.load import LoadedPolicy, of_policy
from anon_spark.policy.model import Column, Policy, QuasiIdentifier, Role, RowRule, Treatment, split_ref

_TIME = frozenset({"timestamp", "date"})
_NUMBERS = frozenset({"double", "int", "bigint"})
_TYPES: dict[Treatment, frozenset[str]] = {
    Treatment.SHIFT: _TIME,
    Treatment.ROUND_HOUR: _TIME,
    Treatment.ROUND_DAY: _TIME,
    Treatment.ELAPSED: _TIME,
    Treatment.BIRTH: _TIME,
    Treatment.VOCABULARY: frozenset({"string"}),
    Treatment.SCRUB: frozenset({"string"}),
    Treatment.MASK: frozenset({"string"}),
    Treatment.BOUNDED: _NUMBERS,
    Treatment.PSEUDONYM: frozenset({"int", "bigint", "string"}),
}
_NAME = re.compile(r"[A-Z][A-Z_]*[0-9]{0,3}")
_FEWEST_OFFSETS = 50
_SHIFTED = frozenset({Treatment.SHIFT, Treatment.ROUND_HOUR, Treatment.ROUND_DAY})


def check_policy(loaded: LoadedPolicy) -> None:
    """Return if the policy says, without contradiction, what becomes of every column of its schema.

    Raises:
        PolicyError: all problems at once, in the policy's order.
    """
    checks = (
        _units,
        _domains,
        _quasi_identifiers,
        _sensitive,
        _lattice,
        _recoding,
        _classified,
        _treatments,
        _identifiers,
        _row_rules,
        _derived,
        _attacker,
        _cap,
        _free_text,
        _measurable,
    )
    if problems := [problem for check in checks for problem in check(loaded)]:
        raise PolicyError(of_policy(loaded.path, problems))


def check_source(loaded: LoadedPolicy, headers: Mapping[str, Sequence[str]]) -> None:
    """Return if the source has exactly the tables and columns that the policy classifies.

    Args:
        headers: table to the names of its columns, as the source has them; case does not matter.

    Raises:
        InputError: tables or columns are missing, or a column is there twice.
        PolicyError: the source has tables or columns that the policy does not classify.
    """
    source = {table.upper(): [column.upper() for column in columns] for table, columns in headers.items()}
    lacking, unknown = [], []
    for name, table in loaded.schema.items():
        if name not in source:
            lacking.append(f"table {name} is missing")
            continue
        counts = Counter(source[name])
        lacking += [
            f"column {name}.{column} is missing" for column in table.column_names if column not in counts
        ]
        known = loaded.policy.tables[name].columns
        lacking += [
            f"column {name}.{column} is there {n} times"
            for column, n in counts.items()
            if n > 1 and column in known
        ]
        unknown += _unclassified(name, source[name], known)
    unknown += [f"table {name} is not classified" for name in source if name not in loaded.schema]
    if lacking:
        raise InputError("\n".join(f"source: {problem}" for problem in lacking))
    if unknown:
        raise PolicyError([f"source: {problem}; add it to the policy, or take it out" for problem in unknown])


def _unclassified(table: str, header: Sequence[str], known: Mapping[str, Column]) -> list[str]:
    """Columns no rule is about: by name where it is one, by place where it may be a cell of a file without a header."""
    places = [i for i, column in enumerate(header) if column not in known]
    named = [header[i] for i in places if _NAME.fullmatch(header[i])] if set(known) <= set(header) else []
    problems = [f"column {table}.{column} is not classified" for column in named]
    if rest := [str(i + 1) for i in places if header[i] not in named]:
        problems.append(
            f"{table}: {len(rest)} columns, at places {', '.join(rest)}, are not classified; is the header missing?"
        )
    return problems


# --- names ---


def _unknown_ref(loaded: LoadedPolicy, reference: str) -> str | None:
    """What is wrong with ``TABLE.COLUMN``, or None."""
    table, column = split_ref(reference)
    if table not in loaded.schema:
        return f"unknown table '{table}'{nearest(table, loaded.schema)}"
    return _unknown_column(loaded, table, column)


def _unknown_column(loaded: LoadedPolicy, table: str, column: str) -> str | None:
    names = loaded.schema[table].column_names
    return None if column in names else f"{table} has no column '{column}'{nearest(column, names)}"


def _lacking(loaded: LoadedPolicy, place: str, table: str, columns: Sequence[str]) -> Iterator[str]:
    """A problem for each column that ``table`` does not have, or one if the table is unknown."""
    if table not in loaded.schema:
        yield f"{place}: unknown table '{table}'{nearest(table, loaded.schema)}"
        return
    for column in columns:
        if problem := _unknown_column(loaded, table, column):
            yield f"{place}: {problem}"


def _rule(loaded: LoadedPolicy, table: str, column: str) -> Column | None:
    """The policy's rule for a column, if it has one."""
    rules = loaded.policy.tables.get(table)
    return rules.columns.get(column) if rules else None


def _rules(loaded: LoadedPolicy) -> Iterator[tuple[str, str, Column]]:
    """Table, column and rule, for every column that both the policy and the schema have."""
    for table, rules in loaded.policy.tables.items():
        if table in loaded.schema:
            for column in loaded.schema[table].column_names:
                if column in rules.columns:
                    yield table, column, rules.columns[column]


def _has(loaded: LoadedPolicy, table: str, column: str) -> bool:
    return table in loaded.schema and column in loaded.schema[table].column_names


# --- checks, each one part of the policy ---


def _units(loaded: LoadedPolicy) -> Iterator[str]:
    """People, admissions and stays: their tables, ids, order and clock."""
    policy = loaded.policy
    people, parents = policy.people, set(policy.domains.values())
    yield from _lacking(loaded, "people", people.table, [people.id])
    units = [("people", people.table, people.id)]
    if admissions := policy.admissions:
        needed = [admissions.id, people.id, *admissions.order, *([admissions.end] if admissions.end else [])]
        yield from _lacking(loaded, "admissions", admissions.table, list(dict.fromkeys(needed)))
        first = _rule(loaded, admissions.table, admissions.order[0])
        if first is not None and first.treatment not in {Treatment.SHIFT, Treatment.ELAPSED}:
            # who reads the release must find a person's first admission, or l cannot be measured on it
            yield (
                f"admissions.order: {admissions.table}.{admissions.order[0]} is treated {first.treatment}; the order of"
                " admissions needs shift or elapsed"
            )
        units.append(("admissions", admissions.table, admissions.id))
    if stays := policy.stays:
        yield from _lacking(loaded, "stays", stays.table, [stays.id, people.id, stays.start])
        if (
            _has(loaded, stays.table, stays.start)
            and loaded.schema[stays.table].type_of(stays.start) not in _TIME
        ):
            yield f"stays.start: {stays.table}.{stays.start} is not a timestamp or date"
        units.append(("stays", stays.table, stays.id))
    own = _rule(loaded, people.table, people.id)
    if own and own.treatment is Treatment.DROP:
        yield f"people: {people.table}.{people.id} is dropped; a release is measured by people, whose id is a pseudonym"
    if policy.orphans.get(_people_domain(loaded)) == "keep":
        yield f"orphans.{_people_domain(loaded)}: a person without a row of their own is in no class; only quarantine"
    for unit, table, column in units:
        if f"{table}.{column}" not in parents:
            yield f"{unit}: no id domain has {table}.{column} as its parent"


def _people_domain(loaded: LoadedPolicy) -> str:
    own = f"{loaded.policy.people.table}.{loaded.policy.people.id}"
    return next((domain for domain, parent in loaded.policy.domains.items() if parent == own), "")


def _domains(loaded: LoadedPolicy) -> Iterator[str]:
    policy = loaded.policy
    for domain, reference in policy.domains.items():
        if problem := _unknown_ref(loaded, reference):
            yield f"domains.{domain}: {problem}"
        elif rule := _rule(loaded, *split_ref(reference)):
            if rule.treatment not in {Treatment.PSEUDONYM, Treatment.DROP}:
                yield f"domains.{domain}: its parent {reference} is treated {rule.treatment}, not pseudonym"
            elif rule.domain not in {None, domain}:
                yield f"domains.{domain}: its parent {reference} has domain '{rule.domain}'"
        yield from _one_kind_of_ids(loaded, domain)
    for domain in policy.orphans:
        if domain not in policy.domains:
            yield f"orphans.{domain}: unknown domain{nearest(domain, policy.domains)}"


def _one_kind_of_ids(loaded: LoadedPolicy, domain: str) -> Iterator[str]:
    """Ids of a domain are all integers or all text; a table has one person, and one admission, a row."""
    policy = loaded.policy
    columns = [
        (table, column)
        for table, column, rule in _rules(loaded)
        if rule.domain == domain and rule.treatment is Treatment.PSEUDONYM
    ]
    text = [f"{t}.{c}" for t, c in columns if loaded.schema[t].type_of(c) == "string"]
    if 0 < len(text) < len(columns):
        yield f"domains.{domain}: {', '.join(text)} hold text, the other {len(columns) - len(text)} columns integers"
    units = [unit for unit in (policy.people, policy.admissions) if unit]
    if policy.domains[domain] in {f"{unit.table}.{unit.id}" for unit in units}:
        for table, count in Counter(table for table, _ in columns).items():
            if count > 1:
                yield (
                    f"domains.{domain}: {table} has {count} columns of it; a row is of one, a second would tie two"
                    " people together: drop it"
                )


def _quasi_identifiers(loaded: LoadedPolicy) -> Iterator[str]:
    """Sources exist and are not released as they are; each is released somewhere."""
    policy = loaded.policy
    derived = {name for rules in policy.tables.values() for name in rules.derived}
    generalized = {
        rule.quasi_identifier or column
        for _, column, rule in _rules(loaded)
        if rule.treatment is Treatment.GENERALIZE
    }
    for name, item in policy.quasi_identifiers.items():
        place = f"quasi_identifiers.{name}"
        if item.unit == "admission" and policy.admissions is None:
            yield f"{place}: unit admission needs 'admissions'"
        for key in ("column", "birth", "at"):
            reference = getattr(item, key)
            if reference is None:
                continue
            if problem := _unknown_ref(loaded, reference):
                yield f"{place}.{key}: {problem}"
                continue
            yield from _source_of(loaded, f"{place}.{key}", item, reference)
        if item.derive:
            yield from interval_problems(loaded.hierarchies[item.hierarchy])
        if item.derive and policy.admissions is None:
            yield f"{place}: an age at the first admission needs 'admissions'"
        if name not in (derived if item.derive else generalized):
            where = "in no table's 'derived'" if item.derive else "by no column's treatment generalize"
            yield f"{place}: is released {where}"


def _source_of(loaded: LoadedPolicy, place: str, item: QuasiIdentifier, reference: str) -> Iterator[str]:
    """A column that a quasi-identifier is read from: of the person's row, or of an admission's."""
    policy = loaded.policy
    table, column = split_ref(reference)
    homes = [policy.admissions.table] if policy.admissions else []
    if item.unit == "person":
        homes.insert(0, policy.people.table)
    if table not in homes:
        yield f"{place}: {reference} is not in {' or '.join(homes)}, where a release tells it of the {item.unit}"
    if item.derive and loaded.schema[table].type_of(column) not in _TIME:
        yield f"{place}: {reference} is not a timestamp or date"
    rule = _rule(loaded, table, column)
    if rule and reference != item.at and rule.role is not Role.QUASI_IDENTIFIER:
        yield f"{place}: {reference} has role {rule.role}, not quasi_identifier"


def _sensitive(loaded: LoadedPolicy) -> Iterator[str]:
    policy = loaded.policy
    if policy.privacy.needs_population:
        yield "privacy: k_map and presence compare with a population's table, which only one table's policy names"
    for name in policy.privacy.sensitive:
        if name not in policy.sensitive:
            yield f"privacy.sensitive.{name}: is not among 'sensitive'{nearest(name, policy.sensitive)}"
    if all(item.weight == 0 for item in policy.quasi_identifiers.values()):
        yield "quasi_identifiers: every weight is 0; there is nothing to minimize"
    for name, item in policy.sensitive.items():
        place = f"sensitive.{name}"
        if problem := _unknown_ref(loaded, item.column):
            yield f"{place}.column: {problem}"
            continue
        table, column = split_ref(item.column)
        needed = [policy.people.id, *([policy.admissions.id] if policy.admissions else [])]
        yield from _lacking(loaded, place, table, needed)
        yield from _where(loaded, f"{place}.where", table, item.where)
        rule = _rule(loaded, table, column)
        if rule and (rule.role, rule.treatment) != (Role.SENSITIVE, Treatment.KEEP):
            yield f"{place}: {item.column} is to be sensitive and kept, not {rule.role} and {rule.treatment}"


def _where(loaded: LoadedPolicy, place: str, table: str, where: Mapping[str, int | str]) -> Iterator[str]:
    """The columns that choose the rows of a sensitive attribute, and values of their type."""
    yield from _lacking(loaded, place, table, list(where))
    for name, wanted in where.items():
        kind = loaded.schema[table].type_of(name) if _has(loaded, table, name) else None
        if kind and isinstance(wanted, str) != (kind == "string"):
            yield f"{place}.{name}: the column is {kind}, the value is {type(wanted).__name__}"


def _lattice(loaded: LoadedPolicy) -> Iterator[str]:
    policy = loaded.policy
    heights = [loaded.hierarchies[item.hierarchy].height for item in policy.quasi_identifiers.values()]
    nodes = math.prod(height + 1 for height in heights)
    if nodes > policy.max_nodes:
        yield f"quasi_identifiers: the lattice has {nodes} nodes, max_nodes is {policy.max_nodes}"


def _recoding(loaded: LoadedPolicy) -> Iterator[str]:
    """Local recoding lowers one loss alone."""
    policy = loaded.policy
    if policy.recoding == "local" and policy.loss != "loss_am":
        yield f"loss: local recoding lowers loss_am, not {policy.loss}; leave loss out or use full_domain"


def _classified(loaded: LoadedPolicy) -> Iterator[str]:
    """Every column of the schema has a rule, every rule a column, and every foreign key its target."""
    tables = loaded.policy.tables
    for name, table in loaded.schema.items():
        for key in table.foreign_keys:
            yield from _lacking(loaded, f"schema.{name}.foreign_keys", name, [key.column])
            yield from _lacking(loaded, f"schema.{name}.foreign_keys", key.ref_table, [key.ref_column])
        if name not in tables:
            yield f"tables.{name}: the table is not classified"
            continue
        for column in table.column_names:
            if column not in tables[name].columns:
                yield f"tables.{name}.columns.{column}: the column is not classified"
    for name, rules in tables.items():
        yield from _lacking(loaded, f"tables.{name}", name, list(rules.columns))


def _treatments(loaded: LoadedPolicy) -> Iterator[str]:
    """A treatment fits the column's type, and has what it works with."""
    policy = loaded.policy
    for table, column, rule in _rules(loaded):
        place = f"tables.{table}.columns.{column}"
        kind, treatment = loaded.schema[table].type_of(column), rule.treatment
        if treatment in _TYPES and kind not in _TYPES[treatment]:
            yield f"{place}: treatment {treatment} takes {', '.join(sorted(_TYPES[treatment]))}, not {kind}"
        if treatment is Treatment.KEEP and kind in _TIME and _is_about_people(loaded, table):
            yield f"{place}: a person's date is not kept as it is; shift, round or drop it"
        if rule.below is not None and not (math.isfinite(rule.below) and rule.below > 0):
            yield f"{place}.below: a finite number above 0 is needed"
        if treatment in _SHIFTED and not _has(loaded, table, policy.people.id):
            yield f"{place}: treatment {treatment} needs {policy.people.id} in the table"
        if treatment is Treatment.SCRUB and not _is_of_a_person(policy, table):
            yield f"{place}: treatment scrub needs the id of a person or admission in the table"
        if treatment is Treatment.ELAPSED and not _has_stay(loaded, table):
            yield f"{place}: treatment elapsed needs 'stays' and the id of a stay or admission in the table"
        if treatment is Treatment.MASK and "*" not in (rule.pattern or ""):
            yield f"{place}.pattern: hides nothing; at least one '*' is needed"
        if rule.domain is not None and rule.domain not in policy.domains:
            yield f"{place}.domain: unknown domain '{rule.domain}'{nearest(rule.domain, policy.domains)}"
        yield from _named_quasi_identifier(loaded, place, table, column, rule)


def _is_of_a_person(policy: Policy, table: str) -> bool:
    """Whether rows of the table can be told to be of a person: by their pseudonym, or an admission's."""
    own = {f"{unit.table}.{unit.id}" for unit in (policy.people, policy.admissions) if unit}
    parents = (policy.domains.get(rule.domain or "") for rule in policy.tables[table].columns.values())
    return not own.isdisjoint(parents)


def _free_text(loaded: LoadedPolicy) -> Iterator[str]:
    """What the tables hold of people is in columns that exist, beside the person's id, under labels of the detector."""
    person = loaded.policy.people.id
    for table, columns in loaded.policy.free_text.known.items():
        place = f"free_text.known.{table}"
        yield from _lacking(loaded, place, table, [person, *columns])
        for label in sorted(set(columns.values()) - HIPAA.keys()):
            yield f"{place}: unknown label '{label}'{nearest(label, HIPAA)}"


def _is_about_people(loaded: LoadedPolicy, table: str) -> bool:
    """Whether the table has an id of a person, an admission or a stay."""
    policy = loaded.policy
    units = [unit for unit in (policy.people, policy.admissions, policy.stays) if unit]
    own = {f"{unit.table}.{unit.id}" for unit in units}
    domains = {domain for domain, parent in policy.domains.items() if parent in own}
    rules = (rule for place, _, rule in _rules(loaded) if place == table)
    return any(rule.domain in domains for rule in rules)


def _has_stay(loaded: LoadedPolicy, table: str) -> bool:
    """Whether a row of the table can be put on a stay's clock."""
    policy = loaded.policy
    if policy.stays is None:
        return False
    ids = [policy.stays.id, *([policy.admissions.id] if policy.admissions else [])]
    return any(_has(loaded, table, column) for column in ids)


def _named_quasi_identifier(
    loaded: LoadedPolicy, place: str, table: str, column: str, rule: Column
) -> Iterator[str]:
    """Generalize and birth name a quasi-identifier that exists; birth one derived from this column."""
    known = loaded.policy.quasi_identifiers
    name = rule.quasi_identifier
    if name is None and rule.treatment in {Treatment.GENERALIZE, Treatment.BIRTH}:
        name = column
    if name is None:
        return
    policy = loaded.policy
    if name not in known:
        yield f"{place}.quasi_identifier: unknown '{name}'{nearest(name, known)}"
    elif rule.treatment is Treatment.BIRTH and known[name].birth != f"{table}.{column}":
        yield f"{place}.quasi_identifier: '{name}' is not an age derived from {table}.{column}"
    elif rule.treatment is Treatment.BIRTH:
        at = _rule(loaded, *split_ref(known[name].at or ""))
        if at and at.treatment not in {Treatment.SHIFT, Treatment.KEEP}:
            # the day and month of such a date are those of the shifted first admission
            yield f"{place}: a date of birth would tell the day that {known[name].at} hides; suppress it"
    elif (
        known[name].unit == "admission"
        and policy.admissions
        and not _has(loaded, table, policy.admissions.id)
    ):
        yield f"{place}: '{name}' is of an admission; the table has no {policy.admissions.id}"
    elif rule.treatment is Treatment.GENERALIZE and known[name].derive:
        yield f"{place}.quasi_identifier: '{name}' is derived; it is released by a table's 'derived'"


def _identifiers(loaded: LoadedPolicy) -> Iterator[str]:
    """An id of a domain is an identifier wherever it stands, and has one pseudonym in all tables."""
    parents = {reference: domain for domain, reference in loaded.policy.domains.items()}
    by_name = {split_ref(reference)[1]: domain for reference, domain in parents.items()}
    owners = {
        parents.get(f"{unit.table}.{unit.id}")
        for unit in (loaded.policy.people, loaded.policy.admissions)
        if unit
    }
    lost: dict[str, list[str]] = {}
    found: set[str] = set()
    for table, column, rule in _rules(loaded):
        targets = {
            parents.get(f"{key.ref_table}.{key.ref_column}")
            for key in loaded.schema[table].foreign_keys
            if key.column == column
        }
        domain = next((target for target in targets if target), by_name.get(column))
        place = f"tables.{table}.columns.{column}"
        if domain in owners and rule.treatment is Treatment.PSEUDONYM:
            found.add(table)
        elif domain and domain in owners:
            lost.setdefault(table, []).append(column)
        if domain and rule.role is not Role.IDENTIFIER:
            yield f"{place}.role: an id of domain '{domain}' is an identifier, never {rule.role}"
        elif domain and rule.treatment is Treatment.MASK:
            yield f"{place}.treatment: an id of domain '{domain}' is pseudonymized or dropped, not masked"
        elif domain and rule.domain in loaded.policy.domains and rule.domain != domain:
            yield f"{place}.domain: refers to ids of domain '{domain}', not '{rule.domain}'"
    for table, columns in lost.items():
        if table not in found:
            yield (
                f"tables.{table}: without a pseudonym of {' or '.join(columns)} the rows of suppressed people cannot be"
                " told from the others"
            )


def _row_rules(loaded: LoadedPolicy) -> Iterator[str]:
    for table, rules in loaded.policy.tables.items():
        if table not in loaded.schema:
            continue
        seen: dict[tuple[str, int | str], str] = {}
        for rule in rules.row_rules:
            place = f"tables.{table}.row_rules.{rule.name}"
            columns = [rule.column, *rule.cells, *([rule.value] if rule.value else [])]
            yield from _lacking(loaded, place, table, columns)
            yield from _row_rule_target(loaded, place, rule)
            words = sum(isinstance(code, str) for code in rule.codes)
            is_known = _has(loaded, table, rule.column)
            if words and is_known and loaded.schema[table].type_of(rule.column) in _NUMBERS:
                yield f"{place}.codes: {rule.column} holds numbers, {words} codes are text"
            if words < len(rule.codes) and is_known and loaded.schema[table].type_of(rule.column) == "string":
                numbers = len(rule.codes) - words
                yield f"{place}.codes: {rule.column} holds text, {numbers} codes are numbers; quote them"
            twice = {seen[rule.column, code] for code in rule.codes if (rule.column, code) in seen}
            if twice:
                yield f"{place}.codes: some are in rule {', '.join(sorted(twice))} too"
            seen |= {(rule.column, code): rule.name for code in rule.codes}
        names = Counter(rule.name for rule in rules.row_rules)
        for name, count in names.items():
            if count > 1:
                yield f"tables.{table}.row_rules.{name}: the name is there {count} times"


def _row_rule_target(loaded: LoadedPolicy, place: str, rule: RowRule) -> Iterator[str]:
    """The quasi-identifier that a rule generalizes to, and the leaves that its map names."""
    name, known = rule.quasi_identifier, loaded.policy.quasi_identifiers
    if name is None:
        return
    if name not in known:
        yield f"{place}.quasi_identifier: unknown '{name}'{nearest(name, known)}"
        return
    hierarchy = loaded.hierarchies[known[name].hierarchy]
    for code, leaf in rule.map.items():
        if leaf not in hierarchy.leaves:
            hint = nearest(leaf, hierarchy.leaves)
            yield f"{place}.map.{code}: '{leaf}' is not a leaf of hierarchy {hierarchy.name}{hint}"


def _derived(loaded: LoadedPolicy) -> Iterator[str]:
    known = loaded.policy.quasi_identifiers
    for table, rules in loaded.policy.tables.items():
        for name in rules.derived:
            place = f"tables.{table}.derived"
            if name not in known:
                yield f"{place}: unknown quasi-identifier '{name}'{nearest(name, known)}"
            elif known[name].derive is None:
                yield f"{place}: '{name}' is a column's own, not derived"
            elif not _has(loaded, table, loaded.policy.people.id):
                yield f"{place}: '{name}' needs {loaded.policy.people.id} in the table"
            if _has(loaded, table, name):
                yield f"{place}: the table has a column '{name}' already"


def _attacker(loaded: LoadedPolicy) -> Iterator[str]:
    """Who knows several admissions needs admissions."""
    if loaded.policy.attacker.admissions != 1 and loaded.policy.admissions is None:
        yield "attacker: needs 'admissions'"


def _cap(loaded: LoadedPolicy) -> Iterator[str]:
    """With a cap, every row about a person must say of which admission it is."""
    policy = loaded.policy
    if policy.cap is None:
        return
    if policy.admissions is None:
        yield "cap: needs 'admissions'"
        return
    for table in policy.tables:
        if table != policy.people.table and _has(loaded, table, policy.people.id):
            rule = _rule(loaded, table, policy.admissions.id)
            if rule is None or rule.treatment is not Treatment.PSEUDONYM:
                yield f"cap: the rows of {table} do not say of which admission they are"


def _measurable(loaded: LoadedPolicy) -> Iterator[str]:
    """What the gate measures by must be in the release, and what hides must hide."""
    policy = loaded.policy
    places: list[tuple[str, str]] = []
    if policy.admissions:
        places += [
            (policy.admissions.table, policy.admissions.id),
            (policy.admissions.table, policy.people.id),
        ]
    for item in policy.sensitive.values():
        table = split_ref(item.column)[0]
        places += [(table, policy.people.id), *((table, name) for name in item.where)]
        places += [(table, policy.admissions.id)] if policy.admissions else []
    for table, column in dict.fromkeys(places):
        rule = _rule(loaded, table, column)
        if rule and rule.treatment in {Treatment.DROP, Treatment.SUPPRESS}:
            yield f"tables.{table}.columns.{column}: is treated {rule.treatment}; the release is measured by it"
    for table, rules in policy.tables.items():
        for stated in (rule for rule in rules.row_rules if rule.action == "generalize"):
            yield from _stated(loaded, f"tables.{table}.row_rules.{stated.name}", table, stated)
    if policy.shift.max_weeks - policy.shift.min_weeks < _FEWEST_OFFSETS:
        yield f"shift: max_weeks is to be at least {_FEWEST_OFFSETS} above min_weeks, or offsets can be guessed"


def _stated(loaded: LoadedPolicy, place: str, table: str, rule: RowRule) -> Iterator[str]:
    """A rule that generalizes needs its code and its text in the release."""
    for column in (rule.column, rule.value):
        known = _rule(loaded, table, column) if column else None
        if known and known.treatment is Treatment.DROP:
            yield f"{place}: {table}.{column} is dropped; a stated value is written there and measured"
    if (
        rule.value
        and _has(loaded, table, rule.value)
        and loaded.schema[table].type_of(rule.value) != "string"
    ):
        yield f"{place}.value: {table}.{rule.value} is {loaded.schema[table].type_of(rule.value)}; a label is text"
