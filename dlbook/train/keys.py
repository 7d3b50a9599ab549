"""The keys of a configuration in words: what each may be, its default, and what it means.

Types and ranges come from pydantic's JSON Schema, meanings from the fields' descriptions. `commented` writes
a whole configuration with all of that, as YAML that `configuration.load` reads again.

>>> from dlbook.train.configuration import Field
>>> class Optimizer(Section):
...     "How the weights are moved."
...     lr: float = Field(0.1, gt=0, description="learning rate")
>>> class Config(Section):
...     optimizer: Optimizer = Optimizer()
>>> print(commented(Config(optimizer=Optimizer(lr=0.5))))
# How the weights are moved.
optimizer:
  # learning rate [number > 0; default 0.1]
  lr: 0.5
"""

import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from dlbook.train.configuration import Section

__all__ = ["Key", "commented", "keys"]

NEEDED = "needed"
WIDTH = 100  # columns of a comment
TYPES = {"integer": "whole number", "number": "number", "string": "text", "boolean": "true or false"}
BOUNDS = {"minimum": ">=", "exclusiveMinimum": ">", "maximum": "<=", "exclusiveMaximum": "<"}


@dataclass(frozen=True)
class Key:
    """One key of a section.

    Attributes:
        name: without its section.
        kind: what its value may be, such as "number > 0".
        default: as YAML has it; "needed" where there is none.
        meaning: one sentence.
    """

    name: str
    kind: str
    default: str
    meaning: str


def keys(section: type[Section]) -> list[Key]:
    """Describe the keys of a section in their order, without the sections inside it."""
    told = section.model_json_schema()["properties"]
    return [
        Key(
            name,
            _kind(told[name]),
            _value(told[name]["default"]) if "default" in told[name] else NEEDED,
            field.description or "",
        )
        for name, field in section.model_fields.items()
        if not _holds_sections(told[name])
    ]


def commented(config: Section) -> str:
    """Write a configuration as YAML, each key below a comment with its meaning, type and default."""
    return "\n".join(_lines(config, ""))


def _lines(config: Section, indent: str) -> Iterator[str]:
    known = {key.name: key for key in keys(type(config))}
    for name in type(config).model_fields:
        value = getattr(config, name)
        if isinstance(value, Section):
            yield from _comment(_first_line(value), indent)
            yield f"{indent}{name}:"
            yield from _lines(value, indent + "  ")
        else:
            key = known[name]
            default = key.default if key.default == NEEDED else f"default {key.default}"
            yield from _comment(f"{key.meaning} [{key.kind}; {default}]", indent)
            yield f"{indent}{name}: {_value(value)}"


def _comment(text: str, indent: str) -> list[str]:
    """Lines of YAML that nothing reads."""
    start = f"{indent}# "
    return textwrap.wrap(text, WIDTH, initial_indent=start, subsequent_indent=start, break_on_hyphens=False)


def _first_line(section: Section) -> str:
    return " ".join((type(section).__doc__ or "").split("\n\n")[0].split())


def _value(value: Any) -> str:
    """A value in one line of YAML."""
    plain = list(value) if isinstance(value, tuple) else value
    return yaml.safe_dump(plain, default_flow_style=True, width=1_000_000).removesuffix("...\n").strip()


def _holds_sections(told: Mapping[str, Any]) -> bool:
    return "$ref" in told or "oneOf" in told


def _kind(told: Mapping[str, Any]) -> str:
    """Say in words what a JSON Schema allows."""
    if "anyOf" in told:
        return " or ".join(_kind(each) for each in told["anyOf"])
    if "enum" in told:
        return f"one of {', '.join(map(str, told['enum']))}"
    if "const" in told:
        return str(told["const"])
    if told.get("type") == "array":
        if "prefixItems" in told:
            kinds = [_kind(each) for each in told["prefixItems"]]
            if len(set(kinds)) == 1:
                return f"list of {len(kinds)}, each {kinds[0]}"
            return f"list of {', '.join(kinds)}"
        return f"list of {_kind(told['items'])}s"
    bounds = " and ".join(f"{sign} {_bound(told[name])}" for name, sign in BOUNDS.items() if name in told)
    return f"{TYPES.get(told.get('type'), told.get('type', 'anything'))} {bounds}".strip()


def _bound(number: float) -> str:
    """A bound; a large power of two as such."""
    power = int(number).bit_length() - 1
    return f"2^{power}" if power > 30 and number == 2**power else str(number)
