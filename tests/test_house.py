"""The house stays as it was planned: small files and functions, docstrings, a test for every module, one form
of error, plain words. `test_architecture` says who imports whom.

`check_*` return what is wrong, as sentences; the tests hold the house against them, and hold them against
faults.
"""

import ast
import re
import tomllib

import pytest
from hypothesis import settings

from tests.syntax_trees import PACKAGE, ROOT, made, modules

MOST_LINES, MOST_OF_FUNCTION = 299, 40
# Python's own questions (has the module this name? has the class this method?), and a claim of a chapter that
# does not hold: it says what was predicted and measured.
NOT_INPUT = {"AttributeError", "NotImplementedError", "LedgerMismatch", "Interrupted"}
OLD = re.compile(r"\bm" + r"end(s|ed|ing)?\b", re.IGNORECASE)  # "fix" in this house
FORM = re.compile(r"expected .*[,;] (got|found) .*; \S", re.DOTALL)
# Words that nobody has to understand: old ones of this house, and riddles that readers stumbled over.
BANNED = (
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


def text_of(node: ast.expr | None) -> str:
    """What a message says; what is filled in is written {}."""
    if isinstance(node, ast.Constant):
        return str(node.value)
    if isinstance(node, ast.JoinedStr):
        return "".join(part.value if isinstance(part, ast.Constant) else "{}" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add):
        return text_of(node.left) + text_of(node.right)
    return "{}"


def _returned(tree: ast.Module, message: ast.expr) -> list[ast.expr]:
    """What the module's own functions return that a message without words of its own calls."""
    called = {ast.unparse(node.func) for node in ast.walk(message) if isinstance(node, ast.Call)}
    return [
        node.value
        for function in ast.walk(tree)
        if isinstance(function, ast.FunctionDef) and function.name in called
        for node in ast.walk(function)
        if isinstance(node, ast.Return) and re.search(r"\w", text_of(node.value))
    ]


def messages(tree: ast.Module, own: set[str]) -> list[tuple[int, str]]:
    """(line, text) of every error that is raised for bad input.

    A class of `own` makes its message itself, in its `super().__init__`, which is read instead.
    """
    found = []
    for node in ast.walk(tree):
        call = node.exc if isinstance(node, ast.Raise) else None
        if not isinstance(call, ast.Call) or ast.unparse(call.func).split(".")[-1] in NOT_INPUT | own:
            continue
        given = call.args[0] if call.args else ast.Constant("")
        told = [given] if re.search(r"\w", text_of(given)) else _returned(tree, given) or [given]
        found += [(each.lineno if each is not given else node.lineno, text_of(each)) for each in told]
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and node.name in own:
            found += [
                (call.lineno, text_of(call.args[0]))
                for call in ast.walk(node)
                if isinstance(call, ast.Call) and ast.unparse(call.func) == "super().__init__"
            ]
    return found


def composed(trees: dict[str, ast.Module]) -> set[str]:
    """The package's exception classes that make their message themselves."""
    return {
        node.name
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
        and any(ast.unparse(base).endswith(("Error", "Exception")) for base in node.bases)
        and any(isinstance(part, ast.FunctionDef) and part.name == "__init__" for part in node.body)
    }


def check_errors(trees: dict[str, ast.Module]) -> list[str]:
    """Errors that do not say what was expected, what was given and how to fix it."""
    own = composed(trees)
    return [
        f"{name}:{line} says {text!r}"
        for name, tree in trees.items()
        for line, text in messages(tree, own)
        if not FORM.search(text)
    ]


def check_words(name: str, text: str) -> list[str]:
    """Banned words of a text."""
    found = [word for word in BANNED if word in text] + [match[0] for match in OLD.finditer(text)]
    return [f"{name} says {word!r}" for word in found]


def check_installs(text: str) -> list[str]:
    """What `pip install` is asked for and would not find: the package is on no index."""
    extras = set(
        tomllib.loads((ROOT / "pyproject.toml").read_text("utf8"))["project"]["optional-dependencies"]
    )
    asked = re.findall(r"""pip install (?:-\S+ )*["']?([\w.]+)\[([\w,]+)\]""", text)
    return [
        f"{name}[{more}]" for name, more in asked if name != "." or not extras.issuperset(more.split(","))
    ]


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


@pytest.mark.parametrize("folder", ["dlbook", "scripts", "_ext", "tests", "chapters"])
def test_plain_words(folder):
    files = [f for end in ("*.py", "*.md") for f in (ROOT / folder).rglob(end) if "_build" not in f.parts]
    assert [told for f in files for told in check_words(str(f.relative_to(ROOT)), f.read_text("utf8"))] == []


def test_commands_install_what_there_is():
    files = [ROOT / "README.md", ROOT / "data" / "README.md"]
    files += [f for folder in ("dlbook", "scripts", "chapters") for f in (ROOT / folder).rglob("*.*")]
    told = {
        str(f.relative_to(ROOT)): check_installs(f.read_text("utf8"))
        for f in files
        if f.suffix in (".py", ".md", ".sh") and f.parent != PACKAGE / "models"
    }
    assert {name: wrong for name, wrong in told.items() if wrong} == {}


def test_no_example_has_a_limit_by_the_clock():
    assert settings().deadline is None  # of tests/conftest.py; hypothesis allows 200 ms


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
@pytest.mark.parametrize(
    "error", ["ValueError", "FileNotFoundError", "RunError", "checkpoint.CheckpointError"]
)
def test_the_checker_catches_another_form(message, error):
    assert len(check_errors(made(nn__a=f"raise {error}({message})"))) == 1
    assert check_errors(made(nn__a=f"raise {error}(f'x: expected {{a}}, got {{b}}; turn it')")) == []


MADE = """
class Lost(FloatingPointError):
    def __init__(self, step):
        super().__init__(f"step {{step}}: expected a loss, {}")

def fault(x):
    return f"{{x}}: expected 1, {}"

def f(a, b):
    if a:
        raise Lost(a)
    raise ValueError("\\n".join(fault(x) for x in b))
"""


def test_the_checker_reads_messages_that_are_made_elsewhere():
    good = "got {{x}}; turn it"
    assert check_errors(made(nn__a=MADE.format(good, good))) == []
    assert check_errors(made(nn__a=MADE.format("it is lost", good))) == [
        "nn.a:4 says 'step {}: expected a loss, it is lost'"
    ]
    assert check_errors(made(nn__a=MADE.format(good, "lost"))) == ["nn.a:7 says '{}: expected 1, lost'"]
    assert check_errors(made(nn__a="raise ValueError(told)")) == ["nn.a:1 says '{}'"]
    assert check_errors(made(nn__a="raise AttributeError(f'no {name}')")) == []


def test_the_checker_catches_a_command_that_installs_nothing():
    assert check_installs("run `pip install '.[weights]'` in a checkout") == []
    assert check_installs("pip install 'dlbook[weights]'; pip install '.[all]'") == [
        "dlbook[weights]",
        ".[all]",
    ]


def test_the_checker_catches_banned_words():
    assert len(check_words("a.py", f"# {BANNED[0]} this, {BANNED[2]}, Men" + "ded, recommended")) == 3
