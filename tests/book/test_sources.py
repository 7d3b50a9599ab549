"""The package's source on the page: the file's own text, and what is refused."""

from pathlib import Path

import pytest
import torch

from dlbook import book
from dlbook.book import budget, ledger, ledger_table
from dlbook.book.sources import without_docstrings


def test_source_is_the_files_own_text():
    shown = book.source(ledger.Ledger.check)
    lines = Path(ledger.__file__).read_text("utf8").splitlines()
    assert shown.file == "dlbook/book/ledger.py" and lines[shown.first - 1].strip() == "def check("
    assert (
        shown.code.splitlines()[0] == "def check("
        and shown.code.splitlines()[-1].strip() == lines[shown.last - 1].strip()
    )


def test_several_objects_and_links():
    shown = book.source(
        ledger_table.LedgerRow, ledger_table.Shown, link="https://example.org/ledger_table.py"
    )
    assert (
        shown.code.startswith("@dataclass(frozen=True)\nclass LedgerRow")
        and "\n\n\nclass Shown" in shown.code
    )
    assert f"](https://example.org/ledger_table.py#L{shown.first}-L{shown.last})" in shown.markdown()


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
