"""Inserted numbers, package source and tables: what they accept, and what they tell where they cannot."""

from pathlib import Path

import numpy as np
import pytest
import torch

from dlbook import book
from dlbook.book import budget, ledger
from dlbook.book.inserts import as_text
from dlbook.book.sources import without_docstrings
from dlbook.book.tables import cell_text


@pytest.mark.parametrize(
    ("value", "form", "text"),
    [
        (24.67, "{:.1f} %", "24.7 %"),
        (25_557_032, "{:,}", "25,557,032"),
        (torch.tensor(0.5), "{:.2f}", "0.50"),
        (torch.tensor([0.5]), "{:.2f}", "0.50"),
        (np.float32(0.5), "{}", "0.5"),
        ("words", "{}", "words"),
    ],
)
def test_numbers_as_text(value, form, text):
    assert as_text(value, form) == text


@pytest.mark.parametrize(
    ("value", "form"),
    [(1, "{} {}"), (1, "{name}"), ("a", "{:.1f}"), (1, "none"), (torch.ones(2), "{}"), (np.ones(2), "{}")],
)
def test_bad_formats_are_refused(value, form):
    with pytest.raises(ValueError, match="; "):
        as_text(value, form)


@pytest.mark.parametrize("name", ["", "two words", "-a", "a:b", "a`b"])
def test_bad_names_are_refused(name):
    with pytest.raises(ValueError, match="name"):
        book.insert(name, 1)


def test_source_is_the_files_own_text():
    shown = book.source(ledger.Ledger.check)
    lines = Path(ledger.__file__).read_text("utf8").splitlines()
    assert shown.file == "dlbook/book/ledger.py" and lines[shown.first - 1].strip() == "def check("
    assert (
        shown.code.splitlines()[0] == "def check("
        and shown.code.splitlines()[-1].strip() == lines[shown.last - 1].strip()
    )


def test_several_objects_and_links():
    shown = book.source(ledger.Row, ledger.Ledger, link="https://example.org/ledger.py")
    assert shown.code.startswith("@dataclass(frozen=True)\nclass Row") and "\n\n\nclass Ledger" in shown.code
    assert f"](https://example.org/ledger.py#L{shown.first}-L{shown.last})" in shown.markdown()


def test_docstrings_can_be_left_out():
    code = (
        'class A:\n    """Say."""\n\n    def f(self):\n        """Only words."""\n\n    def g(self):\n '
        '       """Words."""\n        return 1'
    )
    assert (
        without_docstrings(code)
        == "class A:\n    def f(self):\n        ...\n\n    def g(self):\n        return 1"
    )
    assert '"""' not in book.source(budget, docstrings=False).code


def test_a_whole_module():
    assert book.source(budget).first == 1


@pytest.mark.parametrize("thing", [torch.nn.Linear, print, 3, lambda: 0])
def test_what_is_not_of_the_package_is_refused(thing):
    with pytest.raises(ValueError, match="; "):
        book.source(thing)


def test_objects_of_two_files_are_refused():
    with pytest.raises(ValueError, match="one file"):
        book.source(budget.scale, ledger.Ledger)
    with pytest.raises(ValueError, match="got none"):
        book.source()


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1234567, "1,234,567"),
        (0.123456, "0.1235"),
        (True, "yes"),
        (None, "–"),
        (123456.7, "123,457"),
        (float("nan"), "nan"),
        (float("inf"), "inf"),
        (1e-9, "1e-09"),
        (1e20, "1.000e+20"),
        (torch.tensor(2), "2"),
        ("a", "a"),
    ],
)
def test_cells(value, text):
    assert cell_text(value) == text


def test_tables_tell_mistakes_and_escape():
    with pytest.raises(ValueError, match="row 1 has 1 cells"):
        book.table([(1, 2), (3,)], ["a", "b"])
    with pytest.raises(ValueError, match="one row"):
        book.table([], ["a"])
    html = book.table([("<i>", "<b>")], ["<a>", "b"], caption="<u>").html()
    assert all(f"&lt;{tag}&gt;" in html and f"<{tag}>" not in html for tag in "iabu")
