"""What a search may vary: `--space` on the command line, a key of the configuration with a range or a choice
of values.

    optimizer.lr=log:1e-4..1e-1              any number between, every factor of ten alike
    trainer.label_smoothing=0..0.2           any number between; whole numbers where the key takes no others
    model.name=resnet20_cifar,resnet32_cifar one of these

>>> parse("optimizer.lr=log:1e-4..1e-1")
Range(key='optimizer.lr', low=0.0001, high=0.1, log=True, whole=False)
>>> parse("data.batch_size=32,64")
Choice(key='data.batch_size', values=(32, 64))
"""

import itertools
import json
import re
import typing
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from dlbook.recipes.classify.config import ClassifyConfig, resolve
from dlbook.train.configuration import ConfigurationError, Section, read_value

__all__ = ["Choice", "Range", "Space", "parse", "require_valid", "with_values"]

GRAMMAR = (
    "KEY=low..high, KEY=log:low..high or KEY=a,b,c, for example optimizer.lr=log:1e-4..1e-1 or "
    "data.batch_size=32,64"
)
NUMBER = r"[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?"
MOST_CORNERS = 512

# With another seed or other images the trials would be compared on different validation images; where a run
# is kept changes nothing.
FIXED = ("seed", "data", "output")
FREE_OF_DATA = ("data.batch_size",)


@dataclass(frozen=True)
class Range:
    """Numbers from `low` to `high`, both included; `log`: uniform in the logarithm; `whole`: integers only."""

    key: str
    low: float
    high: float
    log: bool
    whole: bool

    def ends(self) -> tuple[Any, ...]:
        """Where a schema that accepts all between has to be asked."""
        return (self.low, self.high)

    def suggest(self, trial: Any) -> Any:
        """A value for an Optuna trial."""
        return (trial.suggest_int if self.whole else trial.suggest_float)(
            self.key, self.low, self.high, log=self.log
        )


@dataclass(frozen=True)
class Choice:
    """One of `values`."""

    key: str
    values: tuple[Any, ...]

    def ends(self) -> tuple[Any, ...]:
        """All of them."""
        return self.values

    def suggest(self, trial: Any) -> Any:
        """A value for an Optuna trial; the storage knows a list by its JSON."""
        known = {json.dumps(value) if isinstance(value, list) else value: value for value in self.values}
        return known[trial.suggest_categorical(self.key, list(known))]


Space = Range | Choice


def parse(text: str) -> Space:
    """One `--space`. Raises ValueError with the grammar; ConfigurationError for a key that does not exist,
    with the nearest.
    """
    key, equals, values = (part.strip() for part in text.partition("="))
    if not (key and equals and values):
        raise ValueError(f"space {text!r}: expected {GRAMMAR}")
    if key.split(".")[0] in FIXED and key not in FREE_OF_DATA:
        raise ValueError(
            f"space {text!r}: expected a key that leaves the images and the run's folder as they "
            f"are, got {key}; set it by {key}=VALUE"
        )
    if ".." in values or values.startswith("log:"):
        return _range(text, key, values)
    listed = read_value(f"[{values}]")
    if (
        len(listed) < 2
        or any(listed.count(value) > 1 for value in listed)
        or any(isinstance(value, dict) for value in listed)
    ):
        raise ValueError(
            f"space {text!r}: expected two or more different values, got {listed}; set a single "
            f"one by {key}=VALUE"
        )
    return Choice(key, tuple(listed))


def with_values(config: ClassifyConfig, values: dict[str, Any]) -> ClassifyConfig:
    """The configuration with other values at dotted keys. Raises ConfigurationError where the schema refuses."""
    content = config.model_dump(mode="json")
    for key, value in values.items():
        *path, last = key.split(".")
        section = content
        for part in path:
            section = section.setdefault(part, {})
            if not isinstance(section, dict):
                raise ConfigurationError(f"{key}: {part} is a value, expected a section with keys of its own")
        section[last] = value
    return resolve(ClassifyConfig, content)


def require_valid(config: ClassifyConfig, spaces: Sequence[Space]) -> None:
    """Ask the schema about every end of a range, every choice, and their combinations (the first 512) before
    anything is trained.

    Raises: ValueError for no space or a key that stands twice; ConfigurationError for what the schema
        refuses.
    """
    keys = [space.key for space in spaces]
    if not keys or len(set(keys)) < len(keys):
        raise ValueError(
            f"expected one --space or more, each key once, got {keys or 'none'}; a space is {GRAMMAR}"
        )
    for space in spaces:
        for value in space.ends():
            try:
                with_values(config, {space.key: value})
            except ConfigurationError as error:
                if str(error).startswith(space.key):
                    raise
                break  # a section's rule about two keys: their combinations decide
    for values in itertools.islice(itertools.product(*(space.ends() for space in spaces)), MOST_CORNERS):
        with_values(config, dict(zip(keys, values, strict=True)))


def _range(text: str, key: str, values: str) -> Range:
    found = re.fullmatch(rf"(log:)?({NUMBER})\.\.({NUMBER})", values)
    if found is None:
        raise ValueError(f"space {text!r}: expected {GRAMMAR}")
    whole = _takes_whole_numbers_only(key)
    if whole and not all(re.fullmatch(r"[-+]?\d+", end) for end in found.groups()[1:]):
        raise ValueError(f"space {text!r}: expected whole numbers for {key}, such as {key}=16..64")
    low, high = ((int if whole else float)(end) for end in found.groups()[1:])
    log = found[1] is not None
    if not low < high or (log and low <= 0):
        raise ValueError(
            f"space {text!r}: expected low below high{' and above 0 for log:' if log else ''}, got "
            f"{low} and {high}"
        )
    return Range(key, low, high, log, whole)


def _takes_whole_numbers_only(key: str) -> bool:
    """Whether the schema has an integer there; False where it does not know the key, which `require_valid`
    finds.
    """
    kinds: tuple[Any, ...] = (ClassifyConfig,)
    for part in key.split("."):
        section = next((kind for kind in kinds if isinstance(kind, type) and issubclass(kind, Section)), None)
        if section is None or part not in section.model_fields:
            return False
        annotation = section.model_fields[part].annotation
        kinds = typing.get_args(annotation) or (annotation,)
    return int in kinds and float not in kinds
