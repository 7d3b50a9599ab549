"""A module of the package with a fault in it: the source with one piece exchanged, executed apart from the
real one.
"""

from collections.abc import Callable
from types import ModuleType
from typing import Any

import pytest


def edited(module: ModuleType, old: str, new: str) -> dict[str, Any]:
    """The names of `module` as they would be with `new` in the place of `old`.

    Raises:
        LookupError: `old` does not stand in its source exactly once. No AssertionError, which those who ask
            for a fault wait for: they would take a fault that was never seeded for one that was seen.
    """
    with open(module.__file__, encoding="utf8") as file:
        source = file.read()
    if source.count(old) != 1:
        raise LookupError(
            f"expected a piece of {module.__name__} once, got {source.count(old)} of {old!r}; fix it"
        )
    names: dict[str, Any] = {"__name__": "faulty", "__file__": module.__file__}
    exec(compile(source.replace(old, new), "<seeded fault>", "exec"), names)
    return names


def check_sees(
    check: Callable[[Any], None],
    module: ModuleType,
    name: str,
    old: str,
    new: str,
    error: type[Exception] = AssertionError,
) -> None:
    """Prove that `check` passes on a module's own `name`, and raises on the edited one."""
    check(getattr(module, name))
    with pytest.raises(error):
        check(edited(module, old, new)[name])
