"""Tables: how values are written, and what they tell where they cannot."""

import pytest
import torch

from dlbook import book
from dlbook.book.tables import cell_text


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
    with pytest.raises(ValueError, match="row 1: expected 2 cells.*got 1"):
        book.table([(1, 2), (3,)], ["a", "b"])
    with pytest.raises(ValueError, match="one row"):
        book.table([], ["a"])
    html = book.table([("<i>", "<b>")], ["<a>", "b"], caption="<u>").html()
    assert all(f"&lt;{tag}&gt;" in html and f"<{tag}>" not in html for tag in "iabu")
