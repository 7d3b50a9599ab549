"""The package's own source on the page, so that a chapter can never show code that the package does not have.

>>> from dlbook.book.budget import device
>>> shown = source(device)
>>> shown.file, shown.code.splitlines()[0]
('dlbook/book/budget.py', 'def device() -> str:')
"""

import ast
import inspect
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PACKAGE = Path(__file__).resolve().parent.parent  # dlbook/


@dataclass(frozen=True)
class Source:
    """Source to be displayed.

    Args:
        file: path from the repository's root.
        first, last: its lines, from 1.
    """

    code: str
    file: str
    first: int
    last: int
    link: str = ""

    def markdown(self) -> str:
        """The file and lines, then the code as a highlighted block."""
        name = f"[`{self.file}`]({self.link}#L{self.first}-L{self.last})" if self.link else f"`{self.file}`"
        fence = "`" * max(3, 1 + _longest_run(self.code))
        return (
            f"{name}, lines {self.first}–{self.last}, as it stands in the "
            f"package:\n\n{fence}python\n{self.code}\n{fence}"
        )

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/markdown": self.markdown(), "text/plain": self.code}

    def __repr__(self) -> str:
        return f"{self.file}, lines {self.first}–{self.last}\n{self.code}"


def source(*objects: Any, docstrings: bool = True, link: str = "") -> Source:
    """Return the source of classes, functions, methods or modules of one file of the package, to be
    displayed.

    Args:
        docstrings: False leaves out the docstrings of what is shown.
        link: the file's address on the web, or "".

    Raises:
        ValueError: if there is no object, it is not from the package, has no source, or the files differ.
    """
    if not objects:
        raise ValueError("expected an object to show, got none; pass a class, function or module of dlbook")
    parts = [_locate(thing) for thing in objects]
    files = {file for _, file, _ in parts}
    if len(files) > 1:
        raise ValueError(f"expected objects of one file, got {', '.join(sorted(files))}; one call a file.")
    pieces = [code if docstrings else without_docstrings(code) for code, _, _ in parts]
    first = min(line for _, _, line in parts)
    last = max(line + code.count("\n") for code, _, line in parts)
    return Source("\n\n\n".join(pieces), files.pop(), first, last, link)


def _locate(thing: Any) -> tuple[str, str, int]:
    """Code without surrounding indentation, file, first line."""
    thing = inspect.unwrap(thing) if callable(thing) else thing
    if isinstance(thing, property):
        thing = thing.fget
    try:
        file = Path(inspect.getsourcefile(thing) or "").resolve()
        lines, first = inspect.getsourcelines(thing)
    except (TypeError, OSError) as error:
        raise ValueError(
            f"expected an object with source to show, got {thing!r} ({error}); pass a class, function or "
            "module of dlbook"
        ) from error
    if not file.is_relative_to(PACKAGE):
        raise ValueError(
            f"expected an object of the package dlbook, got {thing!r} from {file.name}; write code of "
            "the chapter into the chapter"
        )
    code = textwrap.dedent("".join(lines)).strip("\n")
    return code, "dlbook/" + file.relative_to(PACKAGE).as_posix(), max(first, 1)


def without_docstrings(code: str) -> str:
    """Return `code` with every docstring taken out; a body that was only a docstring becomes `...`."""
    lines = code.splitlines()
    for node in sorted(
        (n for n in ast.walk(ast.parse(code)) if _has_docstring(n)), key=lambda n: -n.body[0].lineno
    ):
        text = node.body[0]
        stand_in = [" " * text.col_offset + "..."] if len(node.body) == 1 else []
        if lines[text.lineno - 1][: text.col_offset].strip():  # a body on the line of its def: left as it is
            continue
        lines[text.lineno - 1 : text.end_lineno] = stand_in
        if not stand_in and text.lineno - 1 < len(lines) and not lines[text.lineno - 1].strip():
            del lines[text.lineno - 1]
    return "\n".join(lines).strip("\n")


def _has_docstring(node: ast.AST) -> bool:
    if (
        not isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef))
        or not node.body
    ):
        return False
    first = node.body[0]
    return (
        isinstance(first, ast.Expr)
        and isinstance(first.value, ast.Constant)
        and isinstance(first.value.value, str)
    )


def _longest_run(code: str) -> int:
    """The longest run of backticks in `code`."""
    longest = run = 0
    for character in code:
        run = run + 1 if character == "`" else 0
        longest = max(longest, run)
    return longest
