"""The package as syntax trees, for the tests of the house."""

import ast
import textwrap
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PACKAGE = ROOT / "dlbook"


def modules(package: Path = PACKAGE) -> dict[str, ast.Module]:
    """Dotted name below the package ("models.resnet"; "models" for its __init__) and syntax tree of every
    file.
    """
    found = {}
    for file in sorted(package.rglob("*.py")):
        parts = file.relative_to(package).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = ast.parse(
            file.read_text("utf8"), str(file)
        )
    return found


def imports(name: str, tree: ast.Module) -> list[tuple[int, str]]:
    """(line, absolute dotted name) of all that a module imports, also within functions; not under
    TYPE_CHECKING.
    """
    typing_only = {
        id(n)
        for node in ast.walk(tree)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for n in ast.walk(node)
    }
    found = []
    for node in ast.walk(tree):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            found += [(node.lineno, alias.name) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = ["dlbook", *name.split(".")]
                base = ".".join([*parents[: len(parents) - node.level], *filter(None, [node.module])])
            found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
    return found


def made(**texts: str) -> dict[str, ast.Module]:
    """A package of small modules; `__` in a name stands for a dot."""
    return {name.replace("__", "."): ast.parse(textwrap.dedent(text)) for name, text in texts.items()}
