"""A module of the package with a fault in it: the source with one piece exchanged, executed apart from the
real one.
"""

from types import ModuleType
from typing import Any


def edited(module: ModuleType, old: str, new: str) -> dict[str, Any]:
    """The names of `module` as they would be with `new` in the place of `old`, which has to stand in its
    source exactly once.
    """
    with open(module.__file__, encoding="utf8") as file:
        source = file.read()
    assert source.count(old) == 1, (old, source.count(old))
    names: dict[str, Any] = {"__name__": "faulty"}
    exec(compile(source.replace(old, new), "<seeded fault>", "exec"), names)
    return names
