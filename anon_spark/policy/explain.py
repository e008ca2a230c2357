"""What is wrong with a policy, as its author reads it: where, what is wanted there, and what stands there."""

import json
from collections.abc import Iterator, Mapping, Sequence
from types import NoneType, UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, TypeAdapter, ValidationError
from pydantic_core import ErrorDetails

from anon_spark.errors import nearest

Location = tuple[str | int, ...]
_DEPTH = 6  # of keys below each other that an unknown key is looked for under
_RANGES = {
    "minimum": "of at least {:g}",
    "exclusiveMinimum": "above {:g}",
    "maximum": "of at most {:g}",
    "minLength": "of at least {:g} characters",
    "maxLength": "of at most {:g} characters",
}
_TYPES = {"integer": "a whole number", "number": "a number", "string": "text", "boolean": "true or false"}


def explain(error: ValidationError, model: type[BaseModel], document: Any) -> list[str]:
    """One line for each place that is wrong, as ``place.of.key: what``, in the order of the places.

    A place that takes one of several kinds (a file's name or a rule) has one line for what was most likely meant.

    Args:
        error: of validating ``document``.
        model: that it was to be.
    """
    return list(dict.fromkeys(_lines(error, model, document, model, ())))


def _lines(
    error: ValidationError, model: type[BaseModel], value: Any, root: type[BaseModel], at: Location
) -> Iterator[str]:
    """The lines of one model, which stands at ``at`` of the whole."""
    for detail in error.errors(include_url=False):
        below, kind = _follow(model, detail["loc"])
        here, place = _at(value, below), (*at, *below)
        if len(_arms(kind)) > 1 and below != detail["loc"] and (meant := _meant(_arms(kind), here)):
            try:
                meant.model_validate(here)
            except ValidationError as inner:
                yield from _lines(inner, meant, here, root, place)
            continue
        said = _said(detail, below, kind, here)
        if (
            below == detail["loc"]
            and detail["type"] == "extra_forbidden"
            and (parent := _model_at(model, below[:-1]))
        ):
            said = f"unknown key{_better_key(str(below[-1]), parent, root)}"
        yield f"{'.'.join(map(str, place))}: {said}" if place else said


def _said(detail: ErrorDetails, place: Location, kind: Any, value: Any) -> str:
    """What is wrong with a value; ``place`` is shorter than the detail's where one of several types is taken."""
    if detail["loc"][-1:] == ("[key]",):
        return "a name is text; put it in quotes"
    if detail["loc"] == place and detail["type"] == "missing":
        return f"is missing; {wanted(kind)} is wanted"
    if detail["loc"] == place and detail["type"] == "value_error":
        return detail["msg"].removeprefix("Value error, ")
    return f"{wanted(kind)} is wanted, not {_shown(value)}{_nearest_word(kind, value)}"


# --- what a type wants ---


def wanted(kind: Any) -> str:
    """What a type takes, in words.

    >>> from typing import Literal
    >>> from pydantic import Field
    >>> wanted(Annotated[int, Field(ge=2)] | Literal["auto"] | None)
    'a whole number of at least 2 or auto'
    """
    schema = TypeAdapter(kind).json_schema()
    return _in_words(schema, schema.get("$defs", {}))


def _in_words(schema: Mapping[str, Any], models: Mapping[str, Any]) -> str:
    schema = _resolved(schema, models)
    if "anyOf" in schema:
        arms = [_in_words(arm, models) for arm in schema["anyOf"] if arm.get("type") != "null"]
        return _or(arms)
    if "form" in schema:
        return str(schema["form"])
    if "enum" in schema or "const" in schema:
        words = [
            x if isinstance(x, str) else json.dumps(x) for x in schema.get("enum", [schema.get("const")])
        ]
        return _or(words) if len(words) < 3 else f"one of {', '.join(words)}"
    if schema.get("type") == "array":
        return f"{_many(schema, 'minItems', 'a list')} of {_in_words(schema.get('items', {}), models)}"
    if "properties" in schema:
        return f"a mapping with keys among {', '.join(schema['properties'])}"
    if schema.get("type") == "object":
        each = schema.get("additionalProperties")
        return _many(schema, "minProperties", "a mapping of names") + (
            f", each to {_in_words(each, models)}" if isinstance(each, Mapping) else ""
        )
    return _plain(schema)


def _plain(schema: Mapping[str, Any]) -> str:
    noun = str(schema.get("description") or _TYPES.get(str(schema.get("type")), "a value"))
    if schema.get("minLength") == schema.get("maxLength") == 1:
        return "one character"
    if {"minimum", "maximum"} <= schema.keys():
        return f"{noun} between {schema['minimum']:g} and {schema['maximum']:g}"
    return " ".join([noun, *(text.format(schema[key]) for key, text in _RANGES.items() if key in schema)])


def _many(schema: Mapping[str, Any], key: str, noun: str) -> str:
    return f"{noun} (at least {schema[key]})" if schema.get(key) else noun


