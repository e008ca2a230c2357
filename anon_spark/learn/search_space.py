"""What a search over a model's settings may try: readable ranges, each held against what the model allows.

No range can leave what a setting allows: a leaf of fewer than 11 people is refused before anything is trained.
"""

import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, Self

import yaml
from pydantic import Field, ValidationError, model_validator

from anon_spark.errors import PolicyError
from anon_spark.learn.models import MODELS, own_file
from anon_spark.policy.load import conf_dir
from anon_spark.policy.model import Strict

# A split or a seed that is searched is fitted to who happens to be in the validation.
_NOT_SEARCHED = {"workers", "seed", "random_state", "train_share", "validation_share", "split_seed"}


class Range(Strict):
    """Numbers from ``low`` to ``high``, both included; whole ones if both are."""

    low: Annotated[int | float, Field(allow_inf_nan=False)]
    high: Annotated[int | float, Field(allow_inf_nan=False)]
    log: bool = False

    @model_validator(mode="after")
    def _is_a_range(self) -> Self:
        if not self.low < self.high:
            raise ValueError("low must be below high")
        if self.log and self.low <= 0:
            raise ValueError("log: true needs a low above 0")
        return self

    @property
    def whole(self) -> bool:
        """True where only whole numbers are meant."""
        return isinstance(self.low, int) and isinstance(self.high, int)


Space = dict[str, Range | list[Any]]
"""Setting, with dots between nested keys, to its range or its choices."""


def load_space(model: str, base: Strict, folder: Path | None = None) -> Space:
    """Read ``search/<model>.yaml`` of the folder, else the package's, and hold it against the model's settings.

    Raises:
        PolicyError: all problems at once, each with its key.
    """
    own = own_file(model, folder / "search") if folder else None
    file = own or conf_dir() / "models" / "search" / f"{model}.yaml"
    place = f"search/{file.name}"
    try:
        told = yaml.safe_load(file.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{place}: cannot be read ({type(error).__name__})") from None
    problems: list[str] = []
    space: Space = {}
    for name, tried in _flat(told) if isinstance(told, dict) else ():
        try:
            space[name] = Range.model_validate(tried) if isinstance(tried, dict) else _choices(tried)
        except (ValidationError, ValueError) as error:
            problems.append(f"{place}: {name}: {_said(error)}")
    problems += [f"{place}: {name}: {sentence}" for name, sentence in _forbidden(space, model, base)]
    if not space and not problems:
        problems.append(f"{place}: names no setting to search")
    if problems:
        raise PolicyError(problems)
    return space


def with_values(base: Strict, values: Mapping[str, Any]) -> Any:
    """The settings with some of them replaced.

    Raises:
        ValueError: a value that the model does not allow, or a name below a setting that is one value.
    """
    whole = base.model_dump(mode="json")
    for name, value in values.items():
        *outer, last = name.split(".")
        place = whole
        for key in outer:
            place = place.setdefault(key, {})
            if not isinstance(place, dict):
                raise ValueError(f"{key} is one value, with no settings of its own")
        place[last] = value
    return type(base).model_validate(whole)


def suggest(trial: Any, space: Space) -> dict[str, Any]:
    """Values that an Optuna trial picks."""
    values: dict[str, Any] = {}
    for name, tried in space.items():
        if isinstance(tried, list):  # as JSON: Optuna's choices are scalars
            values[name] = json.loads(trial.suggest_categorical(name, [json.dumps(one) for one in tried]))
        elif tried.whole:
            values[name] = trial.suggest_int(name, int(tried.low), int(tried.high), log=tried.log)
        else:
            values[name] = trial.suggest_float(name, float(tried.low), float(tried.high), log=tried.log)
    return values


def _flat(told: Mapping[str, Any], before: str = "") -> Iterator[tuple[str, Any]]:
    for key, value in told.items():
        name = f"{before}{key}"
        if isinstance(value, dict) and not {"low", "high"} & {*value}:
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def _choices(tried: Any) -> list[Any]:
    if not isinstance(tried, list) or not tried:
        raise ValueError("a range {low, high} or a list of choices is wanted")
    return tried


def _forbidden(space: Space, model: str, base: Strict) -> Iterator[tuple[str, str]]:
    """Settings that the model has not or that are not searched, and ends and choices that it does not allow."""
    for name, tried in space.items():
        if name.split(".")[-1] in _NOT_SEARCHED:
            yield name, "is not searched"
            continue
        for value in tried if isinstance(tried, list) else (tried.low, tried.high):
            try:
                with_values(base, {name: value})
            except ValueError as error:
                yield name, f"{value} is not for {MODELS[model].config.__name__}: {_said(error)}"


def _said(error: ValueError) -> str:
    if isinstance(error, ValidationError):
        return "; ".join(item["msg"] for item in error.errors(include_url=False))
    return str(error)
