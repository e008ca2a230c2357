"""Read a policy: its YAML and what it extends, and the hierarchies, vocabularies and tables that it names."""

import csv
import hashlib
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import yaml
from pydantic import BaseModel, ValidationError

from anon_spark.anonymize.hierarchy import Hierarchy, load_hierarchy
from anon_spark.errors import PolicyError, nearest
from anon_spark.mimic3 import schema as mimic3
from anon_spark.policy.explain import explain
from anon_spark.policy.model import Policy
from anon_spark.policy.schema import SourceTable, parse_table

_BASE_SCHEMAS: dict[str, dict[str, SourceTable]] = {"mimic3": mimic3.TABLES}
_OF_LAKEHOUSE = {"base_schema", "schema", "people", "domains", "tables"}
_OF_ONE_TABLE = {
    "separator",
    "keep",
    "drop",
    "objective",
    "recoding",
    "population",
    "sampling_fraction",
    "search",
}
T = TypeVar("T")
M = TypeVar("M", bound=BaseModel)


@dataclass(frozen=True)
class LoadedPolicy:
    """A policy with all that it names; ``sha256`` is of the resolved content, not of the files' layout."""

    policy: Policy
    schema: dict[str, SourceTable]
    hierarchies: dict[str, Hierarchy]
    vocabularies: dict[str, frozenset[str]]
    path: Path
    sha256: str


def conf_dir() -> Path:
    """The folder of policies, hierarchies and vocabularies that comes with the package."""
    package = Path(__file__).parents[1]
    return package / "conf" if (package / "conf").is_dir() else package.parent / "conf"


def load_policy(path: str | Path) -> LoadedPolicy:
    """Read a policy file, or one of the package's own by its bare name (``mimic3_demo``).

    ``extends: other.yaml`` merges onto another policy: mappings are merged, lists and scalars replaced, and
    null takes a key away. Whether the policy fits the schema is ``check_policy``'s to say.

    Raises:
        PolicyError: all problems at once, each as ``policy FILE: tables.PATIENTS.columns.DOB.role: what is wrong``.
    """
    file = find_policy(str(path)).resolve()
    problems: list[str] = []
    policy, document = read_policy(file, Policy, problems)
    grounds = policy.privacy.hierarchies if policy else set()
    hierarchies, vocabularies = _load_named(document, grounds, file.parent, problems)
    schema = _build_schema(policy, problems) if policy else {}
    if policy is None or problems:
        raise PolicyError(of_policy(file, problems))
    return LoadedPolicy(
        policy, schema, hierarchies, vocabularies, file, digest(policy, hierarchies, vocabularies)
    )


# --- YAML ---


class _Loader(yaml.SafeLoader):
    """YAML's safe subset; a key that is twice in one mapping is remembered as a problem."""

    def __init__(self, stream: str) -> None:
        super().__init__(stream)
        self.duplicates: list[str] = []

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:
        seen = set()
        for key, _ in node.value:
            if isinstance(key, yaml.ScalarNode) and key.value in seen:
                self.duplicates.append(
                    f"line {key.start_mark.line + 1}: the key '{key.value}' is there twice"
                )
            if isinstance(key, yaml.ScalarNode) and key.value != "<<":
                seen.add(key.value)
        return super().construct_mapping(node, deep)


def _read_yaml(path: Path, problems: list[str]) -> dict[str, Any]:
    """Parse one file; an empty mapping and a problem where it is none."""
    try:
        loader = _Loader(path.read_text(encoding="utf-8"))
        document = loader.get_single_data()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f"line {mark.line + 1}, column {mark.column + 1}: " if mark else ""
        said = getattr(error, "problem", None) or "cannot be parsed"
        problems += of_policy(path, [f"{where}not YAML: {said}"])
        return {}
    except (OSError, UnicodeDecodeError) as error:
        problems += of_policy(path, [f"cannot be read ({type(error).__name__})"])
        return {}
    problems += of_policy(path, loader.duplicates)
    if not isinstance(document, dict):
        problems += of_policy(path, ["a policy is a mapping of keys"])
        return {}
    return document


def find_policy(name: str, beside: Path | None = None) -> Path:
    """Path of a policy given as a file (beside the one that extends it) or by bare name."""
    own = {path.stem: path for path in sorted((conf_dir() / "policies").glob("*.yaml"))}
    as_path = (beside / name) if beside else Path(name)
    if as_path.is_file():
        return as_path
    if name.removesuffix(".yaml") in own:
        return own[name.removesuffix(".yaml")]
    raise PolicyError(
        f"policy '{name}' is no file and not one of {', '.join(own)}{nearest(Path(name).stem, own)}"
    )


