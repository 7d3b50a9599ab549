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

from lint import is_to_convert
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
    command = shutil.which("ruff")
    if command is None:
        sys.exit("expected the command ruff, got none; install what requirements.txt names")
    ours = "lint.isort.known-first-party = ['dlbook']"  # in a folder of its own ruff cannot tell
    options = ["--config", str(ROOT / "pyproject.toml"), "--config", ours, "--no-cache", "."]
    return subprocess.run([command, *words, *options], cwd=folder, capture_output=True, text=True)


def main(arguments: list[str]) -> int:
    """Format the pages named, or say which differ; print what ruff finds wrong."""
    check = "--check" in arguments
    pages = [Path(name) for name in arguments if name != "--check" and not is_to_convert(Path(name))]
    wrong = 0
    with tempfile.TemporaryDirectory(prefix="dlbook-cells-") as scratch:
        folder, made = Path(scratch), {}
        for number, page in enumerate(pages):
            text = page.read_text("utf8")
            lines = text.split("\n")
            cells = ["\n".join(lines[start:end]) for start, end in bodies(lines)]
            made[page] = folder / f"{number}-{page.stem}.ipynb"
            made[page].write_text(as_notebook(cells), "utf8")
        done = ruff(folder, "format")
        if done.returncode:
            print(done.stderr, file=sys.stderr)
            return 1
        for page, notebook in made.items():
            text = page.read_text("utf8")
            cells = ["".join(cell["source"]) for cell in json.loads(notebook.read_text("utf8"))["cells"]]
            new = formatted(text, cells)
            if new != text:
                wrong += check
                print(f"{page}: {'cells to be formatted: make format' if check else 'formatted'}")
                if not check:
                    page.write_text(new, "utf8")
        found = ruff(folder, "check", "--extend-ignore", IGNORED, "--output-format", "concise")
        print(
            found.stdout.strip()
            if found.returncode
            else f"{len(pages)} pages: ruff finds nothing in their cells"
        )
    return int(wrong > 0 or found.returncode > 0)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
