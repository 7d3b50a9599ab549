"""The text of JavaScript files as the page gets it: joined, without imports and comments.

>>> without_modules('import { a } from "./a.js";\\nexport const b = a;\\n')
'const b = a;\\n'
"""

import re
from collections.abc import Iterable
from pathlib import Path

ENGINE = (
    "random.js",
    "tensor.js",
    "operations.js",
    "maps.js",
    "optimisers.js",
    "network.js",
    "training.js",
    "worker.js",
)
_HERE = Path(__file__).parent
_EXPORT = re.compile(r"^export (?=(?:async function|function|const|class) (\w+))", re.MULTILINE)
_IMPORT = re.compile(r'^import [^;]*? from "\./[\w.]+";\n', re.MULTILINE)
# A text in quotes, a comment, or a sign with the spaces around it. What is squeezed has no regular
# expressions, and no text in backquotes within another.
_TOP = re.compile(r"^(?=(?:const|let|async function|function) )", re.MULTILINE)
_NAMED = re.compile(r"^(?:const|let|async function|function) (?:\{([^}]*)\}|\[([^\]]*)\]|(\w+))")
_PIECES = re.compile(
    r"""("(?:\\.|[^"\\])*"|`[^`]*`)|(//[^\n]*)| *([{}()\[\];,:=?<>&|*]) *|(?<![+-]) ([+/-]) (?![+/-])"""
)


def joined(files: Iterable[Path], wanted: Iterable[str] | None = None) -> str:
    """Join files into the text of one module: no imports between them, no comment lines.

    Args:
        files: in an order in which each needs only those before it.
        wanted: names that are used from elsewhere; what they do not need is left out. None: all stays.
    """
    text = without_modules("\n".join(file.read_text("utf8") for file in files))
    return without_comments(text if wanted is None else without_unused(text, wanted))


def without_modules(text: str) -> str:
    """Return the text without its imports and the word `export`."""
    return _EXPORT.sub("", _IMPORT.sub("", text))


def without_comments(text: str) -> str:
    """Return the text without lines of comment, empty lines and indentation."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def squeezed(text: str) -> str:
    """Return the text without the spaces and the ends of lines that JavaScript does not need.

    Texts get single quotes, for a figure's state is JSON, where a double one takes two bytes.
    """
    text = _PIECES.sub(lambda m: _single(m[1] or "") or m[3] or m[4] or "", text)
    return re.sub(r"(?<=[{,;(])\n", "", without_comments(text))


def _single(text: str) -> str:
    """Return a text in double quotes in single ones, if it holds neither; any other as it is."""
    return text if not text.startswith('"') or "'" in text or '\\"' in text else f"'{text[1:-1]}'"


def without_unused(text: str, wanted: Iterable[str]) -> str:
    """Return the text without the functions and constants that nothing needs.

    Args:
        text: files with their indentation, where only what is declared begins a line.
        wanted: names that are used from elsewhere.
    """
    pieces = _TOP.split(re.sub(r"^ *//.*\n", "", text, flags=re.MULTILINE))
    names = [_names(piece) for piece in pieces]
    kept = {number for number, declared in enumerate(names) if not declared or declared & set(wanted)}
    todo = list(kept)
    while todo:
        used = set(re.findall(r"\w+", re.sub(r" // .*", "", pieces[todo.pop()])))
        new = {number for number, declared in enumerate(names) if declared & used} - kept
        kept |= new
        todo += new
    return "".join(piece for number, piece in enumerate(pieces) if number in kept)


def _names(piece: str) -> set[str]:
    """Return what a piece of text declares; several names with commas are all of one line."""
    found = _NAMED.match(piece)
    if not found:
        return set()
    several = re.findall(r"(?:^const |^let |, )(\w+) =", piece.split("\n")[0])
    return {*several, *re.findall(r"\w+", found[1] or found[2] or found[3])}


def engine_sources(names: Iterable[str] = ENGINE) -> str:
    """Return the engine's files one after the other, as they are written.

    Args:
        names: of the files, if not all are wanted.
    """
    return "\n".join((_HERE / name).read_text("utf8") for name in names)


def engine_text(source: str | None = None, wanted: Iterable[str] | None = None) -> str:
    """Return the engine as the text of one function, `engine`, whose result holds all that its files export.

    A function, for a worker is made of its text: the page carries it once.

    Args:
        source: the files' text; None for the engine's own.
        wanted: the names of the result; what they do not need is left out. None: all that the files export.
    """
    source = engine_sources() if source is None else source
    text, names = without_modules(source), _EXPORT.findall(source)
    if wanted is not None:
        names = [name for name in names if name in wanted]
        text = without_unused(text, names)
    return (
        f"const engine = () => {{\n{squeezed(without_comments(text))}\nreturn {{{','.join(names)}}};\n}};\n"
    )
