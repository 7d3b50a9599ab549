"""The chapters of the book in reading order, and what each of them depends on."""

import ast
import hashlib
import os
from pathlib import Path

import yaml

ROOT = Path(__file__).resolve().parent.parent


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


def _imported_files(code: str, root: Path) -> set[Path]:
    """Files of the package that a piece of Python imports directly."""
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
        for end in range(1, len(parts) + 1 if parts[0] == "dlbook" else 1):
            base = root.joinpath(*parts[:end])
            files.update(file for file in (base.with_suffix(".py"), base / "__init__.py") if file.is_file())
    return files


def _code_of(page: Path) -> str:
    import jupytext  # here, since importing it takes most of a second

    cells = jupytext.read(page).cells
    lines = (line for cell in cells if cell.cell_type == "code" for line in cell.source.splitlines())
    return "\n".join("pass" if line.lstrip()[:1] in "%!" and line.strip() else line for line in lines)


def dependencies(page: Path, root: Path = ROOT) -> set[Path]:
    """Files whose change makes a notebook's outputs stale: the modules that it imports, and theirs, and the
    data.
    """
    seen: set[Path] = set()
    waiting = _imported_files(_code_of(page), root)
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
    digest = hashlib.sha256(os.environ.get("DLBOOK_SCALE", "cpu").encode())
    for file in sorted(dependencies(page, root)):
        digest.update(str(file.relative_to(root)).encode() + b"\0" + file.read_bytes())
    return digest.hexdigest()
