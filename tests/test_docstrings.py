"""Docstrings have one form: a sentence, then `Args:`, `Returns:` and `Raises:`, each a section of its own,
with one entry a line. `test_house` says what needs a docstring.

`check_*` return what is wrong, as sentences; the tests hold the package against them, and hold them against
faults.
"""

import ast
import re

import pytest

from tests.syntax_trees import made, modules

INLINE = re.compile(
    r"\b(Args|Attributes|Returns|Raises|Yields):[ \t]+\S"  # Raises: ValueError ... on one line
    r"|\S[ \t]+(Args|Attributes|Returns|Raises|Yields):"  # at the end of a sentence
    r"|\bRaises `*[A-Z]\w*(Error|Mismatch)\b|[.;] [A-Z]\w*Error (if|for|unless|where)\b"  # in prose
)

HEADING = re.compile(r"Departures from (the (papers?|book|lecture|post)|torchvision)")
NUMBER = r"(\d{4}\.\d{4,5}|[a-z-]+/\d{7})"
ARXIV = re.compile(rf"\barXiv\b(?!:{NUMBER}\b).{{0,12}}|(?<![:\d.])\b\d{{4}}\.\d{{5}}\b", re.DOTALL)


def parameters(node: ast.FunctionDef | ast.ClassDef) -> set[str]:
    """The names of a function's arguments; a class has its fields, and the arguments that make it."""
    if isinstance(node, ast.FunctionDef):
        a = node.args
        return {arg.arg for arg in [*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg] if arg}
    fields = {
        n.target.id for n in node.body if isinstance(n, ast.AnnAssign) and isinstance(n.target, ast.Name)
    }
    return fields.union(
        *(parameters(n) for n in node.body if isinstance(n, ast.FunctionDef) and n.name == "__init__")
    )


def inline(doc: str, names: set[str]) -> str:
    """Return what a docstring says in its prose that belongs into a section of its own, "" for nothing."""
    if found := INLINE.search(doc):
        return found[0]
    prose = re.sub(
        r"^(Args|Attributes|Returns|Raises|Yields):\n([ \t]+.*\n?|\n)*", "", doc, flags=re.MULTILINE
    )
    name = "|".join(map(re.escape, sorted(names, key=len, reverse=True)))
    told = re.search(rf"(?:^|[.;] |  )[`*]*({name})[`*]*(, [\w`*]+)*: \S", prose, re.M) if names else None
    return told[0].strip() if told else ""


def check_sections(trees: dict[str, ast.Module]) -> list[str]:
    """Functions, classes and methods whose prose speaks of arguments, results or errors."""
    return [
        f"{name}:{node.lineno} {node.name} says {told!r} in its prose"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, (ast.FunctionDef, ast.ClassDef))
        and (told := inline(ast.get_docstring(node) or "", parameters(node)))
    ]


def check_headings(trees: dict[str, ast.Module]) -> list[str]:
    """Headings of departures that are not a line of their own, with an empty line after it."""
    wrong = []
    for name, tree in trees.items():
        lines = (ast.get_docstring(tree) or "").split("\n")
        for line, after in zip(lines, [*lines[1:], ""], strict=True):
            if line.lstrip("* ").startswith("Departures") and (after or not HEADING.fullmatch(line)):
                wrong.append(f"{name} has the heading {line!r}")
    return wrong


def check_arxiv(trees: dict[str, ast.Module]) -> list[str]:
    """Papers' numbers in docstrings that are not written as arXiv:1512.03385."""
    kinds = (ast.Module, ast.ClassDef, ast.FunctionDef)
    return [
        f"{name} says {found[0]!r}"
        for name, tree in trees.items()
        for node in ast.walk(tree)
        if isinstance(node, kinds)
        for found in ARXIV.finditer(ast.get_docstring(node) or "")
    ]


def test_sections():
    assert check_sections(modules()) == []


def test_headings():
    assert check_headings(modules()) == []


def test_arxiv():
    assert check_arxiv(modules()) == []


@pytest.mark.parametrize(
    "doc",
    [
        "Say x.\n\nRaises: ValueError if x is 0.",
        "Say x. Raises: ValueError\nif x is 0.",
        "Say x. Raises ValueError if x is 0.",
        "Say x; ValueError for 0.",
        "Say x.\n\nReturns: x.",
        "Say x.\n\nx: a number.",
        "Say x. x: a number.",
        "Say x.\n\nArgs: x: a number.",
        "Say x.\n\nAttributes: x, a number.",
        "Say x.\n\nGiven x and more.\nx, y: numbers.",
        "Say x.\n\nArgs:\n    y: a number.\n\nx: a number.",
    ],
)
@pytest.mark.parametrize(
    "code", ["def f(x, y):\n    {}", "class A:\n    {}\n\n    def __init__(self, x, y): ..."]
)
def test_the_checker_catches_sections_in_prose(doc, code):
    text = code.format('"""' + doc.replace("\n", "\n    ") + '\n    """')
    assert len(check_sections(made(nn__a=text))) == 1


def test_the_checker_lets_sections_pass():
    text = '''
    def f(x, y):
        """Say x: the number of words in it. Raise ValueError unless x is 1; y is not looked at.

        There are two ways: x, or not x.

        Args:
            x: a number. y: is below.
            y: a number,
                x: of the kind above.

        Returns:
            x: as it was.

        Raises:
            ValueError: x is 0.
        """
    '''
    assert check_sections(made(nn__a=text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "Say.\n\n**Departures from the paper.**\n\n1. One.",
        "Say.\n\nDepartures from the paper: none.",
        "Say.\n\nDepartures: 1. one; 2. two.",
        "Say.\n\nDepartures from the paper\n1. One.",
    ],
)
def test_the_checker_catches_another_heading(text):
    assert len(check_headings({"nn.a": ast.parse(repr(text))})) == 1
    text = "Say.\n\nDepartures from the papers\n\n1. One."
    assert check_headings({"nn.a": ast.parse(repr(text))}) == []


@pytest.mark.parametrize(
    "text", ["He 2015 (arXiv 1512.03385).", "He 2015 (1512.03385).", "He 2015 (arXiv\n1512.03385)."]
)
def test_the_checker_catches_another_number(text):
    assert len(check_arxiv({"nn.a": ast.parse(repr(text))})) == 1
    text = (
        "He (arXiv:1512.03385), Tibshirani (arXiv:math/0307152), 10.1111/j.1467-9868.2005.00503.x, 0.05000001"
    )
    assert check_arxiv({"nn.a": ast.parse(repr(text))}) == []
