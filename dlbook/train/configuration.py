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
            f"{path}: expected sections such as 'model:' at the top level, got a list or a "
            "single value; put every key into its section"
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
    for override in overrides:
        key, _, value = override.partition("=")
        try:
            OmegaConf.from_dotlist([override])
        except (yaml.YAMLError, OmegaConfBaseException) as error:
            raise ConfigurationError(
                f"{key}: expected a value that YAML can read, got {value!r} ({_one_line(error)}); put quotes "
                "around text"
            ) from error
    return OmegaConf.from_dotlist(list(overrides))


def _merged(content: Mapping[str, Any], changes: DictConfig, where: str = "") -> dict[str, Any]:
    """The content with what overrides change, as plain dicts, lists, numbers and text."""
    try:
        base = OmegaConf.create(content)
        if odd := _list_for_section(base, changes):
            raise ConfigurationError(
                f"{odd}: expected a section with keys of its own, got a list; set its keys, such as "
                "optimizer.lr=0.1"
            )
        merged = OmegaConf.merge(base, changes)
        return OmegaConf.to_container(merged, resolve=True)
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        key = f"{error.full_key}: " if getattr(error, "full_key", None) else ""
        raise ConfigurationError(
            f"{where}{key}expected a value that is known, got another ({_one_line(error)}); write the value "
            "itself"
        ) from error


def _list_for_section(content: DictConfig, changes: DictConfig, prefix: str = "") -> str:
    """The first key that is a section on one side and a list on the other, which OmegaConf cannot merge."""
    for key in (key for key in content if key in changes):
        pair = content._get_node(key), changes._get_node(key)
        if all(map(OmegaConf.is_dict, pair)):
            if found := _list_for_section(*pair, f"{prefix}{key}."):
                return found
        elif any(map(OmegaConf.is_list, pair)) and any(map(OmegaConf.is_dict, pair)):
            return f"{prefix}{key}"
    return ""


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
