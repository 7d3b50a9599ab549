"""One name, one meaning: no class of the package has the name of another.

The papers' files under `models` are left out: each is read alone, and each has its own `Config` and `Block`.
"""

import ast
from collections import defaultdict

from tests.syntax_trees import ROOT, made, modules


def check_names(trees: dict[str, ast.Module]) -> list[str]:
    """Names that two classes at the top of modules share."""
    homes = defaultdict(list)
    for name, tree in trees.items():
        for node in tree.body:
            if isinstance(node, ast.ClassDef) and not name.startswith("models."):
                homes[node.name].append(name)
    return [f"{name} is in {' and '.join(found)}" for name, found in homes.items() if len(found) > 1]


def test_class_names():
    scripts = {f"scripts.{name}": tree for name, tree in modules(ROOT / "scripts").items()}
    assert check_names(modules() | scripts) == []


def test_the_checker_catches_a_name_with_two_meanings():
    trees = made(book__ledger="class Row: ...", recipes__methods="class Row: ...", models__a="class Row: ...")
    assert check_names(trees) == ["Row is in book.ledger and recipes.methods"]
