"""Formats and lints the code cells of pages with ruff: `python scripts/format_cells.py [--check] PAGE ...`.

Each page becomes a notebook of its cells, which ruff knows how to read: an import may stand in any cell, a
cell may end in an expression, a magic is no error. The bodies come back to where they stood; nothing
else of the page is touched. With --check nothing is written, and the exit code is 1 where something would be.
"""

import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from toc import ROOT

OPENING = re.compile(r"^(`{3,})\{code-cell\}")
# What a cell may do and a module of the package not: redefine a name that an earlier cell had, end a loop
# variable's life late, zip two lists in a line of a figure, name a function by a lambda.
IGNORED = "B905,E731,B023"


def bodies(lines: list[str]) -> list[tuple[int, int]]:
    """First and last line (excluded), from 0, of the body of every code cell, without its options."""
    found, index = [], 0
    while index < len(lines):
        if match := OPENING.match(lines[index]):
            end = next(i for i in range(index + 1, len(lines)) if lines[i].rstrip() == match[1])
            start = index + 1
            if lines[start].strip() == "---":
                start = next(i for i in range(start + 1, end) if lines[i].strip() == "---") + 1
            while start < end and (lines[start].startswith(":") or not lines[start].strip()):
                start += 1
            found.append((start, end))
            index = end
        index += 1
    return found


def as_notebook(cells: list[str]) -> str:
    """A notebook of code cells, as JSON that ruff reads."""
    made = [
        {
            "cell_type": "code",
            "id": f"cell-{number}",
            "metadata": {},
            "outputs": [],
            "execution_count": None,
            "source": cell.splitlines(keepends=True),
        }
        for number, cell in enumerate(cells)
    ]
    metadata = {"language_info": {"name": "python"}}
    return json.dumps({"cells": made, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5}, indent=1)


def formatted(text: str, cells: list[str]) -> str:
    """The page with the bodies of its cells replaced."""
    lines = text.split("\n")
    for (start, end), cell in reversed(list(zip(bodies(lines), cells, strict=True))):
        lines[start:end] = cell.split("\n")
    return "\n".join(lines)


def ruff(folder: Path, *words: str) -> subprocess.CompletedProcess:
    """Run ruff over the notebooks of a folder, with the repository's settings."""
    command = shutil.which("ruff", path=Path(sys.executable).parent) or shutil.which("ruff")
    if command is None:
        sys.exit("expected the command ruff, got none; install what requirements.txt names")
    ours = "lint.isort.known-first-party = ['dlbook']"  # in a folder of its own ruff cannot tell
    options = ["--config", str(ROOT / "pyproject.toml"), "--config", ours, "--no-cache", "."]
    return subprocess.run([command, *words, *options], cwd=folder, capture_output=True, text=True)


def written_as_notebooks(pages: list[Path], folder: Path) -> dict[str, Path]:
    """Write each page's cells into `folder`; return which file is of which page."""
    made = {}
    for number, page in enumerate(pages):
        lines = page.read_text("utf8").split("\n")
        name = f"{number}-{page.stem}.ipynb"
        cells = ["\n".join(lines[start:end]) for start, end in bodies(lines)]
        (folder / name).write_text(as_notebook(cells), "utf8")
        made[name] = page
    return made


def told(output: str, made: dict[str, Path]) -> str:
    """What ruff found, by page and line instead of notebook and cell."""

    def place(match: re.Match) -> str:
        page = made[match["name"]]
        start, _ = bodies(page.read_text("utf8").split("\n"))[int(match["cell"]) - 1]
        return f"{page}:{start + int(match['line'])}:"

    return re.sub(r"^(?P<name>\d+-.*?\.ipynb):cell (?P<cell>\d+):(?P<line>\d+):", place, output, flags=re.M)


def differing(made: dict[str, Path], folder: Path) -> dict[Path, str]:
    """The new text of each page whose cells ruff formats otherwise. It stops where ruff cannot read them."""
    ruff(folder, "check", "--select", "I", "--fix", "--quiet")  # the order of imports
    if (done := ruff(folder, "format")).returncode:
        sys.exit(done.stderr)
    found = {}
    for name, page in made.items():
        text = page.read_text("utf8")
        cells = json.loads((folder / name).read_text("utf8"))["cells"]
        new = formatted(text, ["".join(cell["source"]) for cell in cells])
        if new != text:
            found[page] = new
    return found


def findings(pages: list[Path]) -> str:
    """What ruff finds in the pages as they are, by page and line."""
    with tempfile.TemporaryDirectory(prefix="dlbook-cells-") as scratch:
        made = written_as_notebooks(pages, Path(scratch))
        found = ruff(Path(scratch), "check", "--extend-ignore", IGNORED, "--output-format", "concise")
        return told(found.stdout, made).strip() or found.stderr if found.returncode else ""


def main(arguments: list[str]) -> int:
    """Format the pages named, or say which differ; print what ruff finds wrong."""
    check = "--check" in arguments
    pages = [Path(name) for name in arguments if name != "--check"]
    with tempfile.TemporaryDirectory(prefix="dlbook-cells-") as scratch:
        changed = differing(written_as_notebooks(pages, Path(scratch)), Path(scratch))
    for page, text in changed.items():
        print(f"{page}: " + ("run scripts/format_cells.py on it" if check else "formatted"))
        if not check:
            page.write_text(text, "utf8")
    found = findings(pages)
    print(found or f"ruff finds nothing in the cells of {len(pages)} pages")
    return int(bool(found) or (check and bool(changed)))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
