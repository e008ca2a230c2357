"""Settings of models, read from ``conf/models``: unknown keys and impossible values are errors of one message."""

from pathlib import Path
from typing import TypeVar

import yaml
from pydantic import ValidationError

from anon_spark.errors import PolicyError
from anon_spark.policy.load import conf_dir
from anon_spark.policy.model import Strict

S = TypeVar("S", bound=Strict)


def load_settings(kind: type[S], name: str, path: Path | None = None) -> S:
    """Read a model's settings; by default the package's ``models/<name>.yaml``.

    Raises:
        PolicyError: all problems at once, each with its key.
    """
    file = path or conf_dir() / "models" / f"{name}.yaml"
    try:
        return kind.model_validate(yaml.safe_load(file.read_text(encoding="utf-8")))
    except ValidationError as error:
        raise PolicyError(
            [
                f"{file.name}: {'.'.join(map(str, item['loc'])) or 'settings'}: {item['msg']}"
                for item in error.errors(include_url=False)
            ]
        ) from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise PolicyError(f"{file.name}: cannot be read ({type(error).__name__})") from None
