"""The references of `tests/oracles` are independent: they know neither the package nor a test."""

import ast

import pytest

from tests.syntax_trees import ROOT, imports, made, modules


def check_oracles(trees: dict[str, ast.Module]) -> list[str]:
    """References that are not independent: they import the package, or a test."""
    return [
        f"tests.oracles.{name}:{line} imports {target}: a reference knows neither the package nor a test"
        for name, tree in trees.items()
        for line, target in imports(name, tree)
        if target.split(".")[0] in ("dlbook", "pytest", "tests")
    ]


def test_references_are_independent():
    assert check_oracles(modules(ROOT / "tests" / "oracles")) == []


@pytest.mark.parametrize(
    "code",
    ["from dlbook.nn import gabor", "def check():\n    import pytest", "from tests.seeded import edited"],
)
def test_the_checker_catches_a_reference_that_is_none(code):
    assert len(check_oracles(made(rates=code))) == 1