def _resolved(schema: Mapping[str, Any], models: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = schema.get("$ref")
    return schema if reference is None else models[reference.rpartition("/")[2]]


def _or(words: Sequence[str]) -> str:
    return " or ".join([", ".join(words[:-1]), words[-1]]) if len(words) > 1 else words[0]


def _shown(value: Any) -> str:
    """What stands there; of what is long only its kind."""
    if value is None:
        return "nothing"
    if isinstance(value, Mapping):
        return f"a mapping with {', '.join(map(str, value))}" if value else "an empty mapping"
    if isinstance(value, list):
        return "a list" if value else "an empty list"
    return f"'{value}'" if isinstance(value, str) else json.dumps(value, default=str)


def _nearest_word(kind: Any, value: Any) -> str:
    if isinstance(value, Mapping):
        names = [name for arm in _arms(kind) if (model := _model(arm)) for name in model.model_fields]
        return next((near for key in value if (near := nearest(str(key), names))), "")
    schema = TypeAdapter(kind).json_schema()
    enums = [_resolved(x, schema.get("$defs", {})).get("enum", []) for x in schema.get("anyOf", [schema])]
    return nearest(str(value), [str(word) for words in enums for word in words])


# --- keys that nobody knows ---


def _better_key(key: str, parent: type[BaseModel], root: type[BaseModel]) -> str:
    """The key that may have been meant: one like it at the same place, else the place where it is one."""
    known = [field.alias or name for name, field in parent.model_fields.items()]
    if near := nearest(key, known):
        return near
    if place := next((".".join(path) for path in _paths(root) if path[-1] == key), ""):
        return f"; its place is {place}"
    return f"; known here: {', '.join(known)}"


def _paths(root: Any) -> Iterator[tuple[str, ...]]:
    """Every key of a model and of those below it, upper ones first; NAME stands for a name of the author's."""
    level: list[tuple[tuple[str, ...], Any]] = [((), root)]
    for _ in range(_DEPTH):
        found = [step for path, kind in level for arm in _arms(kind) for step in _steps(path, arm)]
        yield from (path for path, _ in found if path and path[-1] != "NAME")
        level = found


def _steps(path: tuple[str, ...], kind: Any) -> Iterator[tuple[tuple[str, ...], Any]]:
    if model := _model(kind):
        for name, field in model.model_fields.items():
            yield (*path, field.alias or name), field.annotation
    elif get_origin(kind) is dict:
        yield (*path, "NAME"), get_args(kind)[1]


# --- types and values at a place ---


def _follow(kind: Any, location: Location) -> tuple[Location, Any]:
    """The place and its type; it ends where one of several types is taken, since pydantic names the type there."""
    for i, step in enumerate(location):
        arms = _arms(kind)
        if len(arms) > 1 or step == "[key]":
            return location[:i], kind
        kind = _below(arms[0], step)
    return location, kind


def _below(kind: Any, step: str | int) -> Any:
    """Type of the value under ``step`` of a value of type ``kind``."""
    if model := _model(kind):
        found = (f for n, f in model.model_fields.items() if step in {n, f.alias})
        field = next(found, None)
        return None if field is None else Annotated[(field.annotation, *field.metadata, None)]
    kind = _bare(kind)
    return get_args(kind)[-1 if get_origin(kind) is dict else 0] if get_args(kind) else None


def _model_at(model: type[BaseModel], location: Location) -> type[BaseModel] | None:
    return _model(_arms(_follow(model, location)[1])[0])


def _arms(kind: Any) -> list[Any]:
    """The types that a value may have, None apart."""
    bare = _bare(kind)
    if get_origin(bare) in {Union, UnionType}:
        arms = [arm for arm in get_args(bare) if arm is not NoneType]
        return arms if len(arms) > 1 else _arms(arms[0])
    return [kind]


def _bare(kind: Any) -> Any:
    while get_origin(kind) is Annotated:
        kind = get_args(kind)[0]
    return kind


def _model(kind: Any) -> type[BaseModel] | None:
    bare = _bare(kind)
    return bare if isinstance(bare, type) and issubclass(bare, BaseModel) else None


def _meant(arms: Sequence[Any], value: Any) -> type[BaseModel] | None:
    """The model with most of a mapping's keys; the only model whatever its keys; None where nothing tells."""
    models = [model for arm in arms if (model := _model(arm))]
    if not isinstance(value, Mapping) or not models:
        return None
    best = max(models, key=lambda model: len(model.model_fields.keys() & value.keys()))
    return best if len(models) == 1 or best.model_fields.keys() & value.keys() else None


def _at(value: Any, location: Location) -> Any:
    """The value at a place of a document, None where there is none."""
    for step in location:
        known = isinstance(value, Mapping) and step in value
        listed = isinstance(value, list) and isinstance(step, int)
        value = value[step] if known or listed else None
    return value
