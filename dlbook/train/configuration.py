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
dlbook.train.configuration.ConfigurationError: optimizer.Lr: expected one of the keys name, lr, got 'Lr'; did
you mean 'lr'?
"""

import difflib
import json
import re
import types
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar

import yaml
from omegaconf import OmegaConf
from omegaconf.errors import OmegaConfBaseException
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from dlbook.files import write_whole

__all__ = ["ConfigurationError", "Field", "Literal", "Section", "load", "read_value", "resolve", "save"]


class Section(BaseModel):
    """A part of a configuration: typed, immutable, with no other keys than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ConfigurationError(ValueError):
    """What is wrong with a configuration, a line for each fault: path, what was expected, what got, the
    nearest that exists.
    """


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
    return resolve(schema, content, overrides)


def resolve(schema: type[Schema], content: Mapping[str, Any], overrides: Sequence[str] = ()) -> Schema:
    """Merge the overrides into `content` and validate the whole.

    Args:
        schema: says which keys there are, and what each may be.
        content: section -> key -> value.
        overrides: "section.key=value"; later ones win.

    Raises:
        ConfigurationError: something does not fit the schema; every fault is named at once.
    """
    for override in overrides:
        key, equals, _ = override.partition("=")
        if not (equals and key and all(part.isidentifier() for part in key.split("."))):
            raise ConfigurationError(
                f"expected overrides section.key=value, got {override!r}; write it as optimizer.lr=0.1"
            )
    try:
        merged = OmegaConf.merge(OmegaConf.create(content), OmegaConf.from_dotlist(list(overrides)))
        plain = OmegaConf.to_container(merged, resolve=True)
    except (yaml.YAMLError, OmegaConfBaseException) as error:
        raise ConfigurationError(
            f"expected values that YAML can read, got others ({_one_line(error)}); fix the one it names"
        ) from error
    try:
        return schema.model_validate_json(json.dumps(plain, default=str), strict=True)
    except ValidationError as error:
        raise ConfigurationError("\n".join(_sentence(schema, fault) for fault in error.errors())) from None


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


def _sentence(schema: type[Section], fault: Mapping[str, Any]) -> str:
    """Say one of pydantic's faults in one line: where it is, what was expected, what got, how to fix it."""
    path, sections = _locate(schema, fault["loc"])
    where = ".".join(path) or "the configuration"
    if fault["type"] == "extra_forbidden":
        known = list(dict.fromkeys(key for section in sections for key in section.model_fields))
        fix = _nearest(path[-1], known) or "fix its name, or leave it out"
        return f"{where}: expected one of the keys {', '.join(known)}, got {path[-1]!r}; {fix}"
    if fault["type"] == "missing":
        return f"{where}: expected a value, got none; set it in the file or by {where}=..."
    if fault["type"] == "value_error":  # a section's own validator: it says all three things itself
        return f"{where}: {fault['ctx']['error']}"
    got = fault["input"]
    if fault["type"] == "union_tag_invalid":
        got = fault["ctx"]["tag"]
        where = f"{where}.name"
    words = re.findall(r"'([^']+)'", fault.get("ctx", {}).get("expected", fault["msg"]))
    fix = (_nearest(got, words) if isinstance(got, str) else "") or f"set another by {where}=..."
    # pydantic says "Input should be ..." of a value, "String should ..." and "List should ..." of the others.
    asked = re.sub(r"^Input should be ", "", fault["msg"]).replace("should", "that should")
    return f"{where}: expected {asked[0].lower()}{asked[1:]}, got {got!r}; {fix}"


def _nearest(word: str, known: Sequence[str]) -> str:
    """ "did you mean 'lr'?" if one of the known words is near, else nothing."""
    near = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.5)
    return next((f"did you mean {name!r}?" for name in known if near and name.lower() == near[0]), "")


def _locate(schema: type[Section], location: Sequence[str | int]) -> tuple[list[str], list[type[Section]]]:
    """The keys that lead to a fault, and the sections where its last key stands.

    Where a key takes one of several sections, pydantic puts the `name` of the chosen one into the location;
    it is no key, and is left out.
    """
    path, sections, deeper = [], [schema], [schema]
    for part in location:
        chosen = [s for s in deeper if "name" in s.model_fields and s.model_fields["name"].default == part]
        if len(deeper) > 1 and chosen:
            deeper = chosen
            continue
        path.append(str(part))
        sections = deeper
        annotations = [s.model_fields[part].annotation for s in sections if part in s.model_fields]
        deeper = [s for annotation in annotations for s in _sections(annotation)] or sections
    return path, sections


def _sections(annotation: Any) -> list[type[Section]]:
    """The Section classes within a type such as `Optional[Mixup]` or `list[Stage]`."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, Section) else []
    return [section for inner in typing.get_args(annotation) for section in _sections(inner)]
