"""The chapters of the book in reading order, and what each of them depends on.

Nothing here imports a notebook library: `make book` asks this module first, and is told at once that nothing
has changed.
"""

import ast
import hashlib
import os
import re
from collections.abc import Iterable
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent
RUN_TIMES = ROOT / "chapters" / "run_times.json"  # shown on the pages; no result depends on it
CODE_CELL = re.compile(
    r"^(?P<fence>`{3,}|~{3,}|:{3,})\{code-cell\}[^\n]*\n(?P<body>.*?)^(?P=fence)[ \t]*$", re.M | re.S
)
CELL_OPTIONS = re.compile(r"\A(?:---\n.*?\n---\n|(?:[ \t]*:[\w-]+:[^\n]*\n)+)", re.S)


def pages(root: Path = ROOT) -> list[Path]:
    """All pages of `_toc.yml`, in reading order, as paths below `root`."""
    toc = yaml.safe_load((root / "_toc.yml").read_text("utf8"))
    found = []

    def walk(node):
        if isinstance(node, list):
            for item in node:
                walk(item)
        elif isinstance(node, dict):
            for key in ("root", "file"):
                if key in node:
                    found.append(root / f"{node[key]}.md")
            for key in ("parts", "chapters", "sections"):
                walk(node.get(key, []))

    walk(toc)
    return found


def is_notebook(page: Path) -> bool:
    """Whether a page has code to run: a kernelspec in its front matter."""
    return "kernelspec:" in page.read_text("utf8").split("\n---", 1)[0]


def notebooks(root: Path = ROOT) -> list[Path]:
    """The pages with code, in reading order."""
    return [page for page in pages(root) if is_notebook(page)]


def linted(root: Path = ROOT) -> list[Path]:
    """The pages whose cells and words are held to the house's rules: those with code, and the template."""
    return [*notebooks(root), root / "chapters" / "_template.md"]


def _imported_files(code: str, root: Path) -> set[Path]:
    """Files of the package, and of its tests' references, that a piece of Python imports directly."""
    names = set()
    for node in ast.walk(ast.parse(code)):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names.add(node.module)
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    files = set()
    for name in names:
        parts = name.split(".")
        for end in range(1, len(parts) + 1 if parts[0] in ("dlbook", "tests") else 1):
            base = root.joinpath(*parts[:end])
            files.update(file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file())
    return files


def code_cells(page: Path) -> list[str]:
    """The code cells of a page as they stand in its text, and their options; they say if it runs again."""
    return [found["body"] for found in CODE_CELL.finditer(page.read_text("utf8"))]


def imported_by(cell: str, root: Path) -> set[Path]:
    """Files that a code cell imports directly; none where it is no Python, which fails when it runs."""
    code = CELL_OPTIONS.sub("", cell)
    code = "".join("pass\n" if line.lstrip()[:1] in ("%", "!") else line for line in code.splitlines(True))
    try:
        return _imported_files(code, root)
    except SyntaxError:
        return set()


def dependencies(page: Path, root: Path = ROOT) -> set[Path]:
    """Files whose change makes a notebook's outputs stale: the modules that it imports, and theirs, and the
    data.
    """
    seen: set[Path] = set()
    waiting = set().union(*(imported_by(cell, root) for cell in code_cells(page)))
    while waiting:
        file = waiting.pop()
        seen.add(file)
        waiting |= _imported_files(file.read_text("utf8"), root) - seen
    beside = {
        other for file in seen for other in file.parent.glob("*.*") if other.suffix in (".js", ".mjs", ".css")
    }
    data = {file for file in (root / "data").rglob("*") if file.is_file()}
    return seen | beside | data | {root / "requirements.txt"}


def fingerprint(page: Path, root: Path = ROOT) -> str:
    """A hash of everything but the page's own code that its outputs depend on."""
    scale = os.environ.get("DLBOOK_SCALE", "cpu")
    return f"{scale}-{hash_of(dependencies(page, root), root)}"


def code_hash(page: Path) -> str:
    """A hash of a page's code cells and of the front matter, which names the kernel."""
    front = page.read_text("utf8").split("\n---", 1)[0]
    return hashlib.sha256("\0".join([front, *code_cells(page)]).encode()).hexdigest()


def hash_of(files: Iterable[Path], root: Path = ROOT) -> str:
    """A hash of the names and the contents of files below `root`; a file that is missing counts as empty."""
    digest = hashlib.sha256()
    for file in sorted(files):
        content = file.read_bytes() if file.is_file() else b""
        digest.update(str(file.relative_to(root)).encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()
