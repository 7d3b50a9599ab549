"""The notebooks for Colab and Binder, made of the real chapters: nothing in them that plain Markdown does not
know.
"""

import re
from pathlib import Path

import nbformat
import pytest
import yaml
from make_notebooks import make_notebooks, site_url
from toc import notebooks

ROOT = Path(__file__).resolve().parents[2]
LEFTOVERS = {
    "directive": re.compile(r"^\s*>?\s*(`{3,}|:{3,})\s*\{[\w:-]+\}", flags=re.M),
    "fence of colons": re.compile(r"^\s*:{3,}\s*$", flags=re.M),
    "role": re.compile(r"(?<!`)\{[a-z][\w:-]*\}`"),
    "target": re.compile(r"^\([\w:.-]+\)=$", flags=re.M),
    "option": re.compile(r"^:(label|class|name|header-rows|widths|gutter|link|link-type): ?", flags=re.M),
    "comment": re.compile(r"^% ", flags=re.M),
}


def leftovers(text: str) -> list[str]:
    """Names of what is left of MyST in a Markdown cell; code between backticks does not count."""
    prose = re.sub(r"^```\w*\n.*?^```$", "", text, flags=re.M | re.S)
    return [name for name, pattern in LEFTOVERS.items() if pattern.search(prose)]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """All generated notebooks, by name."""
    paths = make_notebooks(tmp_path_factory.mktemp("notebooks"))
    return {path.stem: nbformat.read(path, 4) for path in paths}


def test_every_chapter_has_one(made):
    assert list(made) == [page.stem for page in notebooks()] and "resnet" in made


def test_nothing_of_myst_is_left(made):
    left = {
        (name, cell.id): leftovers(cell.source)
        for name, book in made.items()
        for cell in book.cells
        if cell.cell_type == "markdown"
    }
    assert {where: what for where, what in left.items() if what} == {}


def test_the_first_code_cell_installs_the_package_and_no_output_is_stored(made):
    url = yaml.safe_load((ROOT / "_config.yml").read_text("utf8"))["repository"]["url"]
    for book in made.values():
        code = [cell for cell in book.cells if cell.cell_type == "code"]
        assert (
            f'%pip install -q "dlbook @ git+{url}@main"' in code[0].source
            and "except ModuleNotFoundError" in code[0].source
        )
        assert all(not cell.outputs and cell.execution_count is None for cell in code)
        assert site_url(url) in book.cells[0].source


@pytest.mark.parametrize(
    "text, name",
    [
        ("```{note}\nx\n```", "directive"),
        (":::\n", "fence of colons"),
        ("see {ref}`x`", "role"),
        ("(sec-a)=", "target"),
        (":label: eq-a", "option"),
        ("% number: why", "comment"),
    ],
)
def test_the_check_can_fail(text, name):
    assert leftovers(text) == [name]
