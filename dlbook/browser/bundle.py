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
# A text in quotes, a comment, or a sign with the spaces around it. The engine has no regular expressions.
_PIECES = re.compile(r"""("(?:\\.|[^"\\])*"|`[^`]*`)|(//[^\n]*)| *([{}()\[\];,:=?<>&|*]) *""")


def joined(files: Iterable[Path]) -> str:
    """Join files into the text of one module: no imports between them, no comment lines."""
    return without_comments(without_modules("\n".join(file.read_text("utf8") for file in files)))


def without_modules(text: str) -> str:
    """Return the text without its imports and the word `export`."""
    return _EXPORT.sub("", _IMPORT.sub("", text))


def without_comments(text: str) -> str:
    """Return the text without lines of comment, empty lines and indentation."""
    lines = (line.strip() for line in text.splitlines())
    return "\n".join(line for line in lines if line and not line.startswith("//"))


def engine_sources() -> str:
    """Return the engine's files one after the other, as they are written."""
    return "\n".join((_HERE / name).read_text("utf8") for name in ENGINE)


def engine_text(source: str | None = None) -> str:
    """Return the engine as the text of one function, `engine`, whose result holds all that its files export.

    A function, for a worker is made of its text: the page carries it once.

    Args:
        source: the files' text; None for the engine's own.
    """
    source = engine_sources() if source is None else source
    names = ",".join(_EXPORT.findall(source))
    text = _PIECES.sub(lambda m: m[1] or m[3] or "", without_comments(without_modules(source)))
    return f"const engine = () => {{\n{without_comments(text)}\nreturn {{{names}}};\n}};\n"
