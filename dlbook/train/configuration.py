"""Typed configuration: a YAML file, overrides from the command line, and one line for each fault.

A schema is a tree of `Section`s with types and ranges. OmegaConf reads the YAML safely, so that `1e-4` is a
number and a key that stands twice is an error; pydantic validates it strictly. `save` writes the resolved
configuration: loading that file again gives an equal object, whatever the defaults of a later version are.

>>> class Optimizer(Section):
...     name: Literal["sgd", "adamw"] = "sgd"
...     lr: float = Field(0.1, gt=0)
>>> class Config(Section):
...     optimizer: Optimizer = Optimizer()
>>> resolve(Config, {}, ["optimizer.lr=1e-4"]).optimizer.lr
0.0001
>>> resolve(Config, {"optimizer": {"Lr": 0.1}})  # doctest: +NORMALIZE_WHITESPACE
Traceback (most recent call last):
dlbook.train.faults.ConfigurationError: optimizer.Lr: expected one of the keys name, lr, got 'Lr'; did
you mean 'lr'?
"""

import difflib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import Field

from dlbook.files import write_whole
from dlbook.train.faults import ConfigurationError, Section, validate

__all__ = ["ConfigurationError", "Field", "Literal", "Section", "load", "read_value", "resolve", "save"]


Schema = TypeVar("Schema", bound=Section)


def load(schema: type[Schema], file: str | Path, overrides: Sequence[str] = ()) -> Schema:
    """Read a YAML file into a schema.

    Args:
        schema: says which keys there are, and what each may be.
        file: the YAML file.
        overrides: "section.key=value", as on a command line; the value is read as YAML. Later ones win.

    Raises:
        ConfigurationError: the file is missing or malformed, or something in it does not fit the schema.
    """
    path = Path(file)
    changes = _dotted(overrides)
    whole = _merged(_read(path), changes, f"{path}: ")
    return validate(schema, whole, path, [override.partition("=")[0] for override in overrides])


def _read(path: Path) -> DictConfig:
    if path.is_dir():
        raise ConfigurationError(f"{path}: expected a YAML file, got a folder; name a file in it")
    if not path.is_file():
        near = difflib.get_close_matches(path.name, [p.name for p in path.parent.glob("*.y*ml")], n=1)
        hint = f"did you mean {path.with_name(near[0])}?" if near else "fix the path"
        raise ConfigurationError(f"{path}: expected a YAML file, got a path to nothing; {hint}")
    try:
        content = OmegaConf.load(path)
    except (yaml.YAMLError, OmegaConfBaseException, UnicodeDecodeError, OSError) as error:
        raise ConfigurationError(
            f"{path}: expected YAML, got what cannot be read ({_one_line(error)}); fix that line"
        ) from error
    if not OmegaConf.is_dict(content):
        raise ConfigurationError(
            f"{path}: expected sections such as 'model:' at the top level, got {type(content).__name__}; "
            "put every key into its section"
        )
    return content


def resolve(schema: type[Schema], content: Mapping[str, Any], overrides: Sequence[str] = ()) -> Schema:
    """Merge the overrides into `content` and validate the whole.

    Args:
        schema: says which keys there are, and what each may be.
        content: section -> key -> value.
        overrides: "section.key=value"; later ones win.

    Raises:
        ConfigurationError: something does not fit the schema; every fault is named at once.
    """
    return validate(schema, _merged(content, _dotted(overrides)))


def _dotted(overrides: Sequence[str]) -> DictConfig:
    """The overrides as sections."""
    for override in overrides:
        key, equals, _ = override.partition("=")
        if not (equals and key and all(part.isidentifier() for part in key.split("."))):
            raise ConfigurationError(
                f"expected overrides section.key=value, got {override!r}; write it as optimizer.lr=0.1"
            )
    try:
        return OmegaConf.from_dotlist(list(overrides))
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise ConfigurationError(
            f"expected values that YAML can read, got others ({_one_line(error)}); put quotes around text"
        ) from error


def _merged(content: Mapping[str, Any], changes: DictConfig, where: str = "") -> dict[str, Any]:
    """The content with what overrides change, as plain dicts, lists, numbers and text."""
    try:
        merged = OmegaConf.merge(OmegaConf.create(content), changes)
        return OmegaConf.to_container(merged, resolve=True)
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise ConfigurationError(
            f"{where}expected sections whose values are known, got others ({_one_line(error)}); fix the one "
            "it names"
        ) from error


def read_value(text: str) -> Any:
    """Read one value as an override has it: `1e-4` is a number, `[1, 2]` a list.

    Args:
        text: the value, in YAML.

    Raises:
        ConfigurationError: it is no YAML.
    """
    try:
        return OmegaConf.to_container(OmegaConf.from_dotlist([f"value={text}"]))["value"]
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise ConfigurationError(
            f"expected a value that YAML can read, got {text!r} ({_one_line(error)}); put quotes around text"
        ) from error


def save(config: Section, path: str | Path) -> Path:
    """Write the resolved configuration as YAML, at once or not at all; `load` gives an equal object back."""
    text = yaml.safe_dump(config.model_dump(mode="json"), sort_keys=False, allow_unicode=True)
    return write_whole(path, text.encode())


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())
