"""Validation of a configuration, with one sentence for each fault.

>>> class Loop(Section):
...     clip: float | None = None
>>> validate(Loop, {"clip": "None"})
Traceback (most recent call last):
dlbook.train.faults.ConfigurationError: clip: expected null for nothing, got the word None; write clip=null
"""

import difflib
import json
import re
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError

__all__ = ["ConfigurationError", "Section", "at_key", "validate"]

WHOLE = "the configuration"  # where a fault lies that is between sections


class Section(BaseModel):
    """A part of a configuration: typed, immutable, with no other keys than its own."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


Schema = TypeVar("Schema", bound=Section)


class ConfigurationError(ValueError):
    """What is wrong with a configuration, a line for each fault: path, what was expected, what got, the
    nearest that exists.
    """


@contextmanager
def at_key(key: str, kind: type[Exception] = ValueError) -> Iterator[None]:
    """Let what is said of a key's value begin with the key.

    Args:
        key: dotted.
        kind: of the errors.

    >>> with at_key("model.name"):
    ...     raise ValueError("expected a name, got 3; write a name")
    Traceback (most recent call last):
    ValueError: model.name: expected a name, got 3; write a name
    """
    try:
        yield
    except kind as error:
        error.args = (f"{key}: {error}",)
        raise


def validate(
    schema: type[Schema],
    content: dict[str, Any],
    file: Path | None = None,
    overridden: Sequence[str] = (),
) -> Schema:
    """Make a configuration of plain dicts, lists, numbers and text.

    Args:
        schema: says which keys there are, and what each may be.
        content: section -> key -> value.
        file: where it was read; a fault in it is said to be there.
        overridden: dotted keys that are not from the file.

    Raises:
        ConfigurationError: something does not fit the schema; every fault is named at once.
    """
    words = _words_for_null([schema], content)
    try:
        config, faults = schema.model_validate_json(json.dumps(content, default=str), strict=True), []
    except ValidationError as error:
        config, faults = None, error.errors()
    if words or faults:
        raise ConfigurationError(
            "\n".join(
                _placed(line, file, overridden)
                for told in [*map(_of_null, words), *(_sentence(schema, fault) for fault in faults)]
                for line in told.splitlines()
            )
        )
    return config


def _placed(line: str, file: Path | None, overridden: Sequence[str]) -> str:
    """The file in front of the line, unless an override set the key, one above or below it, or one that the
    line names with its value.
    """
    where = line.split(": ")[0]
    near = (f"{key}.".startswith(f"{where}.") or f"{where}.".startswith(f"{key}.") for key in overridden)
    named = any(f"{key}=" in line for key in overridden)
    return (
        line if file is None or named or any(near) or (where == WHOLE and overridden) else f"{file}: {line}"
    )


def _words_for_null(
    sections: Sequence[type[Section]], content: dict[str, Any], prefix: str = ""
) -> list[str]:
    """The keys with Python's None where null may stand: for YAML it is a word, and would be taken for a path.

    In `content` they become null.
    """
    found = []
    for key, value in content.items():
        kinds = [s.model_fields[key].annotation for s in sections if key in s.model_fields]
        if value == "None" and any(type(None) in typing.get_args(kind) for kind in kinds):
            content[key] = None
            found.append(f"{prefix}{key}")
        elif isinstance(value, dict):
            below = [section for kind in kinds for section in _sections(kind)]
            found += _words_for_null(below, value, f"{prefix}{key}.")
    return found


def _of_null(where: str) -> str:
    return f"{where}: expected null for nothing, got the word None; write {where}=null"


def _sentence(schema: type[Section], fault: Mapping[str, Any]) -> str:
    """Say one of pydantic's faults in one line: where it is, what was expected, what got, how to fix it."""
    path, sections, below = _locate(schema, fault["loc"])
    where, got = ".".join(path) or WHOLE, fault["input"]
    if fault["type"] == "extra_forbidden":
        known = list(dict.fromkeys(name for section in sections for name in section.model_fields))
        fix = _of_another(schema, where) or _nearest(path[-1], known) or "fix its name, or leave it out"
        return f"{where}: expected one of the keys {', '.join(known)}, got {path[-1]!r}; {fix}"
    if fault["type"] == "value_error":  # a validator of ours: it says all three things itself
        return "\n".join(_at_key(schema, path, line) for line in str(fault["ctx"]["error"]).splitlines())
    if fault["type"].startswith("model_") and below:
        first = f"{where}.{next(iter(below[0].model_fields))}"
        fix = f"did you mean {first}={got}?" if isinstance(got, str) else f"set its keys, such as {first}=..."
        return f"{where}: expected a section with keys of its own, got {_shown(got)}; {fix}"
    if fault["type"] == "too_long" or any(isinstance(part, int) for part in fault["loc"]):
        return _of_list(path, sections, fault)  # no override sets one number of a list
    if fault["type"] == "missing":
        inside = [p for p in _paths(schema) if p.startswith(f"{where}.")]
        key = inside[0] if inside else where
        return f"{where}: expected a value, got none; set it in the file or by {key}=..."
    told = fault.get("ctx", {})
    if fault["type"] == "union_tag_invalid":
        where, got = f"{where}.name", told["tag"]
    words = re.findall(r"'([^']+)'", told.get("expected_tags") or told.get("expected") or fault["msg"])
    fix = (_nearest(got, words) if isinstance(got, str) else "") or f"set another by {where}=..."
    return f"{where}: expected {_asked(fault)}, got {_shown(got)}; {fix}"