def _resolve(path: Path, problems: list[str], seen: tuple[Path, ...]) -> dict[str, Any]:
    """The file's content merged onto what it extends."""
    if path.resolve() in seen:
        problems += of_policy(path, ["extends: it extends itself"])
        return {}
    document = _read_yaml(path, problems)
    extends = document.pop("extends", None)
    if extends is None:
        return _merge({}, document)
    if not isinstance(extends, str):
        problems += of_policy(path, ["extends: the name of one policy file is needed"])
        return _merge({}, document)
    try:
        base_path = find_policy(extends, beside=path.parent)
    except PolicyError as error:
        problems += of_policy(path, [f"extends: {problem}" for problem in error.problems])
        return _merge({}, document)
    base = _resolve(base_path, problems, (*seen, path.resolve()))
    for key in ("name", "description"):  # another policy goes by a name of its own
        base.pop(key, None)
    return _merge(base, document)


def _merge(base: Mapping[str, Any], over: Mapping[str, Any]) -> dict[str, Any]:
    """Mappings are merged, all else is replaced, null takes the key away."""
    merged = dict(base)
    for key, value in over.items():
        if value is None:
            merged.pop(key, None)
        elif isinstance(value, Mapping):
            below = merged.get(key)
            merged[key] = _merge(below if isinstance(below, Mapping) else {}, value)
        else:
            merged[key] = value
    return merged


# --- the model ---


def of_policy(path: Path, problems: Iterable[str]) -> list[str]:
    """The problems with the policy's file before each."""
    return [f"policy {path.name}: {problem}" for problem in dict.fromkeys(problems)]


def read_policy(path: Path, model: type[M], problems: list[str]) -> tuple[M | None, dict[str, Any]]:
    """The policy with what it extends, None where it is none, and its document; what is wrong goes to ``problems``.

    Raises:
        PolicyError: a file of it cannot be read.
    """
    unread: list[str] = []
    document = {"name": path.stem} | _resolve(path, unread, seen=())
    if unread:  # what is missing then may well be in the part that could not be read
        raise PolicyError(unread)
    try:
        _check_kind(document, model)
        return model.model_validate(document), document
    except ValidationError as error:
        problems += explain(error, model, document)
        return None, document
    except PolicyError as error:
        raise PolicyError(of_policy(path, error.problems)) from None


def _check_kind(document: Mapping[str, Any], model: type[BaseModel]) -> None:
    """Refuse the policy of another command.

    Raises:
        PolicyError: one sentence that says which.
    """
    of_lakehouse = not _OF_LAKEHOUSE.isdisjoint(document)
    of_table = not _OF_ONE_TABLE.isdisjoint(document) or isinstance(document.get("sensitive"), list)
    if model is not Policy and of_lakehouse:
        raise PolicyError(
            "this policy is of a whole source, for 'anon-spark run'; 'anonymize' and 'frontier' take one of one table"
        )
    if model is Policy and of_table and not of_lakehouse:
        raise PolicyError(
            "this policy is of one table, for 'anon-spark anonymize'; 'anon-spark run' takes one of a whole source"
        )


# --- what the policy names ---


def _load_named(
    document: Mapping[str, Any], grounds: Iterable[str], folder: Path, problems: list[str]
) -> tuple[dict[str, Hierarchy], dict[str, frozenset[str]]]:
    """Hierarchies, those of ground distances too, and vocabularies named by a document that may not be valid."""
    quasi_identifiers = _mappings_in(document.get("quasi_identifiers"))
    hierarchies = load_each(
        "hierarchy",
        {f"quasi_identifiers.{key}.hierarchy": item.get("hierarchy") for key, item in quasi_identifiers}
        | {f"privacy: hierarchy {name}": name for name in sorted(grounds)},
        folders("hierarchies", folder),
        load_hierarchy,
        problems,
    )
    columns = {
        f"tables.{table}.columns.{column}.vocabulary": item.get("vocabulary")
        for table, rules in _mappings_in(document.get("tables"))
        for column, item in _mappings_in(rules.get("columns"))
    }
    vocabularies = load_each(
        "vocabulary", columns, folders("vocabularies", folder), load_vocabulary, problems
    )
    return hierarchies, vocabularies


