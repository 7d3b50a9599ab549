"""What a run can be told, whatever the method: all sections, that of the method among them.

A file needs two keys only: `model.name` and `data.name`. The section `method` names a row of
`dlbook.recipes.methods` and sets its hyper-parameters. `dlbook train FILE section.key=value` overrides a key.

>>> content = {"model": {"name": "lenet5_modern"}, "data": {"name": "mnist5k"}}
>>> config = resolve(RunConfig, content, ["trainer.epochs=2", "method.label_smoothing=0.1"])
>>> config.trainer.epochs, config.optimizer.name, config.method.name
(2, 'sgd', 'cross_entropy')
>>> hyper_parameters(config.method)
CrossEntropyConfig(label_smoothing=0.1, ema_decay=None)
"""

import dataclasses
import re
from functools import reduce
from operator import or_
from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, create_model, model_validator

from dlbook.recipes.methods import ABOUT, MEANINGS, METHODS
from dlbook.recipes.run.sections import Augment, Data, Draft, Optimizer
from dlbook.train.configuration import Field, Section, resolve

__all__ = [
    "Augment",
    "Data",
    "Optimizer",
    "RunConfig",
    "changes",
    "hyper_parameters",
    "identity",
    "resolve",
]

# Where a run is kept, how its images are fetched and where it computes: what it learns is the same.
FREE = {"output": True, "data": {"workers", "root"}, "trainer": {"device"}}
CHOICE = {"enum": list(METHODS), "default": "cross_entropy"}  # of method.name, whatever the section


def _method_section(name: str, hyper: type) -> type[Section]:
    """A section with the fields of a method's dataclass as keys; the dataclass itself judges their values."""

    def judge(section: Section) -> Section:
        values = section.model_dump(exclude={"name"})
        try:
            hyper(**values)
        except ValueError as error:
            error.args = (_by_key(hyper, values, error),)
            raise
        return section

    keys = {
        each.name: (
            each.type,
            Field(
                each.default,
                description=MEANINGS.get(f"{name}.{each.name}") or MEANINGS[each.name],
            ),
        )
        for each in dataclasses.fields(hyper)
    }
    return create_model(
        hyper.__name__,
        __base__=Section,
        __doc__=ABOUT[name],
        __validators__={"judge": model_validator(mode="after")(judge)},
        name=(
            Literal[name],
            Field(name, description="the method, whose keys the others are", json_schema_extra=CHOICE),
        ),
        **keys,
    )


def _by_key(hyper: type, values: dict[str, Any], error: ValueError) -> str:
    """What a dataclass says of its values, a line for each key that is at fault, as YAML names nothing: null.

    It is the key without which the others are taken; where several are wrong, those that are refused alone.
    """
    told = {
        key: str(error) for key in values if not _fault(hyper, {k: v for k, v in values.items() if k != key})
    }
    first = dict([*told.items()][:1])  # of two that contradict each other
    faults = first or {key: fault for key, value in values.items() if (fault := _fault(hyper, {key: value}))}
    lines = [f"{key}: {fault}" for key, fault in faults.items()] or [str(error)]
    return re.sub(r"\bNone\b", "null", "\n".join(lines))


def _fault(hyper: type, values: dict[str, Any]) -> str:
    """What a dataclass says of some values, with defaults for the others; "" where it takes them."""
    try:
        hyper(**values)
    except ValueError as error:
        return str(error)
    return ""


def _with_name(content: Any) -> Any:
    """A section that names no method is one of cross-entropy."""
    return {"name": "cross_entropy"} | content if isinstance(content, dict) else content


SECTIONS = {name: _method_section(name, row.hyper) for name, row in METHODS.items()}
MethodSection = Annotated[reduce(or_, SECTIONS.values()), Field(discriminator="name")]


def hyper_parameters(section: Section) -> Any:
    """The frozen dataclass of a method from its section."""
    return METHODS[section.name].hyper(**section.model_dump(exclude={"name"}))


class RunConfig(Draft):
    """A whole run."""

    method: Annotated[MethodSection, BeforeValidator(_with_name)] = SECTIONS["cross_entropy"]()

    @model_validator(mode="after")
    def _labels_are_counted(self) -> "RunConfig":
        if METHODS[self.method.name].batches == "weak_strong" and self.data.labels_per_class is None:
            raise ValueError(
                f"data.labels_per_class: expected a number for method.name={self.method.name}, got null; "
                "set how many labels of each class it may see"
            )
        return self


def identity(config: RunConfig) -> dict[str, object]:
    """Return what makes a run what it is, as JSON has it: dotted key -> value, without what is FREE."""
    return _flat(config.model_dump(mode="json", exclude=FREE))


def changes(before: dict[str, object], now: dict[str, object]) -> str:
    """Say which keys differ, and how; "" where none does.

    Args:
        before, now: dotted key -> value.
    """
    return "; ".join(
        f"{key} was {before.get(key)!r}, now {now.get(key)!r}"
        for key in before | now
        if before.get(key) != now.get(key)
    )


def _flat(section: dict, prefix: str = "") -> dict[str, object]:
    parts = ((f"{prefix}{key}", value) for key, value in section.items())
    return {
        k: v
        for key, value in parts
        for k, v in (_flat(value, f"{key}.") if isinstance(value, dict) else {key: value}).items()
    }