def _at_key(schema: type[Section], path: Sequence[str], line: str) -> str:
    """A line of a validator with its key in front; one between keys says itself at which of its section's."""
    inside = ".".join([*path, line.partition(": ")[0]])
    return (
        f"{'.'.join([*path, ''])}{line}" if inside in _paths(schema) else f"{'.'.join(path) or WHOLE}: {line}"
    )


def _asked(fault: Mapping[str, Any]) -> str:
    """What pydantic says of a value ("Input should be ...") or of others ("String should ...")."""
    if fault["type"] == "union_tag_invalid":
        return f"one of {fault['ctx']['expected_tags']}"
    asked = re.sub(r"^Input should be ", "", fault["msg"]).replace("should", "that should")
    return asked[0].lower() + asked[1:]


def _shown(value: Any) -> str:
    """A value as YAML has it: null and true, not None and True."""
    return json.dumps(value) if value is None or isinstance(value, bool) else repr(value)


def _of_another(schema: type[Section], where: str) -> str:
    """ "did you mean optimizer.lr?" if other sections have the key at the end of `where`, else nothing."""
    key = where.split(".")[-1]
    paths = dict.fromkeys(path for path in _paths(schema) if path.split(".")[-1] == key)
    others = [path for path in paths if path != where]
    return f"did you mean {' or '.join(others)}?" if others else ""


def _of_list(path: list[str], sections: Sequence[type[Section]], fault: Mapping[str, Any]) -> str:
    """What is wrong with the length of a list, or with one of its elements."""
    place = next((i for i, part in enumerate(path) if part.isdigit()), len(path))
    fields = [s.model_fields[path[place - 1]] for s in sections if path[place - 1] in s.model_fields]
    usual = [list(f.default) for f in fields if isinstance(f.default, (tuple, list)) and f.default]
    if fault["type"] == "too_long":
        asked = f"{fault['ctx']['max_length']} values"
    elif fault["type"] == "missing":
        asked = f"{int(path[place]) + 1} values"
    else:
        asked = f"{_asked(fault)} as number {int(path[place]) + 1}"
    where, got = ".".join(path[:place]), _shown(fault["input"])
    how = f"such as {usual[0]}" if usual else "in brackets"
    return f"{where}: expected {asked}, got {got}; set the whole list, {how}"


def _paths(schema: type[Section], prefix: str = "") -> list[str]:
    """Every dotted key of a schema."""
    return [
        path
        for name, field in schema.model_fields.items()
        for path in [
            f"{prefix}{name}",
            *(p for section in _sections(field.annotation) for p in _paths(section, f"{prefix}{name}.")),
        ]
    ]


def _nearest(word: str, known: Sequence[str]) -> str:
    """ "did you mean 'lr'?" if one of the known words is near, else nothing."""
    near = difflib.get_close_matches(word.lower(), [name.lower() for name in known], n=1, cutoff=0.5)
    return next((f"did you mean {name!r}?" for name in known if near and name.lower() == near[0]), "")


def _locate(
    schema: type[Section], location: Sequence[str | int]
) -> tuple[list[str], list[type[Section]], list[type[Section]]]:
    """The keys that lead to a fault, the sections where its last key stands, and those that it takes.

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
    return path, sections, deeper


def _sections(annotation: Any) -> list[type[Section]]:
    """The sections within a type such as `Optional[Mixup]` or `list[Stage]`."""
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        return [annotation] if issubclass(annotation, Section) else []
    return [section for inner in typing.get_args(annotation) for section in _sections(inner)]