def _mappings_in(section: Any) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """The entries of a mapping that are mappings themselves."""
    if isinstance(section, Mapping):
        yield from ((key, item) for key, item in section.items() if isinstance(item, Mapping))


def folders(kind: str, policies: Path, *more: Path) -> list[Path]:
    """Folders in which files of one kind are looked for, first to last: ``more``, the policy's, the package's."""
    return [*more, policies, policies / kind, policies.parent / kind, conf_dir() / kind]


def load_each(
    kind: str,
    wanted: Mapping[str, Any],
    searched: Sequence[Path],
    load: Callable[[Path], T],
    problems: list[str],
) -> dict[str, T]:
    """Load each named file once; one problem a place that names none that exists, and where they were looked for."""
    files = {path.stem: path for folder in reversed(searched) for path in sorted(folder.glob("*.csv"))}
    loaded: dict[str, T] = {}
    failed: set[str] = set()
    unknown = False
    for place, name in wanted.items():
        if not isinstance(name, str) or name in loaded or name in failed:
            continue
        if name not in files:
            problems.append(f"{place}: unknown {kind} '{name}'{nearest(name, files)}")
            unknown = True
            continue
        try:
            loaded[name] = load(files[name])
        except PolicyError as error:
            failed.add(name)
            problems += error.problems
    if unknown:
        looked = ", then ".join(map(str, dict.fromkeys(searched)))
        problems.append(f"{kind} NAME is a file NAME.csv, which is looked for in {looked}")
    return loaded


def load_vocabulary(path: Path) -> frozenset[str]:
    """Read a closed list of values: CSV with the header ``value``, one value a line.

    Raises:
        PolicyError: naming the file and what is wrong; never a value.
    """
    try:
        with path.open(newline="", encoding="utf-8") as file:
            rows = [row for row in csv.reader(file) if row]
    except (OSError, UnicodeDecodeError, csv.Error) as error:
        raise PolicyError(f"vocabulary {path.stem}: cannot be read ({type(error).__name__})") from None
    if not rows or rows[0] != ["value"]:
        raise PolicyError(f"vocabulary {path.stem}: the first line is to be the header 'value'")
    if wide := sum(len(row) != 1 for row in rows):
        raise PolicyError(f"vocabulary {path.stem}: {wide} lines hold more than one value; quote commas")
    return frozenset(row[0] for row in rows[1:])


def build_schema(policy: Policy) -> dict[str, SourceTable]:
    """The tables a policy is about, by name.

    Raises:
        PolicyError: the policy declares none, or declares one wrongly.
    """
    problems: list[str] = []
    schema = _build_schema(policy, problems)
    if problems:
        raise PolicyError(problems)
    return schema


def _build_schema(policy: Policy, problems: list[str]) -> dict[str, SourceTable]:
    """The base schema's tables and the policy's own; one of the same name replaces the base's."""
    schema = dict(_BASE_SCHEMAS[policy.base_schema]) if policy.base_schema else {}
    for name, table in policy.schema_.items():
        try:
            parsed = parse_table(name, table.columns, table.foreign_keys, multiline=table.multiline)
        except PolicyError as error:
            problems += [f"schema.{problem}" for problem in error.problems]
            continue
        problems += _name_problems(name, parsed.column_names)
        schema[name] = parsed
    if not schema:
        problems.append("schema: no tables; a policy needs 'base_schema' or 'schema'")
    return schema


def _name_problems(table: str, columns: Iterable[str]) -> list[str]:
    """Tables and columns go by upper-case names, whatever the source's headers are."""
    names = list(columns)
    places = [table, *(f"{table}.{name}" for name in names)]
    problems = [f"schema.{place}: names are upper case" for place in places if place != place.upper()]
    if twice := sorted({name for name in names if names.count(name) > 1}):
        problems.append(f"schema.{table}: columns that are there twice: {', '.join(twice)}")
    return problems


def digest(
    policy: BaseModel,
    hierarchies: Mapping[str, Hierarchy],
    vocabularies: Mapping[str, frozenset[str]] | None = None,
) -> str:
    """Hash of all that decides what a release becomes; the order of quasi-identifiers can break ties."""
    document = policy.model_dump(mode="json", by_alias=True)
    content = {
        "policy": document,
        "order": list(document["quasi_identifiers"]),
        "hierarchies": {name: hierarchy.levels for name, hierarchy in hierarchies.items()},
        "vocabularies": {name: sorted(values) for name, values in (vocabularies or {}).items()},
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, ensure_ascii=True).encode()).hexdigest()
