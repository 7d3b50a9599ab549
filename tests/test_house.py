"""The house stays as it was planned: small files and functions, docstrings, a test for every module, one form
of error, plain words. `test_architecture` says who imports whom.

`check_*` return what is wrong, as sentences; the tests hold the house against them, and hold them against
faults.
"""

import ast
import re

import pytest

from tests.syntax_trees import PACKAGE, ROOT, made, modules

MOST_LINES, MOST_OF_FUNCTION = 299, 40
FORM = re.compile(r"expected .*[,;] (got|found) .*; \S", re.DOTALL)
# Words that nobody has to understand: old ones of this house, and riddles that readers stumbled over.
BANNED = (
    "Mend" + ":",
    "mend" + ":",
    "is gone " + "on with",
    "finds it " + "odd",
    "see the docstring for what " + "each argument means",
    "rows " + "ask",
    "Another " + "hand",
    "no names across " + "versions",
    "holds what it " + "cannot mean",
    "the recipe's " + "affair",
    "We say what happens " + "ourselves",
    "somebody who looked " + "found",
    "The first that is " + "wrong of",
    "has no truth " + "value",
    "the doors to " + "those",
    "whether it is " + "told",
)


def check_sizes(name: str, text: str) -> list[str]:
    """A file of 300 lines or more; a function of more than 40."""
    lines = len(text.splitlines())
    wrong = [f"{name} has {lines} lines"] if lines > MOST_LINES else []
    for node in ast.walk(ast.parse(text)):
        if (
            isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef))
            and node.end_lineno - node.lineno + 1 > MOST_OF_FUNCTION
        ):
            wrong.append(f"{name}:{node.lineno} {node.name} has {node.end_lineno - node.lineno + 1} lines")
    return wrong


def check_docstrings(trees: dict[str, ast.Module]) -> list[str]:
    """Modules, and public classes and functions at their top, without a docstring."""
    wrong = []
    for name, tree in trees.items():
        if not ast.get_docstring(tree):
            wrong.append(f"{name or 'dlbook'} has no docstring")
        for node in tree.body:
            if (
                isinstance(node, (ast.ClassDef, ast.FunctionDef))
                and not node.name.startswith("_")
                and not ast.get_docstring(node)
            ):
                wrong.append(f"{name}:{node.lineno} {node.name} has no docstring")
    return wrong


def check_tests(names: set[str], tests: set[str]) -> list[str]:
    """Modules ("nn/norm") that have no test ("nn/test_norm")."""
    expected = {name: re.sub(r"([^/]+)$", r"test_\1", name) for name in names}
    return [f"{name} has no test of its name" for name in sorted(names) if expected[name] not in tests]


def messages(tree: ast.Module) -> list[tuple[int, str]]:
    """(line, text) of every ``raise ValueError("...")``; what is filled in is written {}."""
    found = []
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else None
        if not isinstance(call, ast.Call) or ast.unparse(call.func) != "ValueError" or not call.args:
            continue
        text = call.args[0]
        if isinstance(text, ast.JoinedStr):
            parts = [part.value if isinstance(part, ast.Constant) else "{}" for part in text.values]
            found.append((node.lineno, "".join(parts)))
        elif isinstance(text, ast.Constant):
            found.append((node.lineno, text.value))
    return found


def check_errors(trees: dict[str, ast.Module]) -> list[str]:
    """Errors that do not say what was expected, what was given and how to fix it."""
    return [
        f"{name}:{line} says {text!r}"
        for name, tree in trees.items()
        for line, text in messages(tree)
        if not FORM.search(text)
    ]


def check_words(name: str, text: str) -> list[str]:
    """Banned words of a text."""
    return [f"{name} says {word!r}" for word in BANNED if word in text]


@pytest.mark.parametrize("folder", ["dlbook", "scripts", "_ext", "tests"])
def test_sizes(folder):
    files = {str(f.relative_to(ROOT)): f.read_text("utf8") for f in (ROOT / folder).rglob("*.py")}
    assert [told for name, text in files.items() for told in check_sizes(name, text)] == []


def test_docstrings():
    assert check_docstrings(modules()) == []


def test_no_utils():
    assert [
        str(f) for f in PACKAGE.rglob("*") if f.stem in ("utils", "util", "helpers", "misc", "common")
    ] == []


def test_every_module_has_its_test():
    files = [
        f.relative_to(PACKAGE).with_suffix("") for f in PACKAGE.rglob("*.py") if "_bundled" not in f.parts
    ]
    names = {f.as_posix() for f in files if not f.name.startswith("__")}
    tests = {
        f.relative_to(ROOT / "tests").with_suffix("").as_posix() for f in (ROOT / "tests").rglob("test_*.py")
    }
    assert check_tests(names, tests) == []


def test_errors_have_one_form():
    assert check_errors(modules()) == []


@pytest.mark.parametrize("folder", ["dlbook", "scripts", "tests", "chapters"])
def test_plain_words(folder):
    files = [f for end in ("*.py", "*.md") for f in (ROOT / folder).rglob(end) if "_build" not in f.parts]
    assert [told for f in files for told in check_words(str(f.relative_to(ROOT)), f.read_text("utf8"))] == []


def test_the_checker_catches_size_and_silence():
    assert check_sizes("a.py", "\n" * 300) == ["a.py has 300 lines"]
    assert check_sizes("a.py", "def f():\n" + "    x = 1\n" * 40) == ["a.py:1 f has 41 lines"]
    assert check_docstrings(made(nn="'''Says.'''\nclass A:\n    pass\ndef _f():\n    pass")) == [
        "nn:2 A has no docstring"
    ]
    assert check_docstrings(made(nn="")) == ["nn has no docstring"]


def test_the_checker_catches_a_module_without_test():
    tests = {"nn/test_a", "test_c"}
    assert check_tests({"nn/a", "c"}, tests) == []
    assert check_tests({"nn/a", "nn/b", "c"}, tests) == ["nn/b has no test of its name"]


@pytest.mark.parametrize(
    "message",
    [
        '"x must be 1, got 2"',
        'f"expected {a}, came {b}; fix it"',
        '"expected 1, got 2"',
        '"expected 1, got 2."',
    ],
)
def test_the_checker_catches_another_form(message):
    assert len(check_errors(made(nn__a=f"raise ValueError({message})"))) == 1
    assert check_errors(made(nn__a="raise ValueError(f'x: expected {a}, got {b}; turn it')")) == []


def test_the_checker_catches_banned_words():
    assert len(check_words("a.py", f"# {BANNED[0]} this, {BANNED[2]}")) == 2
